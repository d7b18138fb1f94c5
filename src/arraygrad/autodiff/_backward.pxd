cimport cython
cimport arraygrad._cpython as _cpython
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array, DeviceSlots
from arraygrad._dispatch cimport binary, inplace, unary
from arraygrad.autodiff._graph cimport Node
from arraygrad.autodiff._rules cimport Rule
from arraygrad.autodiff._tangents cimport enter_rules, leave_rules, mask_indeterminate, sum_to

@cython.locals(t=Array, other=Array, device=DeviceSlots)
cdef bint _may_share(object gx, object g, object saved, Rule rule) except -1
@cython.locals(grads=dict, found=dict, zero=set, node=Node, parent=Node, pending=list, rule=Rule, t=Array)
cpdef object backward(
    object roots, object stops=*, object free=*, object create_graph=*, object unshare=*
)
