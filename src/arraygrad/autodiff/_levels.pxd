cimport cython
cimport arraygrad._cpython as _cpython
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array, Level, Trace
from arraygrad._dispatch cimport binary
from arraygrad._memory cimport save
from arraygrad.autodiff._graph cimport Node, OutputNode, TensorSpec, box, new_node
from arraygrad.autodiff._rules cimport Rule
from arraygrad.autodiff._tangents cimport fit, mask_indeterminate, zeros
from arraygrad.autodiff._views cimport note_view, perform

cdef dict RULES

cdef class Differentiation(Level):
    @cython.locals(rule=Rule, inner=tuple, traces=tuple, n=int)
    cpdef object process(self, object name, tuple operands, tuple args, dict kwargs)
    cpdef object perform(
        self, Rule rule, tuple operands, tuple inner, tuple traces, tuple args, dict kwargs
    )

cdef class ReverseLevel(Differentiation):
    cpdef object perform(
        self, Rule rule, tuple operands, tuple inner, tuple traces, tuple args, dict kwargs
    )
    @cython.locals(node=Node, plan=tuple, n=int, i=int, result=Array, value=Array)
    cpdef object record(
        self, Rule rule, object out, tuple operands, tuple inner, tuple traces, tuple args, dict kwargs
    )

cdef class ForwardLevel(Differentiation):
    cpdef object perform(
        self, Rule rule, tuple operands, tuple inner, tuple traces, tuple args, dict kwargs
    )

@cython.locals(n=int)
cdef bint _one_tensor(tuple inner) except -1
@cython.locals(t=Array, trace=Trace)
cdef object _trace_at(Level level, object x)
@cython.locals(t=Array)
cdef inline object _untraced(object x, object trace)
@cython.locals(x=Array, spec=TensorSpec)
cdef object _save(object value, object want, bint is_primal)
