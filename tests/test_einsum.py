"""einsum, against NumPy's."""

import numpy as np
import pytest

import arraygrad
from arraygrad import autodiff

_rng = np.random.default_rng(0)

#: subscripts -> shapes of the operands
CASES = {
    "ij,jk->ik": [(2, 3), (3, 4)],
    "ij,jk": [(2, 3), (3, 4)],
    "ba,cb": [(2, 3), (4, 2)],
    "ii": [(4, 4)],
    "ij->": [(2, 3)],
    "ij->ji": [(2, 3)],
    "i,i": [(3,), (3,)],
    "i,j->ji": [(2,), (3,)],
    "i , j -> i j": [(2,), (3,)],
    "aii->ia": [(2, 4, 4)],
    "aiii->ai": [(2, 3, 3, 3)],
    "ii,ia->a": [(4, 4), (4, 3)],
    "bij,bjk->bki": [(5, 2, 3), (5, 3, 4)],
    "ij,ij->ij": [(2, 3), (2, 3)],
    "ij,k->i": [(2, 3), (4,)],
    "abc,cbd,agk->abk": [(2, 3, 4), (4, 3, 2), (2, 5, 6)],
    "ab,bc,cd,da->": [(2, 3), (3, 4), (4, 5), (5, 2)],
    "oi,...i->...o": [(2, 3), (4, 5, 3)],
    "...i,...i": [(4, 1, 3), (2, 3)],
    "a...,...a->...": [(2, 3, 4), (3, 4, 2)],
    "...->...": [(2, 3)],
    "ij...->...": [(2, 3, 4)],
    "ij,j->i": [(2, 0), (0,)],
    ",->": [(), ()],
    "xy,yz": [(3, 1), (4, 2)],  # sizes of 1 are broadcast
    "x,x": [(3,), (1,)],
    "xy,xy->y": [(1, 4), (3, 4)],
    "a...,a...->...": [(1, 3), (2, 1)],
    "xy,yz->xz": [(2, 0), (1, 3)],
}


def operands(case):
    return [_rng.standard_normal(shape) for shape in CASES[case]]


@pytest.mark.parametrize("case", CASES)
def test_equals_numpy(case, xp, same):
    arrays = operands(case)
    same(xp.einsum(case, *map(xp.asarray, arrays)), np.einsum(case, *arrays), rtol=1e-13)


@pytest.mark.parametrize("dtype", ["int8", "float32", "complex64"])
def test_keeps_the_dtype(dtype, xp, same):
    a = np.arange(6).reshape(2, 3).astype(dtype)
    for case in ("ij,jk->ik", "ij,jk->i"):
        same(xp.einsum(case, xp.asarray(a), xp.asarray(a.T)), np.einsum(case, a, a.T))


@pytest.mark.parametrize("case", CASES)
def test_gradients(case):
    tensors = [arraygrad.asarray(a) for a in operands(case)]
    autodiff.check_grads(lambda *x: arraygrad.einsum(case, *x), tensors, order=2)


@pytest.mark.parametrize(
    ("case", "shapes"),
    [
        ("ij,jk->ik", [(2, 3), (4, 5)]),
        ("ij,jk->ik", [(2, 3)]),
        ("ij,ij", [(3, 4), (4, 3)]),
        ("ij,ij->i", [(2, 3), (2, 4)]),
        ("bij,bjk->bik", [(2, 3, 4), (3, 4, 5)]),
        ("...i,...i->", [(2, 3, 4), (3, 2, 4)]),
        ("ii", [(2, 3)]),
        ("ij->i", [(2, 3, 4)]),
        ("...i->i", [(2, 3)]),
        ("ij->ik", [(2, 3)]),
        ("ij->ii", [(2, 3)]),
        ("ijk->i", [(2, 3)]),
    ],
)
def test_what_does_not_fit_raises(case, shapes):
    arrays = [np.ones(shape) for shape in shapes]
    with pytest.raises(ValueError):
        np.einsum(case, *arrays)
    with pytest.raises(ValueError):
        arraygrad.einsum(case, *map(arraygrad.asarray, arrays))


def test_sizes_that_differ_are_named():
    x = arraygrad.ones((3, 4))  # as many elements as its transpose: no product would notice
    with pytest.raises(ValueError, match="axis 'i' of 'ij,ij' has the sizes 3 and 4"):
        arraygrad.einsum("ij,ij", x, x.mT)


def test_bad_use_raises():
    x = arraygrad.ones(3)
    with pytest.raises(TypeError, match="einsum: expected a Tensor"):
        arraygrad.einsum("i,i", x, np.ones(3))
    with arraygrad.strict(), pytest.raises(TypeError, match="einsum: outside the standard"):
        arraygrad.einsum("i,i", x, x)


def test_opt_einsum_finds_it(xp, same):
    contract = pytest.importorskip("opt_einsum").contract
    for case in ("ab,bc,cd,da->", "abc,cbd,agk->abk", "ij,ij->ij", "aii->ia"):
        arrays = operands(case)
        same(contract(case, *map(xp.asarray, arrays)), np.einsum(case, *arrays), rtol=1e-13)


def test_opt_einsum_takes_constants_of_numpy(xp, same):
    contract_expression = pytest.importorskip("opt_einsum").contract_expression
    import arraygrad.interop.opt_einsum

    a, b, c = (np.arange(float(m * n)).reshape(m, n) for m, n in ((2, 3), (3, 4), (4, 5)))
    product = contract_expression("ab,bc,cd->ad", a.shape, b, c, constants=[1, 2])
    for _ in range(2):  # the second has the constants from the first
        same(product(xp.asarray(a)), a @ b @ c, rtol=1e-13)
    gradient = arraygrad.autodiff.grad(lambda x: xp.sum(product(x)))(xp.asarray(a))
    same(gradient, np.ones((len(a), 1)) * np.sum(b @ c, axis=1), rtol=1e-13)
