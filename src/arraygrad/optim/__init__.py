"""Training: optimisers, learning rate schedules, gradient clipping and SciPy's minimisers.

Names, defaults and updates are PyTorch's. See `docs/optim.md`.
"""

from .. import _hints
from ._clip import clip_grad_norm_, clip_grad_value_
from ._minimize import minimize
from ._optimizers import SGD, Adam, AdamW, Optimizer
from ._rmsprop import RMSprop
from ._schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

_hints.install(__name__, _hints.OPTIM)

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "CosineAnnealingLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "Optimizer",
    "RMSprop",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
    "clip_grad_norm_",
    "clip_grad_value_",
    "minimize",
]
