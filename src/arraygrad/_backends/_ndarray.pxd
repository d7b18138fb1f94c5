"""The functions of `_ndarray.py` by NumPy's C API, inlined where compiled modules call them."""

from cpython.object cimport PyObject
from numpy cimport (
    PyArray_BASE,
    PyArray_BYTES,
    PyArray_DESCR,
    PyArray_DIMS,
    PyArray_NDIM,
    PyArray_STRIDES,
    dtype,
    ndarray,
)


cdef inline Py_UCS4 kind(object x) except? 0xFFFFFFFF:
    cdef str found
    if isinstance(x, ndarray):
        return <Py_UCS4><unsigned char>(<dtype>PyArray_DESCR(<ndarray>x)).kind
    found = x.dtype.kind
    return found[0]


cdef inline Py_ssize_t size(object x) except? -1:
    cdef Py_ssize_t n = 1
    cdef int i
    if isinstance(x, ndarray):
        for i in range(PyArray_NDIM(<ndarray>x)):
            n *= PyArray_DIMS(<ndarray>x)[i]
        return n
    return x.size


cdef inline bint have_one_root(object x, object y, object root) except -1:
    cdef PyObject *a = <PyObject *>x
    cdef PyObject *b = <PyObject *>y
    cdef PyObject *base
    if not (type(x) is ndarray and type(y) is ndarray):
        return root(x) is root(y)
    while True:
        base = PyArray_BASE(<ndarray>a)
        if base is NULL:
            break
        a = base
        if type(<object>a) is not ndarray:
            break
    while True:
        base = PyArray_BASE(<ndarray>b)
        if base is NULL:
            break
        b = base
        if type(<object>b) is not ndarray:
            break
    if type(<object>a) is ndarray or type(<object>b) is ndarray:
        return a == b
    return root(x) is root(y)


cdef inline tuple bounds(object x, object otherwise):
    cdef Py_ssize_t low, high, step
    cdef int i
    if type(x) is not ndarray:
        return otherwise(x)
    low = high = <Py_ssize_t>PyArray_BYTES(<ndarray>x)
    for i in range(PyArray_NDIM(<ndarray>x)):
        if PyArray_DIMS(<ndarray>x)[i] == 0:
            return low, low
        step = PyArray_STRIDES(<ndarray>x)[i] * (PyArray_DIMS(<ndarray>x)[i] - 1)
        if step < 0:
            low += step
        else:
            high += step
    # (NumPy's macro for the size needs a module that has imported the C API.)
    return low, high + <Py_ssize_t>x.itemsize


cdef inline object shape(object x):
    cdef int i, n
    cdef list sizes
    if not isinstance(x, ndarray):
        return x.shape
    n = PyArray_NDIM(<ndarray>x)
    if n == 0:
        return ()
    if n == 1:
        return (PyArray_DIMS(<ndarray>x)[0],)
    sizes = []
    for i in range(n):
        sizes.append(PyArray_DIMS(<ndarray>x)[i])
    return tuple(sizes)


cdef inline object dtype_of(object x):
    if isinstance(x, ndarray):
        return <object>PyArray_DESCR(<ndarray>x)
    return x.dtype


cdef inline bint matches(object x, object shape, object dtype) except -1:
    cdef int i, n
    if not isinstance(x, ndarray) or type(shape) is not tuple:
        return x.dtype is dtype and x.shape == shape
    n = PyArray_NDIM(<ndarray>x)
    if <PyObject *>PyArray_DESCR(<ndarray>x) != <PyObject *>dtype or n != len(<tuple>shape):
        return False
    for i in range(n):
        if PyArray_DIMS(<ndarray>x)[i] != <Py_ssize_t>((<tuple>shape)[i]):
            return False
    return True
