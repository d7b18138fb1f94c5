"""Clipping of gradients."""

import math

import numpy as np
import pytest
from optim.support import START, loss_of, variables

import arraygrad
from arraygrad import optim


@pytest.mark.parametrize("norm_type", [1.0, 2.0, 3.0, math.inf])
def test_clipping_by_norm(norm_type, xp):
    torch = pytest.importorskip("torch")
    if norm_type == 3.0 and str(xp.default_device().device).startswith("strict"):
        norm_type = 1.0  # array_api_strict's own norms are what is measured elsewhere
    for most in (0.5, 100.0):
        ours = variables(xp)
        theirs = [torch.tensor(w, requires_grad=True) for w in START]
        loss_of(ours).backward()
        loss_of(theirs).backward()
        a = optim.clip_grad_norm_(iter(ours), most, norm_type)
        b = torch.nn.utils.clip_grad_norm_(theirs, most, norm_type)
        assert float(a) == pytest.approx(float(b), rel=1e-12)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-12, atol=1e-15)


def test_clipping_by_value_and_of_containers(xp):
    p = variables(xp, START[2:])
    p[0].grad = xp.asarray([5.0, -0.25])
    optim.clip_grad_value_(p, 0.5)
    np.testing.assert_array_equal(p[0].grad.numpy(), [0.5, -0.25])
    g = {"a": xp.asarray([3.0, 0.0]), "b": (xp.asarray(4.0),)}
    assert float(optim.clip_grad_norm_(g, 10.0)) == 5.0
    np.testing.assert_array_equal(g["a"].numpy(), [3.0, 0.0])
    optim.clip_grad_norm_(g, 2.5)
    np.testing.assert_allclose(g["a"].numpy(), [1.5, 0.0], rtol=1e-6)
    assert float(optim.clip_grad_norm_([], 1.0)) == 0.0


def test_clipping_refuses():
    g = [arraygrad.asarray([1.0, math.inf])]
    with pytest.raises(ValueError, match="norm of the gradients is inf"):
        optim.clip_grad_norm_(g, 1.0, error_if_nonfinite=True)
    assert float(g[0][0]) == 1.0
    for clip in (optim.clip_grad_norm_, optim.clip_grad_value_):
        for limit in (-1, math.nan):
            with pytest.raises(ValueError, match=f"must not be negative or NaN; got {limit}"):
                clip(g, limit)
        for limit in (None, "1", 1j, arraygrad.ones(2), True):
            with pytest.raises(TypeError, match=f"^{clip.__name__}: .* must be a number; got"):
                clip(g, limit)
        with pytest.raises(TypeError, match="expected floating-point parameters or gradients"):
            clip([arraygrad.asarray([1])], 1.0)
    with pytest.raises(TypeError, match="expected floating-point parameters"):
        optim.clip_grad_value_([1.0], 1.0)


def test_clipping_complex_gradients():
    g = {"a": arraygrad.asarray([3.0]), "b": arraygrad.asarray([3j, 4.0])}
    with pytest.raises(TypeError, match=r"clip_grad_value_: complex .*got .*complex128"):
        optim.clip_grad_value_(g, 1.0)
    assert g["a"].tolist() == [3.0]  # nothing has been written
    assert float(optim.clip_grad_norm_(g["b"], np.float32(2.5), np.int64(2))) == 5.0
    np.testing.assert_allclose(g["b"].numpy(), [1.5j, 2.0], rtol=1e-6)
