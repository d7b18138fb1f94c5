"""Recurrent layers, which read sequences step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from .._creation import _shape, zeros, zeros_like
from .._data_type import astype, result_type
from .._errors import describe
from .._linear_algebra import matrix_transpose
from .._manipulation import (
    concat,
    expand_dims,
    flip,
    permute_dims,
    reshape,
    squeeze,
    stack,
    unstack,
)
from .._statistical import sum as total
from .._typing import DeviceLike, DType, Tensor
from ..autodiff import custom_vjp
from ..random import Generator, default_rng
from ._activations import sigmoid, tanh
from ._checks import as_real, warn_of_promotion
from ._layers import _probability, _uniform, dropout, linear
from ._module import Module


class Recurrent(Module):
    """Base class of the recurrent layers. A step has `_gates` linear maps; `_steps` are all."""

    _gates: ClassVar[int]
    _states: ClassVar[int]  # number of states that a step passes on
    _adds_maps: ClassVar[bool]  # whether a step needs only the sums of its linear maps

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        name = type(self).__name__
        input_size, hidden_size, num_layers = _shape((input_size, hidden_size, num_layers), name)
        if not hidden_size or not num_layers:
            raise ValueError(
                f"{name}: hidden_size and num_layers must be at least 1; got {hidden_size} and "
                f"{num_layers}"
            )
        rng = default_rng(rng, device=device)
        self.input_size, self.hidden_size, self.num_layers = input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.bidirectional = bias, batch_first, bidirectional
        self.dropout = _probability(name, dropout)
        self.rng = rng if self.dropout else None
        rows = self._gates * hidden_size
        for layer in range(num_layers):
            columns = hidden_size * len(self._directions) if layer else input_size
            for direction in self._directions:
                shapes: dict[str, tuple[int, ...]] = {
                    "weight_ih": (rows, columns),
                    "weight_hh": (rows, hidden_size),
                }
                if bias:
                    shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
                for part, shape in shapes.items():
                    parameter = _uniform(shape, hidden_size, rng, dtype)
                    setattr(self, f"{part}_l{layer}{direction}", parameter)

    @property
    def _directions(self) -> tuple[str, ...]:
        return ("", "_reverse") if self.bidirectional else ("",)

    def _run(self, x: Tensor, given: Sequence[Tensor] | None) -> tuple[Tensor, list[Tensor]]:
        """The results of the last layer, and the last states of all layers."""
        name = type(self).__name__
        x = as_real(name, x)
        weight: Tensor = getattr(self, "weight_ih_l0")  # noqa: B009  (checkers do not know it)
        warn_of_promotion(name, x, weight)
        if x.ndim not in (2, 3) or x.shape[-1] != self.input_size:
            batch = "(n, length, {0})" if self.batch_first else "(length, n, {0})"
            raise ValueError(
                f"{name}: x must have shape {batch} or (length, {{0}})".format(self.input_size)
                + f"; got {x.shape}"
            )
        single = x.ndim == 2
        if single:
            x = expand_dims(x, axis=1)
        elif self.batch_first:
            x = permute_dims(x, (1, 0, 2))
        if not x.shape[0]:
            raise ValueError(f"{name}: a sequence must have at least one step; got {x.shape}")
        shape = (self.num_layers * len(self._directions), x.shape[1], self.hidden_size)
        if given is None:
            dtype = result_type(x.dtype, weight.dtype)
            given = [zeros(shape, dtype=dtype, device=x.device)] * self._states
        else:
            expected = (shape[0], shape[2]) if single else shape
            for h in given:
                if not isinstance(h, Tensor) or h.shape != expected:
                    raise ValueError(f"{name}: hx must have shape {expected}; got {describe(h)}")
            if single:
                given = [expand_dims(h, axis=1) for h in given]
        starts = list(zip(*map(unstack, given), strict=True))
        ends: list[tuple[Tensor, ...]] = []
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                x = dropout(x, self.dropout, rng=self.rng)
            outputs = []
            for direction in self._directions:
                y, end = self._scan(x, starts[len(ends)], f"_l{layer}{direction}")
                outputs.append(y)
                ends.append(end)
            x = outputs[0] if len(outputs) == 1 else concat(outputs, axis=-1)
        last = [stack(parts) for parts in zip(*ends, strict=True)]
        if single:
            return squeeze(x, axis=1), [squeeze(h, axis=1) for h in last]
        return permute_dims(x, (1, 0, 2)) if self.batch_first else x, last

    def _scan(
        self, x: Tensor, state: tuple[Tensor, ...], suffix: str
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run all steps of one direction of one layer."""
        w_x, w_h = getattr(self, f"weight_ih{suffix}"), getattr(self, f"weight_hh{suffix}")
        b_x, b_h = (getattr(self, f"bias_{k}{suffix}", None) for k in ("ih", "hh"))
        if b_x is not None and self._adds_maps:
            b_x, b_h = b_x + b_h, None
        shape = (*x.shape[:2], self._gates, self.hidden_size)
        x = reshape(linear(x, w_x, b_x), shape)  # one product for all steps
        if not suffix.endswith("_reverse"):
            return self._steps(x, w_h, b_h, state)
        y, state = self._steps(flip(x, axis=0), w_h, b_h, state)
        return flip(y, axis=0), state

    def _steps(
        self, x: Tensor, w_h: Tensor, b_h: Tensor | None, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run all steps, given the maps of the input and the parameters of those of the state."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Sizes of the layer, for its text."""
        options = {
            "num_layers": (self.num_layers, 1), "bias": (self.bias, True),
            "batch_first": (self.batch_first, False), "dropout": (self.dropout, 0.0),
            "bidirectional": (self.bidirectional, False),
        }  # fmt: skip
        own = [f"{name}={x}" for name, (x, default) in options.items() if x != default]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *own])


# All steps have one rule: the rules of their many small operations would take longer than the
# arithmetic, and the gradient of the weight is one product for all steps. The rules get maps of
# the input of shape (length, n, gates, size). All operands have one dtype.


def _run_steps(rule: Any, forward: Any, *operands: Tensor) -> Any:
    """The result of a function and its rule, for operands of any dtypes."""
    dtype = result_type(*operands)
    operands = tuple([astype(p, dtype, copy=False) for p in operands])
    pushed = any(p._trace is not None and p._trace.level.forward for p in operands)
    # (In forward mode the rule would be transposed, which takes longer than the operations.)
    return forward(*operands)[0] if pushed else rule(*operands)


def _transposed(weight: Tensor) -> Tensor:
    """A copy with neighbouring rows in memory, for which products are faster than for a view."""
    return reshape(reshape(matrix_transpose(weight), (-1,)), weight.shape[::-1])


def _of_weight(maps: Tensor, states: Tensor) -> Tensor:
    """The cotangent of the weight, from those of its maps and the states."""
    length, n, gates, size = maps.shape
    maps, states = reshape(maps, (length * n, gates * size)), reshape(states, (length * n, size))
    return matrix_transpose(maps) @ states


@custom_vjp
def lstm(x: Tensor, weight: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """The hidden states of an LSTM at all steps, and the last cells."""
    return _lstm(x, weight, h, c)[0]


def _lstm(
    x: Tensor, weight: Tensor, h: Tensor, c: Tensor
) -> tuple[tuple[Tensor, Tensor], tuple[Any, ...]]:
    transpose = _transposed(weight)
    states, cells, logistic, news = [h], [c], list[Tensor](), list[Tensor]()
    for step in unstack(x):
        gates = step + reshape(h @ transpose, step.shape)
        s, g = sigmoid(gates), tanh(gates[:, 2, :])  # (one call takes less time than three)
        i, f, _, o = unstack(s, axis=1)
        c = f * c + i * g
        h = o * tanh(c)
        for values, value in ((states, h), (cells, c), (logistic, s), (news, g)):
            values.append(value)
    return (stack(states[1:]), c), (weight, states, cells, logistic, news)


def _lstm_back(residuals: Any, cotangents: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    weight, *others = residuals
    states, cells, s, g = map(stack, others)
    # What a step multiplies by the cotangents of its state and of its cell, for all steps.
    squashed, slope = tanh(cells[1:, ...]), s * (1 - s)
    i, f, _, o = unstack(s, axis=2)
    of_i, of_f, _, of_o = unstack(slope, axis=2)
    of_cell = stack([g * of_i, cells[:-1, ...] * of_f, i * (1 - g * g)], axis=2)
    factors = (o * (1 - squashed * squashed), of_cell, squashed * of_o, f)
    steps = zip(*map(unstack, (cotangents[0], *factors)), strict=True)
    h, c, maps = zeros_like(cotangents[1]), cotangents[1], []
    for t, to_cell, of_c, of_h, forget in reversed(list(steps)):
        h = h + t
        c = c + h * to_cell
        parts = [expand_dims(c, axis=1) * of_c, expand_dims(h * of_h, axis=1)]
        maps.append(concat(parts, axis=1))
        h = reshape(maps[-1], (c.shape[0], weight.shape[0])) @ weight
        c = c * forget
    of_x = stack(maps[::-1])
    return of_x, _of_weight(of_x, states[:-1, ...]), h, c


lstm.defvjp(_lstm, _lstm_back)


@custom_vjp
def gru(x: Tensor, weight: Tensor, bias: Tensor, h: Tensor) -> Tensor:
    """The states of a GRU at all steps."""
    return _gru(x, weight, bias, h)[0]


def _gru(x: Tensor, weight: Tensor, bias: Tensor, h: Tensor) -> tuple[Tensor, tuple[Any, ...]]:
    transpose = _transposed(weight)
    states, logistic, candidates, news = [h], list[Tensor](), list[Tensor](), list[Tensor]()
    for step in unstack(x):
        maps = reshape(h @ transpose + bias, step.shape)
        s, m = sigmoid(step[:, :2, :] + maps[:, :2, :]), maps[:, 2, :]
        r, z = unstack(s, axis=1)
        n = tanh(step[:, 2, :] + r * m)
        h = n + z * (h - n)
        for values, value in ((states, h), (logistic, s), (candidates, m), (news, n)):
            values.append(value)
    return stack(states[1:]), (weight, states, logistic, candidates, news)


def _gru_back(residuals: Any, cotangent: Tensor) -> tuple[Tensor, ...]:
    weight, *others = residuals
    states, s, m, n = map(stack, others)
    last = states[:-1, ...]
    # What a step multiplies by the cotangent of its state, for all steps.
    r, z = unstack(s, axis=2)
    of_r, of_z = unstack(s * (1 - s), axis=2)
    of_n = (1 - z) * (1 - n * n)
    of_gates = stack([of_n * m * of_r, (last - n) * of_z], axis=2)
    of_maps = concat([of_gates, expand_dims(of_n * r, axis=2)], axis=2)
    steps = zip(*map(unstack, (cotangent, of_maps, z)), strict=True)
    h, of_states, maps = zeros_like(last[0, ...]), [], []
    for t, of_map, keep in reversed(list(steps)):
        h = h + t
        of_states.append(h)
        maps.append(expand_dims(h, axis=1) * of_map)
        h = h * keep + reshape(maps[-1], (h.shape[0], weight.shape[0])) @ weight
    found = stack(maps[::-1])
    of_new = expand_dims(stack(of_states[::-1]) * of_n, axis=2)
    of_bias = reshape(total(found, axis=(0, 1)), (-1,))
    of_x = concat([found[:, :, :2, :], of_new], axis=2)
    return of_x, _of_weight(found, last), of_bias, h


gru.defvjp(_gru, _gru_back)


class LSTM(Recurrent):
    """Long short-term memory: a recurrent layer whose cells are written and erased by gates.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the last axis of the input, and of the states.
    num_layers : int, optional
        Number of layers; each reads the results of the previous one.
    bias : bool, optional
        Whether the maps have biases.
    batch_first : bool, optional
        Whether batches have shape (n, length, size), instead of PyTorch's default (length, n,
        size).
    dropout : float, optional
        Probability with which results of a layer are set to zero for the next one, in training.
    bidirectional : bool, optional
        Whether each layer also reads the sequence from its end; its results are appended.
    rng : Generator, optional
        Generator of the initial values and of the dropout; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Tensor
        Parameters of the first layer, of shapes (4 hidden_size, input_size), (4 hidden_size,
        hidden_size) and twice (4 hidden_size,), for the gates i, f, g and o. The names for further
        layers end in ``_l1`` and so on, and for the other direction in ``_reverse``. All are
        initialised with uniform numbers between ±1 / √hidden_size.

    References
    ----------
    S. Hochreiter, J. Schmidhuber: Long short-term memory. Neural Computation 9 (1997).

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> lstm = nn.LSTM(3, 8, batch_first=True)
    >>> y, (h, c) = lstm(xp.ones((5, 7, 3)))
    >>> y.shape, h.shape, c.shape
    ((5, 7, 8), (1, 5, 8), (1, 5, 8))
    """

    _gates, _states, _adds_maps = 4, 2, True

    def forward(
        self, x: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read sequences.

        Parameters
        ----------
        x : Tensor
            Real batch of shape (length, n, size), or (n, length, size) with `batch_first`; or one
            sequence of shape (length, size).
        hx : tuple of Tensor, optional
            Initial hidden states and cells, of shape (layers · directions, n, hidden_size), without
            n for one sequence; by default zeros.

        Returns
        -------
        tuple
            Hidden states of the last layer at all steps, and a tuple of the last hidden states and
            cells of all layers, with the shape of the initial ones.
        """
        if hx is not None and (not isinstance(hx, (tuple, list)) or len(hx) != 2):
            raise TypeError(f"LSTM: hx must be a tuple of two tensors; got {describe(hx)}")
        y, (h, c) = self._run(x, hx)
        return y, (h, c)

    def _steps(
        self, x: Tensor, w_h: Tensor, b_h: Tensor | None, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        y, c = _run_steps(lstm, _lstm, x, w_h, *state)
        return y, (y[-1, ...], c)


class GRU(Recurrent):
    """Gated recurrent unit: a recurrent layer with a gate that blends old and new states.

    Parameters
    ----------
    input_size, hidden_size : int
        Sizes of the last axis of the input, and of the state.
    num_layers : int, optional
        Number of layers; each reads the results of the previous one.
    bias : bool, optional
        Whether the maps have biases.
    batch_first : bool, optional
        Whether batches have shape (n, length, size), instead of PyTorch's default (length, n,
        size).
    dropout : float, optional
        Probability with which results of a layer are set to zero for the next one, in training.
    bidirectional : bool, optional
        Whether each layer also reads the sequence from its end; its results are appended.
    rng : Generator, optional
        Generator of the initial values and of the dropout; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0 : Tensor
        Parameters of the first layer, of shapes (3 hidden_size, input_size), (3 hidden_size,
        hidden_size) and twice (3 hidden_size,), for the gates r, z and n. The names for further
        layers end in ``_l1`` and so on, and for the other direction in ``_reverse``. All are
        initialised with uniform numbers between ±1 / √hidden_size.

    References
    ----------
    K. Cho et al.: Learning phrase representations using RNN encoder-decoder for statistical machine
    translation. EMNLP 2014.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> gru = nn.GRU(3, 8, bidirectional=True)
    >>> y, h = gru(xp.ones((7, 5, 3)))
    >>> y.shape, h.shape
    ((7, 5, 16), (2, 5, 8))
    """

    _gates, _states, _adds_maps = 3, 1, False

    def forward(self, x: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read sequences.

        Parameters
        ----------
        x : Tensor
            Real batch of shape (length, n, size), or (n, length, size) with `batch_first`; or one
            sequence of shape (length, size).
        hx : Tensor, optional
            Initial states, of shape (layers · directions, n, hidden_size), without n for one
            sequence; by default zeros.

        Returns
        -------
        tuple
            States of the last layer at all steps, and the last states of all layers, with the shape
            of the initial ones.
        """
        y, (h,) = self._run(x, None if hx is None else (hx,))
        return y, h

    def _steps(
        self, x: Tensor, w_h: Tensor, b_h: Tensor | None, state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        if b_h is None:
            b_h = zeros(w_h.shape[0], dtype=w_h.dtype, device=w_h.device)
        y = _run_steps(gru, _gru, x, w_h, b_h, *state)
        return y, (y[-1, ...],)
