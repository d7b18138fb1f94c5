"""The status with which a call of CUDA fails."""

import pytest
from cupy.cuda import driver, runtime


def status(function, *args):
    """The status of a call that fails in the runtime."""
    return _status(runtime.CUDARuntimeError, function, *args)


def driver_status(function, *args, **kwargs):
    """The status of a call that fails in the driver."""
    return _status(driver.CUDADriverError, function, *args, **kwargs)


def _status(error, function, *args, **kwargs):
    with pytest.raises(error) as caught:
        function(*args, **kwargs)
    return caught.value.status
