"""The formulas of `formulas` and the rows of `exponentials`, compiled.

They make one pass over the memory, with all steps in registers.
"""

cimport numpy as np

np.import_array()

cdef extern from "_formulas.h" nogil:
    ctypedef void (*Function)(char **, size_t) noexcept
    ctypedef struct Formula:
        const char *name
        Function function
        int n_results
    Formula *formulas
    int N_FORMULAS

cdef extern from "_softmax.h" nogil:
    void c_softmax "softmax"(
        const float *, float *, float *, float *, Py_ssize_t, Py_ssize_t, int
    )

cdef enum:
    MAX_ARRAYS = 8

#: Elements, at least, for which other threads may run meanwhile.
cdef Py_ssize_t MIN_SIZE_TO_RELEASE = 1 << 14


cdef class Compiled:
    """A formula, which is called with an array and the arrays for its results.

    All are contiguous, in single precision, and of one size.
    """

    cdef Function _function
    cdef int _n

    def __call__(self, *arrays):
        cdef char *data[MAX_ARRAYS]
        cdef np.ndarray x
        cdef Py_ssize_t size = -1
        cdef int i
        if len(arrays) != self._n:
            raise TypeError(f"expected {self._n} arrays, got {len(arrays)}")
        for i in range(self._n):
            if not isinstance(arrays[i], np.ndarray):
                raise TypeError("expected arrays")
            x = <np.ndarray>arrays[i]
            if np.PyArray_TYPE(x) != np.NPY_FLOAT or not np.PyArray_ISCARRAY_RO(x):
                raise TypeError("expected contiguous arrays in single precision")
            if i and not np.PyArray_ISWRITEABLE(x):
                raise TypeError("expected arrays that can be written to")
            if size >= 0 and np.PyArray_SIZE(x) != size:
                raise ValueError("expected arrays of one size")
            size = np.PyArray_SIZE(x)
            data[i] = <char *>np.PyArray_DATA(x)
        if size >= MIN_SIZE_TO_RELEASE:
            with nogil:
                self._function(data, size)
        else:
            self._function(data, size)


def functions():
    """The compiled formulas by name."""
    cdef Compiled new
    cdef int i
    found = {}
    for i in range(N_FORMULAS):
        new = Compiled.__new__(Compiled)
        new._function, new._n = formulas[i].function, formulas[i].n_results + 1
        found[formulas[i].name.decode()] = new
    return found


cdef float *_floats(np.ndarray x, Py_ssize_t size) except? NULL:
    if np.PyArray_TYPE(x) != np.NPY_FLOAT or not np.PyArray_ISCARRAY_RO(x):
        raise TypeError("expected contiguous arrays in single precision")
    if np.PyArray_SIZE(x) != size:
        raise ValueError(f"expected {size} numbers")
    return <float *>np.PyArray_DATA(x)


def softmax(
    np.ndarray x, np.ndarray y, np.ndarray largest, np.ndarray sums, bint is_softmax
):
    """Fill in `y` and, for each row, its largest number and the sum of its exponentials."""
    cdef Py_ssize_t rows = np.PyArray_SIZE(sums), size = np.PyArray_SIZE(x)
    cdef Py_ssize_t n = size // rows if rows else 0
    cdef float *px = _floats(x, rows * n)
    cdef float *py = _floats(y, size)
    cdef float *pm = _floats(largest, rows)
    cdef float *ps = _floats(sums, rows)
    if n:
        with nogil:
            c_softmax(px, py, pm, ps, rows, n, is_softmax)
