cimport cython
cimport arraygrad._cpython as _cpython
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array, wrap

cdef class Storage:
    cdef object __weakref__
    cdef public dict _frozen, _tensors
    cdef public Py_ssize_t _frozen_limit, _tensors_limit
    cdef public bint exported, external, recorded
    cdef public object guard, merged
    cdef public long version
    cpdef object add(self, Array x)
    cpdef object freeze(self, Array x)
    cpdef object written(self)

cdef object _copy_frozen(object link)

cdef class View:
    cdef public object args, base, index, kwargs, name
    cdef public long version

cdef class Exposed:
    cdef public object base, level

@cython.locals(storage=Storage)
cpdef Storage new_storage()
@cython.locals(storage=Storage)
cpdef object storage_of(Array x)
cdef Storage _united(Storage storage)
@cython.locals(t=Array, out=Array)
cpdef object alias(Array x)
@cython.locals(out=Array, memory=Array, storage=Storage)
cpdef object shared_alias(Array x)
@cython.locals(saved=Array, storage=Storage)
cpdef object save(Array x)
@cython.locals(storage=Storage)
cpdef object before_write(Array x)
cpdef object link_view(Array x, object out, object name, object args, object kwargs)
@cython.locals(storage=Storage)
cdef object _link(Array x, Array out, object name, object args, object kwargs, object index)
@cython.locals(view=View)
cpdef View new_view(
    object base, object name, object args, object kwargs, object index, Storage storage
)

cdef class Ranges:
    cdef list _entries, _waiting
    cdef Py_ssize_t _gone
    cdef bint _busy

    @cython.locals(entries=list, i=Py_ssize_t)
    cpdef object find(self, object low, object high)
    cpdef object note(self, object low, object high, Storage storage)
    @cython.locals(entries=list)
    cpdef object _insert(self, object low, object high, Storage storage)

@cython.locals(storage=Storage, known=Storage, ranges=Ranges)
cpdef object mark_external(Array x, bint exported=*, object name=*)
