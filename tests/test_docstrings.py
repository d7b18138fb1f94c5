"""Every public name documents itself in the sections of numpydoc, with an example that runs."""

import inspect

import pytest

import arraygrad as xp
from arraygrad import autodiff, data, distributed, nn, optim, scipy

MODULES = (xp, xp.linalg, xp.fft, xp.special, xp.random, autodiff, data, distributed, nn, optim)
MODULES += tuple(getattr(scipy, name) for name in scipy.__all__)

FUNCTIONS = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES
    for name in module.__all__
    if inspect.isroutine(getattr(module, name)) and not inspect.isclass(getattr(module, name))
}
#: Those that users make by calling the class, with the parameters of their constructors.
CLASSES = {
    f"{module.__name__}.{name}": getattr(module, name)
    for module in MODULES[4:]
    for name in module.__all__
    if inspect.isclass(getattr(module, name))
    and not issubclass(getattr(module, name), (Exception, tuple, xp.Tensor))
    and name not in ("Dataset", "Generator", "LRScheduler", "Module", "Optimizer", "Shards")
}


@pytest.mark.parametrize("name", FUNCTIONS | CLASSES)
def test_sections(name):
    documented = (FUNCTIONS | CLASSES)[name]
    doc = inspect.getdoc(documented)
    parameters = inspect.signature(inspect.unwrap(documented)).parameters
    # (``*more: Never`` and ``**other: Never`` take nothing: they are there to explain errors.)
    parameters = {name: p for name, p in parameters.items() if p.annotation != "Never"}
    for section in ["Parameters"] * bool(parameters) + ["Examples"]:
        assert f"\n{section}\n{'-' * len(section)}\n" in doc, section
    assert ">>> " in doc
    assert doc.splitlines()[0].endswith(".")
    head = doc.partition("\nParameters\n")[2].partition("\nExamples\n")[0]
    for parameter in parameters:
        assert parameter in head, parameter


def test_the_namespace_is_the_standards():
    """Nothing of the package's own in it but what is listed here."""
    own = {
        "Device", "DeviceMismatchError", "Tensor", "TransferError", "compile", "default_device",
        "default_dtype", "diag", "float16", "from_numpy", "logspace", "map_location", "strict",
        "__version__",
        *("einsum median nanmax nanmin nansum nanprod nanmean nanvar nanstd nanmedian nanargmax "
          "nanargmin nancumsum nancumprod transpose allclose interp kron outer pad quantile split "
          "trapezoid").split(),
    }  # fmt: skip
    assert own < set(xp.__all__)
    assert all(hasattr(xp, name) for name in xp.__all__)
