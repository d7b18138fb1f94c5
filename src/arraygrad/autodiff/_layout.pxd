"""The same for the classes of this package; see `arraygrad/_layout.pxd`."""

cdef extern from *:
    """
    #if PY_VERSION_HEX < 0x030C0000
      #define ARRAYGRAD_NODE_WEAK PyObject *weak;
    #else
      #define ARRAYGRAD_NODE_WEAK
    #endif
    typedef struct {
        PyObject_HEAD
        PyObject *dtype, *hooks, *kwargs, *level, *parents, *rule, *saved, *shape, *time;
        ARRAYGRAD_NODE_WEAK
    } arraygrad_node;
    typedef struct {
        PyObject_HEAD
        PyObject *both, *composed, *elementwise, *jvps, *listed, *name, *plans, *prepare, *put,
            *real_vjps, *refused, *rotate, *scalar, *split, *vjps, *wants, *whole;
    } arraygrad_rule;
    """
    ctypedef class arraygrad.autodiff._traced.Node [object arraygrad_node, check_size error]:
        cdef object dtype, hooks, kwargs, level, parents, rule, saved, shape, time
    ctypedef class arraygrad.autodiff._rules.Rule [object arraygrad_rule, check_size error]:
        cdef object both, composed, elementwise, jvps, listed, name, plans, prepare, put
        cdef object real_vjps, refused, rotate, scalar, split, vjps, wants, whole
