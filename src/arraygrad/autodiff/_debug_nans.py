"""Errors at the first NaN: `debug_nans`, a mode in which results are checked.

Outside of it nothing is looked at. Inside, operations take the long way through the dispatch, which
calls the check; a backward pass asks the mode whether there is one.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from .. import _pytree
from .._array import Array, wrap
from .._dispatch import reduction, unary
from .._errors import describe
from .._modes import Block, _mode, get_mode
from .._standard import MUTATING
from ._graph import Node, OutputNode
from ._rules import Rule
from ._tangents import _host


class Line(NamedTuple):
    """A line of the user's code."""

    file: str
    number: int
    function: str

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.number).strip()
        place = f'File "{self.file}", line {self.number}, in {self.function}'
        return f"{place}: {text}" if text else place


def debug_nans(enabled: bool | Callable[..., Any] = True) -> Any:
    """Raise at the first NaN, and name the operation that made it.

    For a loss that has become NaN: inside of the ``with`` block, or in a decorated function, an
    operation on tensors raises if its result has NaN and none of its operands has. So does the
    backward pass if the rule of an operation makes NaN out of a cotangent without, and forward
    mode for tangents. The message says where the operation was recorded.

    Parameters
    ----------
    enabled : bool or callable, optional
        False switches it off again inside of an outer block, for code that makes NaN and deals
        with it. A function is decorated: ``@autodiff.debug_nans`` is ``@autodiff.debug_nans()``.

    Returns
    -------
    context manager, or callable
        The decorated function, if `enabled` is one.

    Raises
    ------
    FloatingPointError
        By the operations inside of the block. A NaN that came in with an operand is no fault of
        the operation; if it reaches the value or the gradient that a differentiation gives, this
        raises and says with what it came in.

    Notes
    -----
    Every result is looked at, which takes about as long as the operation, and on a GPU waits
    for it. Outside of the block nothing is: an operation costs what it does without. The setting
    belongs to the current context (:mod:`contextvars`): other threads and tasks keep theirs.

    A NaN in the branch that `where` does not take raises as well, by the operation that made it,
    though it harms neither value nor gradient here; ``xp.log(xp.where(x > 0, x, 1.0))`` makes
    none. Inside of what is one operation or one rule of this package NaN may come and go.

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
    """For the check's own operations."""
    token = _mode.set(None)
    try:
        yield
    finally:
        _mode.reset(token)


#: Operations that write to their operands instead of returning a result.
_WRITING = MUTATING | {"sweep"}


class NaNCheck:
    """What is known inside of one `debug_nans`."""

    def __init__(self) -> None:
        self.lines: WeakKeyDictionary[Node, Line] = WeakKeyDictionary()
        #: What the first NaN came in with that no operation made.
        self.external = ""

    # ---- operations on plain tensors

    def checked(self, name: str, function: Callable[..., Any], like: Array) -> Callable[..., Any]:
        """A backend's function that looks at what it returns."""

        def run(*args: Any, **kwargs: Any) -> Any:
            with _suspended():
                writing = name in _WRITING
                had = writing and self._nan_operand(like, args, kwargs)
                with _host.errstate(invalid="ignore"):  # the error says more than NumPy
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
        """Which operand of a backend's function has NaN."""
        for i, x in [*enumerate(args), *kwargs.items()]:
            if has_nan(x if isinstance(x, (float, complex)) else [*_tensors(like, (x,))]):
                return f"operand {i}"
        return ""

    # ---- traced tensors

    def check_traced(self, name: str, operands: Sequence[Any], results: Sequence[Any]) -> None:
        """Look at the tangents of results, and note where results were recorded."""
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
                        f"{name}: the tangent of the result is {found}, and neither operands nor "
                        f"their tangents are; got {got}"
                    )

    def check_results(
        self, name: str, results: Any, args: Sequence[Any] = (), tangents: Sequence[Any] = ()
    ) -> None:
        """Raise if NaN that no operation made has come through to what the user is given."""
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
        """What is known of where a NaN came from."""
        if not self.external:
            return "no operation made it inside of debug_nans"
        return f"no operation made it: the first NaN came in with {self.external}"

    # ---- backward passes

    def backward(self, roots: Sequence[tuple[Node, Any]]) -> BackwardCheck:
        """What looks at a backward pass that begins with these cotangents."""
        return BackwardCheck(self, roots)


class BackwardCheck:
    """Looks at the cotangents of one backward pass."""

    def __init__(self, nans: NaNCheck, roots: Sequence[tuple[Node, Any]]) -> None:
        self.nans = nans
        with _suspended():
            self.external = has_nan([g for _, g in roots])
        if self.external:
            nans.external = nans.external or "the cotangent that the backward pass began with"

    def cotangents(
        self, rule: Rule, node: Node, g: Any, saved: Any, compute: Callable[..., Any]
    ) -> Any:
        """The cotangents of the operands, as `compute` returns them."""
        self.check_cotangent(node, g)
        found = compute(rule, node, g, saved)
        with _suspended():
            for i, (x, parent) in enumerate(zip(found, node.parents, strict=False)):
                text = None if x is None or parent is None else _first_nan(_plain_parts(x))
                if text is None:
                    continue
                if self.external or has_nan([g, *saved]):
                    self.external = True
                    continue
                raise FloatingPointError(
                    f"{rule.name}: the gradient with respect to operand {i} is {text}, and neither "
                    f"its cotangent nor a saved tensor is; got {describe(g)} for an operand of "
                    f"shape {parent.shape} and dtype {parent.dtype}{self.recorded(node)}"
                )
        return found

    def check_cotangent(self, node: Node, g: Any) -> None:
        """Look at the cotangent of a node, the sum of what the rules returned."""
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
        """Where the operation of a node was recorded."""
        if node.rule is None:
            return ""
        line = self.nans.lines.get(node)
        return "; recorded outside of debug_nans" if line is None else f"; recorded at {line}"

    def check_found(self, found: dict[Node, Any]) -> None:
        """Look at the gradients that the pass returns."""
        for node, g in found.items():
            self.check_cotangent(node, g)
            with _suspended():
                text = _first_nan(_plain_parts(g))
            if text is not None:
                raise FloatingPointError(f"backward: a gradient is {text}; {self.nans.origin()}")


# ---- what is looked at


def _tensors(like: Array, data: Any) -> Iterator[Any]:
    """The backend's arrays among operands or results, as tensors."""
    device = like._device
    for x in data:
        if isinstance(x, (tuple, list)):
            yield from _tensors(like, x)
        elif isinstance(x, device.array_type) or device.backend.is_host_scalar(x):
            yield wrap(type(like), x, device)


def _plain_parts(x: Any) -> Iterator[Any]:
    """The plain tensors that a tensor of any kind is made of: value and tangents."""
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
    """Words for the NaN in the first tensor that has any."""
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
    """Whether there is NaN in a tensor of any kind, a scalar, or a list of these."""
    if isinstance(x, (float, complex)):
        return x != x
    return _first_nan(_plain_parts(x)) is not None


def _line() -> Line:
    """The line of the user's code that is being executed."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("arraygrad."):
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)
