"""PE programs and libraries (Microsoft PE Format, 3).

Headers and sections are checked and read here, since lief does not say that something is missing; what the directories
hold (imports, exports, base relocations, debug information, signatures) comes from lief.
"""

from __future__ import annotations

from struct import Struct
from typing import Any, Final

from mochic.inspect.coff import MACHINES, Strings, read_section_table, read_symbols
from mochic.inspect.image import Damage, Image, Relocation, fields, within
from mochic.inspect.readers import lief_name, lief_parse, lief_word, reading

_FILE: Final = Struct("<4sHHIIIHH")
_OPTIONAL: Final = Struct("<HBBIIIII")
_BASE: Final = Struct("<I")
_BASE64: Final = Struct("<Q")
_SUBSYSTEMS: Final = {1: "native", 2: "windows", 3: "console", 7: "posix", 9: "ce", 10: "efi", 16: "boot"}
# Names by bit, `-` one without a name.
_FLAGS: Final = (
    "RELOCS_STRIPPED EXECUTABLE LINE_NUMS_STRIPPED LOCAL_SYMS_STRIPPED - LARGE_ADDRESS_AWARE - - 32BIT"
    " DEBUG_STRIPPED - - SYSTEM DLL UP_SYSTEM_ONLY"
)
_DLL_FLAGS: Final = (
    "- - - - - HIGH_ENTROPY_VA DYNAMIC_BASE FORCE_INTEGRITY NX_COMPAT NO_ISOLATION NO_SEH NO_BIND APPCONTAINER"
    " WDM_DRIVER GUARD_CF TERMINAL_SERVER_AWARE"
)
_DIRECTORIES: Final = (
    "exports", "imports", "resources", "exceptions", "certificates", "base relocations", "debug", "architecture",
    "global pointer", "thread storage", "load configuration", "bound imports", "import addresses", "delayed imports",
    "clr", "",
)  # fmt: skip


def _words(bits: int, names: str) -> str:
    words = [name for bit, name in enumerate(names.split()) if bits >> bit & 1 and name != "-"]
    return f"{bits:#x} {' '.join(words)}".rstrip()


def read_pe(data: bytes, image: Image) -> None:
    within(data, "the DOS header", 0, 64)
    start = int.from_bytes(data[60:64], "little")
    magic, machine, count, stamp, table, symbols, optional, bits = fields(data, _FILE, "the PE header", start)
    if magic != b"PE\0\0":
        raise Damage("a program for DOS, without a PE header")
    at = start + _FILE.size
    within(data, "the optional header", at, optional)
    kind, _, _, _, _, _, entry, _ = fields(data, _OPTIONAL, "the optional header", at)
    wide = kind == 0x20B
    if kind not in (0x10B, 0x20B) or optional < (112 if wide else 96):
        raise Damage("damaged: the optional header is not that of an image")
    name, cpu, _ = MACHINES.get(machine, (f"machine {machine:#x}", "", ""))
    image.title = f"PE32{'+' if wide else ''} {name} {'DLL' if bits & 0x2000 else 'EXE'}"
    image.cpu, image.linked = cpu, True
    base = fields(data, _BASE64 if wide else _BASE, "the optional header", at + (24 if wide else 28))[0]
    subsystem, dll_bits = Struct("<HH").unpack_from(data, at + 68)
    image.facts += [
        ("entry", f"{base + entry:#x}" if entry else "none"),
        ("image-base", f"{base:#x}"),
        ("subsystem", _SUBSYSTEMS.get(subsystem, str(subsystem))),
        ("flags", _words(bits, _FLAGS)),
        ("loader-flags", _words(dll_bits, _DLL_FLAGS)),
        ("time-stamp", f"{stamp:#x}"),
    ]
    _directories(data, at, optional, wide, image)
    strings = Strings(data, table + symbols * 18) if table else None
    read_section_table(data, at + optional, count, strings, image)
    for s in image.sections:
        s.address += base
    if table:
        rows, _ = read_symbols(data, table, symbols, False, image.sections)
        image.symbols.append(("symbol table", rows))
    with reading("lief"):
        _linked(lief_parse("PE", data), base, image)


def _directories(data: bytes, at: int, optional: int, wide: bool, image: Image) -> None:
    first = at + (112 if wide else 96)
    count = int.from_bytes(data[first - 4 : first], "little")
    for i in range(min(count, (optional - (first - at)) // 8, 16)):
        address, size = Struct("<II").unpack_from(data, first + 8 * i)
        if not address:
            continue
        if _DIRECTORIES[i] == "certificates":  # the only one with a place in the file instead of an address
            within(data, "the signature", address, size)
            image.facts.append(("signature", f"{size} bytes"))
        elif _DIRECTORIES[i]:
            image.facts.append(("directory", f"{_DIRECTORIES[i]} at {address:#x}, {size} bytes"))


def _linked(binary: Any, base: int, image: Image) -> None:
    for library in [*binary.imports, *binary.delay_imports]:
        dll = lief_name(library, "name")
        image.libraries.append(dll)
        for e in library.entries:
            name = f"ordinal {e.ordinal}" if e.is_ordinal else lief_name(e, "name")
            image.imports.append((dll, name))
            slot = getattr(e, "iat_address", 0)
            if slot:
                image.names[base + slot] = f"{dll}!{name}"
    if binary.has_exports:
        for e in binary.get_export().entries:
            name = lief_name(e, "name") or f"ordinal {e.ordinal}"
            if e.is_forwarded:
                f = e.forward_information
                name += f" -> {lief_name(f, 'library')}.{lief_name(f, 'function')}"
            image.exports.append((base + e.address if e.address else 0, name))
            if e.address and e.address + base not in image.names:
                image.names[e.address + base] = name
    for block in binary.relocations:
        for e in block.entries:
            kind = lief_word(e, "type")
            if kind == "ABS":
                continue  # fills the block up
            image.relocs.append(Relocation(base + block.virtual_address + e.position, kind))
    for entry in binary.debug:
        if hasattr(entry, "filename"):
            name = lief_name(entry, "filename")
            image.facts.append(("debug-information", name))
