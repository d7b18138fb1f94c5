"""Random numbers: generators that compute each number from a key and its position."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import cupy as cp
import numpy as np

from ..common.random import seed_sequence, seed_state
from .kernels import PHILOX

_Array = Any

_KEY = "raw uint64 position, uint32 k0, uint32 k1, uint32 k2"
float_kernels = {
    name: cp.ElementwiseKernel(
        _KEY,
        "T out",
        f"out = arraygrad::{name}<T>(arraygrad::philox(position[0] + i, 0, k0, k1, k2))",
        f"arraygrad_{name}",
        preamble=PHILOX,
    )
    for name in ("random", "standard_exponential", "standard_normal")
}
# A number that is too large is drawn again, with the next attempt.
_integer_kernel = cp.ElementwiseKernel(
    f"{_KEY}, uint64 mask, uint64 span, uint64 low",
    "T out",
    """
    unsigned int attempt = 0;
    unsigned long long x;
    do {
      x = arraygrad::philox(position[0] + i, attempt++, k0, k1, k2).pair(0) & mask;
    } while (x > span);
    out = T(x + low);
    """,
    "arraygrad_integers",
    preamble=PHILOX,
)


class Generator:
    """A key of 96 bits, and the position of the next number.

    The position is on the GPU, so that a captured graph advances it. CuPy's generators have a state
    for each thread of a GPU (8 MiB for 2**17 threads), filled from 32 bits of a seed. Here there is
    no such state, and the numbers do not depend on the GPU.
    """

    def __init__(self, seed_seq: Any, position: int = 0) -> None:
        self.seed_seq = seed_seq
        self.key = tuple(seed_seq.generate_state(3, np.uint32))
        self.position = cp.full(1, np.uint64(position))

    def draw(self, kernel: Any, size: Any, dtype: Any, *parameters: Any) -> _Array:
        """An array of the next numbers."""
        out = cp.empty(size, dtype)
        kernel(self.position, *self.key, *parameters, out)
        self.position += out.size
        return out


def _default_rng(seed: Any) -> Generator:
    return Generator(
        seed if isinstance(seed, np.random.SeedSequence) else np.random.SeedSequence(seed)
    )


_BIT_GENERATOR = "Philox4x32"


def _state(rng: Generator) -> dict[str, Any]:
    position = int(rng.position.get()[0])
    return {
        "bit_generator": _BIT_GENERATOR,
        "position": position,
        "seed_seq": seed_state(rng),
    }


def _restore(state: dict[str, Any]) -> Generator:
    if state["bit_generator"] != _BIT_GENERATOR:
        raise ValueError(f"a state of {state['bit_generator']}")
    return Generator(seed_sequence(state["seed_seq"]), state["position"])


def _copy(rng: Generator) -> Generator:
    """Copy of a generator with its own state, made without waiting for the GPU."""
    other = copy.copy(rng)
    other.seed_seq = seed_sequence(seed_state(rng))
    other.position = rng.position.copy()
    return other


def _spawn(rng: Generator, n: int) -> list[Generator]:
    return [Generator(child) for child in rng.seed_seq.spawn(n)]


def _floats(name: str) -> Callable[..., _Array]:
    return lambda rng, size, dtype: rng.draw(float_kernels[name], size, dtype)


def _integers(
    rng: Generator, low: int, last: int, size: Any, dtype: Any, endpoint: bool = True
) -> _Array:
    """Uniform integers from `low` to `last`, both included."""
    span = last - low
    mask = 2 ** span.bit_length() - 1
    return rng.draw(
        _integer_kernel, size, dtype, np.uint64(mask), np.uint64(span), np.uint64(low % 2**64)
    )


def _permutation(rng: Generator, n: int) -> _Array:
    """Order of random 64-bit keys, which are almost never equal."""
    return cp.argsort(_integers(rng, 0, 2**64 - 1, n, "uint64"))


def _choice(rng: Generator, n: int, count: int, replace: bool, p: Any, shuffle: bool) -> _Array:
    if p is None and replace:
        return _integers(rng, 0, max(n - 1, 0), count, "int64")
    if p is None:
        return _permutation(rng, n)[:count]
    if replace:
        cumulative = cp.cumsum(p)
        u = rng.draw(float_kernels["random"], count, "float64") * cumulative[-1]
        return cp.minimum(cp.searchsorted(cumulative, u, side="right"), n - 1)
    # Exponential clocks with rates p: the chosen ones ring first (Efraimidis and Spirakis, 2006).
    # A clock with rate 0 never rings.
    times = rng.draw(float_kernels["standard_exponential"], n, "float64") / p
    return cp.argsort(cp.where(p > 0, times, cp.inf))[:count]


def operations() -> dict[str, Callable[..., Any]]:
    """The entries of the table."""
    table: dict[str, Callable[..., Any]] = {
        "default_rng": _default_rng,
        "state": _state,
        "restore": _restore,
        "copy": _copy,
        "spawn": _spawn,
        "integers": _integers,
        "permutation": _permutation,
        "choice": _choice,
        **{name: _floats(name) for name in float_kernels},
    }
    return {f"random.{name}": function for name, function in table.items()}
