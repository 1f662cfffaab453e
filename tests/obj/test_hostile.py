"""Random objects with hostile values: an ObjectError that says where, or a file that independent readers accept.

`MOCHI_OBJECT_FUZZ=20000` sets the number of objects.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
from pathlib import Path
from typing import Any

import pytest
from images import tool

from objwriter import coff, elf, macho
from objwriter.targets import TARGETS, targets_of
from objwriter.write import write
from objwriter.model import (
    ABSOLUTE,
    B_GLOBAL,
    B_LOCAL,
    B_WEAK,
    K_FILE,
    K_FUNC,
    K_NONE,
    K_OBJECT,
    K_SECTION,
    K_TLS,
    S_BSS,
    S_DATA,
    S_NOTE,
    S_RODATA,
    S_TEXT,
    S_TLSBSS,
    S_TLSDATA,
    UNDEF,
    Object,
    ObjectError,
    Relocation,
    Section,
    Symbol,
    Target,
)
from objwriter.relocs import load_relocs
from objwriter.relocs.formats import load_format

FORMATS: dict[str, Any] = {"elf": elf, "macho": macho, "coff": coff}
COUNT = int(os.environ.get("MOCHI_OBJECT_FUZZ", "600"))
NUMBERS = (-1, -2, -3, 1, 2, 3, 5, 255, 256, 4096, 65535, 65536, 1 << 24, (1 << 31) - 1, 1 << 31, -(1 << 31))
NUMBERS += ((1 << 32) - 1, 1 << 32, 5 << 30, (1 << 63) - 1, 1 << 63, (1 << 64) - 1, 1 << 64, -(1 << 63), 1 << 80)
NAMES = (
    "",
    "a\0b",
    "\ud800",
    "é",
    "\udcff",
    "\1f",
    "\1",
    "f",
    "_f",
    "x" * 300,
    ".weak.f.default",
    "@feat.00",
    "a,b",
    "A,",
)
KINDS = ("R_ADDR", "R_PCREL", "R_CALL", "R_GOTPCREL", "ELF:1", "ELF:99999", "ELF:", "ELF:²", "MACHO:BRANCH", "MACHO:")
KINDS += ("COFF:SECREL", "COFF:", "", "R_NOTHING", "MACHO:SUBTRACTOR", "MACHO:ADDEND", "ELF:255", "COFF:PAGEBASE_REL21")


def known_kinds(fmt: str, target: Target) -> list[tuple[str, int]]:
    if fmt == "elf":
        return list(load_relocs(target).table)
    return list(load_format(target)[0])


def valid_object(rnd: random.Random, fmt: str, target: Target) -> Object:
    obj = Object(target)
    kinds = (S_TEXT, S_DATA, S_RODATA, S_BSS, S_TLSBSS, S_TLSDATA, S_NOTE)
    prefix = {
        S_TEXT: ".text",
        S_DATA: ".data",
        S_RODATA: ".rodata",
        S_BSS: ".bss",
        S_TLSBSS: ".tbss",
        S_TLSDATA: ".tdata",
    }
    for i in range(rnd.randrange(1, 6)):
        kind = rnd.choice(kinds)
        s = Section(f"{prefix[kind]}.s{i}" if kind in prefix else "notes", kind, 1 << rnd.randrange(6))
        s.size = rnd.randrange(0, 64)
        if kind not in (S_BSS, S_TLSBSS):
            s.data = rnd.randbytes(s.size)
        if kind == S_NOTE and i and obj.sections[0].link < 0:
            s.link = 0
        obj.sections.append(s)
    for i in range(rnd.randrange(1, 8)):
        number = rnd.randrange(-2, len(obj.sections))
        binding = rnd.choice((B_LOCAL, B_GLOBAL, B_GLOBAL, B_WEAK))
        symbol = Symbol(f"s{i}", number, 0, 0, K_NONE, binding)
        if number == UNDEF and binding == B_LOCAL:
            symbol.binding = B_GLOBAL
        if number == ABSOLUTE:
            symbol.value = rnd.randrange(1000)
            symbol.binding = B_GLOBAL if binding == B_WEAK else binding
        if number >= 0:
            s = obj.sections[number]
            symbol.value = rnd.randrange(s.size + 1) if rnd.random() < 0.5 else 0
            symbol.size = rnd.randrange(s.size - symbol.value + 1)
            symbol.kind = K_TLS if s.kind in (S_TLSBSS, S_TLSDATA) else rnd.choice((K_NONE, K_FUNC, K_OBJECT))
            symbol.hidden = rnd.random() < 0.2
        obj.symbols.append(symbol)
    if rnd.random() < 0.3:
        obj.symbols.append(Symbol("file.s", ABSOLUTE, 0, 0, K_FILE, B_LOCAL))
    if rnd.random() < 0.3:
        obj.symbols.append(Symbol("", 0, 0, 0, K_SECTION, B_LOCAL))
    table = known_kinds(fmt, target)
    for s in obj.sections:
        for _ in range(rnd.randrange(4) if s.data else 0):
            kind, size = rnd.choice(table)
            usable = [i for i, symbol in enumerate(obj.symbols) if symbol.kind != K_FILE]
            if size <= s.size and usable:
                off = rnd.randrange(s.size - size + 1)
                s.relocs.append(Relocation(off, size, kind, rnd.choice(usable), rnd.choice((0, 0, -4, -size, 8))))
    return obj


def spoil(rnd: random.Random, obj: Object) -> None:
    """One hostile value."""
    number: Any = rnd.choice(NUMBERS)
    if rnd.random() < 0.1:
        number = rnd.choice((None, "7", 1.5, b"", [], {}, object()))
    what = rnd.randrange(8)
    if what == 0:
        obj.flags = rnd.choice(NUMBERS)
        if rnd.random() < 0.5:
            obj.flags = 0
            obj.bounds = {rnd.choice(NAMES): (rnd.choice(NAMES), rnd.choice((S_NOTE, 77, -1)), True)}
    elif what <= 2:
        s = rnd.choice(obj.sections)
        slot = rnd.choice(("name", "kind", "align", "data", "size", "entry", "link", "raw_type", "raw_flags"))
        value: Any = {
            "name": rnd.choice((*NAMES, ".symtab", ".text", ".bss", ".data", ".tdata", "__DATA,__x", ".CRT$XCU")),
            "kind": rnd.choice((number, rnd.randrange(9))),
            "data": rnd.choice((number, rnd.randbytes(rnd.randrange(70)))),
            "link": rnd.choice((number, rnd.randrange(len(obj.sections)))),
            "raw_type": rnd.choice((number, 1, 7, 8, 14)),
            "raw_flags": rnd.choice((number, 0, 1, 2, 3, 0x403, 0x80, 0x12, 0x11, 0xC, 0x40000040, 0xC0000080)),
        }.get(slot, rnd.choice((number, rnd.randrange(70))))
        setattr(s, slot, value)
        if slot == "size" and s.kind == S_TLSBSS and isinstance(number, int) and s.size > 1 << 16 and s.size < 1 << 32:
            s.size = 1 << 16  # COFF writes these bytes
    elif what <= 4:
        symbol = rnd.choice(obj.symbols)
        slot = rnd.choice(("name", "section", "value", "size", "kind", "binding", "hidden"))
        if slot == "name":
            symbol.name = rnd.choice((*NAMES, rnd.choice(obj.symbols).name, number))
        else:
            setattr(symbol, slot, rnd.choice((number, rnd.randrange(-2, 7))))
    else:
        having = [s for s in obj.sections if s.relocs]
        if having:
            s = rnd.choice(having)
            r = rnd.choice(s.relocs)
            slot = rnd.choice(("off", "size", "kind", "symbol", "add", "add"))
            if slot == "kind":
                r.kind = rnd.choice((*KINDS, number))
            else:
                setattr(r, slot, rnd.choice((number, rnd.randrange(70))))


def read_elf(data: bytes) -> None:
    """Everything that pyelftools can decode."""
    elffile: Any = pytest.importorskip("elftools.elf.elffile")
    relocation: Any = pytest.importorskip("elftools.elf.relocation")
    file = elffile.ELFFile(io.BytesIO(data))
    for s in file.iter_sections():
        assert s.name is not None
        if isinstance(s, relocation.RelocationSection):
            names = file.get_section(s["sh_link"])
            target = file.get_section(s["sh_info"])
            for r in s.iter_relocations():
                assert names.get_symbol(r["r_info_sym"]) is not None
                assert r["r_offset"] <= target["sh_size"]
    names = file.get_section_by_name(".symtab")
    for symbol in names.iter_symbols():
        assert isinstance(symbol["st_shndx"], str) or symbol["st_shndx"] < file.num_sections()


def check_readers(paths: list[Path]) -> None:
    """llvm-readobj of all files; it says what is wrong on stderr."""
    argv = [tool("llvm-readobj"), "--sections", "--symbols", "--relocs", *map(str, paths)]
    done = subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[:2000]


@pytest.mark.parametrize("fmt", FORMATS)
def test_hostile(fmt: str, tmp_path: Path) -> None:
    lief: Any = pytest.importorskip("lief")
    lief.logging.disable()
    module = FORMATS[fmt]
    written: list[Path] = []
    refused = 0
    for i in range(COUNT // 3):
        rnd = random.Random(f"{fmt} {i}")
        target = TARGETS[rnd.choice(sorted(targets_of(fmt)))]
        obj = valid_object(rnd, fmt, target)
        for _ in range(rnd.choice((0, 1, 1, 1, 2, 3))):
            spoil(rnd, obj)
        try:
            data = getattr(module, f"write_{fmt}")(obj)
        except ObjectError as e:
            assert str(e), i
            refused += 1
            continue
        if fmt == "elf":
            read_elf(data)
        assert fmt == "coff" or lief.parse(list(data)) is not None, i
        path = tmp_path / f"{i}.o"
        path.write_bytes(data)
        written.append(path)
        if len(written) == 200:
            check_readers(written)
            for path in written:
                path.unlink()
            written.clear()
    if written:
        check_readers(written)
    assert COUNT // 12 < refused < COUNT // 3 - COUNT // 30  # both happen often


# Where (object, section .data.d, symbol t in it, relocation at 8), what is set, to what: the message in every format.
BAD = """
reloc   symbol  2          R_ADDR at .data.d.0x8 names symbol 2, but there are 2 symbols
reloc   symbol  -1         R_ADDR at .data.d.0x8 names symbol -1
reloc   off     61         R_ADDR lies outside of .data.d: offset 0x3d, size 0x40
reloc   off     -1         lies outside of .data.d
reloc   add     1<<80      addend .* does not fit .*u, .data.d.0x8
reloc   add     1.5        wrong type
reloc   kind    "R_NONE"   cannot express R_NONE of . bytes in .* .u, .data.d.0x8
symbol  section 1          symbol t is in section 1, which does not exist
symbol  section -3         symbol t is in section -3, which does not exist
symbol  value   65         symbol t lies outside of .data.d: value 0x41, size 0x0 of 0x40
symbol  size    65         symbol t lies outside of .data.d: value 0x0, size 0x41 of 0x40
symbol  value   -1         value -1 or size 0 of t does not fit
symbol  kind    9          symbol t has kind 9
symbol  binding 3          symbol t has kind 0 and binding 3
symbol  kind    3          symbol t is thread-local, but section .data.d is not
symbol  name    "u\\0v"    symbol name .* contains a NUL
symbol  name    "\\ud800"  symbol name .* cannot be written in UTF-8
symbol  name    ""         symbol 0 is not local and has no name
section kind    99         section .data.d is of kind 99
section kind    4          section .data.d has 64 bytes of contents, but its kind has none
section align   3          alignment 3 of section .data.d is not a power of two
section align   0          alignment 0 of section .data.d
section size    65         section .data.d has 64 bytes of 65
section size    -1         size -1 of section .data.d does not fit
section size    1<<70      of section .data.d does not fit
section entry   7          size 64 of section .data.d is no multiple of its entries of 7 bytes
section link    0          section .data.d describes section 0, which does not exist
section link    8          section .data.d describes section 8, which does not exist
section name    ""         section 0 has no name
section name    "a\\0"     section name .* contains a NUL
object  flags   1<<40      flags 0x10000000000 of the object do not fit 32 bits
"""


def small(target: Target) -> tuple[Object, dict[str, Any]]:
    obj = Object(target)
    s = Section(".data.d", S_DATA, 8)
    s.data, s.size = bytes(64), 64
    s.relocs = [Relocation(8, target.bits // 8, "R_ADDR", 1, 0)]
    obj.sections = [s]
    obj.symbols = [Symbol("t", 0), Symbol("u", UNDEF)]
    return obj, {"object": obj, "section": s, "symbol": obj.symbols[0], "reloc": s.relocs[0]}


@pytest.mark.parametrize(
    "name", ["linux/amd64", "linux/mips", "linux/arm", "darwin/arm64", "windows/amd64", "windows/386"]
)
@pytest.mark.parametrize("row", BAD.strip().split("\n"))
def test_bad(name: str, row: str) -> None:
    where, slot, rest = row.split(None, 2)
    value, _, message = rest.partition(" ")
    obj, parts = small(TARGETS[name])
    write(obj, TARGETS[name])  # right so far
    setattr(parts[where], slot, eval(value))
    with pytest.raises(ObjectError, match=message.strip()):
        write(obj, TARGETS[name])


def test_defined_twice() -> None:
    """In the spelling of the format: \\1 leaves the prefix out."""
    for fmt, name, first, second in (
        ("elf", "linux/amd64", "f", "f"),
        ("macho", "darwin/amd64", "f", "\1_f"),
        ("coff", "windows/amd64", "f", "\1f"),
        ("coff", "windows/386", "f", "\1_f"),
    ):
        obj, _ = small(TARGETS[name])
        obj.symbols += [Symbol(first, 0), Symbol(second, 0, 8)]
        with pytest.raises(ObjectError, match=r"_?f is defined twice"):
            getattr(FORMATS[fmt], f"write_{fmt}")(obj)


# Format, slot of the section, value, message: what one format cannot say.
LIMITS = """
coff  size     5<<30  size 5368709120 of section .bss.d does not fit the 32 bits of COFF
coff  align    16384  alignment 16384 of section .bss.d is not a power of two up to 8192
coff  raw_type 8      COFF has no place for the type 8 of section .bss.d
coff  raw_flags 4096  flags 0x1000 of section .bss.d are for the writer to set
macho align    65536  alignment 65536 of section .bss.d is not a power of two up to 32768
macho raw_type 8      Mach-O has no place for the type 8
macho raw_flags 0     section __DATA,__bss has two kinds of contents .*.bss.d
macho size     (1<<64)-1 the sections of the object do not fit 64 bits
elf   raw_type 2      section .bss.d of type 0x2 is one that the writer makes itself
elf   raw_type 1      section .bss.d has 0 bytes of 8
elf   name     ".strtab" section .strtab of type 0x8 is one that the writer makes itself
"""


@pytest.mark.parametrize("row", LIMITS.strip().split("\n"))
def test_limits(row: str) -> None:
    fmt, slot, value, message = row.split(None, 3)
    obj = Object(TARGETS[{"elf": "linux/amd64", "macho": "darwin/arm64", "coff": "windows/arm64"}[fmt]])
    first, s = Section(".bss.a", S_BSS), Section(".bss.d", S_BSS)
    first.size = s.size = 8
    obj.sections = [first, s]
    setattr(s, slot, eval(value))
    with pytest.raises(ObjectError, match=message):
        getattr(FORMATS[fmt], f"write_{fmt}")(obj)


def test_32_bits() -> None:
    """A 32-bit format's own sizes."""
    obj = Object(TARGETS["linux/386"])
    s = Section(".bss.d", S_BSS)
    s.size = 5 << 30
    obj.sections = [s]
    with pytest.raises(ObjectError, match=r"size 5368709120 of section .bss.d does not fit 32 bits"):
        elf.write_elf(obj)
    with pytest.raises(ObjectError, match="linux/386 is no target of COFF"):
        coff.write_coff(obj)
