"""Modes: the settings that ``with`` blocks make for operations, in one context variable.

The variable is None if no block is active, and a small operation checks only for None. Entering a
block pushes a setting onto a stack. Leaving it removes its own setting from any position, so blocks
may be left in any order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import wraps
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from ._typing import P, R


class Setting:
    """The setting of an active block: a field of `Mode`, its value, and the `Block`."""

    __slots__ = ("block", "field", "value")

    def __init__(self, field: str, value: Any, block: Block | None) -> None:
        self.field = field
        self.value = value
        self.block = block


class Mode:
    """The settings of all active blocks; immutable.

    Attributes
    ----------
    strict : bool
        True if names and arguments outside the standard are refused.
    nans : object or None
        Checks results for NaN (`autodiff.debug_nans`).
    grad : tuple
        Blocks that switch recording off or on, the innermost first.
    recorder : object or None
        Records the backend's calls (`compile`).
    checks : bool
        True if operations take the general path, which checks and records them.
    """

    __slots__ = ("checks", "grad", "nans", "outer", "recorder", "setting", "strict")

    def __init__(self, setting: Setting | None, outer: Mode | None) -> None:
        self.setting = setting
        self.outer = outer
        self.strict: bool = outer is not None and outer.strict
        self.nans: Any = None if outer is None else outer.nans
        self.recorder: Any = None if outer is None else outer.recorder
        self.grad: tuple[Any, ...] = () if outer is None else outer.grad
        if setting is not None:
            value = (setting.value, *self.grad) if setting.field == "grad" else setting.value
            setattr(self, setting.field, value)
        self.checks = self.strict or self.nans is not None or self.recorder is not None


_mode: ContextVar[Mode | None] = ContextVar("arraygrad_mode", default=None)
get_mode = _mode.get


def is_strict() -> bool:
    """Return True if names and arguments outside the standard are refused."""
    mode = get_mode()
    return mode is not None and mode.strict


def get_recorder() -> Any:
    """What records the backend's calls for `compile`; None where nothing does."""
    mode = get_mode()
    return None if mode is None else mode.recorder


def operation(device: Any, name: str) -> Any:
    """The backend's function of an operation, recorded where `compile` records.

    For calls that have no form in the dispatch.
    """
    mode = get_mode()
    function = device.ops[name]
    if mode is None or mode.recorder is None:
        return function
    return mode.recorder.recorded(name, function, device)


def called_again(function: Callable[..., Any]) -> Any:
    """Decorator of a method that changes Python's state: a compiled program calls it again."""

    @wraps(function)
    def run(self: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = get_recorder()
        if recorder is None:
            return function(self, *args, **kwargs)

        def on_self(args: Any, kwargs: Any) -> Any:
            return function(self, *args, **kwargs)

        return recorder.host(f"{type(self).__name__}.{function.__name__}", on_self, (args, kwargs))

    return run


class unrecorded:
    """A context in which `compile` records nothing."""

    def __enter__(self) -> None:
        mode = get_mode()
        while mode is not None and mode.recorder is not None:
            mode = mode.outer
        self._token = _mode.set(mode)

    def __exit__(self, *_: object) -> None:
        _mode.reset(self._token)


def without_settings(mode: Mode | None) -> Mode | None:
    """The mode for work of the engine that no setting concerns; it is still recorded."""
    if mode is None or mode.recorder is None:
        return None
    return Mode(Setting("recorder", mode.recorder, None), None)


def enter(field: str, value: Any, block: Block | None = None) -> Setting:
    """Add a setting to the mode; `leave` takes it out."""
    setting = Setting(field, value, block)
    _mode.set(Mode(setting, get_mode()))
    return setting


def leave(setting: Setting) -> None:
    """Remove a setting from the mode, at any position in the stack.

    A generator may be closed by another task than the one that ran it. In that context the setting
    is not in the stack, and nothing happens.
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


class Decorator:
    """Base class of context managers that are also decorators.

    They decorate functions, generators, coroutines and asynchronous generators. The setting is
    active while a generator runs, but not in its caller between two steps.
    """

    __slots__ = ()

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *_: object) -> None:
        raise NotImplementedError

    def _again(self) -> Decorator:
        """New context manager with the same settings."""
        raise NotImplementedError

    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]:
        return self._decorated(function)

    def _decorated(self, function: Callable[..., Any]) -> Any:
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


class Block(Decorator):
    """A context manager and decorator that adds a setting to the mode."""

    def __init__(self, field: str, make: Callable[[], Any]) -> None:
        self._field = field
        self._make = make

    def __enter__(self) -> None:
        enter(self._field, self._make(), self)

    def __exit__(self, *_: object) -> None:
        # Blocks that this object entered in other threads and tasks are in their modes.
        mode = get_mode()
        while mode is not None:
            setting = mode.setting
            if setting is not None and setting.block is self:
                leave(setting)
                return
            mode = mode.outer

    def _again(self) -> Block:
        return Block(self._field, self._make)


class Override(Decorator):
    """A context manager and decorator that sets a context variable."""

    def __init__(self, variable: ContextVar[Any], value: Any) -> None:
        self._variable = variable
        self._value = value
        self._token: Token[Any] | None = None

    def __enter__(self) -> Any:
        self._token = self._variable.set(self._value)
        return self._value

    def __exit__(self, *_: object) -> None:
        if self._token is not None:
            self._variable.reset(self._token)
            self._token = None

    def _again(self) -> Override:
        return Override(self._variable, self._value)


class Default(Override):
    """A default that the call sets, and whose previous value a ``with`` block restores.

    As a decorator, it is set only while the function, generator or coroutine runs.
    """

    def __init__(self, variable: ContextVar[Any], value: Any, sets: bool) -> None:
        super().__init__(variable, value)
        if sets:
            super().__enter__()

    def __enter__(self) -> Any:
        raise NotImplementedError

    def _decorated(self, function: Callable[..., Any]) -> Any:
        self.__exit__()
        return super()._decorated(function)


class _Awaited:
    """An awaitable for which a setting is active while it runs, but not while it waits."""

    def __init__(self, awaitable: Any, block: Callable[[], Decorator]) -> None:
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


@overload
def strict(enabled: Callable[P, R]) -> Callable[P, R]: ...
@overload
def strict(enabled: bool = True) -> Block: ...
def strict(enabled: bool | Callable[..., Any] = True) -> Any:
    """Refuse names and arguments outside the standard, as a context manager or as a decorator.

    Outside strict mode, cases that the standard leaves undefined follow NumPy: an int tensor plus a
    float tensor, the square root of ints, lists as indices, ``dtype=float``. Code that relies on
    them may fail with another array library. In strict mode they raise, and the message names the
    portable form, so a library can run its tests in this mode.

    Parameters
    ----------
    enabled : bool or callable, optional
        False switches strict mode off inside an outer strict block. A callable is decorated:
        ``@xp.strict`` is the same as ``@xp.strict()``. Functions, generators, coroutines and
        asynchronous generators can be decorated. The mode is active while a generator runs, but not
        in its caller.

    Returns
    -------
    context manager or callable
        For ``with`` or ``@``; the decorated function if `enabled` is a callable.

    Raises
    ------
    TypeError, IndexError, ValueError
        From operations inside the block that the standard does not define.

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
    if callable(enabled):
        return strict()(enabled)
    return Block("strict", lambda: enabled)
