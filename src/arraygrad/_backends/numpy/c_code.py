"""Writes formulas in C: ``python -m arraygrad._backends.numpy.c_code > _formulas.h``.

A formula is called once, with objects in the place of arrays that note what NumPy would compute.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from .formulas import FORMULAS

_OPERATORS = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "less": "<",
}  # fmt: skip
_FLOAT, _INT, _MASK = "float", "int32_t", "int"

HEAD = """\
/* Written by c_code.py from formulas.py; do not edit.

   Each function makes one pass over arrays, and does with each element what the formula says, step
   by step. No step may be left out, merged or moved: the results are those of NumPy's functions. */

#include <stdint.h>

#include "_lanes.h"

/* Arrays do not overlap, or are the same: no element depends on another one. */
#if defined(__clang__)
#define INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#elif defined(__GNUC__)
#define INDEPENDENT _Pragma("GCC ivdep")
#elif defined(_MSC_VER)
#define INDEPENDENT __pragma(loop(ivdep))
#else
#define INDEPENDENT
#endif

#define DEFINE(name) DEFINE_FOR(name, (char **a, size_t n), (a, n))

INLINE int32_t as_int(float x) {
    int32_t y;
    memcpy(&y, &x, 4);
    return y;
}

INLINE float as_float(int32_t x) {
    float y;
    memcpy(&y, &x, 4);
    return y;
}
"""


class _Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A result in C."""

    def __init__(self, code: _Code, kind: str, text: str) -> None:
        self.code, self.kind, self.text = code, kind, text

    def view(self, dtype: Any) -> _Symbol:
        """The same bits as numbers of another dtype."""
        kind = {np.float32: _FLOAT, np.int32: _INT}[dtype]
        return self.code.note(kind, f"as_{kind.split('32')[0]}({self.text})")

    def __array_ufunc__(self, ufunc: Any, method: str, *operands: Any, **kwargs: Any) -> Any:
        if method != "__call__" or kwargs:
            return NotImplemented
        return self.code.call(ufunc.__name__, *operands)

    def __array_function__(self, function: Any, _types: Any, args: Any, kwargs: Any) -> Any:
        if function is not np.where or kwargs:
            return NotImplemented
        return self.code.call("where", *args)


class _Code:
    """The statements of a formula."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._known: dict[str, _Symbol] = {}

    def note(self, kind: str, text: str) -> _Symbol:
        """The result of an expression, which is computed once."""
        if text not in self._known:
            name = f"v{len(self._known)}"
            self.lines.append(f"{kind} {name} = {text};")
            self._known[text] = _Symbol(self, kind, name)
        return self._known[text]

    def keep(self, names: list[str]) -> None:
        """Leave out the statements that these results do not need."""
        needed, kept = set(names), []
        for line in reversed(self.lines):
            name, _, text = line.partition(" = ")
            if name.split()[1] in needed:
                needed.update(re.findall(r"\bv\d+", text))
                kept.append(line)
        self.lines = kept[::-1]

    def call(self, name: str, *operands: Any) -> _Symbol:
        """The result of a function of NumPy's."""
        kinds = [x.kind for x in operands if isinstance(x, _Symbol) and x.kind != _MASK]
        (kind,) = set(kinds)
        texts = [x.text if isinstance(x, _Symbol) else _number(x, kind) for x in operands]
        if name in _OPERATORS and kind == _FLOAT:
            return self.note(_MASK if name == "less" else kind, f" {_OPERATORS[name]} ".join(texts))
        if name == "negative" and kind == _FLOAT:
            return self.note(kind, f"-{texts[0]}")
        if name == "absolute" and kind == _FLOAT:
            return self.note(kind, f"fabsf({texts[0]})")
        if name in ("maximum", "minimum") and kind == _FLOAT and operands[1] == operands[1]:
            # (The second operand is no NaN; the first is the result if it is one.)
            compare = "<" if name == "maximum" else ">"
            return self.note(kind, f"{texts[0]} {compare} {texts[1]} ? {texts[1]} : {texts[0]}")
        if name == "where":
            return self.note(kind, f"{texts[0]} ? {texts[1]} : {texts[2]}")
        if name == "left_shift" and kind == _INT:
            return self.note(kind, f"(int32_t)((uint32_t){texts[0]} << {operands[1]})")
        if name == "bitwise_and" and kind == _INT:
            return self.note(kind, f"{texts[0]} & {texts[1]}")
        raise TypeError(f"{name} of {kind} has no form in C")


def _number(x: Any, kind: str) -> str:
    return f"{float(np.float32(x)).hex()}f" if kind == _FLOAT else str(int(x))


def function_in_c(name: str) -> str:
    """A formula as a function in C."""
    formula, _ = FORMULAS[name]
    code = _Code()
    results = formula(_Symbol(code, _FLOAT, "x"))
    code.keep([r.text for r in results])
    lines = [
        f"INLINE void formula_{name}_body(char **a, size_t n) {{",
        "    const float *in = (const float *)a[0];",
        *[f"    float *y{i} = (float *)a[{i + 1}];" for i in range(len(results))],
        "    INDEPENDENT",
        "    for (size_t i = 0; i < n; i++) {",
        "        float x = in[i];",
        *[f"        {line}" for line in code.lines],
        *[f"        y{i}[i] = {r.text};" for i, r in enumerate(results)],
        "    }",
        "}",
        "",
        f"DEFINE(formula_{name})",
        "",
    ]
    return "\n".join(lines)


def header() -> str:
    """The whole of `_formulas.h`."""
    rows = [f'    {{"{name}", formula_{name}, {n}}},' for name, (_, n) in FORMULAS.items()]
    table = [
        "typedef void (*Function)(char **, size_t);",
        "",
        "typedef struct {",
        "    const char *name;",
        "    Function function;",
        "    int n_results;",
        "} Formula;",
        "",
        "static const Formula formulas[] = {",
        *rows,
        "};",
        "",
        f"enum {{ N_FORMULAS = {len(rows)} }};",
        "",
    ]
    return "\n".join([HEAD, *map(function_in_c, FORMULAS), *table])


if __name__ == "__main__":
    print(header(), end="")
