"""Runs of elementwise functions, and a reduction at their end, as one kernel.

It has the bits of CuPy's own kernels.

Each function of a run is a device function of its own, with the code and the types of CuPy's
kernel, and is not inlined. So the compiler cannot contract a product and a sum of two functions,
which are rounded twice in CuPy's kernels, and compiles each as it does there. Sums and products
themselves are written by intrinsics, which no stage of the compiler contracts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import cupy as cp

from .devices import on_device
from .kernels import EXTREME
from .private import has_own_sums, loops

_TYPES = {"float32": "float", "float64": "double", "bool": "bool"}
#: Those that are no ufuncs of CuPy's, as the corrections define them.
_OWN = {
    "where": "out0 = in0 ? in1 : in2",
    "settle": "out0 = isnan(in0) && (in1 == in1_type(0) || isinf(in1)) ? in0_type(0) : in0",
}


#: Code of CuPy's that the compiler may contract with other code, and what it stands for.
_ROUNDED = {
    "out0 = in0 + in1": "add_rn(in0, in1)",
    "out0 = in0 - in1": "sub_rn(in0, in1)",
    "out0 = in0 * in1": "mul_rn(in0, in1)",
}


class Step:
    """One function of a run, for operands of some dtypes.

    Attributes
    ----------
    dtype : str
        Of the result.
    """

    def __init__(self, dtypes: Sequence[str], dtype: str, code: str, preamble: str = "") -> None:
        self.dtype, self._dtypes, self._code, self.preamble = dtype, dtypes, code, preamble

    def definition(self, name: str) -> str:
        """The device function."""
        kinds = [_TYPES[d] for d in self._dtypes]
        parameters = ", ".join(f"const {kind} in{i}" for i, kind in enumerate(kinds))
        names = "".join(f"typedef {kind} in{i}_type; " for i, kind in enumerate(kinds))
        out = _TYPES[self.dtype]
        if self._code in _ROUNDED and out != "bool":
            return (
                f"__device__ __noinline__ {out} {name}({parameters}) "
                f"{{ return __{out[0]}{_ROUNDED[self._code]}; }}"
            )
        return (
            f"__device__ __noinline__ {out} {name}({parameters}) {{ {names}typedef {out} "
            f"out0_type; {out} out0; {self._code}; return out0; }}"
        )


def step(name: str, function: Callable[..., Any], dtypes: Sequence[str]) -> Step | None:
    """The function of an operation for operands of some dtypes; None if it cannot be in a run."""
    if any(d not in _TYPES for d in dtypes):
        return None
    if name in _OWN:
        if name == "where" and (dtypes[0] != "bool" or dtypes[1] != dtypes[2]):
            return None
        if name == "settle" and "bool" in dtypes:
            return None
        return Step(dtypes, dtypes[1] if name == "where" else dtypes[0], _OWN[name])
    ufunc = getattr(function, "ufunc", None)
    if ufunc is None:
        return None
    preamble, found = loops(ufunc)
    for inputs, outputs, code in found:
        if [str(d) for d in inputs] == list(dtypes):
            if len(outputs) != 1 or str(outputs[0]) not in _TYPES or not isinstance(code, str):
                return None
            if re.search(r"\b(max|min)\(", code):  # C++ leaves open which of 0.0 and -0.0
                return None
            return Step(dtypes, str(outputs[0]), code, preamble)
    return None


#: Reductions: the state for an element `x`, for two states, the result, the type of the state, the
#: first state, and code in front. The order of the elements does not matter, except for sums, which
#: are written as CuPy's.
_REDUCTIONS: dict[str, tuple[str, str, str, str, str | None, str]] = {
    "all": ("{x} != 0", "a & b", "out0 = a", "bool", "true", ""),
    "any": ("{x} != 0", "a | b", "out0 = a", "bool", "false", ""),
    "max": (
        "Extreme<{t}>({x}, _J)", "extreme<true>(a, b)", "out0 = a.value", "Extreme<{t}>", None,
        EXTREME,
    ),
    "min": (
        "Extreme<{t}>({x}, _J)", "extreme<false>(a, b)", "out0 = a.value", "Extreme<{t}>", None,
        EXTREME,
    ),
    "sum": ("{x}", "a + b", "out0 = a", "{t}", "0", ""),
}  # fmt: skip


def can_reduce(name: str, dtype: str) -> bool:
    """Return True for a reduction that can end a run."""
    if name == "sum":
        return dtype != "bool" and has_own_sums()
    return name in _REDUCTIONS and (dtype != "bool" or name in ("all", "any"))


def kernel(
    index: int,
    inputs: Sequence[str],
    steps: Sequence[tuple[Step, Sequence[int]]],
    outputs: Sequence[int],
) -> Callable[..., Any]:
    """A kernel that makes all steps on each element, for GPU number `index`.

    Parameters
    ----------
    index : int
        The GPU.
    inputs : sequence of str
        Dtypes of the arrays or numbers that it is called with.
    steps : sequence of (Step, sequence of int)
        The steps, and the numbers of their operands: those of the inputs, and then of the results.
    outputs : sequence of int
        The numbers of the results that it returns.

    Returns
    -------
    callable
        Returns one array, or a tuple of several.
    """
    preamble, lines = _code(len(inputs), steps)
    lines += [f"out{k} = v{k};" for k in outputs]
    made = cp.ElementwiseKernel(
        ", ".join(f"{d} v{k}" for k, d in enumerate(inputs)),
        ", ".join(f"{steps[k - len(inputs)][0].dtype} out{k}" for k in outputs),
        "\n".join(lines),
        "arraygrad_run",
        preamble="\n".join(preamble),
    )
    return on_device(made, index)


def reducing_kernel(
    index: int,
    inputs: Sequence[str],
    steps: Sequence[tuple[Step, Sequence[int]]],
    name: str,
    axis: Any,
    keepdims: bool,
) -> Callable[..., Any]:
    """A kernel that makes all steps on each element, and a reduction of the last one's results.

    The parameters are those of `kernel`, and those of the reduction `name`.
    """
    preamble, lines = _code(len(inputs), steps)
    dtype = steps[-1][0].dtype
    kind, last = _TYPES[dtype], len(inputs) + len(steps) - 1
    parameters = ", ".join(f"const {_TYPES[d]} v{k}" for k, d in enumerate(inputs))
    body = "\n".join([*lines, f"return v{last};"])
    preamble.append(f"__device__ {kind} arraygrad_element({parameters}) {{\n{body}\n}}")
    element, combine, result, state, first, code = _REDUCTIONS[name]
    given = ", ".join(f"v{k}" for k in range(len(inputs)))
    made = cp.ReductionKernel(
        ", ".join(f"{d} v{k}" for k, d in enumerate(inputs)),
        f"{'bool' if name in ('all', 'any') else dtype} out0",
        element.format(x=f"arraygrad_element({given})", t=kind),
        combine,
        result,
        first,
        f"arraygrad_run_{name}",
        state.format(t=kind),
        preamble="\n".join([code, *preamble]),
    )
    return on_device(partial(made, axis=axis, keepdims=keepdims), index)


def _code(count: int, steps: Sequence[tuple[Step, Sequence[int]]]) -> tuple[list[str], list[str]]:
    """The device functions of steps after so many inputs, and a line that calls each."""
    preamble = [*dict.fromkeys(x.preamble for x, _ in steps if x.preamble)]
    names: dict[str, str] = {}
    lines = []
    for i, (x, operands) in enumerate(steps):
        text = x.definition("NAME")
        if text not in names:
            names[text] = f"arraygrad_step{len(names)}"
            preamble.append(x.definition(names[text]))
        given = ", ".join(f"v{k}" for k in operands)
        lines.append(f"const {_TYPES[x.dtype]} v{count + i} = {names[text]}({given});")
    return preamble, lines
