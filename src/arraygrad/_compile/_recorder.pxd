cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

cdef class _ByIdentity:
    cdef dict _entries
    cdef object _forget

    cpdef object get(self, object x)
    cpdef object put(self, object x, object value, bint small=*)

cdef class Recorder:
    cdef public object name, started_at, problem, ambient, _setting, _mask, _raised
    cdef public bint guards, careful, assumes, has_acted
    cdef public list calls, inputs, _ranges, _all, _stack
    cdef public dict tensors, grads, attributes, _generators, _lines, _new_modules, _regions
    cdef public set _set_grads, _of_forward
    cdef public Py_ssize_t _backward_at
    cdef public _ByIdentity _values, _memories

    cpdef object _note(self, object x, Value value)
    cpdef object _find(self, object x)
    @cython.locals(memory=Memory)
    cpdef object _memory_of(self, object x, object device)
    cpdef bint _is_array(self, object x, object device) except -1
    cpdef object tree(self, object x, object device, bint opaque=*)
    @cython.locals(is_scalar=bint, value=Value)
    cpdef tuple _results(self, object result, object device)

cpdef object user_line()
