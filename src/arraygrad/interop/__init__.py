"""Registrations of `Tensor` with other libraries, one module for each, imported on demand.

Most libraries need nothing: they ask a tensor for its namespace. Libraries with a registry of array
classes learn of `Tensor` when the module of their name here is imported, which also imports the
library::

    import arraygrad.interop.einops
    import arraygrad.interop.dask
"""
