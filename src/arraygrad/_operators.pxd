"""`arithmetic` is a pointer to a function: what such a one is given is not counted as referred to."""

ctypedef object (*Door)(object, object, object)
cdef object unary, binary, inplace
cdef Door arithmetic

cdef class Operators:
    pass
