"""The parts of the ELF format that say what a shared library needs, defines and imports."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Types of sections
_SYMTAB, _DYNAMIC, _DYNSYM, _VERNEED = 2, 6, 11, 0x6FFFFFFE
_DT_NEEDED = 1
_STT_FUNC = 2
_STB_GLOBAL = 1


@dataclass(frozen=True)
class Symbol:
    """A name in a symbol table."""

    name: str
    offset: int  # from the address that the library is loaded at
    defined: bool
    function: bool
    strong: bool  # global, and the only definition there may be


@dataclass(frozen=True)
class _Section:
    type: int
    offset: int
    size: int
    link: int  # the section with its strings


class Elf:
    """A 64-bit little-endian ELF file.

    Parameters
    ----------
    path : Path
        An object file or a shared library.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._data = path.read_bytes()
        if self._data[:6] != b"\x7fELF\x02\x01":
            raise ValueError(f"{path} is no 64-bit little-endian ELF file")
        (table,) = struct.unpack_from("<Q", self._data, 0x28)
        size, count, _ = struct.unpack_from("<HHH", self._data, 0x3A)
        self._sections = []
        for i in range(count):
            fields = struct.unpack_from("<IIQQQQIIQQ", self._data, table + i * size)
            self._sections.append(_Section(fields[1], fields[4], fields[5], fields[6]))

    def symbols(self) -> list[Symbol]:
        """All symbols, local ones included; empty when the file is stripped."""
        return list(self._symbols(_SYMTAB))

    def dynamic_symbols(self) -> list[Symbol]:
        """The symbols that the library exports and imports."""
        return list(self._symbols(_DYNSYM))

    def needed(self) -> list[str]:
        """The libraries that this one is linked with (DT_NEEDED)."""
        found = []
        for section in self._of_type(_DYNAMIC):
            for at in range(section.offset, section.offset + section.size, 16):
                tag, value = struct.unpack_from("<qQ", self._data, at)
                if tag == _DT_NEEDED:
                    found.append(self._string(section, value))
        return found

    def needed_versions(self) -> dict[str, set[str]]:
        """The symbol versions that this library asks of each library."""
        found: dict[str, set[str]] = {}
        for section in self._of_type(_VERNEED):
            at = section.offset
            while True:
                _, count, file, aux, step = struct.unpack_from("<HHIII", self._data, at)
                versions = found.setdefault(self._string(section, file), set())
                entry = at + aux
                for _ in range(count):
                    _, _, _, name, following = struct.unpack_from("<IHHII", self._data, entry)
                    versions.add(self._string(section, name))
                    entry += following
                if not step:
                    break
                at += step
        return found

    def _of_type(self, kind: int) -> list[_Section]:
        return [s for s in self._sections if s.type == kind]

    def _string(self, section: _Section, offset: int) -> str:
        start = self._sections[section.link].offset + offset
        return self._data[start : self._data.index(b"\0", start)].decode()

    def _symbols(self, kind: int) -> Iterator[Symbol]:
        for section in self._of_type(kind):
            entries = self._data[section.offset : section.offset + section.size]
            for name, info, _, index, value, _ in struct.iter_unpack("<IBBHQQ", entries):
                if name:
                    function, binding = info & 15 == _STT_FUNC, info >> 4
                    yield Symbol(
                        self._string(section, name),
                        value,
                        index != 0,
                        function,
                        binding == _STB_GLOBAL,
                    )
