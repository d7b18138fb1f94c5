cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

cdef class Facts:
    cdef public set written
    cdef public dict results
    cdef public bint _outer_is_written

    @cython.locals(memory=Memory)
    cpdef bint is_constant(self, Value v) except -1
    cpdef bint is_private(self, Value v) except -1

@cython.locals(call=Call, found=list)
cpdef list every_call(list calls)
