cimport cython
cimport arraygrad._dispatch as _dispatch
from arraygrad._layout cimport Tensor as T

cpdef object detached(T x)
cpdef object write_variable(object name, T x, object value)
