"""`mochi inspect FILE`: headers, sections, symbols, relocations, disassembly of an object or binary.

ELF is read with pyelftools, Mach-O and PE with lief; code is disassembled with capstone where that is
installed.  All three are imported here and nowhere on the build path.
"""

from __future__ import annotations

import sys
from typing import Any, Final, TextIO

_MAGICS: Final = (
    (b"\x7fELF", "elf"),
    (b"MZ", "pe"),
    (b"\xcf\xfa\xed\xfe", "macho"),
    (b"\xce\xfa\xed\xfe", "macho"),
    (b"\xca\xfe\xba\xbe", "macho"),
    (b"\0asm", "wasm"),
    (b"!<arch>\n", "archive"),
    (b"\x64\x86", "coff"),
    (b"\x64\xaa", "coff"),
    (b"\x4c\x01", "coff"),
)
_FLAGS: Final = (("w", 1), ("a", 2), ("x", 4), ("m", 16), ("l", 128), ("t", 1024))
_WASM_SECTIONS: Final = (
    "custom", "type", "import", "function", "table", "memory", "global", "export", "start", "element", "code", "data",
    "datacount",
)  # fmt: skip


def inspect_file(path: str, stdout: TextIO | None = None, disassemble: bool = True) -> int:
    """Prints what is in a file; 0, or 2 when it cannot be read or is no object."""
    out = stdout if stdout is not None else sys.stdout
    try:
        with open(path, "rb") as fh:
            data = fh.read()
    except OSError as e:
        sys.stderr.write(f"mochi inspect: cannot read {path}: {e.strerror}\n")
        return 2
    kind = next((name for magic, name in _MAGICS if data.startswith(magic)), "")
    if not kind:
        sys.stderr.write(f"mochi inspect: {path} is not an object file, archive or executable\n")
        return 2
    try:
        if kind == "elf":
            _elf(data, out, disassemble)
        elif kind == "archive":
            _archive(data, out)
        elif kind == "wasm":
            _wasm(data, out)
        else:
            _with_lief(data, kind, out)
    except ModuleNotFoundError as e:
        name = {"elftools": "pyelftools"}.get(str(e.name), e.name)
        sys.stderr.write(f"mochi inspect: needs the Python package {name}: `pip install {name}`\n")
        return 3
    except BrokenPipeError:
        return 0
    except Exception as e:  # the readers raise many kinds for damaged files
        sys.stderr.write(f"mochi inspect: {path} is damaged: {type(e).__name__}: {e}\n")
        return 2
    return 0


def _package(name: str) -> Any:
    """A module that only this command needs (untyped, slow to import)."""
    import importlib

    return importlib.import_module(name)


def _elf(data: bytes, out: TextIO, disassemble: bool) -> None:
    import io

    elf = _package("elftools.elf.elffile").ELFFile(io.BytesIO(data))
    write = out.write
    order = "little" if elf.little_endian else "big"
    write(f"ELF{elf.elfclass} {order}-endian {_tail(elf['e_machine'])} {_tail(elf['e_type'])}\n")
    write(f"entry {elf['e_entry']:#x}  flags {elf['e_flags']:#x}  {len(data)} bytes\n")
    if elf.num_segments():
        write("\nsegments\n")
        for p in elf.iter_segments():
            flags = "".join(c if p["p_flags"] & bit else "-" for c, bit in (("r", 4), ("w", 2), ("x", 1)))
            write(
                f"  {_tail(str(p['p_type'])):<14}{flags}  address {p['p_vaddr']:#010x}  file {p['p_filesz']:>8}"
                f"  memory {p['p_memsz']:>8}  align {p['p_align']:#x}\n"
            )
    write("\nsections\n")
    sections = list(elf.iter_sections())
    for i, s in enumerate(sections):
        if i:
            flags = "".join(letter for letter, bit in _FLAGS if s["sh_flags"] & bit)
            write(
                f"  {i:>4} {s.name:<28}{_tail(str(s['sh_type'])):<14}{flags:<5}{s['sh_size']:>9} bytes"
                f"  align {s['sh_addralign']}\n"
            )
    relocs: dict[int, list[tuple[int, str]]] = {}
    by_section: dict[int, list[tuple[int, int, str]]] = {}
    for s in sections:
        if s["sh_type"] in ("SHT_SYMTAB", "SHT_DYNSYM"):
            write(f"\nsymbols ({s.name})\n")
            for n, symbol in enumerate(s.iter_symbols()):
                if n == 0:
                    continue
                where = symbol["st_shndx"]
                if isinstance(where, int):
                    by_section.setdefault(where, []).append((symbol["st_value"], symbol["st_size"], symbol.name))
                    place = sections[where].name if where < len(sections) else "?"
                else:
                    place = _tail(where)
                info = symbol["st_info"]
                write(
                    f"  {symbol['st_value']:#010x} {symbol['st_size']:>7} {_tail(info['type']):<8}"
                    f"{_tail(info['bind']):<7}{symbol.name}  [{place}]\n"
                )
        elif s["sh_type"] in ("SHT_RELA", "SHT_REL"):
            symbols = elf.get_section(s["sh_link"])
            names = _relocation_names(elf)
            rows = relocs.setdefault(s["sh_info"], [])
            for r in s.iter_relocations():
                symbol = symbols.get_symbol(r["r_info_sym"]) if symbols is not None else None
                name = symbol.name if symbol is not None else ""
                add = f"{r['r_addend']:+d}" if s.is_RELA() and r["r_addend"] else ""
                rows.append((r["r_offset"], f"{names.get(r['r_info_type'], r['r_info_type'])} {name}{add}"))
    if relocs:
        write("\nrelocations\n")
        for number, rows in sorted(relocs.items()):
            if number < len(sections):
                for offset, text in rows:
                    write(f"  {sections[number].name}+{offset:#x}  {text}\n")
    if disassemble:
        _disassemble_elf(elf, sections, by_section, relocs, out)


def _tail(name: Any) -> str:
    """ET_REL -> REL."""
    return str(name).partition("_")[2] or str(name)


def _relocation_names(elf: Any) -> dict[int, str]:
    enums = _package("elftools.elf.enums")
    table = {
        "EM_X86_64": "ENUM_RELOC_TYPE_x64",
        "EM_386": "ENUM_RELOC_TYPE_i386",
        "EM_AARCH64": "ENUM_RELOC_TYPE_AARCH64",
        "EM_ARM": "ENUM_RELOC_TYPE_ARM",
        "EM_MIPS": "ENUM_RELOC_TYPE_MIPS",
        "EM_PPC64": "ENUM_RELOC_TYPE_PPC64",
        "EM_S390": "ENUM_RELOC_TYPE_S390X",
        "EM_LOONGARCH": "ENUM_RELOC_TYPE_LOONGARCH",
    }.get(str(elf["e_machine"]), "")
    names: dict[str, int] = getattr(enums, table, {})
    return {number: name for name, number in names.items() if isinstance(number, int)}


def _disassembler(machine: str, bits: int, little: bool) -> Any:
    """A capstone instance for an ELF machine; None when capstone is missing or does not know it."""
    try:
        c = _package("capstone")
    except ModuleNotFoundError:
        return None
    big = 0 if little else c.CS_MODE_BIG_ENDIAN
    row = {
        "EM_X86_64": (c.CS_ARCH_X86, c.CS_MODE_64),
        "EM_386": (c.CS_ARCH_X86, c.CS_MODE_32),
        "EM_AARCH64": (c.CS_ARCH_ARM64, c.CS_MODE_ARM),
        "EM_ARM": (c.CS_ARCH_ARM, c.CS_MODE_ARM),
        "EM_RISCV": (c.CS_ARCH_RISCV, c.CS_MODE_RISCV64 | c.CS_MODE_RISCVC),
        "EM_PPC64": (c.CS_ARCH_PPC, c.CS_MODE_64 | big),
        "EM_MIPS": (c.CS_ARCH_MIPS, (c.CS_MODE_MIPS64 if bits == 64 else c.CS_MODE_MIPS32) | big),
        "EM_S390": (c.CS_ARCH_SYSZ, c.CS_MODE_BIG_ENDIAN),
    }.get(machine)
    return c.Cs(*row) if row is not None else None


def _disassemble_elf(
    elf: Any,
    sections: list[Any],
    by_section: dict[int, list[tuple[int, int, str]]],
    relocs: dict[int, list[tuple[int, str]]],
    out: TextIO,
) -> None:
    md = _disassembler(str(elf["e_machine"]), elf.elfclass, elf.little_endian)
    if md is None:
        out.write("\nno disassembly: install capstone (`pip install capstone`); it knows most machines\n")
        return
    md.skipdata = True
    for number, s in enumerate(sections):
        if not s["sh_flags"] & 4 or s["sh_type"] == "SHT_NOBITS" or not s["sh_size"]:
            continue
        out.write(f"\ndisassembly of {s.name}\n")
        labels: dict[int, list[str]] = {}
        for value, _, name in by_section.get(number, ()):
            labels.setdefault(value, []).append(name)
        rows = sorted(relocs.get(number, ()))
        k = 0
        for address, size, mnemonic, operands in md.disasm_lite(s.data(), s["sh_addr"]):
            for name in labels.get(address, ()):
                out.write(f"{name}:\n")
            notes: list[str] = []
            while k < len(rows) and rows[k][0] < address - s["sh_addr"] + size:
                notes.append(rows[k][1])
                k += 1
            note = "   # " + ", ".join(notes) if notes else ""
            out.write(f"  {address:#8x}  {mnemonic} {operands}{note}\n")


def _archive(data: bytes, out: TextIO) -> None:
    out.write(f"archive, {len(data)} bytes\n")
    at = 8
    names = b""
    while at + 60 <= len(data):
        header = data[at : at + 60]
        size = int(header[48:58])
        name = header[:16].rstrip()
        if name == b"//":
            names = data[at + 60 : at + 60 + size]
        elif name.startswith(b"/") and name[1:].isdigit():
            start = int(name[1:])
            name = names[start : names.find(b"/\n", start)]
        out.write(f"  {size:>9} bytes  {name.decode('utf-8', 'replace')}\n")
        at += 60 + size + (size & 1)


def _wasm(data: bytes, out: TextIO) -> None:
    """Section names and sizes (WebAssembly core specification, 5.5.2)."""
    out.write(f"WebAssembly module, version {int.from_bytes(data[4:8], 'little')}, {len(data)} bytes\n")
    at = 8
    while at < len(data):
        number = data[at]
        size, shift = 0, 0
        at += 1
        while True:
            byte = data[at]
            at += 1
            size |= (byte & 0x7F) << shift
            shift += 7
            if not byte & 0x80:
                break
        name = _WASM_SECTIONS[number] if number < len(_WASM_SECTIONS) else f"section {number}"
        out.write(f"  {name:<10}{size:>9} bytes\n")
        at += size


def _with_lief(data: bytes, kind: str, out: TextIO) -> None:
    lief = _package("lief")
    binary = {"pe": lief.PE.parse, "coff": lief.COFF.parse, "macho": lief.MachO.parse}[kind](list(data))
    if binary is None:
        raise ValueError("not parsed")
    if kind == "macho":
        binary = binary.at(0)
    out.write(f"{kind} {getattr(binary, 'format', '')} {len(data)} bytes\n\nsections\n")
    for s in binary.sections:
        out.write(f"  {s.name:<24}{s.size:>9} bytes\n")
    out.write("\nsymbols\n")
    for s in binary.symbols:
        out.write(f"  {getattr(s, 'value', 0):#010x} {s.name}\n")
    relocs = list(getattr(binary, "relocations", ()))
    if relocs:
        out.write("\nrelocations\n")
        for r in relocs:
            name = r.symbol.name if getattr(r, "symbol", None) is not None else ""
            out.write(f"  {r.address:#010x} {getattr(r, 'type', '')} {name}\n")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.stderr.write("usage: mochi inspect FILE\n")
        sys.exit(2)
    sys.exit(inspect_file(sys.argv[1]))
