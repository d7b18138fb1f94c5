"""Registrations of `Tensor` with other libraries, one module for each, imported on demand.

Most libraries need no registration: they use the tensor's namespace. For a library with a registry
of array classes, import the module with its name, which registers `Tensor` and imports the
library::

    import arraygrad.interop.einops
    import arraygrad.interop.dask
"""
