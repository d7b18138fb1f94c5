"""Manipulation functions against NumPy, on every device."""

import numpy as np
import pytest

A = np.arange(24).reshape(2, 3, 4)
CALLS = {
    "concat": lambda m, x: m.concat([x, x], axis=1),
    "concat flat": lambda m, x: m.concat([x, x[0, ...]], axis=None),
    "expand_dims": lambda m, x: m.expand_dims(x, axis=-2),
    "expand_dims first": lambda m, x: m.expand_dims(x, axis=0),
    "expand_dims tuple": lambda m, x: m.expand_dims(x, axis=(0, -1)),
    "flip": lambda m, x: m.flip(x),
    "flip axis": lambda m, x: m.flip(x, axis=-1),
    "flip axes": lambda m, x: m.flip(x, axis=(0, 2)),
    "moveaxis": lambda m, x: m.moveaxis(x, 0, -1),
    "moveaxis tuple": lambda m, x: m.moveaxis(x, (0, 1), (-1, 0)),
    "permute_dims": lambda m, x: m.permute_dims(x, (2, 0, 1)),
    "permute_dims negative": lambda m, x: m.permute_dims(x, (-1, 0, -2)),
    "repeat": lambda m, x: m.repeat(x, 2, axis=1),
    "repeat flat": lambda m, x: m.repeat(x, 3),
    "repeat each": lambda m, x: m.repeat(x, m.asarray([0, 2, 1]), axis=1),
    "reshape": lambda m, x: m.reshape(x, (4, 6)),
    "reshape unknown": lambda m, x: m.reshape(x, (3, -1)),
    "reshape copy": lambda m, x: m.reshape(x, (24,), copy=True),
    "roll": lambda m, x: m.roll(x, 5),
    "roll axis": lambda m, x: m.roll(x, -1, axis=1),
    "roll axes": lambda m, x: m.roll(x, (1, 2), axis=(0, 2)),
    "squeeze": lambda m, x: m.squeeze(x[:1, :, :1], axis=(0, 2)),
    "stack": lambda m, x: m.stack([x, x]),
    "stack inside": lambda m, x: m.stack([x, x], axis=1),
    "stack last": lambda m, x: m.stack([x, x], axis=-1),
    "tile": lambda m, x: m.tile(x, (2, 1, 3)),
    "tile short": lambda m, x: m.tile(x, (2,)),
    "tile long": lambda m, x: m.tile(x, (2, 1, 1, 1)),
    "broadcast_to": lambda m, x: m.broadcast_to(x, (5, 2, 3, 4)),
    "broadcast_arrays": lambda m, x: m.broadcast_arrays(x, x[:, :1, :1])[1],
    "unstack": lambda m, x: m.unstack(x)[1],
    "unstack axis": lambda m, x: m.unstack(x, axis=-1)[2],
    "unstack one": lambda m, x: m.unstack(x[0, 0, :])[2],
}


@pytest.mark.parametrize("dtype", ["bool", "int8", "float32", "complex128"])
@pytest.mark.parametrize("name", CALLS)
def test_against_numpy(xp, same, name, dtype):
    a = A.astype(dtype)
    same(CALLS[name](xp, xp.asarray(a)), CALLS[name](np, a))


@pytest.mark.parametrize("shape", [(0,), (2, 0, 3)])
def test_empty(xp, same, shape):
    a = np.zeros(shape)
    x = xp.asarray(a)
    same(xp.flip(x), a)
    same(xp.concat([x, x]), np.concatenate([a, a]))
    same(xp.reshape(x, (0, 7)), np.zeros((0, 7)))
    same(xp.repeat(x, 2), np.repeat(a, 2))
    assert len(xp.unstack(x)) == shape[0]


def test_views_and_copies(xp):
    for name in ("expand_dims", "permute_dims", "moveaxis", "reshape", "unstack", "unstack one"):
        x = xp.asarray(A, copy=True)
        CALLS[name](xp, x)[...] = -1
        assert bool(xp.any(x == -1)), name
    x = xp.asarray(A, copy=True)
    for name in ("concat", "stack", "repeat", "reshape copy", "roll", "tile"):
        CALLS[name](xp, x)[...] = -1
    assert not bool(xp.any(x == -1))


def test_promotion(xp):
    mixed = [xp.ones(2, dtype=xp.int8), xp.ones(2, dtype=xp.uint8)]
    assert xp.concat(mixed).dtype == xp.int16
    assert xp.stack(mixed).dtype == xp.int16
    assert [t.dtype for t in xp.broadcast_arrays(*mixed)] == [xp.int8, xp.uint8]


def test_broadcast_shapes(xp):
    assert xp.broadcast_shapes((2, 1), (3,), ()) == (2, 3)
    assert xp.broadcast_shapes((0, 1), (5,)) == (0, 5)
