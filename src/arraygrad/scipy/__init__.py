"""SciPy's functions with derivatives, under SciPy's names.

Many functions of SciPy take tensors, such as `scipy.signal.fftconvolve` and `scipy.stats.zscore`.
Others call compiled code, which cannot be differentiated. The functions in this package call
SciPy's function on the CPU, or `cupyx.scipy`'s on CUDA devices, and have derivatives in both modes
and to any order. The modules have SciPy's names. Special functions are in `arraygrad.special`.
"""

from . import integrate, interpolate, linalg, ndimage, signal, spatial, stats

__all__ = ["integrate", "interpolate", "linalg", "ndimage", "signal", "spatial", "stats"]

_MODULES = (integrate, interpolate, linalg, ndimage, signal, spatial.distance, stats)

#: What is here: functions such as ``linalg.expm``, and distributions such as ``stats.norm``. Error
#: messages name them.
FUNCTIONS = tuple(
    f"{module.__name__.removeprefix(__name__ + '.')}.{name}"
    for module in _MODULES
    for name in module.__all__
)
