cimport cython
from arraygrad._array cimport Array, wrap
cimport arraygrad._backends._ndarray as _ndarray

@cython.locals(t=Array)
cpdef object unary(object name, object x, bint floating=*)
@cython.locals(t1=Array, t2=Array)
cpdef object binary(object name, object x1, object x2, bint operator=*, bint floating=*)
cdef object _binary_general(object name, object x1, object x2, bint operator)
@cython.locals(t1=Array, t2=Array)
cpdef object inplace(object name, object x1, object x2)
@cython.locals(t=Array)
cpdef object reduction(object name, object x, object axis, object keepdims)
cpdef object apply(object name, tuple operands, tuple args=*, dict kwargs=*)
