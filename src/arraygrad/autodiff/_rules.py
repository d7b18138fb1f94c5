"""The table of rules: for each operation, how tangents and cotangents pass through it.

Each operand has two functions, side by side: `vjp` maps the cotangent of the result to that of the
operand, `jvp` the tangent of the operand to its part of the tangent of the result. Both are called
as ``rule(g, out, *operands, *args, **kwargs)``, with the operation's result and arguments. They are
written in the public namespace, so that they run on every device and can be differentiated
themselves.

The parameter names of a vjp decide what a node saves: for ``_x`` nothing (the argument is None),
for ``x_like`` shape, dtype and device (a `TensorSpec`), for any other name the tensor. Rules
do not broadcast or promote: the backward pass sums a cotangent over broadcast axes, takes the real
part for a real operand and casts it; forward mode broadcasts and casts tangents.

Complex numbers: a cotangent is the direction of steepest ascent, dL/d re + i dL/d im; that of a
holomorphic function is ``g * conj(derivative)``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .._dispatch import unary

#: How much a node saves of the result and of each operand.
SAVE_NONE, SAVE_SPEC, SAVE_TENSOR = 0, 1, 2

Function = Callable[..., Any]


class NotDifferentiableError(TypeError):
    """The requested derivative does not exist, or no rule defines it.

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
    handler : function or None
        Performs the whole operation: ``handler(name, operands, args)``. For operations that write
        in place.
    call : function or None
        Performs the operation one level lower, ``call(operands, args, kwargs)``, if it is not
        called by its name as others are.
    vjps, jvps : list of function or None
        One for each operand; none at all if the operation is piecewise constant. An operand
        for which both are None has a zero gradient.
    elementwise : bool
        True if each element of the result depends only on the same element of each operand. Then
        a cotangent (or tangent) of zero gives zero, also where the derivative is not finite.
    variadic : bool
        True for any number of operands. Then there is one pair, called as
        ``vjp(g, specs, *args, **kwargs)``, which returns the cotangents of all operands, and
        ``jvp(tangents, *args, **kwargs)``.
    put : function or None
        For an operation whose result is a view of its operand: ``put(x, new, *args, **kwargs)``
        is `x` after `new` has been written into the view.
    refused : str
        The reason why there is no derivative; empty if there is one.
    joint_vjp : function or None
        Instead of `vjps`, where these would share work: ``joint_vjp(g, out, *operands, *args,
        **kwargs)`` returns the cotangents of all operands; None for zero, UNREACHED for one that
        is not to be zero either.
    scalar : Rule or None
        The rule for one tensor among Python scalars, where that differs.
    perturb : function or None
        ``perturb(out)`` replaces recorded results, for rules whose derivatives are limits.
    rotate : function or None
        Instead of `jvps`, where the result itself has to be chosen for the direction:
        ``rotate(t, out, x, *args, **kwargs)`` returns the result and its tangent.
    prepare : function or None
        Rewrites a call into others: ``prepare(operands, args, kwargs)``, the result or
        NotImplemented.
    """

    __slots__ = (
        "call", "composed", "elementwise", "handler", "joint_vjp", "jvps", "name", "perturb",
        "plans", "prepare", "put", "real_vjps", "refused", "rotate", "saves", "saves_all",
        "scalar", "variadic", "vjps",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        pairs: Sequence[tuple[Function | None, Function | None]] = (),
        *,
        call: Function | None = None,
        elementwise: bool = False,
        handler: Function | None = None,
        joint_vjp: Function | None = None,
        perturb: Function | None = None,
        put: Function | None = None,
        refused: str = "",
        prepare: Function | None = None,
        rotate: Function | None = None,
        scalar: Rule | None = None,
        variadic: bool = False,
    ) -> None:
        self.name = name
        self.vjps = [vjp for vjp, _ in pairs]
        self.jvps = [jvp for _, jvp in pairs]
        self.call = call
        self.elementwise = elementwise
        self.handler = handler
        self.joint_vjp = joint_vjp
        self.perturb = perturb
        self.put = put
        self.refused = refused
        self.prepare = prepare
        self.rotate = rotate
        self.scalar = scalar
        self.variadic = variadic
        #: How much to save if one operand is traced, by operand, and if all are.
        self.saves = [_saves(vjp, jvp, len(pairs) + 1) for vjp, jvp in pairs]
        self.saves_all = tuple(map(max, zip(*self.saves, strict=True))) if pairs else ()
        self.plans: dict[Any, tuple[int, ...]] = {}
        #: The vjps for real cotangents, where the engine need not conjugate around them.
        self.real_vjps = [getattr(vjp, "__wrapped__", vjp) for vjp in self.vjps]
        #: True if the backward pass does more than call a vjp for each traced operand.
        self.composed = variadic or joint_vjp is not None or not pairs

    def plan(self, traced: tuple[bool, ...]) -> tuple[int, ...]:
        """How much to save of the result and of each operand, by which operands are traced."""
        if self.variadic:
            return (SAVE_NONE, *(SAVE_SPEC for _ in traced))
        if not self.vjps:
            return (SAVE_NONE, *(SAVE_NONE for _ in traced))
        plan = self.plans.get(traced)
        if plan is None:
            if self.joint_vjp is not None:
                plan = _saves(self.joint_vjp, None, len(traced) + 1)
            else:
                wanted = [w for w, t in zip(self.saves, traced, strict=True) if t]
                plan = tuple(map(max, zip(*wanted, strict=True)))
            self.plans[traced] = plan
        return plan


def _saves(vjp: Function | None, jvp: Function | None, count: int) -> tuple[int, ...]:
    if vjp is None:  # derived from the jvp, which is called with everything
        return (SAVE_NONE if jvp is None else SAVE_TENSOR,) * count
    parameters = list(inspect.signature(vjp).parameters.values())[1:]
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    kinds = [
        SAVE_NONE if n.startswith("_") else SAVE_SPEC if n.endswith("_like") else SAVE_TENSOR
        for n in names[:count]
    ]
    return (*kinds, *(SAVE_NONE for _ in range(count - len(kinds))))


def conj(x: Any) -> Any:
    """The complex conjugate; of a real tensor itself, not a copy."""
    return unary("conj", x) if x._data.dtype.kind == "c" else x


def identity(x: Any, *_: Any) -> Any:
    """The rule of operations that pass tangents and cotangents on as they are."""
    return x


#: In the place of a cotangent: of an operand that the result does not depend on at all.
UNREACHED = object()

#: The rule of nodes in between two others, which pass cotangents on, one by one.
PASS_ON = Rule("compile", [(identity, identity)])

#: The rules, by operation.
RULES: dict[str, Rule] = {}


#: How to perform an operation on a batch at once, by operation: ``batching(call)`` takes a `Call`
#: of `_batching` and returns the results with the hidden axis first, or NotImplemented.
BATCHING: dict[str, Function] = {}


def zero(names: str) -> None:
    """Declare operations piecewise constant: their derivative is zero wherever there is one."""
    for name in names.split():
        RULES[name] = Rule(name)


def refuse(names: str, why: str) -> None:
    """Declare operations not differentiable."""
    for name in names.split():
        RULES[name] = Rule(name, refused=why)
