cimport cython
from arraygrad._compile._program cimport Call, Memory, Value
from arraygrad._compile.passes._facts cimport Facts

@cython.locals(
    call=Call, facts=Facts, made=dict, new=dict, memories=dict, ones=set, idle=set, same=Value,
)
cpdef object simplify(object program)
cdef bint _may_be(Value v, Value same, Facts facts) except -1
@cython.locals(out=Value, inner=Call, args=tuple)
cdef Value _same_as(Call call, dict made, set ones)
cdef bint _is_alike(Value x, Value out) except -1
cdef bint _is_one(object x, set ones) except -1
@cython.locals(call=Call, args=tuple)
cdef bint _masks_nothing(object x, object weight, dict made) except -1
cdef bint _is_finite(object x, object dtype) except -1
