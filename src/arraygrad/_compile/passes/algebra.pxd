cimport cython
from arraygrad._compile._program cimport Call, Memory, Value
from arraygrad._compile.passes._facts cimport Facts

@cython.locals(call=Call, facts=Facts, made=dict, new=dict)
cpdef object simplify(object program)
cdef bint _may_be(Value v, Value same, Facts facts) except -1
cdef object _same_as(Call call, dict made, set ones)
cdef bint _is_alike(Value x, Value out) except -1
