"""NumPy's ints, floats and bools are taken wherever Python's are."""

import numpy as np
import pytest

import arraygrad as xp
from arraygrad import autodiff, random

X = xp.asarray([1.0, 2.0, 3.0])
I = xp.asarray([1, 2, 3])
B = xp.asarray([True, False, True])
M = xp.ones((2, 3))


def rng():
    return random.default_rng(1)


def written(x, key, value):
    x = xp.asarray(x, copy=True)
    x[key] = value
    return x


def grad_of_product(argnums):
    return autodiff.grad(lambda x, y: x * y, argnums=argnums)(xp.asarray(2.0), xp.asarray(3.0))


#: Calls; i, f and b make an int, a float and a bool.
CASES = {
    "zeros": lambda i, f, b: xp.zeros(i(3)),
    "ones": lambda i, f, b: xp.ones((i(2), 3)),
    "empty": lambda i, f, b: xp.empty([i(2), i(3)]).shape,
    "full": lambda i, f, b: [
        xp.full(i(2), 0.5),
        xp.full(2, i(3), dtype=xp.int64),
        xp.full(2, b(True)),
    ],
    "full_like": lambda i, f, b: xp.full_like(X, f(0.5)),
    "eye": lambda i, f, b: xp.eye(i(3), i(2), k=i(-1)),
    "arange": lambda i, f, b: [xp.arange(i(5)), xp.arange(i(1), i(7), i(2)), xp.arange(f(0.5), 3)],
    "linspace": lambda i, f, b: xp.linspace(f(0.5), i(2), i(4), endpoint=b(False)),
    "logspace": lambda i, f, b: xp.logspace(i(0), f(2.0), i(3), base=f(2.0)),
    "tril": lambda i, f, b: xp.tril(M, k=i(1)),
    "asarray": lambda i, f, b: [xp.asarray(f(0.5), dtype=xp.float64), xp.asarray([i(1), 2])],
    "reshape": lambda i, f, b: [
        xp.reshape(M, (i(3), i(-1))),
        M.reshape(i(3), i(2)),
        M.reshape(i(6)),
    ],
    "permute_dims": lambda i, f, b: [xp.permute_dims(M, (i(1), i(0))), M.transpose(i(1), i(0))],
    "transpose": lambda i, f, b: xp.transpose(M, (i(1), i(0))),
    "moveaxis": lambda i, f, b: xp.moveaxis(M, i(0), i(-1)),
    "expand_dims": lambda i, f, b: xp.expand_dims(M, axis=i(1)),
    "squeeze": lambda i, f, b: xp.squeeze(xp.ones((1, 2)), axis=i(0)),
    "broadcast_to": lambda i, f, b: xp.broadcast_to(X, (i(2), i(3))),
    "broadcast_shapes": lambda i, f, b: xp.broadcast_shapes((i(2), 1), (i(3),)),
    "tile": lambda i, f, b: xp.tile(X, (i(2),)),
    "repeat": lambda i, f, b: xp.repeat(M, i(2), axis=i(1)),
    "roll": lambda i, f, b: [xp.roll(M, i(1), axis=i(0)), xp.roll(M, (i(1), i(2)), axis=(0, 1))],
    "flip": lambda i, f, b: xp.flip(M, axis=i(1)),
    "concat": lambda i, f, b: xp.concat([M, M], axis=i(1)),
    "stack": lambda i, f, b: xp.stack([M, M], axis=i(-1)),
    "unstack": lambda i, f, b: xp.unstack(M, axis=i(1)),
    "diff": lambda i, f, b: [xp.diff(M, n=i(1), axis=i(0)), xp.diff(M, n=i(0))],
    "sum": lambda i, f, b: [xp.sum(M, axis=i(0)), xp.sum(M, axis=(i(0), i(1))), M.sum(i(1))],
    "keepdims": lambda i, f, b: [
        xp.sum(M, keepdims=b(True)),
        xp.max(M, keepdims=b(True)),
        xp.mean(M, keepdims=b(True)),
        xp.var(M, keepdims=b(True)),
        xp.argmax(M, keepdims=b(True)),
        xp.all(M, keepdims=b(True)),
        xp.median(M, keepdims=b(True)),
    ],
    "var": lambda i, f, b: [xp.var(M, correction=f(0.5)), xp.std(M, axis=i(0), correction=i(1))],
    "nanstd": lambda i, f, b: xp.nanstd(M, axis=i(1), ddof=i(1)),
    "median": lambda i, f, b: xp.median(M, axis=i(1)),
    "cumulative_sum": lambda i, f, b: xp.cumulative_sum(M, axis=i(1), include_initial=b(True)),
    "sort": lambda i, f, b: [
        xp.sort(M, axis=i(0), descending=b(True)),
        xp.argsort(M, axis=i(0), stable=b(True)),
    ],
    "argmax": lambda i, f, b: xp.argmax(M, axis=i(0)),
    "count_nonzero": lambda i, f, b: xp.count_nonzero(M, axis=i(0)),
    "take": lambda i, f, b: xp.take(M, I - 1, axis=i(1)),
    "take_along_axis": lambda i, f, b: xp.take_along_axis(
        M, xp.zeros((2, 1), dtype=xp.int64), axis=i(1)
    ),
    "indexing": lambda i, f, b: [M[i(1)], M[i(0), i(1) : i(3)], M[:, :: i(2)], M[[i(0), i(1)]]],
    "where": lambda i, f, b: [xp.where(B, X, f(0.5)), xp.where(B, i(3), I)],
    "clip": lambda i, f, b: [xp.clip(X, f(0.5), f(1.5)), xp.clip(I, i(1), i(2))],
    "searchsorted": lambda i, f, b: xp.searchsorted(X, f(1.5)),
    "isin": lambda i, f, b: xp.isin(I, i(2)),
    "operators": lambda i, f, b: [
        X + f(0.5),
        f(0.5) * X,
        I // i(2),
        i(2) ** X,
        f(1.5) <= X,
        I << i(1),
    ],
    "tensordot": lambda i, f, b: [
        xp.tensordot(X, X, axes=i(1)),
        xp.tensordot(M, M, axes=((i(0),), (i(0),))),
    ],
    "vecdot": lambda i, f, b: xp.vecdot(M, M, axis=i(-1)),
    "cross": lambda i, f, b: xp.linalg.cross(X, X, axis=i(0)),
    "diagonal": lambda i, f, b: [
        xp.linalg.diagonal(M, offset=i(1)),
        xp.linalg.trace(M, offset=i(1)),
    ],
    "matrix_power": lambda i, f, b: xp.linalg.matrix_power(xp.ones((2, 2)), i(3)),
    "norms": lambda i, f, b: [
        xp.linalg.vector_norm(X, ord=i(3)),
        xp.linalg.vector_norm(X, ord=f(2.5), axis=i(0)),
        xp.linalg.matrix_norm(M, ord=i(1), keepdims=b(True)),
    ],
    "pinv": lambda i, f, b: [xp.linalg.pinv(M, rtol=f(0.5)), xp.linalg.matrix_rank(M, rtol=f(0.5))],
    "qr": lambda i, f, b: xp.linalg.svd(M, full_matrices=b(False)).S,
    "cholesky": lambda i, f, b: xp.linalg.cholesky(xp.eye(2), upper=b(True)),
    "fft": lambda i, f, b: [
        xp.fft.fft(X, n=i(4), axis=i(0)),
        xp.fft.fftn(M, s=(i(2), i(4)), axes=(i(0), i(1))),
        xp.fft.fftfreq(i(4), d=f(0.5)),
        xp.fft.rfftfreq(i(4), d=f(0.5)),
        xp.fft.fftshift(M, axes=i(1)),
    ],
    "special": lambda i, f, b: [
        xp.special.yn(i(2), X),
        xp.special.multigammaln(X + 3.0, i(2)),
        xp.special.gammainc(f(0.5), X),
        xp.special.polygamma(i(1), X),
        xp.special.logsumexp(M, axis=i(0), keepdims=b(True)),
        xp.special.softmax(M, axis=i(1)),
        xp.special.zeta(f(2.5), X),
        xp.special.radian(X, i(1), f(0.5)),
    ],
    "random": lambda i, f, b: [
        xp.random.default_rng(i(3)).random(i(2)),
        rng().normal(f(0.5), f(2.0), size=(i(2),)),
        rng().uniform(i(1), i(2), i(3)),
        rng().exponential(f(2.0), i(2)),
        rng().integers(i(1), i(5), size=i(3)),
        rng().permutation(i(4)),
        rng().choice(i(4), i(2), replace=b(False)),
        rng().choice(M, i(1), axis=i(1)),
        rng().spawn(i(2))[0].random(),
        rng().standard_normal(i(2)),
        rng().integers(i(5), endpoint=b(True)),
    ],
    "grad": lambda i, f, b: [
        grad_of_product(i(1)),
        grad_of_product((i(1), i(0))),
        autodiff.jacobian(lambda x: x * X, argnums=i(0))(xp.asarray(1.0)),
        autodiff.hessian(lambda x: x * x, argnums=i(0))(xp.asarray(1.0)),
    ],
    "vjp": lambda i, f, b: autodiff.vjp(lambda x: x * x, xp.asarray(2.0))[1](f(1.0)),
    "custom": lambda i, f, b: autodiff.custom_vjp(lambda n, x: n * x, nondiff_argnums=i(0))(
        i(2), X
    ),
    "check_grads": lambda i, f, b: autodiff.check_grads(
        xp.sin, (X,), order=i(1), atol=f(0.5), rtol=f(0.5), eps=f(2.0**-10)
    ),
    "setitem": lambda i, f, b: [
        written(X, slice(i(0), i(2)), f(0.5)),
        written(I, i(1), i(7)),
        written(I, slice(1, 2), [i(7)]),
    ],
    "set_num_threads": lambda i, f, b: xp.set_num_threads(i(xp.get_num_threads())),
    "astype": lambda i, f, b: xp.astype(X, xp.int64, copy=b(True)),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("integer", "number"), [(np.int64, np.float64), (np.int8, np.float32), (np.int32, np.float16)]
)
def test_numpy_scalars_are_taken_as_pythons_numbers_are(case, integer, number):
    expected = CASES[case](int, float, bool)
    assert repr(CASES[case](integer, number, np.bool_)) == repr(expected)


def test_numpy_scalars_are_taken_under_differentiation():
    def f(x, i, f, b):
        y = xp.sum(xp.roll(x, i(1), axis=i(0)) ** i(2), axis=i(1), keepdims=b(True))
        return xp.sum(xp.repeat(y, i(2), axis=i(0)) * f(0.5)) + xp.tensordot(x[0], x[1], axes=i(1))

    expected = autodiff.grad(f)(M, int, float, bool)
    assert (autodiff.grad(f)(M, np.int8, np.float32, np.bool_) == expected).all()


def test_a_gradient_by_a_numpy_scalar_has_its_dtype():
    value, gradient = autodiff.value_and_grad(lambda x: x * x)(np.float32(3.0))
    assert (value.dtype, gradient.dtype, float(gradient)) == (xp.float32, xp.float32, 6.0)
    assert float(autodiff.jvp(lambda x: x * x, (np.float64(3.0),), (np.float32(1.0),))[1]) == 6.0


def test_small_numpy_ints_do_not_wrap_around_as_parameters():
    assert xp.fft.fftfreq(np.uint8(4)).tolist() == xp.fft.fftfreq(4).tolist()
    assert xp.eye(np.uint8(3), k=np.int8(-1)).tolist() == xp.eye(3, k=-1).tolist()
    assert xp.tril(M, k=np.uint8(1)).tolist() == xp.tril(M, k=1).tolist()
    assert xp.arange(np.uint8(250), np.uint8(5), np.int8(-100)).tolist() == [250, 150, 50]
    assert xp.linspace(np.int8(-100), np.int8(100), np.uint8(3)).tolist() == [-100, 0, 100]
    assert xp.linspace(0, 1, np.uint8(0)).shape == (0,)


def test_floats_of_lower_precision_do_not_lower_that_of_the_result():
    third = np.float16(0.3333)
    assert xp.linspace(0.0, third, 4).tolist() == xp.linspace(0.0, float(third), 4).tolist()
    assert xp.arange(0.0, 1.0, third).tolist() == xp.arange(0.0, 1.0, float(third)).tolist()
    assert xp.fft.fftfreq(5, d=third).tolist() == xp.fft.fftfreq(5, d=float(third)).tolist()
