cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

cdef class Facts:
    cdef public set written
    cdef public dict results
    cdef public bint _outer_is_written

    cpdef bint is_constant(self, Value v)
    cpdef bint is_private(self, Value v)

@cython.locals(call=Call)
cpdef list every_call(list calls)
