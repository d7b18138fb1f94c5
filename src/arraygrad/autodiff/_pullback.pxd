cdef class DiffArgs:
    cdef public object args, leaves, name, argnums, structures

cdef class TracedCall:
    cdef public object aux, inputs, leaves, level, name, nodes, outputs, structure
