"""Dtypes that the standard defines for each operation, and the errors of strict mode.

For each operation, the table `KINDS` has the kinds of dtype for which the standard defines it, in
NumPy's letters (b bool, i signed, u unsigned, f real floating, c complex floating). An operation
that is not in the table is defined for every dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

_NUMERIC, _REAL, _FLOATING, _REAL_FLOATING = "iufc", "iuf", "fc", "f"
_INTEGER, _BITS, _BOOL, _COMPLEX = "iu", "biu", "b", "c"

_NAMES = {
    _NUMERIC: """
        abs add conj cumulative_prod cumulative_sum diff imag isfinite isinf isnan
        linalg.cross linalg.outer linalg.trace matmul multiply negative positive pow prod
        real round sign square subtract sum tensordot vecdot""",
    _REAL: """
        argmax argmin argsort ceil clip floor floor_divide greater greater_equal less
        less_equal max maximum min minimum remainder searchsorted sort trunc""",
    _FLOATING: """
        acos acosh asin asinh atan atanh cos cosh divide exp expm1 fft.fftshift
        fft.ifftshift linalg.cholesky linalg.det linalg.eig linalg.eigh linalg.eigvals
        linalg.eigvalsh linalg.inv linalg.matrix_norm linalg.matrix_power linalg.matrix_rank
        linalg.pinv linalg.qr linalg.slogdet linalg.solve linalg.svd linalg.svdvals
        linalg.vector_norm log log10 log1p log2 mean reciprocal sin sinh sqrt tan tanh""",
    _COMPLEX: "fft.fft fft.fftn fft.hfft fft.ifft fft.ifftn fft.irfft fft.irfftn",
    _REAL_FLOATING: """
        atan2 copysign fft.ihfft fft.rfft fft.rfftn hypot logaddexp nextafter signbit std var""",
    _INTEGER: "bitwise_left_shift bitwise_right_shift",
    _BITS: "bitwise_and bitwise_invert bitwise_or bitwise_xor",
    _BOOL: "logical_and logical_not logical_or logical_xor",
}
KINDS: dict[str, str] = {name: kinds for kinds, names in _NAMES.items() for name in names.split()}

#: The in-place operators and the functions that they apply.
_IN_PLACE = {
    "__iadd__": "add", "__isub__": "subtract", "__imul__": "multiply", "__itruediv__": "divide",
    "__ifloordiv__": "floor_divide", "__imod__": "remainder", "__ipow__": "pow",
    "__imatmul__": "matmul", "__iand__": "bitwise_and", "__ior__": "bitwise_or",
    "__ixor__": "bitwise_xor", "__ilshift__": "bitwise_left_shift",
    "__irshift__": "bitwise_right_shift",
}  # fmt: skip
KINDS |= {name: KINDS[function] for name, function in _IN_PLACE.items()}

#: Operations that write into their first operand.
MUTATING = frozenset({*_IN_PLACE, "__setitem__"})

#: Kind letter -> dtypes that promote among themselves.
_FAMILY = {
    "b": "bool",
    "i": "integer",
    "u": "integer",
    "f": "floating",
    "c": "floating",
}
#: Kinds -> their name in messages, and a dtype to cast to.
_WORDS = {
    _NUMERIC: ("numeric", "int64"),
    _REAL: ("real-valued", "int64"),
    _FLOATING: ("floating-point", "float64"),
    _REAL_FLOATING: ("real-valued floating-point", "float64"),
    _COMPLEX: ("complex floating-point", "complex128"),
    _INTEGER: ("integer", "int64"),
    _BITS: ("integer or bool", "int64"),
    _BOOL: ("bool", "bool"),
}
#: Operations that do not promote all their operands: number of leading operands that are excluded.
_APART = {"where": 1, "take": 2, "take_along_axis": 2, "repeat": 2, "broadcast_arrays": 99}


def check(
    name: str, operands: Sequence[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> None:
    """Raise the error of strict mode if this operation is outside the standard.

    Raises
    ------
    TypeError
        If the standard does not define `name` for the dtypes or scalars, or their combination.
    IndexError
        If the standard does not define the index.
    ValueError
        If ``x.T`` is used with a number of axes other than two.
    """
    tensors = [x for x in operands if hasattr(x, "_data")]
    _check_kinds(name, operands)
    if name == "where":
        _check_condition(operands[0])
    if name in ("getitem", "__setitem__"):
        _check_key(name, args[0], tensors[0])
    if name == "T" and tensors[0].ndim != 2:
        raise ValueError(
            "T: outside the standard unless x has two axes; write x.mT or permute_dims"
        )
    promoting = operands[_APART.get(name, 0) :]
    check_promotion(
        name,
        [x.dtype for x in promoting if hasattr(x, "_data")],
        [x for x in promoting if type(x).__name__ in _SCALAR_KINDS],
    )
    if name in MUTATING:
        _check_target(name, operands)


def _check_condition(condition: Any) -> None:
    if condition.dtype.kind != "b":
        raise TypeError(
            f"where: a condition of dtype {condition.dtype} is outside the standard; "
            "write condition != 0"
        )


def _check_kinds(name: str, operands: Sequence[Any]) -> None:
    kinds = KINDS.get(name)
    if kinds is None:
        return
    words, target = _WORDS[kinds]
    for x in operands:
        if isinstance(x, complex) and "c" not in kinds:
            raise TypeError(f"{name}: outside the standard for complex scalars; got {x!r}")
        if hasattr(x, "_data") and x.dtype == "float16":
            raise TypeError(f"{name}: float16 is outside the standard; write xp.float32")
        if hasattr(x, "_data") and x.dtype.kind not in kinds:
            complex_to_real = x.dtype.kind == "c" and kinds != _BOOL
            hint = "xp.real(x)" if complex_to_real else f"xp.astype(x, xp.{target})"
            raise TypeError(
                f"{name}: the standard defines it for {words} dtypes; got a tensor of dtype "
                f"{x.dtype}; write {hint} first"
            )


def check_promotion(name: str, dtypes: Sequence[Any], scalars: Sequence[Any]) -> None:
    """Raise TypeError if the standard defines no promotion of these dtypes and scalars."""
    for dtype in dtypes[1:]:
        first = dtypes[0]
        mixed = _FAMILY[dtype.kind] != _FAMILY[first.kind]
        if mixed or ({dtype.kind, first.kind} == {"i", "u"} and "uint64" in (dtype, first)):
            raise TypeError(
                f"{name}: {first} and {dtype} do not promote in the standard; "
                f"write xp.astype(x, xp.{max(dtype, first, key=_rank)}) first"
            )
    for x in scalars:
        kind = type(x).__name__
        if dtypes and dtypes[0].kind not in _SCALAR_KINDS[kind]:
            raise TypeError(
                f"{name}: {kind} with {dtypes[0]} is outside the standard; "
                f"write xp.astype(x, xp.{_SCALAR_TARGET[kind]}) first"
            )


def _rank(dtype: Any) -> tuple[int, int]:
    return "buifc".index(dtype.kind), dtype.itemsize


_SCALAR_KINDS = {"bool": "b", "int": "iufc", "float": "fc", "complex": "fc"}
_SCALAR_TARGET = {
    "bool": "bool",
    "int": "int64",
    "float": "float64",
    "complex": "complex128",
}


def _check_target(name: str, operands: Sequence[Any]) -> None:
    """Raise TypeError if the dtype of the value does not promote to that of the target."""
    x, value = operands[0], operands[1]
    kinds = "buifc"
    if hasattr(value, "_data"):
        wider = kinds.index(value.dtype.kind) > kinds.index(x.dtype.kind) or (
            value.dtype.itemsize > x.dtype.itemsize and value.dtype.kind == x.dtype.kind
        )
    else:
        wider = isinstance(value, complex) and x.dtype.kind != "c"
    if wider:
        got = getattr(value, "dtype", type(value).__name__)
        raise TypeError(
            f"{name}: writing {got} into a {x.dtype} tensor is outside the standard; "
            f"write xp.astype(value, xp.{x.dtype}) first"
        )


def _check_key(name: str, key: Any, x: Any) -> None:
    """Raise IndexError if the standard does not define the index `key`, converted for a backend."""
    entries = key if isinstance(key, tuple) else (key,)
    arrays = [k for k in entries if hasattr(k, "dtype")]
    if any(k.dtype.kind == "b" for k in arrays):
        if len(entries) > 1:
            raise IndexError(f"{name}: the standard allows a boolean index only as the sole index")
        return
    plain = [k for k in entries if not hasattr(k, "dtype")]
    if arrays and not all(isinstance(k, int) for k in plain):
        raise IndexError(
            f"{name}: the standard does not mix index arrays with slices, ... or None; "
            "index in two steps, or write xp.take(x, i, axis=axis)"
        )
    indexed = sum(k is not None and k is not Ellipsis for k in entries)
    if Ellipsis not in plain and indexed < x.ndim:
        raise IndexError(
            f"{name}: the standard requires an index for each axis, or ...; "
            f"got {indexed} for {x.ndim} axes; write x[i, ...]"
        )
    _check_bounds(name, entries, x.shape, indexed)


def _check_bounds(name: str, entries: Sequence[Any], shape: tuple[int, ...], indexed: int) -> None:
    """Raise IndexError if a bound of a slice is outside the range that the standard defines."""
    axis = 0
    for k in entries:
        if k is Ellipsis:
            axis += len(shape) - indexed
        elif isinstance(k, slice) and axis < len(shape):
            n = shape[axis]
            backwards = k.step is not None and k.step < 0
            low, high = (-n - 1, max(0, n - 1)) if backwards else (-n, n)
            for end, least, most in ((k.start, -n, n), (k.stop, low, high)):
                if end is not None and not least <= end <= most:
                    raise IndexError(
                        f"{name}: the standard does not define a slice to {end} of an axis of "
                        f"{n} elements; write min({end}, x.shape[{axis}])"
                    )
        if k is not None and k is not Ellipsis:
            axis += 1
