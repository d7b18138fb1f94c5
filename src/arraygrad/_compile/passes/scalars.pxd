cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

@cython.locals(call=Call, v=Value, made=dict)
cdef object _replace(list calls, list inputs, dict new)
