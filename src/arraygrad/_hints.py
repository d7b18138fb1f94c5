"""Migration hints: errors that say what to write for other libraries' names and arguments.

A missing name is looked up when it is accessed (`install`, `Elsewhere`). Functions that users of
other libraries call in another way collect the arguments that do not fit in ``*more`` and
``**other``, and `wrong_call` says how to write the call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from functools import reduce
from numbers import Integral
from typing import Any, NoReturn, TypeGuard

from ._array import Array

_NUMPY = """
    absolute:abs amax:max amin:min arccos:acos arccosh:acosh arcsin:asin arcsinh:asinh arctan:atan
    arctan2:atan2 arctanh:atanh around:round array:asarray bitwise_not:bitwise_invert
    concatenate:concat conjugate:conj cross:linalg.cross cumprod:cumulative_prod
    cumsum:cumulative_sum diagonal:linalg.diagonal dot:matmul fabs:abs grad:autodiff.grad
    inner:vecdot invert:bitwise_invert left_shift:bitwise_left_shift mod:remainder
    power:pow ravel:reshape right_shift:bitwise_right_shift
    swapaxes:permute_dims trace:linalg.trace true_divide:divide unique:unique_values vdot:vecdot"""
_EXTRA = "cov nan_to_num setdiff1d sinc union1d"
NUMPY = {old: f"arraygrad.{new}" for old, new in (pair.split(":") for pair in _NUMPY.split())}
NUMPY |= {name: f"array_api_extra.{name}" for name in _EXTRA.split()}

_PYTORCH = """
    as_tensor:asarray bmm:matmul cat:concat clamp:clip clone:asarray device:Device div:divide
    double:float64 enable_grad:autodiff.enable_grad eq:equal flatten:reshape float:float32
    gather:take_along_axis ge:greater_equal gt:greater index_select:take
    inference_mode:autodiff.no_grad le:less_equal load:nn.load log_softmax:nn.log_softmax
    long:int64 lt:less mm:matmul mul:multiply ne:not_equal neg:negative
    no_grad:autodiff.no_grad norm:linalg.vector_norm permute:permute_dims relu:nn.relu
    save:nn.save set_default_device:default_device sigmoid:nn.sigmoid softmax:nn.softmax
    sub:subtract tensor:asarray unbind:unstack unsqueeze:expand_dims"""
PYTORCH = {old: f"arraygrad.{new}" for old, new in (pair.split(":") for pair in _PYTORCH.split())}

_DEVICES = "xp.__array_namespace_info__().devices()"
_IS_CLOSE = "xp.abs(x - y) <= 1e-8 + 1e-5 * xp.abs(y)"
_IS_CUDA = f'any(d.type == "cuda" for d in {_DEVICES})'
_TREES = 'optree.tree_map(f, tree, namespace="arraygrad")'
#: What to write for names without one counterpart. Here `rng` is ``xp.random.default_rng(seed)``.
NAMES = {
    # PyTorch's and JAX's parts
    "accelerator": _DEVICES,
    "autograd": "autodiff.grad(f)(x), or x.requires_grad_() and loss.backward()",
    "backends": _DEVICES,
    "config": "xp.asarray(x, dtype=xp.float64), which is the default",
    "cuda": f'{_IS_CUDA} to ask for a GPU, and device="cuda" to compute there',
    "debug": "print(x)",
    "func": "autodiff.grad(f) and the other transformations",
    "lax": "if, for and while, x[i] = y, and autodiff.stop_gradient(x)",
    "mps": _DEVICES,
    "numpy": "xp.sin(x): the functions are in the namespace itself",
    "tree": _TREES,
    "tree_util": _TREES,
    "utils": "data.DataLoader(x, y), optim.clip_grad_norm_(params, 1.0) or autodiff.checkpoint(f)",
    # tensors
    "BoolTensor": "xp.asarray(values, dtype=xp.bool)",
    "ByteTensor": "xp.asarray(values, dtype=xp.uint8)",
    "DoubleTensor": "xp.asarray(values, dtype=xp.float64)",
    "FloatTensor": "xp.asarray(values, dtype=xp.float32)",
    "IntTensor": "xp.asarray(values, dtype=xp.int32)",
    "LongTensor": "xp.asarray(values, dtype=xp.int64)",
    "float_": "xp.float64",
    "int_": "xp.int64",
    "bool_": "xp.bool",
    "bfloat16": "xp.float32 or xp.float16",
    "half": "xp.float16",
    "ndarray": "xp.Tensor",
    "numel": "x.size",
    "size": "x.size",
    "ndim": "x.ndim",
    "shape": "x.shape",
    "get_default_dtype": "xp.default_dtype().dtype",
    "set_default_dtype": "xp.default_dtype(xp.float32), also in a with block",
    "set_default_tensor_type": "xp.default_dtype(xp.float32), also in a with block",
    "set_printoptions": "np.set_printoptions(precision=3), which applies to tensors, too",
    "device_put": "x.to_device(device)",
    "device_get": "x.numpy()",
    "devices": _DEVICES,
    "local_devices": _DEVICES,
    "block_until_ready": "x.numpy(), which waits",
    "loadtxt": "xp.asarray(np.loadtxt(path))",
    "genfromtxt": "xp.asarray(np.genfromtxt(path))",
    "frombuffer": "xp.asarray(memoryview(buffer))",
    # random numbers
    "Generator": "xp.random.default_rng(seed)",
    "bernoulli": "rng.random(x.shape) < x",
    "manual_seed": "rng = xp.random.default_rng(seed)",
    "multinomial": "rng.choice(n, size=shape, p=p)",
    "normal": "rng = xp.random.default_rng(seed); rng.normal(mean, std, size=shape)",
    "rand": "rng = xp.random.default_rng(seed); rng.random(shape)",
    "rand_like": "rng = xp.random.default_rng(seed); rng.random(x.shape)",
    "randint": "rng = xp.random.default_rng(seed); rng.integers(low, high, size=shape)",
    "randn": "rng = xp.random.default_rng(seed); rng.standard_normal(shape)",
    "randn_like": "rng = xp.random.default_rng(seed); rng.standard_normal(x.shape)",
    "randperm": "rng = xp.random.default_rng(seed); rng.permutation(n)",
    # shapes
    "append": "xp.concat([x, y], axis=0)",
    "argwhere": "xp.stack(xp.nonzero(x), axis=-1)",
    "atleast_1d": "xp.reshape(x, (-1,))",
    "chunk": "[x[i : i + n] for i in range(0, x.shape[0], n)]",
    "column_stack": "xp.stack([x, y], axis=1)",
    "copy": "xp.asarray(x, copy=True)",
    "fliplr": "xp.flip(x, axis=1)",
    "flipud": "xp.flip(x, axis=0)",
    "hstack": "xp.concat([x, y], axis=1), or axis=0 for vectors",
    "narrow": "x[:, i : i + n]",
    "vstack": "xp.concat([x, y], axis=0), or xp.stack([x, y]) of vectors",
    "array_split": "xp.split(x, indices, axis=0)",
    "atleast_2d": "x[None, :] of a vector",
    "atleast_3d": "x[..., None]",
    "c_": "xp.stack([x, y], axis=1)",
    "dsplit": "xp.split(x, n, axis=2)",
    "hsplit": "xp.split(x, n, axis=1)",
    "index_exp": "the index itself: x[1:, 0]",
    "make_diagonal": "xp.diag(x), or xp.expand_dims(x, axis=-1) * xp.eye(x.shape[-1])",
    "r_": "xp.concat([x, y], axis=0)",
    "rollaxis": "xp.moveaxis(x, axis, 0)",
    "rot90": "xp.flip(x.T, axis=0)",
    "row_stack": "xp.concat([x, y], axis=0), or xp.stack([x, y]) of vectors",
    "s_": "the index itself: x[1:, 0]",
    "vsplit": "xp.split(x, n, axis=0)",
    # mathematics
    "addmm": "y + x @ z",
    "angle": "xp.atan2(xp.imag(x), xp.real(x))",
    "array_equal": "bool(xp.all(x == y))",
    "average": "xp.sum(x * weights) / xp.sum(weights)",
    "cbrt": "xp.sign(x) * xp.abs(x) ** (1 / 3)",
    "deg2rad": "x * (xp.pi / 180)",
    "degrees": "x * (180 / xp.pi)",
    "exp2": "2**x",
    "fmax": "xp.where(xp.isnan(x), y, xp.where(xp.isnan(y), x, xp.maximum(x, y)))",
    "fmin": "xp.where(xp.isnan(x), y, xp.where(xp.isnan(y), x, xp.minimum(x, y)))",
    "gradient": "(x[2:] - x[:-2]) / 2 inside, and x[1] - x[0], x[-1] - x[-2] at the ends",
    "histogram": "np.histogram(x.numpy())",
    "iscomplex": "xp.imag(x) != 0",
    "iscomplexobj": 'xp.isdtype(x.dtype, "complex floating")',
    "isclose": _IS_CLOSE,
    "isrealobj": 'not xp.isdtype(x.dtype, "complex floating")',
    "logaddexp2": "xp.log2(2**x + 2**y)",
    "logsumexp": "arraygrad.special.logsumexp(x)",
    "polyfit": "np.polyfit(x.numpy(), y.numpy(), n)",
    "ptp": "xp.max(x) - xp.min(x)",
    "msort": "xp.sort(x, axis=0)",
    "partition": "xp.sort(x)",
    "rad2deg": "x * (180 / xp.pi)",
    "radians": "x * (xp.pi / 180)",
    "real_if_close": "xp.real(x)",
    "rsqrt": "1 / xp.sqrt(x)",
    "select": "xp.where(x > 0, x, y)",
    "seterr": "np.seterr(all='ignore'), which holds on the CPU",
    "std_mean": "xp.std(x, correction=1), xp.mean(x)",
    "var_mean": "xp.var(x, correction=1), xp.mean(x)",
    # transformations
    "apply_along_axis": "xp.vmap(f)",
    "elementwise_grad": "autodiff.vjp(f, x)[1](xp.ones_like(x))[0]",
    "is_grad_enabled": "x.requires_grad",
    "make_jaxpr": "f(x).grad_fn, the node of a recorded operation",
    "pmap": "from arraygrad import distributed; distributed.value_and_grad(f)",
    "set_grad_enabled": "autodiff.no_grad() or autodiff.enable_grad()",
    "is_tensor": "isinstance(x, arraygrad.Tensor)",
    "topk": "xp.sort(x, descending=True)[..., :n]",
    "vectorize": "xp.vmap(f)",
}
_TRANSFORMS = "check_grads checkpoint custom_jvp custom_vjp hessian hvp jacobian jvp linearize vjp"
NAMES |= {name: f"autodiff.{name}" for name in ["value_and_grad", *_TRANSFORMS.split()]}
NAMES |= {name: f"arraygrad.linalg.{name}" for name in "det inv pinv qr solve svd".split()}
NAMES |= {"inverse": "arraygrad.linalg.inv", "stop_gradient": "autodiff.stop_gradient(x)"}
NAMES |= {name: f"arraygrad.special.{name}" for name in "erf erfc gammaln".split()}

#: Functions that are methods of a generator here, because there is no global state.
_RANDOM = """
    choice exponential integers normal permutation random shuffle standard_normal uniform"""
RANDOM = {name: f"rng = random.default_rng(seed); rng.{name}" for name in _RANDOM.split()}
RANDOM |= {
    "PRNGKey": "random.default_rng(seed)",
    "RandomState": "random.default_rng(seed)",
    "key": "random.default_rng(seed)",
    "rand": RANDOM["random"],
    "randint": RANDOM["integers"],
    "randn": RANDOM["standard_normal"],
    "seed": "random.default_rng(seed)",
    "fold_in": "rng.spawn(n)",
    "bernoulli": "rng.random(shape) < p",
    "categorical": "rng.choice(n, size=shape, p=p)",
    "split": "rng.spawn(n)",
}
#: Methods of other libraries' generators.
GENERATOR = {
    "rand": "rng.random(shape)",
    "randn": "rng.standard_normal(shape)",
    "randint": "rng.integers(low, high, size=shape)",
    "manual_seed": "random.default_rng(seed)",
    "seed": "random.default_rng(seed)",
}

#: Submodules that are not imported with the package.
PARTS = {
    name: f"from arraygrad import {name}"
    for name in ("autodiff", "data", "distributed", "interop", "nn", "optim", "scipy")
}

LINALG = {
    "norm": "arraygrad.linalg.vector_norm or arraygrad.linalg.matrix_norm",
}
FFT = {f"{prefix}fft2": f"xp.fft.{prefix}fftn(x, axes=(-2, -1))" for prefix in ("", "i", "r", "ir")}
LINALG_CODE = {
    "cond": "s = xp.linalg.svdvals(x); s[0] / s[-1]",
    "lstsq": "xp.linalg.pinv(x) @ y",
    "multi_dot": "x @ y @ z",
}

JAX = {
    "jacfwd": 'autodiff.jacobian(f, mode="forward")',
    "jacrev": 'autodiff.jacobian(f, mode="reverse")',
    "remat": "autodiff.checkpoint",
    "jit": "arraygrad.compile(f)",
}
#: HIPS autograd's, and what is elsewhere.
AUTOGRAD = {
    "vmap": "arraygrad.vmap(f)",
    "Function": "autodiff.custom_vjp",
    "Variable": "x.requires_grad_()",
    "backward": "loss.backward()",
    "defjvp": "f = autodiff.custom_jvp(f); f.defjvp(rule)",
    "defvjp": "f = autodiff.custom_vjp(f); f.defvjp(forward, backward)",
    "deriv": "autodiff.jvp(f, (x,), (xp.ones_like(x),))[1]",
    "elementwise_grad": NAMES["elementwise_grad"],
    "extend": "autodiff.custom_vjp(f)",
    "flatten": 'optree.tree_flatten(params, namespace="arraygrad")',
    "functional": "autodiff.jacobian(f)(x), autodiff.hessian(f)(x) and others",
    "grad_and_aux": "autodiff.grad(f, has_aux=True)",
    "grad_named": "autodiff.grad(f, argnums=0)",
    "hessian_tensor_product": "autodiff.hvp(f, (x,), (v,))",
    "hessian_vector_product": "autodiff.hvp(f, (x,), (v,))",
    "holomorphic_grad": "autodiff.jacobian(f, holomorphic=True)",
    "make_ggnvp": "autodiff.jvp and autodiff.vjp of f, with the Hessian of the loss between them",
    "make_hvp": "autodiff.hvp(f, (x,), (v,))",
    "make_jvp": "autodiff.jvp(f, (x,), (v,))",
    "make_jvp_reversemode": "autodiff.jvp(f, (x,), (v,))",
    "make_vjp": "autodiff.vjp(f, x)",
    "misc": "optim.Adam(params, lr=lr)",
    "multigrad": "autodiff.grad(f, argnums=(0, 1))",
    "multigrad_dict": "autodiff.grad(f)(params), where params is a dict",
    "numpy": "xp.sin(x), where xp is arraygrad",
    "primitive": "autodiff.custom_vjp",
    "set_grad_enabled": NAMES["set_grad_enabled"],
    "tensor_jacobian_product": "autodiff.vjp(f, x)[1](g)[0]",
    "test_util": "autodiff.check_grads(f, (x,))",
}

NN = {
    "ModuleDict": "a dict",
    "ModuleList": "a list",
    "Parameter": "x.requires_grad_()",
    "functional": "nn.relu(x) and the other functions of nn",
    "init": "nn.xavier_uniform(shape) and the other initialisers of nn",
    "one_hot": "xp.astype(labels[:, None] == xp.arange(n), xp.float64)",
    "utils": "optim.clip_grad_norm_",
}
MODULE = {
    "cpu": 'model.to_device("cpu")',
    "cuda": 'model.to_device("cuda")',
    "double": "model.astype(xp.float64)",
    "float": "model.astype(xp.float32)",
    "register_buffer": "self.name = tensor",
    "register_parameter": "self.name = tensor.requires_grad_()",
    "to": "model.to_device(device) or model.astype(dtype)",
}
OPTIM = {
    "LBFGS": "optim.minimize(f, x0)",
    "adam": "optim.Adam(params, lr=lr)",
    "adamw": "optim.AdamW(params, lr=lr)",
    "apply_updates": "optimizer.step(grads)",
    "lr_scheduler": "optim.StepLR(optimizer, step_size) and the other schedules of optim",
    "rmsprop": "optim.RMSprop(params, lr=lr)",
    "sgd": "optim.SGD(params, lr=lr)",
}
OPTIMIZER = {
    "apply_updates": "optimizer.step(grads)",
    "init": "optim.Adam(params, lr=lr), which holds the state",
    "update": "optimizer.step(grads)",
}
DATA = {"TensorDataset": "data.DataLoader(x, y), which takes arrays"}

#: Equivalents of methods of PyTorch's and NumPy's arrays, for a tensor `x`.
METHODS = {
    "float": "xp.astype(x, xp.float32)",
    "double": "xp.astype(x, xp.float64)",
    "long": "xp.astype(x, xp.int64)",
    "int": "xp.astype(x, xp.int32)",
    "bool": "xp.astype(x, xp.bool)",
    "type": "xp.astype(x, dtype), or x.dtype",
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
    "add": "x + y",
    "allclose": "xp.allclose(x, y)",
    "at": "x[i] = value, or x[i] += value",
    "bfloat16": "xp.astype(x, xp.float32)",
    "block_until_ready": "x.numpy(): this waits",
    "bmm": "x @ y",
    "byte": "xp.astype(x, xp.uint8)",
    "chunk": NAMES["chunk"],
    "data": "x.detach()",
    "data_ptr": "x.numpy().ctypes.data",
    "diagonal": "xp.linalg.diagonal(x)",
    "div": "x / y",
    "eq": "x == y",
    "expand_as": "xp.broadcast_to(x, y.shape)",
    "fill": "x[...] = value",
    "flat": "xp.reshape(x, (-1,))",
    "ge": "x >= y",
    "get_device": "x.device",
    "gt": "x > y",
    "half": "xp.astype(x, xp.float16)",
    "index_select": "xp.take(x, places, axis=0)",
    "is_contiguous": "x.numpy().flags.c_contiguous",
    "is_cuda": 'x.device.type == "cuda"',
    "itemsize": "x.dtype.itemsize",
    "layout": "x.numpy().flags",
    "le": "x <= y",
    "lt": "x < y",
    "masked_fill_": "x[mask] = value",
    "masked_select": "x[mask]",
    "mul": "x * y",
    "narrow": NAMES["narrow"],
    "nbytes": "x.size * x.dtype.itemsize",
    "ndimension": "x.ndim",
    "ne": "x != y",
    "nelement": "x.size",
    "new_empty": "xp.empty(shape, dtype=x.dtype, device=x.device)",
    "new_full": "xp.full(shape, value, dtype=x.dtype, device=x.device)",
    "new_ones": "xp.ones(shape, dtype=x.dtype, device=x.device)",
    "new_tensor": "xp.asarray(values, dtype=x.dtype, device=x.device)",
    "new_zeros": "xp.zeros(shape, dtype=x.dtype, device=x.device)",
    "normal_": "x[...] = rng.standard_normal(x.shape)",
    "pin_memory": "x.to_device(device)",
    "resize": "xp.reshape(x, shape)",
    "scatter_": "x[i, j] = value",
    "select": "x[i]",
    "split": NAMES["chunk"],
    "stride": "x.numpy().strides",
    "strides": "x.numpy().strides",
    "sub": "x - y",
    "swapaxes": "xp.moveaxis(x, 0, 1)",
    "t_": "x = x.T",
    "tofile": "x.numpy().tofile(path)",
    "topk": "xp.sort(x, descending=True)[..., :n]",
    "trace": "xp.linalg.trace(x)",
    "type_as": "xp.astype(x, y.dtype)",
    "unbind": "xp.unstack(x)",
    "uniform_": "x[...] = rng.uniform(low, high, size=x.shape)",
    "view_as": "xp.reshape(x, y.shape)",
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


# ---- calls with other libraries' arguments

#: Other libraries' names of parameters.
_RENAMED = {
    "ddof": "correction", "diagonal": "k", "dim": "axis", "dims": "axis", "keepdim": "keepdims",
    "in_dims": "in_axes", "out_dims": "out_axes", "rcond": "rtol", "unbiased": "correction",
}  # fmt: skip
#: Parameters of other libraries that change nothing here, or that `wrong_call` writes otherwise.
_LEFT_OUT = frozenset(
    """UPLO generator inplace kind like memory_format num_workers optimize order out pin_memory
    requires_grad sparse subok""".split()
)
#: Calls that replace a function with a parameter of another library.
_REPLACED = {
    ("linalg.svd", "compute_uv"): "xp.linalg.svdvals(x)",
    ("linspace", "retstep"): "x = xp.linspace(low, high, n); step = x[1] - x[0]",
    ("unique_values", "return_counts"): "xp.unique_counts(x)",
    ("unique_values", "return_index"): "xp.unique_all(x)",
    ("unique_values", "return_inverse"): "xp.unique_inverse(x)",
    ("vmap", "axis_name"): "xp.vmap(f), and reduce over the examples outside of it",
    ("vmap", "axis_size"): "xp.vmap(lambda _: f())(xp.arange(n))",
}
#: Values for the elements that `where` excludes; moments ignore NaN under another name.
_EXCLUDED = {
    "all": "True", "any": "False", "max": "-xp.inf", "mean": "xp.nan", "min": "xp.inf",
    "prod": "1", "std": "xp.nan", "sum": "0", "var": "xp.nan",
}  # fmt: skip
_MOMENTS = ("mean", "std", "var")
#: How `initial` enters a result.
_INITIAL = {
    "max": "xp.maximum({}, {})", "min": "xp.minimum({}, {})", "prod": "{} * {}", "sum": "{} + {}"
}  # fmt: skip
#: Parameters that are one tuple.
_TUPLES = frozenset("axes axis repetitions shape".split())
#: Optional parameters that are bools, and that are strings. Most others are numbers or tuples.
_FLAGS = frozenset(
    "copy descending endpoint full_matrices include_initial keepdims stable upper".split()
)
_STRINGS = frozenset("device indexing mode norm".split())
_PYTHON_DTYPES = {bool: "bool", int: "int64", float: "float64", complex: "complex128"}


class _Code(str):
    """Source text in place of a value."""


def wrong_call(name: str, got: Mapping[str, Any]) -> TypeError:
    """Error for a call that does not fit the signature; it says how to write the call.

    Parameters
    ----------
    name : str
        The function, such as ``"sum"`` or ``"linalg.trace"``.
    got : mapping
        Its ``locals()`` at the beginning. The arguments that do not fit are in ``more`` and
        ``other``.
    """
    names, required, defaults = _parameters(name, got)
    keywords = {n: got[n] for n in defaults if got[n] is not defaults[n]}
    other = dict(got.get("other", {}))
    problem = "the arguments do not fit"
    try:
        if got.get("more"):
            name, problem = _place(name, names, required, list(got["more"]), defaults, keywords)
        for key, value in other.items():
            problem = f"there is no parameter {key!r}"
            new = _RENAMED.get(key, key)
            new = "axes" if new == "axis" and "axes" in defaults else new
            if new in defaults:
                keywords[new] = int(value) if key == "unbiased" else value
            elif (name, key) in _REPLACED:
                return TypeError(f"{name}: {problem}; write {_REPLACED[name, key]}")
            elif not _is_written(name, key):
                raise LookupError
    except LookupError:
        optional = ", ".join(defaults) or "none"
        return TypeError(f"{name}: {problem}; optional parameters: {optional}")
    return TypeError(f"{name}: {problem}; write {_code(name, names, required, keywords, other)}")


def _is_written(name: str, key: str) -> bool:
    """True if `_code` replaces a parameter that the function lacks."""
    return (
        key in _LEFT_OUT
        or (key == "where" and name in _EXCLUDED)
        or (key == "initial" and name in _INITIAL)
        or (key == "dtype" and name in ("concat", "stack", *_MOMENTS))
    )


def _code(
    name: str,
    names: list[str],
    required: list[Any],
    keywords: dict[str, Any],
    other: Mapping[str, Any],
) -> str:
    """Source text of the call, with other functions instead of missing parameters."""
    initial = _text(other["initial"], iter("y")) if "initial" in other else None
    tensor = "x"
    if "where" in other:
        excluded = initial if name in ("max", "min") and initial else _EXCLUDED[name]
        tensor = f"xp.where(mask, x, {excluded})"
    if name in _MOMENTS and "dtype" in other:
        tensor = f"xp.astype({tensor}, {_text(other['dtype'], iter(()))})"
    if tensor != "x":
        required = [_Code(tensor), *required[1:]]
    called = f"nan{name}" if name in _MOMENTS and "where" in other else name
    text = _call(called, names, required, keywords)
    if name not in _MOMENTS and "dtype" in other:
        text = f"xp.astype({text}, {_text(other['dtype'], iter(()))})"
    if initial:
        text = _INITIAL[name].format(text, initial)
    if name == "reshape" and other.get("order") == "F" and isinstance(required[1], (list, tuple)):
        text = f"xp.reshape(x.T, {tuple(required[1])[::-1]}).T"
    if other.get("out") is not None:
        text = f"y[...] = {text}"
    return f"{text}.requires_grad_()" if other.get("requires_grad") else text


def _parameters(name: str, got: Mapping[str, Any]) -> tuple[list[str], list[Any], dict[str, Any]]:
    """Names and values of the required arguments, and the defaults of the others."""
    function: Any = reduce(getattr, name.split("."), sys.modules[__package__])
    function = vars(function)["__init__"] if isinstance(function, type) else function
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code, values = function.__code__, function.__defaults__ or ()
    names = list(code.co_varnames[: code.co_argcount])
    optional = names[len(names) - len(values) :]
    names = [n for n in names if n not in optional and n != "self"]
    required = [got[n] for n in names]
    if "arrays" not in names:  # the parameter ``*arrays``
        required += got.get("arrays", ())
    defaults = dict(zip(optional, values, strict=True)) | (function.__kwdefaults__ or {})
    return names, required, defaults


def _place(
    name: str,
    names: list[str],
    required: list[Any],
    more: list[Any],
    defaults: Mapping[str, Any],
    keywords: dict[str, Any],
) -> tuple[str, str]:
    """Assign surplus positional arguments to parameters.

    Returns
    -------
    tuple of str
        The function to call, and the problem.

    Raises
    ------
    LookupError
        If an argument fits no parameter.
    """
    first = required[-1]
    if name == "transpose" and isinstance(required[0], Array):
        axes: Any = list(range(required[0]._data.ndim))
        i, j = keywords.pop("axes", None), more[0]
        if not (_is_int(i) and _is_int(j) and max(i, ~i, j, ~j) < len(axes)):
            raise LookupError
        axes[i], axes[j] = axes[j], axes[i]
        required.append(tuple(axes))
        return "permute_dims", "the axes are one tuple"
    if name in ("max", "min") and isinstance(more[0], Array):
        required.append(more[0])
        return f"{name}imum", "the function reduces one tensor"
    if name in ("concat", "stack") and all(isinstance(x, Array) for x in (first, *more)):
        required[-1] = [first, *more]
        return name, "the tensors are one list"
    if name == "asarray" and all(_is_int(x) or isinstance(x, float) for x in (first, *more)):
        required[-1] = [first, *more]
        return name, "the values are one list"
    if names[-1] in _TUPLES and all(map(_is_int, (first, *more))):
        required[-1] = (first, *more)
        return name, f"{names[-1]} is one tuple"
    optional = sorted(defaults, key=lambda n: n != "ord")  # of norms it comes first
    for value in more:
        new = next((n for n in optional if n not in keywords and _fits(n, value)), None)
        if new is None:
            raise LookupError
        keywords[new] = value
    return name, f"{' and '.join(keywords)} must be named"


def _is_int(x: object) -> TypeGuard[int]:
    return isinstance(x, Integral) and not isinstance(x, bool)


def _fits(name: str, value: object) -> bool:
    """True if a value may be meant for an optional parameter."""
    if isinstance(value, bool):
        return name in _FLAGS
    if _is_dtype(value) or (isinstance(value, str) and hasattr(sys.modules[__package__], value)):
        return name == "dtype"
    if isinstance(value, str):
        return name in _STRINGS
    is_number = _is_int(value) or isinstance(value, (float, list, tuple))
    return is_number and name not in _FLAGS | _STRINGS | {"dtype"}


def _is_dtype(x: object) -> bool:
    return isinstance(x, type) or (hasattr(x, "itemsize") and hasattr(x, "kind"))


def _call(name: str, names: list[str], required: list[Any], keywords: dict[str, Any]) -> str:
    variables = iter("xyzuvw")
    arguments = []
    for i, x in enumerate(required):
        of_ints = isinstance(x, Array) and names[i : i + 1] in (["indices"], ["repeats"])
        arguments.append(names[i] if of_ints else _text(x, variables))
    for key, value in keywords.items():
        value = tuple(value) if key in _TUPLES and isinstance(value, list) else value
        arguments.append(f"{key}={_text(value, variables)}")
    prefix = "" if name.startswith(("data.", "nn.")) else "xp."
    return f"{prefix}{name}({', '.join(arguments)})"


def _text(value: Any, variables: Iterator[str]) -> str:
    """Source text of a value, with a variable for each tensor."""
    if isinstance(value, Array):
        return next(variables, "...")
    if type(value) in (list, tuple):
        inside = ", ".join(_text(x, variables) for x in value)
        if len(inside) > 60:
            return "values"
        return f"[{inside}]" if type(value) is list else f"({inside}{',' * (len(value) == 1)})"
    if _is_dtype(value):
        return f"xp.{_PYTHON_DTYPES.get(value) or getattr(value, '__name__', None) or value.name}"
    if isinstance(value, _Code):
        return str(value)
    if _is_int(value):
        return str(int(value))
    return repr(value) if isinstance(value, (bool, float, complex, str, type(None))) else "..."
