"""The libraries that hold the data. Only modules of this package import them.

A backend is a module with

- ``array_type``: the class of its arrays, which have ``dtype`` (NumPy's), ``shape``, ``ndim`` and
  ``size``;
- ``operations(index)``: the functions, by name, that work on device number ``index``; it raises
  ValueError, saying what is missing, if there is no such device;
- ``count()``: how many devices there are;
- ``describe(index)``: what `show_config` says of a device;
- the few helpers that NumPy's backend defines for all of them (``as_host``, ``to_text``, ...).

A function has the standard's name and signature, less ``device``. Beyond the standard's there are
``getitem``, ``__setitem__``, ``T``, ``copy``, the in-place operators (``__iadd__`` ...) and the
conversions ``from_host``, ``to_host``, ``from_peer``, ``from_scalar``, ``from_dlpack``,
``dlpack``, ``array`` and ``item``; and for gradients ``root`` (the object that owns an array's
memory), ``scatter`` (the transpose of indexing), ``settle`` (0 for NaN by the weight), on the CPU
``settle_weight`` (which says where NaN stays) and ``irtruediv`` (``x = y / x`` in place).
``special.*``, ``random.*`` and ``nn.*`` are in modules of their own here. A backend may have
``sweep``, which runs an elementwise update of several arrays in the way that suits the device, and
``reserve``, which allocates the workspaces for it before.
"""
