cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

@cython.locals(call=Call, v=Value, kept=list)
cdef list _needed(list calls, set values, set memories)
