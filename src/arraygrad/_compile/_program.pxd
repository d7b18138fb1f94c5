cimport cython

cdef class Memory:
    cdef public bint is_imported, is_outer, is_small, is_written

cdef class Value:
    cdef public object data, dtype, kind, name, shape, source, strides
    cdef public Memory memory
    cdef public bint is_scalar

cdef class Call:
    cdef public object args, body, condition, device, errors, function, kwargs, line, name
    cdef public object otherwise, out, region, writes
    cdef public bint is_apart, is_repeated
    cdef public list _found

    cpdef object with_arguments(self, tuple args)
    @cython.locals(v=Value, call=Call)
    cpdef object rename(self, dict new)
    cpdef tuple results(self)
    @cython.locals(v=Value, call=Call, found=list)
    cpdef list operands(self)
    @cython.locals(found=list)
    cpdef list _own_operands(self)
