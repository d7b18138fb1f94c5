"""Optimisers: the base class and the update functions."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FunctionType
from typing import TYPE_CHECKING, Any, ClassVar, NoReturn

from .. import _elementwise, _hints, _pytree
from .._creation import asarray, empty_like, zeros_like
from .._data_type import astype
from .._device import Device, get_device
from .._dispatch import unary, view
from .._dtypes import ALL, default_dtype
from .._errors import DeviceMismatchError, as_number, describe, explain
from .._interrupts import uninterrupted
from .._manipulation import reshape
from .._memory import before_write
from .._modes import called_again, get_mode, get_recorder
from .._tensor import Tensor
from ..autodiff import NotDifferentiableError, is_traced

Group = dict[str, Any]
#: Elementwise function that updates arrays in place, ``update(store, parameter, gradient, ...)``.
#: ``store(out, name, *operands)`` stores the result of the function `name` in an array.
Update = Callable[..., None]
#: An update function, the tensors that it gets, and how many workspaces like the first one.
Plan = tuple[Update, list[Tensor], int]


class Optimizer:
    """Base class of the optimisers; not for direct use.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        Parameters to optimise: leaves that require grad, as returned by ``model.parameters()``;
        plain tensors, whose gradients are passed to `step`; or nested containers of either. Or
        parameter groups: dicts with parameters under ``"params"`` and options that differ from the
        defaults.
    defaults : dict
        Default options of the groups.

    Attributes
    ----------
    param_groups : list of dict
        Parameters and options of each group. Options may be changed at any time.
    state : list of dict
        State of each parameter, in order: tensors and numbers.

    Raises
    ------
    TypeError
        If a parameter is not a floating-point tensor, or an option is unknown.
    ValueError
        If there are no parameters, one occurs twice, one is the result of an operation, or an
        option is out of range.
    """

    param_groups: list[Group]
    state: list[dict[str, Any]]
    _is_called_again = True  # by compiled programs, whatever has changed in it

    if not TYPE_CHECKING:  # hidden from type checkers, or an optimiser would have every name

        def __getattr__(self, name: str) -> NoReturn:
            raise _hints.missing(f"{type(self).__name__!r} object", self, name, _hints.OPTIMIZER)

    def __init__(self, params: Any, defaults: Mapping[str, Any]) -> None:
        if not isinstance(defaults, Mapping):
            raise TypeError(f"{self._name}: defaults must be a dict; got {describe(defaults)}")
        recorder = get_recorder()
        if recorder is not None:
            recorder.refuse_new("an optimiser")
        self.defaults = dict(defaults)
        self.param_groups = []
        self.state = []
        self._paths: list[list[str]] = []  # of the parameters in their containers, for each group
        params = _listed(params)
        groups = params if _are_groups(params) else [{"params": params}]
        for group in groups:
            self.add_param_group(group)
        if not self.param_groups:
            raise ValueError(
                f"{self._name}: expected at least one parameter; got {describe(params)}"
            )

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
        """Add a group of parameters with its own options.

        Parameters
        ----------
        param_group : dict
            Parameters under ``"params"``, and options.

        Raises
        ------
        TypeError, ValueError
            See the constructor.
        """
        if not isinstance(param_group, Mapping) or "params" not in param_group:
            raise TypeError(
                f"{self._name}: a group of parameters must be a dict with 'params'; "
                f"got {describe(param_group)}"
            )
        unknown = set(param_group) - set(self.defaults) - {"params", "initial_lr"}
        if unknown:
            raise TypeError(
                f"{self._name}: unknown option {', '.join(sorted(map(repr, unknown)))}; "
                f"expected one of {', '.join(self.defaults)}"
            )
        params = param_group["params"]
        params = _listed(params)
        leaves = _pytree.flatten(params)[0]
        if not leaves:
            raise ValueError(
                f"{self._name}: expected at least one parameter; got {describe(params)}"
            )
        known = {id(p) for g in self.param_groups for p in g["params"]}
        for p in leaves:
            _check_parameter(self._name, p)
            if id(p) in known:
                raise ValueError(f"{self._name}: the parameter {describe(p)} occurs twice")
            known.add(id(p))
        group = {**self.defaults, **param_group, "params": leaves}
        self._check(group)
        self.param_groups.append(group)
        self._paths.append(_pytree.paths(params))
        self.state.extend({} for _ in leaves)

    def _check(self, group: Group) -> None:
        """Raise if an option is out of range; NumPy's numbers become Python's."""
        for option, value in group.items():
            if option not in self._ranges:
                continue
            least, end = self._ranges[option]
            values = value if option == "betas" else (value,)
            if not isinstance(values, (tuple, list)) or len(values) != 1 + (option == "betas"):
                raise TypeError(f"{self._name}: {option} must be two numbers; got {value!r}")
            numbers = [as_number(self._name, option, x) for x in values]
            group[option] = tuple(numbers) if option == "betas" else numbers[0]
            for x in numbers:
                if not least <= x < end:
                    raise ValueError(
                        f"{self._name}: {option} must be at least {least} and less than {end}; "
                        f"got {value!r}"
                    )

    #: Option -> its smallest value and the exclusive end of its range.
    _ranges: ClassVar[dict[str, tuple[float, float]]] = {
        "lr": (0, math.inf),
        "momentum": (0, math.inf),
        "dampening": (-math.inf, math.inf),
        "weight_decay": (0, math.inf),
        "betas": (0, 1),
        "eps": (0, math.inf),
    }

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Reset the gradients of the parameters, because `backward` adds to them.

        Parameters
        ----------
        set_to_none : bool, optional
            If False, set the gradients to zeros instead of None.
        """
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    p.grad = None if set_to_none else zeros_like(p.grad)

    # ---- steps

    @called_again
    def step(self, grads: Any = None) -> None:
        """Update the parameters in place.

        Parameters
        ----------
        grads : Tensor or containers of them, optional
            Gradient of each parameter, as returned by `autodiff.grad` for the same containers:
            dicts with the same keys, lists or tuples in the same order. For several groups, a list
            of these, or all gradients in one list if the groups are lists. By default, the `grad`
            of each parameter is used; parameters whose `grad` is None are not updated.

        Raises
        ------
        TypeError
            If gradients are missing, or are not tensors with the dtype of the parameters.
        ValueError
            If the containers, the number or the shapes of the gradients differ from those of the
            parameters. Nothing has been updated then.
        NotDifferentiableError
            If the gradients are themselves being differentiated, because the update is in place.

        Notes
        -----
        Either all parameters are updated or none: Ctrl-C takes effect after the step, all memory is
        allocated before anything is written, and errors that are off by default (`debug_nans`,
        NumPy's error state, warnings as errors) undo the step.
        """
        gradients = self._gradients(grads)
        updates: list[Any] = []
        for group in self.param_groups:
            self._check(group)
            for p in group["params"]:
                i = len(updates)
                updates.append((group, self.state[i], _detach(p), gradients[i]))
        updates = [update for update in updates if update[3] is not None]
        for _, _, p, _ in updates:
            if not getattr(getattr(p._data, "flags", None), "writeable", True):
                raise ValueError(f"{self._name}.step: a parameter is read-only; got {describe(p)}")
        with uninterrupted(), _undone_on_error(updates):
            self._run(updates)

    def _run(self, updates: list[Any]) -> None:
        """Run the updates of all parameters; all memory is allocated before any of them."""
        before = [dict(state) for _, state, _, _ in updates]
        plans: list[Plan] = []
        try:
            for update in updates:
                plans += [self._update(*update)]  # one by one: they count their steps
            parts = [part for plan in plans for part in _ready(*plan)]
            workspaces = _workspaces(parts)
        except BaseException:
            for i, ((_, state, _, _), old) in enumerate(zip(updates, before, strict=True)):
                step = old.get("step")
                if i < len(plans) and isinstance(step, Tensor):
                    step -= 1
                state.clear()
                state.update(old)
            raise
        for part in parts:
            run(*part, workspaces)

    def _update(self, group: Group, state: dict[str, Any], p: Tensor, g: Tensor) -> Plan:
        """Update function and tensors for one parameter; creates its state."""
        raise NotImplementedError

    def _parameters(self) -> Iterator[Tensor]:
        for group in self.param_groups:
            yield from group["params"]

    def _gradients(self, grads: Any) -> list[Tensor | None]:
        """Plain gradient tensor of each parameter; None for those not to update."""
        name = f"{self._name}.step"
        if grads is None:
            return [self._own_gradient(name, p) for p in self._parameters()]
        if isinstance(grads, FunctionType):
            raise TypeError(
                f"{name}: expected gradients, not a function; call a closure first: "
                "loss = closure(); optimizer.step()"
            )
        grads = _listed(grads)
        leaves = _pytree.flatten(grads)[0]
        if len(leaves) != len(self.state):
            raise ValueError(
                f"{name}: expected gradients for {len(self.state)} parameters; got {len(leaves)}"
            )
        self._check_containers(name, grads)
        for i, (p, g) in enumerate(zip(self._parameters(), leaves, strict=True)):
            if not isinstance(g, Tensor) or g.dtype != p.dtype:
                raise TypeError(
                    f"{name}: gradient {i} must be a tensor of dtype {p.dtype}; got {describe(g)}"
                )
            if g.shape != p.shape:
                raise ValueError(
                    f"{name}: gradient {i} must have shape {p.shape}; got {describe(g)}"
                )
            if g.device is not p.device:
                raise DeviceMismatchError(
                    f"{name}: gradient {i} is on {g.device} and its parameter on {p.device}"
                )
            _check_constant(name, g)
        return [_detach(g) for g in leaves]

    def _check_containers(self, name: str, grads: Any) -> None:
        """Raise if gradients are in other containers than the parameters, so in another order."""
        found = _pytree.paths(grads)
        if len(self._paths) == 1:
            expected = self._paths[0]
            if found == expected:
                return
        else:
            expected = [f"[{i}]{path}" for i, paths in enumerate(self._paths) for path in paths]
            if found == expected:
                return
            if all(paths in ([""], _flat(len(paths))) for paths in self._paths):
                expected = _flat(len(self.state))
        if found != expected:
            i = next(
                i for i, pair in enumerate(zip(found, expected, strict=True)) if len({*pair}) > 1
            )
            raise ValueError(
                f"{name}: the gradients must have the containers of the parameters; gradient {i} "
                f"is at grads{found[i]}, its parameter at params{expected[i]}; got "
                f"{describe(grads)}"
            )

    def _own_gradient(self, name: str, p: Tensor) -> Tensor | None:
        if not p._is_parameter:
            raise TypeError(
                f"{name}: a plain tensor has no grad; write step(grads) with the result of "
                f"autodiff.grad, or call x.requires_grad_() first; got {describe(p)}"
            )
        return None if p.grad is None else _detach(p.grad)

    # ---- checkpoints

    def state_dict(self) -> dict[str, Tensor]:
        """Return the state of the optimiser, for `load_state_dict`.

        Returns
        -------
        dict
            Copies of the state tensors by name, which `nn.save` writes to a file: ``"state.0.sum"``
            belongs to the first parameter, ``"groups.0.lr"`` is an option of the first group.
        """
        found = {}
        with default_dtype(ALL["float64"]):  # in which Python's numbers are exact
            for i, saved in enumerate(self.state):
                for key, value in saved.items():
                    found[f"state.{i}.{key}"] = asarray(value, copy=True, device=_device_of(value))
            for i, group in enumerate(self.param_groups):
                for option, value in group.items():
                    value = len(value) if option == "params" else value
                    found[f"groups.{i}.{option}"] = asarray(value, device="cpu")
        return found

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the result of `state_dict`, also from an optimiser on another device.

        Parameters
        ----------
        state_dict : dict
            State of an optimiser of the same class for parameters of the same shapes. Tensors are
            copied and converted to the dtype and device of the parameters.

        Raises
        ------
        TypeError
            If `state_dict` is not a dict of tensors.
        ValueError
            If the state does not fit; nothing has been changed then.
        """
        name = f"{self._name}.load_state_dict"
        if not isinstance(state_dict, Mapping):
            raise TypeError(
                f"{name}: expected a result of state_dict(); got {describe(state_dict)}"
            )
        for key, value in state_dict.items():
            if not isinstance(value, Tensor):
                raise TypeError(f"{name}: {key} must be a tensor; got {describe(value)}")
        rest = dict(state_dict)
        groups = [self._parse_group(name, i, g, rest) for i, g in enumerate(self.param_groups)]
        state = [self._parse_state(name, i, p, rest) for i, p in enumerate(self._parameters())]
        if rest:
            raise ValueError(
                f"{name}: {', '.join(map(str, rest))} does not belong to {self._name} with "
                f"{len(self.param_groups)} groups and {len(self.state)} parameters"
            )
        for mine, other in zip(self.param_groups, groups, strict=True):
            mine.pop("initial_lr", None)
            mine.update(other)
        self.state = state

    def _parse_group(self, name: str, i: int, group: Group, rest: dict[str, Any]) -> Group:
        """Parse the options of a group from a state dict."""
        found: Group = {}
        for option in ("params", *self.defaults, "initial_lr"):
            value = rest.pop(f"groups.{i}.{option}", None)
            if value is not None:
                found[option] = _detach(value).tolist()
            elif option not in ("initial_lr", "capturable"):  # (capturable is no state)
                raise ValueError(f"{name}: groups.{i}.{option} is missing")
        count = found.pop("params")
        if count != len(group["params"]):
            raise ValueError(
                f"{name}: group {i} has {len(group['params'])} parameters; got a state of {count}"
            )
        if "betas" in found and isinstance(found["betas"], list):
            found["betas"] = tuple(found["betas"])
        try:
            self._check({**group, **found})
        except TypeError as error:
            raise ValueError(f"{name}: groups.{i}: {error}") from error
        return found

    #: State of a parameter: names and types, and the names that may be missing.
    _state_spec: ClassVar[dict[str, type]] = {}
    _optional: ClassVar[frozenset[str]] = frozenset()

    def _parse_state(self, name: str, i: int, p: Tensor, rest: dict[str, Any]) -> dict[str, Any]:
        """Parse the state of a parameter from a state dict."""
        found: dict[str, Any] = {}
        for key, kind in self._state_spec.items():
            value = rest.pop(f"state.{i}.{key}", None)
            if value is None:
                continue
            shape = {int: (), tuple: (2,)}.get(kind, p.shape)
            if value.shape != shape or (kind is int) != (value.dtype.kind in "iu"):
                raise ValueError(
                    f"{name}: state.{i}.{key} must be a tensor of shape {shape}; "
                    f"got {describe(value)}"
                )
            value = _detach(value)
            if kind is not Tensor:
                found[key] = kind(value.tolist())
            else:
                found[key] = astype(value, p.dtype, copy=True).to_device(p.device)
        missing = set(self._state_spec) - set(found) - self._optional
        if found and missing:
            raise ValueError(f"{name}: state.{i}.{min(missing)} is missing")
        return found


@contextmanager
def _undone_on_error(updates: list[Any]) -> Iterator[None]:
    """Restore the parameters and their states if an error occurs in a block.

    This needs copies. They are made only if the program has turned on errors that are off by
    default, because everything else is checked beforehand.
    """
    mode = get_mode()
    if (
        (mode is None or mode.nans is None)
        and get_device("cpu").backend.errors.get(None) is None
        and all(f[0] != "error" for f in warnings.filters)
    ):
        yield
        return
    before = []
    for _, state, p, _ in updates:
        copies = {k: (x, _copy(x)) for k, x in state.items()}
        before.append((p, _copy(p), state, copies))
    try:
        yield
    except BaseException:
        for p, copy, state, copies in before:
            p[...] = copy
            state.clear()
            for k, (x, old) in copies.items():
                state[k] = x
                if isinstance(x, Tensor):
                    x[...] = old
        raise


def _copy(x: Any) -> Any:
    return unary("copy", x) if isinstance(x, Tensor) else x


def _listed(tree: Any) -> Any:
    """A list of the elements of an iterable that is not a container, such as a generator."""
    if isinstance(tree, Iterable) and not isinstance(tree, Tensor):
        leaves = _pytree.flatten(tree)[0]
        if len(leaves) == 1 and leaves[0] is tree and getattr(tree, "ndim", None) != 0:
            return list(tree)
    return tree


def _flat(count: int) -> list[str]:
    """Paths of the elements of a list."""
    return [f"[{i}]" for i in range(count)]


def _device_of(value: Any) -> Any:
    return value.device if isinstance(value, Tensor) else "cpu"


def _are_groups(params: Any) -> bool:
    return (
        isinstance(params, list)
        and len(params) > 0
        and all(isinstance(g, Mapping) and "params" in g for g in params)
    )


def _check_parameter(name: str, p: Any) -> None:
    if not isinstance(p, Tensor) or p.dtype.kind not in "fc":
        hint = f"; write optim.{name}(params, lr={p})" if isinstance(p, float) else ""
        raise TypeError(
            f"{name}: parameters must be tensors of a floating-point dtype; got {describe(p)}{hint}"
        )
    if p._trace is not None and not p._is_parameter:
        raise ValueError(
            f"{name}: parameters must be leaves; got {describe(p)}, the result of an operation or "
            "an argument of a differentiated function; write x.detach()"
        )


def _check_constant(name: str, g: Any) -> None:
    """Raise if a gradient belongs to a function that is being differentiated.

    Gradients recorded only for `backward` are accepted: no transformation depends on them.
    """
    while g._trace is not None:
        if g._trace.level.number > 0:
            if is_traced(g):
                raise NotDifferentiableError(
                    f"{name}: the update writes in place and is not differentiated; compute "
                    "p - lr * g, or write autodiff.stop_gradient(grads) if that is intended"
                )
            return
        g = g._primal


def _detach(x: Tensor) -> Tensor:
    """Plain tensor that shares memory with `x`."""
    return x if x._trace is None else x.detach()


# ---- running update functions


def _ready(update: Update, tensors: list[Tensor], n_workspaces: int) -> list[Plan]:
    """Make tensors ready to be written: complex numbers are optimised as pairs of real numbers."""
    for x in tensors:
        before_write(x)
    if tensors[0].dtype.kind != "c":
        return [(update, tensors, n_workspaces)]
    return [(update, part, n_workspaces) for part in _real_parts(tensors)]


def _workspaces(plans: list[Plan]) -> dict[Device, list[Any]]:
    """Memory for the workspaces of updates; updates on one device use it in turn."""
    found: dict[Device, list[Any]] = {}
    for _, tensors, n_workspaces in plans:
        device = tensors[0].device
        shared = found.setdefault(device, [])
        if "reserve" in device.ops:
            try:
                device.ops["reserve"](shared, [x._data for x in tensors], n_workspaces)
            except Exception as error:
                raise explain(error, "step", tensors) from error
    return found


def run(
    update: Update, tensors: list[Tensor], n_workspaces: int, workspaces: dict[Device, list[Any]]
) -> None:
    """Run an update function on tensors; it also gets `n_workspaces` workspaces like the first one.

    A backend may have a fused implementation on its arrays, for example in blocks that fit the
    cache. Otherwise the function is run on the tensors themselves.
    """
    p = tensors[0]
    sweep = p.device.ops.get("sweep")
    if sweep is None:
        update(_store, *tensors, *[empty_like(p) for _ in range(n_workspaces)])
        return
    mode = get_mode()
    if mode is not None and mode.nans is not None:
        sweep = mode.nans.checked("sweep", sweep, p)
    try:
        sweep(update, [x._data for x in tensors], n_workspaces, workspaces[p.device])
    except Exception as error:
        raise explain(error, "step", tensors) from error


_REAL = {"complex64": ALL["float32"], "complex128": ALL["float64"]}


def _real_parts(tensors: list[Tensor]) -> list[list[Tensor]]:
    """Real tensors over the memory of complex ones; the gradient, the second, may be a copy.

    If the memory of all is contiguous, each becomes one vector in which real and imaginary parts
    alternate; otherwise the real and the imaginary parts are separate tensors.
    """
    try:
        flat = [reshape(x, (-1,), copy=None if i == 1 else False) for i, x in enumerate(tensors)]
        return [[view("view", x, (_REAL[x.dtype.name],)) for x in flat]]
    except ValueError:
        return [[part(x) for x in tensors] for part in (_elementwise.real, _elementwise.imag)]


def _store(out: Tensor, name: str, *operands: Any) -> None:
    out[...] = getattr(_elementwise, name)(*operands)


# ---- the optimisers


class SGD(Optimizer):
    """Stochastic gradient descent, optionally with momentum.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        Parameters to optimise; see `Optimizer`.
    lr : float, optional
        Learning rate: the step size along the gradient.
    momentum : float, optional
        Momentum factor.
    dampening : float, optional
        Fraction of the gradient that is excluded from the momentum.
    weight_decay : float, optional
        Factor of the parameters that is added to the gradient (L2 penalty).
    nesterov : bool, optional
        Whether to use Nesterov momentum.
    maximize : bool, optional
        Whether to maximise instead of minimise.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`; also raised for `nesterov` without momentum or with dampening.

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
    >>> from arraygrad import optim
    >>> w = xp.asarray([3.0, -2.0]).requires_grad_()
    >>> optimizer = optim.SGD([w], lr=0.1, momentum=0.5)
    >>> for _ in range(60):
    ...     optimizer.zero_grad()
    ...     xp.sum(w**2).backward()
    ...     optimizer.step()
    >>> bool(xp.max(xp.abs(w)) < 1e-6)
    True
    """

    _state_spec: ClassVar[dict[str, type]] = {"momentum_buffer": Tensor}

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
            raise ValueError("SGD: nesterov requires momentum > 0 and dampening = 0")

    def _update(self, group: Group, state: dict[str, Any], p: Tensor, g: Tensor) -> Plan:
        lr, momentum, nesterov = group["lr"], group["momentum"], group["nesterov"]
        new = 1 - group["dampening"]
        direction, n_workspaces = _direction(group)
        tensors = [p, g]
        first = momentum and "momentum_buffer" not in state
        if momentum:
            if first:
                state["momentum_buffer"] = zeros_like(p)
            tensors.append(state["momentum_buffer"])

        def update(store: Any, p: Any, g: Any, *rest: Any) -> None:
            u = rest[-1]
            g = direction(store, p, g, rest[-n_workspaces])
            if momentum:
                b = rest[0]
                b *= momentum
                if first or new == 1:
                    b += g
                else:
                    store(u, "multiply", g, new)
                    b += u
                if nesterov:
                    store(u, "multiply", b, momentum)
                    u += g
                    g = u
                else:
                    g = b
            store(u, "multiply", g, lr)
            p -= u

        return update, tensors, n_workspaces


def _direction(group: Group) -> tuple[Callable[..., Any], int]:
    """Part of an update: the gradient with weight decay and sign applied.

    The second result is the number of workspaces of the update. The function stores the gradient in
    the workspace `t`, if it changes it.
    """
    decay, maximize = group["weight_decay"], group["maximize"]

    def direction(store: Any, p: Any, g: Any, t: Any) -> Any:
        if decay:
            store(t, "multiply", p, decay)
            if maximize:
                t -= g
            else:
                t += g
            return t
        if maximize:
            store(t, "negative", g)
            return t
        return g

    return direction, 1 + bool(decay or maximize)


class Adam(Optimizer):
    """Adam: steps scaled by running means of the gradient and its square.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        Parameters to optimise; see `Optimizer`.
    lr : float, optional
        Learning rate: the approximate step size of each element.
    betas : tuple of float, optional
        Decay factors of the running means of the gradient and of its square.
    eps : float, optional
        Number added to the denominator for numerical stability.
    weight_decay : float, optional
        Factor of the parameters that is added to the gradient (L2 penalty).
    amsgrad : bool, optional
        Whether to divide by the maximum of all means of squares so far.
    maximize : bool, optional
        Whether to maximise instead of minimise.
    capturable : bool, optional
        Whether to count the steps of GPU parameters on the GPU, so that a step captured in a CUDA
        graph is counted whenever the graph is launched; see `docs/waits.md`.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

    Notes
    -----
    The update is that of [1]_, with `amsgrad` that of [2]_. Complex parameters are treated as pairs
    of real ones. The state consists of weighted sums, ``"sum"`` and ``"sum_sq"``: the running means
    of [1]_ divided by ``1 - beta``. The betas may change from step to step.

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

    _state_spec: ClassVar[dict[str, type]] = {
        "step": int,
        "betas": tuple,  # of the previous step
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

    def _update(self, group: Group, state: dict[str, Any], p: Tensor, g: Tensor) -> Plan:
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
        # The state is the running means divided by 1 - beta, which saves two passes over the data.
        # If a schedule has changed beta, the decay also rescales the state to the new beta.
        (old1, old2), (beta1, beta2) = state["betas"], betas
        scale1, scale2 = (1 - old1) / (1 - beta1), (1 - old2) / (1 - beta2)
        state["betas"] = betas
        # Bias correction: after n steps both means are too small by a factor 1 - beta**n. The root
        # of the second factor is moved out of the denominator, which saves one more pass.
        root = ((1 - beta2**n) / (1 - beta2)) ** 0.5
        length, eps = lr * root * (1 - beta1) / (1 - beta1**n), group["eps"] * root
        if isinstance(n, Tensor):
            real = _REAL.get(p.dtype.name, p.dtype)
            length, eps = (astype(x, real, copy=False)._data for x in (length, eps))
            state["step"] += 1  # the last that may fail
        shrink = 1 - lr * group["weight_decay"] if self._decoupled else 1.0
        direction, n_workspaces = _direction(
            {**group, "weight_decay": 0} if self._decoupled else group
        )

        def update(store: Any, p: Any, g: Any, m: Any, v: Any, *rest: Any) -> None:
            u = rest[-1]
            g = direction(store, p, g, rest[-n_workspaces])
            m *= beta1 * scale1
            m += g
            store(u, "multiply", g, g)
            v *= beta2 * scale2
            v += u
            if amsgrad:
                if scale2 != 1:
                    store(rest[0], "multiply", rest[0], scale2)
                store(rest[0], "maximum", rest[0], v)
                v = rest[0]
            store(u, "sqrt", v)
            u += eps
            store(u, "divide", m, u)
            u *= length
            if shrink != 1:
                p *= shrink
            p -= u

        return update, tensors, n_workspaces

    def _count(self, group: Group, state: dict[str, Any], p: Tensor) -> Any:
        """Number of this step; with `capturable`, `_update` counts it on the GPU."""
        if not group["capturable"] or p.device.type != "cuda":
            state["step"] = int(state["step"]) + 1
            return state["step"]
        if not isinstance(state["step"], Tensor):
            state["step"] = asarray(state["step"], device=p.device)
        return astype(state["step"] + 1, ALL["float64"])


class AdamW(Adam):
    """Adam with decoupled weight decay.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        Parameters to optimise; see `Optimizer`.
    lr : float, optional
        Learning rate: the approximate step size of each element.
    betas : tuple of float, optional
        Decay factors of the running means of the gradient and of its square.
    eps : float, optional
        Number added to the denominator for numerical stability.
    weight_decay : float, optional
        Decay: each step multiplies the parameters by ``1 - lr * weight_decay``.
    amsgrad : bool, optional
        Whether to divide by the maximum of all means of squares so far.
    maximize : bool, optional
        Whether to maximise instead of minimise.
    capturable : bool, optional
        Whether to count the steps of GPU parameters on the GPU, so that a step captured in a CUDA
        graph is counted whenever the graph is launched; see `docs/waits.md`.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

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
