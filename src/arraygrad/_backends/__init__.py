"""The backends: the libraries that hold the data. Only modules of this package import them.

A backend is a module with

- ``array_type``: the class of its arrays, which have ``dtype`` (NumPy's), ``shape``, ``ndim`` and
  ``size``;
- ``operations(index)``: the functions, by name, for device number ``index``. If there is no such
  device, it raises ValueError and says what is missing;
- ``count()``: the number of devices;
- ``describe(index)``: what `show_config` says of a device;
- the few helpers that NumPy's backend defines for all backends (``as_host``, ``to_text``, ...).

A function has the standard's name and signature, without ``device``. In addition, there are
``getitem``, ``__setitem__``, ``T``, ``copy``, the in-place operators (``__iadd__`` ...) and the
conversions ``from_host``, ``to_host``, ``from_peer``, ``from_scalar``, ``from_dlpack``,
``dlpack``, ``array`` and ``item``; and for gradients ``root`` (the object that owns an array's
memory), ``scatter`` (the transpose of indexing), ``settle`` (0 for NaN by the weight), on the CPU
``settle_weight`` (which says where NaN stays) and ``irtruediv`` (``x = y / x`` in place).
``special.*``, ``random.*`` and ``nn.*`` have separate modules. A backend may have ``sweep``, which
runs an elementwise update of several arrays in the way that suits the device, and ``reserve``,
which allocates the workspaces for it in advance; and operations with ``.batch`` behind their name,
which are faster on batches of `vmap`.
"""
