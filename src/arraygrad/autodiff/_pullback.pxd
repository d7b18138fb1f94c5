cimport cython
from arraygrad._array cimport Array, Level, Trace
from arraygrad._memory cimport Exposed, Storage, alias, shared_alias, storage_of
from arraygrad.autodiff._graph cimport Leaf, box, new_leaf
from arraygrad.autodiff._tangents cimport ones, sum_to, zeros
from arraygrad.autodiff._views cimport check_argument, refresh

@cython.locals(t=Array)
cpdef object unit_cotangent(object name, object value)

cdef class DiffArgs:
    cdef public object args, leaves, argnums, structures

@cython.locals(value=Array, out=Array, storage=Storage, view=Exposed)
cpdef object enter_level(Array x, Level level, object tangent=*)
@cython.locals(t=Array, trace=Trace)
cpdef bint is_at(object x, Level level) except -1

@cython.locals(t=Array)
cpdef object check_arguments(object name, object arguments)
@cython.locals(root=Array, t=Array, primal=Array, storage=Storage, links=list)
cpdef object lowered(object x, object level)

cdef class TracedCall:
    cdef public object aux, inputs, leaves, level, nodes, outputs, structure
    @cython.locals(t=Array)
    cpdef object collect(self, dict found)
