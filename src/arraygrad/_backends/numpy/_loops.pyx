"""NumPy's loops in a row: many operations on small arrays without Python between them.

A ufunc of NumPy's has a loop in C for each combination of dtypes. NumPy's own call of it takes most
of a microsecond to check operands, resolve dtypes and make the result; the loop itself takes a few
nanoseconds for ten elements. `Loops` has the loops of many calls, with the addresses of their
operands, and runs one after the other. The results are those of NumPy's calls, bit for bit, because
the loops are the same and are given the same elements in the same order.

This module has no meaning in Python: where it is not compiled, programs call NumPy's functions.
"""

from cpython.mem cimport PyMem_Calloc, PyMem_Free, PyMem_Malloc, PyMem_Realloc
from libc.stdint cimport (
    int8_t, int16_t, int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t, uintptr_t,
)
from libc.string cimport memcpy

cimport numpy as np
import numpy

from .error_state import errors
from .parallel import get_num_threads, run_on_pool

#: Returns NumPy's error state; None if NumPy does not tell.
_get_state = getattr(errors, "get", None)

np.import_array()

cdef extern from "<fenv.h>" nogil:
    int feclearexcept(int)
    int fetestexcept(int)
    int FE_DIVBYZERO
    int FE_OVERFLOW
    int FE_UNDERFLOW
    int FE_INVALID

cdef extern from "numpy/ufuncobject.h":
    ctypedef void (*Loop "PyUFuncGenericFunction")(
        char **, const np.npy_intp *, const np.npy_intp *, void *
    ) noexcept nogil
    ctypedef struct PyUFuncObject:
        int nargs
        int ntypes
        Loop *functions
        void **data
        const char *types

cdef enum:
    MAX_OPERANDS = 4
    MAX_STRIDES = 9  # of a product of matrices: three of the operands, six of their axes
    MAX_DIMS = 4  # lengths: that of the loop, and three of a product
    MAX_AXES = 64  # as many as arrays of NumPy can have
    FEW = 64  # addresses of operands that fit on the stack
    MAX_KEPT = 16  # pieces of memory that wait for the next call, one for each thread

#: Elements, at least, for which other threads may run meanwhile.
cdef Py_ssize_t MIN_SIZE_TO_RELEASE = 1 << 14
#: The same, for which several threads share the blocks: to wake them takes tens of microseconds.
cdef Py_ssize_t MIN_SIZE_TO_SPLIT = 1 << 18
#: Bytes of intermediate results, at most, whose memory waits for the next call.
cdef Py_ssize_t MAX_SIZE_TO_KEEP = 1 << 20
#: Bytes in front of the memory of intermediate results: the flags.
HEAD = 64
cdef enum:
    ALIGNMENT = 64

cdef struct Step:
    Loop loop
    void *data
    int n_operands
    int n_outer  # axes around the loop
    Py_ssize_t outer  # where their lengths and strides are in the pool
    int base[MAX_OPERANDS]
    np.npy_intp offset[MAX_OPERANDS]
    np.npy_intp dims[MAX_DIMS]
    np.npy_intp strides[MAX_STRIDES]


# ---- loops of this module, in the form of NumPy's

cdef void copy_1(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (args[1] + i * s[1])[0] = (args[0] + i * s[0])[0]


cdef void copy_2(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (<int16_t *>(args[1] + i * s[1]))[0] = (<int16_t *>(args[0] + i * s[0]))[0]


cdef void copy_4(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (<int32_t *>(args[1] + i * s[1]))[0] = (<int32_t *>(args[0] + i * s[0]))[0]


cdef void copy_8(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (<int64_t *>(args[1] + i * s[1]))[0] = (<int64_t *>(args[0] + i * s[0]))[0]


cdef void copy_16(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        memcpy(args[1] + i * s[1], args[0] + i * s[0], 16)


cdef void copy_all(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    """Copy elements without gaps; the length is in bytes."""
    memcpy(args[1], args[0], n[0])


cdef void select_1(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (args[3] + i * s[3])[0] = (
            (args[1] + i * s[1])[0] if (args[0] + i * s[0])[0] else (args[2] + i * s[2])[0]
        )


cdef void select_4(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    cdef int32_t x, y
    for i in range(n[0]):
        x = (<int32_t *>(args[1] + i * s[1]))[0]
        y = (<int32_t *>(args[2] + i * s[2]))[0]
        (<int32_t *>(args[3] + i * s[3]))[0] = x if (args[0] + i * s[0])[0] else y


cdef void select_8(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    cdef int64_t x, y
    for i in range(n[0]):
        x = (<int64_t *>(args[1] + i * s[1]))[0]
        y = (<int64_t *>(args[2] + i * s[2]))[0]
        (<int64_t *>(args[3] + i * s[3]))[0] = x if (args[0] + i * s[0])[0] else y


cdef void has_nan_4(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    """Set the flag if an element is NaN."""
    cdef np.npy_intp i
    cdef int found = 0
    cdef float x
    for i in range(n[0]):
        x = (<float *>(args[0] + i * s[0]))[0]
        found |= x != x
    args[1][0] |= <char>found


cdef void has_nan_8(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    """Set the flag if an element is NaN."""
    cdef np.npy_intp i
    cdef int found = 0
    cdef double x
    for i in range(n[0]):
        x = (<double *>(args[0] + i * s[0]))[0]
        found |= x != x
    args[1][0] |= <char>found


cdef void count(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (<int64_t *>(args[1] + i * s[1]))[0] += (args[0] + i * s[0])[0] != 0


ctypedef fused Number:
    int8_t
    int16_t
    int32_t
    int64_t
    uint8_t
    uint16_t
    uint32_t
    uint64_t
    float
    double


cdef void to_float(char **args, const np.npy_intp *n, const np.npy_intp *s, Number *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (<float *>(args[1] + i * s[1]))[0] = <float>(<Number *>(args[0] + i * s[0]))[0]


cdef void to_double(char **args, const np.npy_intp *n, const np.npy_intp *s, Number *_) noexcept nogil:
    cdef np.npy_intp i
    for i in range(n[0]):
        (<double *>(args[1] + i * s[1]))[0] = <double>(<Number *>(args[0] + i * s[0]))[0]


cdef void clear_errors(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    feclearexcept(FE_DIVBYZERO | FE_OVERFLOW | FE_UNDERFLOW | FE_INVALID)


cdef void test_errors(char **args, const np.npy_intp *n, const np.npy_intp *s, void *_) noexcept nogil:
    """Set the flag if there was a floating-point error of those that count."""
    args[0][0] |= fetestexcept(<int>n[0]) != 0


cdef void test_ambient_errors(
    char **args, const np.npy_intp *n, const np.npy_intp *s, void *_
) noexcept nogil:
    """The same, with the errors that count in memory."""
    args[0][0] |= fetestexcept((<int *>args[1])[0]) != 0


cdef int _mask_of(kinds) except -1:
    cdef int mask = 0
    if "divide" in kinds:
        mask |= FE_DIVBYZERO
    if "over" in kinds:
        mask |= FE_OVERFLOW
    if "under" in kinds:
        mask |= FE_UNDERFLOW
    if "invalid" in kinds:
        mask |= FE_INVALID
    return mask


cdef Loop _copy(Py_ssize_t itemsize):
    if itemsize == 1:
        return copy_1
    if itemsize == 2:
        return copy_2
    if itemsize == 4:
        return copy_4
    if itemsize == 8:
        return copy_8
    return copy_16 if itemsize == 16 else <Loop>NULL


cdef Loop _select(Py_ssize_t itemsize):
    if itemsize == 1:
        return select_1
    if itemsize == 4:
        return select_4
    if itemsize == 8:
        return select_8
    return NULL


cdef Loop _cast(int number, int to):
    cdef bint is_double = to == np.NPY_DOUBLE
    if to != np.NPY_FLOAT and not is_double:
        return NULL
    if number == np.NPY_BOOL or number == np.NPY_UBYTE:
        return <Loop>to_double[uint8_t] if is_double else <Loop>to_float[uint8_t]
    if number == np.NPY_BYTE:
        return <Loop>to_double[int8_t] if is_double else <Loop>to_float[int8_t]
    if number == np.NPY_SHORT:
        return <Loop>to_double[int16_t] if is_double else <Loop>to_float[int16_t]
    if number == np.NPY_USHORT:
        return <Loop>to_double[uint16_t] if is_double else <Loop>to_float[uint16_t]
    if number == np.NPY_INT32:
        return <Loop>to_double[int32_t] if is_double else <Loop>to_float[int32_t]
    if number == np.NPY_UINT32:
        return <Loop>to_double[uint32_t] if is_double else <Loop>to_float[uint32_t]
    if number == np.NPY_INT64:
        return <Loop>to_double[int64_t] if is_double else <Loop>to_float[int64_t]
    if number == np.NPY_UINT64:
        return <Loop>to_double[uint64_t] if is_double else <Loop>to_float[uint64_t]
    if number == np.NPY_FLOAT:
        return <Loop>to_double[float] if is_double else <Loop>to_float[float]
    if number == np.NPY_DOUBLE:
        return <Loop>to_double[double] if is_double else <Loop>to_float[double]
    return NULL


def can_cast(int number, int to):
    """Return True if there is a loop that converts between the dtypes with these numbers."""
    return _cast(number, to) is not NULL


# ---- the loops of ufuncs

cdef int _find(object ufunc, tuple numbers, Loop *loop, void **data) except -1:
    """Find the loop of a ufunc for the dtypes with these numbers; return 0 if there is none."""
    cdef PyUFuncObject *u = <PyUFuncObject *>ufunc
    cdef int i, j, n = len(numbers)
    if u.nargs != n:
        return 0
    for i in range(u.ntypes):
        for j in range(n):
            if u.types[i * n + j] != <char><int>numbers[j]:
                break
        else:
            loop[0] = u.functions[i]
            data[0] = u.data[i] if u.data is not NULL else NULL
            return loop[0] is not NULL
    return 0


def has_loop(ufunc, tuple numbers):
    """Return True if a ufunc has a loop for the dtypes with these numbers, without conversions."""
    cdef Loop loop
    cdef void *data
    return isinstance(ufunc, numpy.ufunc) and _find(ufunc, numbers, &loop, &data) != 0


# ---- views

#: Memory that the arrays of `view_of` stand in; nothing reads or writes it.
cdef Py_ssize_t GROUND = 1 << 22
cdef object _ground = numpy.empty(GROUND, dtype=numpy.uint8)


def view_of(tuple shape, tuple strides, dtype, function, tuple args, dict kwargs):
    """Where the elements of a view are.

    Parameters
    ----------
    shape, strides, dtype : tuple, tuple, dtype
        Of an array in C or Fortran order or with gaps, whose strides are not negative.
    function, args, kwargs : callable, tuple, dict
        A function that returns a view of its first argument, and the other arguments.

    Returns
    -------
    (int, tuple, tuple) or None
        The offset in bytes from the first element of the array, the shape and the strides. None if
        the function returns something else than a view.
    """
    cdef Py_ssize_t size = dtype.itemsize
    for n, s in zip(shape, strides):
        if s < 0:
            return None
        size += (n - 1) * s
    if size > GROUND:
        return None
    whole = numpy.ndarray(shape, dtype, _ground, 0, strides)
    found = function(whole, *args, **kwargs)
    if not isinstance(found, numpy.ndarray) or found.dtype != dtype:
        return None
    cdef Py_ssize_t offset = <char *>np.PyArray_DATA(found) - <char *>np.PyArray_DATA(whole)
    if not 0 <= offset < size:
        return None
    return offset, found.shape, found.strides


# ---- a program

cdef class Loops:
    """A program of loops.

    Parameters
    ----------
    inputs : list of (shape, strides, dtype)
        The arrays that it is called with. A call with others does nothing.
    outputs : list of (shape, strides, dtype)
        The arrays that it makes.
    constants : list of ndarray
        Other operands.
    size : int
        Bytes of the memory for intermediate results, with the first `HEAD` bytes.

    count : int, optional
        How often the steps are run, on one block of the arrays after the other.
    advance : list of int, optional
        For each input and output, how many bytes the next block is away.

    Attributes
    ----------
    tail : Loops or None
        The steps of the last block, if that is smaller.
    onto : list of int or None
        For each output the input whose memory it has; -1 for new memory.
    same : list of int or None
        Which outputs a call returns, if some are returned twice; -1 and less stand for inputs.
    fallback : callable
        Computes the results by NumPy's functions, where the arrays are not those that the program
        is for, and where there was a floating-point error.
    fallback_on_block : callable or None
        The same for one block: called with the inputs, the outputs and the number of the block.
    nan_error : type of exception
        What is raised for a NaN.

    Notes
    -----
    An operand of a step is ``(base, offset, strides)``. The base is the number of an array: first
    come the inputs, then the outputs, the constants, and at last the memory for intermediate
    results, whose first `HEAD` bytes are taken. The offset is in bytes.
    """

    cdef Step *_steps
    cdef np.npy_intp *_pool
    cdef Py_ssize_t _n_steps, _n_main, _max_steps, _n_pool, _max_pool, _work, _scratch_size
    cdef int _n_inputs, _n_outputs, _n_constants
    cdef list _inputs, _outputs, _constants, _kept
    cdef np.npy_intp *_forms  # of inputs: the number of axes, their lengths and strides
    cdef char *_kept_memory[MAX_KEPT]
    cdef int _n_kept

    cdef public object fallback, fallback_on_block, nan_error, tail, onto, same
    cdef object _state
    cdef int _mask
    cdef Py_ssize_t _count
    cdef Py_ssize_t *_advance

    def __cinit__(
        self, list inputs, list outputs, list constants, Py_ssize_t size, Py_ssize_t count=1,
        list advance=None,
    ):
        cdef Py_ssize_t n = 0
        self._scratch_size, self._count, self._n_main = size, count, -1
        self._state = self
        if advance is not None:
            self._advance = <Py_ssize_t *>PyMem_Malloc(max(1, len(advance)) * sizeof(Py_ssize_t))
            if self._advance is NULL:
                raise MemoryError
            for n in range(len(advance)):
                self._advance[n] = advance[n]
            n = 0
        self._inputs = [dtype for _, _, dtype in inputs]
        self._outputs = outputs
        self._constants = constants
        self._kept = []
        self._n_inputs, self._n_outputs = len(inputs), len(outputs)
        self._n_constants = len(constants)
        for shape, _, _ in inputs:
            n += 1 + 2 * len(shape)
        self._forms = <np.npy_intp *>PyMem_Malloc(max(1, n) * sizeof(np.npy_intp))
        if self._forms is NULL:
            raise MemoryError
        n = 0
        for shape, strides, _ in inputs:
            self._forms[n] = len(shape)
            n += 1
            for x in (*shape, *strides):
                self._forms[n] = x
                n += 1

    def __dealloc__(self):
        PyMem_Free(self._steps)
        PyMem_Free(self._pool)
        PyMem_Free(self._forms)
        PyMem_Free(self._advance)
        while self._n_kept:
            self._n_kept -= 1
            PyMem_Free(self._kept_memory[self._n_kept])

    # ---- steps

    cdef Step *_step(self, int n_operands) except NULL:
        cdef Step *steps
        cdef Py_ssize_t size
        if self._n_steps == self._max_steps:
            size = max(16, 2 * self._max_steps)
            steps = <Step *>PyMem_Realloc(self._steps, size * sizeof(Step))
            if steps is NULL:
                raise MemoryError
            self._steps, self._max_steps = steps, size
        steps = self._steps + self._n_steps
        steps.data = NULL
        steps.n_operands, steps.n_outer, steps.outer = n_operands, 0, self._n_pool
        self._n_steps += 1
        return steps

    cdef int _push(self, np.npy_intp x) except -1:
        cdef np.npy_intp *pool
        cdef Py_ssize_t size
        if self._n_pool == self._max_pool:
            size = max(64, 2 * self._max_pool)
            pool = <np.npy_intp *>PyMem_Realloc(self._pool, size * sizeof(np.npy_intp))
            if pool is NULL:
                raise MemoryError
            self._pool, self._max_pool = pool, size
        self._pool[self._n_pool] = x
        self._n_pool += 1
        return 0

    cdef int _iterate(self, Step *step, tuple shape, tuple operands) except -1:
        """Set the operands, and which axes the loop is along and which are around it."""
        cdef np.npy_intp length[MAX_AXES]
        cdef np.npy_intp stride[MAX_AXES][MAX_OPERANDS]
        cdef np.npy_intp n, s
        cdef int k, i, j, last, axes = 0, n_operands = step.n_operands
        cdef tuple operand, strides
        if len(shape) > MAX_AXES:
            raise ValueError("too many axes")
        self._operands(step, operands)
        for i in range(len(shape)):
            n = shape[i]
            if n == 1:
                continue
            length[axes] = n
            for k in range(n_operands):
                operand = <tuple>operands[k]
                strides = <tuple>operand[2]
                stride[axes][k] = strides[i]
            axes += 1
        # The axis of the smallest strides last, as in NumPy's iterator; the last operand decides.
        for i in range(1, axes):
            j = i
            while j > 0 and _is_before(stride[j], stride[j - 1], n_operands):
                length[j], length[j - 1] = length[j - 1], length[j]
                for k in range(n_operands):
                    s = stride[j][k]
                    stride[j][k] = stride[j - 1][k]
                    stride[j - 1][k] = s
                j -= 1
        # Axes that are one axis of all operands.
        last = 0
        for i in range(1, axes):
            for k in range(n_operands):
                if stride[last][k] != stride[i][k] * length[i]:
                    last += 1
                    length[last] = length[i]
                    for j in range(n_operands):
                        stride[last][j] = stride[i][j]
                    break
            else:
                length[last] *= length[i]
                for j in range(n_operands):
                    stride[last][j] = stride[i][j]
        n = 1
        if axes:
            for i in range(last + 1):
                n *= length[i]
            step.dims[0] = length[last]
            for k in range(n_operands):
                step.strides[k] = stride[last][k]
            step.n_outer = last
            for i in range(last):
                self._push(length[i])
                for k in range(n_operands):
                    self._push(stride[i][k])
        else:  # (Of one element, NumPy hands on the strides; those of arrays without axes are 0.)
            step.dims[0] = 1
            for k in range(n_operands):
                operand = <tuple>operands[k]
                strides = <tuple>operand[2]
                step.strides[k] = max(strides) if strides else 0
        self._work += n
        return 0

    cdef int _operands(self, Step *step, tuple operands) except -1:
        cdef int k
        cdef tuple operand
        for k in range(step.n_operands):
            operand = <tuple>operands[k]
            step.base[k], step.offset[k] = operand[0], operand[1]
        return 0

    def call(self, ufunc, tuple numbers, tuple shape, tuple operands):
        """Add a call of a ufunc: the numbers of the dtypes, the shape of the result, the operands.

        The result is the last operand.
        """
        cdef Step *step = self._step(len(operands))
        if not _find(ufunc, numbers, &step.loop, &step.data):
            raise TypeError(f"{ufunc} has no loop for the dtypes {numbers}")
        self._kept.append(ufunc)
        self._iterate(step, shape, operands)
        if not shape:
            step.strides[len(operands) - 1] = np.PyArray_DescrFromType(<int>numbers[-1]).itemsize

    def reduce(self, ufunc, int number, tuple shape, tuple x, tuple out):
        """Add ``out = ufunc(out, x)`` over all elements of `x`; some strides of `out` are 0."""
        cdef Step *step = self._step(3)
        if not _find(ufunc, (number, number, number), &step.loop, &step.data):
            raise TypeError(f"{ufunc} has no loop for the dtype {number}")
        self._kept.append(ufunc)
        self._iterate(step, shape, (out, x, out))

    def core(self, ufunc, tuple numbers, tuple lengths, tuple strides, tuple operands, Py_ssize_t work):
        """Add a call of a generalised ufunc, such as `numpy.matmul`, on matrices and vectors.

        Parameters
        ----------
        numbers : tuple of int
            Those of the dtypes.
        lengths : tuple of int
            Of the axes in its signature, each once.
        strides : tuple of int
            Of these axes of all operands, in order.
        work : int
            How many operations it takes, roughly.
        """
        cdef Step *step = self._step(len(operands))
        cdef int i
        if not _find(ufunc, numbers, &step.loop, &step.data):
            raise TypeError(f"{ufunc} has no loop for the dtypes {numbers}")
        self._kept.append(ufunc)
        self._operands(step, operands)
        step.dims[0] = 1
        for i in range(len(lengths)):
            step.dims[1 + i] = lengths[i]
        for i in range(step.n_operands):
            step.strides[i] = 0
        for i in range(len(strides)):
            step.strides[step.n_operands + i] = strides[i]
        self._work += work

    def copy(self, Py_ssize_t itemsize, tuple shape, tuple x, tuple out):
        """Add a copy of elements, which may be broadcast."""
        cdef Step *step = self._step(2)
        step.loop = _copy(itemsize)
        if step.loop is NULL:
            raise TypeError(f"elements of {itemsize} bytes")
        self._iterate(step, shape, (x, out))
        if not step.n_outer and step.strides[0] == step.strides[1] == itemsize:
            step.loop, step.dims[0] = copy_all, step.dims[0] * itemsize

    def cast(self, int number, int to, tuple shape, tuple x, tuple out):
        """Add a conversion of elements, given the numbers of both dtypes."""
        cdef Step *step = self._step(2)
        step.loop = _cast(number, to)
        if step.loop is NULL:
            raise TypeError(f"no conversion from {number} to {to}")
        self._iterate(step, shape, (x, out))

    def select(self, Py_ssize_t itemsize, tuple shape, tuple operands):
        """Add `numpy.where`: the mask, two choices and the result."""
        cdef Step *step = self._step(4)
        step.loop = _select(itemsize)
        if step.loop is NULL:
            raise TypeError(f"elements of {itemsize} bytes")
        self._iterate(step, shape, operands)

    def count(self, tuple shape, tuple x, tuple out):
        """Add ``out += x`` over all elements of a mask; some strides of `out` are 0."""
        cdef Step *step = self._step(2)
        step.loop = count
        self._iterate(step, shape, (x, out))

    def check_nan(self, Py_ssize_t itemsize, tuple shape, tuple x):
        """Add a check: a NaN among these elements is an error."""
        self._check(itemsize, shape, x, 1)

    def check_mask(self, Py_ssize_t itemsize, tuple shape, tuple x):
        """Add a check: because of a NaN among these elements, the fallback computes the results."""
        self._check(itemsize, shape, x, 0)

    cdef int _check(self, Py_ssize_t itemsize, tuple shape, tuple x, int flag) except -1:
        cdef Step *step = self._step(2)
        cdef int base = self._n_inputs + self._n_outputs + self._n_constants
        step.loop = has_nan_4 if itemsize == 4 else has_nan_8
        self._iterate(step, shape, (x, (base, flag, (0,) * len(shape))))
        return 0

    def clear_errors(self):
        """Forget the floating-point errors until now."""
        cdef Step *step = self._step(0)
        step.loop = clear_errors
        step.dims[0] = 0

    def check_errors(self, kinds):
        """Add a check: a floating-point error of these kinds is one.

        None for those that NumPy's error state does not ignore when the program is called.
        """
        cdef Step *step = self._step(2)
        cdef int k
        step.loop = test_errors if kinds is not None else test_ambient_errors
        step.dims[0] = 0 if kinds is None else _mask_of(kinds)
        for k in range(2):
            step.base[k] = self._n_inputs + self._n_outputs + self._n_constants
        step.offset[0], step.offset[1] = 0, 8

    def begin_results(self):
        """Note that the steps from here on write results over inputs, if there was no error."""
        self._n_main = self._n_steps

    @property
    def size(self):
        """The number of steps."""
        return self._n_steps

    # ---- calls

    def __call__(self, *arrays):
        """Run the steps.

        Returns
        -------
        list of ndarray
            The outputs.
        """
        cdef int status, i, mask
        cdef list found
        if len(arrays) != self._n_inputs:
            raise TypeError(f"expected {self._n_inputs} arrays, got {len(arrays)}")
        if not self._fits(arrays):
            return self.fallback(*arrays)
        state = None if _get_state is None else _get_state(None)
        if state is not self._state or _get_state is None:
            kinds = numpy.geterr()
            self._mask = _mask_of([k for k, x in kinds.items() if x != "ignore"])
            self._state = state
        mask = self._mask  # (that of this call: another thread may be in another state)
        found = [None] * self._n_outputs
        for i in range(self._n_outputs):
            if self.onto is None or self.onto[i] < 0:
                found[i] = _new(<tuple>self._outputs[i])
            else:
                found[i] = arrays[self.onto[i]]
        if self._advance is NULL:
            status = self.run(arrays, found, 0, 1, mask, NULL)
        else:
            status = self._in_blocks(arrays, found, mask)
        if status & 2:
            raise self.nan_error
        if status:
            return self.fallback(*arrays)
        if self.same is not None:
            return [found[k] if k >= 0 else arrays[-1 - k] for k in self.same]
        return found

    cdef int _in_blocks(self, tuple arrays, list found, int mask) except -1:
        """Run the steps on all blocks, by several threads if that takes long."""
        cdef Py_ssize_t parts = 1, i
        cdef _Job job = _Job(self, arrays, found, mask)
        if self._work * self._count >= MIN_SIZE_TO_SPLIT:
            # (More parts than threads: a core that is busy with something else gets fewer.)
            parts = min(self._count, 4 * get_num_threads())
        slices = [slice(self._count * i // parts, self._count * (i + 1) // parts) for i in range(parts)]
        if parts < 2 or not run_on_pool(job, slices, helps=True):
            job(slice(0, self._count))
        if job.status == 1:
            for i in range(self._count + 1):
                if job._errors[i]:
                    self.fallback_on_block(arrays, found, i)
            return 0
        return job.status

    cdef int run(
        self, tuple arrays, list found, Py_ssize_t start, Py_ssize_t stop, int mask, char *errors
    ) except -1:
        """Run the steps on some blocks; return 0, 1 for a floating-point error, 2 for a NaN.

        `errors` tells of each block whether there was one.
        """
        cdef char *few[FEW]
        cdef char **bases = few
        cdef char *scratch
        cdef char *head
        cdef Py_ssize_t i, n = self._n_inputs + self._n_outputs + self._n_constants + 1
        cdef Py_ssize_t moved = self._n_inputs + self._n_outputs
        cdef int status
        if n > FEW:
            bases = <char **>PyMem_Malloc(n * sizeof(char *))
            if bases is NULL:
                raise MemoryError
        for i in range(self._n_inputs):
            bases[i] = <char *>np.PyArray_DATA(<np.ndarray>arrays[i])
        for i in range(self._n_outputs):
            bases[self._n_inputs + i] = <char *>np.PyArray_DATA(<np.ndarray>found[i])
        for i in range(self._n_constants):
            bases[moved + i] = <char *>np.PyArray_DATA(<np.ndarray>self._constants[i])
        if start:
            for i in range(moved):
                bases[i] += start * self._advance[i]
        # (Another thread, or a signal handler, may be in the middle of the same call.)
        if self._n_kept:
            self._n_kept -= 1
            scratch = self._kept_memory[self._n_kept]
        else:
            scratch = <char *>PyMem_Malloc(self._scratch_size + ALIGNMENT)
            if scratch is NULL:
                if bases is not few:
                    PyMem_Free(bases)
                raise MemoryError
        head = bases[n - 1] = scratch + (ALIGNMENT - <uintptr_t>scratch % ALIGNMENT) % ALIGNMENT
        head[0] = head[1] = 0
        (<int *>(head + 8))[0] = mask
        if self._work * (stop - start) >= MIN_SIZE_TO_RELEASE:
            with nogil:
                self._run_blocks(bases, moved, stop - start, errors)
        else:
            self._run_blocks(bases, moved, stop - start, errors)
        status = (head[0] != 0) | (2 if head[1] else 0)
        if self._n_kept < MAX_KEPT and self._scratch_size <= MAX_SIZE_TO_KEEP:
            self._kept_memory[self._n_kept] = scratch
            self._n_kept += 1
        else:
            PyMem_Free(scratch)
        if bases is not few:
            PyMem_Free(bases)
        return status

    cdef void _run_blocks(
        self, char **bases, Py_ssize_t moved, Py_ssize_t count, char *errors
    ) noexcept nogil:
        cdef Py_ssize_t i, block
        cdef Py_ssize_t main = self._n_steps if self._n_main < 0 else self._n_main
        cdef char *head = bases[moved + self._n_constants]
        cdef char any_error = 0
        for block in range(count):
            if block:
                for i in range(moved):
                    bases[i] += self._advance[i]
            head[0] = 0
            self._run(bases, 0, main)
            if head[0]:
                any_error = 1
                if errors is not NULL:
                    errors[block] = 1
            elif main < self._n_steps:
                self._run(bases, main, self._n_steps)
        head[0] = any_error

    cdef bint _fits(self, tuple arrays) noexcept:
        """Return True if the arrays are of the dtypes, shapes and strides of the inputs."""
        cdef np.npy_intp *form = self._forms
        cdef np.ndarray x
        cdef Py_ssize_t i
        cdef int j, n
        for i in range(self._n_inputs):
            if type(arrays[i]) is not np.ndarray:
                return False
            x = <np.ndarray>arrays[i]
            n = <int>form[0]
            if np.PyArray_NDIM(x) != n or not np.PyArray_ISALIGNED(x):
                return False
            if <object>np.PyArray_DESCR(x) is not self._inputs[i]:
                return False
            for j in range(n):
                if np.PyArray_DIMS(x)[j] != form[1 + j]:
                    return False
                if np.PyArray_STRIDES(x)[j] != form[1 + n + j] and form[1 + j] != 1:
                    return False
            form += 1 + 2 * n
        return True

    cdef void _run(self, char **bases, Py_ssize_t first, Py_ssize_t last) noexcept nogil:
        cdef char *args[MAX_OPERANDS]
        cdef np.npy_intp index[MAX_AXES]
        cdef np.npy_intp *axis
        cdef Py_ssize_t i
        cdef int k, j, n
        cdef Step *step = self._steps + first
        for i in range(first, last):
            n = step.n_operands
            for k in range(n):
                args[k] = bases[step.base[k]] + step.offset[k]
            if not step.n_outer:
                step.loop(args, step.dims, step.strides, step.data)
                step += 1
                continue
            for j in range(step.n_outer):
                index[j] = 0
            while True:
                step.loop(args, step.dims, step.strides, step.data)
                # (A loop may move the addresses that it is given.)
                j = step.n_outer - 1
                while j >= 0:
                    axis = self._pool + step.outer + j * (1 + n)
                    index[j] += 1
                    if index[j] < axis[0]:
                        break
                    index[j] = 0
                    j -= 1
                if j < 0:
                    break
                for k in range(n):
                    args[k] = bases[step.base[k]] + step.offset[k]
                for j in range(step.n_outer):
                    axis = self._pool + step.outer + j * (1 + n)
                    for k in range(n):
                        args[k] += index[j] * axis[1 + k]
            step += 1


cdef class _Job:
    """A call on blocks: `run_on_pool` calls it for some of them at a time, in several threads."""

    cdef Loops _loops
    cdef tuple _arrays
    cdef list _found
    cdef char *_errors
    cdef int _mask
    cdef readonly int status

    def __cinit__(self, Loops loops, tuple arrays, list found, int mask):
        self._loops, self._arrays, self._found, self._mask = loops, arrays, found, mask
        self._errors = <char *>PyMem_Calloc(loops._count + 1, 1)
        if self._errors is NULL:
            raise MemoryError

    def __dealloc__(self):
        PyMem_Free(self._errors)

    def __call__(self, blocks):
        cdef Loops loops = self._loops, tail
        cdef Py_ssize_t start = blocks.start, stop = blocks.stop, n = loops._count
        cdef list found = self._found
        cdef int status = loops.run(
            self._arrays, found, start, stop, self._mask, self._errors + start
        )
        if stop == n and loops.tail is not None:
            tail = <Loops>loops.tail
            status |= tail.run(self._arrays, found, n, n + 1, self._mask, self._errors + n)
        self.status |= status  # (only now: other threads run meanwhile)


cdef bint _is_before(np.npy_intp *stride, np.npy_intp *previous, int n) noexcept:
    """Return True if an axis belongs before the one before it: its strides are larger."""
    cdef int k
    cdef np.npy_intp a, b
    for k in range(n - 1, -1, -1):
        a, b = abs(stride[k]), abs(previous[k])
        if a and b:
            return a > b
    return False


cdef object _new(tuple form):
    """A new array of a shape, strides (None in C order) and dtype."""
    cdef np.npy_intp dims[MAX_AXES]
    cdef np.npy_intp strides[MAX_AXES]
    cdef tuple shape = <tuple>form[0]
    cdef int i, n = len(shape)
    cdef np.dtype dtype = <np.dtype>form[2]
    for i in range(n):
        dims[i] = shape[i]
    if form[1] is None:
        return np.PyArray_EMPTY(n, dims, dtype.num, 0)
    for i in range(n):
        strides[i] = form[1][i]
    return np.PyArray_New(np.ndarray, n, dims, dtype.num, strides, NULL, 0, 0, None)
