"""Anomaly detection: `debug_nans`, a mode that raises at the first NaN.

Outside of it nothing is checked. Inside, operations take the general path through the dispatch,
which calls the check; a backward pass looks it up in the mode.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, overload
from weakref import WeakKeyDictionary

from .. import _pytree
from .._array import Array, wrap
from .._dispatch import reduction, unary
from .._errors import describe
from .._modes import Block, _mode, get_mode
from .._standard import MUTATING
from .._typing import P, R
from ._graph import Node, OutputNode
from ._rules import UNREACHED, Rule
from ._tangents import _host


class Line(NamedTuple):
    """Line of the user's code."""

    file: str
    number: int
    function: str

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.number).strip()
        place = f'File "{self.file}", line {self.number}, in {self.function}'
        return f"{place}: {text}" if text else place


@overload
def debug_nans(enabled: Callable[P, R]) -> Callable[P, R]: ...
@overload
def debug_nans(enabled: bool = True) -> Block: ...
def debug_nans(enabled: bool | Callable[..., Any] = True) -> Any:
    """Raise at the first NaN, and name the operation that produced it.

    Use it to find out why a loss is NaN. In the ``with`` block or decorated function, an operation
    raises if its result has NaN and none of its operands has. The backward pass raises if a
    derivative rule turns a cotangent without NaN into one with NaN; forward mode does the same for
    tangents. The message names the line where the operation was recorded.

    Parameters
    ----------
    enabled : bool or callable, optional
        False disables the check inside an outer block, for code that produces NaN and handles it. A
        function is decorated: ``@autodiff.debug_nans`` is ``@autodiff.debug_nans()``.

    Returns
    -------
    context manager, or callable
        Context manager, or the decorated function if `enabled` is a function.

    Raises
    ------
    FloatingPointError
        Raised by operations inside the block. An operation with a NaN operand does not raise. But
        if such a NaN reaches the value or gradient that a transform returns, the transform raises
        and names the operand.

    Notes
    -----
    Every result is checked, which takes about as long as the operation, and the host waits for a
    GPU. Outside of the block there is no overhead. The setting belongs to the current context
    (:mod:`contextvars`): other threads and tasks are not affected.

    A NaN in the branch that `where` does not select also raises, although it affects neither value
    nor gradient; ``xp.log(xp.where(x > 0, x, 1.0))`` avoids it. Intermediate NaNs inside a single
    operation or rule of this package are not checked.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> with autodiff.debug_nans():
    ...     autodiff.grad(lambda x: xp.sum(xp.log(x)))(xp.asarray([1.0, -1.0]))
    Traceback (most recent call last):
    ...
    FloatingPointError: log: the result is NaN at 1 of 2 elements, the first at index (1,), and \
no operand is; got Tensor(shape=(2,), dtype=float64)
    """
    if callable(enabled):
        return _block(True)(enabled)
    return _block(enabled)


def _block(enabled: bool) -> Block:
    def value() -> NaNCheck | None:
        if not enabled:
            return None
        mode = get_mode()
        return NaNCheck() if mode is None or mode.nans is None else mode.nans

    return Block("nans", value)


@contextmanager
def _suspended() -> Iterator[None]:
    """Suspend the check for its own operations."""
    token = _mode.set(None)
    try:
        yield
    finally:
        _mode.reset(token)


#: Operations that write to their operands instead of returning a result.
_WRITING = MUTATING | {"sweep"}


class NaNCheck:
    """State of one `debug_nans` block."""

    def __init__(self) -> None:
        self.lines: WeakKeyDictionary[Node, Line] = WeakKeyDictionary()
        #: Description of the first NaN that no operation produced.
        self.external = ""

    # ---- operations on plain tensors

    def checked(self, name: str, function: Callable[..., Any], like: Array) -> Callable[..., Any]:
        """Wrap a backend function so that its result is checked."""
        name = name.removesuffix(".batch")

        def run(*args: Any, **kwargs: Any) -> Any:
            with _suspended():
                writing = name in _WRITING
                had = writing and self._nan_operand(like, args, kwargs)
                with _host.errstate(
                    invalid="ignore"
                ):  # the error is more specific than NumPy's warning
                    result = function(*args, **kwargs)
                found = _first_nan(_tensors(like, args if writing else (result,)))
                if found is None:
                    return result
                external = had if writing else self._nan_operand(like, args, kwargs)
                if not external:
                    raise FloatingPointError(f"the result is {found}, and no operand is")
                self.external = self.external or f"{external} of {name}, {_line()}"
                return result

        return run

    def _nan_operand(self, like: Array, args: Any, kwargs: dict[str, Any]) -> str:
        """Name of the first operand of a backend function that has NaN."""
        for i, x in [*enumerate(args), *kwargs.items()]:
            if has_nan(x if isinstance(x, (float, complex)) else [*_tensors(like, (x,))]):
                return f"operand {i}"
        return ""

    # ---- traced tensors

    def check_traced(self, name: str, operands: Sequence[Any], results: Sequence[Any]) -> None:
        """Check the tangents of results, and note the lines where results were recorded."""
        for x in results:
            trace = getattr(x, "_trace", None)
            if trace is None:
                continue
            if not trace.level.forward:
                node = trace.parents[0] if type(trace) is OutputNode else trace
                self.lines.setdefault(node, _line())
            elif name not in MUTATING:
                with _suspended():
                    found = _first_nan(_plain_parts(trace.value))
                    blamed = found is not None and not has_nan(list(operands))
                if blamed:
                    got = ", ".join(map(describe, operands))
                    raise FloatingPointError(
                        f"{name}: the tangent of the result is {found}, while operands and "
                        f"their tangents are not; got {got}"
                    )

    def check_results(
        self, name: str, results: Any, args: Sequence[Any] = (), tangents: Sequence[Any] = ()
    ) -> None:
        """Raise if a NaN that no operation produced reaches the returned values."""
        with _suspended():
            found = _first_nan(_plain_parts(results))
            if found is None:
                return
            given = [
                (f"argument {i}{path}", x)
                for i, arg in enumerate(args)
                for x, path in zip(_pytree.flatten(arg)[0], _pytree.paths(arg), strict=True)
            ]
            given += [("a tangent", t) for t in tangents]
            self.external = next((words for words, x in given if has_nan(x)), self.external)
        raise FloatingPointError(f"{name}: the result is {found}; {self.origin()}")

    def origin(self) -> str:
        """Text about the origin of a NaN."""
        if not self.external:
            return "no operation made it inside of debug_nans"
        return f"no operation made it: the first NaN came in with {self.external}"

    # ---- backward passes

    def backward(self, roots: Sequence[tuple[Node, Any]]) -> BackwardCheck:
        """Return the checker of a backward pass that starts with these cotangents."""
        return BackwardCheck(self, roots)


class BackwardCheck:
    """Checker of the cotangents of one backward pass."""

    def __init__(self, nans: NaNCheck, roots: Sequence[tuple[Node, Any]]) -> None:
        self.nans = nans
        with _suspended():
            self.external = has_nan([g for _, g in roots])
        if self.external:
            nans.external = nans.external or "the cotangent that the backward pass began with"

    def cotangents(
        self, rule: Rule, node: Node, g: Any, saved: Any, compute: Callable[..., Any]
    ) -> Any:
        """Compute the cotangents of the operands and check them."""
        self.check_cotangent(node, g)
        found = compute(rule, node, g, saved)
        with _suspended():
            for i, (x, parent) in enumerate(zip(found, node.parents, strict=False)):
                nothing = x is None or x is UNREACHED or parent is None
                text = None if nothing else _first_nan(_plain_parts(x))
                if text is None:
                    continue
                if self.external or has_nan([g, *saved]):
                    self.external = True
                    continue
                raise FloatingPointError(
                    f"{rule.name}: the gradient with respect to operand {i} is {text}, while "
                    f"its cotangent and saved tensors are not; got {describe(g)} for an operand of "
                    f"shape {parent.shape} and dtype {parent.dtype}{self.recorded(node)}"
                )
        return found

    def check_cotangent(self, node: Node, g: Any) -> None:
        """Check the cotangent of a node, the sum of the results of rules."""
        if self.external:
            return
        with _suspended():
            text = _first_nan(_plain_parts(g))
        if text is not None:
            raise FloatingPointError(
                f"{node.name}: the sum of the cotangents of its result is {text}, and none of "
                f"these is ({'inf - inf, or a hook' if node.hooks else 'inf - inf'})"
                f"{self.recorded(node)}"
            )

    def recorded(self, node: Node) -> str:
        """Text about the line where the operation of a node was recorded."""
        if node.rule is None:
            return ""
        line = self.nans.lines.get(node)
        return "; recorded outside of debug_nans" if line is None else f"; recorded at {line}"

    def check_found(self, found: dict[Node, Any]) -> None:
        """Check the gradients that the pass returns."""
        for node, g in found.items():
            self.check_cotangent(node, g)
            with _suspended():
                text = _first_nan(_plain_parts(g))
            if text is not None:
                raise FloatingPointError(f"backward: a gradient is {text}; {self.nans.origin()}")


# ---- helpers of the checks


def _tensors(like: Array, data: Any) -> Iterator[Any]:
    """Backend arrays among operands or results, as tensors."""
    device = like._device
    for x in data:
        if isinstance(x, (tuple, list)):
            yield from _tensors(like, x)
        elif isinstance(x, device.array_type) or device.backend.is_host_scalar(x):
            yield wrap(type(like), x, device)


def _plain_parts(x: Any) -> Iterator[Any]:
    """Plain tensors in a tensor of any kind: its value and tangents."""
    if isinstance(x, (tuple, list)):
        for y in x:
            yield from _plain_parts(y)
        return
    while isinstance(x, Array) and x._trace is not None:
        if x._trace.level.forward:
            yield from _plain_parts(x._trace.value)
        x = x._primal
    if isinstance(x, Array):
        yield x


def _first_nan(tensors: Iterator[Any]) -> str | None:
    """Description of the NaN in the first tensor that has any."""
    for x in tensors:
        if x._data.dtype.kind not in "fc":
            continue
        mask = unary("isnan", x)
        if not reduction("any", mask, None, False):
            continue
        if not mask.ndim:
            return "NaN"
        places = unary("nonzero", mask)
        index = tuple([int(i[0]) for i in places])
        count = f"{places[0].size} of {mask.size} elements"
        return f"NaN at {count}, the first at index {index}"
    return None


def has_nan(x: Any) -> bool:
    """Return True if a tensor of any kind, a scalar, or a list of these has NaN."""
    if isinstance(x, (float, complex)):
        return x != x
    return _first_nan(_plain_parts(x)) is not None


def _line() -> Line:
    """Line of the user's code that is being executed."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("arraygrad."):
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
