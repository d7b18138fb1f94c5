cimport arraygrad._dispatch as _dispatch
cimport arraygrad._native as _native
from arraygrad._layout cimport Tensor as T

cpdef object _adjoint(T x)
cpdef object _matmul_left(T g, object _out, object _x1, T x2)
cpdef object _matmul_right(T g, object _out, T x1, object x2_like)
