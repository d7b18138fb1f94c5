cimport cython

cdef class DeviceSlots:
    cdef public object _name, array_type, backend, index, ops, type

cdef class Level:
    cdef public bint closed
    cdef public long number
    cpdef object process(self, object name, tuple operands, tuple args, dict kwargs)

cdef class Trace:
    cdef public Level level

cdef class Array:
    cdef object __weakref__
    cdef public object _data, _primal, _saved, _storage, _view
    cdef public DeviceSlots _device
    cdef public Trace _trace

@cython.locals(out=Array)
cpdef object wrap(type cls, object data, DeviceSlots device)
