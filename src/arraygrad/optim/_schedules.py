"""Learning rate schedules."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral
from typing import Any

from .._errors import as_int, as_number, describe
from .._modes import called_again
from ._optimizers import Optimizer


class LRScheduler:
    """Base class of the schedules; not for direct use.

    A schedule sets the learning rate of each parameter group as a function of its own step count
    and of the initial rate of the group. A step may be an epoch or a step of the optimiser. To set
    the rate by a custom function, use `LambdaLR`.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.

    Attributes
    ----------
    last_epoch : int
        Number of steps of the schedule so far.
    base_lrs : list of float
        Initial learning rate of each group.

    Raises
    ------
    TypeError
        If `optimizer` is not an optimiser.

    Notes
    -----
    An optimiser has one schedule. If something else has set the learning rates since the last step,
    `step` raises and does not overwrite them. Use `SequentialLR` for several schedules in turn.
    """

    _is_called_again = True

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
        """Learning rate of each group after `n` steps."""
        raise NotImplementedError

    def _set(self) -> None:
        self._last_lr = self._rates(self.last_epoch)
        for group, lr in zip(self.optimizer.param_groups, self._last_lr, strict=True):
            group["lr"] = lr

    def get_last_lr(self) -> list[float]:
        """Return the current learning rate of each group, as set by the schedule."""
        return list(self._last_lr)

    @called_again
    def step(self) -> None:
        """Advance the schedule by one step.

        Raises
        ------
        RuntimeError
            If the learning rates have been set otherwise since the last step.
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
        """Return the state of the schedule, for `load_state_dict`: a dict of numbers and lists."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Load the result of `state_dict`, and set the learning rates.

        Parameters
        ----------
        state_dict : dict
            State of a schedule of the same class with the same parameters, which are not part of
            the state.

        Raises
        ------
        ValueError
            If the state does not fit; nothing has been changed then.
        """
        own = self.state_dict()
        if not isinstance(state_dict, Mapping) or set(state_dict) != set(own):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: expected {', '.join(own)}; "
                f"got {describe(state_dict)}"
            )
        if len(state_dict["base_lrs"]) != len(self.optimizer.param_groups):
            raise ValueError(
                f"{type(self).__name__}.load_state_dict: expected a state of "
                f"{len(self.optimizer.param_groups)} groups of parameters; "
                f"got {len(state_dict['base_lrs'])}"
            )
        self._load(state_dict)
        for group, lr in zip(self.optimizer.param_groups, self.base_lrs, strict=True):
            group["initial_lr"] = lr
        self._set()

    def _load(self, state: Mapping[str, Any]) -> None:
        self.last_epoch = state["last_epoch"]
        self.base_lrs = list(state["base_lrs"])


class LambdaLR(LRScheduler):
    """Initial learning rate times a function of the step count.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    lr_lambda : callable or list of callable
        Function that maps the step count to a factor, or a list with a function for each group.

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
            raise TypeError(
                f"LambdaLR: lr_lambda must be a function or a list of functions; got {lr_lambda!r}"
            )
        self._functions = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self._functions) != groups:
            raise ValueError(
                f"LambdaLR: expected {groups} functions, one for each group of parameters; "
                f"got {len(self._functions)}"
            )
        super().__init__(optimizer)

    def _rates(self, step: int) -> list[float]:
        factors = [as_number("LambdaLR", "the factor", f(step)) for f in self._functions]
        return [lr * x for lr, x in zip(self.base_lrs, factors, strict=True)]


class _Factor(LRScheduler):
    """Base class of schedules with one factor for all groups."""

    def _factor(self, step: int) -> float:
        raise NotImplementedError

    def _rates(self, step: int) -> list[float]:
        factor = self._factor(step)
        return [lr * factor for lr in self.base_lrs]


class StepLR(_Factor):
    """Multiply the learning rate by `gamma` every `step_size` steps.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    step_size : int
        Number of steps between changes.
    gamma : float, optional
        Factor of the learning rate.

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
        self.gamma = as_number("StepLR", "gamma", gamma)
        super().__init__(optimizer)

    def _factor(self, step: int) -> float:
        return self.gamma ** (step // self.step_size)


class MultiStepLR(_Factor):
    """Multiply the learning rate by `gamma` at given step counts.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    milestones : sequence of int
        Step counts at which the rate changes.
    gamma : float, optional
        Factor of the learning rate.

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
        self.milestones = sorted(_milestones("MultiStepLR", milestones))
        self.gamma = as_number("MultiStepLR", "gamma", gamma)
        super().__init__(optimizer)

    def _factor(self, step: int) -> float:
        return self.gamma ** bisect_right(self.milestones, step)


class ExponentialLR(_Factor):
    """Multiply the learning rate by `gamma` every step.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    gamma : float
        Factor of the learning rate.

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
        self.gamma = as_number("ExponentialLR", "gamma", gamma)
        super().__init__(optimizer)

    def _factor(self, step: int) -> float:
        return self.gamma**step


class LinearLR(_Factor):
    """Linear change of a factor of the learning rate, for example as a warm-up.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    start_factor, end_factor : float, optional
        Factors of the initial learning rate at the start and at the end.
    total_iters : int, optional
        Number of steps until the end factor is reached; it is constant afterwards.

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
        start_factor = as_number("LinearLR", "start_factor", start_factor)
        end_factor = as_number("LinearLR", "end_factor", end_factor)
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
    """Cosine annealing: decrease the learning rate to `eta_min` along half a period of a cosine.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    T_max : int
        Number of steps until the minimum is reached. Further steps increase the rate again.
    eta_min : float, optional
        Minimum learning rate.

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
        self.eta_min = as_number("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer)

    def _rates(self, step: int) -> list[float]:
        part = (1 + math.cos(math.pi * step / self.T_max)) / 2
        return [self.eta_min + (lr - self.eta_min) * part for lr in self.base_lrs]


class OneCycleLR(LRScheduler):
    """One cycle: increase the learning rate to a maximum, and decrease it to almost nothing.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    max_lr : float or list of float
        Maximum of the learning rate, or a list with one for each group.
    total_steps : int, optional
        Number of steps of the cycle; by default ``epochs * steps_per_epoch``.
    epochs, steps_per_epoch : int, optional
        Numbers whose product is the number of steps.
    pct_start : float, optional
        Fraction of the cycle in which the rate increases.
    anneal_strategy : {"cos", "linear"}, optional
        Whether rates change along a cosine or linearly.
    cycle_momentum : bool, optional
        Whether to change the momentum, or the first of `betas`, in the opposite direction.
    base_momentum, max_momentum : float, optional
        Minimum and maximum of the momentum.
    div_factor : float, optional
        Maximum of the rate divided by the initial rate.
    final_div_factor : float, optional
        Initial rate divided by the last one.
    three_phase : bool, optional
        Whether the rate first decreases to the initial rate as fast as it has increased, and then
        to the final rate.

    Raises
    ------
    TypeError, ValueError
        If a parameter has the wrong type or is out of range, or `cycle_momentum` is on and the
        optimiser has no momentum.

    Notes
    -----
    A step is a step of the optimiser, not an epoch. `step` raises a ValueError at the end of the
    cycle. In a `SequentialLR` the momentum is not changed.

    References
    ----------
    L. N. Smith, N. Topin: Super-convergence: very fast training of neural networks using large
    learning rates. arXiv:1708.07120.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> optimizer = optim.SGD([xp.zeros(2)], lr=1.0, momentum=0.9)
    >>> schedule = optim.OneCycleLR(optimizer, max_lr=1.0, total_steps=5, pct_start=0.4)
    >>> for _ in range(5):
    ...     group = optimizer.param_groups[0]
    ...     print(round(group["lr"], 6), round(group["momentum"], 6))
    ...     if schedule.last_epoch < 4:
    ...         schedule.step()
    0.04 0.95
    1.0 0.85
    0.750001 0.875
    0.250003 0.925
    4e-06 0.95
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        name = "OneCycleLR"
        groups: list[dict[str, Any]] = getattr(optimizer, "param_groups", [])
        if total_steps is None:
            if epochs is None or steps_per_epoch is None:
                raise ValueError(
                    f"{name}: write total_steps, or epochs and steps_per_epoch; got "
                    f"epochs={epochs!r}, steps_per_epoch={steps_per_epoch!r}"
                )
            epochs = _at_least_one(name, "epochs", epochs)
            total_steps = epochs * _at_least_one(name, "steps_per_epoch", steps_per_epoch)
        self.total_steps = _at_least_one(name, "total_steps", total_steps)
        self.pct_start = as_number(name, "pct_start", pct_start)
        if not 0 <= self.pct_start <= 1:
            raise ValueError(f"{name}: pct_start must be in [0, 1]; got {pct_start!r}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"{name}: anneal_strategy must be 'cos' or 'linear'; got {anneal_strategy!r}"
            )
        self.anneal_strategy, self.three_phase = anneal_strategy, three_phase
        self.div_factor = as_number(name, "div_factor", div_factor)
        self.final_div_factor = as_number(name, "final_div_factor", final_div_factor)
        maxima: list[Any] = [max_lr] * len(groups)
        if isinstance(max_lr, (list, tuple)):
            maxima = list(max_lr)
        if len(maxima) != len(groups) and groups:
            raise ValueError(
                f"{name}: expected {len(groups)} maxima, one for each group of parameters; "
                f"got {len(maxima)}"
            )
        maxima = [as_number(name, "max_lr", lr) for lr in maxima]
        self.cycle_momentum = cycle_momentum
        self._momenta = tuple(
            as_number(name, argument, x)
            for argument, x in (("max_momentum", max_momentum), ("base_momentum", base_momentum))
        )
        defaults = getattr(optimizer, "defaults", {})
        if cycle_momentum and groups and "momentum" not in defaults and "betas" not in defaults:
            raise ValueError(
                f"{name}: {type(optimizer).__name__} has no momentum; write cycle_momentum=False"
            )
        for group, lr in zip(groups, maxima, strict=True):
            group["initial_lr"] = lr / self.div_factor
        super().__init__(optimizer)

    def _blend(self, step: int, values: tuple[float, float, float]) -> float:
        """Value at a step, from the values at the start, at the maximum and at the end."""
        if not 0 <= step < self.total_steps:
            raise ValueError(
                f"OneCycleLR.step: the cycle has {self.total_steps} steps; got step {step + 1}"
            )
        first, top, last = values
        rise = self.pct_start * self.total_steps - 1
        phases = [(rise, first, top)]
        if self.three_phase:
            phases += [(2 * self.pct_start * self.total_steps - 2, top, first)]
            phases += [(self.total_steps - 1, first, last)]
        else:
            phases += [(self.total_steps - 1, top, last)]
        start = 0.0
        while step > phases[0][0] and len(phases) > 1:
            start = phases.pop(0)[0]
        end, low, high = phases[0]
        part = (step - start) / (end - start) if end != start else 1.0
        if self.anneal_strategy == "linear":
            return low + (high - low) * part
        return high + (low - high) / 2 * (1 + math.cos(math.pi * part))

    def _rates(self, step: int) -> list[float]:
        return [
            self._blend(step, (lr, lr * self.div_factor, lr / self.final_div_factor))
            for lr in self.base_lrs
        ]

    def _set(self) -> None:
        super()._set()
        if not self.cycle_momentum:
            return
        high, low = self._momenta
        momentum = self._blend(self.last_epoch, (high, low, high))
        for group in self.optimizer.param_groups:
            if "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
            else:
                group["momentum"] = momentum

    @called_again
    def step(self) -> None:
        """Advance the schedule by one step.

        Raises
        ------
        ValueError
            At the end of the cycle; nothing has been changed then.
        RuntimeError
            If the learning rates have been set otherwise since the last step.
        """
        if self.last_epoch + 1 >= self.total_steps:
            raise ValueError(
                f"OneCycleLR.step: the cycle has {self.total_steps} steps, the last of which is "
                "done; make a new schedule"
            )
        super().step()


class SequentialLR(LRScheduler):
    """Run schedules one after the other.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    schedulers : sequence of LRScheduler
        Schedules of this optimiser. Each counts its steps from its own start. Only call `step` of
        the `SequentialLR`.
    milestones : sequence of int
        Step counts at which the second schedule starts, the third, and so on.

    Raises
    ------
    TypeError, ValueError
        If a schedule belongs to another optimiser, or the number of milestones is not one less than
        that of schedules.

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
        if not isinstance(schedulers, (list, tuple)):
            raise TypeError(
                f"SequentialLR: schedulers must be a list of schedules; got {describe(schedulers)}"
            )
        self._schedulers = list(schedulers)
        self.milestones = _milestones("SequentialLR", milestones)
        for s in self._schedulers:
            if not isinstance(s, LRScheduler) or s.optimizer is not optimizer:
                raise TypeError(
                    f"SequentialLR: schedulers must belong to this optimiser; got {describe(s)}"
                )
        if len(self.milestones) != len(self._schedulers) - 1 or self.milestones != sorted(
            self.milestones
        ):
            raise ValueError(
                f"SequentialLR: {len(self._schedulers)} schedules need "
                f"{len(self._schedulers) - 1} increasing milestones; got {self.milestones}"
            )
        super().__init__(optimizer)

    def _rates(self, step: int) -> list[float]:
        i = bisect_right(self.milestones, step)
        schedule = self._schedulers[i]
        schedule.base_lrs = self.base_lrs
        return schedule._rates(step - (self.milestones[i - 1] if i else 0))


class ReduceLROnPlateau(LRScheduler):
    """Multiply the learning rate by `factor` when a metric has stopped improving.

    Parameters
    ----------
    optimizer : Optimizer
        Optimiser whose learning rates are set.
    mode : {"min", "max"}, optional
        Whether to minimise or maximise the metric.
    factor : float, optional
        Factor of the learning rate.
    patience : int, optional
        Number of steps without improvement that are tolerated.
    threshold : float, optional
        Smallest change from the best value that counts as an improvement.
    threshold_mode : {"rel", "abs"}, optional
        Whether the threshold is relative to the best value, or absolute.
    cooldown : int, optional
        Number of steps after a change during which bad steps are not counted.
    min_lr : float, optional
        Minimum learning rate.
    eps : float, optional
        Changes of a learning rate up to this size are ignored.

    Raises
    ------
    TypeError, ValueError
        If `optimizer` is not an optimiser, or a parameter is unknown or out of range.

    Notes
    -----
    A first metric that is infinite or NaN counts as no improvement.

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
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"ReduceLROnPlateau: mode must be 'min' or 'max'; got {mode!r}")
        name = "ReduceLROnPlateau"
        factor = as_number(name, "factor", factor)
        if not 0 <= factor < 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be in [0, 1); got {factor!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(
                f"ReduceLROnPlateau: threshold_mode must be 'rel' or 'abs'; got {threshold_mode!r}"
            )
        self.mode, self.factor, self.threshold_mode = mode, factor, threshold_mode
        self.patience = as_int(name, "patience", patience)
        self.threshold = as_number(name, "threshold", threshold)
        self.cooldown = as_int(name, "cooldown", cooldown)
        self.min_lr, self.eps = as_number(name, "min_lr", min_lr), as_number(name, "eps", eps)
        self.best = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.reductions = 0
        super().__init__(optimizer)

    @called_again
    def step(self, metrics: Any) -> None:
        """Advance the schedule by one step.

        Parameters
        ----------
        metrics : float or Tensor
            Value of the metric. (The host waits for a GPU to read a tensor.)

        Raises
        ------
        TypeError
            If `metrics` is not a real number.
        RuntimeError
            If the learning rates have been set otherwise since the last step.
        """
        one = getattr(metrics, "size", 0) == 1 and not isinstance(metrics, type)
        value = metrics.item() if one else metrics
        value = as_number("ReduceLROnPlateau.step", "metrics", value)
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
        sign = 1 if self.mode == "min" else -1
        if self.threshold_mode == "abs":
            return sign * value < sign * self.best - self.threshold
        return sign * value < sign * self.best * (1 - sign * self.threshold)

    def _rates(self, step: int) -> list[float]:
        return [self._reduced(lr) for lr in self.base_lrs]

    def _reduced(self, lr: float) -> float:
        for _ in range(self.reductions):
            lower = max(lr * self.factor, self.min_lr)
            if not lr - lower > self.eps:
                break  # every further reduction would do the same
            lr = lower
        return lr

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the schedule, for `load_state_dict`: a dict of numbers and lists."""
        return super().state_dict() | {k: getattr(self, k) for k in _PLATEAU}

    def _load(self, state: Mapping[str, Any]) -> None:
        super()._load(state)
        for k in _PLATEAU:
            setattr(self, k, state[k])


_PLATEAU = ("best", "num_bad_epochs", "cooldown_counter", "reductions")


def _at_least_one(function: str, name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
        raise ValueError(f"{function}: {name} must be an int of at least 1; got {value!r}")
    return int(value)


def _milestones(function: str, milestones: Any) -> list[int]:
    try:
        milestones = iter(milestones)
    except TypeError as error:
        got = describe(milestones)
        raise TypeError(f"{function}: milestones must be ints; got {got}") from error
    return [as_int(function, "a milestone", m) for m in milestones]
