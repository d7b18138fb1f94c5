"""Programs of quimb, which must return the same for tensors and for NumPy arrays.

Tests for pytest, which `python -m conformance libraries` starts where quimb is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import quimb as qu
import quimb.tensor as qtn

import arraygrad as xp
import arraygrad.interop.autoray
from arraygrad import autodiff

#: A program gets a function that gives a network the arrays of the library.
Give = Callable[[Any], Any]


def give(to: Callable[[Any], Any]) -> Give:
    """Function that replaces the arrays of a network by those that `to` returns."""

    def convert(network: Any) -> Any:
        network.apply_to_arrays(to)
        return network

    return convert


def mps(seed: int = 0, n: int = 6, d: int = 4, **options: Any) -> Any:
    """A matrix product state."""
    return qtn.MPS_rand_state(n, bond_dim=d, seed=seed, **options)


def peps(seed: int = 0) -> Any:
    """A state on a square lattice."""
    return qtn.PEPS.rand(3, 3, bond_dim=2, seed=seed)


def network(seed: int = 0) -> Any:
    """A network without open indices."""
    return qtn.TN_rand_reg(8, 3, 2, seed=seed, dtype="float64")


def circuit(give: Give) -> Any:
    """The state after some gates."""
    gates = qtn.Circuit(4)
    for i in range(4):
        gates.apply_gate("H", i)
        gates.apply_gate("RZ", 0.3 * (i + 1), i)
    for i in range(3):
        gates.apply_gate("CNOT", i, i + 1)
    return give(gates.psi)


def compressed(give: Give) -> Any:
    """The norm of a state after compression."""
    state = give(mps(d=8))
    state.compress(max_bond=4, cutoff=0.0)
    return state.H @ state


def split(method: str) -> Callable[[Give], Any]:
    """A tensor that is split in two and contracted again."""

    def program(give: Give) -> Any:
        block = qtn.rand_tensor((4, 3, 5), "abc", seed=1, dtype="complex128")
        tensor = give(qtn.TensorNetwork([block])).tensors[0]
        parts = tensor.split(["a", "b"], method=method, cutoff=0.0, get="tensors", absorb="right")
        return qtn.TensorNetwork(parts).contract(output_inds="abc").data

    return program


def boundary(give: Give) -> Any:
    """Approximate norm of a state on a lattice."""
    state = give(peps())
    return (state.H & state).contract_boundary(max_bond=16, cutoff=0.0)


def evolved(give: Give) -> Any:
    """The norm of a state after a gate on two sites."""
    state = give(mps(dtype="complex128"))
    gate = qu.expm(-0.1j * qu.ham_heis(2)).reshape(2, 2, 2, 2)
    to = type(state[0].data)
    state.gate_split_(gate if to is np.ndarray else xp.asarray(gate), (1, 2), cutoff=0.0)
    return state.H @ state


def multiplied(give: Give) -> Any:
    """The expectation of an operator."""
    state, operator = give(mps()), give(qtn.MPO_rand_herm(6, bond_dim=3, seed=2))
    return (state.H @ operator.apply(state, compress=False)).real


#: program -> a number or an array
PROGRAMS: dict[str, Callable[[Give], Any]] = {
    "norm of an MPS": lambda give: (s := give(mps())).H @ s,
    "norm of a cyclic MPS": lambda give: (s := give(mps(cyclic=True))).H @ s,
    "overlap of two": lambda give: give(mps(0)).H @ give(mps(1)),
    "sum of two": lambda give: (s := give(mps(0)) + give(mps(1))).H @ s,
    "complex MPS": lambda give: (s := give(mps(dtype="complex128"))).H @ s,
    "MPS in single precision": lambda give: (s := give(mps(dtype="float32"))).H @ s,
    "dense vector": lambda give: give(mps()).to_dense(),
    "canonical form": lambda give: give(mps()).canonicalize(3).to_dense(),
    "left canonical form": lambda give: give(mps()).left_canonicalize().to_dense(),
    "compression": compressed,
    "entropy": lambda give: give(mps(d=8)).entropy(3),
    "Schmidt values": lambda give: give(mps(d=8)).schmidt_values(3),
    "operator on a state": multiplied,
    "gate on two sites": evolved,
    "circuit": lambda give: circuit(give).to_dense(),
    "network of degree three": lambda give: give(network()) ^ ...,
    "PEPS": lambda give: (s := give(peps())).H @ s,
    "PEPS by its boundary": boundary,
    "split by svd": split("svd"),
    "split by qr": split("qr"),
    "split by eig": split("eig"),
    "trace of an operator": lambda give: give(qtn.MPO_rand_herm(5, 3, seed=3)).trace(),
    "gradient of a norm": lambda give: gradient(give),
}  # fmt: skip


def gradient(give: Give) -> Any:
    """Derivative of <s|s> with respect to the first site, in which it is linear."""
    state = give(mps())
    first = state[0].data

    def norm(x: Any) -> Any:
        new = state.copy()
        new[0].modify(data=x)
        return new.H @ new

    if isinstance(first, xp.Tensor):
        return autodiff.grad(norm)(first)
    ones = np.eye(first.size).reshape(first.size, *first.shape)
    return np.reshape([(norm(first + e) - norm(first - e)) / 2 for e in ones], first.shape)


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(name: str) -> None:
    """The results agree, and those on tensors are tensors or numbers."""
    made: list[Any] = []

    def tensor(a: Any) -> Any:
        made.append(xp.asarray(np.asarray(a)))
        return made[-1]

    found = PROGRAMS[name](give(tensor))
    expected = PROGRAMS[name](give(np.asarray))
    assert made
    assert not isinstance(found, np.ndarray)
    tolerance = 1e-4 if "single" in name else 1e-10
    found = np.asarray(found.numpy() if isinstance(found, xp.Tensor) else found)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
