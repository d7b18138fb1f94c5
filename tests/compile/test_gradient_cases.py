"""Every function of the gradient suite, compiled: the same bits, or an error that says why."""

import pytest
from compile.support import bits

import arraygrad as xp
from arraygrad import autodiff
from arraygrad._compile import _text
from arraygrad._compile.passes import blocks
from conformance.gradient_cases import CASES


def loss_of(case):
    def loss(*inputs):
        total = xp.zeros(())
        for out in case.outputs(*inputs):
            if out.dtype.kind in "fc":
                flat = xp.reshape(out, (-1,))
                weights = xp.linspace(0.5, 1.5, flat.shape[0])
                total = total + xp.sum(xp.real(flat * weights))
        return total

    return loss


def forms(case):
    """The function's gradient and its derivative in forward mode."""
    loss = loss_of(case)

    def grad(*xs):
        floating = tuple(i for i, x in enumerate(xs) if x.dtype.kind in "fc")
        return autodiff.value_and_grad(loss, floating)(*xs)

    def jvp(*xs):
        tangents = tuple(xp.ones_like(x) if x.dtype.kind in "fc" else None for x in xs)
        return autodiff.jvp(loss, xs, tangents)

    return grad, jvp


def elsewhere(case):
    return [x * (1 + 1e-3) if x.dtype.kind in "fc" else x + 0 for x in case.inputs()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_gradients(case):
    for form in forms(case):
        try:
            want = [bits(form(*case.inputs()))]
            others = bits(form(*elsewhere(case)))
        except Exception:  # a gradient that does not exist there
            continue
        compiled = xp.compile(form, on_value="guard")
        if any(x in case.name for x in ("solve_ivp", "odeint")):  # their steps are NumPy's
            with pytest.raises(TypeError, match="hands the data to code that cannot be recorded"):
                compiled(*case.inputs())
            continue
        want.append(bits(compiled(*case.inputs())))
        want.append(bits(compiled(*case.inputs())))
        assert want[1:] == want[:1] * 2
        assert bits(compiled(*elsewhere(case))) == others


#: Some functions of each chapter.
SOME = [case for i, case in enumerate(CASES) if i % 15 == 0]


@pytest.mark.parametrize("case", SOME, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_gradients_in_small_blocks(case, monkeypatch):
    monkeypatch.setattr(blocks, "MIN_BYTES", 0)
    monkeypatch.setattr(blocks, "MIN_CALLS", 1)
    monkeypatch.setattr(blocks, "BLOCK_SIZE", 4)
    monkeypatch.setattr(_text, "MIN_BYTES_TO_FREE", 0)
    test_gradients(case)
