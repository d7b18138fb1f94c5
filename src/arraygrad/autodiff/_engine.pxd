cimport cython
cimport arraygrad._native as _native
cimport arraygrad._dispatch as _dispatch
from arraygrad._layout cimport Device as D, Tensor as T
from arraygrad.autodiff._layout cimport Node as N, Rule as R

@cython.locals(out=T)
cpdef object traced(object cls, T value, object trace, object view=*)
@cython.locals(new=N)
cpdef object leaf(T value, object level)
@cython.locals(new=N)
cpdef object node(T value, object level, object cls=*)
@cython.locals(new=N)
cpdef object part(T value, N whole, object index)
@cython.locals(x=T, rule=R, parent=N, new=N, t=T, result=T, device=D)
cpdef object record_call(object name, object operands, object args=*, object kwargs=*)
@cython.locals(t1=T, t2=T, t=T, rule=R, node1=N, node2=N, new=N, result=T, device=D)
cpdef object record_binary(object name, object x1, object x2, object operator)
@cython.locals(t=T, v=T, device=D)
cpdef object updated(object name, object new, object value)
@cython.locals(t=T)
cpdef object _saved(object value, object want)
@cython.locals(device=D)
cpdef object snapshot(T x)
cpdef object hush()
cpdef object unhush(object before)
cpdef object conform(T g, object node)
@cython.locals(device=D)
cpdef object settle(T x, T weight)
