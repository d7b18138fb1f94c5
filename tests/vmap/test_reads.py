"""What reads the values of a batch refuses, and says what to write; random numbers."""

import math

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff, nn, vmap

READS = {
    "if": (lambda x: 1.0 if x[0] > 0 else 0.0, r"xp\.where"),
    "and": (lambda x: (x[0] > 0) and (x[1] > 0), "logical_and"),
    "float": (lambda x: float(x[0]), "functions of arraygrad"),
    "int": (lambda x: int(x[0]), "functions of arraygrad"),
    "item": (lambda x: x[0].item(), "functions of arraygrad"),
    "tolist": (lambda x: x.tolist(), "functions of arraygrad"),
    "math": (lambda x: math.sqrt(x[0]), "functions of arraygrad"),
    "numpy": (lambda x: x.numpy(), "functions of arraygrad"),
    "asarray": (lambda x: np.asarray(x), "instead of NumPy's"),
    "ufunc": (lambda x: np.sin(x), "instead of NumPy's"),
    "dlpack": (lambda x: np.from_dlpack(x), "functions of arraygrad"),
    "range": (lambda x: range(arraygrad.astype(x[0], arraygrad.int64)), "sizes must be the same"),
    "format": (lambda x: f"{x[0]:.3f}", "functions of arraygrad"),
    "mask": (lambda x: x[x > 0], r"xp\.where"),
    "nonzero": (lambda x: arraygrad.nonzero(x), r"xp\.where"),
    "unique": (lambda x: arraygrad.unique_values(x), r"xp\.sort"),
    "repeat": (
        lambda x: arraygrad.repeat(x, arraygrad.astype(x > 0, arraygrad.int64)),
        "the same for all",
    ),
    "full": (lambda x: arraygrad.arange(x[0]), "functions of arraygrad"),
    "allclose": (lambda x: arraygrad.allclose(x, x), "xp.where"),
}


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("how", ["alone", "in grad", "in jvp", "around grad"])
def test_reads_of_values_say_what_to_write(name, how):
    read, remedy = READS[name]
    xp = arraygrad
    x = xp.asarray([[1.0, -2.0], [3.0, 4.0], [-5.0, 6.0]])

    def f(x):
        read(x)
        return xp.sum(x)

    call = {
        "alone": lambda: vmap(f)(x),
        "in grad": lambda: vmap(autodiff.grad(f))(x),
        "in jvp": lambda: vmap(lambda x: autodiff.jvp(f, (x,), (x,)))(x),
        "around grad": lambda: autodiff.grad(lambda x: xp.sum(vmap(f)(x)))(x),
    }[how]
    with pytest.raises(TypeError, match="inside of vmap") as raised:
        call()
    import re

    assert re.search(remedy, str(raised.value)), raised.value


def test_a_batch_prints_all_examples(xp):
    texts = []
    vmap(lambda x: texts.append((repr(x), str(x))) or x)(xp.asarray([1.0, 2.0]))
    assert texts[0][0].startswith("Tensor([1., 2.], dtype=float64")
    assert texts[0][0].endswith(", vmap)")
    assert texts[0][1] == "[1., 2.]"


@pytest.mark.parametrize("draw", [
    lambda rng: rng.random(3), lambda rng: rng.standard_normal(3),
    lambda rng: rng.normal(1.0, 2.0, size=3), lambda rng: rng.integers(1000, size=3),
    lambda rng: rng.permutation(3), lambda rng: rng.choice(30, size=3, replace=False),
    lambda rng: rng.uniform(-1.0, 1.0, size=(3,)), lambda rng: rng.exponential(size=3),
])  # fmt: skip
def test_random_numbers_are_the_same_or_different(xp, draw):
    x = xp.zeros(4)
    rng = xp.random.default_rng(3)
    f = lambda x: xp.astype(draw(rng), xp.float64) + x
    with pytest.raises(RuntimeError, match='randomness="different"'):
        vmap(f)(x)
    one = vmap(f, randomness="same")(x).numpy()
    assert one.shape == (4, 3)
    assert (one == one[0]).all()
    chunks = vmap(f, randomness="same", chunk_size=3)(x).numpy()
    assert (chunks == chunks[0]).all()
    assert not (chunks == one).all()  # the generator went on
    each = vmap(f, randomness="different")(x).numpy()
    assert len(np.unique(each, axis=0)) > 1
    inner = lambda x: vmap(lambda y: f(y) + x, randomness="same")(xp.zeros(2))
    nested = vmap(inner, randomness="different")(x).numpy()
    assert nested.shape == (4, 2, 3)
    assert (nested[:, 0] == nested[:, 1]).all()
    assert len(np.unique(nested[:, 0], axis=0)) > 1


def test_gradients_with_random_numbers_inside(xp):
    rng = xp.random.default_rng(0)
    w = xp.asarray([1.0, 2.0])
    x = xp.ones((5, 2))

    def f(w, x):
        return xp.sum((w + 0.1 * rng.normal(x, 1.0)) ** 2)

    before = rng.state
    found = vmap(autodiff.grad(f), (None, 0), randomness="different")(w, x)
    rng.state = before
    drawn = rng.standard_normal((5, 2))
    np.testing.assert_allclose(found.numpy(), (2 * (w + 0.1 * (x + drawn))).numpy())


def test_dropout_differs_between_examples(xp):
    x = xp.ones((6, 50))
    rng = xp.random.default_rng(0)
    f = lambda x: nn.dropout(x, 0.5, rng=rng)
    with pytest.raises(RuntimeError, match="inside of vmap"):
        vmap(f)(x)
    found = vmap(f, randomness="different")(x).numpy()
    assert len(np.unique(found, axis=0)) == 6
