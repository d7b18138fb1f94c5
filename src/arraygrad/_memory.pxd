cimport cython
from arraygrad._array cimport Array, wrap

cdef class Storage:
    cdef object __weakref__
    cdef public object _frozen, _frozen_limit, _tensors, _tensors_limit
    cdef public object exported, external, merged, version

cdef class View:
    cdef public object args, base, index, kwargs, name, version

cdef class Exposed:
    cdef public object base

cpdef object storage_of(Array x)
@cython.locals(out=Array)
cpdef object alias(Array x)
cpdef object save(Array x)
cpdef object before_write(Array x)
cpdef object link_view(Array x, object out, object name, object args, object kwargs)
cdef object _link(Array x, Array out, object name, object args, object kwargs, object index)
