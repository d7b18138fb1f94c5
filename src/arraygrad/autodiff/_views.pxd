cimport cython
from arraygrad._array cimport Array, Level, Trace
from arraygrad._dispatch cimport apply, binary, reduction, unary, view
from arraygrad._memory cimport Exposed, Storage, View, new_storage, new_view, storage_of
from arraygrad.autodiff._rules cimport Rule

@cython.locals(n=int)
cpdef object perform(Rule rule, tuple operands, tuple args, dict kwargs)
@cython.locals(link=object, storage=Storage)
cpdef object refresh(Array x)
@cython.locals(storage=Storage)
cpdef object note_view(Array result, Array base, object name, object args, object kwargs, object index)
@cython.locals(base=Array, link=Exposed, trace=Trace)
cpdef object check_argument(object name, Array x)
