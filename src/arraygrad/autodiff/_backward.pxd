cimport cython
cimport arraygrad._dispatch as _dispatch
cimport arraygrad._native as _native
cimport arraygrad.autodiff._engine as _engine
from arraygrad._layout cimport Tensor as T
from arraygrad.autodiff._layout cimport Node as N, Rule as R

@cython.locals(grads=dict, node=N, parent=N, pending=list, rule=R, t=T)
cpdef object backward(object roots, object stops=*, object free=*, object create_graph=*)
@cython.locals(node=N)
cpdef object run_backward(T x, object gradient, object retain_graph, object create_graph)
cpdef object accumulate(object node, object found)
cpdef object own(object found, object node)
