"""ELF objects, programs and libraries, read with pyelftools."""

from __future__ import annotations

import io
from typing import Any, Final

from mochic.inspect.image import Damage, Image, Relocation, Section, Symbol, text, within
from mochic.inspect.readers import package, reading

_FLAGS: Final = (("w", 1), ("a", 2), ("x", 4), ("m", 16), ("l", 128), ("g", 512), ("t", 1024), ("c", 2048))
# e_machine, cpu for the disassembler (32 bits, 64 bits), table of pyelftools
_MACHINE_ROWS: Final = """
EM_X86_64    x86_64  x86_64  x64
EM_386       i386    i386    i386
EM_AARCH64   aarch64 aarch64 AARCH64
EM_ARM       arm     arm     ARM
EM_RISCV     riscv32 riscv64 -
EM_MIPS      mips    mips64  MIPS
EM_PPC       ppc     ppc     PPC
EM_PPC64     ppc64   ppc64   PPC64
EM_S390      s390x   s390x   S390X
EM_LOONGARCH -       -       LOONGARCH
"""
_MACHINES: Final = {row.split()[0]: row.split()[1:] for row in _MACHINE_ROWS.strip().split("\n")}
# Number and name of what pyelftools does not have or gives other names: RISC-V ELF psABI, "Relocations"; System V psABI
# for x86-64, 4.4.1, and i386, 4.3; AAELF64, 5.7.
_RELOCATIONS: Final = {
    "EM_RISCV": """R_RISCV_
0 NONE 1 32 2 64 3 RELATIVE 4 COPY 5 JUMP_SLOT 6 TLS_DTPMOD32 7 TLS_DTPMOD64 8 TLS_DTPREL32 9 TLS_DTPREL64
10 TLS_TPREL32 11 TLS_TPREL64 12 TLSDESC 16 BRANCH 17 JAL 18 CALL 19 CALL_PLT 20 GOT_HI20 21 TLS_GOT_HI20
22 TLS_GD_HI20 23 PCREL_HI20 24 PCREL_LO12_I 25 PCREL_LO12_S 26 HI20 27 LO12_I 28 LO12_S 29 TPREL_HI20
30 TPREL_LO12_I 31 TPREL_LO12_S 32 TPREL_ADD 33 ADD8 34 ADD16 35 ADD32 36 ADD64 37 SUB8 38 SUB16 39 SUB32 40 SUB64
41 GOT32_PCREL 43 ALIGN 44 RVC_BRANCH 45 RVC_JUMP 51 RELAX 52 SUB6 53 SET6 54 SET8 55 SET16 56 SET32 57 32_PCREL
58 IRELATIVE 59 PLT32 60 SET_ULEB128 61 SUB_ULEB128 62 TLSDESC_HI20 63 TLSDESC_LOAD_LO12 64 TLSDESC_ADD_LO12
65 TLSDESC_CALL 191 VENDOR""",
    "EM_X86_64": "R_X86_64_ 32 SIZE32 33 SIZE64 38 RELATIVE64 41 GOTPCRELX 42 REX_GOTPCRELX 43 CODE_4_GOTPCRELX",
    "EM_386": "R_386_ 38 SIZE32 43 GOT32X",
    "EM_AARCH64": "R_AARCH64_ 0 NONE 299 LDST128_ABS_LO12_NC 313 LD64_GOTPAGE_LO15 314 PLT32 315 GOTPCREL32"
    " 1028 TLS_DTPMOD64 1029 TLS_DTPREL64 1030 TLS_TPREL64 1031 TLSDESC 1032 IRELATIVE",
}
_LIBRARY_TAGS: Final = {"DT_SONAME": "soname", "DT_RPATH": "rpath", "DT_RUNPATH": "runpath"}


def _tail(name: Any) -> str:
    """ET_REL -> REL; what has no name stays a number."""
    if isinstance(name, int):
        return f"{name:#x}"
    return str(name).partition("_")[2] or str(name)


def _relocation_names(machine: str) -> dict[int, str]:
    table = _MACHINES.get(machine, ("", "", ""))[2]
    names: dict[str, int] = getattr(package("elftools.elf.enums"), f"ENUM_RELOC_TYPE_{table}", {})
    prefix, *words = _RELOCATIONS.get(machine, "-").split()
    theirs = {number: name for name, number in names.items() if isinstance(number, int)}
    return theirs | {int(n): prefix + name for n, name in zip(words[::2], words[1::2], strict=True)}


def read_elf(data: bytes, image: Image) -> None:
    within(data, "the header", 0, 64 if data[4:5] == b"\2" else 52)
    with reading("elftools"):
        elf = package("elftools.elf.elffile").ELFFile(io.BytesIO(data))
        _read(elf, data, image)


def _check_tables(elf: Any, data: bytes) -> None:
    """That what the headers speak of is in the file, before anything follows it."""
    header = elf.header
    if header["e_shoff"]:
        if header["e_shentsize"] != (64 if elf.elfclass == 64 else 40):
            raise Damage(f"damaged: entries of {header['e_shentsize']} bytes in the section table")
        within(data, "the section table", header["e_shoff"], header["e_shentsize"])
        within(data, "the section table", header["e_shoff"], header["e_shentsize"] * elf.num_sections())
    if header["e_phoff"] and header["e_phnum"]:
        if header["e_phentsize"] != (56 if elf.elfclass == 64 else 32):
            raise Damage(f"damaged: entries of {header['e_phentsize']} bytes in the table of segments")
        within(data, "the table of segments", header["e_phoff"], header["e_phentsize"] * elf.num_segments())


def _read(elf: Any, data: bytes, image: Image) -> None:
    order = "little" if elf.little_endian else "big"
    machine = str(elf["e_machine"])
    image.title = f"ELF{elf.elfclass} {order}-endian {_tail(machine)} {_tail(elf['e_type'])}"
    image.cpu = _MACHINES.get(machine, ("", ""))[elf.elfclass == 64].strip("-")
    image.little = elf.little_endian
    image.sized = True
    image.linked = str(elf["e_type"]) in ("ET_EXEC", "ET_DYN")
    image.facts += [("entry", f"{elf['e_entry']:#x}"), ("flags", f"{elf['e_flags']:#x}")]
    _check_tables(elf, data)
    for i in range(elf.num_segments() if elf["e_phoff"] else 0):
        _segment(elf.get_segment(i), data, image)
    sections = _sections(elf, data, image)
    for s in sections:
        kind = s["sh_type"]
        if kind in ("SHT_SYMTAB", "SHT_DYNSYM"):
            if s["sh_entsize"] != (24 if elf.elfclass == 64 else 16):
                raise Damage(f"damaged: entries of {s['sh_entsize']} bytes in {text(s.name.encode())}")
            image.symbols.append((text(s.name.encode("utf-8", "replace")), _symbols(s, image)))
    names = _relocation_names(machine)
    for s in sections:
        if s["sh_type"] in ("SHT_RELA", "SHT_REL"):
            _relocations(s, sections, names, image)
        elif s["sh_type"] == "SHT_RELR":  # packed; all are of one type
            kind = next((name for name in names.values() if name.endswith("_RELATIVE")), "RELATIVE")
            image.relocs += [Relocation(r["r_offset"], kind) for r in s.iter_relocations()]
    if image.cpu == "x86_64":
        _name_stubs(image)


def _name_stubs(image: Image) -> None:
    """Names the entries of the procedure linkage table by the slots through which they jump (psABI, 5.2)."""
    for s in image.sections:
        if not s.code or not s.name.startswith(".plt"):
            continue
        data = image.contents(s)
        at = data.find(b"\xff\x25")
        while 0 <= at <= len(data) - 6:
            slot = s.address + at + 6 + int.from_bytes(data[at + 2 : at + 6], "little", signed=True)
            if slot in image.names:
                image.names.setdefault(s.address + (at & ~7), image.names[slot] + "@plt")
            at = data.find(b"\xff\x25", at + 6)


def _segment(p: Any, data: bytes, image: Image) -> None:
    within(data, "a segment", p["p_offset"], p["p_filesz"])
    flags = "".join(c if p["p_flags"] & bit else "-" for c, bit in (("r", 4), ("w", 2), ("x", 1)))
    image.segments.append(
        f"{_tail(p['p_type']):<14}{flags}  address {p['p_vaddr']:#010x}  file {p['p_filesz']:>8}"
        f"  memory {p['p_memsz']:>8}  align {p['p_align']:#x}"
    )
    kind = p["p_type"]
    if kind == "PT_INTERP":
        image.facts.append(("interpreter", text(p.get_interp_name().encode("utf-8", "replace"))))
    elif kind == "PT_DYNAMIC":
        for tag in p.iter_tags():
            name = str(tag.entry.d_tag)
            if name == "DT_NEEDED":
                image.libraries.append(text(tag.needed.encode("utf-8", "replace")))
            elif name in _LIBRARY_TAGS:
                value = getattr(tag, name[3:].lower())
                image.facts.append((_LIBRARY_TAGS[name], text(value.encode("utf-8", "replace"))))
    elif kind == "PT_NOTE":
        for note in p.iter_notes():
            if note["n_type"] == "NT_GNU_BUILD_ID":
                image.facts.append(("build-id", str(note["n_desc"])))


def _sections(elf: Any, data: bytes, image: Image) -> list[Any]:
    """Fills in the sections; the reader's, by their number."""
    found = [elf.get_section(i) for i in range(elf.num_sections())]
    for i, s in enumerate(found):
        if i == 0:
            continue
        name = text(s.name.encode("utf-8", "surrogateescape"))
        stored = 0 if s["sh_type"] == "SHT_NOBITS" else s["sh_size"]
        within(data, f"section {name}", s["sh_offset"] if stored else 0, stored)
        flags = "".join(letter for letter, bit in _FLAGS if s["sh_flags"] & bit)
        ours = Section(
            i, name, _tail(s["sh_type"]), flags, s["sh_addr"], s["sh_size"], s["sh_addralign"], s["sh_offset"], stored
        )
        ours.code = bool(s["sh_flags"] & 4)
        image.sections.append(ours)
    return found


def _symbols(table: Any, image: Image) -> list[Symbol]:
    out: list[Symbol] = []
    sections = image.sections
    wide = next((s for s in table.elffile.iter_sections() if s["sh_type"] == "SHT_SYMTAB_SHNDX"), None)
    for n, symbol in enumerate(table.iter_symbols()):
        if n == 0:
            continue
        where = symbol["st_shndx"]
        number = where if isinstance(where, int) else -1
        if where in (0xFFFF, "SHN_XINDEX"):
            if wide is None:
                raise Damage("damaged: section numbers of symbols are missing")
            number = wide.get_section_index(n)
        if 0 < number <= len(sections):
            place = sections[number - 1].name
        else:
            place = _tail(where) if number < 0 else "?"
            number = -1
        info = symbol["st_info"]
        name = text(symbol.name.encode("utf-8", "surrogateescape"))
        kind = _tail(info["type"])
        if kind == "SECTION" and not name and number > 0:
            name = place
        out.append(Symbol(name, symbol["st_value"], symbol["st_size"], kind, _tail(info["bind"]), number, place))
    return out


def _relocations(table: Any, sections: list[Any], names: dict[int, str], image: Image) -> None:
    link, into = table["sh_link"], table["sh_info"]
    symbols = sections[link] if 0 < link < len(sections) else None
    if symbols is not None and symbols["sh_type"] not in ("SHT_SYMTAB", "SHT_DYNSYM"):
        symbols = None
    rows = image.relocs if image.linked or not 0 < into < len(sections) else image.sections[into - 1].relocs
    rela = table["sh_type"] == "SHT_RELA"
    texts: dict[int, str] = {0: ""}
    for name, listed in image.symbols if symbols is not None else ():
        if name == text(symbols.name.encode("utf-8", "replace")):  # type: ignore[union-attr]
            texts.update(enumerate((s.name for s in listed), 1))
    for r in table.iter_relocations():
        number = r["r_info_sym"]
        if number not in texts:
            raise Damage(f"damaged: a relocation in {text(table.name.encode())} names symbol {number}")
        kind = names.get(r["r_info_type"], f"TYPE_{r['r_info_type']}")
        target = texts[number]
        addend = r["r_addend"] if rela else 0
        rows.append(Relocation(r["r_offset"], kind, target, addend))
        if image.linked and target and ("JUMP_SLOT" in kind or "JMP_SLO" in kind or "GLOB_DAT" in kind):
            image.names[r["r_offset"]] = target
