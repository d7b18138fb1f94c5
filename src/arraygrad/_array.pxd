cimport cython

cdef class Array:
    cdef object __weakref__
    cdef public object _data, _device, _primal, _saved, _storage, _trace, _view

@cython.locals(out=Array)
cpdef object wrap(type cls, object data, object device)
