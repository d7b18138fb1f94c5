"""Nested containers of tensors: optree, with dataclasses registered on first use."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

import optree

from ._tensor import Tensor

_NAMESPACE = "arraygrad"
_LEAF: Any = optree.treespec_leaf(namespace=_NAMESPACE)


def flatten(tree: Any) -> tuple[list[Any], Any]:
    """Flatten nested containers to their leaves and structure."""
    if isinstance(tree, Tensor):  # most often
        return [tree], _LEAF
    leaves, structure = optree.tree_flatten(tree, namespace=_NAMESPACE)
    return flatten(tree) if _registered(leaves) else (leaves, structure)


def _registered(leaves: Iterable[Any]) -> bool:
    """Register the dataclasses among leaves; return True if there are any."""
    unknown = {type(x) for x in leaves if dataclasses.is_dataclass(x) and not isinstance(x, type)}
    for cls in unknown:
        _register(cls)
    return bool(unknown)


def flatten_like(tree: Any, structure: Any) -> list[Any] | None:
    """Leaves of a tree with the given structure; None if it has another structure.

    The tree may have None in place of a subtree, which stands for None for each of its leaves.
    """
    leaves, found = flatten(tree)
    if found == structure:
        return leaves
    leaves, outline = optree.tree_flatten(tree, none_is_leaf=True, namespace=_NAMESPACE)
    if not any(x is None for x in leaves):
        return None
    places = unflatten(structure, range(structure.num_leaves))
    try:
        parts = outline.flatten_up_to(places)
    except ValueError:
        return None
    result = [None] * structure.num_leaves
    for x, place in zip(leaves, parts, strict=True):
        if x is not None:
            if not isinstance(place, int):
                return None
            result[place] = x
    return result


def flatten_with_none(tree: Any) -> tuple[list[Any], Any]:
    """`flatten`, with None among the leaves."""
    leaves, structure = optree.tree_flatten(tree, none_is_leaf=True, namespace=_NAMESPACE)
    return flatten_with_none(tree) if _registered(leaves) else (leaves, structure)


def broadcast_prefix(prefix: Any, tree: Any, none_is_leaf: bool = True) -> list[Any] | None:
    """For each leaf of a tree the leaf of the outer containers in `prefix`; None if they differ.

    The leaves of `prefix` may be None; those of the tree only with `none_is_leaf`.
    """
    flat = flatten_with_none if none_is_leaf else flatten
    if prefix is None or isinstance(prefix, int):  # most often
        return [prefix] * len(flat(tree)[0])
    entries, outline = flatten_with_none(prefix)
    try:
        parts = outline.flatten_up_to(tree)
    except ValueError:
        return None
    found: list[Any] = []
    for entry, part in zip(entries, parts, strict=True):
        found += [entry] * (1 if isinstance(part, Tensor) else len(flat(part)[0]))
    return found


def unflatten(structure: Any, leaves: Any) -> Any:
    """Inverse of `flatten`."""
    if structure is _LEAF:
        return leaves[0]
    return structure.unflatten(leaves)


def unflatten_each(structures: Sequence[Any], leaves: Iterable[Any]) -> tuple[Any, ...]:
    """Unflatten consecutive leaves to several trees."""
    if structures.count(_LEAF) == len(structures):  # most often
        return tuple(leaves)
    rest = iter(leaves)
    return tuple(
        [
            next(rest) if s is _LEAF else optree.tree_unflatten(s, islice(rest, s.num_leaves))
            for s in structures
        ]
    )


def paths(tree: Any) -> list[str]:
    """Paths of the leaves as source text, for messages."""
    flatten(tree)
    accessors = optree.tree_accessors(tree, namespace=_NAMESPACE)
    return [a.codify("") for a in accessors]


def tree_map(function: Callable[..., Any], tree: Any) -> Any:
    """Apply a function to each leaf of the containers."""
    leaves, structure = flatten(tree)
    return unflatten(structure, [function(x) for x in leaves])


def _register(cls: Any) -> None:
    """Register a dataclass with optree; static fields belong to the structure."""
    fields = dataclasses.fields(cls)
    names = tuple(f.name for f in fields if not f.metadata.get("static"))
    fixed = tuple(f.name for f in fields if f.metadata.get("static"))

    def take_apart(x: Any) -> tuple[Any, ...]:
        return [getattr(x, name) for name in names], [getattr(x, name) for name in fixed], names

    def put_together(constants: Any, values: Any) -> Any:
        x = object.__new__(cls)  # not by __init__, which may have side effects
        for name, value in (*zip(names, values, strict=True), *zip(fixed, constants, strict=True)):
            object.__setattr__(x, name, value)
        return x

    with suppress(ValueError):  # another thread has registered it
        optree.register_pytree_node(
            cls,
            take_apart,
            put_together,
            path_entry_type=optree.GetAttrEntry,
            namespace=_NAMESPACE,
        )
