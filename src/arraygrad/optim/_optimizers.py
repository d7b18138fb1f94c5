"""Optimisers: what they share, and the update rules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, ClassVar

from .. import _elementwise, _pytree
from .._creation import asarray, empty_like, zeros_like
from .._data_type import astype
from .._dispatch import view
from .._dtypes import ALL
from .._errors import DeviceMismatchError, describe, explain
from .._manipulation import reshape
from .._memory import before_write
from .._modes import get_mode
from .._tensor import Tensor
from ..autodiff import NotDifferentiableError, is_traced

Group = dict[str, Any]
#: An elementwise function that updates arrays in place, ``rule(into, parameter, gradient, ...)``.
#: ``into(out, name, *operands)`` puts what the function `name` gives into an array.
Rule = Callable[..., None]


class Optimizer:
    """What the optimisers share; not for use by itself.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        What to optimise: variables, as ``model.parameters()`` gives them; plain tensors, whose
        gradients `step` is given; nested containers of either. Or groups of parameters: dicts
        with such under ``"params"`` and options that differ from the defaults.
    defaults : dict
        The options of groups that do not give them.

    Attributes
    ----------
    param_groups : list of dict
        The parameters and options of each group. Options may be changed at any time.
    state : list of dict
        What is kept for each parameter, in order: tensors and numbers.

    Raises
    ------
    TypeError
        For parameters that are no floating-point tensors, and unknown options.
    ValueError
        If there are no parameters, one occurs twice, one is the result of an operation, or an
        option is out of its range.
    """

    param_groups: list[Group]
    state: list[dict[str, Any]]

    def __init__(self, params: Any, defaults: Mapping[str, Any]) -> None:
        self.defaults = dict(defaults)
        self.param_groups = []
        self.state = []
        if not isinstance(params, (Tensor, Mapping)) and isinstance(params, Iterable):
            params = list(params)
        groups = params if _are_groups(params) else [{"params": params}]
        for group in groups:
            self.add_param_group(group)
        if not self.param_groups:
            raise ValueError(f"{self._name}: there are no parameters; got {describe(params)}")

    @property
    def _name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        groups = [
            ", ".join(
                [f"{len(g['params'])} parameters"]
                + [f"{k}={v!r}" for k, v in g.items() if k != "params"]
            )
            for g in self.param_groups
        ]
        return f"{self._name}({'; '.join(groups)})"

    # ---- parameters

    def add_param_group(self, param_group: Mapping[str, Any]) -> None:
        """Optimise more parameters, with options of their own.

        Parameters
        ----------
        param_group : dict
            The parameters under ``"params"``, and options.

        Raises
        ------
        TypeError, ValueError
            As for the parameters of the constructor.
        """
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(
                f"{self._name}: a group of parameters is a dict with 'params'; "
                f"got {describe(param_group)}"
            )
        unknown = set(param_group) - set(self.defaults) - {"params", "initial_lr"}
        if unknown:
            raise TypeError(
                f"{self._name}: there is no option {', '.join(sorted(map(repr, unknown)))}; "
                f"options are {', '.join(self.defaults)}"
            )
        params = param_group["params"]
        if not isinstance(params, (Tensor, Mapping)) and isinstance(params, Iterable):
            params = list(params)
        leaves = _pytree.flatten(params)[0]
        if not leaves:
            raise ValueError(f"{self._name}: there are no parameters; got {describe(params)}")
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in leaves:
            _check_parameter(self._name, p)
            if id(p) in known:
                raise ValueError(f"{self._name}: {describe(p)} is given twice")
            known.add(id(p))
        group = {"params": leaves, **self.defaults, **param_group}
        group["params"] = leaves
        self._check(group)
        self.param_groups.append(group)
        self.state.extend({} for _ in leaves)

    def _check(self, group: Group) -> None:
        """Raise for options out of their range."""
        for option, value in group.items():
            if option not in self._ranges:
                continue
            least, end = self._ranges[option]
            values = value if option == "betas" else (value,)
            if not isinstance(values, (tuple, list)) or len(values) != 1 + (option == "betas"):
                raise TypeError(f"{self._name}: {option} must be two numbers; got {value!r}")
            for x in values:
                if isinstance(x, bool) or not isinstance(x, (int, float)):
                    raise TypeError(f"{self._name}: {option} must be a number; got {describe(x)}")
                if not least <= x < end:
                    raise ValueError(
                        f"{self._name}: {option} must be at least {least} and less than {end}; "
                        f"got {value!r}"
                    )

    #: Option -> the least value and the end of its range.
    _ranges: ClassVar[dict[str, tuple[float, float]]] = {
        "lr": (0, math.inf),
        "momentum": (0, math.inf),
        "dampening": (-math.inf, math.inf),
        "weight_decay": (0, math.inf),
        "betas": (0, 1),
        "eps": (0, math.inf),
    }

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of variables, before the next `backward` adds to them.

        Parameters
        ----------
        set_to_none : bool, optional
            False writes zeros instead.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = None if set_to_none else zeros_like(p.grad)

    # ---- steps

    def step(self, grads: Any = None) -> None:
        """Update the parameters in place.

        Parameters
        ----------
        grads : Tensor or containers of them, optional
            A gradient for each parameter, as `autodiff.grad` gives them for the same containers.
            None takes those that `backward` left in the variables; variables without one are left
            alone.

        Raises
        ------
        TypeError
            If gradients are needed or are no tensors of the dtype of the parameters.
        ValueError
            If there are not as many gradients as parameters, or of other shapes. Nothing has been
            updated then.
        NotDifferentiableError
            If the gradients are themselves being differentiated: the update writes in place.
        """
        found = iter(zip(self.state, self._gradients(grads), strict=True))
        for group in self.param_groups:
            for p in group["params"]:
                state, g = next(found)
                if g is not None:
                    self._update(group, state, _plain(p), g)

    def _update(self, group: Group, state: dict[str, Any], p: Tensor, g: Tensor) -> None:
        raise NotImplementedError

    def _parameters(self) -> Iterator[Tensor]:
        for group in self.param_groups:
            yield from group["params"]

    def _gradients(self, grads: Any) -> list[Tensor | None]:
        """A plain tensor for each parameter; None for those to leave alone."""
        name = f"{self._name}.step"
        if grads is None:
            return [self._own_gradient(name, p) for p in self._parameters()]
        if isinstance(grads, FunctionType):
            raise TypeError(
                f"{name}: expected gradients, not a function; call a closure first: "
                "loss = closure(); optimizer.step()"
            )
        if not isinstance(grads, (Tensor, Mapping)) and isinstance(grads, Iterator):
            grads = list(grads)
        leaves = _pytree.flatten(grads)[0]
        if len(leaves) != len(self.state):
            raise ValueError(
                f"{name}: there are {len(self.state)} parameters, but {len(leaves)} gradients"
            )
        for i, (p, g) in enumerate(zip(self._parameters(), leaves, strict=True)):
            if not isinstance(g, Tensor) or g.dtype != p.dtype:
                raise TypeError(
                    f"{name}: gradient {i} must be a tensor of {p.dtype}; got {describe(g)}"
                )
            if g.shape != p.shape:
                raise ValueError(
                    f"{name}: gradient {i} must have shape {p.shape}; got {describe(g)}"
                )
            if g.device is not p.device:
                raise DeviceMismatchError(
                    f"{name}: gradient {i} is on {g.device}, its parameter on {p.device}"
                )
            _check_constant(name, g)
        return [_plain(g) for g in leaves]

    def _own_gradient(self, name: str, p: Tensor) -> Tensor | None:
        if not p._is_parameter:
            raise TypeError(
                f"{name}: plain tensors keep no gradients; write step(grads) with what "
                f"autodiff.grad gives, or make them variables: autodiff.variable(x); got "
                f"{describe(p)}"
            )
        return None if p.grad is None else _plain(p.grad)

    # ---- checkpoints

    def state_dict(self) -> dict[str, Tensor]:
        """What `load_state_dict` needs to go on as if nothing had happened.

        Returns
        -------
        dict
            Tensors by name, copies, which `nn.save` writes to a file: ``"state.0.sum"`` is
            kept for the first parameter, ``"groups.0.lr"`` is an option of the first group.
        """
        found = {}
        for i, kept in enumerate(self.state):
            for key, value in kept.items():
                found[f"state.{i}.{key}"] = asarray(value, copy=True, device=_place(value))
        for i, group in enumerate(self.param_groups):
            for option, value in group.items():
                value = len(value) if option == "params" else value
                found[f"groups.{i}.{option}"] = asarray(value, device="cpu")
        return found

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take over what `state_dict` gave, also that of an optimiser on another device.

        Parameters
        ----------
        state_dict : dict
            Of an optimiser of the same class and of parameters of the same shapes. Tensors are
            copied, to the dtype and device of the parameters.

        Raises
        ------
        TypeError
            If it is no dict of tensors.
        ValueError
            If it does not fit; nothing has been changed then.
        """
        name = f"{self._name}.load_state_dict"
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"{name}: expected what state_dict() gives; got {describe(state_dict)}")
        for key, value in state_dict.items():
            if not isinstance(value, Tensor):
                raise TypeError(f"{name}: {key} must be a tensor; got {describe(value)}")
        rest = dict(state_dict)
        groups = [self._loaded_group(name, i, g, rest) for i, g in enumerate(self.param_groups)]
        state = [self._loaded(name, i, p, rest) for i, p in enumerate(self._parameters())]
        if rest:
            raise ValueError(
                f"{name}: {', '.join(map(str, rest))} is not of {self._name} with "
                f"{len(self.param_groups)} groups and {len(self.state)} parameters"
            )
        for mine, other in zip(self.param_groups, groups, strict=True):
            mine.pop("initial_lr", None)
            mine.update(other)
        self.state = state

    def _loaded_group(self, name: str, i: int, group: Group, rest: dict[str, Any]) -> Group:
        """The options of a group, taken out of a state dict."""
        found: Group = {}
        for option in ("params", *self.defaults, "initial_lr"):
            value = rest.pop(f"groups.{i}.{option}", None)
            if value is not None:
                found[option] = _plain(value).tolist()
            elif option not in ("initial_lr", "capturable"):  # (how to count is no state)
                raise ValueError(f"{name}: groups.{i}.{option} is missing")
        if found.pop("params") != len(group["params"]):
            raise ValueError(
                f"{name}: group {i} has {len(group['params'])} parameters, not so many"
            )
        if "betas" in found and isinstance(found["betas"], list):
            found["betas"] = tuple(found["betas"])
        try:
            self._check({**group, **found})
        except TypeError as error:
            raise ValueError(f"{name}: groups.{i}: {error}") from error
        return found

    #: What is kept for a parameter, with the type of it, and what of that may be missing.
    _kept: ClassVar[dict[str, type]] = {}
    _optional: ClassVar[frozenset[str]] = frozenset()

    def _loaded(self, name: str, i: int, p: Tensor, rest: dict[str, Any]) -> dict[str, Any]:
        """What is kept for a parameter, taken out of a state dict."""
        found: dict[str, Any] = {}
        for key, kind in self._kept.items():
            value = rest.pop(f"state.{i}.{key}", None)
            if value is None:
                continue
            shape = {int: (), tuple: (2,)}.get(kind, p.shape)
            if value.shape != shape or (kind is int) != (value.dtype.kind in "iu"):
                raise ValueError(
                    f"{name}: state.{i}.{key} must be a tensor of shape {shape}; "
                    f"got {describe(value)}"
                )
            value = _plain(value)
            if kind is not Tensor:
                found[key] = kind(value.tolist())
            else:
                found[key] = astype(value, p.dtype, copy=True).to_device(p.device)
        missing = set(self._kept) - set(found) - self._optional
        if found and missing:
            raise ValueError(f"{name}: state.{i}.{min(missing)} is missing")
        return found


def _place(value: Any) -> Any:
    return value.device if isinstance(value, Tensor) else "cpu"


def _are_groups(params: Any) -> bool:
    return (
        isinstance(params, list)
        and len(params) > 0
        and all(isinstance(g, Mapping) and "params" in g for g in params)
    )


def _check_parameter(name: str, p: Any) -> None:
    if not isinstance(p, Tensor) or p.dtype.kind not in "fc":
        raise TypeError(
            f"{name}: parameters are tensors of a floating-point dtype; got {describe(p)}"
        )
    if p._trace is not None and not p._is_parameter:
        raise ValueError(
            f"{name}: {describe(p)} is the result of an operation or an argument of a "
            "differentiated function; parameters are variables themselves or plain tensors"
        )


def _check_constant(name: str, g: Any) -> None:
    """Raise if a gradient belongs to a function that is being differentiated.

    What the tape records of it does not count: nobody looks there for the way to the parameters.
    """
    while g._trace is not None:
        if g._trace.level.number > 0:
            if is_traced(g):
                raise NotDifferentiableError(
                    f"{name}: the update writes in place and is not differentiated; compute "
                    "p - lr * g, or write autodiff.stop_gradient(grads) if that is meant"
                )
            return
        g = g._primal


def _plain(x: Tensor) -> Tensor:
    """The data without a trace, in the same memory."""
    return x if x._trace is None else x.detach()


# ---- how rules are run


def run(rule: Rule, tensors: list[Tensor], scratch: int) -> None:
    """Run a rule on tensors; it gets `scratch` more arrays like the first for its own use.

    The backend may have a way to do so on its arrays, such as in blocks that fit a cache. Without
    one the rule is run on the tensors themselves.
    """
    p = tensors[0]
    if p.dtype.kind == "c":  # pairs of real numbers are what is optimised
        tensors = [_as_real(x, copy=False if x is p else None) for x in tensors]
        p = tensors[0]
    sweep = p.device.ops.get("sweep")
    if sweep is None:
        rule(_into, *tensors, *[empty_like(p) for _ in range(scratch)])
        return
    mode = get_mode()
    if mode is not None and mode.nans is not None:
        sweep = mode.nans.checked("sweep", sweep, p)
    for x in tensors:
        before_write(x)
    try:
        sweep(rule, [x._data for x in tensors], scratch)
    except Exception as error:
        raise explain(error, "step", tensors) from error


_REAL = {"complex64": ALL["float32"], "complex128": ALL["float64"]}


def _as_real(x: Tensor, copy: bool | None) -> Tensor:
    return view("view", reshape(x, (-1,), copy=copy), _REAL[x.dtype.name])


def _into(out: Tensor, name: str, *operands: Any) -> None:
    out[...] = getattr(_elementwise, name)(*operands)


# ---- the optimisers


class SGD(Optimizer):
    """Gradient descent, with momentum if told so.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        What to optimise; see `Optimizer`.
    lr : float, optional
        The learning rate: how far to go along the gradient.
    momentum : float, optional
        How much of the last step is gone again.
    dampening : float, optional
        How much of the gradient is left out of the momentum.
    weight_decay : float, optional
        Times the parameters, added to the gradient.
    nesterov : bool, optional
        Look at the gradient as if the momentum's step had been gone.
    maximize : bool, optional
        Go up instead of down.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`; also for `nesterov` without momentum or with dampening.

    Notes
    -----
    The update is PyTorch's [1]_: with the gradient g, ``b = momentum * b + (1 - dampening) * g``
    and ``p -= lr * b``; the first b is g. With `nesterov`, ``p -= lr * (g + momentum * b)``.

    References
    ----------
    .. [1] Sutskever, Martens, Dahl, Hinton: On the importance of initialization and momentum in
       deep learning. ICML 2013.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff, optim
    >>> w = autodiff.variable(xp.asarray([3.0, -2.0]))
    >>> optimizer = optim.SGD([w], lr=0.1, momentum=0.5)
    >>> for _ in range(60):
    ...     optimizer.zero_grad()
    ...     xp.sum(w**2).backward()
    ...     optimizer.step()
    >>> bool(xp.max(xp.abs(w)) < 1e-6)
    True
    """

    _kept: ClassVar[dict[str, type]] = {"momentum_buffer": Tensor}

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
                "maximize": maximize,
            },
        )

    def _check(self, group: Group) -> None:
        super()._check(group)
        if group["nesterov"] and (group["momentum"] <= 0 or group["dampening"] != 0):
            raise ValueError("SGD: nesterov needs a momentum and no dampening")

    def _update(self, group: Group, state: dict[str, Any], p: Tensor, g: Tensor) -> None:
        lr, momentum, nesterov = group["lr"], group["momentum"], group["nesterov"]
        new = 1 - group["dampening"]
        direct, spare = _direction(group)
        tensors = [p, g]
        first = momentum and "momentum_buffer" not in state
        if momentum:
            if first:
                state["momentum_buffer"] = zeros_like(p)
            tensors.append(state["momentum_buffer"])

        def rule(into: Any, p: Any, g: Any, *rest: Any) -> None:
            u = rest[-1]
            g = direct(into, p, g, rest[-spare])
            if momentum:
                b = rest[0]
                b *= momentum
                if first or new == 1:
                    b += g
                else:
                    into(u, "multiply", g, new)
                    b += u
                if nesterov:
                    into(u, "multiply", b, momentum)
                    u += g
                    g = u
                else:
                    g = b
            into(u, "multiply", g, lr)
            p -= u

        run(rule, tensors, spare)


def _direction(group: Group) -> tuple[Callable[..., Any], int]:
    """Part of a rule: the gradient by the options of the group, in `t` if it is another one.

    And how many arrays of its own the rule needs: one, and such a `t`.
    """
    decay, maximize = group["weight_decay"], group["maximize"]

    def direct(into: Any, p: Any, g: Any, t: Any) -> Any:
        if decay:
            into(t, "multiply", p, decay)
            if maximize:
                t -= g
            else:
                t += g
            return t
        if maximize:
            into(t, "negative", g)
            return t
        return g

    return direct, 1 + bool(decay or maximize)


class Adam(Optimizer):
    """Steps of about the same size for each element, by running means of gradient and square.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        What to optimise; see `Optimizer`.
    lr : float, optional
        The learning rate: about how far a step goes in each element.
    betas : tuple of float, optional
        How much of the running means of gradients and of their squares a step keeps.
    eps : float, optional
        Added to the root of the mean of squares, by which the step is divided.
    weight_decay : float, optional
        Times the parameters, added to the gradient.
    amsgrad : bool, optional
        Divide by the largest mean of squares so far.
    maximize : bool, optional
        Go up instead of down.
    capturable : bool, optional
        Count the steps of parameters on a GPU there, so that a step which is captured in a CUDA
        graph counts when the graph is launched; see `docs/waits.md`.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`.

    Notes
    -----
    The update is that of [1]_; `amsgrad` that of [2]_. Complex parameters are pairs of real ones.
    What is kept are weighted sums, ``"sum"`` and ``"sum_sq"``: the running means of [1]_ over
    ``1 - beta``. The betas may change from step to step.

    References
    ----------
    .. [1] Kingma, Ba: Adam: A method for stochastic optimization. ICLR 2015.
    .. [2] Reddi, Kale, Kumar: On the convergence of Adam and beyond. ICLR 2018.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff, optim
    >>> p = {"w": xp.asarray([3.0, -2.0]), "b": xp.asarray(1.0)}
    >>> optimizer = optim.Adam(p, lr=0.1)
    >>> loss = lambda p: xp.sum(p["w"] ** 2) + p["b"] ** 2
    >>> for _ in range(200):
    ...     value, g = autodiff.value_and_grad(loss)(p)
    ...     optimizer.step(g)
    >>> float(loss(p)) < 1e-6
    True
    """

    _kept: ClassVar[dict[str, type]] = {
        "step": int,
        "betas": tuple,  # of the step before
        "sum": Tensor,
        "sum_sq": Tensor,
        "max_sum_sq": Tensor,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({"max_sum_sq"})
    _decoupled = False

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "betas": betas,
                "eps": eps,
                "weight_decay": weight_decay,
                "amsgrad": amsgrad,
                "maximize": maximize,
                "capturable": capturable,
            },
        )

    def _update(self, group: Group, state: dict[str, Any], p: Tensor, g: Tensor) -> None:
        lr, betas = group["lr"], tuple(group["betas"])
        if "step" not in state:
            state.update(step=0, betas=betas, sum=zeros_like(p), sum_sq=zeros_like(p))
        n = self._count(group, state, p)
        tensors = [p, g, state["sum"], state["sum_sq"]]
        amsgrad = group["amsgrad"]
        if amsgrad:
            if "max_sum_sq" not in state:
                state["max_sum_sq"] = zeros_like(p)
            tensors.append(state["max_sum_sq"])
        # What is kept are the running means over 1 - beta: two passes fewer over the data. When a
        # schedule has changed beta, what was kept is made one of the new beta with the decay.
        (old1, old2), (beta1, beta2) = state["betas"], betas
        scale1, scale2 = (1 - old1) / (1 - beta1), (1 - old2) / (1 - beta2)
        state["betas"] = betas
        # Both means are of so many steps that they are too small by 1 - beta**n. The root of the
        # second's factors is moved out of the denominator, which saves one pass more.
        root = ((1 - beta2**n) / (1 - beta2)) ** 0.5
        length, eps = lr * root * (1 - beta1) / (1 - beta1**n), group["eps"] * root
        if isinstance(n, Tensor):
            real = _REAL.get(p.dtype.name, p.dtype)
            length, eps = (astype(x, real, copy=False)._data for x in (length, eps))
        shrink = 1 - lr * group["weight_decay"] if self._decoupled else 1.0
        direct, spare = _direction({**group, "weight_decay": 0} if self._decoupled else group)

        def rule(into: Any, p: Any, g: Any, m: Any, v: Any, *rest: Any) -> None:
            u = rest[-1]
            g = direct(into, p, g, rest[-spare])
            m *= beta1 * scale1
            m += g
            into(u, "multiply", g, g)
            v *= beta2 * scale2
            v += u
            if amsgrad:
                if scale2 != 1:
                    into(rest[0], "multiply", rest[0], scale2)
                into(rest[0], "maximum", rest[0], v)
                v = rest[0]
            into(u, "sqrt", v)
            u += eps
            into(u, "divide", m, u)
            u *= length
            if shrink != 1:
                p *= shrink
            p -= u

        run(rule, tensors, spare)

    def _count(self, group: Group, state: dict[str, Any], p: Tensor) -> Any:
        """The number of this step; on the GPU where a graph is to count on."""
        if not group["capturable"] or p.device.type != "cuda":
            state["step"] = int(state["step"]) + 1
            return state["step"]
        if not isinstance(state["step"], Tensor):
            state["step"] = asarray(state["step"], device=p.device)
        state["step"] += 1
        return astype(state["step"], ALL["float64"])


class AdamW(Adam):
    """Adam, with a weight decay that is no part of the gradient.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        What to optimise; see `Optimizer`.
    lr : float, optional
        The learning rate: about how far a step goes in each element.
    betas : tuple of float, optional
        How much of the running means of gradients and of their squares a step keeps.
    eps : float, optional
        Added to the root of the mean of squares, by which the step is divided.
    weight_decay : float, optional
        A step multiplies the parameters by ``1 - lr * weight_decay``.
    amsgrad : bool, optional
        Divide by the largest mean of squares so far.
    maximize : bool, optional
        Go up instead of down.
    capturable : bool, optional
        Count the steps of parameters on a GPU there, so that a step which is captured in a CUDA
        graph counts when the graph is launched; see `docs/waits.md`.

    Raises
    ------
    TypeError, ValueError
        As `Optimizer`.

    References
    ----------
    .. [1] Loshchilov, Hutter: Decoupled weight decay regularization. ICLR 2019.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> w = xp.asarray([1.0, 1.0])
    >>> optim.AdamW([w], lr=0.1, weight_decay=0.5).step([xp.asarray([0.0, 2.0])])
    >>> w
    Tensor([0.95, 0.85], dtype=float64)
    """

    _decoupled = True

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        capturable: bool = False,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize, capturable=capturable
        )
