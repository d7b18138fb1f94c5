"""no_grad and enable_grad, as blocks and decorators."""

import asyncio
import threading

import numpy as np
import pytest
from autodiff.support import ONE, close

import arraygrad
from arraygrad import _modes, strict
from arraygrad.autodiff import enable_grad, grad, hessian, jvp, no_grad, variable


@pytest.mark.parametrize("switch", [no_grad, enable_grad])
def test_recording_is_switched_with_and_without_parentheses(switch):
    @switch
    def bare(x):
        return 2 * x

    @switch()
    def called(x):
        return 2 * x

    w = variable(ONE)
    assert bare(w).requires_grad == called(w).requires_grad == (switch != no_grad)
    assert bare.__name__ == "bare"


def recording():
    return (2 * variable(ONE)).requires_grad


def test_no_grad_leaves_what_is_below():
    """What a variable wraps is followed at its own level, also beside others of that level."""

    def f(a):
        def inner(x):
            with no_grad():
                y = x * a  # no derivative by x, but a tangent
            return arraygrad.sum(x * y)

        return grad(inner)(a)  # a^2

    x = arraygrad.asarray([2.0, 3.0])
    close(jvp(f, (x,), (arraygrad.ones(2),))[1], [4, 6])
    close(grad(lambda a: arraygrad.sum(f(a) + 0 * a))(x), [0, 0])  # begun before, too


def test_no_grad_and_enable_grad():
    assert recording()
    with no_grad():
        assert not recording()
        with enable_grad():
            assert recording()
        assert not recording()
        # only what had begun is switched off
        assert float(grad(lambda x: x * x)(ONE)) == 2.0
        assert float(jvp(lambda x: x * x, (ONE,), (ONE,))[1]) == 2.0
    assert recording()

    @no_grad()
    def f():
        """Docs."""
        return recording()

    assert (f(), f.__doc__, recording()) == (False, "Docs.", True)

    def half(x):
        with no_grad():
            y = x * x
        return x * y

    assert float(grad(half)(2 * ONE)) == 4.0
    assert float(grad(lambda x: grad(half)(x) * x)(2 * ONE)) == 4.0  # off for both


def test_state_after_errors():
    def fails(x):
        with no_grad():
            raise KeyError(x.shape)

    for run in (fails, grad(fails), lambda x: jvp(fails, (x,), (x,)), hessian(fails)):
        with pytest.raises(KeyError):
            run(ONE)
        assert recording()
    w = variable(ONE)
    w.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        (w * w).backward()
    assert recording()
    with np.errstate(all="raise"), pytest.raises(FloatingPointError):
        arraygrad.exp(arraygrad.asarray(1e5))  # errstate is as before, too


def test_generators_left_half_way():
    def steps():
        with no_grad():
            yield recording()
            yield recording()

    g = steps()
    assert next(g) is False
    assert not recording()  # the block lasts until the generator leaves it
    with enable_grad():
        g.close()
        assert recording()
    assert recording()

    @no_grad()
    def decorated():
        try:
            received = yield recording()
            yield (recording(), received)
        except KeyError:
            yield ("caught", recording())

    d = decorated()
    assert next(d) is False
    assert recording()
    assert d.send(5) == (False, 5)
    assert d.throw(KeyError()) == ("caught", False)
    d.close()
    left = steps()
    next(left)
    del left
    assert recording()

    async def coroutine():
        before = recording()
        await asyncio.sleep(0)
        return before, recording()

    async def many():
        found = []
        task = asyncio.ensure_future(no_grad(coroutine)())
        for _ in range(3):
            found.append(recording())
            await asyncio.sleep(0)
        return found, await task

    assert asyncio.run(many()) == ([True] * 3, (False, False))

    @no_grad
    async def steps_of_another_kind():
        yield recording()
        await asyncio.sleep(0)
        yield recording()

    async def consume():
        return [(x, recording()) async for x in steps_of_another_kind()]

    assert asyncio.run(consume()) == [(False, True)] * 2


def test_blocks_may_be_left_in_any_order():
    first, second, third = no_grad(), strict(), enable_grad()
    first.__enter__()
    second.__enter__()
    third.__enter__()
    assert recording()
    first.__exit__(None, None, None)
    assert recording()
    third.__exit__(None, None, None)
    assert recording()
    with pytest.raises(TypeError, match="outside the standard"):
        ONE.sum()
    second.__exit__(None, None, None)
    ONE.sum()
    assert _modes.get_mode() is None


def test_threads_and_tasks_have_their_own_state():
    found = {}

    def work():
        found["thread"] = recording()

    with no_grad():
        t = threading.Thread(target=work)
        t.start()
        t.join()
    assert found["thread"]

    async def pausing(event):
        with no_grad():
            event.set()
            await asyncio.sleep(0)
            return recording()

    async def main():
        event = asyncio.Event()
        task = asyncio.ensure_future(pausing(event))
        await event.wait()
        return recording(), await task

    assert asyncio.run(main()) == (True, False)
    assert recording()


def test_a_decorated_generator_that_is_closed_ends_in_its_mode():
    found = []

    @no_grad()
    def steps():
        try:
            yield
        finally:
            found.append(recording())

    with enable_grad():
        g = steps()
        next(g)
        g.close()
    assert found == [False]


def test_the_value_of_an_unrecorded_write_is_a_view_as_it_is_now():
    w = variable(arraygrad.ones(3))
    y = w * 1.0
    v = y[:2]
    y[...] = w * 5.0
    x = arraygrad.zeros(2)
    with no_grad():
        x[...] = v
    assert x.tolist() == [5.0, 5.0]
