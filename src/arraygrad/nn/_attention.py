"""Attention: weighted means of values, with weights from products of queries and keys."""

from __future__ import annotations

import math
from functools import reduce
from operator import add, or_
from typing import Any

from .._creation import _shape, ones, tril, zeros
from .._dispatch import check_tensor
from .._dtypes import ALL
from .._errors import as_number, describe
from .._linear_algebra import matmul, matrix_transpose
from .._manipulation import expand_dims, permute_dims, reshape, squeeze, unstack
from .._searching import where
from .._statistical import mean
from .._typing import DeviceLike, DType, Tensor
from ..autodiff import variable
from ..random import Generator, default_rng
from ._activations import softmax
from ._checks import as_floating, check_broadcasts, check_real, warn_of_promotion
from ._init import xavier_uniform
from ._layers import Linear, _probability, dropout, linear
from ._module import Module


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    *,
    rng: Generator | None = None,
) -> Tensor:
    """Scaled dot-product attention: softmax(query · keyᵀ · scale) · value.

    Parameters
    ----------
    query : Tensor
        Real queries of shape (..., l, e).
    key : Tensor
        Keys of shape (..., s, e).
    value : Tensor
        Values of shape (..., s, v).
    attn_mask : Tensor, optional
        Mask that broadcasts to (..., l, s): bools, which are True where a query may see a key, or
        real numbers to add to the scores.
    dropout_p : float, optional
        Probability with which a weight is set to zero; see `dropout`. The function has no training
        mode, so pass 0 in evaluation.
    is_causal : bool, optional
        Whether query i sees only the keys 0 to i, also in addition to `attn_mask`.
    scale : float, optional
        Factor of the scores; by default 1 / √e.
    rng : Generator, optional
        Random generator of the dropout; by default a new one.

    Returns
    -------
    Tensor
        Has shape (..., l, v). A query that sees no key has the result 0.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or is complex.
    ValueError
        If the shapes do not fit together.

    References
    ----------
    A. Vaswani et al.: Attention is all you need. NeurIPS 2017.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> x = xp.asarray([[1.0, 0.0], [0.0, 2.0]])
    >>> nn.scaled_dot_product_attention(x, x, x, is_causal=True)
    Tensor([[1.        , 0.        ],
            [0.05580722, 1.88838556]], dtype=float64)
    """
    name = "scaled_dot_product_attention"
    weights = _weights(name, query, key, value, attn_mask, is_causal, scale)
    return matmul(dropout(weights, dropout_p, rng=rng), value)


def _weights(
    name: str,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    is_causal: bool,
    scale: float | None = None,
) -> Tensor:
    """Weights of the values for each query."""
    for argument, x in (("query", query), ("key", key), ("value", value)):
        check_real(name, x, argument)
    query, key = as_floating(query), as_floating(key)
    if (
        min(query.ndim, key.ndim, value.ndim) < 2
        or query.shape[-1] != key.shape[-1]
        or key.shape[-2] != value.shape[-2]
    ):
        raise ValueError(
            f"{name}: query, key and value must have shapes (..., l, e), (..., s, e) and "
            f"(..., s, v); got {query.shape}, {key.shape} and {value.shape}"
        )
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1]) if query.shape[-1] else 0.0
    scores = matmul(query * as_number(name, "scale", scale), matrix_transpose(key))
    seen = None
    if mask is not None:
        check_real(name, mask, "attn_mask")
        check_broadcasts(name, "attn_mask", mask, scores.shape)
        if mask.dtype.kind == "b":
            seen = mask
        else:
            scores, seen = scores + mask, mask != -math.inf
    if is_causal:
        pairs = scores.shape[-2:]
        causal = tril(ones(pairs, dtype=ALL["bool"], device=scores.device))
        seen = causal if seen is None else seen & causal
    if seen is None:
        return softmax(scores)
    # The softmax of a query that sees no key would have equal weights.
    return where(seen, softmax(where(seen, scores, -math.inf)), 0.0)


class MultiheadAttention(Module):
    """Multi-head attention: several attentions in parallel, each to linear maps of the arguments.

    Parameters
    ----------
    embed_dim : int
        Size of the queries and of the result.
    num_heads : int
        Number of heads, each of size ``embed_dim / num_heads``.
    dropout : float, optional
        Probability with which a weight is set to zero in training.
    bias : bool, optional
        Whether the linear maps have biases.
    kdim, vdim : int, optional
        Sizes of the keys and values; by default `embed_dim`.
    batch_first : bool, optional
        Whether batches have shape (n, length, size), instead of PyTorch's default (length, n,
        size).
    rng : Generator, optional
        Generator of the initial values and of the dropout; by default a new one.
    device, dtype : optional
        Device and dtype of the parameters; by default the generator's device and `default_dtype`.

    Attributes
    ----------
    in_proj_weight : Tensor
        Parameter of shape (3 embed_dim, embed_dim): the maps of queries, keys and values. With
        `kdim` or `vdim` there are `q_proj_weight`, `k_proj_weight` and `v_proj_weight` instead.
    in_proj_bias : Tensor
        Parameter of shape (3 embed_dim,), or None.
    out_proj : Linear
        Map of the results of all heads.

    References
    ----------
    A. Vaswani et al.: Attention is all you need. NeurIPS 2017.

    Examples
    --------
    >>> import arraygrad as xp
    >>> from arraygrad import nn
    >>> attention = nn.MultiheadAttention(8, 2, batch_first=True)
    >>> x = xp.ones((5, 7, 8))
    >>> y, weights = attention(x, x, x)
    >>> y.shape, weights.shape
    ((5, 7, 8), (5, 7, 7))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        *,
        rng: Generator | None = None,
        device: DeviceLike = None,
        dtype: DType | None = None,
    ) -> None:
        name = "MultiheadAttention"
        embed_dim, num_heads = _shape((embed_dim, num_heads), name)
        if not num_heads or embed_dim % num_heads:
            raise ValueError(
                f"{name}: embed_dim must be a multiple of num_heads; got {embed_dim} and "
                f"{num_heads}"
            )
        (kdim,) = _shape((embed_dim if kdim is None else kdim,), name)
        (vdim,) = _shape((embed_dim if vdim is None else vdim,), name)
        rng = default_rng(rng, device=device)
        self.embed_dim, self.num_heads, self.kdim, self.vdim = embed_dim, num_heads, kdim, vdim
        self.dropout, self.batch_first = _probability(name, dropout), batch_first
        self.in_proj_weight: Any = None
        if kdim == vdim == embed_dim:
            self.in_proj_weight = variable(
                xavier_uniform((3 * embed_dim, embed_dim), rng=rng, dtype=dtype)
            )
        else:
            for part, size in (("q", embed_dim), ("k", kdim), ("v", vdim)):
                weight = xavier_uniform((embed_dim, size), rng=rng, dtype=dtype)
                setattr(self, f"{part}_proj_weight", variable(weight))
        self.in_proj_bias: Any = None
        self.out_proj = Linear(embed_dim, embed_dim, bias, rng=rng, dtype=dtype)
        if bias:
            own = self.out_proj.weight
            self.in_proj_bias = variable(zeros(3 * embed_dim, dtype=own.dtype, device=own.device))
            self.out_proj.bias = variable(zeros(embed_dim, dtype=own.dtype, device=own.device))
        self.rng = rng if self.dropout else None

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        key_padding_mask: Tensor | None = None,
        need_weights: bool = True,
        attn_mask: Tensor | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend to values.

        Parameters
        ----------
        query, key, value : Tensor
            Batches of shape (length, n, size), or (n, length, size) with `batch_first`; or one
            sequence of shape (length, size). Keys and values have the same length.
        key_padding_mask : Tensor, optional
            Mask of shape (n, length of the keys): bools, which are True where a key is *not* seen,
            or real numbers to add to the scores.
        need_weights : bool, optional
            Whether to return the weights.
        attn_mask : Tensor, optional
            Mask of the same kind for each pair of a query and a key, of shape (length of the
            queries, length of the keys), or with a mask for each sample and head, (n · num_heads,
            ...).
        average_attn_weights : bool, optional
            Whether to return the mean of the weights over the heads.
        is_causal : bool, optional
            Whether query i sees only the keys 0 to i. It needs no `attn_mask`.

        Returns
        -------
        tuple
            Result, with the shape of `query`; and weights of shape (n, length of the queries,
            length of the keys) or (n, num_heads, ...), or None. A query that sees no key has
            weights 0.
        """
        name = "MultiheadAttention"
        warn_of_promotion(name, query, self.out_proj.weight)
        single = isinstance(query, Tensor) and query.ndim == 2
        alike = query is key is value
        q, k, v = (self._batch(x) for x in (query, key, value))
        if not q.shape[0] == k.shape[0] == v.shape[0] or k.shape[1] != v.shape[1]:
            raise ValueError(
                f"{name}: query, key and value must have the same n, key and value the same "
                f"length; got {query.shape}, {key.shape} and {value.shape}"
            )
        q, k, v = (self._heads(x) for x in self._projected(q, k, v, alike))
        mask = self._mask(q, k, key_padding_mask, attn_mask)
        weights = _weights(name, q, k, v, mask, is_causal)
        if self.training and self.dropout:
            weights = dropout(weights, self.dropout, rng=self.rng)
        y = permute_dims(matmul(weights, v), (0, 2, 1, 3))
        y = self.out_proj(reshape(y, (*y.shape[:2], self.embed_dim)))
        if single:
            y = squeeze(y, axis=0)
        elif not self.batch_first:
            y = permute_dims(y, (1, 0, 2))
        if not need_weights:
            return y, None
        if average_attn_weights:
            weights = mean(weights, axis=1)
        return y, squeeze(weights, axis=0) if single else weights

    def _batch(self, x: Tensor) -> Tensor:
        """Convert an argument to a batch of shape (n, length, size)."""
        check_tensor("MultiheadAttention", x)
        if x.ndim == 2:
            return expand_dims(x, axis=0)
        if x.ndim != 3:
            raise ValueError(
                "MultiheadAttention: query, key and value must have shape (length, n, size), "
                "(n, length, size) with batch_first=True, or (length, size); "
                f"got {describe(x)}"
            )
        return x if self.batch_first else permute_dims(x, (1, 0, 2))

    def _projected(self, q: Tensor, k: Tensor, v: Tensor, alike: bool) -> tuple[Tensor, ...]:
        """Linear maps of queries, keys and values."""
        if alike and self.in_proj_weight is not None:  # one product for all three
            y = linear(q, self.in_proj_weight, self.in_proj_bias)
            return unstack(reshape(y, (*y.shape[:2], 3, self.embed_dim)), axis=2)
        if self.in_proj_weight is not None:
            weights = unstack(reshape(self.in_proj_weight, (3, self.embed_dim, -1)))
        else:
            weights = tuple(getattr(self, f"{part}_proj_weight") for part in "qkv")
        biases: Any = (None,) * 3
        if self.in_proj_bias is not None:
            biases = unstack(reshape(self.in_proj_bias, (3, -1)))
        return tuple(map(linear, (q, k, v), weights, biases))

    def _heads(self, x: Tensor) -> Tensor:
        """Reshape (n, length, size) to (n, heads, length, size of a head)."""
        n, length, size = x.shape
        heads = (n, length, self.num_heads, size // self.num_heads)
        return permute_dims(reshape(x, heads), (0, 2, 1, 3))

    def _mask(
        self, q: Tensor, k: Tensor, padding: Tensor | None, mask: Tensor | None
    ) -> Tensor | None:
        """Combine both masks to one for the function, of shape (n or 1, heads or 1, ...).

        As in PyTorch, masks of this layer are True where a key is hidden, and masks of the function
        where it is seen.
        """
        n, pairs = q.shape[0], (q.shape[2], k.shape[2])
        found: list[Tensor] = []
        if mask is not None:
            check_real("MultiheadAttention", mask, "attn_mask")
            if mask.shape not in (pairs, (n * self.num_heads, *pairs)):
                raise ValueError(
                    f"MultiheadAttention: attn_mask must have shape {pairs} or "
                    f"{(n * self.num_heads, *pairs)}; got {describe(mask)}"
                )
            found.append(reshape(mask, (n, -1, *pairs)) if mask.ndim == 3 else mask)
        if padding is not None:
            check_real("MultiheadAttention", padding, "key_padding_mask")
            if padding.ndim == 1:
                padding = expand_dims(padding, axis=0)
            if padding.shape != (n, pairs[1]):
                raise ValueError(
                    f"MultiheadAttention: key_padding_mask must have shape {(n, pairs[1])}; "
                    f"got {describe(padding)}"
                )
            found.append(expand_dims(padding, axis=(1, 2)))
        hidden = [m for m in found if m.dtype.kind == "b"]
        added = [m for m in found if m.dtype.kind != "b"]
        if not added:
            return ~reduce(or_, hidden) if hidden else None
        return reduce(lambda m, h: where(h, -math.inf, m), hidden, reduce(add, added))

    def extra_repr(self) -> str:
        """Sizes of the layer, for its text."""
        return f"{self.embed_dim}, {self.num_heads}, batch_first={self.batch_first}"
