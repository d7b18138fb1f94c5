"""Generators: NumPy's numbers on the CPU, the same methods on every device."""

import copy
import json
import math
import pickle

import numpy as np
import pytest

import arraygrad
from arraygrad import DeviceMismatchError, autodiff

#: Calls that NumPy's generators take too.
CALLS = {
    "random": lambda r: r.random((3, 4)),
    "random, float32": lambda r: r.random(5, dtype=np.float32),
    "random, no size": lambda r: r.random(),
    "standard_normal": lambda r: r.standard_normal((2, 0, 3)),
    "standard_normal, float32": lambda r: r.standard_normal((2, 5), dtype=np.float32),
    "standard_exponential": lambda r: r.standard_exponential(5, dtype=np.float32),
    "normal": lambda r: r.normal(2.0, 0.5, size=(3, 4)),
    "uniform": lambda r: r.uniform(-2, 0.5, size=(3, 4)),
    "exponential": lambda r: r.exponential(3.0, size=7),
    "integers": lambda r: r.integers(-5, 1000, size=(3, 4)),
    "integers, one end": lambda r: r.integers(7, size=20),
    "integers, endpoint": lambda r: r.integers(1, 6, size=20, endpoint=True),
    "integers, uint8": lambda r: r.integers(256, size=50, dtype=np.uint8),
    "integers, bool": lambda r: r.integers(2, size=50, dtype=np.bool),
    "integers, uint64": lambda r: r.integers(2**63, 2**64, size=50, dtype=np.uint64),
    "integers, all of int64": lambda r: r.integers(-(2**63), 2**63, size=50),
    "permutation": lambda r: r.permutation(20),
    "choice": lambda r: r.choice(20, size=(3, 4)),
    "choice, one": lambda r: r.choice(20),
    "choice, p": lambda r: r.choice(3, size=50, p=[0.5, 0.25, 0.25]),
    "choice, no replacement": lambda r: r.choice(20, size=12, replace=False),
    "choice, no shuffle": lambda r: r.choice(2000, size=12, replace=False, shuffle=False),
    "choice, p, no replacement": lambda r: r.choice(
        4, size=3, replace=False, p=[0.5, 0.0, 0.25, 0.25]
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_numbers_of_numpy_on_the_cpu(call):
    rng, reference = arraygrad.random.default_rng(5), np.random.default_rng(5)
    for _ in range(3):
        found, expected = CALLS[call](rng), np.asarray(CALLS[call](reference))
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-15)


@pytest.mark.parametrize("call", CALLS)
def test_what_comes_is_of_the_device_and_repeats(xp, call):
    first, second = (xp.random.default_rng([5, 6]) for _ in range(2))
    like = CALLS[call](np.random.default_rng(0))
    draws = []
    for _ in range(2):
        a, b = CALLS[call](first), CALLS[call](second)
        assert a.device is first.device is xp.default_device().device
        assert (a.shape, a.dtype) == (np.shape(like), np.asarray(like).dtype)
        assert bool(xp.all(a == b))
        draws.append(a)
    if a.size > 10:
        assert not bool(xp.all(draws[0] == draws[1]))
        assert not bool(xp.all(a == CALLS[call](xp.random.default_rng(7))))


@pytest.mark.parametrize("shape", [(9,), (6, 2), (2, 6), (1, 3), (0, 2)])
@pytest.mark.parametrize("axis", [0, -1])
def test_permutation_and_shuffle_of_tensors(xp, same, shape, axis):
    data = np.arange(math.prod(shape)).reshape(shape)
    x = xp.asarray(data, copy=True)
    rng = xp.random.default_rng(1)
    found = rng.permutation(x, axis=axis)
    same(x, data)
    rng.shuffle(x, axis=axis)
    if x.device == "cpu":
        reference = np.random.default_rng(1)
        same(found, reference.permutation(data, axis=axis))
        reference.shuffle(data, axis=axis)
        same(x, data)
    for y in (found, x):  # the same slices
        assert sorted(np.moveaxis(y.numpy(), axis, 0).tolist()) == sorted(
            np.moveaxis(data, axis, 0).tolist()
        )


def test_choice_of_a_tensor(xp, same):
    data = np.arange(24.0).reshape(2, 3, 4)
    x = xp.asarray(data)
    found = xp.random.default_rng(0).choice(x, size=(5, 2), axis=1)
    index = xp.random.default_rng(0).choice(3, size=(5, 2))
    same(found, np.take(data, index.numpy(), axis=1))
    same(
        xp.random.default_rng(0).choice(x, axis=-1),
        data[..., int(xp.random.default_rng(0).choice(4))],
    )
    p = xp.asarray([0.0, 1.0, 0.0])
    same(xp.random.default_rng(0).choice(x, 2, p=p, axis=1), data[:, [1, 1]])
    few = xp.random.default_rng(0).choice(1000, 600, replace=False)
    assert np.unique(few.numpy()).size == 600
    few = xp.random.default_rng(0).choice(4, 3, replace=False, p=[0.5, 0.2, 0.3, 0])
    assert sorted(few.tolist()) == [0, 1, 2]


def test_moments(xp):
    rng, n = xp.random.default_rng(11), 40_000
    for x, mean, std in (
        (rng.random(n), 0.5, 12**-0.5),
        (rng.uniform(-1.0, 3.0, n), 1.0, 4 * 12**-0.5),
        (rng.standard_normal(n, dtype=xp.float32), 0.0, 1.0),
        (rng.normal(3.0, 2.0, n), 3.0, 2.0),
        (rng.exponential(2.0, n), 2.0, 2.0),
        (rng.integers(-3, 4, n), 0.0, 2.0),
        (rng.integers(0, 2**64, n, dtype=xp.uint64), 2.0**63, 2.0**64 * 12**-0.5),
        (rng.choice(2, n, p=[0.25, 0.75]), 0.75, (3 / 16) ** 0.5),
        (rng.permutation(n)[: n // 2], n / 2, n * 12**-0.5),
    ):
        data = x.numpy().astype(float)
        assert abs(data.mean() - mean) < 5 * std / n**0.5
        assert abs(data.std() - std) < 0.03 * std
        assert abs(np.corrcoef(data[1:], data[:-1])[0, 1]) < 0.05
    first = [int(rng.choice(3, 2, replace=False, p=[0.5, 0.25, 0.25])[0]) for _ in range(400)]
    assert 150 < first.count(0) < 250


def test_copies_pickles_and_states_go_on_alike(xp):
    rng = xp.random.default_rng(3)
    rng.integers(10, size=3, dtype=xp.int8)  # leaves half a word behind
    rng.spawn(2)
    other = xp.random.default_rng()
    other.state = rng.state
    twins = [copy.copy(rng), copy.deepcopy(rng), pickle.loads(pickle.dumps(rng)), other]
    if rng.device == "cpu":
        fourth = xp.random.default_rng()
        fourth.state = json.loads(json.dumps(rng.state))
        twins.append(fourth)
    numbers = [(r.random(4).tolist(), r.integers(9, size=5, dtype=xp.int8).tolist()) for r in twins]
    children = [r.spawn(1)[0].random(3).tolist() for r in twins]
    assert all(x == numbers[0] for x in numbers)
    assert all(x == children[0] for x in children)
    assert rng.random(4).tolist() == numbers[0][0]


def test_spawned_generators_differ(xp):
    rng = xp.random.default_rng(3)
    a, b = rng.spawn(2)
    (c,) = rng.spawn(1)
    assert {r.device for r in (a, b, c)} == {rng.device}
    assert len({float(r.random()) for r in (rng, a, b, c)}) == 4
    if rng.device == "cpu":
        assert float(np.random.default_rng(3).spawn(2)[1].random()) != float(b.random())
        assert float(np.random.default_rng(3).spawn(2)[0].random()) == float(
            xp.random.default_rng(3).spawn(1)[0].random()
        )


def test_seeds(xp):
    default_rng = xp.random.default_rng
    rng = default_rng(2)
    assert default_rng(rng) is rng
    assert float(default_rng(np.int64(2)).random()) == float(default_rng(2).random())
    sequence = np.random.SeedSequence(2)
    assert float(default_rng(sequence).random()) == float(default_rng(2).random())
    assert float(default_rng().random()) != float(default_rng().random())
    assert repr(rng) == f"Generator(device='{rng.device}')"


def test_parameters_that_are_tensors(xp, same):
    loc = xp.asarray([[0.0], [100.0]], dtype=xp.float32)
    rng = xp.random.default_rng(0)
    x = rng.normal(loc, xp.asarray([0.0, 0.0, 1e-3], dtype=xp.float32))
    same(x[:, :2], np.broadcast_to(loc.numpy(), (2, 2)))
    assert x.dtype == xp.float32
    assert rng.uniform(loc, 200.0, size=(5, 2, 4), dtype=xp.float64).dtype == xp.float64
    assert rng.normal(xp.asarray([1.0]), 1.0, dtype=xp.float32).dtype == xp.float32
    g = autodiff.grad(lambda s: xp.sum(xp.random.default_rng(0).normal(0.0, s, size=3)))
    z = xp.random.default_rng(0).standard_normal(3)
    same(g(xp.asarray(2.0)), float(xp.sum(z)), rtol=1e-14)


def test_shuffled_variables_keep_their_gradient(xp, same):
    order = xp.random.default_rng(4).permutation(3)
    w = autodiff.variable(xp.asarray([1.0, 2.0, 3.0]))
    y = 1 * w
    xp.random.default_rng(4).shuffle(y)
    xp.sum(y * xp.asarray([1.0, 10.0, 100.0])).backward()
    expected = np.empty(3)
    expected[order.numpy()] = [1.0, 10.0, 100.0]
    same(w.grad, expected)
    same(y.detach(), np.asarray([1.0, 2.0, 3.0])[order.numpy()])


R = arraygrad.random.default_rng(0)
X = arraygrad.ones((2, 3))

BAD = {
    "the class": (lambda: arraygrad.random.Generator(), TypeError, "default_rng"),
    "negative seed": (lambda: arraygrad.random.default_rng(-1), ValueError, "default_rng.*-1"),
    "float seed": (lambda: arraygrad.random.default_rng(1.5), TypeError, "default_rng.*1.5"),
    "tensor seed": (lambda: arraygrad.random.default_rng(X), TypeError, "default_rng: seed"),
    "no such device": (
        lambda: arraygrad.random.default_rng(1, device="tpu"), ValueError, "tpu"
    ),
    "generator elsewhere": (
        lambda: arraygrad.random.default_rng(R, device="strict:0"), ValueError, "default_rng.*cpu"
    ),
    "negative size": (lambda: R.random(-1), ValueError, "random: shape .*-1"),
    "float size": (lambda: R.random(1.5), TypeError, "random: shape .*1.5"),
    "half precision": (lambda: R.random(2, dtype="float16"), TypeError, "random: dtype .*float16"),
    "complex": (
        lambda: R.standard_normal(2, dtype=arraygrad.complex64), TypeError, "dtype .*complex64"
    ),
    "negative scale": (lambda: R.normal(0, -1), ValueError, "normal: scale .*-1"),
    "scale nan": (lambda: R.exponential(math.nan), ValueError, "exponential: scale .*nan"),
    "complex loc": (lambda: R.normal(1j), TypeError, "normal: loc .*1j"),
    "a list for loc": (lambda: R.normal([1.0]), TypeError, r"normal: loc .*\[1"),
    "ends exchanged": (lambda: R.uniform(2, 1), ValueError, "uniform: .*low=2, high=1"),
    "infinite end": (lambda: R.uniform(0, math.inf), ValueError, "uniform: .*inf"),
    "shapes": (lambda: R.normal(X, size=3), ValueError, r"normal: .*\(2, 3\).*\(3,\)"),
    "elsewhere": (
        lambda: R.normal(arraygrad.ones(2, device="strict:0")), DeviceMismatchError, "strict:0"
    ),
    "no integers": (lambda: R.integers(3, 3), ValueError, "integers: .*from 3 to 2 is empty"),
    "integers that do not fit": (
        lambda: R.integers(300, dtype="uint8"), ValueError, ".*0 to 299 does not fit uint8"
    ),
    "float end": (lambda: R.integers(1.5), TypeError, "integers: high .*1.5"),
    "float dtype": (lambda: R.integers(3, dtype="float64"), TypeError, "integers: dtype .*float64"),
    "permutation of a float": (lambda: R.permutation(2.5), TypeError, "permutation: .*2.5"),
    "permutation of less": (lambda: R.permutation(-2), ValueError, "permutation: .*-2"),
    "permutation of no axes": (lambda: R.permutation(X[0, 0]), ValueError, "permutation: axis 0"),
    "shuffled list": (lambda: R.shuffle([1, 2]), TypeError, "shuffle: .*Tensor; got"),
    "shuffled elsewhere": (
        lambda: R.shuffle(arraygrad.ones(2, device="strict:0")), DeviceMismatchError, "strict:0"
    ),
    "shuffle by another axis": (lambda: R.shuffle(X, axis=2), ValueError, "shuffle: axis 2"),
    "choice of nothing": (lambda: R.choice(0, 1), ValueError, "choice: cannot take 1 of 0"),
    "choice of too many": (lambda: R.choice(3, 5, replace=False), ValueError, "choice: .*5 of 3"),
    "choice of a list": (lambda: R.choice([1, 2]), TypeError, "choice: a .*tensor; got .*1, 2"),
    "axes one by one": (lambda: R.random(2, 3), TypeError, "random: dtype .*got 3; size must be"),
    "p of sum 2": (lambda: R.choice(2, p=[1.0, 1.0]), ValueError, "choice: p .*sum 2"),
    "negative p": (lambda: R.choice(2, p=[2.0, -1.0]), ValueError, "choice: p"),
    "p is nan": (lambda: R.choice(2, p=[math.nan, 1.0]), ValueError, "choice: p"),
    "p of another length": (lambda: R.choice(2, p=[1.0]), ValueError, "choice: p must have 2"),
    "p with too many zeros": (
        lambda: R.choice(3, 2, replace=False, p=[1.0, 0, 0]), ValueError, "choice: .*at least 2"
    ),
    "p elsewhere": (
        lambda: R.choice(1, p=arraygrad.ones(1, device="strict:0")), DeviceMismatchError, "p is on"
    ),
    "p is differentiated": (
        lambda: R.choice(1, p=autodiff.variable(arraygrad.ones(1))),
        autodiff.NotDifferentiableError,
        "choice",
    ),
    "spawn": (lambda: R.spawn(-1), ValueError, "spawn: n_children .*-1"),
    "state": (lambda: setattr(R, "state", {"state": 3}), ValueError, "expected a state"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input(case):
    call, error, message = BAD[case]
    with pytest.raises(error, match=message):
        call()
