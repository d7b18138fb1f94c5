cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

cdef bint _is_real(Value v) except -1
cdef object _handed_on(Call call)
