"""Many threads at once: gradients, views, writes and modes; in parallel where there is no GIL."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff

THREADS, STEPS = 64, 8
NUMBERS = np.linspace(0.1, 2.0, 3000)
SHARED = xp.asarray(NUMBERS, copy=True)
LEAF = xp.asarray(NUMBERS[:50], copy=True).requires_grad_()


def gradient(i):
    x = xp.full(20, float(i))
    np.testing.assert_array_equal(autodiff.grad(lambda t: xp.sum(t**2))(x).numpy(), 2 * x.numpy())


def views_of_shared_memory(i):
    v = SHARED[i % 10 :]
    assert float(xp.sum(v * 2)) == float(np.sum(NUMBERS[i % 10 :] * 2))


def write_through_a_view(i):
    w = xp.full(5, 2.0).requires_grad_()
    z = 3 * w
    part = z[1:3]
    part *= float(i)
    xp.sum(z).backward()
    assert w.grad.tolist() == [3.0, 3.0 * i, 3.0 * i, 3.0, 3.0]


def recording_is_switched_off_here_only(_i):
    with autodiff.no_grad():
        assert not (2 * LEAF).requires_grad
    assert (2 * LEAF).requires_grad


def strict_mode_is_on_here_only(_i):
    x = xp.asarray([1])
    with xp.strict(), pytest.raises(TypeError, match="outside the standard"):
        x + 0.5
    assert (x + 0.5).tolist() == [1.5]


def backward_of_a_shared_leaf(_i):
    value, pullback = autodiff.vjp(lambda t: xp.sum(t * LEAF.detach()), LEAF.detach())
    np.testing.assert_array_equal(pullback(xp.ones_like(value))[0].numpy(), NUMBERS[:50])


WORK = (
    gradient,
    views_of_shared_memory,
    write_through_a_view,
    recording_is_switched_off_here_only,
    strict_mode_is_on_here_only,
    backward_of_a_shared_leaf,
)


def test_many_threads_do_not_disturb_each_other():
    def work(seed):
        rng = random.Random(seed)
        for _ in range(STEPS):
            rng.choice(WORK)(seed + 1)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))


def test_threads_write_parts_of_one_tensor():
    target = xp.zeros(THREADS * 100)

    def work(i):
        for step in range(20):
            part = target[100 * i : 100 * (i + 1)]
            part[...] = float(i + step)
            assert float(target[100 * i]) == i + step

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    assert target[::100].tolist() == [i + 19.0 for i in range(THREADS)]
