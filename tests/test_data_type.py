"""Data types: promotion, casts, limits."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import arraygrad as ag

DTYPES = list(ag.__array_namespace_info__().dtypes())
PAIRS = list(itertools.product(DTYPES, DTYPES))
#: The standard's promotion, by kind and size in bits; what it leaves open is NumPy's.
FAMILIES = {"b": "b", "i": "iu", "u": "iu", "f": "fc", "c": "fc"}


def promoted(a, b):
    """The standard's answer, worked out from its tables; None where it gives none."""
    a, b = np.dtype(a), np.dtype(b)
    if FAMILIES[a.kind] != FAMILIES[b.kind]:
        return None
    if a.kind == b.kind:
        return max(a, b, key=lambda d: d.itemsize)
    if "c" in (a.kind, b.kind):
        real, compl = sorted((a, b), key=lambda d: d.kind == "c")
        return np.dtype(f"c{max(2 * real.itemsize, compl.itemsize)}")
    signed, unsigned = sorted((a, b), key=lambda d: d.kind == "u")
    if unsigned.itemsize == 8:
        return None
    return np.dtype(f"i{max(2 * unsigned.itemsize, signed.itemsize)}")


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_promotion(xp, a, b):
    expected = promoted(a, b)
    x, y = (xp.ones(2, dtype=getattr(xp, d)) for d in (a, b))
    if expected is None:
        expected = np.result_type(a, b)
    assert xp.result_type(x, y) == expected
    assert xp.result_type(getattr(xp, a), y.dtype) == expected
    assert xp.concat([x, y]).dtype == expected
    assert xp.where(x == x, x, y).dtype == expected
    if np.dtype(a).kind != "b" or np.dtype(b).kind != "b":
        assert xp.add(x, y).dtype == expected
        assert (x * y[0]).dtype == expected


@given(st.data())
def test_result_type_of_many(data):
    """Whatever their number and order; scalars and tensors of no axes count as everywhere."""
    names = data.draw(st.lists(st.sampled_from(DTYPES), min_size=1, max_size=4))
    scalars = data.draw(st.lists(st.sampled_from([True, 2, 0.5, 1j]), max_size=2))
    expected = np.result_type(*map(np.dtype, names), *scalars)
    operands = [
        data.draw(st.sampled_from([getattr(ag, n), ag.ones((), dtype=n), ag.ones(2, dtype=n)]))
        for n in names
    ]
    assert ag.result_type(*data.draw(st.permutations([*operands, *scalars]))) == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("scalar", [True, 1, 1.0, 1j])
def test_scalars_are_weak(xp, dtype, scalar):
    expected = np.result_type(np.dtype(dtype), scalar)
    assert xp.result_type(getattr(xp, dtype), scalar) == expected
    if not isinstance(scalar, bool):
        assert (xp.ones(2, dtype=getattr(xp, dtype)) + scalar).dtype == expected


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_astype(xp, same, a, b):
    values = np.asarray([0, 1, 3]).astype(a)
    x = xp.asarray(values)
    if np.dtype(a).kind == "c" and np.dtype(b).kind in "iuf":
        with pytest.raises(TypeError, match=r"xp\.real"):
            xp.astype(x, getattr(xp, b))
        return
    same(xp.astype(x, getattr(xp, b)), values.astype(b))
    assert (xp.astype(x, getattr(xp, b), copy=False) is x) == (a == b)
    copied = xp.astype(x, x.dtype)
    copied[...] = 0
    same(x, values)


@pytest.mark.parametrize("b", DTYPES)
def test_astype_of_any_values(xp, same, b):
    def values(a):
        floating = np.dtype(a).kind == "f" and np.dtype(b).kind in "iu"
        # Floats beyond an integer's range: the result is not defined.
        ends = {"min_value": 0, "max_value": 100} if floating else None
        return hnp.arrays(a, hnp.array_shapes(min_dims=0, min_side=0, max_dims=2), elements=ends)

    @given(
        st.sampled_from(DTYPES).filter(lambda a: np.can_cast(a, b) or "c" not in a).flatmap(values)
    )
    def run(a):
        with np.errstate(over="ignore"):
            same(xp.astype(xp.asarray(a), getattr(xp, b)), a.astype(b))

    run()


@pytest.mark.parametrize(
    ("spelling", "dtype"),
    [(float, "float64"), (int, "int64"), (bool, "bool"), (complex, "complex128"),
     ("float32", "float32"), ("<i4", "int32"), (np.float32, "float32"), (np.dtype("u1"), "uint8"),
     (np.longlong, "int64")],
)  # fmt: skip
def test_spellings(xp, spelling, dtype):
    assert xp.zeros(1, dtype=spelling).dtype == getattr(xp, dtype)
    assert xp.isdtype(spelling, getattr(xp, dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_finfo(dtype):
    info = ag.finfo(getattr(ag, dtype))
    real = np.dtype(dtype).type(0).real.dtype
    digits, low = (23, -126) if real == np.float32 else (52, -1022)
    assert info.dtype == real
    assert info.bits == real.itemsize * 8
    assert info.eps == 2.0**-digits
    assert info.smallest_normal == 2.0**low
    assert info.max == (2 - 2.0**-digits) * 2.0 ** (1 - low)
    assert info.min == -info.max
    assert all(type(v) is float for v in (info.eps, info.max, info.min, info.smallest_normal))
    assert type(info.bits) is int
    assert ag.finfo(ag.ones(1, dtype=getattr(ag, dtype))) == info


@pytest.mark.parametrize("dtype", [d for d in DTYPES if "int" in d])
def test_iinfo(dtype):
    info = ag.iinfo(getattr(ag, dtype))
    bits = int(dtype.rpartition("t")[2])
    low = 0 if dtype[0] == "u" else -(2 ** (bits - 1))
    assert (info.bits, info.min, info.max) == (bits, low, low + 2**bits - 1)
    assert all(type(v) is int for v in (info.bits, info.min, info.max))


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_can_cast(a, b):
    can = ag.can_cast(getattr(ag, a), getattr(ag, b))
    if promoted(a, b) is not None:
        assert can == (promoted(a, b) == np.dtype(b))
    assert ag.can_cast(ag.ones(1, dtype=getattr(ag, a)), getattr(ag, b)) == can


def test_isdtype():
    kinds = {
        "bool": "b", "signed integer": "i", "unsigned integer": "u", "integral": "iu",
        "real floating": "f", "complex floating": "c", "numeric": "iufc",
    }  # fmt: skip
    for name, (kind, letters) in itertools.product(DTYPES, kinds.items()):
        dtype = getattr(ag, name)
        assert ag.isdtype(dtype, kind) == (np.dtype(name).kind in letters)
        assert ag.isdtype(dtype, ("bool", kind)) == (np.dtype(name).kind in "b" + letters)
        assert ag.isdtype(dtype, dtype)


def test_dtypes_compare():
    assert ag.float64 != None  # noqa: E711
    assert ag.float32 == ag.ones(1, dtype=ag.float32).dtype
    assert ag.float32 != ag.float64
    assert math.isclose(ag.finfo("float64").eps, 2.0**-52)


def test_half_precision():
    """Beyond the standard: it is there for data, is asked for by name, and widens as NumPy's."""
    a = np.asarray([0.5, 60000.0, np.inf], dtype=np.float16)
    for x in (ag.asarray(a), ag.from_numpy(a), ag.from_dlpack(a), ag.asarray(a, dtype="float16")):
        assert x.dtype == ag.float16
        assert x.tolist() == a.tolist()
    assert ag.result_type(ag.float16, 1.0) == (ag.asarray(a) + 1.0).dtype == ag.float16
    assert ag.result_type(ag.float16, ag.float32) == ag.float32
    assert (ag.asarray(a) + ag.asarray(1)).dtype == ag.float64
    assert ag.astype(ag.asarray(a), ag.float64).tolist() == a.tolist()
    assert ag.isdtype(ag.float16, "real floating")
    assert ag.isdtype(ag.float16, ("bool", "numeric"))
    assert not ag.isdtype(ag.float16, ("integral", "complex floating", ag.float32))
    info = ag.finfo(ag.float16)
    assert (info.bits, info.eps, info.max, info.dtype) == (16, 2.0**-10, 65504.0, ag.float16)
    assert "float16" not in ag.__array_namespace_info__().dtypes()
    assert "float16" not in ag.__array_namespace_info__().dtypes(kind="real floating")
    assert ag.sqrt(ag.asarray([1], dtype=ag.int8)).dtype == ag.float64  # NumPy's own is half


def test_means_of_half_precision():
    """The sums need not be in its range."""
    x = ag.asarray([60000.0, 60000.0, 59968.0], dtype=ag.float16)
    assert float(ag.mean(x)) == 60000.0
    assert ag.mean(x).dtype == ag.var(x).dtype == ag.std(x).dtype == ag.float16
    assert float(ag.linalg.vector_norm(x / 2)) == float(np.float16(np.hypot(30000, 42415.0)))


def test_result_type_of_scalars_alone_is_numpys():
    for scalars in ((1,), (True,), (1, 2.0), (1j, 3), (True, 2)):
        assert ag.result_type(*scalars) == np.result_type(*scalars)
        with ag.strict(), pytest.raises(ValueError, match="result_type"):
            ag.result_type(*scalars)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def test_results_of_half_precision_are_of_half_precision(device):
    """Of two tensors, and of one and a number."""
    x, y = (np.asarray(v, dtype=np.float16) for v in ([0.5, 1.5, 2.5], [3.0, 0.7, 0.3]))
    a, b = (ag.asarray(v, device=device) for v in (x, y))
    for name in (
        "add subtract multiply divide pow maximum atan2 remainder floor_divide hypot copysign "
        "logaddexp sqrt exp expm1 log log1p log2 log10 reciprocal sign sin tanh atanh"
    ).split():
        old = {"pow": "power", "atan2": "arctan2", "atanh": "arctanh"}.get(name, name)
        many = [(x, y), (x, 2.0)] if getattr(np, old).nin == 2 else [(y / 4,)]
        for arrays in many:
            expected = getattr(np, old)(*arrays)
            given = [
                ag.asarray(v, device=device) if isinstance(v, np.ndarray) else v for v in arrays
            ]
            found = getattr(ag, name)(*given)
            assert found.dtype == ag.float16, name
            np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, err_msg=name)
    for found in (ag.sum(a), ag.mean(a), ag.var(a), ag.std(b), a @ b):
        assert found.dtype == ag.float16
