"""cuRAND's generators and distributions: known numbers, and laws by SciPy."""

import cupy as cp
import numpy as np
import pytest
from cupy.cuda import curand as library
from scipy import stats

GENERATORS = (cp.random.XORWOW, cp.random.MRG32k3a, cp.random.Philox4x3210)
SIZE = 20_000


@pytest.fixture(params=GENERATORS, ids=lambda kind: kind.__name__)
def generator(request):
    return cp.random.Generator(request.param(seed=1234, size=1000))


@pytest.fixture
def philox():
    return cp.random.Generator(cp.random.Philox4x3210(seed=99, size=1000))


def assert_continuous(sample, law):
    """Kolmogorov and Smirnov's test, and the moments."""
    sample = cp.asnumpy(sample).astype("float64").ravel()
    assert stats.kstest(sample, law.cdf).pvalue > 1e-4
    assert abs(sample.mean() - law.mean()) < 5 * law.std() / np.sqrt(sample.size)


def assert_discrete(sample, law):
    """The chi-squared test of the numbers that are expected often enough, and the mean."""
    sample = cp.asnumpy(sample).ravel()
    values, counts = np.unique(sample, return_counts=True)
    expected = law.pmf(values) * sample.size
    assert (expected > 0).all()
    if len(values) == 1:  # SciPy divides by zero for the moments of such laws
        assert expected[0] > sample.size - 1
        return
    frequent = expected > 20
    counts = np.append(counts[frequent], counts[~frequent].sum())
    expected = np.append(expected[frequent], sample.size - expected[frequent].sum())
    if expected[-1] < 5:  # the rare numbers together are too rare for the test
        assert counts[-1] < 30
        counts, expected = counts[:-1], expected[:-1]
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert stats.chi2.sf(statistic, len(counts) - 1) > 1e-4
    assert abs(sample.mean() - law.mean()) <= 5 * law.std() / np.sqrt(sample.size)


# ---- generators


class Zero(np.random.SeedSequence):
    """A seed of zero, which CuPy would derive from another number."""

    def generate_state(self, n_words, dtype=np.uint32):
        return np.zeros(n_words, dtype)


def test_known_numbers_of_philox():
    """From the test vectors of its authors: counter and key zero."""
    numbers = cp.random.Philox4x3210(Zero(), size=1).random_raw(4).get().view("uint32")
    assert numbers.tolist() == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]


def test_known_numbers_of_mrg32k3a():
    """Of its author's program, which begins with the same state of 12345."""
    numbers = cp.random.Generator(cp.random.MRG32k3a(Zero(), size=1)).random(4)
    expected = [0.1270111220, 0.3185275653, 0.3091860155, 0.8258468629]
    np.testing.assert_allclose(numbers.get(), expected, atol=1e-9)


@pytest.mark.parametrize("kind", GENERATORS, ids=lambda kind: kind.__name__)
def test_seeds(kind):
    def draw(seed):
        return cp.random.Generator(kind(seed=seed, size=100)).random(1000).get()

    np.testing.assert_array_equal(draw(1), draw(1))
    assert not (draw(1) == draw(2)).any()
    assert len(np.unique(draw(1))) == 1000  # no two sequences are the same


def test_sequences_are_independent(generator):
    """Numbers i and i + 1000 come from one state, i and i + 1 from two."""
    numbers = generator.random(SIZE).get()
    for distance in (1, 2, 1000):
        correlation = np.corrcoef(numbers[:-distance], numbers[distance:])[0, 1]
        assert abs(correlation) < 5 / np.sqrt(SIZE)


def test_state_goes_on(generator):
    first, second = generator.random(2500).get(), generator.random(2500).get()
    assert not (first == second).any()


def test_all_bits_are_random(generator):
    raw = generator.bit_generator.random_raw(SIZE).get().view("uint32")
    for bit in range(32):
        ones = int((raw >> np.uint32(bit) & 1).sum())
        assert abs(ones - SIZE / 2) < 5 * np.sqrt(SIZE) / 2


# ---- the distributions of Generator


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform_numbers(generator, dtype):
    sample = generator.random(SIZE, dtype=dtype)
    assert sample.dtype == dtype
    assert float(sample.min()) >= 0
    assert float(sample.max()) < 1
    assert_continuous(sample, stats.uniform())
    assert_continuous(generator.uniform(-2, 3, SIZE), stats.uniform(-2, 5))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal_numbers(generator, dtype):
    assert_continuous(generator.standard_normal(SIZE, dtype=dtype), stats.norm())


def test_integers(generator):
    for low, high, dtype in ((0, 10, "int64"), (-5, 6, "int8"), (0, 1, "int32")):
        sample = generator.integers(low, high, SIZE, dtype=dtype)
        assert sample.dtype == dtype
        assert_discrete(sample, stats.randint(low, high))
    large = generator.integers(0, 2**62, SIZE)
    assert_continuous(large / 2**62, stats.uniform())


def test_exponential_numbers(generator):
    assert_continuous(generator.standard_exponential(SIZE), stats.expon())
    assert_continuous(generator.exponential(3.0, SIZE), stats.expon(scale=3))


@pytest.mark.parametrize("shape", [0.01, 0.5, 1.0, 1.5, 30.0])
def test_gamma_numbers(generator, shape):
    assert_continuous(generator.standard_gamma(shape, SIZE), stats.gamma(shape))


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1, 1), (0.3, 2), (2, 0.3), (5, 7)])
def test_beta_numbers(generator, a, b):
    assert_continuous(generator.beta(a, b, SIZE), stats.beta(a, b))


def test_beta_numbers_of_tiny_parameters(philox):
    sample = philox.beta(1e-3, 1e-3, SIZE)
    assert bool(((sample >= 0) & (sample <= 1)).all())
    assert abs(float(sample.mean()) - 0.5) < 0.02


@pytest.mark.parametrize("p", [0.01, 0.2, 0.5, 0.99, 1.0])
def test_geometric_numbers(generator, p):
    assert_discrete(generator.geometric(p, SIZE), stats.geom(p))


@pytest.mark.parametrize("p", [0.01, 0.5, 0.95])
def test_logarithmic_series(generator, p):
    assert_discrete(generator.logseries(p, SIZE), stats.logser(p))


@pytest.mark.parametrize("mean", [0.0, 0.1, 3.0, 9.99, 25.0, 1e4])
def test_poisson_numbers(generator, mean):
    assert_discrete(generator.poisson(mean, SIZE), stats.poisson(mean))


@pytest.mark.parametrize(
    ("n", "p"), [(0, 0.5), (10, 0.0), (10, 1.0), (1, 0.3), (20, 0.7), (100, 0.02), (5000, 0.4)]
)
def test_binomial_numbers(generator, n, p):
    assert_discrete(generator.binomial(n, p, SIZE), stats.binom(n, p))


@pytest.mark.parametrize(
    ("good", "bad", "sample"), [(5, 5, 0), (5, 5, 10), (5, 7, 4), (50, 3, 20), (400, 900, 300)]
)
def test_hypergeometric_numbers(generator, good, bad, sample):
    law = stats.hypergeom(good + bad, good, sample)
    assert_discrete(generator.hypergeometric(good, bad, sample, SIZE), law)


def test_derived_distributions(philox):
    assert_continuous(philox.chisquare(3.0, SIZE), stats.chi2(3))
    assert_continuous(philox.f(3.0, 8.0, SIZE), stats.f(3, 8))
    assert_continuous(philox.gamma(2.0, 3.0, SIZE), stats.gamma(2, scale=3))
    assert_continuous(philox.power(2.5, SIZE), stats.powerlaw(2.5))
    shares = philox.dirichlet(cp.asarray([1.0, 2.0, 3.0]), SIZE)
    assert abs(shares.sum(1) - 1).max() < 1e-12
    assert_continuous(shares[:, 0], stats.beta(1, 5))


def test_arrays_of_parameters(philox):
    """They are broadcast, and may have any strides."""
    means = cp.asarray([[1.0, 77.0, 50.0, 77.0], [2.0, 77.0, 400.0, 77.0]])[:, ::2]
    sample = philox.poisson(means, size=(5000, 2, 2))
    for i in range(2):
        for j in range(2):
            assert_discrete(sample[:, i, j], stats.poisson(float(means[i, j])))
    chances = cp.asarray([0.1, 0.9])
    sample = philox.binomial(20, chances, size=(5000, 2))
    for i in range(2):
        assert_discrete(sample[:, i], stats.binom(20, float(chances[i])))


def test_nothing_is_drawn(philox):
    assert philox.random(0).shape == (0,)
    assert philox.poisson(3.0, (0, 2)).shape == (0, 2)


# ---- cuRAND's library: cupy.random's functions and RandomState


@pytest.fixture
def state():
    return cp.random.RandomState(seed=5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_library(state, dtype):
    uniform = state.random_sample(SIZE, dtype=dtype)
    assert uniform.dtype == dtype
    assert_continuous(uniform, stats.uniform())
    assert_continuous(state.normal(1, 2, SIZE, dtype=dtype), stats.norm(1, 2))
    assert_continuous(state.normal(size=SIZE + 1, dtype=dtype), stats.norm())
    assert_continuous(
        state.lognormal(0.5, 0.5, SIZE, dtype=dtype), stats.lognorm(0.5, 0, np.e**0.5)
    )


def test_functions():
    cp.random.seed(7)
    first = cp.random.rand(100).get()
    cp.random.seed(7)
    np.testing.assert_array_equal(cp.random.rand(100).get(), first)
    assert not (cp.random.rand(100).get() == first).any()
    assert_continuous(cp.random.randn(SIZE), stats.norm())
    assert_discrete(cp.random.randint(-3, 9, SIZE), stats.randint(-3, 9))
    assert_discrete(cp.random.poisson(4.0, SIZE), stats.poisson(4))
    assert_discrete(cp.random.choice(5, SIZE), stats.randint(0, 5))
    assert sorted(cp.random.permutation(50).tolist()) == list(range(50))


def test_poisson_of_the_library():
    generator = library.createGenerator(library.CURAND_RNG_PSEUDO_DEFAULT)
    library.setPseudoRandomGeneratorSeed(generator, 3)
    out = cp.empty(SIZE, cp.uint32)
    library.generatePoisson(generator, out.data.ptr, SIZE, 4.5)
    assert_discrete(out, stats.poisson(4.5))
    with pytest.raises(library.CURANDError, match="OUT_OF_RANGE"):
        library.generatePoisson(generator, out.data.ptr, SIZE, -1.0)
    library.destroyGenerator(generator)


def test_arguments_of_the_library():
    with pytest.raises(library.CURANDError, match="TYPE_ERROR"):
        library.createGenerator(12345)
    generator = library.createGenerator(library.CURAND_RNG_PSEUDO_MT19937)
    out = cp.empty(4)
    with pytest.raises(library.CURANDError, match="TYPE_ERROR"):
        library.setGeneratorOffset(generator, 0)
    library.destroyGenerator(generator)
    for handle in (generator, 0):
        with pytest.raises(library.CURANDError, match="NOT_INITIALIZED"):
            library.generateUniformDouble(handle, out.data.ptr, 4)


def test_offsets_of_the_library():
    generator = library.createGenerator(library.CURAND_RNG_PSEUDO_PHILOX4_32_10)
    numbers, again = cp.empty(10, cp.uint32), cp.empty(4, cp.uint32)
    library.generate(generator, numbers.data.ptr, 10)
    library.setGeneratorOffset(generator, 6)
    library.generate(generator, again.data.ptr, 4)
    assert again.tolist() == numbers[6:].tolist()
    library.destroyGenerator(generator)
