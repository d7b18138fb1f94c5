"""Support for tensors in autoray, quimb and cotengra, enabled by importing this module.

autoray finds functions by NumPy's names and calls them with NumPy's signatures. This module
registers the functions that have another name or signature in the standard. As with autoray's other
libraries, ``linalg.svd`` is reduced by default, and `linalg.expm` and `scipy.linalg` work on
matrices and stacks of them.

autoray's ``random.normal`` and ``random.uniform`` share one generator, which is in this module.
``random.seed`` replaces it.

Examples
--------
>>> import arraygrad as xp
>>> import arraygrad.interop.autoray
>>> from autoray import do
>>> x = xp.asarray([[2.0, 0.0], [0.0, 1.0]])
>>> do("concatenate", [x, x], axis=1).shape
(2, 4)
>>> u, s, vh = do("linalg.svd", x[:1, :])
>>> vh.shape
(1, 2)
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

import autoray

import arraygrad as xp
from arraygrad import linalg

NAME = "arraygrad"

_rng: Any = None


def _keywords(f: Callable[..., Any], positional: int, *names: str) -> Callable[..., Any]:
    """Function with positional parameters, as in NumPy."""

    @functools.wraps(f)
    def call(*args: Any, **kwargs: Any) -> Any:
        named = dict(zip(names, args[positional:], strict=False))
        return f(*args[:positional], **named, **kwargs)

    return call


def _ravel(x: xp.Tensor) -> xp.Tensor:
    return xp.reshape(x, (-1,))


def _flat(f: Callable[..., Any]) -> Callable[..., Any]:
    """Cumulative function that flattens its argument if no axis is given."""
    return lambda x, axis=None: f(_ravel(x) if axis is None else x, axis=axis or 0)


def _spread(f: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, axis=None, *, ddof=0, **kwargs: f(x, axis=axis, correction=ddof, **kwargs)


def _array(x: Any, dtype: Any = None, device: Any = None) -> xp.Tensor:
    return xp.asarray(x, dtype=dtype, device=device, copy=True)


def _from_numpy(x: Any, dtype: Any = None, device: Any = None) -> xp.Tensor:
    return xp.asarray(x, dtype=dtype, device=_device(device))


def _device(device: Any) -> Any:
    """Device by name; autoray also calls a CUDA device "gpu"."""
    return device.replace("gpu", "cuda") if isinstance(device, str) else device


def _to_device(x: xp.Tensor, device: Any) -> xp.Tensor:
    """Move a tensor to a device; "gpu" without a number means any GPU."""
    device = _device(device)
    return x if device in (None, x.device.type) else x.to_device(device)


def _finfo(dtype: Any) -> Any:
    return xp.finfo(getattr(xp, dtype) if isinstance(dtype, str) else dtype)


def _identity(n: int, dtype: Any = None, **kwargs: Any) -> xp.Tensor:
    return xp.eye(n, dtype=dtype, **kwargs)


def _complex(re: Any, im: Any) -> Any:
    return re + 1j * im


def _allclose(x: Any, y: Any, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    return bool(xp.all(xp.abs(x - y) <= atol + rtol * xp.abs(y)))


def _swapaxes(x: xp.Tensor, axis1: int, axis2: int) -> xp.Tensor:
    axes = list(range(x.ndim))
    axes[axis1], axes[axis2] = axes[axis2], axes[axis1]
    return xp.permute_dims(x, tuple(axes))


def _squeeze(x: xp.Tensor, axis: Any = None) -> xp.Tensor:
    return x.squeeze(axis)


def _diagonal(x: xp.Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> xp.Tensor:
    return linalg.diagonal(xp.moveaxis(x, (axis1, axis2), (-2, -1)), offset=offset)


def _trace(x: xp.Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> xp.Tensor:
    return linalg.trace(xp.moveaxis(x, (axis1, axis2), (-2, -1)), offset=offset)


def _diag(x: xp.Tensor, k: int = 0) -> xp.Tensor:
    if x.ndim == 2:
        return linalg.diagonal(x, offset=k)
    n = x.shape[0] + abs(k)
    rows = xp.arange(x.shape[0], device=x.device) + max(-k, 0)
    out = xp.zeros((n, n), dtype=x.dtype, device=x.device)
    out[rows, rows + k] = x
    return out


def _take(x: xp.Tensor, indices: Any, axis: int | None = None) -> xp.Tensor:
    if axis is None:
        x, axis = _ravel(x), 0
    indices = xp.asarray(indices, device=x.device)
    taken = xp.take(x, _ravel(indices), axis=axis)
    axis %= x.ndim
    return xp.reshape(taken, x.shape[:axis] + indices.shape + x.shape[axis + 1 :])


def _split(x: xp.Tensor, indices_or_sections: Any, axis: int = 0) -> list[xp.Tensor]:
    n = x.shape[axis]
    if hasattr(indices_or_sections, "__index__"):
        parts = int(indices_or_sections)
        if n % parts:
            raise ValueError(f"split: {n} elements do not divide into {parts} parts")
        at = list(range(n // parts, n, n // parts)) if n else [0] * (parts - 1)
    else:
        at = [int(i) for i in indices_or_sections]
    x = xp.moveaxis(x, axis, 0)
    ends = zip([0, *at], [*at, n], strict=True)
    return [xp.moveaxis(x[start:stop, ...], 0, axis) for start, stop in ends]


def _pad(
    x: xp.Tensor, pad_width: Any, mode: str = "constant", constant_values: Any = 0
) -> xp.Tensor:
    if mode != "constant":
        raise NotImplementedError(f"pad: mode must be 'constant'; got {mode!r}")
    if hasattr(pad_width, "__index__"):
        pad_width = [(pad_width, pad_width)]
    elif hasattr(pad_width[0], "__index__"):
        pad_width = [tuple(pad_width)]
    pads = list(pad_width) * (x.ndim if len(pad_width) == 1 else 1)
    shape = tuple(before + n + after for n, (before, after) in zip(x.shape, pads, strict=True))
    out = xp.full(shape, constant_values, dtype=x.dtype, device=x.device)
    out[tuple(slice(b, b + n) for n, (b, _) in zip(x.shape, pads, strict=True))] = x
    return out


def _indices(dimensions: Sequence[int]) -> xp.Tensor:
    return xp.stack(xp.meshgrid(*map(xp.arange, dimensions), indexing="ij"))


def _einsum(*operands: Any) -> xp.Tensor:
    """Einstein summation, also with NumPy's alternating operands and lists of axes."""
    if isinstance(operands[0], str):
        return xp.einsum(*operands)
    terms = ["".join(map(chr, (ord("A") + i for i in axes))) for axes in operands[1::2]]
    if len(operands) % 2:
        terms[-1] += "->" + "".join(chr(ord("A") + i) for i in operands[-1])
    return xp.einsum(",".join(terms), *operands[: 2 * len(terms) : 2])


def _dot(x: Any, y: Any) -> Any:
    dims = autoray.ndim(x), autoray.ndim(y)
    if 0 in dims:
        return x * y
    return xp.tensordot(x, y, axes=((-1,), (max(-2, -dims[1]),)))


def _outer(x: xp.Tensor, y: xp.Tensor) -> xp.Tensor:
    return linalg.outer(_ravel(x), _ravel(y))


def _kron(x: xp.Tensor, y: xp.Tensor) -> xp.Tensor:
    n = max(x.ndim, y.ndim)
    a = (1,) * (n - x.ndim) + x.shape
    b = (1,) * (n - y.ndim) + y.shape
    apart = xp.reshape(x, sum(zip(a, (1,) * n, strict=True), ()))
    product = apart * xp.reshape(y, sum(zip((1,) * n, b, strict=True), ()))
    return xp.reshape(product, tuple(i * j for i, j in zip(a, b, strict=True)))


# --- linear algebra


def _svd(x: xp.Tensor, full_matrices: bool = False) -> Any:
    return linalg.svd(x, full_matrices=full_matrices)


def _norm(x: xp.Tensor, ord: Any = None, axis: Any = None, keepdims: bool = False) -> xp.Tensor:
    matrix = len(axis) == 2 if isinstance(axis, tuple) else axis is None and x.ndim == 2
    if ord is None or not matrix:
        if ord is not None and axis is None and x.ndim > 1:
            raise ValueError(f"linalg.norm: ord must be None for {x.ndim} axes; got {ord!r}")
        return linalg.vector_norm(x, axis=axis, ord=2 if ord is None else ord, keepdims=keepdims)
    x = x if axis is None else xp.moveaxis(x, axis, (-2, -1))
    norm = linalg.matrix_norm(x, ord=ord, keepdims=keepdims)
    return norm if axis is None or not keepdims else xp.moveaxis(norm, (-2, -1), axis)


def _solve_triangular(
    a: xp.Tensor, b: xp.Tensor, trans: Any = 0, lower: bool = False, unit_diagonal: bool = False
) -> xp.Tensor:
    a = xp.tril(a) if lower else xp.triu(a)
    if unit_diagonal:
        eye = xp.eye(a.shape[-1], dtype=a.dtype, device=a.device)
        a = xp.where(eye == 1, eye, a)
    if trans not in (0, "N"):
        a = xp.matrix_transpose(xp.conj(a) if trans in (2, "C") else a)
    return linalg.solve(a, b)


def _expm(a: xp.Tensor) -> xp.Tensor:
    """Exponential of matrices: a Taylor polynomial of x / 2**n, squared n times."""
    size = xp.max(linalg.matrix_norm(a, ord=1)).item() if a.size else 0.0
    n = math.ceil(math.log2(size / 0.5)) if 0.5 < size < math.inf else 0
    a = a / 2**n
    out = term = xp.eye(a.shape[-1], dtype=a.dtype, device=a.device)
    for k in range(1, 18):  # 0.5^18 / 18! is below the rounding of float64
        term = term @ a / k
        out = out + term
    for _ in range(n):
        out = out @ out
    return out


# --- random numbers


def _seed(seed: Any = None) -> None:
    global _rng
    _rng = xp.random.default_rng(seed)


def _random(name: str) -> Callable[..., Any]:
    def draw(*args: Any, dtype: Any = None, **kwargs: Any) -> xp.Tensor:
        if _rng is None:
            _seed()
        dtype = getattr(xp, dtype) if isinstance(dtype, str) else dtype
        return getattr(_rng, name)(*args, dtype=dtype, **kwargs)

    return draw


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "allclose": _allclose,
    "array": _array,
    "complex": _complex,
    "copy": _array,
    "cumprod": _flat(xp.cumulative_prod),
    "cumsum": _flat(xp.cumulative_sum),
    "diag": _diag,
    "diagonal": _diagonal,
    "dot": _dot,
    "einsum": _einsum,
    "finfo": _finfo,
    "from_numpy": _from_numpy,
    "identity": _identity,
    "indices": _indices,
    "kron": _kron,
    "linalg.expm": _expm,
    "linalg.norm": _norm,
    "linalg.svd": _svd,
    "outer": _outer,
    "pad": _pad,
    "random.default_rng": xp.random.default_rng,
    "random.normal": _random("normal"),
    "random.seed": _seed,
    "random.uniform": _random("uniform"),
    "ravel": _ravel,
    "scipy.linalg.expm": _expm,
    "scipy.linalg.solve_triangular": _solve_triangular,
    "split": _split,
    "squeeze": _squeeze,
    "std": _spread(xp.std),
    "swapaxes": _swapaxes,
    "take": _take,
    "to_device": _to_device,
    "to_numpy": xp.Tensor.numpy,
    "tensordot": _keywords(xp.tensordot, 2, "axes"),
    "trace": _trace,
    "var": _spread(xp.var),
    "concatenate": _keywords(xp.concat, 1, "axis"),
    **{name: _keywords(getattr(xp, name), 1, "k") for name in ("tril", "triu")},
    **{
        name: _keywords(getattr(xp, name), 1, "axis")
        for name in "all any argmax argmin argsort count_nonzero expand_dims flip max mean median "
        "min prod sort stack sum".split()
    },
    **{
        name: _keywords(getattr(xp, name), 2, "axis")
        for name in ("repeat", "roll", "take_along_axis")
    },
}  # fmt: skip
#: The same function by another name.
_ALIASES = dict(
    pair.split(":")
    for pair in """absolute:abs arccos:acos arccosh:acosh arcsin:asin arcsinh:asinh arctan:atan
    arctan2:atan2 arctanh:atanh conjugate:conj invert:bitwise_invert mod:remainder power:pow
    true_divide:divide""".split()
)

for _name, _function in _FUNCTIONS.items():
    autoray.register_function(NAME, _name, _function)
for _name, _alias in _ALIASES.items():
    autoray.register_function(NAME, _name, alias=_alias)
for _name in ("array", "asarray", "empty", "eye", "full", "identity", "ones", "zeros"):
    _typed = _name not in ("array", "asarray")
    autoray.register_function(NAME, _name, inject_dtype=_typed, inject_device=True)
