"""A process of Dask's that has imported arraygrad can read the tensors that others send as frames.

It sends frames itself after the import of `arraygrad.interop.distributed` only: whoever receives
them may have imported arraygrad before Dask, and know nothing of frames.
"""

from importlib import import_module
from typing import Any

from distributed.protocol.serialize import dask_deserialize

_readers: Any = dask_deserialize  # a dispatch by class, without types
_readers.register_lazy("arraygrad", lambda: import_module("arraygrad.interop.distributed"))
