"""What other libraries must be told to take tensors, one module for each, imported on demand.

Most libraries need nothing: they ask a tensor for its namespace. Those that keep a list of the
array classes they know are told of `Tensor` when the module of their name here is imported,
which imports the library::

    import arraygrad.interop.einops
    import arraygrad.interop.dask
"""
