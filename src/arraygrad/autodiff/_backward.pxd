cimport cython
from arraygrad._array cimport Array
from arraygrad.autodiff._graph cimport Node
from arraygrad.autodiff._rules cimport Rule

@cython.locals(grads=dict, found=dict, node=Node, parent=Node, pending=list, rule=Rule, t=Array)
cpdef object backward(
    object roots, object stops=*, object free=*, object create_graph=*, object unshare=*
)
