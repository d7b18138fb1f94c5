"""What the tests of compiled functions share."""

import optree

import arraygrad as xp
from arraygrad._compile._compiled import Ready


def bits(tree):
    """The bytes of all tensors, with their shapes and dtypes."""
    leaves = optree.tree_leaves(tree, namespace="arraygrad")
    return [
        (x.shape, str(x.dtype), x.numpy().tobytes()) if isinstance(x, xp.Tensor) else x
        for x in leaves
    ]


def check(f, *calls, **options):
    """Call `f` and its compiled form with copies of the same arguments, and compare.

    The first call records. So its arguments are given once more at last, to the program.
    """
    compiled = xp.compile(f, **options)
    for args in (*calls, calls[0]):
        own, others = (optree.tree_map(copy, args, namespace="arraygrad") for _ in range(2))
        assert bits(compiled(*own)) == bits(f(*others))
        assert bits(own) == bits(others)
    return compiled


def copy(x):
    return xp.asarray(x, copy=True) if isinstance(x, xp.Tensor) else x


def normal(*shape, seed=0, dtype=xp.float64):
    return xp.astype(xp.random.default_rng(seed).normal(size=shape), dtype)


X, Y = normal(5), normal(5, seed=1)
M = normal(4, 5, seed=2)


def programs(compiled):
    """The programs, prepared as before their first run."""
    found = [e for entries in compiled._entries.values() for e in entries]
    for e in found:
        if isinstance(e, Ready):
            e.prepare()
    return found
