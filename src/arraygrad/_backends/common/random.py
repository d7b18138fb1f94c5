"""Random numbers: seeds of both backends' generators, and NumPy's generators.

The functions are in the table as ``random.x``, and take the library's generator first. `state`
returns plain Python objects, from which `restore` makes an equal generator. `copy` makes one on the
device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_Array = Any
_Generator = Any


def seed_state(seeded: Any) -> dict[str, Any]:
    """Seed of a generator, and the number of generators that it has spawned."""
    return dict(seeded.seed_seq.state)


def seed_sequence(state: dict[str, Any]) -> Any:
    """The inverse of `seed_state`."""
    return np.random.SeedSequence(**state)


# ---- NumPy's


def default_rng(seed: Any) -> _Generator:
    """A new generator."""
    return np.random.default_rng(seed)


def state(rng: _Generator) -> dict[str, Any]:
    """NumPy's state, and the seed, without which a copy would spawn other generators."""
    return rng.bit_generator.state | {"seed_seq": seed_state(rng.bit_generator)}


def restore(state: dict[str, Any]) -> _Generator:
    """A generator with that state."""
    bit_generator = getattr(np.random, state["bit_generator"])(seed_sequence(state["seed_seq"]))
    bit_generator.state = {k: v for k, v in state.items() if k != "seed_seq"}
    return np.random.Generator(bit_generator)


def copy(rng: _Generator) -> _Generator:
    """Copy of a generator with its own state."""
    return restore(state(rng))


def choice(rng: _Generator, n: int, size: int, replace: bool, p: Any, shuffle: bool) -> _Array:
    """Indices of elements chosen from n."""
    return rng.choice(n, size, replace, p, shuffle=shuffle)


def operations() -> dict[str, Callable[..., Any]]:
    """The entries of NumPy's table."""
    table = {f.__name__: f for f in (default_rng, state, restore, copy, choice)}
    for name in "random standard_normal standard_exponential integers permutation spawn".split():
        table[name] = getattr(np.random.Generator, name)
    return {f"random.{name}": function for name, function in table.items()}
