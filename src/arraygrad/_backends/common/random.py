"""Random numbers: what the backends' generators share, and NumPy's.

The functions, in the table as ``random.x``, take the library's generator first. `state` gives all
that `restore` needs to make an equal one, in plain Python objects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_Array = Any
_Generator = Any


def seed_state(seeded: Any) -> dict[str, Any]:
    """What `seeded` was seeded with, and how many it has spawned."""
    return dict(seeded.seed_seq.state)


def seed_sequence(state: dict[str, Any]) -> Any:
    """The inverse."""
    return np.random.SeedSequence(**state)


# ---- NumPy's


def default_rng(seed: Any) -> _Generator:
    """A new generator."""
    return np.random.default_rng(seed)


def state(rng: _Generator) -> dict[str, Any]:
    """NumPy's own dict, and the seed, without which the copy would spawn others."""
    return rng.bit_generator.state | {"seed_seq": seed_state(rng.bit_generator)}


def restore(state: dict[str, Any]) -> _Generator:
    """A generator of that state."""
    bit_generator = getattr(np.random, state["bit_generator"])(seed_sequence(state["seed_seq"]))
    bit_generator.state = {k: v for k, v in state.items() if k != "seed_seq"}
    return np.random.Generator(bit_generator)


def choice(rng: _Generator, n: int, size: int, replace: bool, p: Any, shuffle: bool) -> _Array:
    """Indices of chosen ones of n."""
    return rng.choice(n, size, replace, p, shuffle=shuffle)


def operations() -> dict[str, Callable[..., Any]]:
    """The part of NumPy's table."""
    table = {f.__name__: f for f in (default_rng, state, restore, choice)}
    for name in "random standard_normal standard_exponential integers permutation spawn".split():
        table[name] = getattr(np.random.Generator, name)
    return {f"random.{name}": function for name, function in table.items()}
