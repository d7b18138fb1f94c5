"""Every kernel of the CUDA backend compiles, for every dtype it is written for.

The test looks at no values, so it also runs where kernels are compiled but not executed: with
NVIDIA's NVRTC for a GPU that is not there.
"""

import importlib
import pkgutil

import pytest

import arraygrad as xp

try:
    import cupy as cp

    from arraygrad._backends import cupy as backend
except ImportError:
    cp = backend = None

DTYPES = "? b B h H i I q Q f d F D".split()
#: The dtypes that the callers of these kernels give them; all, of those not named here.
CALLED_WITH = {
    "arraygrad_arange": "b i q Q f d".split(),
    "arraygrad_bessel_tail": "f d".split(),
    "arraygrad_integers": "? b B h H i I q Q".split(),
    "arraygrad_settle": "f d".split(),
    **dict.fromkeys(
        ("arraygrad_random", "arraygrad_standard_exponential", "arraygrad_standard_normal"),
        "f d".split(),
    ),
}


def kernels():
    """Every kernel object that the backend's modules define, by its name."""
    names = [m.name for m in pkgutil.walk_packages(backend.__path__, f"{backend.__name__}.")]
    modules = {name: importlib.import_module(name) for name in names}
    reduction = type(modules[f"{backend.__name__}.kernels"].euclidean_norm)
    kinds = (cp.ufunc, cp.ElementwiseKernel, reduction)
    found, waiting = {}, [vars(module) for module in modules.values()]
    while waiting:
        for value in waiting.pop().values():
            if isinstance(value, dict):
                waiting.append(value)
            elif isinstance(value, kinds) and "arraygrad" in value.name:
                found.setdefault((value.name, id(value)), value)
    return [found[key] for key in sorted(found)]


def launches(kernel):
    """One launch per combination of dtypes, each a function without arguments."""
    if isinstance(kernel, cp.ufunc):
        for types in kernel.types:
            arrays = [cp.ones(3, t) for t in types.partition("->")[0]]
            yield types, lambda arrays=arrays: kernel(*arrays)
    elif isinstance(kernel, cp.ElementwiseKernel):
        params = [*kernel.in_params, *kernel.out_params]
        dtypes = CALLED_WITH.get(kernel.name, DTYPES)
        if kernel.name == "arraygrad_linspace":
            dtypes = "F D".split() if params[0].dtype.kind == "c" else "f d".split()
        for t in dtypes:
            arrays = [cp.ones(3, p.dtype or t) for p in params]
            yield t, lambda arrays=arrays: kernel(*arrays)
    else:
        for op in kernel._ops.ops:
            array = cp.ones((2, 3), op.in_types[0])
            yield op.in_types[0], lambda array=array: kernel(array, axis=1)


@pytest.mark.cuda
def test_every_kernel_compiles():
    assert xp.Device("cuda")
    compiled = 0
    for kernel in kernels():
        for types, launch in launches(kernel):
            try:
                launch()
            except cp.cuda.compiler.CompileException as error:
                raise AssertionError(f"{kernel.name} of {types}") from error
            compiled += 1
    assert compiled > 150
