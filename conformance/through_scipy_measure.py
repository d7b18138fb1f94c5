"""Checks the gradient of one call of a library's function by difference quotients.

The call is one that the library's tests make. Each floating-point tensor among its arguments is
moved in a random direction, and each floating-point result that changes smoothly is compared.
"""

from __future__ import annotations

import copy
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

Function = Callable[..., Any]
Path = tuple[Any, ...]

# The verdicts on an argument, the better ones last.
WRONG = "wrong"  # there is a derivative, and it is not the difference quotient
UNCLEAR = "raises otherwise"  # an error that does not say what to do
RAISES = "raises"
BRANCH = "branch"  # wrong here, but right near by: code has a branch for this very value
NO_TENSOR = "no tensor"  # numbers, or NumPy arrays: nothing to differentiate, and that is seen
RIGHT = "right"
CONSTANT = "constant"  # neither the result nor the gradient moves
NONE = "no quotient"  # a kink, a step, not finite, not the same twice

#: Where errors of the measure itself are kept, instead of under a function's name.
BROKEN = ""

#: A result's derivative is right within this part of it.
TOLERANCE = 1e-4
#: How far arguments are moved, relative to themselves: less where the larger step meets kinks.
STEPS = (1e-3, 1e-5)
#: What was found wrong is looked at again with these.
OTHER_STEPS = (3.3e-4, 4.7e-5)
#: Where code that adapts to its argument does not yet do so; precise only to a few digits.
SMALLEST_STEP = 1e-8
#: Larger calls are not tried.
LARGEST_INPUT, LARGEST_OUTPUT = 2_000, 20_000
#: Names of arguments that are written to.
RESULTS = ("out", "output", "overwrite_x")


@dataclass
class Verdict:
    """Result of the check of one argument."""

    argument: str
    reverse: str
    why: str = ""
    forward: str = ""  # only for libraries that have the mode
    forward_why: str = ""

    @property
    def verdict(self) -> str:
        """Verdict on both modes together."""
        return WRONG if WRONG in (self.reverse, self.forward) else self.reverse


class Arraygrad:
    """Differentiation with this package."""

    def __init__(self) -> None:
        import arraygrad
        from arraygrad import autodiff

        self.xp: Any = arraygrad
        self.autodiff: Any = autodiff
        self.tensor: Any = arraygrad.Tensor
        #: The errors that say what to do.
        self.clear: tuple[type[Exception], ...] = (
            autodiff.NotDifferentiableError,
            arraygrad.TransferError,
        )

    def is_float(self, x: Any) -> bool:
        """Whether this is a tensor that has derivatives."""
        return isinstance(x, self.tensor) and x.dtype.kind in "fc"

    def numpy(self, x: Any) -> Any:
        """Values as a NumPy array."""
        return self.autodiff.stop_gradient(x).numpy()

    def from_numpy(self, a: Any, like: Any) -> Any:
        """Tensor of a NumPy array, on the device of another tensor."""
        return self.xp.asarray(a, device=like.device, copy=True)

    def variable(self, x: Any) -> Any:
        """Tensor that requires grad."""
        return self.autodiff.variable(x)

    def copied(self, x: Any) -> Any:
        """Copy that is computed from a leaf, and may be modified."""
        return self.xp.asarray(x, copy=True)

    def recorded(self, x: Any) -> bool:
        """Whether this result has a gradient."""
        return isinstance(x, self.xp.Tensor) and x.requires_grad

    def pull(self, y: Any, cotangent: Any, x: Any) -> Any:
        """Gradient of one result."""
        x.grad = None
        y.backward(self.from_numpy(cotangent, y), retain_graph=True)
        return np.zeros(x.shape) if x.grad is None else self.numpy(x.grad)

    @contextmanager
    def reads(self) -> Iterator[list[str]]:
        """Detects reads of numbers from tensors that require grad, which lose the gradient."""
        found: list[str] = []
        readers = {
            name: getattr(self.tensor, name) for name in ("__float__", "__complex__", "item")
        }

        def watched(name: str) -> Function:
            def read(x: Any) -> Any:
                if self.recorded(x):
                    code = sys._getframe(1)
                    file = code.f_code.co_filename.rpartition("site-packages/")[2]
                    found.append(f"{name} in {file}:{code.f_lineno}")
                return readers[name](x)

            return read

        try:
            for name in readers:
                setattr(self.tensor, name, watched(name))
            yield found
        finally:
            for name, reader in readers.items():
                setattr(self.tensor, name, reader)

    def push(self, f: Function, x: Any, direction: Any) -> list[Any] | None:
        """The derivatives of all results in a direction."""
        return [
            self.numpy(t)
            for t in self.autodiff.jvp(f, (x,), (self.from_numpy(direction, x),))[1]
        ]  # fmt: skip


class Torch(Arraygrad):
    """Differentiation with PyTorch."""

    def __init__(self) -> None:
        import torch

        self.xp, self.tensor, self.clear = torch, torch.Tensor, (RuntimeError, TypeError)

    def is_float(self, x: Any) -> bool:
        """Whether this is a tensor that has derivatives."""
        return isinstance(x, self.tensor) and (x.is_floating_point() or x.is_complex())

    def numpy(self, x: Any) -> Any:
        """Values as a NumPy array."""
        return x.detach().cpu().resolve_conj().resolve_neg().numpy()

    def from_numpy(self, a: Any, like: Any) -> Any:
        """Tensor of a NumPy array, on the device of another tensor."""
        return self.xp.tensor(a, device=like.device)

    def variable(self, x: Any) -> Any:
        """Tensor that requires grad."""
        return x.detach().clone().requires_grad_()

    def copied(self, x: Any) -> Any:
        """Copy that is computed from a leaf, and may be modified."""
        return x.clone()

    def recorded(self, x: Any) -> bool:
        """Whether this result has a gradient."""
        return bool(x.requires_grad)

    def pull(self, y: Any, cotangent: Any, x: Any) -> Any:
        """Gradient of one result."""
        seed = self.from_numpy(cotangent, y).to(y.dtype)
        (g,) = self.xp.autograd.grad(y, x, seed, retain_graph=True, allow_unused=True)
        return np.zeros(x.shape) if g is None else self.numpy(g)

    def push(self, f: Function, x: Any, direction: Any) -> list[Any] | None:
        """Return nothing; only reverse mode is compared."""
        return None


LIBRARIES: dict[str, type[Arraygrad]] = {"arraygrad": Arraygrad, "torch": Torch}


# ---- arguments and results


def leaves(x: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Elements of nested containers, each with its path."""
    if isinstance(x, (list, tuple)):
        for i, item in enumerate(x):
            yield from leaves(item, (*path, i))
    elif isinstance(x, dict) or is_open(x, path):
        for key, item in (x if isinstance(x, dict) else vars(x)).items():
            yield from leaves(item, (*path, key))
    else:
        yield path, x


def rebuilt(x: Any, change: Callable[[Path, Any], Any], path: Path = ()) -> Any:
    """The same containers with other elements."""
    if isinstance(x, (list, tuple)):
        items = [rebuilt(item, change, (*path, i)) for i, item in enumerate(x)]
        return type(x)(*items) if hasattr(x, "_fields") else type(x)(items)
    if isinstance(x, dict):
        return {key: rebuilt(item, change, (*path, key)) for key, item in x.items()}
    if is_open(x, path):
        new = object.__new__(type(x))  # (a copy may be put together by the constructor)
        vars(new).update(rebuilt(vars(x), change, path))
        return new
    return change(path, x)


def is_open(x: Any, path: Path) -> bool:
    """True for an object whose methods compute with its attributes."""
    if len(path) > 4:  # objects may hold each other
        return False
    name = type(x).__module__
    return name.startswith(("scipy.spatial.transform.", "sklearn.")) and hasattr(x, "__dict__")


def results(x: Any, path: str = "", depth: int = 4) -> Iterator[tuple[str, Any]]:
    """Elements of a result, which may be an object of the library."""
    if isinstance(x, (list, tuple)):
        names = getattr(x, "_fields", range(len(x)))
        pairs = list(zip(names, x, strict=False))
    elif isinstance(x, dict):
        pairs = list(x.items())
    elif (
        type(x).__module__.startswith(("scipy.", "sklearn."))
        and hasattr(x, "__dict__")
        and not callable(x)
    ):
        pairs = list(vars(x).items())
    else:
        yield path, x
        return
    if depth:
        for name, item in pairs:
            yield from results(item, f"{path}.{name}", depth - 1)


def floats(library: Arraygrad, out: Any) -> dict[str, Any]:
    """Results that depend on the arguments: tensors, NumPy arrays and Python numbers."""
    found = {}
    for name, x in results(out):
        if isinstance(x, library.tensor):
            if library.is_float(x):
                found[name] = x
        elif isinstance(x, (float, complex)) or (
            isinstance(x, (np.ndarray, np.generic)) and x.dtype.kind in "fc"
        ):
            found[name] = np.asarray(x)
    return found


def own(x: Any) -> Any:
    """Copy of an object that a call may change: one that contains a random generator."""
    held = (np.random.Generator, np.random.RandomState)
    inside = getattr(x, "__dict__", None)
    if isinstance(x, held) or (
        isinstance(inside, dict) and any(isinstance(v, held) for v in inside.values())
    ):
        return copy.deepcopy(x)
    return x


# ---- one call


@dataclass
class Call:
    """A function whose arguments can be replaced one by one; each call gets its own copies."""

    library: Arraygrad
    function: Function
    arguments: tuple[Any, Any]  # positional, by name

    def __call__(self, place: Path | None = None, new: Any = None) -> dict[str, Any]:
        """The results, with one argument replaced."""
        lib = self.library

        def change(path: Path, x: Any) -> Any:
            if path == place:
                return new
            if not isinstance(x, lib.tensor):
                return x.copy() if isinstance(x, np.ndarray) else own(x)
            return lib.from_numpy(double(lib.numpy(x)), x)

        args, kwargs = rebuilt(self.arguments, change)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return floats(lib, self.function(*args, **kwargs))

    def values(self, place: Path | None = None, new: Any = None) -> dict[str, Any]:
        """The results as NumPy arrays."""
        out = self(place, new)
        return {k: self.library.numpy(y) if is_tensor(self, y) else y for k, y in out.items()}


def is_tensor(call: Call, y: Any) -> bool:
    """Whether a result is a tensor of the library."""
    return isinstance(y, call.library.tensor)


def double(a: Any) -> Any:
    """Floating-point numbers in double precision, others as they are."""
    if a.dtype.kind in "fc":
        return a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    return a


def examine(
    library: Arraygrad, function: Function, args: Any, kwargs: Any, name: Callable[[Path], str]
) -> list[Verdict]:
    """The verdict on each floating-point tensor among the arguments."""
    call = Call(library, function, (args, kwargs))
    places = [(path, x) for path, x in leaves(call.arguments) if library.is_float(x)]
    places = [(path, x) for path, x in places if name(path) not in RESULTS]
    try:
        base = call.values()
        again = call.values()
    except Exception as error:  # what is done with the copies has its own limits
        return [
            Verdict(name(path), NONE, f"a second call raises {short(error)}") for path, _ in places
        ]
    if sum(y.size for y in base.values()) > LARGEST_OUTPUT or not base:
        return []
    same = base.keys() == again.keys() and all(
        np.array_equal(base[k], again[k], equal_nan=True) for k in base
    )
    if not same:
        return [Verdict(name(path), NONE, "not the same twice") for path, _ in places]
    return [
        Trial(call, base, path, double(library.numpy(x)), name(path)).verdict()
        for path, x in places
    ]


def short(error: BaseException) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]


@dataclass
class Quotient:
    """Difference quotient of a result: where it is smooth, and its precision."""

    slope: Any
    smooth: Any
    noise: Any
    #: Whether some numbers lie off what is near by on both sides, as those of a vector whose sign
    #: is arbitrary.
    jumps: bool

    @property
    def moves(self) -> bool:
        """True if the result changes at all."""
        return bool(np.any(np.abs(self.slope) > 100 * self.noise, where=self.smooth))


@dataclass
class Trial:
    """One argument of a call."""

    call: Call
    base: dict[str, Any]
    place: Path
    x: Any
    name: str
    direction: Any = None
    quotients: dict[str, Quotient] = field(default_factory=dict)
    generic: bool = True  # whether to look at a point near by, too

    def verdict(self) -> Verdict:
        """Compare reverse and forward mode with the quotients."""
        lib = self.call.library
        if not self.x.size:
            return Verdict(self.name, NONE, "empty")
        found = Verdict(self.name, NONE)
        try:
            x = lib.variable(self._fresh())
            out = self.call(self.place, lib.copied(x))
        except Exception as error:
            found.reverse, found.why = self._raised(error)
            return found
        self._measure()
        if not any(np.any(q.smooth) for q in self.quotients.values()):
            return found
        self._compare(found, out, x)
        if WRONG in (found.reverse, found.forward):
            self._spare_residuals()
            # A function that iterates is smooth by chance at some steps; what is wrong stays so.
            self._doubt()
            self._compare(found, out, x)
        if found.verdict == WRONG and self._adapts(out, x):
            return Verdict(self.name, NONE, "the code adapts to small changes of its argument")
        if found.verdict == WRONG and self.generic and self._elsewhere() == RIGHT:
            found = Verdict(self.name, BRANCH, found.why or found.forward_why)
        if found.reverse == WRONG:
            with lib.reads() as reads:
                self.call(self.place, lib.copied(lib.variable(self._fresh())))
            found.why += "".join(f"; {read}" for read in dict.fromkeys(reads))
        return found

    def _adapts(self, out: dict[str, Any], x: Any) -> bool:
        """Whether the gradient is right for the smallest steps, such as of an adaptive quadrature.

        An adaptive algorithm takes more points when needed; the gradient is for the points taken.
        """
        kept, self.quotients = self.quotients, self._quotients((SMALLEST_STEP,))
        found = Verdict(self.name, NONE)
        self._compare(found, out, x)
        self.quotients = kept
        return found.verdict == RIGHT

    def _elsewhere(self) -> str:
        """Verdict at a nearby point.

        If the gradient is right there but wrong here, the code has a branch for this special value
        that does not depend on it.
        """
        x = self.x + STEPS[0] * self.direction
        moved = self.call.library.from_numpy(x, self._given())
        args = rebuilt(self.call.arguments, lambda path, y: moved if path == self.place else y)
        call = Call(self.call.library, self.call.function, args)
        try:
            return (
                Trial(call, call.values(), self.place, x, self.name, generic=False)
                .verdict()
                .verdict
            )
        except Exception:
            return NONE

    def _compare(self, found: Verdict, out: dict[str, Any], x: Any) -> None:
        found.reverse, found.why = self._worst(
            self._reverse(name, out, x) for name in self.quotients
        )
        try:
            pushed = self._push()
        except Exception as error:
            found.forward, found.forward_why = self._raised(error)
        else:
            if pushed is not None:
                found.forward, found.forward_why = self._worst(
                    self._forward(name, pushed.get(name)) for name in self.quotients
                )

    def _fresh(self) -> Any:
        """New copy of the argument, because calls may write to it."""
        return self.call.library.from_numpy(self.x, self._given())

    def _given(self) -> Any:
        return next(x for path, x in leaves(self.call.arguments) if path == self.place)

    def _raised(self, error: BaseException) -> tuple[str, str]:
        clear = self.call.library.clear
        if not isinstance(error, clear) and isinstance(error.__cause__, clear):
            # NumPy's own error, and beside it why
            error = error.__cause__
        return (RAISES if isinstance(error, clear) else UNCLEAR), short(error)

    @staticmethod
    def _worst(found: Iterator[tuple[str, str]]) -> tuple[str, str]:
        """Verdict on an argument: wrong if any result is wrong, otherwise right if any is right."""
        verdicts = dict(reversed(list(found)))
        for verdict in (WRONG, BRANCH, RIGHT, UNCLEAR, RAISES, NO_TENSOR, CONSTANT):
            if verdict in verdicts:
                return verdict, verdicts[verdict]
        return NONE, ""

    # -- the quotients

    def _measure(self) -> None:
        """Find a direction in which a result changes smoothly."""
        rng = np.random.default_rng(7)
        size = np.where(np.isfinite(self.x), np.abs(self.x), 0)
        typical = np.mean(size[size > 0]) if np.any(size > 0) else 1.0
        u = rng.uniform(0.5, 1.0, self.x.shape) * rng.choice((-1, 1), self.x.shape)
        if self.x.dtype.kind == "c":
            u = u * np.exp(2j * np.pi * rng.uniform(size=self.x.shape))
        # Zeros are often at the border of what a function is defined for.
        for zeros in (typical, 0.0):
            scale = np.where(size > 0, size, zeros)
            self.direction = np.asarray(np.where(np.isfinite(self.x), u * scale, 0))
            if np.any(self.direction):
                self.quotients = self._quotients()
            if any(np.any(q.smooth) for q in self.quotients.values()):
                return

    def _spare_residuals(self) -> None:
        """Ignore results that are zero up to rounding, such as the residual of an equation."""
        sizes = {
            k: np.max(np.abs(y), where=np.isfinite(y), initial=0) for k, y in self.base.items()
        }
        rounding = 1e3 * np.finfo(float).eps * max(*sizes.values(), np.max(np.abs(self.direction)))
        for name, q in self.quotients.items():
            if sizes[name] <= rounding:
                q.smooth = q.smooth & (np.abs(q.slope) > rounding / STEPS[0])

    def _doubt(self) -> None:
        """Keep only quotients that other steps and other directions confirm.

        Derivatives in different directions add up, except at kinks, such as equal numbers that are
        sorted. A kink can be invisible in one direction.
        """
        rng = np.random.default_rng(9)
        there, known = self.direction, self.quotients
        elsewhere = there * rng.uniform(0.2, 1.0, self.x.shape) * rng.choice((-1, 1), self.x.shape)
        others = [self._quotients((h,)) for h in OTHER_STEPS]
        for name, q in known.items():
            if any(other[name].jumps for other in others):
                q.smooth = np.zeros_like(q.smooth)
        self.direction = elsewhere
        aside = self._quotients()
        self.direction = there + elsewhere
        both = self._quotients()
        self.direction = there
        for name, q in known.items():
            for other in others:
                apart = np.abs(q.slope - other[name].slope)
                within = 0.1 * TOLERANCE * np.abs(q.slope) + other[name].noise
                q.smooth = q.smooth & other[name].smooth & (apart <= within)
            size = np.abs(q.slope) + np.abs(aside[name].slope)
            apart = np.abs(q.slope + aside[name].slope - both[name].slope)
            q.smooth = q.smooth & aside[name].smooth & both[name].smooth
            q.smooth = q.smooth & (apart <= 0.1 * TOLERANCE * size + q.noise)

    def _quotients(self, steps: tuple[float, ...] = STEPS) -> dict[str, Quotient]:
        found: dict[str, Quotient] = {}
        for h in steps:
            ends = {t: self._moved(t) for t in (h, -h, h / 2, -h / 2, h / 4, -h / 4)}
            for name, y in self.base.items():
                values = {
                    t: out[name] if name in out and out[name].shape == y.shape else np.nan * y
                    for t, out in ends.items()
                }
                with np.errstate(all="ignore"):
                    new = quotient(y, values, h)
                if name not in found:
                    found[name] = new
                    continue
                old = found[name]
                better = ~old.smooth & new.smooth
                for part in ("slope", "noise", "smooth"):
                    setattr(old, part, np.where(better, getattr(new, part), getattr(old, part)))
            if all(np.all(q.smooth) for q in found.values()):
                break
        return found

    def _moved(self, t: float) -> dict[str, Any]:
        new = self.call.library.from_numpy(self.x + t * self.direction, self._given())
        try:
            return self.call.values(self.place, new)
        except Exception:  # outside of what the function is defined for
            return {}

    # -- the comparisons

    def _reverse(self, name: str, out: dict[str, Any], x: Any) -> tuple[str, str]:
        """Gradient of one result."""
        q, y, lib = self.quotients[name], out.get(name), self.call.library
        if not np.any(q.smooth):
            return NONE, ""
        if y is None:
            return WRONG, f"result{name} is missing while it is recorded"
        if not is_tensor(self.call, y):
            return (NO_TENSOR, "") if q.moves else (CONSTANT, "")
        if not np.allclose(lib.numpy(y), self.base[name], rtol=1e-12, atol=1e-300, equal_nan=True):
            return WRONG, f"result{name} has other values while it is recorded"
        if not lib.recorded(y):
            return (WRONG, f"result{name} has lost its gradient") if q.moves else (CONSTANT, "")
        # The results are weighted so that each counts, by what is known of it: one that does not
        # move is known up to its noise.
        rng = np.random.default_rng(8)
        weights = rng.uniform(0.5, 1.0, y.shape) * rng.choice((-1, 1), y.shape)
        if q.slope.dtype.kind == "c":
            weights = weights * np.exp(2j * np.pi * rng.uniform(size=y.shape))
        size = np.clip(np.abs(q.slope) + 10 * q.noise / TOLERANCE, 1e-100, 1e100)
        weights = np.asarray(np.where(q.smooth, weights / size, 0))
        try:
            g = lib.pull(y, weights, x)
        except Exception as error:
            return self._raised(error)
        moved = self.direction != 0
        if not np.all(np.isfinite(self.base[name])) and not np.all(np.isfinite(g[moved])):
            return NONE, ""  # the arguments of results that are not finite have no gradient
        is_ = float(np.sum(np.real(np.conj(g) * self.direction), where=moved))
        slope = np.where(q.smooth, q.slope, 0)
        should = float(np.sum(np.real(np.conj(weights) * slope)))
        allowed = TOLERANCE * float(np.sum(np.abs(weights) * size, where=q.smooth))
        return self._compared(name, is_, should, allowed, q)

    def _forward(self, name: str, t: Any) -> tuple[str, str]:
        """Tangent of one result."""
        q = self.quotients[name]
        if not np.any(q.smooth):
            return NONE, ""
        if t is None:
            if not q.moves:
                return CONSTANT, ""
            if isinstance(self.call(self.place, self._given()).get(name), np.ndarray):
                return NO_TENSOR, ""
            return WRONG, f"result{name} has lost its tangent"
        error = np.where(q.smooth, np.abs(t - q.slope), 0)
        allowed = TOLERANCE * np.abs(q.slope) + 10 * q.noise
        worst = np.unravel_index(np.argmax(np.where(q.smooth, error / allowed, -1)), error.shape)
        return self._compared(name, t[worst], q.slope[worst], float(allowed[worst]), q)

    @staticmethod
    def _compared(name: str, is_: Any, should: Any, allowed: float, q: Quotient) -> tuple[str, str]:
        if not abs(is_ - should) <= allowed:
            return WRONG, f"result{name}: {is_:.6g}, the quotient {should:.6g}"
        return (RIGHT, "") if q.moves else (CONSTANT, "")

    def _push(self) -> dict[str, Any] | None:
        """Tangents of the results that have one."""
        lib = self.call.library
        names: list[str] = []

        def f(x: Any) -> tuple[Any, ...]:
            out = {k: y for k, y in self.call(self.place, x).items() if is_tensor(self.call, y)}
            names[:] = out
            return tuple(out.values())

        try:
            found = lib.push(f, self._fresh(), self.direction)
        except ValueError as error:
            if "does not depend on the input" in str(error):
                return {}
            raise
        return None if found is None else dict(zip(names, found, strict=True))


def quotient(y: Any, at: dict[float, Any], h: float) -> Quotient:
    """Difference quotient extrapolated from three steps, and True where it converges.

    It must settle, and the one-sided quotients must agree.
    """
    central = [(at[s] - at[-s]) / (2 * s) for s in (h, h / 2, h / 4)]
    first, second = ((4 * b - a) / 3 for a, b in pairwise(central))
    slope = np.asarray((16 * second - first) / 15)
    sides = []
    for sign in (1, -1):
        one = [(at[sign * s] - y) / (sign * s) for s in (h, h / 2, h / 4)]
        two = [2 * b - a for a, b in pairwise(one)]
        sides.append((4 * two[1] - two[0]) / 3)
    finite = np.abs(y[np.isfinite(y)]) if y.size else y
    noise = np.asarray(100 * np.finfo(float).eps * (np.max(finite) if finite.size else 0.0) / h)
    noise = np.broadcast_to(noise + 1e-300, slope.shape)
    # (A function that is given may cast to lower precision, in which quotients say nothing.)
    smooth = np.isfinite(slope) & np.isfinite(y) & (y.dtype.char in "dD")
    smooth &= np.abs(slope - second) <= 1e-6 * np.abs(slope) + noise
    smooth &= np.abs(sides[0] - sides[1]) <= 1e-3 * np.abs(slope) + 10 * noise
    jumps = np.isfinite(y)
    for s in (h, -h):
        far, near = np.abs(at[s] - y), np.abs(at[s / 4] - y)
        jumps = jumps & (near > 0.8 * far) & (near > 100 * h * noise)
    return Quotient(slope, smooth, noise, bool(np.any(jumps)))
