cimport cython
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array, wrap

cdef class Uses:
    cdef public list _arrays, _cells, _dicts, _functions, _items, _lists, _sets, _slots, _tensors

    @cython.locals(tensor=Array)
    cpdef bint is_unchanged(self) except -1

cdef class Checked:
    cdef public Uses watch
    cdef public list grads, outer, outputs, overlaps, written_inputs, written_outer
    cdef public bint acts, assumes
    cdef public object new, reuse, run, structure
    cdef public Py_ssize_t runs

    @cython.locals(arrays=list, tensor=Array)
    cpdef list arrays(self, list tensors)

cdef class Known:
    cdef public object _defaults, _device, _key
    cdef public list _entries, _forms
    cdef public set _careful

    cpdef object call(self, tuple args)
    @cython.locals(n=Py_ssize_t, tensors=list, t=Array, form=tuple)
    cpdef list _tensors(self, tuple args)

@cython.locals(arrays=list)
cpdef object run_first(list entries, list tensors, object key, set careful)
