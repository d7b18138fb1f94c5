cimport cython
from arraygrad._compile._program cimport Call, Value

cdef class _Check:
    cdef public Value value
    cdef public bint is_needed

@cython.locals(call=Call, v=Value, check=_Check, covered=dict, found=tuple, kept=list)
cpdef object merge_nan_checks(object program)
@cython.locals(have=tuple)
cdef object _cover(object v, _Check check, dict covered)
cdef bint _is_real(Value v) except -1
cdef object _handed_on(Call call)
