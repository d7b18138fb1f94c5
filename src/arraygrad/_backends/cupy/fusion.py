"""Runs of elementwise functions as one kernel, with the bits of CuPy's own kernels.

Each function of a run is a device function of its own, with the code and the types of CuPy's
kernel, and is not inlined. So the compiler cannot contract a product and a sum of two functions,
which are rounded twice in CuPy's kernels, and compiles each as it does there. Sums and products
themselves are written by intrinsics, which no stage of the compiler contracts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import cupy as cp

from .devices import on_device
from .private import loops

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
    preamble = [*dict.fromkeys(x.preamble for x, _ in steps if x.preamble)]
    names: dict[str, str] = {}
    lines = []
    for i, (x, operands) in enumerate(steps):
        text = x.definition("NAME")
        if text not in names:
            names[text] = f"arraygrad_step{len(names)}"
            preamble.append(x.definition(names[text]))
        given = ", ".join(f"v{k}" for k in operands)
        lines.append(f"const {_TYPES[x.dtype]} v{len(inputs) + i} = {names[text]}({given});")
    lines += [f"out{k} = v{k};" for k in outputs]
    made = cp.ElementwiseKernel(
        ", ".join(f"{d} v{k}" for k, d in enumerate(inputs)),
        ", ".join(f"{steps[k - len(inputs)][0].dtype} out{k}" for k in outputs),
        "\n".join(lines),
        "arraygrad_run",
        preamble="\n".join(preamble),
    )
    return on_device(made, index)
