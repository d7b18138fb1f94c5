"""Errors at the first NaN.

Nothing is looked at unless somebody asks. While a `debug_nans` is entered anywhere, the devices
have tables of functions that check what they give, traced tensors go the long way through the
dispatch, and a pass backward wraps the rules that it uses. When the last one has been left, all is
as it was. Whether they check is a context variable: other threads and tasks only pay for asking.
"""

from __future__ import annotations

import linecache
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from .. import _device, _dispatch, _pytree
from .._device import Device
from .._errors import describe
from .._standard import MUTATING
from .._tensor import Tensor
from . import _engine
from ._rules import Rule
from ._traced import Dual, Node, Part, Traced, Variable


class Line(NamedTuple):
    """A line of the user's code."""

    file: str
    number: int
    function: str

    def __str__(self) -> str:
        text = linecache.getline(self.file, self.number).strip()
        place = f'File "{self.file}", line {self.number}, in {self.function}'
        return f"{place}: {text}" if text else place


class Watch:
    """What is known inside of one `debug_nans`."""

    def __init__(self) -> None:
        self.lines: WeakKeyDictionary[Node, Line] = WeakKeyDictionary()
        #: With what the first NaN came in that no operation made.
        self.came = ""


_watch: ContextVar[Watch | None] = ContextVar("arraygrad_debug_nans", default=None)


def watching() -> Watch | None:
    """The watch of this context; None inside of rules, of which the result alone counts."""
    watch = _watch.get()
    return None if watch is None or _engine._in_rules.get() else watch


def debug_nans(enabled: bool | Callable[..., Any] = True) -> Any:
    """Raise at the first NaN, and name the operation that made it.

    For a loss that has become NaN: inside of the ``with`` block, or in a decorated function, an
    operation on tensors raises if its result has NaN and none of its operands has. So does the
    pass backward if the rule of an operation makes NaN out of a cotangent without, and forward
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
        return _watched(True)(enabled)
    return _watched(enabled)


@contextmanager
def _watched(enabled: bool) -> Iterator[None]:
    if enabled:
        _switch(1)
    token = _watch.set((_watch.get() or Watch()) if enabled else None)
    try:
        yield
    finally:
        _watch.reset(token)
        if enabled:
            _switch(-1)


@contextmanager
def _unwatched() -> Iterator[None]:
    """For what looks itself."""
    token = _watch.set(None)
    try:
        yield
    finally:
        _watch.reset(token)


# ---- what is exchanged meanwhile

_lock = threading.Lock()
#: How many contexts are entered, in all threads.
entered = 0
_tables: dict[Device, Any] = {}
_shorts: list[tuple[dict[type, Any], dict[type, Any]]] = []


def _switch(step: int) -> None:
    """Enter or leave: the first of all exchanges the handlers of operations, the last restores."""
    global entered
    with _lock:
        before, entered = entered, entered + step
        if not before:
            _device.made.append(_exchange)
            for device in list(_device._known.values()):
                _exchange(device)
            for table in (_dispatch.SHORT_CALL, _dispatch.SHORT_BINARY, _dispatch.SHORT_INPLACE):
                _shorts.append((table, dict(table)))
                table.clear()
            setattr(Traced, "_transform", _transform)  # noqa: B010  (mypy forbids to assign it)
        elif not entered:
            setattr(Traced, "_transform", _plain_transform)  # noqa: B010  (as above)
            for table, entries in _shorts:
                table.update(entries)
            _shorts.clear()
            _device.made.remove(_exchange)
            for device, ops in _tables.items():
                device.ops = ops
            _tables.clear()


def _exchange(device: Device) -> None:
    if device in _tables:
        return
    _tables[device] = ops = device.ops
    device.ops = {
        name: f if name in _NO_OPERATIONS else _checked(name, f, device) for name, f in ops.items()
    }


#: What computes nothing, so that NaN in it is nobody's fault.
_NO_OPERATIONS = frozenset(
    "array asarray dlpack empty empty_like from_dlpack from_host from_peer from_scalar item root "
    "settle to_host".split()
)
#: What writes to its operands instead of giving a result.
_WRITING = MUTATING | {"sweep"}


def _checked(name: str, function: Callable[..., Any], device: Device) -> Callable[..., Any]:
    """A backend's function that looks at what it gives."""

    def run(*args: Any, **kwargs: Any) -> Any:
        watch = watching()
        if watch is None:
            return function(*args, **kwargs)
        with _unwatched():
            writing = name in _WRITING
            had = writing and _came(device, args, kwargs)
            with _engine._numbers.errstate(invalid="ignore"):  # the error says more than NumPy
                result = function(*args, **kwargs)
            found = _first(_wrapped(device, args if writing else (result,)))
            if found is None or next(_wrapped(device, args), None) is None:
                return result  # without operands, as of random numbers, or what is made of lists
            came = had if writing else _came(device, args, kwargs)
            if not came:
                raise FloatingPointError(f"the result is {found}, and no operand is")
            watch.came = watch.came or f"{came} of {name}, {_line()}"
            return result

    return run


def _transform(self: Traced, name: str, operands: Any, args: Any, kwargs: Any) -> Any:
    result = _engine.transform(name, operands, args, kwargs)
    seen(name, operands, result if isinstance(result, (tuple, list)) else (result,))
    return result


_plain_transform = Traced._transform


# ---- what is looked at


def _wrapped(device: Device, data: Any) -> Iterator[Tensor]:
    """The backend's arrays among operands or results, as tensors."""
    for x in data:
        if isinstance(x, (tuple, list)):
            yield from _wrapped(device, x)
        elif isinstance(x, device.array_type) or device.backend.is_host_scalar(x):
            yield _dispatch.wrap(x, device)


def _came(device: Device, args: Any, kwargs: dict[str, Any]) -> str:
    """Which operand of a backend's function has NaN."""
    for i, x in [*enumerate(args), *kwargs.items()]:
        found = x if isinstance(x, (float, complex)) else [*_wrapped(device, (x,))]
        if has_nan(found):
            return f"operand {i}"
    return ""


def _parts(x: Any) -> Iterator[Tensor]:
    """The plain tensors that a tensor of any kind is made of: value and tangents."""
    if isinstance(x, (tuple, list)):
        for y in x:
            yield from _parts(y)
    while isinstance(x, Traced):
        if isinstance(x, Dual):
            yield from _parts(x._trace.value)
        x = x._value
    if isinstance(x, Tensor):
        yield x


def _first(tensors: Iterator[Tensor]) -> str | None:
    """Words for the NaN in the first tensor that has any."""
    for x in tensors:
        if x._data.dtype.kind not in "fc":
            continue
        mask = _dispatch.unary("isnan", x)
        if not _dispatch.reduction("any", mask, None, False):
            continue
        if not mask.ndim:
            return "NaN"
        places = _dispatch.unary("nonzero", mask)
        index = tuple([int(i[0]) for i in places])
        count = f"{places[0].size} of {mask.size} elements"
        return f"NaN at {count}, the first at index {index}"
    return None


def has_nan(x: Any) -> bool:
    """Whether there is NaN in a tensor of any kind, a scalar, or a list of these."""
    if isinstance(x, (float, complex)):
        return x != x
    return _first(_parts(x)) is not None


def _line() -> Line:
    """The line of the user's code that is being executed."""
    frame: Any = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGE):
        frame = frame.f_back
    return Line(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name)


_PACKAGE = "arraygrad."


# ---- differentiation


def seen(name: str, operands: Sequence[Any], results: Sequence[Any]) -> None:
    """Look at the tangents of results, and note where they were recorded."""
    watch = _watch.get()
    if watch is None:
        return
    checks = watching() is not None and name not in MUTATING
    for x in results:
        if type(x) is Variable:
            watch.lines.setdefault(_whole(x._trace), _line())
        elif isinstance(x, Dual) and checks:
            with _unwatched():
                found = _first(_parts(x._trace.value))
                blamed = found is not None and not has_nan(list(operands))
            if blamed:
                got = ", ".join(map(describe, operands))
                raise FloatingPointError(
                    f"{name}: the tangent of the result is {found}, and neither operands nor their "
                    f"tangents are; got {got}"
                )


def _whole(node: Any) -> Any:
    """The node of an operation, of which `node` may be that of one of several results."""
    return node.parents[0] if type(node) is Part else node


@contextmanager
def no_rule() -> Iterator[None]:
    """For the user's code that a pass backward runs: it is watched as elsewhere."""
    if _watch.get() is None:
        yield
        return
    token = _engine._in_rules.set(False)
    try:
        yield
    finally:
        _engine._in_rules.reset(token)


def check_results(
    name: str, results: Any, args: Sequence[Any] = (), tangents: Sequence[Any] = ()
) -> None:
    """Raise if NaN that no operation made has come through to what is given to the user."""
    watch = watching()
    if watch is None:
        return
    with _unwatched():
        found = _first(_parts(results))
        if found is None:
            return
        given = [
            (f"argument {i}{path}", x)
            for i, arg in enumerate(args)
            for x, path in zip(_pytree.flatten(arg)[0], _pytree.paths(arg), strict=True)
        ]
        given += [("a tangent", t) for t in tangents]
        watch.came = next((words for words, x in given if has_nan(x)), watch.came)
    raise FloatingPointError(f"{name}: the result is {found}; {_origin(watch)}")


def _origin(watch: Watch) -> str:
    if not watch.came:
        return "no operation made it inside of debug_nans"
    return f"no operation made it: the first NaN came in with {watch.came}"


def checks(roots: Sequence[tuple[Node, Tensor]]) -> Pass | None:
    """What looks at a pass backward from these cotangents; None if nobody asked."""
    watch = watching()
    return None if watch is None else Pass(watch, roots)


class Pass:
    """Looks at the cotangents of one pass backward."""

    def __init__(self, watch: Watch, roots: Sequence[tuple[Node, Tensor]]) -> None:
        self.watch = watch
        with _unwatched():
            self.came = has_nan([g for _, g in roots])
        if self.came:
            watch.came = watch.came or "the cotangent that the pass backward began with"

    def rule(self, rule: Rule, node: Node, pulled: Callable[..., Any]) -> Rule:
        """The rule, checked; `pulled` gives the cotangents of the operands."""

        def whole(g: Any, *saved: Any, **_: Any) -> Any:
            self.reached(node, g)
            found = pulled(rule, node, g, saved)
            parents: Any = node.parents
            for i, (x, parent) in enumerate(zip(found, parents, strict=False)):
                text = None if x is None else _first(_parts(x))
                if text is None:
                    continue
                if self.came or has_nan([g, *saved]):
                    self.came = True
                    continue
                raise FloatingPointError(
                    f"{rule.name}: the gradient by operand {i} is {text}, and neither its "
                    f"cotangent nor what was kept for it is; got {describe(g)} for an operand of "
                    f"shape {parent.shape} and dtype {parent.dtype}{self.recorded(node)}"
                )
            return found

        return Rule(rule.name, whole=whole)

    def reached(self, node: Node, g: Any) -> None:
        """Look at the cotangent of a node, the sum of what the rules gave."""
        if self.came:
            return
        text = _first(_parts(g))
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
        line = self.watch.lines.get(node)
        return "; recorded outside of debug_nans" if line is None else f"; recorded at {line}"

    def found(self, found: dict[Node, Tensor]) -> None:
        """Look at what the pass gives."""
        for node, g in found.items():
            with _unwatched():
                self.reached(node, g)
                text = _first(_parts(g))
            if text is not None:
                raise FloatingPointError(f"backward: a gradient is {text}; {_origin(self.watch)}")
