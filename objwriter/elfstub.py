"""Stub shared objects: what a linker needs of a shared ELF library, and nothing else.

To link against a library a linker reads three sections: the dynamic symbols, their names, and the dynamic section,
which says under what name (DT_SONAME) the loader will look for the library (gABI, "Dynamic Linking").  A stub has
these with the functions that a program wants, so programs for any system link on every machine, with the same result.
The functions have no versions: the loader binds such references to the oldest version of a name that the library has.

    write_elf_stub("linux/arm64", "libm.so.6", ["cos", "sin"])
"""

from __future__ import annotations

from struct import pack
from typing import Final

from objwriter.check import check_name
from objwriter.model import ObjectError
from objwriter.targets import TARGETS

_EHDR: Final = 64
_SHDR: Final = 64
_SYM: Final = 24
_ET_DYN: Final = 3
_SHT_STRTAB, _SHT_DYNAMIC, _SHT_NOBITS, _SHT_DYNSYM, _SHT_PROGBITS = 3, 6, 8, 11, 1
_SHF_ALLOC, _SHF_WRITE, _SHF_EXECINSTR = 2, 1, 4
_DT_STRTAB, _DT_SYMTAB, _DT_STRSZ, _DT_SYMENT, _DT_SONAME = 5, 6, 10, 11, 14
_GLOBAL_FUNC: Final = 1 << 4 | 2
_TEXT: Final = 4  # index of the section where the functions claim to be


def write_elf_stub(target_name: str, soname: str, functions: list[str]) -> bytes:
    """The bytes of a shared object with these functions, for a 64-bit target."""
    target = TARGETS.get(target_name)
    if target is None or target.bits != 64 or target.format != "elf":
        raise ObjectError(f"no stub libraries for {target_name}")
    order = ">" if target.big_endian else "<"
    names = bytearray(b"\0")

    def name(text: str) -> int:
        at = len(names)
        check_name(text, "symbol" if text is not soname else "library")
        names.extend(text.encode("utf-8", "surrogateescape") + b"\0")
        return at

    symbols = bytearray(_SYM)
    for i, f in enumerate(sorted(functions)):
        symbols += pack(order + "IBBHQQ", name(f), _GLOBAL_FUNC, 0, _TEXT, 16 * i, 16)
    called = name(soname)
    strings = bytes(names)
    section_names = b"\0.dynsym\0.dynstr\0.dynamic\0.text\0.shstrtab\0"
    at_symbols = _EHDR
    at_strings = at_symbols + len(symbols)
    at_dynamic = (at_strings + len(strings) + 7) & -8
    rows = (
        (_DT_SONAME, called), (_DT_STRTAB, at_strings), (_DT_SYMTAB, at_symbols), (_DT_STRSZ, len(strings)),
        (_DT_SYMENT, _SYM), (0, 0),
    )  # fmt: skip
    dynamic = b"".join(pack(order + "QQ", tag, value) for tag, value in rows)
    at_names = at_dynamic + len(dynamic)
    at_headers = (at_names + len(section_names) + 7) & -8
    text_at = 0x10000
    headers = b"".join(
        pack(order + "IIQQQQIIQQ", *row)
        for row in (
            (0,) * 10,
            (1, _SHT_DYNSYM, _SHF_ALLOC, at_symbols, at_symbols, len(symbols), 2, 1, 8, _SYM),
            (9, _SHT_STRTAB, _SHF_ALLOC, at_strings, at_strings, len(strings), 0, 0, 1, 0),
            (17, _SHT_DYNAMIC, _SHF_ALLOC | _SHF_WRITE, at_dynamic, at_dynamic, len(dynamic), 2, 0, 8, 16),
            (26, _SHT_NOBITS, _SHF_ALLOC | _SHF_EXECINSTR, text_at, at_headers, 16 * len(functions), 0, 0, 16, 0),
            (32, _SHT_STRTAB, 0, 0, at_names, len(section_names), 0, 0, 1, 0),
        )
    )
    ident = b"\x7fELF" + bytes((2, 2 if target.big_endian else 1, 1, 0)) + bytes(8)
    head = ident + pack(
        order + "HHIQQQIHHHHHH",
        _ET_DYN, target.machine, 1, 0, 0, at_headers, target.flags, _EHDR, 0, 0, _SHDR, 6, 5,
    )  # fmt: skip
    out = bytearray(head + bytes(symbols) + strings)
    for at, part in ((at_dynamic, dynamic), (at_names, section_names), (at_headers, headers)):
        out += bytes(at - len(out)) + part
    return bytes(out)
