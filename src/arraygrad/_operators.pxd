"""Doors as pointers to functions: what they are given is then not counted as referred to."""

ctypedef object (*Binary)(object, object, object)
cdef object unary, inplace
cdef Binary operate, arithmetic

cdef class Operators:
    pass
