cimport cython
cimport arraygrad._native as _native
cimport arraygrad._operators as _operators
from arraygrad._layout cimport Device as D, Tensor as T

@cython.locals(device=D)
cpdef object note_write(T x)
cpdef object keep(T x)
@cython.locals(device=D)
cpdef object owns(T x)
@cython.locals(out=T)
cpdef object wrap(object data, D device)
@cython.locals(out=T, t=T, device=D)
cpdef object unary(object name, object x)
@cython.locals(out=T, t1=T, t2=T, device=D)
cpdef object binary(object name, object x1, object x2, object operator=*)
cdef object arithmetic(object name, object x1, object x2)
cdef bint _may_replace(T x, object other) except -1
cdef object _replace(object name, T x, object other)
@cython.locals(out=T, t=T, device=D)
cpdef object floating(object name, object x)
@cython.locals(t1=T, t2=T, device=D)
cpdef object inplace(object name, object x1, object x2)
@cython.locals(device=D)
cpdef object ones_like(T x)
@cython.locals(out=T, t=T, device=D)
cpdef object reduction(object name, object x, object axis, object keepdims)
