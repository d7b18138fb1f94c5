"""Random numbers on CUDA: those of Philox 4x32, whatever the GPU, of keys that do not coincide."""

import json
import math
import pickle

import numpy as np
import pytest
from backends.emulated import needs_emulation

import arraygrad as xp

pytestmark = pytest.mark.cuda


def rng(seed=0):
    return xp.random.default_rng(seed, device="cuda")


def philox(counter, key):
    """Four words, as the paper defines them."""
    (a, b, c, d), (k0, k1) = counter, key
    for _ in range(10):
        p, q = 0xD2511F53 * a, 0xCD9E8D57 * c
        a, b, c, d = (q >> 32) ^ b ^ k0, q % 2**32, (p >> 32) ^ d ^ k1, p % 2**32
        k0, k1 = (k0 + 0x9E3779B9) % 2**32, (k1 + 0xBB67AE85) % 2**32
    return a, b, c, d


def words(seed, place, attempt=0):
    """Those of a generator."""
    k0, k1, k2 = (int(k) for k in np.random.SeedSequence(seed).generate_state(3, np.uint32))
    return philox((place % 2**32, place >> 32, attempt, k2), (k0, k1))


#: Counters, keys and words, from the tests that its authors publish (Random123, kat_vectors).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    (
        (0xFFFFFFFF,) * 4,
        (0xFFFFFFFF,) * 2,
        (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
    ),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "known"), KNOWN)
def test_known_answers(counter, key, known):
    import cupy

    from arraygrad._backends.cupy.kernels import PHILOX

    kernel = cupy.ElementwiseKernel(
        "uint64 place, uint32 attempt, uint32 k0, uint32 k1, uint32 k2, raw uint32 like",
        "uint32 out",
        "out = arraygrad::philox(place, attempt, k0, k1, k2).w[i]",
        "arraygrad_test_philox",
        preamble=PHILOX,
    )
    a, b, c, d = counter
    found = cupy.empty(4, "uint32")
    kernel(np.uint64(b << 32 | a), *map(np.uint32, (c, *key, d)), found, found)
    assert tuple(found.tolist()) == known == philox(counter, key)


def test_numbers_are_a_function_of_seed_and_place():
    for seed in (0, 7, 2**100, [1, 2]):
        pairs = [words(seed, i) for i in range(6)]
        u = [(w[1] << 32 | w[0]) >> 11 for w in pairs]
        v = [(w[3] << 32 | w[2]) >> 11 for w in pairs]
        assert rng(seed).random(6).tolist() == [a * 2**-53 for a in u]
        single = rng(seed).random(6, dtype=xp.float32).tolist()
        assert single == [(w[0] >> 8) * 2**-24 for w in pairs]
        positive = [(a + 0.5) * 2**-53 for a in u]
        z = [
            math.sqrt(-2 * math.log(a)) * math.cos(2 * math.pi * b * 2**-53)
            for a, b in zip(positive, v, strict=True)
        ]
        np.testing.assert_allclose(rng(seed).standard_normal(6).numpy(), z, rtol=1e-12)
        e = [-math.log(a) for a in positive]
        np.testing.assert_allclose(rng(seed).standard_exponential(6).numpy(), e, rtol=1e-12)


def test_integers_are_drawn_again_where_they_are_too_large():
    for span in (1, 2, 3, 9, 10**12, 2**63 + 5, 2**64):
        mask = 2 ** (span - 1).bit_length() - 1
        want = []
        for i in range(20):
            for attempt in range(100):
                w = words(3, i, attempt)
                x = (w[1] << 32 | w[0]) & mask
                if x < span:
                    want.append(x)
                    break
        assert rng(3).integers(span, size=20, dtype=xp.uint64).tolist() == want


@pytest.mark.parametrize("dtype", "bool int8 int64 uint8 uint64".split())
def test_integers_reach_both_ends_of_their_dtype(dtype):
    limits = None if dtype == "bool" else np.iinfo(dtype)
    low, high = (int(limits.min), int(limits.max)) if limits else (0, 1)
    x = rng().integers(low, high, size=3000, dtype=getattr(xp, dtype), endpoint=True).numpy()
    assert x.dtype == dtype
    if dtype in ("bool", "int8", "uint8"):
        assert {*x.tolist()} == {*range(low, high + 1)}
    else:
        assert x.min() < low + (high - low) / 100
        assert x.max() > high - (high - low) / 100
    assert rng().integers(-5, -4, size=3).tolist() == [-5] * 3


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_distributions(dtype):
    """The largest distance to the distribution function is below that of 1 in 1000 samples."""
    n = 20_000
    bound = 1.95 / math.sqrt(n)
    places = np.arange(1, n + 1) / n
    for name, probability in {
        "random": lambda x: x,
        "standard_exponential": lambda x: 1 - np.exp(-x),
        "standard_normal": lambda x: np.array([0.5 + 0.5 * math.erf(v / math.sqrt(2)) for v in x]),
    }.items():
        x = getattr(rng(5), name)(n, dtype=getattr(xp, dtype)).numpy()
        assert x.dtype == dtype
        assert np.isfinite(x).all()
        assert np.abs(probability(np.sort(x).astype(float)) - places).max() < bound
    x = rng(5).standard_normal((2, n)).numpy()
    assert abs(np.corrcoef(x)[0, 1]) < 4 / math.sqrt(n)
    assert abs(np.corrcoef(x[0, 1:], x[0, :-1])[0, 1]) < 4 / math.sqrt(n)


def test_draws_go_on_where_the_last_one_ended():
    whole, parts = rng(), rng()
    x = whole.random(12).tolist()
    assert [v for n in (5, 0, 1, 6) for v in parts.random(n).tolist()] == x
    assert parts.state == whole.state
    assert parts.random() == whole.random()


def test_children_with_the_same_first_word_of_seed_differ():
    """CuPy seeds by one word of 32 bits, and these two have the same."""
    found = ((259, 164), (290, 29))
    a, b = (np.random.SeedSequence(seed, spawn_key=(child,)) for seed, child in found)
    assert a.generate_state(1, np.uint32) == b.generate_state(1, np.uint32)
    assert not (rng(a).random(100) == rng(b).random(100)).any()


def test_every_word_of_the_key_counts():
    class Words:
        """A SeedSequence of words that are given."""

        def __init__(self, *words):
            self.words = words

        def generate_state(self, n, dtype):
            return np.array(self.words[:n], dtype=dtype)

    from arraygrad._backends.cupy.random import Generator, float_kernels

    keys = [(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1), (2**31, 0, 0), (0, 2**31, 0), (0, 0, 2**31)]
    kernel = float_kernels["random"]
    drawn = [Generator(Words(*k)).draw(kernel, 50, "float64").tolist() for k in keys]
    assert len({x for row in drawn for x in row}) == 50 * len(keys)


def test_children_are_independent_of_their_parent_and_of_each_other():
    parent = rng()
    children = [*parent.spawn(30), *parent.spawn(2), *parent.spawn(1)[0].spawn(2), parent]
    drawn = [x for g in children for x in g.random(50).tolist()]
    assert len({*drawn}) == len(drawn)
    again = rng().spawn(30)[3]
    assert again.random(50).tolist() == drawn[150:200]


def test_a_generator_is_small():
    import cupy

    pool = cupy.get_default_memory_pool()
    before = pool.used_bytes()
    generators = [rng(i) for i in range(10)]
    assert pool.used_bytes() - before <= 10 * 512  # the least that the pool gives
    assert len(pickle.dumps(generators[0])) < 1000


@needs_emulation
def test_a_draw_is_two_launches():
    from fakecuda import counts

    def launched(function):
        before = counts()
        function()
        return {k: v - before.get(k, 0) for k, v in counts().items() if v != before.get(k, 0)}

    rng(1).random(1000)
    assert launched(lambda: rng(1)) == {"launch": 1}
    generator = rng(1)
    assert launched(lambda: generator.random(1000)) == {"launch": 2}


def test_states():
    g = rng(11)
    g.standard_normal(7)
    g.spawn(2)
    saved = json.loads(json.dumps(g.state))
    copies = [pickle.loads(pickle.dumps(g)), rng(0), rng(0)]
    copies[1].state = saved
    copies[2].state = g.state
    x, child = g.random(4).tolist(), g.spawn(1)[0].random(3).tolist()
    for copy in copies:
        assert copy.random(4).tolist() == x
        assert copy.spawn(1)[0].random(3).tolist() == child
    saved["position"] = 2**40 + 5
    g.state = saved
    w = words(11, 2**40 + 5)
    assert g.random().item() == ((w[1] << 32 | w[0]) >> 11) * 2**-53
    assert g.state["position"] == 2**40 + 6
    for wrong in ({}, {**saved, "bit_generator": "Philox4x3210"}, np.random.PCG64().state):
        with pytest.raises(ValueError, match="state"):
            g.state = wrong


def test_a_graph_draws_other_numbers_each_time_it_is_launched():
    import cupy

    stream = cupy.cuda.Stream(non_blocking=True)
    want = rng(2).standard_normal((4, 5)).tolist()
    cupy.cuda.Device().synchronize()
    with stream, cupy.cuda.using_allocator(cupy.cuda.MemoryPool().malloc):
        rng(2).standard_normal(5)
        generator = rng(2)
        stream.synchronize()
        stream.begin_capture()
        x = generator.standard_normal(5)
        graph = stream.end_capture()
        found = []
        for _ in range(4):
            graph.launch(stream)
            stream.synchronize()
            found.append(x.tolist())
    assert found == want


def test_permutations_and_choices():
    g = rng(4)
    assert sorted(g.permutation(100).tolist()) == [*range(100)]
    assert g.permutation(0).shape == (0,)
    orders = [tuple(g.permutation(3).tolist()) for _ in range(300)]
    assert {orders.count(o) > 20 for o in {*orders}} == {True}
    assert len({*orders}) == 6
    assert sorted(g.choice(10, size=10, replace=False).tolist()) == [*range(10)]
    p = [0.5, 0.0, 0.25, 0.25]
    with_replacement = np.bincount(g.choice(4, size=4000, p=p).numpy(), minlength=4) / 4000
    np.testing.assert_allclose(with_replacement, p, atol=0.05)
    assert 1 not in g.choice(4, size=3, replace=False, p=p).tolist()
    assert g.choice(1, size=3).tolist() == [0] * 3
