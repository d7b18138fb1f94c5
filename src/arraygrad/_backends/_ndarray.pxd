"""The functions of `_ndarray.py` by NumPy's C API, inlined where compiled modules call them."""

from numpy cimport PyArray_DESCR, PyArray_DIMS, PyArray_NDIM, dtype, ndarray


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
