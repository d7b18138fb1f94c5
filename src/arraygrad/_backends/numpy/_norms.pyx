"""The functions of `norms`, compiled.

Arrays are contiguous, and a form is (outer, rows, groups, parts, run); `norms` sees to that.
"""

cimport numpy as np

np.import_array()

cdef extern from "_norms.h" nogil:
    ctypedef struct Form:
        Py_ssize_t outer, rows, groups, parts, run
    void c_centre "centre"(Form *, float *, float *, float *, float *)
    void c_scale "scale"(Form *, float *, float *, float *, float *, float, float *)
    void c_sums "sums"(Form *, float *, float *, double *, double *)
    void c_combine "combine"(Form *, float *, float *, float *, float *, float *, float *)
    void c_rows_back "rows_back"(
        Form *, float *, float *, float *, float *, float, float *, double *, double *
    )


cdef Form _form(tuple form):
    cdef Form f
    f.outer, f.rows, f.groups, f.parts, f.run = form
    return f


cdef float *_floats(np.ndarray x, Py_ssize_t size) except? NULL:
    if np.PyArray_TYPE(x) != np.NPY_FLOAT or np.PyArray_SIZE(x) != size:
        raise TypeError(f"expected {size} numbers in single precision")
    return <float *>np.PyArray_DATA(x)


cdef double *_doubles(np.ndarray x, Py_ssize_t size) except? NULL:
    if np.PyArray_TYPE(x) != np.NPY_DOUBLE or np.PyArray_SIZE(x) != size:
        raise TypeError(f"expected {size} numbers in double precision")
    return <double *>np.PyArray_DATA(x)


cdef Py_ssize_t _size(Form f):
    return f.outer * f.rows * f.parts * f.run


def centre(tuple form, np.ndarray x, np.ndarray c, np.ndarray mean, np.ndarray variance):
    cdef Form f = _form(form)
    cdef Py_ssize_t n = _size(f)
    cdef float *px = _floats(x, n)
    cdef float *pc = _floats(c, n)
    cdef float *pm = _floats(mean, f.rows)
    cdef float *pv = _floats(variance, f.rows)
    with nogil:
        c_centre(&f, px, pc, pm, pv)


def scale(
    tuple form, np.ndarray c, np.ndarray variance, weight, bias, float eps, np.ndarray y
):
    cdef Form f = _form(form)
    cdef Py_ssize_t n = _size(f), m = f.groups * f.parts
    cdef float *pc = _floats(c, n)
    cdef float *pv = _floats(variance, f.rows)
    cdef float *pw = NULL if weight is None else _floats(weight, m)
    cdef float *pb = NULL if bias is None else _floats(bias, m)
    cdef float *py = _floats(y, n)
    with nogil:
        c_scale(&f, pc, pv, pw, pb, eps, py)


def sums(tuple form, np.ndarray g, np.ndarray c, np.ndarray products, np.ndarray totals):
    cdef Form f = _form(form)
    cdef Py_ssize_t n = _size(f)
    cdef float *pg = _floats(g, n)
    cdef float *pc = _floats(c, n)
    cdef double *pp = _doubles(products, f.rows * f.parts)
    cdef double *pt = _doubles(totals, f.rows * f.parts)
    with nogil:
        c_sums(&f, pg, pc, pp, pt)


def combine(
    tuple form, np.ndarray g, np.ndarray c, np.ndarray k, np.ndarray of_c, np.ndarray rest,
    np.ndarray y,
):
    cdef Form f = _form(form)
    cdef Py_ssize_t n = _size(f)
    cdef float *pg = _floats(g, n)
    cdef float *pc = _floats(c, n)
    cdef float *pk = _floats(k, f.rows * f.parts)
    cdef float *po = _floats(of_c, f.rows)
    cdef float *pr = _floats(rest, f.rows)
    cdef float *py = _floats(y, n)
    with nogil:
        c_combine(&f, pg, pc, pk, po, pr, py)


def rows_back(
    tuple form, np.ndarray g, np.ndarray c, np.ndarray variance, np.ndarray weight, float eps,
    np.ndarray y, np.ndarray of_weight, np.ndarray of_bias,
):
    cdef Form f = _form(form)
    cdef Py_ssize_t n = _size(f)
    cdef float *pg = _floats(g, n)
    cdef float *pc = _floats(c, n)
    cdef float *pv = _floats(variance, f.rows)
    cdef float *pw = _floats(weight, f.parts)
    cdef float *py = _floats(y, n)
    cdef double *po = _doubles(of_weight, f.parts)
    cdef double *pb = _doubles(of_bias, f.parts)
    with nogil:
        c_rows_back(&f, pg, pc, pv, pw, eps, py, po, pb)
