"""RMSprop optimiser."""

from __future__ import annotations

from typing import Any, ClassVar

from .._creation import zeros_like
from .._tensor import Tensor
from ._optimizers import Group, Optimizer, Plan, _direction


class RMSprop(Optimizer):
    """RMSprop: steps divided by the root of a running mean of the squared gradient.

    Parameters
    ----------
    params : iterable of Tensor, containers of Tensors, or list of dict
        Parameters to optimise; see `Optimizer`.
    lr : float, optional
        Learning rate: the approximate step size of each element.
    alpha : float, optional
        Decay factor of the running mean.
    eps : float, optional
        Number added to the denominator for numerical stability.
    weight_decay : float, optional
        Factor of the parameters that is added to the gradient (L2 penalty).
    momentum : float, optional
        Momentum factor.
    centered : bool, optional
        Whether to divide by the root of the variance, the mean of squares minus the square of the
        mean.
    maximize : bool, optional
        Whether to maximise instead of minimise.

    Raises
    ------
    TypeError, ValueError
        See `Optimizer`.

    Notes
    -----
    The update is PyTorch's, after [1]_; `centered` is from [2]_. Complex parameters are treated as
    pairs of real ones.

    References
    ----------
    .. [1] Tieleman, Hinton: Lecture 6.5, rmsprop. COURSERA: Neural networks for machine learning,
       2012.
    .. [2] Graves: Generating sequences with recurrent neural networks. arXiv:1308.0850.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import optim
    >>> w = xp.asarray([3.0, -2.0]).requires_grad_()
    >>> optimizer = optim.RMSprop([w], lr=0.01)
    >>> for _ in range(600):
    ...     optimizer.zero_grad()
    ...     xp.sum(w**2).backward()
    ...     optimizer.step()
    >>> bool(xp.max(xp.abs(w)) < 0.02)
    True
    """

    _ranges: ClassVar[dict[str, tuple[float, float]]] = {**Optimizer._ranges, "alpha": (0, 1)}
    _state_spec: ClassVar[dict[str, type]] = {
        "square_avg": Tensor,
        "grad_avg": Tensor,
        "momentum_buffer": Tensor,
    }
    _optional: ClassVar[frozenset[str]] = frozenset({"grad_avg", "momentum_buffer"})

    def __init__(
        self,
        params: Any,
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
                "maximize": maximize,
            },
        )

    def _update(self, group: Group, state: dict[str, Any], p: Tensor, g: Tensor) -> Plan:
        lr, alpha, eps = group["lr"], group["alpha"], group["eps"]
        momentum, centered = group["momentum"], group["centered"]
        names = ["square_avg"]
        if centered:
            names.append("grad_avg")
        if momentum:
            names.append("momentum_buffer")
        for name in names:
            if name not in state:
                state[name] = zeros_like(p)
        direction, n_workspaces = _direction(group)

        def update(store: Any, p: Any, g: Any, v: Any, *rest: Any) -> None:
            u = rest[-1]
            g = direction(store, p, g, rest[-n_workspaces])
            store(u, "multiply", g, g)
            u *= 1 - alpha
            v *= alpha
            v += u
            if centered:
                m = rest[0]
                store(u, "multiply", g, 1 - alpha)
                m *= alpha
                m += u
                store(u, "multiply", m, m)
                store(u, "subtract", v, u)
                store(u, "sqrt", u)
            else:
                store(u, "sqrt", v)
            u += eps
            store(u, "divide", g, u)
            if momentum:
                b = rest[centered]
                b *= momentum
                b += u
                store(u, "multiply", b, lr)
            else:
                u *= lr
            p -= u

        return update, [p, g, *(state[name] for name in names)], n_workspaces
