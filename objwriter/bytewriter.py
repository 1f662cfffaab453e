"""Endian-aware packing: one set of struct objects per byte order, made once."""

from __future__ import annotations

from struct import Struct
from typing import Final


class ByteWriter:
    """A growing buffer with the fixed-width writes that object formats need.

    >>> w = ByteWriter(big_endian=True)
    >>> w.u16(258); w.align(4); bytes(w.data)
    b'\\x01\\x02\\x00\\x00'
    """

    __slots__ = ("data", "order", "_u16", "_u32", "_u64")

    def __init__(self, big_endian: bool = False) -> None:
        self.data = bytearray()
        self.order = ">" if big_endian else "<"
        self._u16 = Struct(self.order + "H")
        self._u32 = Struct(self.order + "I")
        self._u64 = Struct(self.order + "Q")

    def u8(self, value: int) -> None:
        self.data.append(value)

    def u16(self, value: int) -> None:
        self.data += self._u16.pack(value)

    def u32(self, value: int) -> None:
        self.data += self._u32.pack(value)

    def u64(self, value: int) -> None:
        self.data += self._u64.pack(value)

    def uleb(self, value: int) -> None:
        """Unsigned LEB128 (DWARF 5, 7.6)."""
        while True:
            byte = value & 0x7F
            value >>= 7
            if not value:
                self.data.append(byte)
                return
            self.data.append(byte | 0x80)

    def sleb(self, value: int) -> None:
        """Signed LEB128."""
        while True:
            byte = value & 0x7F
            value >>= 7
            if (value == 0 and not byte & 0x40) or (value == -1 and byte & 0x40):
                self.data.append(byte)
                return
            self.data.append(byte | 0x80)

    def align(self, n: int) -> None:
        """Pads with zeros to a multiple of n."""
        self.data += bytes(-len(self.data) % n)

    def pad_to(self, offset: int) -> None:
        """Pads with zeros up to an offset, which must not be behind."""
        assert offset >= len(self.data)
        self.data += bytes(offset - len(self.data))


LITTLE: Final = "<"
BIG: Final = ">"
