cimport cython
from arraygrad._compile._program cimport Call, Memory, Value

cdef class Text:
    cdef public object program, comments, arguments, outer
    cdef public bint _fast
    cdef public dict names, calls, _known, _counts, _owners, _numbers, _keys, _ends, _donors, _into
    cdef public list lines, scratch, _free, _outs
    cdef public set _used, _scalars
    cdef public object _state

    cpdef str _name(self, Value value, base)
    cpdef str _of(self, Value value)
    cpdef str _array(self, Value value)
    cpdef str _object(self, object x, base)
    cpdef object _line(self, str text, int depth, Call call=*)
    cpdef object _write(self, Call call, int depth)
    cpdef bint _write_in_place(self, Call call, str into, int depth) except -1
    cpdef object _write_into(self, Call call, str into, int depth)
    cpdef object _targets(self, object out, Call call)
    cpdef str expression(self, Call call)
    cpdef str _plain_expression(self, Call call)
    cpdef object _fast_expression(self, Call call)
    cpdef str _operands(self, Call call)
    cpdef object _number(self, object x, object other)
    cpdef str _literal(self, object x, bint free=*)

@cython.locals(
    call=Call, v=Value, donor=Value, last=dict, made=dict, ends=dict, fresh=set, pinned=set,
    operands=list, results=tuple, dead=dict, donors=dict, given=dict, pool=dict, reused=set, i=int,
)
cpdef tuple last_uses(object program, object scalars=*, bint is_block=*, object donated=*)
cdef bint _is_large(Value v) except -1
cdef bint _is_dense(Value v) except -1
cdef bint _is_product_of_blas(Call call) except -1
cpdef bint is_elementwise(object function) except -1
