"""The table of rules: for each operation, how tangents and cotangents pass through it.

The two functions of an operand stand side by side: `vjp` takes the cotangent of the result to
that of the operand, `jvp` the tangent of the operand to its part in that of the result. Both are
called as ``rule(g, out, *operands, *args, **kwargs)``, with the operation's result and what it
was called with, and are written in the public namespace, so that they run on every device and
can be differentiated themselves.

What the tape keeps in memory is what the names of a vjp's parameters ask for: of a parameter
named ``_x`` nothing is kept (it is None), of ``x_like`` only shape, dtype and device, of any
other the tensor. Broadcasting and promotion are no rule's business: the engine sums a cotangent
over broadcast axes, takes the real part for a real operand and casts it; and it broadcasts and
casts tangents.

Complex numbers: a cotangent is the direction of steepest ascent, dL/d re + i dL/d im; that of a
holomorphic function is ``g * conj(derivative)``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .._dispatch import unary

#: What a vjp wants to have of the result and of each operand.
NOTHING, LIKE, DATA = 0, 1, 2

Function = Callable[..., Any]


class NotDifferentiableError(TypeError):
    """A derivative was asked for that does not exist or that no rule gives.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff
    >>> try:
    ...     autodiff.grad(lambda x: xp.nextafter(x, 1.0))(xp.asarray(0.5))
    ... except autodiff.NotDifferentiableError as error:
    ...     print(str(error).split(";")[0])
    nextafter: not differentiable: it steps from number to number, which no derivative describes
    """

    __module__ = "arraygrad.autodiff"


class Rule:
    """How to differentiate one operation.

    Attributes
    ----------
    name : str
        The operation.
    vjps, jvps : list of function or None
        One for each operand; none at all if the operation is piecewise constant. An operand
        for which both are None has a zero gradient.
    elementwise : bool
        Whether the result at a place depends on the operands at that place only. Then a
        cotangent (or tangent) of zero gives zero, also where the derivative is not finite.
    listed : bool
        Whether the operands are one list of any length. Then there is one pair, called as
        ``vjp(g, position, likes, *args, **kwargs)`` and ``jvp(tangents, *args, **kwargs)``.
    put : function or None
        For an operation that gives a view of its operand: ``put(x, new, *args, **kwargs)`` is
        `x` after `new` has been written into the view.
    refused : str
        Why there is no derivative; empty if there is one.
    whole : function or None
        Instead of `vjps`, where these would share work: ``whole(g, out, *operands, *args,
        **kwargs)`` gives the cotangents of all operands. Everything is kept for it.
    scalar : Rule or None
        The rule for one tensor among Python scalars, where that differs.
    split : function or None
        Of what is recorded: ``split(out)``, the results with equal values parted (see `Split`).
    rotate : function or None
        Instead of `jvps`, where the result itself has to be chosen for the direction:
        ``rotate(t, out, x, *args, **kwargs)`` gives the result and its tangent.
    prepare : function or None
        Rewrites a call into others: ``prepare(operands, args, kwargs)``, the result or
        NotImplemented.
    """

    __slots__ = (
        "both", "composed", "elementwise", "jvps", "listed", "name", "plans", "prepare", "put",
        "real_vjps", "refused", "rotate", "scalar", "split", "vjps", "wants", "whole",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        pairs: Sequence[tuple[Function | None, Function | None]] = (),
        *,
        elementwise: bool = False,
        listed: bool = False,
        put: Function | None = None,
        refused: str = "",
        prepare: Function | None = None,
        rotate: Function | None = None,
        scalar: Rule | None = None,
        split: Function | None = None,
        whole: Function | None = None,
    ) -> None:
        self.name = name
        self.vjps = [vjp for vjp, _ in pairs]
        self.jvps = [jvp for _, jvp in pairs]
        self.elementwise = elementwise
        self.listed = listed
        self.put = put
        self.refused = refused
        self.prepare = prepare
        self.rotate = rotate
        self.scalar = scalar
        self.split = split
        self.whole = whole
        self.plans: dict[Any, tuple[int, ...]] = {}
        self.wants = [_wants(vjp, jvp, len(pairs) + 1) for vjp, jvp in pairs]
        if whole is not None:
            self.wants = [(DATA,) * (len(pairs) + 1) for _ in pairs]
        #: The vjps for real cotangents, where the engine need not conjugate around them.
        self.real_vjps = [getattr(vjp, "__wrapped__", vjp) for vjp in self.vjps]
        #: Whether there is more to do than to call a vjp for each traced operand.
        self.composed = listed or whole is not None or not pairs or None in self.vjps
        #: What to keep if all operands are traced.
        self.both = tuple(map(max, zip(*self.wants, strict=True))) if pairs else ()

    def plan(self, traced: tuple[bool, ...]) -> tuple[int, ...]:
        """What to keep of the result and of each operand, given which operands are traced."""
        if self.listed:
            return (NOTHING, *(LIKE for _ in traced))
        if not self.vjps and self.whole is None:
            return (NOTHING, *(NOTHING for _ in traced))
        if self.whole is not None:
            return (DATA, *(DATA for _ in traced))
        plan = self.plans.get(traced)
        if plan is None:
            wanted = [w for w, t in zip(self.wants, traced, strict=True) if t]
            plan = self.plans[traced] = tuple(map(max, zip(*wanted, strict=True)))
        return plan


def _wants(vjp: Function | None, jvp: Function | None, count: int) -> tuple[int, ...]:
    if vjp is None:  # derived from the jvp, which is called with everything
        return (NOTHING if jvp is None else DATA,) * count
    parameters = list(inspect.signature(vjp).parameters.values())[1:]
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    kinds = [
        NOTHING if n.startswith("_") else LIKE if n.endswith("_like") else DATA
        for n in names[:count]
    ]
    return (*kinds, *(NOTHING for _ in range(count - len(kinds))))


def conj(x: Any) -> Any:
    """The complex conjugate; of a real tensor itself, not a copy."""
    return unary("conj", x) if x._data.dtype.kind == "c" else x


def same(x: Any, *_: Any) -> Any:
    """Of an operation that passes tangents and cotangents on as they are; seldom called for it."""
    return x


#: The rules, by operation.
RULES: dict[str, Rule] = {}


def define(name: str, *pairs: tuple[Function | None, Function | None], **options: Any) -> None:
    """Give the rule of an operation: (vjp, jvp) for each operand.

    One of a pair may be None: it is derived by transposing the other, which is linear.
    """
    RULES[name] = Rule(name, pairs, **options)


def zero(names: str) -> None:
    """Declare operations piecewise constant: their derivative is zero wherever there is one."""
    for name in names.split():
        RULES[name] = Rule(name)


def refuse(names: str, why: str) -> None:
    """Declare operations not differentiable."""
    for name in names.split():
        RULES[name] = Rule(name, refused=why)
