cimport cython
from arraygrad._array cimport Array
from arraygrad.autodiff._graph cimport Node, box, new_node
from arraygrad.autodiff._rules cimport Rule

@cython.locals(x=Array)
cdef object _save(object value, object want, bint is_primal)
