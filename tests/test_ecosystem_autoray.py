"""autoray's functions on tensors give what they give on NumPy's arrays, on any device."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff

autoray = pytest.importorskip("autoray")

import arraygrad.interop.autoray

do = autoray.do
A = np.asarray([[2.0, -1.0, 0.5], [0.25, 3.0, 1.0], [1.0, 0.5, 4.0]])
B = np.arange(24.0).reshape(2, 3, 4)

#: call, of a square matrix and an array of three axes
CALLS = {
    "power": lambda a, b: do("power", a, 2),
    "arctan": lambda a, b: do("arctan", a),
    "max by position": lambda a, b: do("max", a, 0),
    "sum of two axes": lambda a, b: do("sum", b, (0, 2)),
    "std": lambda a, b: do("std", b, 1, ddof=1),
    "cumsum of all": lambda a, b: do("cumsum", b),
    "cumsum": lambda a, b: do("cumsum", b, -1),
    "cumprod": lambda a, b: do("cumprod", a, 1),
    "concatenate": lambda a, b: do("concatenate", [a, a], -1),
    "stack": lambda a, b: do("stack", [a, a], 1),
    "expand_dims": lambda a, b: do("expand_dims", a, 0),
    "squeeze": lambda a, b: do("squeeze", b[:1, :1]),
    "swapaxes": lambda a, b: do("swapaxes", b, 0, -1),
    "moveaxis": lambda a, b: do("moveaxis", b, 0, -1),
    "transpose": lambda a, b: do("transpose", b, (1, 2, 0)),
    "ravel": lambda a, b: do("ravel", b),
    "flip": lambda a, b: do("flip", b, 1),
    "roll": lambda a, b: do("roll", b, 2, 2),
    "repeat": lambda a, b: do("repeat", a, 2, 1),
    "take": lambda a, b: do("take", b, [2, 0], 1),
    "take of a matrix": lambda a, b: do("take", b, [[2, 0], [1, 1]], axis=-2),
    "take of all": lambda a, b: do("take", b, [7, 3]),
    "diag of a matrix": lambda a, b: do("diag", a, 1),
    "diag of a vector": lambda a, b: do("diag", a[0], -2),
    "diagonal": lambda a, b: do("diagonal", b, 1, 0, 2),
    "trace": lambda a, b: do("trace", b, 0, 1, 2),
    "tril": lambda a, b: do("tril", a, -1),
    "pad": lambda a, b: do("pad", a, ((1, 0), (0, 2))),
    "pad of all": lambda a, b: do("pad", a, 1, constant_values=7),
    "pad of one pair": lambda a, b: do("pad", b, (1, 2)),
    "einsum in turns": lambda a, b: do("einsum", a, [0, 1], b, [2, 1, 3], [3, 0]),
    "einsum in turns, no result": lambda a, b: do("einsum", a, [0, 1], a, [1, 2]),
    "einsum": lambda a, b: do("einsum", "ij,kjl->li", a, b),
    "tensordot": lambda a, b: do("tensordot", a, b, ((0,), (1,))),
    "dot": lambda a, b: do("dot", a, b),
    "dot of vectors": lambda a, b: do("dot", a[0], a[1]),
    "outer": lambda a, b: do("outer", a, a[0]),
    "kron": lambda a, b: do("kron", a, b),
    "norm": lambda a, b: do("linalg.norm", b),
    "norm of a matrix": lambda a, b: do("linalg.norm", a, 2),
    "norm of matrices": lambda a, b: do("linalg.norm", b, "fro", (2, 0), True),
    "norm of rows": lambda a, b: do("linalg.norm", a, 1, 1),
    "singular values": lambda a, b: do("linalg.svd", a[:2])[1],
    "solve": lambda a, b: do("linalg.solve", a, a[0]),
    "expm": lambda a, b: do("linalg.expm", a),
    "expm of a large matrix": lambda a, b: do("scipy.linalg.expm", -9 * a),
    "solve_triangular": lambda a, b: do("scipy.linalg.solve_triangular", a, a[0]),
    "solve_triangular, transposed": lambda a, b: do(
        "scipy.linalg.solve_triangular", a, a, trans=1, lower=True, unit_diagonal=True
    ),
    "astype": lambda a, b: autoray.astype(a, "float32"),
    "complex": lambda a, b: do("complex", a, 2 * a),
    "copy": lambda a, b: do("copy", a),
}


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request):
    return request.param


@pytest.mark.parametrize("name", CALLS)
def test_as_numpy(name, device, same):
    a, b = (arraygrad.asarray(x, device=device) for x in (A, B))
    found = CALLS[name](a, b)
    assert found.device is a.device
    expected = CALLS[name](A, B)
    same(found, expected, rtol=1e-12)


#: no number depends on the arrays, or NumPy's value alone is right at these ones
NO_GRADIENT = {"astype", "complex"}


@pytest.mark.parametrize("name", sorted(set(CALLS) - NO_GRADIENT))
def test_gradients(name):
    autodiff.check_grads(CALLS[name], (arraygrad.asarray(A), arraygrad.asarray(B)))


def test_splits():
    for where in (2, [1], [1, 1, 2], []):
        axis = 2
        found = do("split", arraygrad.asarray(B), where, axis=axis)
        expected = np.split(B, where, axis=axis)
        assert [x.tolist() for x in found] == [x.tolist() for x in expected]
    with pytest.raises(ValueError, match="split: 4 elements do not divide into 3 parts"):
        do("split", arraygrad.asarray(B), 3, axis=2)


def test_svd_is_reduced():
    u, s, vh = do("linalg.svd", arraygrad.asarray(B))
    assert (u.shape, s.shape, vh.shape) == ((2, 3, 3), (2, 3), (2, 3, 4))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_expm_of_no_matrix_and_of_no_number():
    assert do("linalg.expm", arraygrad.zeros((2, 0, 0))).shape == (2, 0, 0)
    for bad in (arraygrad.nan, arraygrad.inf):
        found = do("linalg.expm", arraygrad.full((2, 2), bad))
        assert not bool(arraygrad.any(arraygrad.isfinite(found)))
    integers = do("linalg.expm", arraygrad.asarray([[0, 1], [0, 0]]))
    assert integers.tolist() == [[1.0, 1.0], [0.0, 1.0]]


def test_creation_is_like_the_tensor(device):
    x = arraygrad.ones(1, dtype=arraygrad.float32, device=device)
    for made in (
        do("zeros", (2, 2), like=x),
        do("ones", 3, dtype="float32", like=x),
        do("eye", 2, like=x),
        do("identity", 2, like=x),
        do("full", (2,), 3.0, like=x),
        do("from_numpy", np.ones(2), like=x),
    ):
        assert (made.dtype, made.device) == (x.dtype, x.device)
    assert do("array", [1.0], like=x).device is x.device
    assert do("indices", (2, 3), like="arraygrad").tolist() == np.indices((2, 3)).tolist()


def test_random_numbers_repeat():
    draws = []
    for _ in range(2):
        do("random.seed", 3, like="arraygrad")
        x = do("random.normal", 2.0, 0.5, size=(2, 3), dtype="float32", like="arraygrad")
        y = do("random.uniform", low=-1, high=0, size=4, like="arraygrad")
        draws.append((x.tolist(), y.tolist()))
        assert x.dtype == arraygrad.float32
        assert -1 <= float(arraygrad.min(y)) <= float(arraygrad.max(y)) <= 0
    assert draws[0] == draws[1]


def test_to_and_from_a_device(device):
    x = arraygrad.asarray(A)
    y = autoray.to_device(x, "gpu" if device == "cuda" else device)
    assert y.device is arraygrad.Device(device)
    assert autoray.to_device(y, None) is y
    if device == "cuda":
        assert autoray.to_device(y, "gpu") is y
    np.testing.assert_array_equal(autoray.to_numpy(y), A)


def test_bad_use_raises():
    x = arraygrad.asarray(A)
    with pytest.raises(NotImplementedError, match="pad: mode must be 'constant'"):
        do("pad", x, 1, mode="edge")
    with pytest.raises(ValueError, match=r"linalg\.norm: ord must be None for 3 axes"):
        do("linalg.norm", arraygrad.asarray(B), 1)
