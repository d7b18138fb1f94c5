"""What is run on a GPU to see how: functions of tensors, and what else is called with them.

The cases of the gradient suite, functions with gradients that are not the standard's, and calls
without gradients; together all that is public.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np

import arraygrad as xp
from arraygrad import autodiff, fft, linalg, nn, optim, special
from conformance import gradient_cases
from conformance.gradient_cases import Case, distinct, given, normal, standard_names, within

# ---- functions with gradients, besides those of the gradient suite


def on_gpu(make: Callable[[], Any]) -> Callable[..., Any]:
    """A layer made on the GPU, once, when it is first called."""

    @cache
    def made() -> Any:
        with xp.default_device("cuda"):
            return make()

    return lambda *inputs: made()(*inputs)


IMAGES = normal(2, 3, 6, 6)


def classes(x: Any) -> Any:
    """A class for each row of `x`."""
    return gradient_cases.const(x, [2, 0, 1])


@cache
def generator() -> Any:
    """Of random numbers, on the GPU."""
    return xp.random.default_rng(0, device="cuda")


CROSS_ENTROPY = on_gpu(nn.CrossEntropyLoss)
EMBEDDING = on_gpu(lambda: nn.Embedding(4, 2))
NLL = on_gpu(nn.NLLLoss)
RECURRENT = {"LSTM": on_gpu(lambda: nn.LSTM(4, 3)), "GRU": on_gpu(lambda: nn.GRU(4, 3))}
ATTENTION = on_gpu(lambda: nn.MultiheadAttention(4, 2))


def differentiated(transformation: Any, x: Any) -> Any:
    """The sine under a transformation."""
    return transformation(xp.sin)(x)


#: name -> the function and what to draw its inputs from.
FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "einsum": (partial(xp.einsum, "ij,kj->ik"), normal(2, 3), normal(4, 3)),
    "median": (partial(xp.median, axis=1), distinct(3, 4)),
    "interp": (xp.interp, within(-1, 2, 4), given([-0.5, 0.1, 1.3]), normal(3)),
    "kron": (xp.kron, normal(2, 3), normal(2)),
    "outer": (xp.outer, normal(2, 3), normal(2)),
    "pad": (partial(xp.pad, pad_width=2, mode="reflect"), normal(3, 3)),
    "quantile": (partial(xp.quantile, axis=1), distinct(3, 4), within(0.1, 0.9, 2)),
    "split": (lambda x: tuple(xp.split(x, 2)), normal(4)),
    "trapezoid": (xp.trapezoid, normal(3, 4), distinct(4)),
    "transpose": (xp.transpose, normal(2, 3)),
    **{
        name: (partial(getattr(xp, name), axis=1), distinct(3, 4))
        for name in xp.__all__
        if name.startswith("nan") and name != "nan" and "arg" not in name
    },
    **{
        f"nn.{name}": (getattr(nn, name), normal(3, 4))
        for name in ("gelu", "relu", "sigmoid", "silu", "tanh")
    },
    **{
        f"nn.{name}": (partial(getattr(nn, name), axis=1), normal(3, 4))
        for name in ("softmax", "log_softmax")
    },
    **{f"nn.{name}": (getattr(nn, name), normal(3, 4), normal(3, 4)) for name in ("l1", "mse")},
    "nn.huber": (nn.huber, normal(3, 4), normal(3, 4)),
    "nn.binary_cross_entropy_with_logits": (
        nn.binary_cross_entropy_with_logits, normal(3, 4), within(0.1, 0.9, 3, 4),
    ),
    "nn.cross_entropy": (lambda x: nn.cross_entropy(x, classes(x)), normal(3, 4)),
    "nn.embedding": (lambda w: nn.embedding(classes(w), w), normal(4, 2)),
    "nn.linear": (nn.linear, normal(3, 4), normal(2, 4), normal(2)),
    "nn.layer_norm": (lambda x: nn.layer_norm(x, (4,)), normal(3, 4)),
    "nn.batch_norm": (lambda x: nn.batch_norm(x, None, None, training=True), IMAGES),
    "nn.dropout": (lambda x: nn.dropout(x, 0.5, rng=generator()), normal(3, 4)),
    "nn.conv2d": (nn.conv2d, IMAGES, normal(4, 3, 3, 3), normal(4)),
    "nn.max_pool2d": (partial(nn.max_pool2d, kernel_size=2), IMAGES),
    "nn.avg_pool2d": (partial(nn.avg_pool2d, kernel_size=2), IMAGES),
    **{
        f"nn.{kind.__name__}": (on_gpu(kind), normal(3, 4))
        for kind in (nn.GELU, nn.ReLU, nn.SiLU, nn.Sigmoid, nn.Tanh)
    },
    "nn.leaky_relu": (nn.leaky_relu, normal(3, 4)),
    "nn.elu": (nn.elu, normal(3, 4)),
    "nn.softplus": (nn.softplus, normal(3, 4)),
    "nn.group_norm": (lambda x: nn.group_norm(x, 3), IMAGES),
    "nn.conv1d": (nn.conv1d, normal(2, 3, 6), normal(4, 3, 3), normal(4)),
    "nn.conv_transpose2d": (nn.conv_transpose2d, IMAGES, normal(3, 4, 3, 3), normal(4)),
    "nn.adaptive_avg_pool2d": (lambda x: nn.adaptive_avg_pool2d(x, 4), IMAGES),
    "nn.nll": (lambda x: nn.nll(x, classes(x)), normal(3, 4)),
    "nn.binary_cross_entropy": (
        nn.binary_cross_entropy, within(0.1, 0.9, 3, 4), within(0.1, 0.9, 3, 4),
    ),
    "nn.kl_div": (nn.kl_div, normal(3, 4), within(0.1, 0.9, 3, 4)),
    "nn.scaled_dot_product_attention": (
        nn.scaled_dot_product_attention, normal(2, 3, 4), normal(2, 5, 4), normal(2, 5, 4),
    ),
    **{
        f"nn.{kind.__name__}": (on_gpu(kind), normal(3, 4))
        for kind in (nn.LeakyReLU, nn.ELU, nn.Softplus, nn.Identity)
    },
    "nn.GroupNorm": (on_gpu(lambda: nn.GroupNorm(3, 3)), IMAGES),
    "nn.Conv1d": (on_gpu(lambda: nn.Conv1d(3, 2, 3)), normal(2, 3, 6)),
    "nn.ConvTranspose2d": (on_gpu(lambda: nn.ConvTranspose2d(3, 2, 3)), IMAGES),
    "nn.AdaptiveAvgPool2d": (on_gpu(lambda: nn.AdaptiveAvgPool2d(4)), IMAGES),
    "nn.NLLLoss": (lambda x: NLL(x, classes(x)), normal(3, 4)),
    "nn.BCELoss": (on_gpu(nn.BCELoss), within(0.1, 0.9, 3, 4), within(0.1, 0.9, 3, 4)),
    "nn.KLDivLoss": (on_gpu(nn.KLDivLoss), normal(3, 4), within(0.1, 0.9, 3, 4)),
    "nn.LSTM": (lambda x: RECURRENT["LSTM"](x)[0], normal(5, 2, 4)),
    "nn.GRU": (lambda x: RECURRENT["GRU"](x)[0], normal(5, 2, 4)),
    "nn.MultiheadAttention": (lambda x: ATTENTION(x, x, x)[0], normal(3, 2, 4)),
    "nn.Softmax": (on_gpu(lambda: nn.Softmax(1)), normal(3, 4)),
    "nn.LogSoftmax": (on_gpu(lambda: nn.LogSoftmax(1)), normal(3, 4)),
    "nn.L1Loss": (on_gpu(nn.L1Loss), normal(3, 4), normal(3, 4)),
    "nn.MSELoss": (on_gpu(nn.MSELoss), normal(3, 4), normal(3, 4)),
    "nn.HuberLoss": (on_gpu(nn.HuberLoss), normal(3, 4), normal(3, 4)),
    "nn.BCEWithLogitsLoss": (on_gpu(nn.BCEWithLogitsLoss), normal(3, 4), within(0, 1, 3, 4)),
    "nn.CrossEntropyLoss": (
        lambda x: CROSS_ENTROPY(x, classes(x)), normal(3, 4),
    ),
    "nn.Embedding": (
        lambda x: x * EMBEDDING(classes(x)), normal(3, 2),
    ),
    "nn.Linear": (on_gpu(lambda: nn.Linear(4, 2)), normal(3, 4)),
    "nn.LayerNorm": (on_gpu(lambda: nn.LayerNorm(4)), normal(3, 4)),
    "nn.BatchNorm1d": (on_gpu(lambda: nn.BatchNorm1d(3)), normal(4, 3)),
    "nn.BatchNorm2d": (on_gpu(lambda: nn.BatchNorm2d(3)), IMAGES),
    "nn.BatchNorm3d": (on_gpu(lambda: nn.BatchNorm3d(3)), normal(2, 3, 2, 2, 2)),
    "nn.Dropout": (on_gpu(lambda: nn.Dropout(0.5)), normal(3, 4)),
    "nn.Conv2d": (on_gpu(lambda: nn.Conv2d(3, 2, 3)), IMAGES),
    "nn.MaxPool2d": (on_gpu(lambda: nn.MaxPool2d(2)), IMAGES),
    "nn.AvgPool2d": (on_gpu(lambda: nn.AvgPool2d(2)), IMAGES),
    "nn.Flatten": (on_gpu(nn.Flatten), IMAGES),
    "nn.Sequential": (
        on_gpu(lambda: nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))), normal(3, 4),
    ),
    **{
        f"autodiff.{name}": (partial(differentiated, getattr(autodiff, name)), normal())
        for name in ("grad", "value_and_grad", "hessian", "jacobian", "checkpoint")
    },
    "autodiff.stop_gradient": (lambda x: x * autodiff.stop_gradient(x), normal(3)),
    "autodiff.hvp": (lambda x: autodiff.hvp(xp.sin, (x,), (x,)), normal()),
    "autodiff.linearize": (lambda x: autodiff.linearize(xp.sin, x)[1](x), normal(3)),
    "autodiff.vjp": (lambda x: autodiff.vjp(xp.sin, x)[1](x), normal(3)),
    "autodiff.jvp": (lambda x: autodiff.jvp(xp.sin, (x,), (x,))[1], normal(3)),
}  # fmt: skip

EXTRA = [
    Case(name, "on a GPU", "f", function, builders)
    for name, (function, *builders) in FUNCTIONS.items()
]

# ---- what has no gradients


@cache
def numbers() -> Any:
    """A tensor on the GPU."""
    return xp.linspace(1.0, 2.0, 5, device="cuda")


def train(kind: Any, **options: Any) -> Callable[[], None]:
    """A step of training by an optimiser."""

    @cache
    def made() -> Any:
        weights = [autodiff.variable(xp.ones((3, 2), device="cuda")) for _ in range(2)]
        return weights, kind(weights, lr=0.01, **options)

    def step() -> None:
        weights, optimizer = made()
        optimizer.zero_grad(set_to_none=False)
        xp.sum((weights[0] * weights[1]) ** 2).backward()
        optim.clip_grad_norm_(weights, 1.0)
        optimizer.step()

    return step


def schedule(kind: Any, *args: Any, measure: Any = ()) -> Callable[[], None]:
    """A step of a schedule."""

    @cache
    def made() -> Any:
        optimizer = optim.SGD([autodiff.variable(xp.ones(2, device="cuda"))], lr=0.1)
        if kind is optim.SequentialLR:
            parts = [optim.ExponentialLR(optimizer, 0.9), optim.ExponentialLR(optimizer, 0.8)]
            return kind(optimizer, parts, [2])
        return kind(optimizer, *args)

    return lambda: made().step(*measure)


def drawn(name: str, *args: Any, **kwargs: Any) -> Callable[[], Any]:
    """Numbers of the generator on the GPU."""
    return lambda: getattr(generator(), name)(*args, **kwargs)


def initial(function: Any) -> Callable[[], Any]:
    """Initial values by the generator on the GPU."""
    return lambda: function((3, 4), rng=generator())


OTHERS: dict[str, Callable[[], Any]] = {
    "arange": partial(xp.arange, 0, 5, 0.5),
    "empty": partial(xp.empty, (2, 3)),
    "eye": partial(xp.eye, 3, k=1),
    "linspace": partial(xp.linspace, 0, 1, 5),
    "logspace": partial(xp.logspace, 0, 1, 5),
    "ones": partial(xp.ones, (2, 3)),
    "zeros": partial(xp.zeros, (2, 3)),
    "asarray of a number": partial(xp.asarray, 3.5),
    "full": partial(xp.full, (2, 3), -0.0),
    "from_dlpack": lambda: xp.from_dlpack(numbers()),
    "nextafter": lambda: xp.nextafter(numbers(), 1.0),
    "fft.fftfreq": partial(fft.fftfreq, 6),
    "fft.rfftfreq": partial(fft.rfftfreq, 6),
    "special.zetac": lambda: special.zetac(numbers()),
    "random.default_rng": partial(xp.random.default_rng, 0),
    "random.Generator": drawn("random", 5),
    "Generator.spawn": drawn("spawn", 2),
    **{
        f"Generator.{name}": drawn(name, size=5)
        for name in (
            "random", "standard_normal", "standard_exponential", "normal", "uniform", "exponential",
        )
    },
    "Generator.integers": drawn("integers", -3, 9, 5),
    "Generator.permutation": drawn("permutation", 7),
    "Generator.permutation of a tensor": lambda: generator().permutation(numbers()),
    "Generator.shuffle": lambda: generator().shuffle(xp.ones(5)),
    "Generator.choice": drawn("choice", 10, 3),
    "Generator.choice without replacement": drawn("choice", 10, 3, replace=False),
    **{
        f"nn.{name}": initial(getattr(nn, name))
        for name in ("kaiming_normal", "kaiming_uniform", "xavier_normal", "xavier_uniform")
    },
    "optim.clip_grad_value_": lambda: optim.clip_grad_value_([numbers() + 1], 1.5),
    "optim.SGD": train(optim.SGD, momentum=0.9, nesterov=True, weight_decay=0.1),
    "optim.Adam": train(optim.Adam, amsgrad=True),
    "optim.Adam with capturable": train(optim.Adam, capturable=True),
    "optim.AdamW": train(optim.AdamW),
    "optim.RMSprop": train(optim.RMSprop, momentum=0.9, centered=True),
    "optim.CosineAnnealingLR": schedule(optim.CosineAnnealingLR, 10),
    "optim.ExponentialLR": schedule(optim.ExponentialLR, 0.9),
    "optim.LambdaLR": schedule(optim.LambdaLR, lambda epoch: 0.9**epoch),
    "optim.LinearLR": schedule(optim.LinearLR),
    "optim.MultiStepLR": schedule(optim.MultiStepLR, [3]),
    "optim.ReduceLROnPlateau of a number": schedule(optim.ReduceLROnPlateau, measure=(0.5,)),
    "optim.SequentialLR": schedule(optim.SequentialLR),
    "optim.OneCycleLR": schedule(optim.OneCycleLR, 0.1, 10),
    "optim.StepLR": schedule(optim.StepLR, 3),
    "a loss, backwards": lambda: autodiff.variable(numbers()[0]).backward(),
    "copy.copy": lambda: numbers().__copy__(),
    "copy.deepcopy": lambda: numbers().__deepcopy__({}),
}  # fmt: skip

#: Public names that do nothing with the elements of tensors on a GPU.
WITHOUT_TENSORS = set(
    "__array_namespace_info__ Device DeviceMismatchError Tensor TransferError broadcast_shapes "
    "can_cast compile default_device default_dtype finfo from_numpy get_num_threads iinfo isdtype "
    "map_location result_type set_num_threads show_config strict "
    "nn.LoadResult nn.Module nn.calculate_gain nn.summary optim.LRScheduler optim.Optimizer "
    "autodiff.NotDifferentiableError autodiff.custom_jvp autodiff.custom_vjp "
    "autodiff.enable_grad autodiff.is_recomputing autodiff.is_traced autodiff.no_grad "
    "autodiff.variable Generator.device".split()
)


def is_dtype(x: Any) -> bool:
    """Whether it is one of the standard's dtypes."""
    return isinstance(x, type) and issubclass(x, np.generic)


def public() -> set[str]:
    """The names of everything that users call with tensors."""
    modules = {
        "": xp, "linalg.": linalg, "fft.": fft, "special.": special, "nn.": nn, "optim.": optim,
        "random.": xp.random, "autodiff.": autodiff,
    }  # fmt: skip
    names = {
        prefix + name
        for prefix, module in modules.items()
        for name in module.__all__
        if callable(getattr(module, name)) and not is_dtype(getattr(module, name))
    }
    names |= {f"Generator.{name}" for name in vars(xp.random.Generator) if name[0] != "_"}
    return names | set(standard_names())
