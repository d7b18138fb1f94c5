cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

@cython.locals(call=Call, v=Value, covered=dict, kept=list, found=tuple)
cpdef object merge_nan_checks(object program)
cdef object _cover(object v, object check, dict covered)
cdef bint _is_real(Value v) except -1
cdef object _handed_on(Call call)
