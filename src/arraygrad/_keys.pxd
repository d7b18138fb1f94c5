cimport cython
cimport arraygrad._cpython as _cpython
from arraygrad._array cimport Array, DeviceSlots, wrap
from arraygrad._memory cimport before_write, link_view

cpdef bint is_basic(object key) except -1
@cython.locals(device=DeviceSlots)
cpdef object getitem(Array x, object key)
@cython.locals(t=Array, device=DeviceSlots)
cpdef object setitem(Array x, object key, object value)
