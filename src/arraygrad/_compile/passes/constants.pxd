cimport cython
from arraygrad._compile._program cimport Call, Memory, Value
from arraygrad._compile.passes._facts cimport Facts

@cython.locals(call=Call, v=Value, operands=list, facts=Facts)
cpdef object fold_constants(object program)
