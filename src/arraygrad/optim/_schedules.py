"""Learning rates that follow a schedule."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._errors import describe
from .._tensor import Tensor
from ._optimizers import Optimizer


class LRScheduler:
    """What the schedules share; not for use by itself.

    A schedule gives the learning rate of each group of parameters as a function of the number of
    its own steps and of the rate that the group had at first. A step is what you count: an epoch,
    or a step of the optimiser. To change the rate by a function of your own, use `LambdaLR`.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.

    Attributes
    ----------
    last_epoch : int
        How many steps the schedule has made.
    base_lrs : list of float
        The learning rate that each group had at first.

    Raises
    ------
    TypeError
        If `optimizer` is none.

    Notes
    -----
    An optimiser follows one schedule. If something else has set its learning rates since the last
    step, `step` raises, for it would undo that; several schedules in turn are a `SequentialLR`.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: expected an optimiser; got {describe(optimizer)}")
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0
        self._set()

    def _rates(self, step: int) -> list[float]:
        """The learning rate of each group after so many steps."""
        raise NotImplementedError

    def _set(self) -> None:
        self._last_lr = self._rates(self.last_epoch)
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = lr

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group, as the schedule has set it."""
        return list(self._last_lr)

    def step(self) -> None:
        """Go on by one step.

        Raises
        ------
        RuntimeError
            If something else has set the learning rates since the last step.
        """
        now = [group["lr"] for group in self.optimizer.param_groups]
        if now != self._last_lr:
            raise RuntimeError(
                f"{type(self).__name__}.step: the learning rates are {now}, but this schedule has "
                f"set {self._last_lr}; to combine schedules use SequentialLR or LambdaLR, and load "
                "the state of a schedule together with that of its optimiser"
            )
        self.last_epoch += 1
        self._set()

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs: numbers and lists."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave, and set the learning rates.

        Parameters
        ----------
        state_dict : dict
            Of a schedule of the same class and parameters, which are no part of it.

        Raises
        ------
        ValueError
            If it does not fit; nothing has been changed then.
        """
        own = self.state_dict()
        if not isinstance(state_dict, Mapping) or set(state_dict) != set(own):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: expected {', '.join(own)}; "
                f"got {describe(state_dict)}"
            )
        if len(state_dict["base_lrs"]) != len(self.optimizer.param_groups):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: the state is of "
                f"{len(state_dict['base_lrs'])} groups of parameters, "
                f"not {len(self.optimizer.param_groups)}"
            )
        self._load(state_dict)
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["initial_lr"] = lr
        self._set()

    def _load(self, state: Mapping[str, Any]) -> None:
        self.last_epoch = state["last_epoch"]
        self.base_lrs = list(state["base_lrs"])


class LambdaLR(LRScheduler):
    """The first learning rate times a function of the number of steps.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    lr_lambda : callable or list of callable
        Takes the number of steps, gives the factor. A list has one for each group.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> optimizer = optim.SGD([xp.zeros(2)], lr=0.1)
    >>> schedule = optim.LambdaLR(optimizer, lambda step: 0.5**step)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.05]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
    ) -> None:
        groups = len(getattr(optimizer, "param_groups", ()))
        if not callable(lr_lambda) and not isinstance(lr_lambda, (list, tuple)):
            raise TypeError(f"LambdaLR: lr_lambda must be a function or several; got {lr_lambda!r}")
        self._functions = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self._functions) != groups:
            raise ValueError(
                f"LambdaLR: there are {groups} groups of parameters, "
                f"but {len(self._functions)} functions"
            )
        super().__init__(optimizer)

    def _rates(self, step: int) -> list[float]:
        return [lr * f(step) for lr, f in zip(self.base_lrs, self._functions, strict=True)]


class _Factor(LRScheduler):
    """Schedules of one factor for all groups."""

    def _factor(self, step: int) -> float:
        raise NotImplementedError

    def _rates(self, step: int) -> list[float]:
        factor = self._factor(step)
        return [lr * factor for lr in self.base_lrs]


class StepLR(_Factor):
    """The learning rate times `gamma`, every `step_size` steps.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    step_size : int
        After how many steps.
    gamma : float, optional
        The factor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> schedule = optim.StepLR(optim.SGD([xp.zeros(2)], lr=1.0), step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = _at_least_one("StepLR", "step_size", step_size)
        self.gamma = gamma
        super().__init__(optimizer)

    def _factor(self, step: int) -> float:
        return self.gamma ** (step // self.step_size)


class MultiStepLR(_Factor):
    """The learning rate times `gamma`, at given numbers of steps.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    milestones : sequence of int
        The numbers of steps.
    gamma : float, optional
        The factor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> schedule = optim.MultiStepLR(optim.SGD([xp.zeros(2)], lr=1.0), [1, 3], gamma=0.5)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.25]
    """

    def __init__(self, optimizer: Optimizer, milestones: Sequence[int], gamma: float = 0.1) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer)

    def _factor(self, step: int) -> float:
        return self.gamma ** bisect_right(self.milestones, step)


class ExponentialLR(_Factor):
    """The learning rate times `gamma`, every step.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    gamma : float
        The factor.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> schedule = optim.ExponentialLR(optim.SGD([xp.zeros(2)], lr=1.0), gamma=0.5)
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.5]
    """

    def __init__(self, optimizer: Optimizer, gamma: float) -> None:
        self.gamma = gamma
        super().__init__(optimizer)

    def _factor(self, step: int) -> float:
        return self.gamma**step


class LinearLR(_Factor):
    """A factor that goes evenly from one number to another: warming up.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    start_factor, end_factor : float, optional
        The factors of the first learning rate at the beginning and at the end.
    total_iters : int, optional
        After how many steps the end is reached; then it stays.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> optimizer = optim.SGD([xp.zeros(2)], lr=1.0)
    >>> schedule = optim.LinearLR(optimizer, start_factor=0.5, total_iters=4)
    >>> schedule.get_last_lr()
    [0.5]
    >>> schedule.step()
    >>> schedule.get_last_lr()
    [0.625]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        if not 0 < start_factor <= 1 or not 0 <= end_factor <= 1:
            raise ValueError(
                "LinearLR: start_factor must be in (0, 1] and end_factor in [0, 1]; "
                f"got {start_factor!r}, {end_factor!r}"
            )
        self.start_factor, self.end_factor = start_factor, end_factor
        self.total_iters = _at_least_one("LinearLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def _factor(self, step: int) -> float:
        done = min(step, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done


class CosineAnnealingLR(LRScheduler):
    """The learning rate falls to `eta_min` as half a period of the cosine does.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    T_max : int
        After how many steps the end is reached. Further steps go up again.
    eta_min : float, optional
        The learning rate at the end.

    References
    ----------
    .. [1] Loshchilov, Hutter: SGDR: Stochastic gradient descent with warm restarts. ICLR 2017.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> schedule = optim.CosineAnnealingLR(optim.SGD([xp.zeros(2)], lr=1.0), T_max=4)
    >>> for _ in range(4):
    ...     schedule.step()
    >>> schedule.get_last_lr()
    [0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = _at_least_one("CosineAnnealingLR", "T_max", T_max)
        self.eta_min = eta_min
        super().__init__(optimizer)

    def _rates(self, step: int) -> list[float]:
        part = (1 + math.cos(math.pi * step / self.T_max)) / 2
        return [self.eta_min + (lr - self.eta_min) * part for lr in self.base_lrs]


class SequentialLR(LRScheduler):
    """One schedule after the other.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    schedulers : sequence of LRScheduler
        Schedules of this optimiser. Each counts its steps from its own beginning, and only this
        one is to be stepped.
    milestones : sequence of int
        At which numbers of steps the second begins, the third, and so on.

    Raises
    ------
    TypeError, ValueError
        If the schedules are of another optimiser or none, and if there is not one milestone less.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> optimizer = optim.SGD([xp.zeros(2)], lr=1.0)
    >>> warm_up = optim.LinearLR(optimizer, start_factor=0.5, total_iters=2)
    >>> fall = optim.ExponentialLR(optimizer, gamma=0.9)
    >>> schedule = optim.SequentialLR(optimizer, [warm_up, fall], milestones=[2])
    >>> for _ in range(4):
    ...     print(schedule.get_last_lr())
    ...     schedule.step()
    [0.5]
    [0.75]
    [1.0]
    [0.9]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: Sequence[LRScheduler],
        milestones: Sequence[int],
    ) -> None:
        self._schedulers, self.milestones = list(schedulers), list(milestones)
        for s in self._schedulers:
            if not isinstance(s, LRScheduler) or s.optimizer is not optimizer:
                raise TypeError(
                    f"SequentialLR: schedulers must be of this optimiser; got {describe(s)}"
                )
        if len(self.milestones) != len(self._schedulers) - 1 or self.milestones != sorted(
            self.milestones
        ):
            raise ValueError(
                f"SequentialLR: {len(self._schedulers)} schedules need "
                f"{len(self._schedulers) - 1} milestones that rise; got {self.milestones}"
            )
        super().__init__(optimizer)

    def _rates(self, step: int) -> list[float]:
        i = bisect_right(self.milestones, step)
        schedule = self._schedulers[i]
        schedule.base_lrs = self.base_lrs
        return schedule._rates(step - (self.milestones[i - 1] if i else 0))


class ReduceLROnPlateau(LRScheduler):
    """The learning rate times `factor` when a measure has not improved for some time.

    Parameters
    ----------
    optimizer : Optimizer
        Whose learning rates to set.
    mode : {"min", "max"}, optional
        Whether the measure is to become small or large.
    factor : float, optional
        The factor.
    patience : int, optional
        How many steps without improvement are let pass.
    threshold : float, optional
        By which part of the best measure another one must be better to count.
    cooldown : int, optional
        For how many steps after a change none is counted.
    min_lr : float, optional
        The least learning rate.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> optimizer = optim.SGD([xp.zeros(2)], lr=1.0)
    >>> schedule = optim.ReduceLROnPlateau(optimizer, patience=1)
    >>> for loss in (3.0, 2.0, 2.0, 2.0):
    ...     schedule.step(loss)
    >>> schedule.get_last_lr()
    [0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode must be 'min' or 'max'; got {mode!r}")
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be in [0, 1); got {factor!r}")
        self.mode, self.factor, self.patience = mode, factor, patience
        self.threshold, self.cooldown, self.min_lr = threshold, cooldown, min_lr
        self.best: float | None = None
        self.num_bad_epochs = self.cooldown_counter = self.reductions = 0
        super().__init__(optimizer)

    def step(self, metrics: Any) -> None:  # type: ignore[override]  # (as PyTorch's does)
        """Go on by one step.

        Parameters
        ----------
        metrics : float or Tensor
            The measure. (Of a tensor the value is read; the host waits for a GPU.)

        Raises
        ------
        RuntimeError
            If something else has set the learning rates since the last step.
        """
        value = float(metrics.item() if isinstance(metrics, Tensor) else metrics)
        if self._is_better(value):
            self.best, self.num_bad_epochs = value, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.reductions += 1
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0
        super().step()

    def _is_better(self, value: float) -> bool:
        if self.best is None:
            return value == value
        if self.mode == "min":
            return value < self.best * (1 - self.threshold)
        return value > self.best * (1 + self.threshold)

    def _rates(self, step: int) -> list[float]:
        factor = self.factor**self.reductions
        return [min(lr, max(lr * factor, self.min_lr)) for lr in self.base_lrs]

    def state_dict(self) -> dict[str, Any]:
        """What `load_state_dict` needs: numbers and lists."""
        return super().state_dict() | {k: getattr(self, k) for k in _PLATEAU}

    def _load(self, state: Mapping[str, Any]) -> None:
        super()._load(state)
        for k in _PLATEAU:
            setattr(self, k, state[k])


_PLATEAU = ("best", "num_bad_epochs", "cooldown_counter", "reductions")


def _at_least_one(function: str, name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{function}: {name} must be an int of at least 1; got {value!r}")
    return value
