cimport cython
from arraygrad._array cimport Array, wrap

cdef class Node:
    cdef object __weakref__
    cdef public object dtype, hooks, kwargs, level, parents, rule, saved, sequence_nr, shape

cdef class Leaf(Node):
    cdef public object _grad, home

cdef class OutputNode(Node):
    cdef public object index

cdef class Tangent:
    cdef public object level, value

cdef class TensorSpec:
    cdef public object device, dtype, shape

@cython.locals(x=Array, out=Array)
cpdef object box(object value, object trace, object view=*)
@cython.locals(node=Node)
cpdef object new_node(Array value, object level, object cls=*)
