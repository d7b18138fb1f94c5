"""Modes: what the ``with`` blocks around an operation ask of it, in one context variable.

The variable is None where nothing is asked, which is all that a small operation looks at. Each
block that is entered puts a setting on a stack; each that is left takes its own out, wherever it
stands, so blocks may be left in any order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from functools import wraps
from types import TracebackType
from typing import Any


class Default:
    """A default that is set when the object is made, and put back where a ``with`` block ends."""

    __slots__ = ("_token", "_variable")

    def _set(self, variable: ContextVar[Any], value: Any) -> None:
        self._variable = variable
        self._token: Token[Any] | None = None if value is None else variable.set(value)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._token is not None:
            self._variable.reset(self._token)
            self._token = None


class Setting:
    """One block that has been entered: a field of `Mode`, its value there, and the `Block`."""

    __slots__ = ("block", "field", "value")

    def __init__(self, field: str, value: Any, block: Block | None) -> None:
        self.field = field
        self.value = value
        self.block = block


class Mode:
    """What all entered blocks ask together; immutable.

    Attributes
    ----------
    strict : bool
        Whether only what the standard defines is accepted.
    nans : object or None
        Checks results for NaN (`autodiff.debug_nans`).
    grad : tuple
        Blocks that switch recording off or on, the innermost first.
    checks : bool
        Whether operations take the long way, on which they are checked.
    """

    __slots__ = ("checks", "grad", "nans", "outer", "setting", "strict")

    def __init__(self, setting: Setting | None, outer: Mode | None) -> None:
        self.setting = setting
        self.outer = outer
        self.strict: bool = outer is not None and outer.strict
        self.nans: Any = None if outer is None else outer.nans
        self.grad: tuple[Any, ...] = () if outer is None else outer.grad
        if setting is not None:
            value = (setting.value, *self.grad) if setting.field == "grad" else setting.value
            setattr(self, setting.field, value)
        self.checks = self.strict or self.nans is not None


_mode: ContextVar[Mode | None] = ContextVar("arraygrad_mode", default=None)
get_mode = _mode.get


def is_strict() -> bool:
    """Whether only what the standard defines is accepted."""
    mode = get_mode()
    return mode is not None and mode.strict


def enter(field: str, value: Any, block: Block | None = None) -> Setting:
    """Add a setting to the mode; `leave` takes it out."""
    setting = Setting(field, value, block)
    _mode.set(Mode(setting, get_mode()))
    return setting


def leave(setting: Setting) -> None:
    """Take a setting out of the mode, wherever in the stack it is.

    In another context than the one it was entered in, where it is not in the stack, nothing
    happens: a generator may be closed by another task than the one that ran it.
    """
    inner = []
    mode = get_mode()
    while mode is not None and mode.setting is not setting:
        inner.append(mode.setting)
        mode = mode.outer
    if mode is None:
        return
    mode = mode.outer
    for other in reversed(inner):
        mode = Mode(other, mode)
    _mode.set(mode)


class Block:
    """A context manager and decorator that adds a setting to the mode.

    It decorates functions, generators, coroutines and asynchronous generators. A generator has
    the setting while it runs; between its steps its caller does not.
    """

    def __init__(self, field: str, make: Callable[[], Any]) -> None:
        self._field = field
        self._make = make

    def __enter__(self) -> None:
        enter(self._field, self._make(), self)

    def __exit__(self, *_: object) -> None:
        # What this object entered in other threads and tasks is in their modes.
        mode = get_mode()
        while mode is not None:
            setting = mode.setting
            if setting is not None and setting.block is self:
                leave(setting)
                return
            mode = mode.outer

    def _again(self) -> Block:
        return Block(self._field, self._make)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        again = self._again
        if inspect.isgeneratorfunction(function):

            @wraps(function)
            def generator(*args: Any, **kwargs: Any) -> Any:
                steps = function(*args, **kwargs)
                resume, value = steps.send, None
                while True:
                    with again():
                        try:
                            item = resume(value)
                        except StopIteration as stop:
                            return stop.value
                    try:
                        resume, value = steps.send, (yield item)
                    except GeneratorExit:
                        with again():
                            steps.close()
                        raise
                    except BaseException as error:
                        resume, value = steps.throw, error

            return generator
        if inspect.isasyncgenfunction(function):

            @wraps(function)
            async def async_generator(*args: Any, **kwargs: Any) -> Any:
                steps = function(*args, **kwargs)
                step = steps.__anext__()
                while True:
                    try:
                        item = await _Awaited(step, again)
                    except StopAsyncIteration:
                        return
                    try:
                        step = steps.asend((yield item))
                    except GeneratorExit:
                        await _Awaited(steps.aclose(), again)
                        raise
                    except BaseException as error:
                        step = steps.athrow(error)

            return async_generator
        if inspect.iscoroutinefunction(function):

            @wraps(function)
            async def coroutine(*args: Any, **kwargs: Any) -> Any:
                return await _Awaited(function(*args, **kwargs), again)

            return coroutine

        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with again():
                return function(*args, **kwargs)

        return run


class _Awaited:
    """An awaitable that has a setting while it runs, and not while it waits."""

    def __init__(self, awaitable: Any, block: Callable[[], Block]) -> None:
        self._awaitable = awaitable
        self._block = block

    def __await__(self) -> Any:
        steps = self._awaitable.__await__()
        resume: Callable[..., Any] = steps.__next__
        value: tuple[Any, ...] = ()
        while True:
            with self._block():
                try:
                    item = resume(*value)
                except StopIteration as stop:
                    return stop.value
            try:
                received = yield item
            except GeneratorExit:
                with self._block():
                    steps.close()
                raise
            except BaseException as error:
                resume, value = steps.throw, (error,)
            else:
                resume, value = (
                    (steps.__next__, ()) if received is None else (steps.send, (received,))
                )


@contextmanager
def strict(enabled: bool = True) -> Iterator[None]:
    """Accept only what the standard defines, inside a ``with`` block.

    Outside of it, where the standard leaves a case open, the answer is NumPy's: an int tensor
    plus a float one, the square root of ints, lists as indices, ``dtype=float``. Code that
    relies on such answers may fail with another array library. Inside, each of them raises and
    names the portable spelling, so a library's tests can run under it.

    Parameters
    ----------
    enabled : bool, optional
        False switches strict mode off again inside an outer strict block.

    Raises
    ------
    TypeError, IndexError, ValueError
        By the operations inside the block that the standard does not define.

    Examples
    --------
    >>> import arraygrad as xp
    >>> xp.asarray([1, 2]) + 0.5
    Tensor([1.5, 2.5], dtype=float64)
    >>> with xp.strict():
    ...     xp.asarray([1, 2]) + 0.5
    Traceback (most recent call last):
    ...
    TypeError: add: float with int64 is outside the standard; write xp.astype(x, xp.float64) first
    """
    setting = enter("strict", enabled)
    try:
        yield
    finally:
        leave(setting)
