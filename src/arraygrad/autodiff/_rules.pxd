cdef class Rule:
    cdef public object call, composed, elementwise, handler, joint_vjp, jvps, name, perturb, plans
    cdef public object prepare, put, real_vjps, refused, rotate, saves, saves_all, scalar
    cdef public object variadic, vjps
