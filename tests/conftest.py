"""The devices that tests run on, and how hard Hypothesis tries."""

import os
from importlib.util import find_spec

os.environ.setdefault("SCIPY_ARRAY_API", "1")  # SciPy reads it when it is imported

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

import arraygrad
from arraygrad import _device

_device._BACKENDS["strict"] = "strict_backend"

settings.register_profile(
    "arraygrad",
    deadline=None,
    max_examples=50,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("arraygrad")


DEVICES = [
    "cpu",
    pytest.param("strict:1", marks=pytest.mark.on_strict),
    pytest.param("cuda", marks=pytest.mark.cuda),
]


def pytest_collection_modifyitems(items):
    gpus = 0
    if find_spec("cupy") is not None:
        gpus = sum(d.type == "cuda" for d in arraygrad.__array_namespace_info__().devices())
    for mark, needed in (("cuda", 1), ("two_gpus", 2)):
        if gpus < needed:
            skip = pytest.mark.skip(reason=f"{gpus or 'no'} CUDA device")
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(skip)


@pytest.fixture(params=DEVICES)
def device(request):
    """The name of a device; tests with it run on the CPU, the strict backend and CUDA."""
    return request.param


@pytest.fixture
def xp(device):
    """The namespace, making its tensors on `device`."""
    with arraygrad.default_device(device):
        yield arraygrad


@pytest.fixture(scope="session")
def same():
    """Compare a tensor with what NumPy gives: shape, dtype, values; exact unless `rtol` is set."""

    def compare(tensor, expected, rtol=0.0, dtype=True):
        expected = np.asarray(expected)
        assert isinstance(tensor, arraygrad.Tensor), type(tensor)
        found = tensor.numpy()
        assert found.shape == expected.shape
        if dtype:
            assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)

    return compare
