cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

@cython.locals(call=Call, v=Value, kept=list)
cdef list _needed(list calls, set values, set memories)
cdef bint _are_needed(Call call, set values) except -1
@cython.locals(v=Value)
cdef bint _are_seen(tuple writes, set memories) except -1
