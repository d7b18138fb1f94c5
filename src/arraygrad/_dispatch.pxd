cimport cython
cimport arraygrad._cpython as _cpython
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array, DeviceSlots, Trace, wrap
from arraygrad._memory cimport before_write, link_view

@cython.locals(t=Array, device=DeviceSlots)
cpdef object unary(object name, object x, bint floating=*)
@cython.locals(t1=Array, t2=Array, device=DeviceSlots, trace=Trace)
cpdef object binary(object name, object x1, object x2, bint operator=*, bint floating=*)
cdef object _binary_general(object name, object x1, object x2, bint operator)
@cython.locals(t1=Array, t2=Array, device=DeviceSlots)
cpdef object inplace(object name, object x1, object x2)
@cython.locals(t=Array, device=DeviceSlots)
cpdef object call(object name, object x, tuple args=*, dict kwargs=*)
@cython.locals(t=Array, device=DeviceSlots)
cpdef object view(object name, object x, tuple args=*, dict kwargs=*)
@cython.locals(t=Array, device=DeviceSlots)
cpdef object reduction(object name, object x, object axis, object keepdims)
@cython.locals(t=Array, first=Array, device=DeviceSlots, data=list, listed=bint)
cpdef object apply(object name, tuple operands, tuple args=*, dict kwargs=*)
cdef dict _keywords(object name, dict kwargs, object device)
