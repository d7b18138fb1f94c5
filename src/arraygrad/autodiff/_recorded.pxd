cimport cython
cimport arraygrad._dispatch as _dispatch
cimport arraygrad.autodiff._backward as _backward
cimport arraygrad.autodiff._engine as _engine
from arraygrad._layout cimport Tensor as T

cpdef object entered(T x, object level, object tangent=*, object dual=*)
@cython.locals(t=T)
cpdef object is_at(object x, object level)
cpdef object lowered(object x, object level)

cdef class Inputs:
    cdef public object args, leaves, name, numbers, structures

cdef class Recorded:
    cdef public object aux, inputs, level, likes, name, nodes, starts, structure

@cython.locals(inputs=Inputs, recorded=Recorded)
cpdef object gradients(
    object name, object f, object numbers, object args, object kwargs, object has_aux
)
cpdef object one(object name, object value)
