"""Modes as decorators: they hold while the decorated body runs, and not between its steps."""

import asyncio
import contextlib
import pickle

import pytest

import arraygrad as xp
from arraygrad import autodiff

INT = xp.asarray([1, 2])
NAN = xp.asarray([-1.0])
SAVED = pickle.dumps(xp.ones(2))


def refuses(error, f):
    try:
        f()
    except error:
        return True
    return False


def is_strict():
    return refuses(TypeError, lambda: INT + 0.5)


def is_recording():
    return (2 * xp.ones(2).requires_grad_()).requires_grad


def checks_nans():
    return refuses(FloatingPointError, lambda: xp.sqrt(NAN))


#: Modes -> how to make one, how to see it, and what is seen inside and outside.
MODES = {
    "strict": (xp.strict, is_strict, True, False),
    "strict(False)": (lambda: xp.strict(False), is_strict, False, True),
    "no_grad": (autodiff.no_grad, is_recording, False, True),
    "enable_grad": (autodiff.enable_grad, is_recording, True, False),
    "debug_nans": (autodiff.debug_nans, checks_nans, True, False),
    "default_device": (
        lambda: xp.default_device("strict:1"),
        lambda: str(xp.zeros(1).device),
        "strict:1",
        "cpu",
    ),
    "map_location": (
        lambda: xp.map_location("strict:1"),
        lambda: str(pickle.loads(SAVED).device),
        "strict:1",
        "cpu",
    ),
}
#: Blocks around a test, for the modes that switch another one off.
AROUND = {"strict(False)": xp.strict, "enable_grad": autodiff.no_grad}
pytestmark = pytest.mark.filterwarnings("ignore:invalid value")  # of the square root


@pytest.fixture(params=MODES)
def mode(request):
    with AROUND.get(request.param, contextlib.nullcontext)():
        yield MODES[request.param]


def test_a_decorated_function_runs_in_the_mode(mode):
    make, seen, inside, outside = mode

    @make()
    def function(*args, **kwargs):
        """Docs."""
        return seen(), args, kwargs

    assert seen() == outside
    assert function(1, a=2) == (inside, (1,), {"a": 2})
    assert function() == (inside, (), {})  # the second time, too
    assert seen() == outside
    assert (function.__name__, function.__doc__) == ("function", "Docs.")

    @make()
    def fails():
        raise KeyError(seen())

    with pytest.raises(KeyError, match=str(inside)):
        fails()
    assert seen() == outside


def test_a_decorated_generator_is_in_the_mode_while_it_runs(mode):
    make, seen, inside, outside = mode
    ended = []

    @make()
    def steps(first):
        try:
            received = yield first, seen()
            try:
                yield received, seen()
            except KeyError:
                yield "caught", seen()
            return "returned", seen()
        finally:
            ended.append(seen())

    g = steps("first")
    assert seen() == outside
    assert next(g) == ("first", inside)
    assert seen() == outside
    assert g.send("sent") == ("sent", inside)
    assert seen() == outside
    assert g.throw(KeyError()) == ("caught", inside)
    assert seen() == outside
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value == ("returned", inside)
    h = steps("again")  # closed half-way
    next(h)
    h.close()
    assert ended == [inside, inside]
    assert seen() == outside
    a, b = steps("a"), steps("b")  # side by side
    assert [next(a), next(b), next(a), next(b)] == [
        ("a", inside), ("b", inside), (None, inside), (None, inside)
    ]  # fmt: skip
    a.close()
    b.close()
    assert ended == [inside] * 4
    assert seen() == outside


def test_a_decorated_coroutine_is_in_the_mode_while_it_runs(mode):
    make, seen, inside, outside = mode

    @make()
    async def coroutine(fail=False):
        before = seen()
        await asyncio.sleep(0)
        try:
            await asyncio.sleep(0)
            if fail:
                raise KeyError
        finally:
            after = seen()
        return before, after

    async def step(found):
        found.append(seen())
        return await coroutine()

    async def main():
        task, found = asyncio.ensure_future(coroutine()), []
        while not task.done():
            found.append(seen())
            await asyncio.sleep(0)
        assert set(found) == {outside}
        assert await task == (inside, inside)
        assert await coroutine() == (inside, inside)  # in the same task
        assert seen() == outside
        with pytest.raises(KeyError):
            await coroutine(fail=True)
        assert seen() == outside
        cancelled = asyncio.ensure_future(coroutine())
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        assert seen() == outside
        return await step(found), found[-1]

    assert asyncio.run(main()) == ((inside, inside), outside)


def test_a_decorated_asynchronous_generator_is_in_the_mode_while_it_runs(mode):
    make, seen, inside, outside = mode
    ended = []

    @make()
    async def steps():
        try:
            received = yield seen()
            await asyncio.sleep(0)
            try:
                yield received, seen()
            except KeyError:
                yield "caught", seen()
        finally:
            await asyncio.sleep(0)
            ended.append(seen())

    async def main():
        assert [(x, seen()) async for x in steps()] == [
            (inside, outside),
            ((None, inside), outside),
        ]
        g = steps()
        assert await g.__anext__() == inside
        assert await g.asend("sent") == ("sent", inside)
        assert await g.athrow(KeyError()) == ("caught", inside)
        assert seen() == outside
        await g.aclose()
        assert ended == [inside, inside]
        assert seen() == outside

    asyncio.run(main())


def test_a_mode_decorates_what_another_one_has_decorated(mode):
    make, seen, inside, outside = mode

    @autodiff.no_grad()
    @xp.strict()
    @make()
    def steps():
        yield seen()

    assert list(steps()) == [inside]

    @xp.strict()
    @autodiff.no_grad()
    @make()
    async def coroutine():
        await asyncio.sleep(0)
        return seen()

    @xp.strict()
    @autodiff.no_grad()
    @make()
    async def asynchronous_steps():
        yield seen()

    async def main():
        return await coroutine(), [x async for x in asynchronous_steps()]

    assert asyncio.run(main()) == (inside, [inside])
    assert seen() == outside


@pytest.mark.parametrize("name", ["strict", "no_grad", "debug_nans"])
def test_modes_without_options_decorate_without_parentheses(name):
    make, seen, inside, outside = MODES[name]

    @make
    def function():
        return seen()

    @make
    def steps():
        yield seen()

    assert (function(), list(steps()), seen()) == (inside, [inside], outside)


def test_a_decorator_does_not_change_the_default_device():
    decorate = xp.default_device("strict:1")
    assert xp.zeros(1).device == "strict:1"  # as a call that is no decorator does
    f = decorate(lambda: xp.zeros(1).device)
    assert xp.zeros(1).device == "cpu"
    assert [str(f()), str(xp.zeros(1).device), str(f())] == ["strict:1", "cpu", "strict:1"]
