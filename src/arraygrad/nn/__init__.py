"""Neural networks: layers, activations, losses and parameter initialisation, on any device.

The package uses only the public namespace and `autodiff`. Names, parameter shapes and defaults are
PyTorch's; see `docs/nn.md`.
"""

from .. import _hints
from ._activations import (
    GELU,
    LogSoftmax,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Tanh,
    gelu,
    log_softmax,
    relu,
    sigmoid,
    silu,
    softmax,
    tanh,
)
from ._conv_pool import avg_pool2d, conv2d, max_pool2d
from ._files import load, save
from ._init import (
    calculate_gain,
    kaiming_normal,
    kaiming_uniform,
    xavier_normal,
    xavier_uniform,
)
from ._layers import (
    AvgPool2d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Embedding,
    Flatten,
    LayerNorm,
    Linear,
    MaxPool2d,
    Sequential,
    batch_norm,
    dropout,
    embedding,
    layer_norm,
    linear,
)
from ._losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    L1Loss,
    MSELoss,
    binary_cross_entropy_with_logits,
    cross_entropy,
    huber,
    l1,
    mse,
)
from ._module import LoadResult, Module

_hints.install(__name__, _hints.NN)

__all__ = [
    "GELU",
    "AvgPool2d",
    "BCEWithLogitsLoss",
    "BatchNorm2d",
    "Conv2d",
    "CrossEntropyLoss",
    "Dropout",
    "Embedding",
    "Flatten",
    "HuberLoss",
    "L1Loss",
    "LayerNorm",
    "Linear",
    "LoadResult",
    "LogSoftmax",
    "MSELoss",
    "MaxPool2d",
    "Module",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Tanh",
    "avg_pool2d",
    "batch_norm",
    "binary_cross_entropy_with_logits",
    "calculate_gain",
    "conv2d",
    "cross_entropy",
    "dropout",
    "embedding",
    "gelu",
    "huber",
    "kaiming_normal",
    "kaiming_uniform",
    "l1",
    "layer_norm",
    "linear",
    "load",
    "log_softmax",
    "max_pool2d",
    "mse",
    "relu",
    "save",
    "sigmoid",
    "silu",
    "softmax",
    "tanh",
    "xavier_normal",
    "xavier_uniform",
]
