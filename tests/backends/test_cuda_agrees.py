"""CUDA beside the CPU at every dtype and at the edges: the same results, or the same errors."""

import inspect
import math
from functools import partial

import numpy as np
import pytest
from backends.agreement import DTYPES, Differences, values

import arraygrad as xp
from arraygrad import autodiff, fft, linalg
from arraygrad._backends import numpy as host

pytestmark = pytest.mark.cuda

UNARY = (
    "abs acos acosh asin asinh atan atanh bitwise_invert ceil conj cos cosh exp expm1 floor imag "
    "isfinite isinf isnan log log10 log1p log2 logical_not negative positive real reciprocal round "
    "sign signbit sin sinh sqrt square tan tanh trunc"
).split()
BINARY = (
    "add atan2 bitwise_and bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor copysign "
    "divide equal floor_divide greater greater_equal hypot less less_equal logaddexp logical_and "
    "logical_or logical_xor maximum minimum multiply nextafter not_equal pow remainder subtract"
).split()
OPERATORS = "iadd isub imul itruediv ifloordiv imod ipow iand ior ixor ilshift irshift".split()
REDUCTIONS = "all any argmax argmin count_nonzero max mean min prod std sum var".split()
CUMULATIVE = "cumulative_prod cumulative_sum".split()

#: Functions of tensors that are all of one dtype, by name: of some matrices of shape (3, 4).
OTHERS = {
    "argsort": lambda x: (xp.argsort(x), xp.argsort(x, axis=0, descending=True)),
    "astype": lambda x: tuple(xp.astype(xp.abs(x), d) for d in (xp.int16, xp.float32)),
    "broadcast_arrays": lambda x: tuple(xp.broadcast_arrays(x, x[0, :])),
    "broadcast_to": lambda x: xp.broadcast_to(x, (2, 3, 4)),
    "clip": lambda x: (xp.clip(x, 0, 1), xp.clip(x, x, None), xp.clip(x, None, 0.5)),
    "concat": lambda x: (xp.concat([x, x]), xp.concat([x, x], axis=None)),
    "diag": lambda x: (xp.diag(x, k=1), xp.diag(x[0, :])),
    "diff": lambda x: (xp.diff(x), xp.diff(x, axis=0, n=2)),
    "einsum": lambda x: (xp.einsum("ij,kj->ik", x, x), xp.einsum("ij->", x)),
    "expand_dims": lambda x: xp.expand_dims(x, axis=1),
    "flip": lambda x: (xp.flip(x), xp.flip(x, axis=0)),
    "full_like": lambda x: (xp.full_like(x, 1), xp.full_like(x, True), xp.full_like(x, 2.5)),
    "isin": lambda x: (xp.isin(x, x[0, :]), xp.isin(x, 1)),
    "linalg.cross": lambda x: (linalg.cross(x.mT, x.mT), linalg.cross(x[:, 0], x)),
    "linalg.diagonal": lambda x: linalg.diagonal(x, offset=1),
    "linalg.outer": lambda x: linalg.outer(x[0, :], x[:, 1]),
    "linalg.trace": lambda x: linalg.trace(x, offset=1),
    "linalg.vector_norm": linalg.vector_norm,
    "logspace": lambda x: xp.logspace(0, 2, 5, dtype=x.dtype, device=x.device),
    "matmul": lambda x: (x @ x.mT, x[0, :] @ x.mT, x @ x[0, :]),
    "matrix_transpose": xp.matrix_transpose,
    "median": lambda x: (xp.median(x), xp.median(x, axis=0)),
    "meshgrid": lambda x: tuple(xp.meshgrid(x[0, :], x[:, 0])),
    "moveaxis": lambda x: xp.moveaxis(x, 0, 1),
    "nonzero": xp.nonzero,
    "ones_like": xp.ones_like,
    "permute_dims": lambda x: xp.permute_dims(x, (1, 0)),
    "repeat": lambda x: (xp.repeat(x, 2), xp.repeat(x, xp.count_nonzero(x, axis=0), axis=1)),
    "reshape": lambda x: xp.reshape(x, (-1, 2)),
    "roll": lambda x: (xp.roll(x, 1), xp.roll(x, (1, -1), axis=(0, 1))),
    "searchsorted": lambda x: xp.searchsorted(xp.sort(x[0, :]), x),
    "sort": lambda x: (xp.sort(x), xp.sort(x, axis=0, descending=True)),
    "squeeze": lambda x: xp.squeeze(x[:, :1], axis=1),
    "stack": lambda x: xp.stack([x, x], axis=1),
    "take": lambda x: xp.take(x, xp.asarray([2, 0], device=x.device), axis=1),
    "take_along_axis": lambda x: xp.take_along_axis(x, xp.zeros_like(x, dtype=xp.int64)),
    "tensordot": lambda x: (xp.tensordot(x, x), xp.tensordot(x, x, axes=((1,), (1,)))),
    "tile": lambda x: xp.tile(x, (2, 1)),
    "tril": lambda x: xp.tril(x, k=1),
    "transpose": xp.transpose,
    "triu": xp.triu,
    "unique_all": lambda x: tuple(xp.unique_all(x)),
    "unique_counts": lambda x: tuple(xp.unique_counts(x)),
    "unique_inverse": lambda x: tuple(xp.unique_inverse(x)),
    "unique_values": xp.unique_values,
    "unstack": lambda x: tuple(xp.unstack(x)),
    "vecdot": lambda x: (xp.vecdot(x, x), xp.vecdot(x, x[0, :]), xp.vecdot(x, x, axis=0)),
    "where": lambda x: (xp.where(x != 0, x, x[0, :]), xp.where(x != 0, x, 1)),
    "zeros_like": xp.zeros_like,
}


def _whole_and_along_an_axis(reduce):
    # (Where there are no axes, NumPy alone reads 0 as none.)
    return lambda x: (reduce(x), reduce(x, axis=0 if x.ndim else None))


for _name in "argmax argmin max mean median min prod std sum var".split():
    OTHERS[f"nan{_name}"] = _whole_and_along_an_axis(getattr(xp, f"nan{_name}"))
for _name in "nancumprod nancumsum".split():
    OTHERS[_name] = partial(getattr(xp, _name), axis=0)

#: Functions of square matrices.
OF_MATRICES = {
    "linalg.cholesky": linalg.cholesky,
    "linalg.det": linalg.det,
    "linalg.eig": lambda x: linalg.eig(x).eigenvalues,
    "linalg.eigh": lambda x: linalg.eigh(x).eigenvalues,
    "linalg.eigvals": linalg.eigvals,
    "linalg.eigvalsh": linalg.eigvalsh,
    "linalg.inv": linalg.inv,
    "linalg.matrix_norm": linalg.matrix_norm,
    "linalg.matrix_power": lambda x: tuple(linalg.matrix_power(x, n) for n in (-1, 0, 1, 2)),
    "linalg.matrix_rank": linalg.matrix_rank,
    "linalg.pinv": linalg.pinv,
    "linalg.qr": lambda x: tuple(map(xp.abs, linalg.qr(x))),
    "linalg.slogdet": lambda x: tuple(linalg.slogdet(x)),
    "linalg.solve": lambda x: (linalg.solve(x, x), linalg.solve(x, x[..., 0])),
    "linalg.svd": lambda x: linalg.svd(x).S,
    "linalg.svdvals": linalg.svdvals,
}

OF_ONE_AXIS = "fft hfft ifft ihfft irfft rfft".split()
OF_SOME_AXES = "fftn ifftn irfftn rfftn".split()
OF_REAL = ("ihfft", "rfft", "rfftn")  # of complex numbers a TypeError

#: Functions that only make tensors, and where else they are compared.
ELSEWHERE = (
    "arange asarray empty empty_like eye fft.fftfreq fft.rfftfreq fft.fftshift fft.ifftshift "
    "from_dlpack full linspace ones zeros "
    "allclose interp kron outer pad quantile split trapezoid"  # compositions, in test_extras
).split()


def _operation(name):
    module, _, function = name.rpartition(".")
    return getattr({"": xp, "linalg": linalg, "fft": fft}[module], function)


def _in_place(name):
    operator = f"__{name}__"

    def run(x, y):
        out = getattr(x, operator)(y)
        assert out is NotImplemented or out is x
        return TypeError() if out is NotImplemented else x

    return run


def test_every_function_of_the_standard_is_compared():
    tables = {*UNARY, *BINARY, *REDUCTIONS, *CUMULATIVE, *OTHERS, *OF_MATRICES, *ELSEWHERE}
    tables |= {f"fft.{name}" for name in (*OF_ONE_AXIS, *OF_SOME_AXES)}
    tables |= {"linalg.matmul", "linalg.matrix_transpose", "linalg.tensordot", "linalg.vecdot"}
    no_arrays = {"can_cast", "finfo", "iinfo", "isdtype", "result_type", "broadcast_shapes"}
    no_arrays.add("show_config")
    public = {
        prefix + name
        for prefix, module in {"": xp, "linalg.": linalg, "fft.": fft}.items()
        for name in module.__all__
        if inspect.isfunction(getattr(module, name)) and prefix + name in host.operations(0)
    }
    assert sorted(public - no_arrays - tables) == []


# ---- every dtype


@pytest.mark.parametrize("name", UNARY)
def test_one_operand(name):
    differences = Differences()
    for dtype in DTYPES:
        differences.add(dtype, _operation(name), values(dtype))
    differences.check()


@pytest.mark.parametrize("name", BINARY)
def test_two_operands(name):
    """Numbers for one dtype; for two, dtypes and errors, which need no kernel for no elements."""
    differences = Differences()
    for dtype in DTYPES:
        differences.add(dtype, _operation(name), values(dtype), np.abs(values(dtype)) + 1)
        for other in DTYPES:
            none = np.zeros(0, dtype), np.zeros(0, other)
            differences.add(f"{dtype}, {other}", _operation(name), *none)
    differences.check()


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_in_place(name):
    differences = Differences()
    for dtype in DTYPES:
        differences.add(dtype, _in_place(name), values(dtype), np.abs(values(dtype)) + 1)
        for other in DTYPES:
            none = np.zeros(0, dtype), np.zeros(0, other)
            differences.add(f"{dtype}, {other}", _in_place(name), *none)
    differences.check()


#: Also such as are in no integer dtype, and such as are in none.
SCALARS = (True, 0, 2, -1, 127, 128, 300, -200, 2**31, 2**40, 2**63, 2**70, -(2**70))
SCALARS += (2.5, -0.0, 1e300, math.inf, math.nan, 1j)


@pytest.mark.parametrize("name", [*BINARY, *OPERATORS])
def test_python_scalars(name):
    differences = Differences()
    operation = _in_place(name) if name in OPERATORS else _operation(name)
    for dtype in DTYPES:
        for scalar in SCALARS:
            x = np.zeros(0, dtype)
            differences.add(f"{dtype}, {scalar}", lambda x, s=scalar: operation(x, s), x)
            if name in BINARY:
                differences.add(f"{scalar}, {dtype}", lambda x, s=scalar: operation(s, x), x)
    differences.check()


def test_negative_powers_of_integers():
    differences = Differences()
    for dtype in DTYPES:
        for n in (-1, -2, -(2**40)):
            differences.add(f"{dtype}**{n}", lambda x, n=n: x**n, values(dtype) + values(dtype))
            differences.add(f"{dtype}**={n}", lambda x, n=n: _in_place("ipow")(x, n), values(dtype))
            differences.add(f"pow({n}, {dtype})", lambda x, n=n: xp.pow(n, x), np.zeros(0, dtype))
    differences.check()


def test_quotients_of_the_lowest_integer():
    differences = Differences()
    for dtype in ("int8", "int16", "int32", "int64"):
        lowest = np.array([np.iinfo(dtype).min, 5], dtype=dtype)
        for name in ("floor_divide", "remainder"):
            differences.add(f"{name} {dtype}", _operation(name), lowest, -np.ones(2, dtype))
    differences.check()


@pytest.mark.parametrize("name", "equal not_equal less less_equal greater greater_equal".split())
def test_comparisons_with_integers_that_the_dtype_lacks(name):
    differences = Differences()
    compare = getattr(xp, name)
    for dtype in ("int8", "uint8", "int64", "uint64", "float32"):
        for scalar in (-1, 300, -300, 2**63, 2**64, -(2**63) - 1, 2**70):
            x = np.array([0, 44, 100, 127], dtype=dtype)
            differences.add(f"{dtype}, {scalar}", lambda x, s=scalar: compare(x, s), x)
            differences.add(f"{scalar}, {dtype}", lambda x, s=scalar: compare(s, x), x)
    differences.check()


def test_integers_that_the_dtype_lacks_are_not_written():
    def write(key, value):
        def run(x):
            x[key] = value
            return x

        return run

    differences = Differences()
    for dtype in ("bool", "int8", "uint8", "uint64", "float32", "complex64"):
        x = np.zeros(3, dtype)
        for scalar in (300, -1, 2**40, 2**64, -(2**70), 2.5, True):
            for key in (0, slice(1), ..., slice(3, None)):
                differences.add(f"{dtype}[{key}] = {scalar}", write(key, scalar), x)
            differences.add(
                f"{dtype}[mask] = {scalar}",
                lambda x, s=scalar: write(xp.zeros(3, dtype=xp.bool, device=x.device), s)(x),
                x,
            )
            differences.add(
                f"where({dtype}, {scalar})", lambda x, s=scalar: xp.where(x == 0, x, s), x
            )
            differences.add(
                f"full_like({dtype}, {scalar})", lambda x, s=scalar: xp.full_like(x, s), x
            )
            differences.add(
                f"full({scalar}, {dtype})",
                lambda x, s=scalar: xp.full((2,), s, dtype=x.dtype, device=x.device),
                x,
            )
    differences.check()


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name):
    differences = Differences()
    reduce = _operation(name)
    for dtype in DTYPES:
        differences.add(
            dtype, lambda x: (reduce(x), reduce(x, axis=0, keepdims=True)), values(dtype)
        )
        differences.add(f"{dtype} axis=()", lambda x: reduce(x, axis=()), values(dtype))
        if name in ("prod", "sum"):
            for to in ("int8", "uint64", "float32", "complex128"):
                kind = getattr(xp, to)
                differences.add(
                    f"{dtype} as {to}", lambda x, d=kind: reduce(x, dtype=d), values(dtype)
                )
    differences.check()


@pytest.mark.parametrize("name", CUMULATIVE)
def test_cumulative_functions(name):
    differences = Differences()
    function = _operation(name)
    for dtype in DTYPES:
        x = values(dtype)
        differences.add(dtype, lambda x: function(x, axis=0), x)
        differences.add(f"{dtype}[0, 0]", lambda x: function(x[0, 0]), x)
        differences.add(f"{dtype} initial", lambda x: function(x, axis=-1, include_initial=True), x)
        differences.add(f"{dtype} as float32", lambda x: function(x, axis=1, dtype=xp.float32), x)
    differences.check()


@pytest.mark.parametrize("name", OTHERS)
def test_other_functions(name):
    differences = Differences()
    for dtype in DTYPES:
        differences.add(dtype, OTHERS[name], values(dtype))
    differences.check()


#: Functions of two operands that are not elementwise, and a shape of no elements that they take.
PRODUCTS = {
    "linalg.cross": (0, 3),
    "linalg.outer": (0,),
    "linalg.solve": (0, 0),
    "matmul": (0, 0),
    "tensordot": (0, 0),
    "vecdot": (0, 0),
}
SOME_PAIRS = (
    ("int8", "float32"),
    ("bool", "int64"),
    ("float32", "complex128"),
    ("uint64", "int16"),
)


@pytest.mark.parametrize("name", PRODUCTS)
def test_products_of_two_dtypes(name):
    differences = Differences()
    function = _operation(name)
    for dtype in DTYPES:
        for other in DTYPES:
            none = (np.zeros(PRODUCTS[name], d) for d in (dtype, other))
            differences.add(f"{dtype}, {other}", function, *none)
    shape = (3,) if name == "linalg.outer" else (3, 3)
    for pair in SOME_PAIRS:
        x, y = (values(d, shape) for d in pair)
        if name == "linalg.solve":
            x, y = ((2 * np.eye(3) + a).astype(a.dtype) for a in (x, y))
        differences.add(f"{pair}, numbers", function, x, y, rtol=1e-10)
        differences.add(f"{pair[::-1]}, numbers", function, y, x, rtol=1e-10)
    differences.check()


@pytest.mark.parametrize("name", OF_MATRICES)
def test_functions_of_matrices(name):
    differences = Differences()
    for dtype in DTYPES:
        off = 0 if dtype == "bool" else 1
        x = np.array([[4, off, 0], [off, 3, off], [0, off, 2]]).astype(dtype)
        differences.add(dtype, OF_MATRICES[name], x, rtol=1e-11)
        differences.add(f"{dtype}, stack", OF_MATRICES[name], np.stack([x, x]), rtol=1e-11)
    differences.check()


def test_creation():
    differences = Differences()
    for dtype in DTYPES:
        kind = getattr(xp, dtype)
        for make in (
            lambda d, k=kind: xp.arange(0, 2, dtype=k, device=d),
            lambda d, k=kind: xp.arange(0, 10, 3, dtype=k, device=d),
            lambda d, k=kind: xp.arange(3, 0, dtype=k, device=d),
            lambda d, k=kind: xp.arange(2.5, dtype=k, device=d),
            lambda d, k=kind: xp.linspace(0, 10, 5, dtype=k, device=d),
            lambda d, k=kind: xp.eye(2, 3, dtype=k, device=d),
            lambda d, k=kind: xp.zeros((2, 0), dtype=k, device=d),
            lambda d, k=kind: xp.ones(2, dtype=k, device=d),
            lambda d, k=kind: fft.fftfreq(5, dtype=k, device=d),
            lambda d, k=kind: fft.rfftfreq(4, d=0.5, dtype=k, device=d),
        ):
            differences.add(dtype, lambda x, make=make: make(x.device), np.zeros(0))
    differences.check()


# ---- nothing, and no axes

EMPTY = [(0,), (0, 3), (3, 0), (2, 0, 3), (0, 0), (0, 0, 2)]


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("shape", [*EMPTY, ()], ids=str)
def test_reductions_of_nothing(name, shape):
    differences = Differences()
    reduce = _operation(name)
    axes = [None, (), *range(len(shape))] + ([(0, 1), (-1, 0)] if len(shape) > 1 else [])
    for dtype in ("float64", "int32", "bool"):
        for axis in axes:
            for keepdims in (False, True):
                differences.add(
                    f"{dtype} axis={axis} keepdims={keepdims}",
                    lambda x, a=axis, k=keepdims: reduce(x, axis=a, keepdims=k),
                    np.zeros(shape, dtype),
                )
    differences.add("no such axis", lambda x: reduce(x, axis=3), np.zeros(shape))
    differences.check()


@pytest.mark.parametrize("name", [*UNARY, *CUMULATIVE, *OTHERS])
@pytest.mark.parametrize("shape", [*EMPTY, ()], ids=str)
def test_functions_of_nothing(name, shape):
    differences = Differences()
    function = OTHERS.get(name) or _operation(name)
    differences.add(shape, function, np.zeros(shape))
    differences.check()


ORDERS = (0, 0.5, 1, 2, 3, -1, -2.5, math.inf, -math.inf)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int8"])
@pytest.mark.parametrize("shape", [*EMPTY, (), (3, 3)], ids=str)
def test_vector_norms(dtype, shape):
    differences = Differences()
    axes = [None, *range(len(shape))] + ([(0, 1), (-1, 0)] if len(shape) > 1 else [])
    for order in ORDERS:
        for axis in axes:
            for keepdims in (False, True):
                differences.add(
                    f"ord={order} axis={axis} keepdims={keepdims}",
                    lambda x, o=order, a=axis, k=keepdims: linalg.vector_norm(
                        x, ord=o, axis=a, keepdims=k
                    ),
                    values(dtype, shape),
                )
    differences.check()


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int8"])
@pytest.mark.parametrize("shape", [*EMPTY, (0, 2, 2), (2, 2, 0), (), (3, 3)], ids=str)
def test_matrix_norms(dtype, shape):
    differences = Differences()
    for order in (1, -1, 2, -2, math.inf, -math.inf, "fro", "nuc", None, 3, "sum"):
        for keepdims in (False, True):
            differences.add(
                f"ord={order} keepdims={keepdims}",
                lambda x, o=order, k=keepdims: linalg.matrix_norm(x, ord=o, keepdims=k),
                values(dtype, shape),
            )
    differences.check()


@pytest.mark.parametrize("name", OF_MATRICES)
@pytest.mark.parametrize(
    "shape", [*EMPTY, (0, 2, 2), (2, 0, 0), (2, 2, 0), (), (3,), (2, 3)], ids=str
)
def test_matrices_of_nothing(name, shape):
    differences = Differences()
    for dtype in ("float64", "complex64"):
        differences.add(dtype, OF_MATRICES[name], np.zeros(shape, dtype))
    differences.check()


# ---- Fourier transforms

SIGNALS = [(), (0,), (1,), (5,), (0, 4), (4, 0), (1, 3), (2, 0, 3), (0, 2, 3), (3, 4, 6)]


def _signal(shape, kind):
    rng = np.random.default_rng(3)
    x = rng.standard_normal(shape)
    return np.asarray(x + 1j * rng.standard_normal(shape) if kind == "c" else x)


@pytest.mark.parametrize("name", OF_ONE_AXIS)
@pytest.mark.parametrize("shape", SIGNALS, ids=str)
def test_transforms_of_one_axis(name, shape):
    differences = Differences()
    for kind in "f" if name in OF_REAL else "fc":
        for n in (None, -2, -1, 0, 1, 2, 7):
            for axis in (-1, 0, 1, 5):
                differences.add(
                    f"{kind} n={n} axis={axis}",
                    lambda x, n=n, a=axis: getattr(fft, name)(x, n=n, axis=a),
                    _signal(shape, kind),
                )
        for norm in ("ortho", "forward", "other"):
            differences.add(
                norm, lambda x, k=norm: getattr(fft, name)(x, norm=k), _signal(shape, kind)
            )
    differences.check()


@pytest.mark.parametrize("name", OF_SOME_AXES)
@pytest.mark.parametrize("shape", SIGNALS, ids=str)
def test_transforms_of_some_axes(name, shape):
    differences = Differences()
    for kind in "f" if name in OF_REAL else "fc":
        for axes in (None, (), (-1,), (0,), (0, 0), (1, 0), (-1, 1), (0, -1), (0, 1, 2), (5,)):
            sizes = [None, shape]
            for n in (-2, -1, 0, 1, 4):
                sizes += [(n,), (n, -1), (-1, n), (3, n), (2, 3, n)]
            for s in sizes:
                differences.add(
                    f"{kind} s={s} axes={axes}",
                    lambda x, s=s, a=axes: getattr(fft, name)(x, s=s, axes=a),
                    _signal(shape, kind),
                )
        for norm in ("ortho", "forward", "other"):
            differences.add(
                norm, lambda x, k=norm: getattr(fft, name)(x, norm=k), _signal(shape, kind)
            )
    differences.check()


@pytest.mark.parametrize("name", [*OF_ONE_AXIS, *OF_SOME_AXES, "fftshift", "ifftshift"])
def test_transforms_of_every_dtype(name):
    differences = Differences()
    for dtype in DTYPES:
        differences.add(dtype, getattr(fft, name), values(dtype, (3, 6)), atol=1e-11)
    differences.check()


# ---- gradients at the edges


GRADIENTS = {
    "irfftn -1": (lambda x: fft.irfftn(x, s=(5, -1), axes=(0, 2)), (3, 4, 6), "c"),
    "irfftn twice": (lambda x: fft.irfftn(x, s=(3, 4), axes=(1, 1)), (3, 4), "c"),
    "rfftn -1": (lambda x: fft.rfftn(x, s=(-1, 7), axes=(0, 1)), (3, 4), "f"),
    "fftn twice": (lambda x: fft.fftn(x, axes=(0, 0)), (3, 4), "c"),
    "fftn of no stack": (lambda x: fft.fftn(x, axes=(1, 2)), (0, 2, 3), "c"),
    "irfftn of no stack": (lambda x: fft.irfftn(x, axes=(1, 2)), (0, 2, 3), "c"),
    "rfftn padded from nothing": (lambda x: fft.rfftn(x, s=(3, 4)), (0, 2), "f"),
    "irfft of two points": (fft.irfft, (2,), "c"),
    "hfft of no stack": (fft.hfft, (0, 3), "c"),
    "vector_norm of nothing": (lambda x: linalg.vector_norm(x, ord=math.inf, axis=0), (0, 3), "f"),
    "vector_norm of none": (lambda x: linalg.vector_norm(x, ord=3, axis=1), (0, 3), "c"),
    "matrix_norm 2 of nothing": (lambda x: linalg.matrix_norm(x, ord=2), (2, 0, 3), "f"),
    "matrix_norm 1 of nothing": (lambda x: linalg.matrix_norm(x, ord=1), (3, 0), "c"),
    "matrix_norm nuc of none": (lambda x: linalg.matrix_norm(x, ord="nuc"), (0, 2, 2), "f"),
    "sum of nothing": (lambda x: xp.sum(x, axis=0), (0, 3), "f"),
    "max of none": (lambda x: xp.max(x, axis=1), (0, 3), "f"),
    "max of no axes": (xp.max, (), "f"),
    "pow": (lambda x: x**-1, (3,), "c"),
    "where": (lambda x: xp.where(x > 0, x, 2**70), (4,), "f"),
    "atan2": (lambda x: xp.atan2(x, 2**70) + xp.hypot(x, 300) + xp.copysign(x, -1), (4,), "f"),
}


@pytest.mark.parametrize("name", GRADIENTS)
def test_gradients_at_the_edges(name):
    function, shape, kind = GRADIENTS[name]
    differences = Differences()
    x = _signal(shape, kind)

    def reverse(x):
        out, pullback = autodiff.vjp(function, x)
        return out, pullback(xp.ones_like(out))[0]

    differences.add("reverse", reverse, x)
    differences.add("forward", lambda x, t: autodiff.jvp(function, (x,), (t,)), x, x)
    differences.check()
