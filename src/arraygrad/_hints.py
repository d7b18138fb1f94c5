"""Migration hints: AttributeErrors that name the equivalent of other libraries' functions."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, NoReturn

_NUMPY = """
    absolute:abs amax:max amin:min arccos:acos arccosh:acosh arcsin:asin arcsinh:asinh arctan:atan
    arctan2:atan2 arctanh:atanh around:round array:asarray bitwise_not:bitwise_invert
    concatenate:concat conjugate:conj cross:linalg.cross cumprod:cumulative_prod
    cumsum:cumulative_sum diagonal:linalg.diagonal dot:matmul fabs:abs grad:autodiff.grad
    hstack:concat inner:vecdot invert:bitwise_invert left_shift:bitwise_left_shift mod:remainder
    power:pow ravel:reshape right_shift:bitwise_right_shift
    swapaxes:permute_dims trace:linalg.trace true_divide:divide unique:unique_values vdot:vecdot
    vstack:concat"""
_EXTRA = "cov isclose nan_to_num setdiff1d sinc union1d"
NUMPY = {old: f"arraygrad.{new}" for old, new in (pair.split(":") for pair in _NUMPY.split())}
NUMPY |= {name: f"array_api_extra.{name}" for name in _EXTRA.split()}

_PYTORCH = """
    as_tensor:asarray bmm:matmul cat:concat clamp:clip clone:asarray device:Device div:divide
    double:float64 enable_grad:autodiff.enable_grad eq:equal flatten:reshape float:float32
    gather:take_along_axis ge:greater_equal gt:greater index_select:take
    inference_mode:autodiff.no_grad le:less_equal load:nn.load log_softmax:nn.log_softmax
    long:int64 lt:less mm:matmul mul:multiply ne:not_equal is_tensor:Tensor neg:negative
    no_grad:autodiff.no_grad norm:linalg.vector_norm permute:permute_dims relu:nn.relu
    save:nn.save set_default_device:default_device sigmoid:nn.sigmoid softmax:nn.softmax
    sub:subtract tensor:asarray topk:sort unbind:unstack unsqueeze:expand_dims"""
PYTORCH = {old: f"arraygrad.{new}" for old, new in (pair.split(":") for pair in _PYTORCH.split())}
_DRAWN = "manual_seed rand rand_like randint randn randn_like randperm"
PYTORCH |= dict.fromkeys(_DRAWN.split(), "arraygrad.random.default_rng")

#: Functions of a generator, because there is no global state.
_RANDOM = """
    choice exponential integers normal permutation random shuffle standard_normal uniform"""
RANDOM = {name: f"rng = random.default_rng(seed); rng.{name}" for name in _RANDOM.split()}
RANDOM |= {
    "PRNGKey": "random.default_rng(seed)",
    "key": "random.default_rng(seed)",
    "rand": RANDOM["random"],
    "randint": RANDOM["integers"],
    "randn": RANDOM["standard_normal"],
    "seed": "random.default_rng(seed)",
    "split": "rng.spawn(n)",
}

#: Submodules that are not imported with the package.
PARTS = {
    name: f"from arraygrad import {name}"
    for name in ("autodiff", "data", "distributed", "interop", "nn", "optim", "scipy")
}

LINALG = {
    "norm": "arraygrad.linalg.vector_norm or arraygrad.linalg.matrix_norm",
}

JAX = {
    "jacfwd": 'autodiff.jacobian(f, mode="forward")',
    "jacrev": 'autodiff.jacobian(f, mode="reverse")',
    "remat": "autodiff.checkpoint",
    "jit": "the function as it is: there is no compiler",
    "vmap": "batched code: the functions take stacks",
}

NN = {
    "BCELoss": "nn.BCEWithLogitsLoss, of logits",
    "ModuleDict": "a dict",
    "ModuleList": "a list",
    "NLLLoss": "nn.CrossEntropyLoss, of logits",
    "Parameter": "autodiff.variable",
    "functional": "nn.relu and the like",
    "init": "nn.xavier_uniform and the like",
    "utils": "optim.clip_grad_norm_",
}
MODULE = {
    "cpu": 'to_device("cpu")',
    "cuda": 'to_device("cuda")',
    "double": "astype(xp.float64)",
    "float": "astype(xp.float32)",
    "register_buffer": "self.name = tensor",
    "register_parameter": "self.name = autodiff.variable(tensor)",
    "to": "to_device(device) or astype(dtype)",
}
OPTIM = {"lr_scheduler": "optim.StepLR and the like"}
DATA = dict.fromkeys(("Dataset", "TensorDataset"), "DataLoader(x, y), which takes arrays")

#: Equivalents of methods of PyTorch's and NumPy's arrays, for a tensor `x`.
METHODS = {
    "float": "xp.astype(x, xp.float32)",
    "double": "xp.astype(x, xp.float64)",
    "long": "xp.astype(x, xp.int64)",
    "int": "xp.astype(x, xp.int32)",
    "bool": "xp.astype(x, xp.bool)",
    "type": "xp.astype(x, dtype)",
    "clone": "xp.asarray(x, copy=True)",
    "copy": "xp.asarray(x, copy=True)",
    "contiguous": "x: the layout does not matter",
    "dim": "x.ndim",
    "numel": "x.size",
    "flatten": "xp.reshape(x, (-1,))",
    "t": "x.T",
    "permute": "xp.permute_dims(x, axes)",
    "unsqueeze": "xp.expand_dims(x, axis=0)",
    "expand": "xp.broadcast_to(x, shape)",
    "gather": "xp.take_along_axis(x, indices, axis=0)",
    "masked_fill": "xp.where(mask, value, x)",
    "mm": "x @ y",
    "matmul": "x @ y",
    "dot": "x @ y",
    "add_": "x += y",
    "sub_": "x -= y",
    "mul_": "x *= y",
    "div_": "x /= y",
    "zero_": "x[...] = 0",
    "fill_": "x[...] = value",
    "copy_": "x[...] = y",
    "clamp": "xp.clip(x, low, high)",
    "clip": "xp.clip(x, low, high)",
    "repeat": "xp.tile(x, times), or xp.repeat(x, n)",
    "take": "xp.take(x, places, axis=0)",
    "cumsum": "xp.cumulative_sum(x, axis=0)",
    "norm": "xp.linalg.vector_norm(x)",
    "pow": "x**2",
}
_FUNCTIONS = "abs argmax argmin argsort cos exp log nonzero round sin sort sqrt std tanh var"
METHODS |= {name: f"xp.{name}(x)" for name in _FUNCTIONS.split()}
METHODS |= {name: f"arraygrad.nn.{name}(x)" for name in "relu sigmoid softmax".split()}


def missing(what: str, owner: Any, name: str, hints: Mapping[str, str]) -> AttributeError:
    """Error for a missing attribute."""
    hint = f"; write {hints[name]}" if name in hints else ""
    return AttributeError(f"{what} has no attribute {name!r}{hint}", name=name, obj=owner)


def install(module: str, hints: Mapping[str, str]) -> None:
    """Install the hints in a module.

    The ``__getattr__`` is hidden from type checkers, which would otherwise accept every name.
    """

    def __getattr__(name: str) -> NoReturn:
        raise missing(f"module {module!r}", found, name, hints)

    found = sys.modules[module]
    vars(found)["__getattr__"] = __getattr__


class Elsewhere:
    """Placeholder for a missing method; a `__getattr__` would slow down all other attributes."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> NoReturn:
        hint = METHODS[self.name]
        hint += ", where xp is arraygrad" * ("xp." in hint)
        raise missing(f"{owner.__name__!r} object", instance, self.name, {self.name: hint})
