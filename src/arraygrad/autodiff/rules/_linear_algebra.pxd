cimport arraygrad._dispatch as _dispatch
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array

cpdef object _adjoint(Array x)
cpdef object _matmul_left(Array g, object _out, object _x1, Array x2)
cpdef object _matmul_right(Array g, object _out, Array x1, object x2_like)
