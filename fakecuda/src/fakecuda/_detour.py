"""Puts our functions over those of the CUDA runtime that CuPy's modules contain.

CuPy's wheels link the CUDA runtime statically, so no library of ours is ever asked for its
functions. But the wheels have their symbol tables: after a module is loaded, a jump is written
over the beginning of each function of the runtime.
"""

import ctypes
import mmap
import os
import struct
from collections.abc import Mapping
from pathlib import Path

#: The length of a jump in bytes.
JUMP = 14


def put_over(module: Path, offsets: Mapping[str, int], library: ctypes.CDLL) -> None:
    """Load a module of CuPy and put functions of ours over its own.

    Parameters
    ----------
    module : Path
        The extension module. It stays loaded until the process ends.
    offsets : mapping of str to int
        Where each function is, from the address that the module is loaded at.
    library : ctypes.CDLL
        Has the functions to put there, under the same names.
    """
    ctypes.CDLL(str(module), mode=os.RTLD_LOCAL | os.RTLD_LAZY)
    base = _load_address(module)
    _write({base + at: _jump(library, name) for name, at in offsets.items()})


def _jump(library: ctypes.CDLL, name: str) -> bytes:
    target = ctypes.cast(library[name], ctypes.c_void_p).value
    return b"\xff\x25\0\0\0\0" + struct.pack("<Q", target)  # jmp *0(%rip), and the address


def _write(code: Mapping[int, bytes]) -> None:
    """Write into code, which is read-only otherwise."""
    libc = ctypes.CDLL(None, use_errno=True)
    first = min(code) // mmap.PAGESIZE * mmap.PAGESIZE
    length = max(code) + JUMP - first
    read_execute = mmap.PROT_READ | mmap.PROT_EXEC

    def protect(how: int) -> None:
        if libc.mprotect(ctypes.c_void_p(first), ctypes.c_size_t(length), how):
            raise OSError(ctypes.get_errno(), "the code of CuPy's modules cannot be written to")

    protect(read_execute | mmap.PROT_WRITE)
    for at, text in code.items():
        ctypes.memmove(at, text, len(text))
    protect(read_execute)


def _load_address(module: Path) -> int:
    for line in Path("/proc/self/maps").read_text().splitlines():
        fields = line.split(maxsplit=5)
        if len(fields) == 6 and fields[5] == str(module) and fields[2] == "00000000":
            return int(fields[0].split("-")[0], 16)
    raise LookupError(f"{module} is not loaded")
