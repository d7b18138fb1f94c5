"""Calls every public function with odd arguments, and checks the errors.

Arguments are drawn from a list of odd values. An error must be a TypeError, ValueError, IndexError,
OverflowError or an exception of the package. Its message must begin with the name of the public
function, and must not mention internals of the libraries.
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import inspect
import operator
import random
import re
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

import arraygrad as xp
from arraygrad import autodiff, data, nn, optim

#: The errors that a call may raise, and RuntimeError itself for what cannot be recorded. (The
#: package's own classes are subclasses of these. BufferError is DLPack's, and MemoryError NumPy's.)
OWN = (TypeError, ValueError, IndexError, OverflowError, BufferError, MemoryError)
#: What a message never speaks of: the inside of the library, of NumPy or of Python.
INSIDE = re.compile(
    r"has no attribute|object is not|ufunc|to C long|Dual|\b_[a-z]+[a-z_]*\(|"
    r"positional argument: '_|not all arguments converted|unhashable"
)
#: What the argument itself says where it is converted to a number or a truth value.
OF_ARGUMENTS = (
    "no index", "no number", "__bool__: ", "__index__: ", "__array__: ",
    "The truth value of an array",
)  # fmt: skip
#: What Python says of a call that does not fit the signature.
ARITY = re.compile(r"\(\) (missing|takes|got) ")
#: Functions that change the state of the process, or wait, and a protocol, which is not called.
LEFT_OUT = frozenset(
    "set_num_threads set_requires_grad map_location default_device default_dtype Dataset".split()
)
#: The parts of the package, by the prefix of their functions' names.
PARTS: dict[str, Any] = {
    "": xp, "linalg.": xp.linalg, "fft.": xp.fft, "special.": xp.special, "random.": xp.random,
    "autodiff.": autodiff, "nn.": nn, "optim.": optim, "data.": data,
}  # fmt: skip
if find_spec("distributed") is not None:  # Dask's, which arraygrad.distributed needs
    PARTS["distributed."] = importlib.import_module("arraygrad.distributed")


def optimizer() -> optim.SGD:
    """An optimiser of one parameter."""
    return optim.SGD([xp.ones(3).requires_grad_()], lr=0.1, momentum=0.9)


#: Classes whose methods are called, by the prefix of the methods' names, and an object of each.
OBJECTS: dict[str, Callable[[], Any]] = {
    "Generator.": lambda: xp.random.default_rng(0),
    "nn.Linear.": lambda: nn.Linear(3, 2),
    "nn.Conv2d.": lambda: nn.Conv2d(1, 2, 1),
    "nn.MaxPool2d.": lambda: nn.MaxPool2d(1),
    "nn.AvgPool2d.": lambda: nn.AvgPool2d(1),
    "nn.Embedding.": lambda: nn.Embedding(3, 2),
    "nn.LayerNorm.": lambda: nn.LayerNorm(3),
    "nn.BatchNorm1d.": lambda: nn.BatchNorm1d(3),
    "nn.BatchNorm2d.": lambda: nn.BatchNorm2d(1),
    "nn.Flatten.": lambda: nn.Flatten(),
    "nn.Sequential.": lambda: nn.Sequential(nn.Linear(3, 2), nn.ReLU()),
    "nn.Dropout.": lambda: nn.Dropout(),
    "nn.Softmax.": lambda: nn.Softmax(),
    "nn.CrossEntropyLoss.": lambda: nn.CrossEntropyLoss(),
    "optim.SGD.": optimizer,
    "optim.Adam.": lambda: optim.Adam({"a": xp.ones(3), "b": xp.ones(())}),
    "optim.RMSprop.": lambda: optim.RMSprop([xp.ones(3)]),
    "optim.StepLR.": lambda: optim.StepLR(optimizer(), 2),
    "optim.ReduceLROnPlateau.": lambda: optim.ReduceLROnPlateau(optimizer()),
    "data.DataLoader.": lambda: data.DataLoader(xp.ones((4, 2)), xp.arange(4), batch_size=2),
}
OPERATORS = """
    add sub mul truediv floordiv mod pow matmul and_ or_ xor lshift rshift eq ne lt le gt ge
    iadd isub imul itruediv ifloordiv imod ipow imatmul iand ior ixor ilshift irshift
    getitem setitem neg pos abs invert index""".split()
#: What the standard calls the operators, and so may a message.
FUNCTION_OF_OPERATOR = {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "mod": "remainder",
    "floordiv": "floor_divide", "pow": "pow", "matmul": "matmul", "and": "bitwise_and",
    "or": "bitwise_or", "xor": "bitwise_xor", "lshift": "bitwise_left_shift",
    "rshift": "bitwise_right_shift", "eq": "equal", "ne": "not_equal", "lt": "less",
    "le": "less_equal", "gt": "greater", "ge": "greater_equal", "neg": "negative",
    "pos": "positive", "abs": "abs", "invert": "bitwise_invert",
}  # fmt: skip


def tensors() -> list[Any]:
    """New tensors of many dtypes and shapes; some are recorded."""
    A = xp.asarray
    recorded = A([1.0, 2.0, 3.0]).requires_grad_()
    return [
        A([1.0, -2.0, 3.0]), A([[1.0, 2.0], [3.0, 5.0]]), A(0.5), A([]), A(2), A([0, 2, 1]),
        A([True, False, True]), A(True), A([1j, 2.0]), A([[1j, 2.0], [0.0, 1.0]]),
        A([xp.nan, xp.inf, -xp.inf]), xp.zeros((0, 3)), xp.ones((2, 3, 3)),
        A([1.0, 2.0, 3.0], dtype=xp.float32), A([1.0, 2.0], dtype=xp.float16),
        A([200, 3, 1], dtype=xp.uint8), A([2**63, 1, 0], dtype=xp.uint64),
        A([-5, 2**62, 1]), xp.ones((1, 1, 1, 1)), recorded, recorded * 2, recorded[0],
        A(2.0).requires_grad_(), A([[2.0, 1.0], [1.0, 3.0]]).requires_grad_(),
        A([1j, 2.0]).requires_grad_(),
    ]  # fmt: skip


def values() -> list[Any]:
    """Arguments that are not tensors, and that are wrong for most functions."""
    return [
        None, True, False, 0, 1, -1, 2, 3, 7, -(2**45), 2**62, 2**64, -(2**70), 0.0, 0.5, 2.0, -1.5,
        1e308, 1e-320, xp.nan, xp.inf, -xp.inf, 1j, complex(xp.nan, 1), "", "a", "ij,jk->ik", "fro",
        "left", "backward", "cpu", "cuda:7", b"x", (), (0,), (1, 0), (0, 1, 2), (-1, 0), (2, 2),
        (0, 0), (1.5,), (None, 2), ("a",), [], [0], [1.0, 2.0], [[1, 2], [3]], [None], ["a"],
        [xp.ones(2), 1], [xp.ones(3), xp.ones(3)], (xp.ones(2), xp.ones((2, 2))),
        {}, {"a": 1}, {"a": xp.ones(2)}, {1, 2}, range(3), slice(None, None, -1), slice("a"), ...,
        xp.float32, xp.float64, xp.int8, xp.uint64, xp.complex64, xp.bool, "float32", "int64", int,
        float, str, object, np.float32, np.dtype("S3"), np.int64(1), np.int8(-1), np.float64(0.5),
        np.float32(2.0), np.bool_(True), np.ones(3), np.ones((2, 2), dtype=complex),
        np.asarray(["a"]), np.asarray(None), np.float16(1.0), bytearray(b"ab"), object(), Exception,
        lambda: None, lambda x: x, lambda x: xp.sum(x * x), lambda *a: a, lambda x: None, sum, xp,
        xp.sin, xp.Device("cpu"), xp.random.default_rng(0), iter([1, 2]), NotImplemented, Odd(),
    ]  # fmt: skip


class Odd:
    """An object whose conversions fail."""

    def __index__(self) -> int:
        raise ValueError("no index")

    def __float__(self) -> float:
        raise ValueError("no number")

    def __repr__(self) -> str:
        return "Odd()"


@cache
def functions() -> dict[str, Callable[..., Any]]:
    """Every public function and method, by name."""
    found: dict[str, Callable[..., Any]] = {}
    for prefix, part in PARTS.items():
        for name in part.__all__:
            function = getattr(part, name)
            if callable(function) and not isinstance(function, np.dtype) and name not in LEFT_OUT:
                if isinstance(function, type) and issubclass(
                    function, (Exception, np.generic, xp.Tensor)
                ):
                    continue
                found[prefix + name] = function
    owners: dict[str, type] = {"Tensor.": xp.Tensor, **{k: type(f()) for k, f in OBJECTS.items()}}
    for prefix, cls in owners.items():
        for name in dir(cls):
            method = getattr(cls, name, None)
            public = name[0] != "_" or (name == "__call__" and issubclass(cls, nn.Module))
            if public and inspect.isroutine(method) and f"{prefix}{name}" not in LEFT_OUT:
                found[prefix + name] = method
    for name in OPERATORS:
        found[f"operator.{name}"] = getattr(operator, name)
    return found


def arguments(function: Callable[..., Any], name: str, draw: random.Random) -> Any:
    """Arguments for one call: the first ones are mostly tensors, the others anything."""
    pool, odd = tensors(), values()

    def one(position: int) -> Any:
        if draw.random() < (0.85 if position == 0 else 0.6 if position == 1 else 0.25):
            return draw.choice(pool)
        return draw.choice(odd)

    try:
        parameters = list(inspect.signature(function).parameters.values())
    except ValueError:  # written in C
        parameters = []
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    for i, p in enumerate(parameters):
        if p.kind is p.VAR_POSITIONAL:
            args += [one(i + k) for k in range(draw.randrange(3))]
        elif p.kind is p.VAR_KEYWORD:
            continue
        elif p.name == "self":
            make = OBJECTS.get(name[: name.rfind(".") + 1])
            args.append(draw.choice(pool) if make is None else make())
        elif p.default is p.empty and draw.random() < 0.99:
            if p.kind is p.KEYWORD_ONLY:
                kwargs[p.name] = one(i)
            else:
                args.append(one(i))
        elif draw.random() < 0.4 and (p.kind is p.KEYWORD_ONLY or len(args) < i):
            kwargs[p.name] = one(i + 2)
        elif p.kind is not p.KEYWORD_ONLY and draw.random() < 0.4 and len(args) == i:
            args.append(one(i + 2))
    if name.startswith("operator."):
        short = name.partition(".")[2]
        count = 3 if short == "setitem" else 1 if short in _UNARY else 2
        args = [one(i) for i in range(count)]
        if count == 1 or "item" in short or short[0] == "i" or not isinstance(args[1], xp.Tensor):
            args[0] = draw.choice(pool)
        elif not isinstance(args[0], NUMBERS):
            args[0] = 2.0
    if name.endswith(".apply") and callable(args[-1]):
        args[-1] = id  # others would raise errors of their own
    if name == "distributed.from_map" and callable(args[0]):
        args[0] = xp.asarray(1).__add__
    if name.startswith(("autodiff.", "optim.minimize")) and args and isinstance(args[0], type):
        args[0] = xp.sin  # a class would raise errors of its own
    return args, kwargs


NUMBERS = (xp.Tensor, int, float, complex)
_UNARY = frozenset({"neg", "pos", "abs", "invert", "index"})


@contextmanager
def no_longer_than(seconds: float) -> Iterator[None]:
    """End the process with a traceback if the block takes longer; C code ignores signals."""
    faulthandler.dump_traceback_later(seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


@contextmanager
def elsewhere() -> Iterator[None]:
    """A temporary current directory, for files that `nn.save` may write."""
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        yield


def names(name: str) -> tuple[str, ...]:
    """Prefixes that a message of a function may have."""
    short = name.rpartition(".")[2]
    if name.startswith("operator."):
        plain = short.strip("_")
        base = plain[1:] if plain[0] == "i" and plain[1:] in FUNCTION_OF_OPERATOR else plain
        mirrored = {"lt": "greater", "gt": "less", "le": "greater_equal", "ge": "less_equal"}
        known = [f"__{plain}__", "unsupported operand", "bad operand", f"'{plain}'", "'<", "'>"]
        if base in FUNCTION_OF_OPERATOR:
            known += [FUNCTION_OF_OPERATOR[base], mirrored.get(plain, f"__{plain}__")]
        return tuple(known)
    if short in ("__call__", "forward"):  # of a layer, in the name of a function or another layer
        return tuple(nn.__all__)
    own = getattr(functions()[name], "__name__", short)  # of an alias, the other name
    if name.startswith("autodiff.custom_"):  # whose result is called, in the name of the function
        return (name, "sin", "sum", "<lambda>", "custom_")
    owner = name.split(".")[-2:-1]
    return (name, short, name.replace(short, own), f"Tensor.{short}", f"Generator.{short}", *owner)


def fault(name: str, error: BaseException) -> str | None:
    """Fault of an error; None if it has none."""
    text = str(error)
    own = (*OWN, OSError) if name in ("nn.load", "nn.save") else OWN
    if type(error) is not RuntimeError and not isinstance(error, own):
        return f"class {type(error).__name__}"
    if text.startswith(OF_ARGUMENTS) or ARITY.search(text):
        return None
    if not text.startswith(names(name)):
        return "does not name the function"
    return f"speaks of {found.group()!r}" if (found := INSIDE.search(text)) else None


@elsewhere()
def fuzz(
    per_function: int, seed: int = 0, *, part: str | None = None, only: str = ""
) -> tuple[int, int, dict[tuple[str, str, str], tuple[str, str]]]:
    """Call everything; returns the numbers of calls and errors, and one example of each fault."""
    calls = errors = 0
    faults: dict[tuple[str, str, str], tuple[str, str]] = {}
    for name, function in functions().items():
        if only not in name or part not in (None, _part(name)):
            continue
        draw = random.Random(f"{seed} {name}")
        for _ in range(per_function):
            args, kwargs = arguments(function, name, draw)
            words = [*map(show, args), *(f"{k}={show(v)}" for k, v in kwargs.items())]
            text = f"{name}({', '.join(words)})"
            calls += 1
            try:
                with warnings.catch_warnings(), no_longer_than(20):
                    warnings.simplefilter("ignore")
                    out = function(*args, **kwargs)
                    if callable(out) and name.startswith("autodiff."):
                        out(*args[1:])
                    elif name in ("autodiff.vjp", "autodiff.linearize") and callable(out[-1]):
                        out[-1](*args[1:])
            except Exception as error:
                errors += 1
                wrong = fault(name, error)
                if wrong:
                    kind = (name, type(error).__name__, wrong)
                    faults.setdefault(kind, (text, str(error)))
    return calls, errors, faults


def _part(name: str) -> str:
    """Prefix of a function's name; methods and operators count as the namespace."""
    prefix = name[: name.find(".") + 1]
    return prefix if prefix in PARTS else "random." if prefix == "Generator." else ""


def show(x: Any) -> str:
    """Short text of an argument."""
    if isinstance(x, xp.Tensor):
        return f"{x.dtype}{x.shape}{'*' * x.requires_grad}"
    text = repr(x)
    return text if len(text) < 50 else text[:47] + "..."


def add_parser(subjects: Any) -> None:
    """Add ``fuzz`` to the command line."""
    parser = subjects.add_parser("fuzz", help="errors of odd arguments", description=__doc__)
    parser.add_argument("--calls", type=int, default=1000, help="calls of each function (1000)")
    parser.add_argument("--seed", type=int, default=0, help="which arguments (0)")
    parser.add_argument("--only", default="", help="only functions whose name has this in it")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Call everything and print the faults."""
    calls, errors, faults = fuzz(args.calls, args.seed, only=args.only)
    for (_, kind, wrong), (text, message) in faults.items():
        print(f"{text}\n    {kind}: {message[:300]}\n    {wrong}")
    print(f"{calls} calls, {errors} errors, {len(faults)} kinds of faults")
    return int(bool(faults))
