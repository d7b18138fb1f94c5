cimport cython
cimport arraygrad._cpython as _cpython
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array, wrap
from arraygrad._dispatch cimport binary, inplace, unary

cpdef object zeros(Array x)
cpdef object ones(Array x)
@cython.locals(slope=Array)
cpdef object mask_indeterminate(
    Array x, Array weight, object scale, object operands, object kwargs
)
cpdef object cast(Array g, object dtype)
cpdef object fit(Array t, object like)
@cython.locals(have=tuple, want=tuple, extra=int)
cpdef object sum_to(Array g, object node)
@cython.locals(n=Array, v=Array)
cpdef object updated(object name, object new, object value)
cpdef object enter_rules()
cpdef object leave_rules(object before)
