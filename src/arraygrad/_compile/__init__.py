"""`compile`: programs of the backend's own calls, recorded while a function runs."""

from ._compiled import Compiled, compile

__all__ = ["Compiled", "compile"]
