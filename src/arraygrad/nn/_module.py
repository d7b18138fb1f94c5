"""Modules: objects whose attributes are parameters, and containers that optree takes apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy, deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, TypeVar

import optree

from .. import _hints
from .._data_type import astype, can_cast
from .._device import Device
from .._dtypes import as_dtype
from .._errors import DeviceMismatchError, describe
from .._typing import DeviceLike, DType, Tensor
from ..autodiff import no_grad, stop_gradient, variable
from ..random import Generator, default_rng

Self = TypeVar("Self", bound="Module")

#: Where the copies that optree makes note which of their tensors are parameters; in them these
#: need not be variables.
_MARK = "_marked"


class LoadResult(NamedTuple):
    """What `Module.load_state_dict` passed over, with ``strict=False``."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A function with parameters: the base of all layers, and of models made of them.

    A subclass assigns parameters, other modules and lists, tuples and dicts of these to
    attributes, and defines `forward`; calling the module calls that.

    - An attribute made by `autodiff.variable` is a parameter.
    - Any other tensor is a buffer: saved with the module, not trained.
    - All else belongs to the structure.

    There is nothing to register, and no ``super().__init__()`` to call.

    Notes
    -----
    A module is also a container, as a dict of its parameters is: `autodiff.grad` and its like
    take one as an argument, hand the function a copy that holds traced tensors, and give the
    gradient as a module of the same structure. The copy shares the buffers; write them in place.
    A parameter that is found in two places is one parameter.

    Outside of `autodiff.no_grad` such a gradient is itself recorded, as parameters are variables.

    Attributes
    ----------
    training : bool
        Whether layers such as `Dropout` do what they do in training; see `train`, `eval`.

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

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        _register(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Tensor) and value._trace is None:
            have = vars(self).get(name)
            if isinstance(have, Tensor) and _records(have) is not None:
                raise TypeError(
                    f"{type(self).__name__}: {name} is a parameter; a plain tensor in its place "
                    f"would not be trained. Write autodiff.variable(x), or {name}[...] = x inside "
                    f"of no_grad(); got {describe(value)}"
                )
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:  # for which a module would have every name

        def __getattr__(self, name: str) -> NoReturn:
            raise _hints.missing(f"{type(self).__name__!r} object", self, name, _hints.MODULE)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; to be defined by subclasses."""
        raise NotImplementedError(f"{type(self).__name__}: define forward(self, ...)")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call `forward`."""
        return self.forward(*args, **kwargs)

    # ---- what it holds

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """The module and all inside of it, with names such as ``"layers.0"``; each once."""
        return _modules("", self, set())

    def modules(self) -> Iterator[Module]:
        """The module and all inside of it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self) -> Iterator[tuple[str, Any]]:
        """The parameters with their names; each once."""
        return _once(_named(self, parameters=True))

    def parameters(self) -> Iterator[Any]:
        """The parameters, as an optimiser takes them."""
        return (x for _, x in self.named_parameters())

    def named_buffers(self) -> Iterator[tuple[str, Tensor]]:
        """The other tensors with their names; each once."""
        return _once(_named(self, parameters=False))

    def buffers(self) -> Iterator[Tensor]:
        """The other tensors."""
        return (x for _, x in self.named_buffers())

    def apply(self: Self, function: Callable[[Module], object]) -> Self:
        """Call a function with the module and with all inside of it.

        Parameters
        ----------
        function : callable
            What it returns is not looked at.

        Returns
        -------
        Module
            This one.

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
        for module in self.modules():
            function(module)
        return self

    # ---- how it behaves

    def train(self: Self, mode: bool = True) -> Self:
        """Set `training` here and in all modules inside.

        Parameters
        ----------
        mode : bool, optional
            Whether to train.

        Returns
        -------
        Module
            This one.
        """
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: Self) -> Self:
        """``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Switch recording of all parameters on or off; see `Tensor.requires_grad_`.

        Parameters
        ----------
        requires_grad : bool, optional
            Whether they record.

        Returns
        -------
        Module
            This one.
        """
        for p in self.parameters():
            p.requires_grad_(requires_grad)
        return self

    def zero_grad(self) -> None:
        """Set the `grad` of all parameters to None."""
        for p in self.parameters():
            p.grad = None

    # ---- where it is

    def to_device(self: Self, device: DeviceLike) -> Self:
        """Move all tensors and generators to another device, in place.

        Parameters
        ----------
        device : Device or str
            Where to.

        Returns
        -------
        Module
            This one, with new parameters if they were elsewhere: make the optimiser afterwards.
            A generator is replaced by one that the old one has seeded.

        Raises
        ------
        ValueError
            If there is no such device; nothing has been moved then.
        """
        if device is None:
            raise TypeError("to_device: device must be a Device or a string; got None")
        target = Device(device)

        def move(x: Any) -> Any:
            if isinstance(x, Generator):
                if x.device is target:
                    return x
                return default_rng(int(x.integers(2**63)), device=target)
            return x.to_device(target)

        return self._changed(move)

    def astype(self: Self, dtype: DType) -> Self:
        """Convert all floating-point tensors to another dtype, in place.

        Parameters
        ----------
        dtype : dtype
            A floating-point one.

        Returns
        -------
        Module
            This one, with new parameters if they were of another dtype.

        Raises
        ------
        TypeError
            If it is no floating-point dtype.
        """
        target = as_dtype(dtype, "astype")
        if target is None or target.kind not in "fc":
            raise TypeError(f"astype: dtype must be a floating-point dtype; got {dtype!r}")

        def convert(x: Any) -> Any:
            if isinstance(x, Tensor) and x.dtype.kind in "fc":
                return astype(x, target, copy=False)
            return x

        return self._changed(convert)

    def _changed(self: Self, function: Callable[[Any], Any]) -> Self:
        """With the function applied to all tensors and generators, in place."""
        memo: dict[int, Any] = {}
        change = partial(_renewed, function, memo)
        for module in list(self.modules()):
            for name, value in _attributes(module):
                vars(module)[name] = _mapped(value, change)
        return self

    # ---- what it knows

    def state_dict(self) -> dict[str, Tensor]:
        """All parameters and buffers by name.

        Returns
        -------
        dict
            Of plain tensors, which share the memory. `nn.save` writes them to a file.

        Examples
        --------
        >>> from arraygrad import nn
        >>> {name: x.shape for name, x in nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return {name: stop_gradient(x) for name, x in _named(self)}

    def load_state_dict(self, state: Mapping[str, Tensor], strict: bool = True) -> LoadResult:
        """Write the values of a state dict into parameters and buffers, in place.

        Parameters
        ----------
        state : dict
            As `state_dict` gives it.
        strict : bool, optional
            Whether all names have to occur here and there; else others are passed over.

        Returns
        -------
        LoadResult
            The names that were passed over.

        Raises
        ------
        ValueError
            If names are missing or unexpected, or shapes differ. Nothing is written then, nor
            after the other errors.
        TypeError
            For what is no tensor or of a dtype that would lose precision.
        DeviceMismatchError
            For tensors on another device.

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
                ("with", wrong),
            )
            if names
        ]
        if problems:
            raise ValueError(f"load_state_dict: {type(self).__name__}: {'; '.join(problems)}")
        for name, (x, new) in both.items():
            if new.device is not x.device:
                raise DeviceMismatchError(
                    f"load_state_dict: {name} is on {x.device}, its new value on {new.device}; "
                    f'move that first: x.to_device("{x.device}")'
                )
            if not can_cast(new.dtype, x.dtype):
                raise TypeError(
                    f"load_state_dict: {name} is of dtype {x.dtype}, and its new value of dtype "
                    f"{new.dtype} would lose precision; write xp.astype(x, xp.{x.dtype}) first"
                )
        with no_grad():
            for x, new in both.values():
                x[...] = stop_gradient(new)
        return LoadResult(missing, unexpected)

    # ---- copies and text

    def __reduce__(self) -> tuple[Any, ...]:
        leaves, skeleton, _ = _take_apart(self)
        flags = [_records(x) for x in leaves]
        both = zip(leaves, flags, strict=True)
        # What else has a trace says in a pickle that its gradient would be lost.
        tensors = [stop_gradient(x) if flag is not None else x for x, flag in both]
        return _rebuilt, (skeleton, tensors, flags)

    def __copy__(self: Self) -> Self:
        new = object.__new__(type(self))
        vars(new).update(vars(self))
        return new

    def __deepcopy__(self: Self, memo: dict[int, Any], /) -> Self:
        leaves, skeleton, _ = _take_apart(self)
        copies = [deepcopy(x, memo) for x in leaves]
        new: Self = _unmarked(_put_together(deepcopy(skeleton, memo), copies))
        for inside, other in zip(self.modules(), new.modules(), strict=True):
            memo[id(inside)] = other
        return new

    def extra_repr(self) -> str:
        """What the text says of the module itself, in parentheses; for subclasses to define."""
        return ""

    def __repr__(self) -> str:
        inside = [(path, x) for path, x in _items(self) if isinstance(x, Module)]
        lines = [f"({path}): {x!r}".replace("\n", "\n  ") for path, x in inside]
        own = self.extra_repr()
        if not lines:
            return f"{type(self).__name__}({own})"
        return "\n  ".join([f"{type(self).__name__}({own}", *lines]) + "\n)"


# ---- walking through attributes


def _attributes(module: Module) -> list[tuple[str, Any]]:
    return [(name, x) for name, x in vars(module).items() if name != _MARK]


def _items(module: Module) -> Iterator[tuple[str, Any]]:
    """Tensors and modules in a module's own attributes, by path; containers are walked through."""
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
    marked = vars(module).get(_MARK)
    if marked is not None:
        return path in marked
    return x._is_parameter


def _modules(name: str, module: Module, seen: set[int]) -> Iterator[tuple[str, Module]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    yield name, module
    for path, x in _items(module):
        if isinstance(x, Module):
            yield from _modules(f"{name}.{path}" if name else path, x, seen)


def _named(
    module: Module,
    parameters: bool | None = None,
    name: str = "",
    above: tuple[Module, ...] = (),
) -> Iterator[tuple[str, Any]]:
    """Tensors by name, under each of their names: parameters, buffers, or None for both."""
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


def _mapped(x: Any, function: Callable[[Any], Any]) -> Any:
    """Containers with the function applied to the tensors and generators in them."""
    if isinstance(x, (Tensor, Generator)):
        return function(x)
    if isinstance(x, (list, tuple)):
        return _like(x, [_mapped(y, function) for y in x])
    if isinstance(x, dict):
        return _like_dict(x, {key: _mapped(y, function) for key, y in x.items()})
    return x


def _like(x: Any, parts: list[Any]) -> Any:
    """A list, tuple or named tuple as `x`, of other parts; itself if they are the same."""
    if all(a is b for a, b in zip(x, parts, strict=True)):
        return x
    return type(x)._make(parts) if hasattr(x, "_make") else type(x)(parts)


def _like_dict(x: dict[Any, Any], values: dict[Any, Any]) -> dict[Any, Any]:
    """A dict as `x`, an OrderedDict for example, of other values; itself if they are the same."""
    if type(x) is dict:
        return values
    if all(values[key] is x[key] for key in x):
        return x
    new = copy(x)
    new.update(values)
    return new


def _renewed(function: Callable[[Any], Any], memo: dict[int, Any], x: Any) -> Any:
    """The function of a tensor; of a variable a variable, with its gradient. Each only once."""
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
    memo[id(x)] = out, x  # which keeps the id taken
    return out


def _records(x: Tensor) -> bool | None:
    """Of a variable that recording begins with: whether it records. Of other tensors None."""
    return x.requires_grad if x._is_parameter else None


# ---- taking modules apart


class _Slot(NamedTuple):
    """Where a parameter was."""

    number: int


class _Shell:
    """A module without its parameters."""

    __slots__ = ("attributes", "cls", "marked")

    def __init__(self, cls: type, attributes: dict[str, Any], marked: frozenset[str]) -> None:
        self.cls, self.attributes, self.marked = cls, attributes, marked


class _Skeleton:
    """All of a module but its parameters, which can be compared with another."""

    __slots__ = ("names", "shell")

    def __init__(self, shell: _Shell, names: tuple[str, ...]) -> None:
        self.shell, self.names = shell, names

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Skeleton)
            and self.names == other.names
            and _same(self.shell, other.shell, set())
        )

    def __hash__(self) -> int:
        return hash(self.names)

    def __repr__(self) -> str:
        return f"<{self.shell.cls.__name__} of {', '.join(self.names)}>"


def _same(a: Any, b: Any, seen: set[tuple[int, int]]) -> bool:
    if a is b:
        return True
    if type(a) is not type(b) or isinstance(a, (Tensor, Generator)):
        return False
    if isinstance(a, _Shell):
        if (id(a), id(b)) in seen:
            return True
        seen.add((id(a), id(b)))
        return a.cls is b.cls and _same(a.attributes, b.attributes, seen)
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[k], b[k], seen) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(_same(x, y, seen) for x, y in zip(a, b, strict=True))
    try:
        return bool(a == b)
    except Exception:  # an object that does not compare as a whole
        return False


class _Taking:
    """Taking a module apart: what has been found so far.

    (Functions inside of a function that call themselves would be a cycle, and keep what they have
    found until the garbage collector comes.)
    """

    def __init__(self) -> None:
        self.leaves: list[Any] = []
        self.names: list[str] = []
        self.slots: dict[int, _Slot] = {}
        self.shells: dict[int, _Shell] = {}

    def shell(self, name: str, module: Module) -> _Shell:
        """The module without its parameters."""
        found = self.shells.get(id(module))
        if found is None:
            found = self.shells[id(module)] = _Shell(type(module), {}, frozenset())
            marked: set[str] = set()
            for attribute, x in _attributes(module):
                found.attributes[attribute] = self.emptied(module, name, attribute, x, marked)
            found.marked = frozenset(marked)
        return found

    def emptied(self, module: Module, name: str, path: str, x: Any, marked: set[str]) -> Any:
        """An attribute, or what is inside of it, with slots in place of parameters."""
        if isinstance(x, Tensor):
            if not _is_parameter(module, path, x):
                return x
            marked.add(path)
            slot = self.slots.get(id(x))
            if slot is None:
                slot = self.slots[id(x)] = _Slot(len(self.leaves))
                self.leaves.append(x)
                self.names.append(name + path)
            return slot
        if isinstance(x, Module):
            return self.shell(f"{name}{path}.", x)
        if isinstance(x, (list, tuple)):
            parts = [self.emptied(module, name, f"{path}.{i}", y, marked) for i, y in enumerate(x)]
            return _like(x, parts)
        if isinstance(x, dict):
            return _like_dict(
                x,
                {k: self.emptied(module, name, f"{path}.{k}", y, marked) for k, y in x.items()},
            )
        return x


def _take_apart(module: Module) -> tuple[list[Any], _Skeleton, tuple[str, ...]]:
    """For optree: the parameters, all else, and the names."""
    taking = _Taking()
    names = taking.names
    shell = taking.shell("", module)
    return taking.leaves, _Skeleton(shell, tuple(names)), tuple(names)


def _put_together(skeleton: _Skeleton, leaves: Any) -> Any:
    """For optree: a module of that structure with other parameters."""
    return _filled(skeleton.shell, tuple(leaves), {})


def _filled(x: Any, leaves: tuple[Any, ...], modules: dict[int, Any]) -> Any:
    if type(x) is _Slot:
        return leaves[x.number]
    if type(x) is _Shell:
        module = modules.get(id(x))
        if module is None:
            module = modules[id(x)] = object.__new__(x.cls)
            new: dict[str, Any] = module.__dict__
            for name, y in x.attributes.items():
                new[name] = _filled(y, leaves, modules)
            new[_MARK] = x.marked
        return module
    if isinstance(x, (list, tuple)):
        return _like(x, [_filled(y, leaves, modules) for y in x])
    if isinstance(x, dict):
        return _like_dict(x, {key: _filled(y, leaves, modules) for key, y in x.items()})
    return x


def _register(cls: Any) -> None:
    """Tell optree, for the functions of autodiff."""
    optree.register_pytree_node(
        cls,
        # (It is typed for collections alone, which a module need not be.)
        _take_apart,  # type: ignore[arg-type]
        _put_together,  # type: ignore[arg-type]
        path_entry_type=optree.GetAttrEntry,
        namespace="arraygrad",
    )


_register(Module)


def _rebuilt(skeleton: _Skeleton, tensors: list[Tensor], flags: list[bool | None]) -> Any:
    """A module from what `Module.__reduce__` gives."""
    leaves = [
        x if flag is None else variable(x, requires_grad=flag)
        for x, flag in zip(tensors, flags, strict=True)
    ]
    return _unmarked(_put_together(skeleton, leaves))


def _unmarked(module: Any) -> Any:
    """The module, without marks if its parameters are variables, which need none."""
    if all(_records(x) is not None for x in module.parameters()):
        for inside in module.modules():
            vars(inside).pop(_MARK, None)
    return module
