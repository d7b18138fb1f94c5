"""Random numbers on any device, from generators modelled on NumPy's.

On the CPU, the numbers are those of `numpy.random.default_rng` with the same seed; on CUDA, those
of Philox 4x32. The same seed produces the same numbers on every device of the same kind.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

from . import _hints
from ._array import wrap
from ._creation import _shape, asarray
from ._data_type import astype
from ._device import Device, DeviceLike, get_device
from ._dtypes import ALL, DEFAULTS, as_dtype, default_dtype, get_defaults, integer_limits
from ._elementwise import abs as _abs
from ._errors import DeviceMismatchError, describe, explain, in_own_name
from ._indexing import take
from ._manipulation import broadcast_shapes, reshape, stack
from ._modes import get_recorder, operation
from ._searching import count_nonzero
from ._statistical import sum as _sum
from ._typing import DType, Real, Shape, Tensor
from ._utility import all as _all

__all__ = ["Generator", "default_rng"]

_hints.install(__name__, _hints.RANDOM)


class Generator:
    """Generator of random numbers on one device, made by `default_rng`.

    Attributes
    ----------
    device : Device
        Device of the tensors it makes.

    Notes
    -----
    Methods have the names and parameters of ``numpy.random.Generator`` and, on the CPU, produce the
    same numbers. They always return a tensor, which is 0-d if `size` is None.

    Copied and pickled generators continue with the same numbers; `state` is for checkpoints.
    Threads must not share a generator; use `spawn` to make one for each.

    Examples
    --------
    >>> import arraygrad as xp
    >>> rng = xp.random.default_rng(0)
    >>> rng.integers(10, size=5)
    Tensor([8, 6, 5, 2, 3], dtype=int64)
    >>> rng.standard_normal((2, 2), dtype=xp.float32).shape
    (2, 2)
    """

    __slots__ = ("_device", "_rng")

    _device: Device
    _rng: Any

    def __new__(cls, *args: Any, **kwargs: Any) -> Generator:
        """Raise TypeError; use `default_rng` instead."""
        raise TypeError(
            "Generator: the class cannot be called; write arraygrad.random.default_rng(seed)"
        )

    @property
    def device(self) -> Device:
        """Device of the tensors it makes."""
        return self._device

    def __repr__(self) -> str:
        return f"Generator(device='{self._device}')"

    # ---- states

    @property
    def state(self) -> dict[str, Any]:
        """State of the generator, as a dict of plain Python objects.

        Assign it to this or another generator on the same kind of device to produce the same
        numbers again.

        Examples
        --------
        >>> import arraygrad as xp
        >>> rng = xp.random.default_rng(0)
        >>> saved = rng.state
        >>> x = rng.random(3)
        >>> rng.state = saved
        >>> bool(xp.all(rng.random(3) == x))
        True
        """
        self._note()
        return operation(self._device, "random.state")(self._rng)

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self._note()
        self._rng = _restored(state, self._device)

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (self.state, str(self._device))

    def spawn(self, n_children: int) -> list[Generator]:
        """Make generators that are independent of this one and of each other.

        Parameters
        ----------
        n_children : int
            Number of generators. Each call makes new ones.

        Returns
        -------
        list of Generator
            Generators on the same device.

        Raises
        ------
        TypeError, ValueError
            If `n_children` is not a nonnegative int.

        Examples
        --------
        >>> import arraygrad as xp
        >>> a, b = xp.random.default_rng(0).spawn(2)
        >>> bool(xp.any(a.random(3) == b.random(3)))
        False
        """
        count = _count("spawn", "n_children", n_children)
        return [_generator(r, self._device) for r in self._draw("spawn", count)]

    # ---- floating-point numbers

    def random(self, size: Shape | None = None, dtype: DType | None = None) -> Tensor:
        """Uniform random numbers in [0, 1).

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result.
        dtype : dtype, optional
            float32 or float64; by default as set by `default_dtype`, at first float64.

        Returns
        -------
        Tensor
            Tensor of shape `size`.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.random.default_rng(0).random(2)
        Tensor([0.63696169, 0.26978671], dtype=float64)
        """
        return self._floats("random", size, dtype)

    def standard_normal(self, size: Shape | None = None, dtype: DType | None = None) -> Tensor:
        """Random numbers from the standard normal distribution.

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result.
        dtype : dtype, optional
            float32 or float64; by default as set by `default_dtype`, at first float64.

        Returns
        -------
        Tensor
            Tensor of shape `size`.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.random.default_rng(0).standard_normal(2)
        Tensor([ 0.12573022, -0.13210486], dtype=float64)
        """
        return self._floats("standard_normal", size, dtype)

    def standard_exponential(self, size: Shape | None = None, dtype: DType | None = None) -> Tensor:
        """Random numbers from the exponential distribution with mean 1.

        Parameters
        ----------
        size : int or tuple of int, optional
            Shape of the result.
        dtype : dtype, optional
            float32 or float64; by default as set by `default_dtype`, at first float64.

        Returns
        -------
        Tensor
            Tensor of shape `size`.

        Examples
        --------
        >>> import arraygrad as xp
        >>> bool(xp.all(xp.random.default_rng(0).standard_exponential(100) >= 0))
        True
        """
        return self._floats("standard_exponential", size, dtype)

    @in_own_name("normal")
    def normal(
        self,
        loc: Real | Tensor = 0.0,
        scale: Real | Tensor = 1.0,
        size: Shape | None = None,
        dtype: DType | None = None,
    ) -> Tensor:
        """Random numbers from a normal distribution.

        Parameters
        ----------
        loc, scale : float or Tensor, optional
            Mean and standard deviation. The result is differentiable with respect to them.
        size : int or tuple of int, optional
            Shape of the result; by default the broadcast shape of `loc` and `scale`.
        dtype : dtype, optional
            float32 or float64; by default that of `loc` and `scale`, or, if they are scalars, as
            set by `default_dtype`.

        Returns
        -------
        Tensor
            ``loc + scale * standard_normal(size)``.

        Raises
        ------
        ValueError
            If a scalar `scale` is negative.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.random.default_rng(0).normal(10.0, xp.asarray([1.0, 100.0]))
        Tensor([10.12573022, -3.21048633], dtype=float64)
        """
        loc, scale = map(self._number, (loc, scale))
        _nonnegative("normal", "scale", scale)
        z = self._shaped("normal", "standard_normal", size, dtype, loc=loc, scale=scale)
        return _cast(loc + scale * z, dtype)

    @in_own_name("uniform")
    def uniform(
        self,
        low: Real | Tensor = 0.0,
        high: Real | Tensor = 1.0,
        size: Shape | None = None,
        dtype: DType | None = None,
    ) -> Tensor:
        """Random numbers from a uniform distribution.

        Parameters
        ----------
        low, high : float or Tensor, optional
            Ends of the interval; rounding may produce either. The result is differentiable with
            respect to them.
        size : int or tuple of int, optional
            Shape of the result; by default the broadcast shape of `low` and `high`.
        dtype : dtype, optional
            float32 or float64; by default that of `low` and `high`, or, if they are scalars, as set
            by `default_dtype`.

        Returns
        -------
        Tensor
            ``low + (high - low) * random(size)``.

        Raises
        ------
        ValueError
            If scalar ends are in the wrong order, or their difference is not finite.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.random.default_rng(0).uniform(-1.0, 1.0, size=100)
        >>> bool(xp.all((x >= -1) & (x <= 1)))
        True
        """
        low, high = map(self._number, (low, high))
        if isinstance(low, (int, float)) and isinstance(high, (int, float)):
            distance = high - low
            if not (distance >= 0 and math.isfinite(distance)):
                raise ValueError(
                    "uniform: high - low must be finite and not negative; "
                    f"got low={low!r}, high={high!r}"
                )
        u = self._shaped("uniform", "random", size, dtype, low=low, high=high)
        return _cast(low + (high - low) * u, dtype)

    @in_own_name("exponential")
    def exponential(
        self, scale: Real | Tensor = 1.0, size: Shape | None = None, dtype: DType | None = None
    ) -> Tensor:
        """Random numbers from an exponential distribution.

        Parameters
        ----------
        scale : float or Tensor, optional
            Mean. The result is differentiable with respect to it.
        size : int or tuple of int, optional
            Shape of the result; by default that of `scale`.
        dtype : dtype, optional
            float32 or float64; by default that of `scale`, or, if it is a scalar, as set by
            `default_dtype`.

        Returns
        -------
        Tensor
            ``scale * standard_exponential(size)``.

        Raises
        ------
        ValueError
            If a scalar `scale` is negative.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.random.default_rng(0).exponential(2.0, size=(3, 4)).shape
        (3, 4)
        """
        scale = self._number(scale)
        _nonnegative("exponential", "scale", scale)
        z = self._shaped("exponential", "standard_exponential", size, dtype, scale=scale)
        return _cast(scale * z, dtype)

    # ---- integers, permutations, samples

    def integers(
        self,
        low: int,
        high: int | None = None,
        size: Shape | None = None,
        dtype: DType | None = None,
        endpoint: bool = False,
    ) -> Tensor:
        """Uniform random integers from `low` to `high`.

        Parameters
        ----------
        low : int
            Smallest integer. If `high` is not given, this is the end and the smallest integer is 0.
        high : int, optional
            End of the range, exclusive by default.
        size : int or tuple of int, optional
            Shape of the result.
        dtype : dtype, optional
            An integer dtype or bool; by default int64.
        endpoint : bool, optional
            Whether the end is included.

        Returns
        -------
        Tensor
            Tensor of shape `size`.

        Raises
        ------
        TypeError
            If an end is not an int, or `dtype` is not an integer dtype or bool.
        ValueError
            If the range is empty, or does not fit the dtype.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.random.default_rng(0).integers(1, 6, size=4, endpoint=True)
        Tensor([6, 4, 4, 2], dtype=int64)
        """
        if high is None:
            low, high = 0, low
        low, high = _whole("integers", "low", low), _whole("integers", "high", high)
        last = high if endpoint else high - 1
        dtype = as_dtype(dtype, "integers") or DEFAULTS["integral"]
        if dtype.kind not in "iub":
            raise TypeError(f"integers: dtype must be an integer dtype or bool; got {dtype}")
        least, most = _limits(dtype)
        if low > last:
            raise ValueError(f"integers: the range from {low} to {last} is empty")
        if low < least or last > most:
            raise ValueError(f"integers: the range from {low} to {last} does not fit {dtype}")
        return self._made("integers", low, last, _size("integers", size), dtype, True)

    @in_own_name("permutation")
    def permutation(self, x: int | Tensor, axis: int = 0) -> Tensor:
        """Permute the elements along an axis randomly.

        Parameters
        ----------
        x : int or Tensor
            Tensor to permute; an int stands for ``arange(x)``.
        axis : int, optional
            Axis to permute; its slices are moved as a whole.

        Returns
        -------
        Tensor
            Permuted copy.

        Raises
        ------
        ValueError
            If the axis does not exist or an int is negative.

        Examples
        --------
        >>> import arraygrad as xp
        >>> xp.random.default_rng(0).permutation(5)
        Tensor([2, 4, 3, 0, 1], dtype=int64)
        """
        if not isinstance(x, Tensor):
            return self._order(_count("permutation", "x", x))
        self._check(x, "permutation", axis)
        return take(x, self._order(x.shape[axis]), axis=axis)

    @in_own_name("shuffle")
    def shuffle(self, x: Tensor, axis: int = 0) -> None:
        """Permute the elements along an axis randomly, in place.

        Parameters
        ----------
        x : Tensor
            Tensor to modify.
        axis : int, optional
            Axis to permute; its slices are moved as a whole.

        Raises
        ------
        ValueError
            If the axis does not exist or the data is read-only.

        Examples
        --------
        >>> import arraygrad as xp
        >>> x = xp.arange(5)
        >>> xp.random.default_rng(0).shuffle(x)
        >>> x
        Tensor([2, 4, 3, 0, 1], dtype=int64)
        """
        self._check(x, "shuffle", axis)
        x[...] = take(x, self._order(x.shape[axis]), axis=axis)

    @in_own_name("choice")
    def choice(
        self,
        a: int | Tensor,
        size: Shape | None = None,
        replace: bool = True,
        p: Tensor | Sequence[float] | None = None,
        axis: int = 0,
        shuffle: bool = True,
    ) -> Tensor:
        """Random sample.

        Parameters
        ----------
        a : int or Tensor
            Population to sample from; an int stands for ``arange(a)``.
        size : int or tuple of int, optional
            Shape of the sample, which replaces `axis`.
        replace : bool, optional
            Whether an element may be chosen more than once.
        p : Tensor or sequence of float, optional
            Probability of each element; by default uniform. (The host checks the probabilities, and
            therefore waits for a GPU.)
        axis : int, optional
            Axis whose slices are chosen.
        shuffle : bool, optional
            Whether the order of a sample without replacement must be random.

        Returns
        -------
        Tensor
            Sample with the dtype of `a`.

        Raises
        ------
        TypeError
            If `a` is neither an int nor a tensor.
        ValueError
            If there are not enough elements to choose from, or `p` is not a distribution over them.

        Examples
        --------
        >>> import arraygrad as xp
        >>> rng = xp.random.default_rng(0)
        >>> rng.choice(xp.asarray([10, 20, 30]), size=4, p=[0.8, 0.1, 0.1])
        Tensor([10, 10, 10, 10], dtype=int64)
        >>> rng.choice(5, size=5, replace=False)
        Tensor([0, 1, 3, 4, 2], dtype=int64)
        """
        if isinstance(a, Tensor):
            self._check(a, "choice", axis)
            n = a.shape[axis]
        else:
            if isinstance(a, (list, tuple)):
                raise TypeError(f"choice: a must be an int or a tensor; got {describe(a)}")
            n = _count("choice", "a", a)
        shape = _size("choice", size)
        count = math.prod(shape)
        if count > (n if not replace else n and count):
            raise ValueError(f"choice: cannot take {count} of {n} elements with replace={replace}")
        weights = None if p is None else self._weights(p, n, 1 if replace else count)
        chosen = self._made("choice", n, count, replace, weights, shuffle)
        if not isinstance(a, Tensor):
            return reshape(chosen, shape)
        axis %= a.ndim
        found = take(a, chosen, axis=axis)
        return reshape(found, (*a.shape[:axis], *shape, *a.shape[axis + 1 :]))

    def _weights(self, p: Any, n: int, nonzero: int) -> Any:
        """Probabilities as an array of the backend."""
        if not isinstance(p, Tensor):
            with default_dtype(ALL["float64"]):
                p = asarray(p, device=self._device)
        p._check_constant("choice")
        if p._device is not self._device:
            raise DeviceMismatchError(
                f"choice: p is on {p._device}, the generator on {self._device}"
            )
        if p.shape != (n,) or p.dtype.kind not in "iuf":
            raise ValueError(f"choice: p must have {n} probabilities; got {describe(p)}")
        p = astype(p, ALL["float64"], copy=False)
        right = (_abs(_sum(p) - 1) < 1e-8) & _all(p >= 0)
        if not right:
            raise ValueError(
                "choice: p must be probabilities, which are not negative and whose sum is 1; got "
                f"{describe(p)} of sum {float(_sum(p))}"
            )
        if nonzero > 1 and int(count_nonzero(p)) < nonzero:
            raise ValueError(f"choice: at least {nonzero} probabilities must not be 0")
        return p._data

    # ---- shared helpers

    def _note(self) -> None:
        """Save the state before the first use in each run that may be repeated."""
        recorder = get_recorder()
        if recorder is not None:
            recorder.see_generator(self)
        for found in _noting.get():
            if self not in found:
                found[self] = operation(self._device, "random.copy")(self._rng)

    def _draw(self, name: str, *args: Any) -> Any:
        self._note()
        try:
            return operation(self._device, f"random.{name}")(self._rng, *args)
        except Exception as error:
            raise explain(error, name, args) from error

    def _made(self, name: str, *args: Any) -> Tensor:
        levels = _drawing.get()
        if levels:
            return self._made_in_batch(levels, name, args)
        return wrap(Tensor, self._draw(name, *args), self._device)

    def _made_in_batch(self, levels: tuple[Any, ...], name: str, args: tuple[Any, ...]) -> Tensor:
        """Numbers inside of vmap; the innermost level is the last."""
        for level in levels:
            if level.randomness == "error":
                raise RuntimeError(
                    f"{name}: random numbers are drawn inside of vmap; write "
                    'vmap(f, randomness="different") for other ones in each example, "same" '
                    "for the same in all, or draw them outside"
                )
        levels = tuple([level for level in levels if level.randomness == "different"])
        sizes = tuple([level.size for level in levels])
        if name in _SHAPE_AT:
            i = _SHAPE_AT[name]
            args = (*args[:i], (*sizes, *args[i]), *args[i + 1 :])
            found = wrap(Tensor, self._draw(name, *args), self._device)
        else:
            count = math.prod(sizes)
            draws = [self._draw(name, *args) for _ in range(count or 1)]
            found = stack([wrap(Tensor, x, self._device) for x in draws])[:count]
            found = reshape(found, (*sizes, *found.shape[1:]))
        for level in levels:
            found = level.wrap(found)
        return found

    if not TYPE_CHECKING:  # hidden from type checkers, or a generator would have every name

        def __getattr__(self, name: str) -> NoReturn:
            raise _hints.missing("'Generator' object", self, name, _hints.GENERATOR)

    def _floats(self, name: str, size: Shape | None, dtype: DType | None) -> Tensor:
        return self._made(name, _size(name, size), _floating(name, dtype))

    def _number(self, x: Any) -> Any:
        """Parameter, with NumPy scalars converted to Python's."""
        return x.item() if self._device.backend.is_host_scalar(x) else x

    def _shaped(
        self, name: str, draw: str, size: Shape | None, dtype: DType | None, **ends: Any
    ) -> Tensor:
        """Numbers from a standard distribution, in the shape of the parameters."""
        tensors = [x for x in ends.values() if isinstance(x, Tensor)]
        for word, x in ends.items():
            if not isinstance(x, (Tensor, int, float)) or (
                isinstance(x, Tensor) and x.dtype.kind == "c"
            ):
                raise TypeError(f"{name}: {word} must be a real number; got {describe(x)}")
        for x in tensors:
            if x._device is not self._device:
                raise DeviceMismatchError(
                    f"{name}: a parameter is on {x._device}, the generator on {self._device}"
                )
        common = broadcast_shapes(*(x.shape for x in tensors)) if tensors else ()
        shape = common if size is None else _size(name, size)
        if not _broadcasts(common, shape):
            raise ValueError(f"{name}: parameters of shape {common} do not broadcast to {shape}")
        if dtype is None and tensors:
            single = all(x.dtype == ALL["float32"] for x in tensors)
            dtype = ALL["float32" if single else "float64"]
        return self._made(draw, shape, _floating(name, dtype))

    def _order(self, n: int) -> Tensor:
        return self._made("permutation", n)

    def _check(self, x: Any, name: str, axis: int) -> None:
        if not isinstance(x, Tensor):
            raise TypeError(f"{name}: expected an int or a Tensor; got {describe(x)}")
        if x._device is not self._device:
            raise DeviceMismatchError(
                f"{name}: the tensor is on {x._device}, the generator on {self._device}; "
                f'make one there: default_rng(seed, device="{x._device}")'
            )
        try:
            operator.index(axis)
        except TypeError as error:
            raise TypeError(f"{name}: axis must be an int; got {describe(axis)}") from error
        if not -x.ndim <= axis < x.ndim:
            raise ValueError(f"{name}: axis {axis} does not exist; got {describe(x)}")


#: For the runs that may be repeated, the innermost last: generators and copies of their states.
_noting: ContextVar[tuple[dict[Generator, Any], ...]] = ContextVar("arraygrad_noting", default=())


#: Which argument of a draw is the shape, where there is one.
_SHAPE_AT = {"random": 0, "standard_normal": 0, "standard_exponential": 0, "integers": 2}
#: The batches inside of which numbers are drawn, the innermost last.
_drawing: ContextVar[tuple[Any, ...]] = ContextVar("arraygrad_drawing", default=())


@contextmanager
def drawing(level: Any) -> Iterator[None]:
    """Draw numbers for the examples of a batch, as its `randomness` says."""
    token = _drawing.set((*_drawing.get(), level))
    try:
        yield
    finally:
        _drawing.reset(token)


class SameDraws:
    """Lets repeated runs of the same code draw the same random numbers from any generators.

    The first run saves the state of each generator before its first use. Later runs start from
    these states, and restore the generators afterwards. The copies are made on the device.
    """

    __slots__ = ("_noted",)

    def __init__(self) -> None:
        self._noted: dict[Generator, Any] | None = None

    @contextmanager
    def run(self) -> Iterator[None]:
        """One run, as a context manager."""
        if self._noted is None:
            self._noted = {}
            token = _noting.set((*_noting.get(), self._noted))
            before = {}
        else:
            token = _noting.set(())  # states noted outside do not apply in here
            before = {generator: generator._rng for generator in self._noted}
            for generator, rng in self._noted.items():
                generator._rng = operation(generator._device, "random.copy")(rng)
        try:
            yield
        finally:
            _noting.reset(token)
            for generator, rng in before.items():
                generator._rng = rng


def _broadcasts(shape: tuple[int, ...], to: tuple[int, ...]) -> bool:
    try:
        return broadcast_shapes(shape, to) == to
    except ValueError:
        return False


def default_rng(
    seed: int | Sequence[int] | Generator | None = None, *, device: DeviceLike = None
) -> Generator:
    """Make a generator of random numbers.

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence or Generator, optional
        Nonnegative seed. By default it is drawn from the operating system. A generator is returned
        unchanged.
    device : Device or str, optional
        Device of the tensors it makes; by default the default device.

    Returns
    -------
    Generator
        Generator that produces the same numbers for the same seed on the same kind of device.

    Raises
    ------
    TypeError, ValueError
        If `seed` has another type, the device does not exist, or a generator is on another device.

    Examples
    --------
    >>> import arraygrad as xp
    >>> rng = xp.random.default_rng(7)
    >>> rng.random()
    Tensor(0.62509547, dtype=float64)
    """
    if isinstance(seed, Generator):
        if device is not None and get_device(device, "default_rng") is not seed._device:
            raise ValueError(f"default_rng: the generator is on {seed._device}; got {device}")
        return seed
    target = get_device(device, "default_rng")
    if isinstance(seed, Tensor):
        raise TypeError(f"default_rng: seed must be an int; got {describe(seed)}")
    try:
        return _generator(operation(target, "random.default_rng")(seed), target)
    except Exception as error:
        raise explain(error, "default_rng", (seed,)) from error


def _generator(rng: Any, device: Device) -> Generator:
    self = object.__new__(Generator)
    self._rng, self._device = rng, device
    return self


def _restored(state: Any, device: Device) -> Any:
    try:
        return operation(device, "random.restore")(state)
    except Exception as error:
        raise ValueError(f"Generator: expected a state of a generator on {device}") from error


def _unpickle(state: dict[str, Any], device: str) -> Generator:
    target = Device(device)
    return _generator(_restored(state, target), target)


def _size(function: str, size: Any) -> tuple[int, ...]:
    return () if size is None else _shape(size, function)


def _floating(function: str, dtype: Any) -> DType:
    if isinstance(dtype, int):
        raise TypeError(
            f"{function}: dtype must be float32 or float64; got {dtype!r}; size must be an "
            f"int or one tuple; write rng.{function}(shape)"
        )
    found = as_dtype(dtype, function)
    if found is None:
        return get_defaults()["real floating"]
    if found not in (ALL["float32"], ALL["float64"]):
        raise TypeError(f"{function}: dtype must be float32 or float64; got {found}")
    return found


def _cast(x: Tensor, dtype: Any) -> Tensor:
    """Cast a result to the requested dtype if the parameters have promoted it to another."""
    return x if dtype is None else astype(x, dtype, copy=False)


def _whole(function: str, name: str, x: Any) -> int:
    try:
        return x.__index__()
    except (AttributeError, TypeError):
        raise TypeError(f"{function}: {name} must be an int; got {describe(x)}") from None


def _count(function: str, name: str, x: Any) -> int:
    n = _whole(function, name, x)
    if n < 0:
        raise ValueError(f"{function}: {name} must not be negative; got {n}")
    return n


def _limits(dtype: DType) -> tuple[int, int]:
    if dtype.kind == "b":
        return 0, 1
    limits = integer_limits(dtype)
    return limits.min, limits.max


def _nonnegative(function: str, name: str, x: Any) -> None:
    if isinstance(x, (int, float)) and not x >= 0:
        raise ValueError(f"{function}: {name} must not be negative; got {x!r}")
