"""Modules: objects whose attributes are parameters, and containers that optree can flatten."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy, deepcopy
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, ParamSpec, Protocol, TypeVar
from weakref import ref

import optree

from .. import _hints
from .._data_type import astype, can_cast
from .._device import get_device
from .._dtypes import as_dtype
from .._errors import DeviceMismatchError, describe
from .._modes import get_recorder
from .._typing import DeviceLike, DType, Tensor
from ..autodiff import no_grad, stop_gradient, variable
from ..random import Generator, default_rng

Self = TypeVar("Self", bound="Module")

#: Attribute of modules unflattened by optree: the paths of their parameters, which need not be
#: leaves there.
_PARAM_FLAGS = "_param_flags"


class LoadResult(NamedTuple):
    """Names that `Module.load_state_dict` ignored with ``strict=False``."""

    missing_keys: list[str]
    unexpected_keys: list[str]


if TYPE_CHECKING:  # a call of a module has the arguments and the result of its `forward`
    _P = ParamSpec("_P")
    _R = TypeVar("_R", covariant=True)

    class _Forward(Protocol[_P, _R]):
        @property
        def forward(self) -> Callable[_P, _R]: ...

    class _Call:
        def __get__(self, module: _Forward[_P, _R], _: Any = None) -> Callable[_P, _R]: ...


class _Hooks:
    """Forward hooks of a module. In a dict, a hook that is a module would count as a submodule."""

    __slots__ = ("functions",)

    def __init__(self, functions: dict[int, Callable[[Any, Any, Any], Any]]) -> None:
        self.functions = functions


class HookHandle:
    """Handle of a forward hook; see `Module.register_forward_hook`."""

    __slots__ = ("_key", "_module")

    def __init__(self, module: Module, hook: Callable[[Any, Any, Any], Any]) -> None:
        if not callable(hook):
            raise TypeError(f"register_forward_hook: expected a function; got {describe(hook)}")
        old = {} if module._forward_hooks is None else module._forward_hooks.functions
        self._module = ref(module)
        self._key = next(_hook_keys)
        # A new object, because copies of the module share the old one.
        module._forward_hooks = _Hooks({**old, self._key: hook})

    def remove(self) -> None:
        """Remove the hook from the module; earlier copies of the module still have it."""
        module = self._module()
        if module is None or module._forward_hooks is None:
            return
        rest = {k: f for k, f in module._forward_hooks.functions.items() if k != self._key}
        if rest:
            module._forward_hooks = _Hooks(rest)
        else:
            del module._forward_hooks

    def __enter__(self) -> HookHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


_hook_keys = count()


class Module:
    """Base class of layers and models: a function with parameters.

    A subclass assigns parameters, other modules, and lists, tuples and dicts of these to
    attributes. It defines `forward`, which is run when the module is called.

    - A leaf that requires grad, made by `requires_grad_` or `autodiff.variable`, is a parameter.
    - Any other tensor is a buffer: saved with the module but not trained.
    - Everything else belongs to the structure.

    You need not register anything, nor call ``super().__init__()``.

    Notes
    -----
    A module is also a container, like a dict of its parameters. `autodiff.grad` and the other
    transformations accept it as an argument: the function receives a copy with traced parameters,
    and the gradient is a module of the same structure. The copy shares the buffers, so write to
    them in place. A parameter that occurs in two places is one parameter.

    Outside `autodiff.no_grad`, such a gradient is itself recorded, because parameters require grad.

    Attributes
    ----------
    training : bool
        Whether layers such as `Dropout` are in training mode; see `train` and `eval`.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import autodiff, nn
    >>> class Net(nn.Module):
    ...     def __init__(self, rng):
    ...         self.hidden = nn.Linear(2, 8, rng=rng)
    ...         self.out = nn.Linear(8, 1, rng=rng)
    ...     def forward(self, x):
    ...         return self.out(nn.tanh(self.hidden(x)))
    >>> net = Net(xp.random.default_rng(0))
    >>> [name for name, _ in net.named_parameters()]
    ['hidden.weight', 'hidden.bias', 'out.weight', 'out.bias']
    >>> x = xp.ones((5, 2))
    >>> xp.mean(net(x) ** 2).backward()  # one style
    >>> with autodiff.no_grad():  # the other
    ...     g = autodiff.grad(lambda net: xp.mean(net(x) ** 2))(net)
    >>> bool(xp.all(g.out.weight == net.out.weight.grad))
    True
    """

    training: bool = True
    _forward_hooks: _Hooks | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _register(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor) and value._trace is None:
            have = vars(self).get(name)
            if isinstance(have, Tensor) and _leaf_flag(have) is not None:
                raise TypeError(
                    f"{type(self).__name__}: {name} is a parameter, and a plain tensor would not "
                    f"be trained; write x.requires_grad_(), or {name}[...] = x inside no_grad(); "
                    f"got {describe(value)}"
                )
        recorder = get_recorder()
        if recorder is not None:
            recorder.set_attribute(self, name, value)
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:  # hidden from type checkers, or a module would have every name

        def __getattr__(self, name: str) -> NoReturn:
            raise _hints.missing(f"{type(self).__name__!r} object", self, name, _hints.MODULE)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the result of the module; subclasses must define this."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, ...)")

    if TYPE_CHECKING:
        __call__ = _Call()
    else:

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            """Call `forward`, and then the hooks."""
            out = self.forward(*args, **kwargs)
            if self._forward_hooks is not None:
                for hook in self._forward_hooks.functions.values():
                    new = hook(self, args, out)
                    out = out if new is None else new
            return out

    def register_forward_hook(self, hook: Callable[[Any, Any, Any], Any]) -> HookHandle:
        """Register a function that is called after `forward`, whenever the module is called.

        Parameters
        ----------
        hook : callable
            Function of the module, a tuple of the positional arguments, and the result. A value
            other than None that it returns replaces the result.

        Returns
        -------
        HookHandle
            Handle whose method `remove` removes the hook. As a context manager, it does so on exit.

        Raises
        ------
        TypeError
            If `hook` is not callable.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import nn
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
        >>> shapes = []
        >>> with model[1].register_forward_hook(lambda module, args, out: shapes.append(out.shape)):
        ...     y = model(xp.ones((5, 4)))
        >>> shapes
        [(5, 8)]
        """
        return HookHandle(self, hook)

    # ---- parameters and submodules

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """Iterate over all modules, each once, with names such as ``"layers.0"``."""
        return _modules("", self, set())

    def modules(self) -> Iterator[Module]:
        """Iterate over this module and all submodules, each once."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """Iterate over the parameters with their names, each once."""
        return _once(_named(self, parameters=True))

    def parameters(self) -> Iterator[Tensor]:
        """Iterate over the parameters, for example for an optimiser."""
        return (x for _, x in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """Iterate over the buffers with their names, each once."""
        return _once(_named(self, parameters=False))

    def buffers(self) -> Iterator[Tensor]:
        """Iterate over the buffers."""
        return (x for _, x in self.named_buffers())

    def apply(self: Self, function: Callable[[Module], object]) -> Self:
        """Call a function with each submodule, inner ones first, and then with this module.

        Parameters
        ----------
        function : callable
            Function of a module; its result is ignored.

        Returns
        -------
        Module
            This module.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import autodiff, nn
        >>> rng = xp.random.default_rng(0)
        >>> def small(module):
        ...     if isinstance(module, nn.Linear):
        ...         with autodiff.no_grad():
        ...             module.weight[...] = rng.normal(0.0, 0.01, module.weight.shape)
        ...             module.bias[...] = 0.0
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1)).apply(small)
        >>> model[2].bias
        Tensor([0.], dtype=float64, requires_grad=True)
        """
        if not callable(function):
            raise TypeError(f"apply: function must be callable; got {describe(function)}")
        for module in list(_inner_first(self, set())):
            function(module)
        return self

    # ---- training mode

    def train(self: Self, mode: bool = True) -> Self:
        """Set `training` in this module and all submodules.

        Parameters
        ----------
        mode : bool, optional
            Whether to enable training mode.

        Returns
        -------
        Module
            This module.
        """
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """Disable training mode: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Enable or disable recording for all parameters; see `Tensor.requires_grad_`.

        Parameters
        ----------
        requires_grad : bool, optional
            Whether operations on the parameters are recorded.

        Returns
        -------
        Module
            This module.
        """
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self) -> None:
        """Set the `grad` of all parameters to None."""
        for p in self.parameters():
            p.grad = None

    # ---- device and dtype

    def to_device(self: Self, device: DeviceLike) -> Self:
        """Move all tensors and generators to another device, in place.

        Parameters
        ----------
        device : Device or str
            Target device.

        Returns
        -------
        Module
            This module. Parameters on another device are replaced by new ones, so create the
            optimiser afterwards. A generator is replaced by a new one, which it seeds.

        Raises
        ------
        ValueError
            If the device does not exist; nothing has been moved then.
        """
        if device is None:
            raise TypeError("to_device: device must be a Device or a string; got None")
        target = get_device(device, "to_device")

        def move(x: Any) -> Any:
            if isinstance(x, Generator):
                if x.device is target:
                    return x
                return default_rng(int(x.integers(2**63)), device=target)
            return x.to_device(target)

        return self._apply(move)

    def astype(self: Self, dtype: DType) -> Self:
        """Convert all floating-point tensors to another dtype, in place.

        Parameters
        ----------
        dtype : dtype
            Target floating-point dtype.

        Returns
        -------
        Module
            This module. Parameters of another dtype are replaced by new ones.

        Raises
        ------
        TypeError
            If `dtype` is not a floating-point dtype.
        """
        target = as_dtype(dtype, "astype")
        if target is None or target.kind not in "fc":
            raise TypeError(f"astype: dtype must be a floating-point dtype; got {dtype!r}")

        def convert(x: Any) -> Any:
            if isinstance(x, Tensor) and x.dtype.kind in "fc":
                return astype(x, target, copy=False)
            return x

        return self._apply(convert)

    def _apply(self: Self, function: Callable[[Any], Any]) -> Self:
        """Apply a function to all tensors and generators, in place."""
        memo: dict[int, Any] = {}
        change = partial(_map_tensor, function, memo)
        for module in list(self.modules()):
            for name, value in _attributes(module):
                vars(module)[name] = _tree_map(value, change)
        return self

    # ---- state

    def state_dict(self) -> dict[str, Tensor]:
        """Return all parameters and buffers by name.

        Returns
        -------
        dict
            Plain tensors that share memory with the module. `nn.save` writes them to a file.

        Examples
        --------
        >>> from arraygrad import nn
        >>> {name: x.shape for name, x in nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return {name: stop_gradient(x) for name, x in _named(self)}

    def load_state_dict(self, state: Mapping[str, Tensor], strict: bool = True) -> LoadResult:
        """Copy the values of a state dict into the parameters and buffers, in place.

        Parameters
        ----------
        state : dict
            State dict, as returned by `state_dict`.
        strict : bool, optional
            Whether the names must match exactly. If False, other names are ignored.

        Returns
        -------
        LoadResult
            Names that were ignored.

        Raises
        ------
        ValueError
            If names are missing or unexpected, or shapes differ. If any error is raised, nothing
            has been written.
        TypeError
            If `state` is not a dict, a value is not a tensor, or its dtype would lose precision.
        DeviceMismatchError
            If a tensor is on another device.

        Examples
        --------
        >>> import arraygrad as xp
        >>> from arraygrad import nn
        >>> a, b = nn.Linear(3, 2), nn.Linear(3, 2)
        >>> b.load_state_dict(a.state_dict())
        LoadResult(missing_keys=[], unexpected_keys=[])
        >>> bool(xp.all(a.weight == b.weight))
        True
        >>> b.load_state_dict({"weight": a.weight, "scale": a.bias})
        Traceback (most recent call last):
        ...
        ValueError: load_state_dict: Linear: missing bias; unexpected scale
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"load_state_dict: expected a dict of tensors by name; got {describe(state)}"
            )
        here = dict(_named(self))
        missing = [name for name in here if name not in state]
        unexpected = [name for name in state if name not in here]
        both = {name: (x, state[name]) for name, x in here.items() if name in state}
        for name, (_, new) in both.items():
            if not isinstance(new, Tensor):
                raise TypeError(
                    f"load_state_dict: {name}: expected a Tensor; got {describe(new)}; write "
                    "arraygrad.asarray(...) first"
                )
        wrong = [
            f"{name} of shape {new.shape} instead of {x.shape}"
            for name, (x, new) in both.items()
            if new.shape != x.shape
        ]
        problems = [
            f"{word} {', '.join(names)}"
            for word, names in (
                ("missing", missing if strict else []),
                ("unexpected", unexpected if strict else []),
                ("mismatched", wrong),
            )
            if names
        ]
        if problems:
            raise ValueError(f"load_state_dict: {type(self).__name__}: {'; '.join(problems)}")
        for name, (x, new) in both.items():
            if new.device is not x.device:
                raise DeviceMismatchError(
                    f"load_state_dict: {name} is on {x.device} and its new value on {new.device}; "
                    f'write x.to_device("{x.device}") first'
                )
            if not can_cast(new.dtype, x.dtype):
                raise TypeError(
                    f"load_state_dict: {name} has dtype {x.dtype}, and its new value of dtype "
                    f"{new.dtype} would lose precision; write xp.astype(x, xp.{x.dtype}) first"
                )
        with no_grad():
            for x, new in both.values():
                x[...] = stop_gradient(new)
        return LoadResult(missing, unexpected)

    # ---- copies and text

    def __reduce__(self) -> tuple[Any, ...]:
        leaves, treedef, _ = _flatten(self)
        flags = [_leaf_flag(x) for x in leaves]
        both = zip(leaves, flags, strict=True)
        # Pickling any other traced tensor raises, because its gradient would be lost.
        tensors = [stop_gradient(x) if flag is not None else x for x, flag in both]
        return _unpickle, (treedef, tensors, flags)

    def __copy__(self: Self) -> Self:
        new = object.__new__(type(self))
        vars(new).update(vars(self))
        return new

    def __deepcopy__(self: Self, memo: dict[int, Any], /) -> Self:
        leaves, treedef, _ = _flatten(self)
        copies = [deepcopy(x, memo) for x in leaves]
        new: Self = _without_flags(_unflatten(deepcopy(treedef, memo), copies))
        for inside, other in zip(self.modules(), new.modules(), strict=True):
            memo[id(inside)] = other
        return new

    def extra_repr(self) -> str:
        """Text in parentheses in the `repr` of the module; subclasses may override this."""
        return ""

    def __repr__(self) -> str:
        inside = [(path, x) for path, x in _items(self) if isinstance(x, Module)]
        lines = [f"({path}): {x!r}".replace("\n", "\n  ") for path, x in inside]
        own = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({own})"
        return "\n  ".join([f"{type(self).__name__}({own}", *lines]) + "\n)"


# ---- traversing attributes


def _attributes(module: Module) -> list[tuple[str, Any]]:
    return [(name, x) for name, x in vars(module).items() if name != _PARAM_FLAGS]


def _items(module: Module) -> Iterator[tuple[str, Any]]:
    """Tensors and modules in a module's own attributes and their containers, by path."""
    for name, value in _attributes(module):
        yield from _inside(name, value)


def _inside(path: str, x: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(x, (Tensor, Module)):
        yield path, x
    elif isinstance(x, (list, tuple)):
        for i, y in enumerate(x):
            yield from _inside(f"{path}.{i}", y)
    elif isinstance(x, dict):
        for key, y in x.items():
            yield from _inside(f"{path}.{key}", y)


def _is_parameter(module: Module, path: str, x: Tensor) -> bool:
    flagged = vars(module).get(_PARAM_FLAGS)
    if flagged is not None:
        return path in flagged
    return x._is_parameter


def _modules(name: str, module: Module, seen: set[int]) -> Iterator[tuple[str, Module]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    yield name, module
    for path, x in _items(module):
        if isinstance(x, Module):
            yield from _modules(f"{name}.{path}" if name else path, x, seen)


def _inner_first(module: Module, seen: set[int]) -> Iterator[Module]:
    if id(module) in seen:
        return
    seen.add(id(module))
    for _, x in _items(module):
        if isinstance(x, Module):
            yield from _inner_first(x, seen)
    yield module


def _named(
    module: Module,
    parameters: bool | None = None,
    name: str = "",
    above: tuple[Module, ...] = (),
) -> Iterator[tuple[str, Any]]:
    """Tensors by name, under each of their names; parameters, buffers, or both for None."""
    above = (*above, module)
    for path, x in _items(module):
        full = name + path
        if not isinstance(x, Module):
            if parameters is None or _is_parameter(module, path, x) == parameters:
                yield full, x
        elif not any(x is y for y in above):
            yield from _named(x, parameters, f"{full}.", above)


def _once(named: Iterator[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    seen: set[int] = set()
    for name, x in named:
        if id(x) not in seen:
            seen.add(id(x))
            yield name, x


def _tree_map(x: Any, function: Callable[[Any], Any]) -> Any:
    """Map a function over the tensors and generators in containers."""
    if isinstance(x, (Tensor, Generator)):
        return function(x)
    if isinstance(x, (list, tuple)):
        return _like(x, [_tree_map(y, function) for y in x])
    if isinstance(x, dict):
        return _like_dict(x, {key: _tree_map(y, function) for key, y in x.items()})
    return x


def _like(x: Any, parts: list[Any]) -> Any:
    """List or tuple of the type of `x`, with other elements; `x` if they are the same."""
    if all(a is b for a, b in zip(x, parts, strict=True)):
        return x
    return type(x)._make(parts) if hasattr(x, "_make") else type(x)(parts)


def _like_dict(x: dict[Any, Any], values: dict[Any, Any]) -> dict[Any, Any]:
    """Dict of the type of `x`, with other values; `x` if they are the same."""
    if type(x) is dict:
        return values
    if all(values[key] is x[key] for key in x):
        return x
    new = copy(x)
    new.update(values)
    return new


def _map_tensor(function: Callable[[Any], Any], memo: dict[int, Any], x: Any) -> Any:
    """Apply the function to a tensor, and to the gradient of a parameter, once for each."""
    if id(x) in memo:
        return memo[id(x)][0]
    if not (isinstance(x, Tensor) and x._is_parameter):
        out = function(x)
    else:
        new = function(x.detach())
        out = x
        if new.device is not x.device or new.dtype != x.dtype:
            out = variable(new, requires_grad=x.requires_grad)
            if x.grad is not None:
                out.grad = function(stop_gradient(x.grad))
    memo[id(x)] = out, x  # keeps x alive, so that its id is not reused
    return out


def _leaf_flag(x: Tensor) -> bool | None:
    """`requires_grad` of a parameter; None for other tensors."""
    return x.requires_grad if x._is_parameter else None


# ---- flattening and unflattening


class _ParameterSlot(NamedTuple):
    """Placeholder of a parameter, with its position among the leaves."""

    number: int


class _ModuleStatic:
    """Module with placeholders for its parameters."""

    __slots__ = ("attributes", "cls", "flagged")

    def __init__(self, cls: type, attributes: dict[str, Any], flagged: frozenset[str]) -> None:
        self.cls, self.attributes, self.flagged = cls, attributes, flagged


class _ModuleTreeDef:
    """Tree definition of a module: everything except its parameters. It supports comparison."""

    __slots__ = ("names", "static")

    def __init__(self, static: _ModuleStatic, names: tuple[str, ...]) -> None:
        self.static, self.names = static, names

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _ModuleTreeDef)
            and self.names == other.names
            and _structures_equal(self.static, other.static, set())
        )

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"<{self.static.cls.__name__} of {', '.join(self.names)}>"


def _structures_equal(a: Any, b: Any, seen: set[tuple[int, int]]) -> bool:
    if a is b:
        return True
    if type(a) is not type(b) or isinstance(a, (Tensor, Generator)):
        return False
    if isinstance(a, _ModuleStatic):
        if (id(a), id(b)) in seen:
            return True
        seen.add((id(a), id(b)))
        return a.cls is b.cls and _structures_equal(a.attributes, b.attributes, seen)
    if isinstance(a, dict):
        return list(a) == list(b) and all(_structures_equal(a[k], b[k], seen) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(
            _structures_equal(x, y, seen) for x, y in zip(a, b, strict=True)
        )
    try:
        return bool(a == b)
    except Exception:  # an object whose comparison is not a bool
        return False


class _Flattener:
    """State of flattening a module.

    (Recursive closures would form a reference cycle and keep the parameters alive until the next
    garbage collection.)
    """

    def __init__(self) -> None:
        self.leaves: list[Any] = []
        self.names: list[str] = []
        self.slots: dict[int, _ParameterSlot] = {}
        self.statics: dict[int, _ModuleStatic] = {}

    def static(self, name: str, module: Module) -> _ModuleStatic:
        """The module with placeholders for its parameters."""
        found = self.statics.get(id(module))
        if found is None:
            found = self.statics[id(module)] = _ModuleStatic(type(module), {}, frozenset())
            flagged: set[str] = set()
            for attribute, x in _attributes(module):
                found.attributes[attribute] = self.with_slots(module, name, attribute, x, flagged)
            found.flagged = frozenset(flagged)
        return found

    def with_slots(self, module: Module, name: str, path: str, x: Any, flagged: set[str]) -> Any:
        """An attribute, or a container in it, with placeholders for its parameters."""
        if isinstance(x, Tensor):
            if not _is_parameter(module, path, x):
                return x
            flagged.add(path)
            slot = self.slots.get(id(x))
            if slot is None:
                slot = self.slots[id(x)] = _ParameterSlot(len(self.leaves))
                self.leaves.append(x)
                self.names.append(name + path)
            return slot
        if isinstance(x, Module):
            return self.static(f"{name}{path}.", x)
        if isinstance(x, (list, tuple)):
            parts = [
                self.with_slots(module, name, f"{path}.{i}", y, flagged) for i, y in enumerate(x)
            ]
            return _like(x, parts)
        if isinstance(x, dict):
            return _like_dict(
                x,
                {k: self.with_slots(module, name, f"{path}.{k}", y, flagged) for k, y in x.items()},
            )
        return x


def _flatten(module: Module) -> tuple[list[Any], _ModuleTreeDef, tuple[str, ...]]:
    """Flatten function for optree: parameters, tree definition and names."""
    flattener = _Flattener()
    names = flattener.names
    static = flattener.static("", module)
    return flattener.leaves, _ModuleTreeDef(static, tuple(names)), tuple(names)


def _unflatten(treedef: _ModuleTreeDef, leaves: Any) -> Any:
    """Unflatten function for optree: a module of that structure with other parameters."""
    return _fill(treedef.static, tuple(leaves), {})


def _fill(x: Any, leaves: tuple[Any, ...], modules: dict[int, Any]) -> Any:
    if type(x) is _ParameterSlot:
        return leaves[x.number]
    if type(x) is _ModuleStatic:
        module = modules.get(id(x))
        if module is None:
            module = modules[id(x)] = object.__new__(x.cls)
            new: dict[str, Any] = module.__dict__
            for name, y in x.attributes.items():
                new[name] = _fill(y, leaves, modules)
            new[_PARAM_FLAGS] = x.flagged
        return module
    if isinstance(x, (list, tuple)):
        return _like(x, [_fill(y, leaves, modules) for y in x])
    if isinstance(x, dict):
        return _like_dict(x, {key: _fill(y, leaves, modules) for key, y in x.items()})
    return x


def _register(cls: Any) -> None:
    """Register a module class with optree, for the transforms of autodiff."""
    optree.register_pytree_node(
        cls,
        # (optree's annotations only allow collections.)
        _flatten,  # type: ignore[arg-type]
        _unflatten,  # type: ignore[arg-type]
        path_entry_type=optree.GetAttrEntry,
        namespace="arraygrad",
    )


_register(Module)


def _unpickle(treedef: _ModuleTreeDef, tensors: list[Tensor], flags: list[bool | None]) -> Any:
    """Reconstruct a module from the values of `Module.__reduce__`."""
    leaves = [
        x if flag is None else variable(x, requires_grad=flag)
        for x, flag in zip(tensors, flags, strict=True)
    ]
    return _without_flags(_unflatten(treedef, leaves))


def _without_flags(module: Any) -> Any:
    """The module, with the parameter flags removed if its parameters are leaves."""
    if all(_leaf_flag(x) is not None for x in module.parameters()):
        for inside in module.modules():
            vars(inside).pop(_PARAM_FLAGS, None)
    return module
