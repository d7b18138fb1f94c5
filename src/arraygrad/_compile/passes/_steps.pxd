cimport cython
from arraygrad._compile._program cimport Call, Value

cdef class _Place:
    cdef public Py_ssize_t base, offset
    cdef public tuple shape, strides
    cdef public object dtype

cdef class _Buffer:
    cdef public object dtype
    cdef public tuple shape, strides
    cdef public Py_ssize_t end, number, offset, size

cdef class Steps:
    cdef public object ambient
    cdef public list buffers, calls, constants, inputs, steps
    cdef public set views
    cdef public dict _numbers, _places
    cdef public bint _in_blocks

    cpdef _Place _use(self, _Place place)
    @cython.locals(place=_Place, shape=tuple, strides=tuple)
    cpdef _Place _place_of(self, Value v)
    @cython.locals(place=_Place)
    cpdef _Place _number(self, object x, object dtype)
    @cython.locals(place=_Place, shape=tuple, strides=tuple)
    cpdef _Place _new(self, Value v)
    cdef _Place _buffer(self, tuple shape, tuple strides, object dtype)
    cpdef object _step(self, str kind, tuple args, tuple operands)
    @cython.locals(v=Value, n_buffers=Py_ssize_t, n_steps=Py_ssize_t)
    cpdef bint take(self, Call call) except -1
    @cython.locals(name=str, x=_Place)
    cpdef bint _take(self, Call call) except -1
    @cython.locals(place=_Place, places=list, kinds=list, loop=tuple, i=Py_ssize_t)
    cpdef tuple _operands(self, object ufunc, tuple args, tuple shape, object out_dtype)
    cpdef _Place _converted(self, _Place x, object dtype)
    @cython.locals(place=_Place, p=_Place)
    cpdef bint _take_elementwise(self, object ufunc, tuple args, Value out) except -1
    @cython.locals(place=_Place, p=_Place)
    cpdef bint _take_in_place(self, Call call) except -1
    @cython.locals(place=_Place, found=_Place)
    cpdef bint _take_view(self, Call call) except -1
    cpdef object _check_state(self, object ufunc)
    @cython.locals(
        place=_Place, buffer=_Buffer, size=Py_ssize_t, i=Py_ssize_t, number=Py_ssize_t,
        other=Py_ssize_t, old=Py_ssize_t,
    )
    cpdef Py_ssize_t _allocate(self, set over) except -1
    @cython.locals(out=_Place, x=_Place, y=_Place, result=_Buffer, buffer=_Buffer)
    cpdef Py_ssize_t _written_over(self, tuple operands, Py_ssize_t i, set over) except -2
    @cython.locals(
        p=_Place, buffer=_Buffer, n=Py_ssize_t, m=Py_ssize_t, i=Py_ssize_t, base=Py_ssize_t,
        offset=Py_ssize_t, scratch=Py_ssize_t, kind=str, args=tuple, operands=tuple, found=list,
    )
    cpdef object _loops(self, list forms, list made, Py_ssize_t size, blocks)

cpdef bint is_small(tuple shape, object dtype) except -1
@cython.locals(strides=list)
cpdef tuple c_strides(tuple shape, Py_ssize_t itemsize)
cdef _Place _broadcast(_Place place, tuple shape)
cpdef bint _is_basic(object key) except -1
cpdef bint _is_dense(tuple shape, tuple strides, object dtype) except -1
cdef _Place _view(_Place place, object function, tuple args, dict kwargs)
cdef bint _are_equal(object dtype, object other) except -1
