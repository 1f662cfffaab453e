"""Universal (fat) Mach-O files: one file for several machines (<mach-o/fat.h>, all fields big-endian).

A slice is an executable or an object.  Each starts on a page of its machine, because the
kernel maps it from the file as it is; signatures inside stay valid.
"""

from __future__ import annotations

from struct import pack, unpack_from
from typing import Final

from objwriter.macho import MH_MAGIC_64
from objwriter.model import ObjectError

FAT_MAGIC: Final = 0xCAFEBABE
# cputype -> log2 of the page size
_PAGE: Final = {0x01000007: 12, 0x0100000C: 14}


def write_universal(slices: list[bytes]) -> bytes:
    """One file of 64-bit Mach-O files for different machines, in the order given.

    >>> write_universal([])
    Traceback (most recent call last):
    objwriter.model.ObjectError: a universal file needs a slice
    """
    if not slices:
        raise ObjectError("a universal file needs a slice")
    seen: set[int] = set()
    where = 8 + 20 * len(slices)
    header = pack(">II", FAT_MAGIC, len(slices))
    parts: list[bytes] = []
    for data in slices:
        if len(data) < 32 or unpack_from("<I", data)[0] != MH_MAGIC_64:
            raise ObjectError("a slice of a universal file is not a 64-bit Mach-O file")
        cpu, sub = unpack_from("<II", data, 4)
        if cpu in seen:
            raise ObjectError(f"two slices of a universal file are for the same machine ({cpu:#x})")
        seen.add(cpu)
        shift = _PAGE.get(cpu, 14)
        pad = -where % (1 << shift)
        where += pad
        if where + len(data) >= 1 << 32:
            raise ObjectError("the universal file is larger than 4 GiB")
        header += pack(">IIIII", cpu, sub, where, len(data), shift)
        parts += [bytes(pad), data]
        where += len(data)
    return header + b"".join(parts)
