cimport cython
cimport arraygrad._backends._ndarray as _ndarray
from arraygrad._array cimport Array, Level, Trace, wrap

cdef class Node(Trace):
    cdef object __weakref__
    cdef public object device, dtype, hooks, kwargs, parents, rule, saved, sequence_nr, shape

cdef class Leaf(Node):
    cdef public object _grad, home

cdef class OutputNode(Node):
    cdef public object index

cdef class Tangent(Trace):
    cdef public object value

cdef class TensorSpec:
    cdef public object device, dtype, shape

@cython.locals(out=Array)
cpdef object box(Array value, Trace trace, object view=*)
@cython.locals(node=Node)
cpdef object new_node(Array value, Level level, type cls=*)
@cython.locals(node=Leaf)
cpdef object new_leaf(Array value, Level level)
