"""Conversions of NumPy's backend."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.lib.array_utils import byte_bounds

from arraygrad._backends.numpy.conversions import bounds


@given(st.data(), npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3))
@pytest.mark.parametrize("dtype", ["?", "f2", "f4", "f8", "c16", "i1"])
def test_bounds_are_the_addresses_of_the_elements(dtype, data, shape):
    x = np.zeros(shape, dtype)
    if x.ndim and x.size:
        x = x[data.draw(npst.basic_indices(x.shape, allow_ellipsis=True, allow_newaxis=True))]
        x = x if isinstance(x, np.ndarray) else np.asarray(x)
        x = x.transpose(data.draw(st.permutations(range(x.ndim))))
    if data.draw(st.booleans()):
        x = np.broadcast_to(x, (3, *x.shape))
    low, high = bounds(x)
    assert (low, high) == tuple(map(int, byte_bounds(x))) if x.size else low == high


def test_bounds_of_arrays_of_a_subclass():
    x = np.zeros((3, 4)).view(type("Own", (np.ndarray,), {}))[::-2, 1:]
    assert bounds(x) == tuple(map(int, byte_bounds(x)))
