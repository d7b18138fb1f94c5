cimport cython
from arraygrad._compile._program cimport Call, Memory, Value
from arraygrad._compile.passes._facts cimport Facts

@cython.locals(
    call=Call, have=Call, v=Value, facts=Facts, versions=dict, known=dict, new=dict, kept=list,
)
cpdef object merge_common(object program)
@cython.locals(v=Value, same=Value, x=Value)
cdef bint _can_merge(Call call, Call have, Facts facts, object ambient) except -1
@cython.locals(v=Value, parts=list)
cdef object _key(Call call, dict versions, object epoch)
