"""einops on our tensors: its functions for every array library, and its own with our backend."""

import subprocess
import sys

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff

einops = pytest.importorskip("einops")

from einops import array_api

import arraygrad.interop.einops

_rng = np.random.default_rng(0)
X = _rng.standard_normal((2, 4, 6))
IMAGES = [_rng.standard_normal((4, 6)) for _ in range(3)]

#: use, given the module of einops and the arrays
CASES = {
    "rearrange": lambda e, x: e.rearrange(x, "a b c -> c (b a)"),
    "rearrange, split": lambda e, x: e.rearrange(x, "a (b d) c -> (a d) c b", d=2),
    "rearrange, new axis": lambda e, x: e.rearrange(x, "a b c -> a 1 (b c)"),
    "rearrange, ellipsis": lambda e, x: e.rearrange(x, "a ... -> ... a"),
    **{
        f"reduce, {name}": lambda e, x, name=name: e.reduce(x, "a (b 2) c -> a b", name)
        for name in ("sum", "mean", "max", "min", "prod")
    },
    "reduce, to nothing": lambda e, x: e.reduce(x, "a b c ->", "sum"),
    "reduce, any": lambda e, x: e.reduce(x > 1, "a b c -> a", "any"),
    "reduce, all": lambda e, x: e.reduce(x > -9, "a b c -> a", "all"),
    "repeat": lambda e, x: e.repeat(x, "a b c -> a (b n) c m", n=2, m=3),
    "repeat, two new axes": lambda e, x: e.repeat(x, "a b c -> m a n b c", n=2, m=3),
    "pack": lambda e, x: e.pack([x, x[:, :, 0]], "a b *")[0],
    "unpack": lambda e, x: e.unpack(x, [[2], [], [3]], "a b *")[2],
}  # fmt: skip


@pytest.mark.parametrize("module", [einops, array_api], ids=["einops", "einops.array_api"])
@pytest.mark.parametrize("case", CASES)
def test_equals_numpy(case, module, xp, device, same):
    if module is array_api and device.startswith("strict"):
        pytest.skip("einops.array_api gives lists for shapes, which array_api_strict refuses")
    same(CASES[case](module, xp.asarray(X)), CASES[case](einops, X), rtol=1e-15)


@pytest.mark.parametrize("module", [einops, array_api], ids=["einops", "einops.array_api"])
@pytest.mark.parametrize("case", [c for c in CASES if not c.endswith(("any", "all"))])
def test_gradients(case, module):
    x = arraygrad.asarray(X)
    f = lambda x: CASES[case](module, x)
    autodiff.check_grads(f, (x,))
    (cotangent,) = autodiff.vjp(f, x)[1](arraygrad.ones_like(f(x)))
    assert float(arraygrad.max(arraygrad.abs(cotangent))) > 0


def test_a_list_is_a_stack(xp, same):
    tensors = [xp.asarray(image) for image in IMAGES]
    pattern = "n h w -> h (n w)"
    expected = einops.rearrange(IMAGES, pattern)
    same(einops.rearrange(tensors, pattern), expected)


#: pattern -> shapes of its operands
EINSUM = {
    "a b, b c -> a c": [(2, 3), (3, 4)],
    "batch a b, batch b c -> batch c a": [(5, 2, 3), (5, 3, 4)],
    "a b, a b -> a b": [(2, 3), (2, 3)],
    "a b, a b ->": [(2, 3), (2, 3)],
    "a, b -> b a": [(2,), (3,)],
    "a b c -> b": [(2, 3, 4)],
    "a b c -> c a b": [(2, 3, 4)],
    "i i ->": [(4, 4)],
    "a i i -> i a": [(2, 4, 4)],
    "a i i i -> a i": [(2, 3, 3, 3)],
    "i i, i a -> a": [(4, 4), (4, 3)],
    "a b, c -> a": [(2, 3), (4,)],
    "a b c, c b d, a g k -> a b k": [(2, 3, 4), (4, 3, 2), (2, 5, 6)],
    "o i, ... i -> ... o": [(2, 3), (4, 5, 3)],
    "... i, ... i -> ...": [(4, 1, 3), (2, 3)],
    "a ..., ... a -> ...": [(2, 3, 4), (3, 4, 2)],
    "b h w, h w c -> b c": [(2, 3, 4), (3, 4, 5)],
    "a b, b c, c d, d a ->": [(2, 3), (3, 4), (4, 5), (5, 2)],
    "a b, b -> a": [(2, 0), (0,)],
}


@pytest.mark.parametrize("pattern", EINSUM)
def test_einsum(pattern, xp, same):
    arrays = [_rng.standard_normal(shape) for shape in EINSUM[pattern]]
    expected = einops.einsum(*arrays, pattern)
    same(einops.einsum(*map(xp.asarray, arrays), pattern), expected, rtol=1e-13)


@pytest.mark.parametrize("dtype", ["int32", "float32", "complex64"])
def test_einsum_keeps_the_dtype(dtype, xp, same):
    a = np.arange(6).reshape(2, 3).astype(dtype)
    for pattern in ("a b, b c -> a c", "a b, b c -> a"):
        expected = einops.einsum(a, a.T, pattern)
        same(einops.einsum(xp.asarray(a), xp.asarray(a.T), pattern), expected)


@pytest.mark.parametrize("pattern", EINSUM)
def test_gradients_of_einsum(pattern):
    tensors = [arraygrad.asarray(_rng.standard_normal(shape)) for shape in EINSUM[pattern]]
    autodiff.check_grads(lambda *x: einops.einsum(*x, pattern), tensors, order=2)


@pytest.mark.parametrize(
    ("pattern", "shapes"),
    [
        ("a b, b c -> a c", [(2, 3), (4, 5)]),
        ("i i ->", [(2, 3)]),
        ("a b -> a", [(2, 3, 4)]),
        ("... a -> a", [(2, 3)]),
        ("a b -> a c", [(2, 3)]),
    ],
)
def test_einsum_of_what_does_not_fit_raises(pattern, shapes):
    with pytest.raises((ValueError, einops.EinopsError)):
        einops.einsum(*map(arraygrad.ones, shapes), pattern)


def test_asnumpy():
    x = arraygrad.asarray(X)
    np.testing.assert_array_equal(einops.asnumpy(x), X)
    with pytest.raises(TypeError, match="detach"):
        einops.asnumpy(autodiff.variable(x))


def test_the_backend_waits_until_it_is_asked_for():
    code = (
        "import sys, arraygrad\n"
        "assert 'einops' not in sys.modules\n"
        "import einops\n"
        "x = arraygrad.ones((2, 3))\n"
        "from einops.array_api import rearrange\n"
        "assert rearrange(x, 'a b -> b a').shape == (3, 2)\n"
        "import arraygrad.interop.einops\n"
        "assert einops.rearrange(x, 'a b -> b a').shape == (3, 2)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
