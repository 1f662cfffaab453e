"""What the ELF writer writes, pyelftools and lief read back; linkers and readelf accept it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
from typing import Any

import pytest

from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from backend.obj.sym import (
    A_DUPOK,
    A_HIDDEN,
    A_STATIC,
    SBSS,
    SDATA,
    SNOTE,
    SRODATA,
    STEXT,
    STLSBSS,
    LSym,
    Reloc,
)
from backend import load_arch
from mochic.link.linker import find_linker, link_command
from mochic.link.tools import run_tool
from mochic.targets import TARGETS as LINK_TARGETS
from objwriter.build import build_object
from objwriter.elf import write_elf
from objwriter.targets import TARGETS, targets_of
from objwriter.model import ObjectError, Target
from objwriter.relocs.amd64 import NUMBERS, ROWS
from objwriter.strtab import build_strtab

elffile = pytest.importorskip("elftools.elf.elffile")
AMD = TARGETS["linux/amd64"]


def sym(name: str, kind: int = STEXT, size: int = 16, attrs: int = 0) -> LSym:
    s = LSym(name, kind, attrs)
    if kind in (SBSS, STLSBSS):
        s.size = size
    else:
        s.data = bytearray(range(size))
    return s


def read(data: bytes) -> Any:
    return elffile.ELFFile(io.BytesIO(data))


# LSym kind, attrs -> section name, type, flags; binding, visibility, symbol type
SYMBOLS = """
text    0            .text.s    SHT_PROGBITS 6   STB_GLOBAL STV_DEFAULT STT_FUNC
text    static       .text.s    SHT_PROGBITS 6   STB_LOCAL  STV_DEFAULT STT_FUNC
text    hidden       .text.s    SHT_PROGBITS 6   STB_GLOBAL STV_HIDDEN  STT_FUNC
text    dupok        .text.s    SHT_PROGBITS 6   STB_WEAK   STV_DEFAULT STT_FUNC
rodata  0            .rodata.s  SHT_PROGBITS 2   STB_GLOBAL STV_DEFAULT STT_OBJECT
rodata  static+dupok .rodata.cst16 SHT_PROGBITS 18 STB_LOCAL STV_DEFAULT STT_OBJECT
data    0            .data.s    SHT_PROGBITS 3   STB_GLOBAL STV_DEFAULT STT_OBJECT
bss     0            .bss.s     SHT_NOBITS   3   STB_GLOBAL STV_DEFAULT STT_OBJECT
tlsbss  0            .tbss.s    SHT_NOBITS   1027 STB_GLOBAL STV_DEFAULT STT_TLS
"""
KINDS = {"text": STEXT, "rodata": SRODATA, "data": SDATA, "bss": SBSS, "tlsbss": STLSBSS}
ATTRS = {"0": 0, "static": A_STATIC, "hidden": A_HIDDEN, "dupok": A_DUPOK}


@pytest.mark.parametrize("row", [r for r in SYMBOLS.split("\n") if r])
def test_symbol(row: str) -> None:
    kind, attrs, section, type_, flags, bind, visibility, stt = row.split()
    s = sym("s", KINDS[kind], 16, sum(ATTRS[a] for a in attrs.split("+")))
    elf = read(write_elf(build_object(AMD, [s])))
    found = elf.get_section_by_name(".symtab").get_symbol_by_name("s")[0]
    where = elf.get_section(found["st_shndx"])
    assert (where.name, where["sh_type"], where["sh_flags"]) == (section, type_, int(flags))
    assert where["sh_size"] == found["st_size"] == 16
    info = found["st_info"]
    assert (info["bind"], found["st_other"]["visibility"], info["type"]) == (bind, visibility, stt)
    assert elf.get_section_by_name(".note.GNU-stack")["sh_flags"] == 0


@pytest.mark.parametrize("row", [r for r in ROWS.split("\n") if r and r[0] != "#"])
def test_relocation(row: str) -> None:
    lief = pytest.importorskip("lief")
    cell, elf_cell = row.split()[:2]
    kind, _, size = cell.partition("/")
    if elf_cell == "-":
        pytest.skip("not in ELF")
    target = sym("t", SDATA)
    s = sym("s")
    s.relocs = [Reloc(3, int(size), kind, target, -4), Reloc(8, int(size), kind, LSym("u"), 1000)]
    data = write_elf(build_object(AMD, [s, target]))
    number = NUMBERS[elf_cell.partition(":")[2]]
    elf = read(data)
    names = elf.get_section_by_name(".symtab")
    got = [
        (r["r_offset"], r["r_info_type"], names.get_symbol(r["r_info_sym"]).name, r["r_addend"])
        for r in elf.get_section_by_name(".rela.text.s").iter_relocations()
    ]
    assert got == [(3, number, "t", -4), (8, number, "u", 1000)]
    other = lief.parse(data)
    seen = sorted((r.address, r.type.value & 0xFF, r.symbol.name, r.addend) for r in other.relocations)
    assert seen == [(o, n & 0xFF, name, a) for o, n, name, a in got]


@pytest.mark.parametrize("name", sorted(targets_of("elf")))
def test_header(name: str) -> None:
    """Class, byte order, machine and flags of every target; contents without relocations."""
    t = TARGETS[name]
    elf = read(write_elf(build_object(t, [sym("s")])))
    assert elf.elfclass == t.bits
    assert elf.little_endian is not t.big_endian


@pytest.mark.parametrize(("bits", "big", "rela"), [(64, True, True), (32, False, False), (32, True, False)])
def test_other_classes(bits: int, big: bool, rela: bool) -> None:
    """32 bits, big-endian and REL work: amd64's table with another header."""
    t = Target("linux/amd64", "elf", bits, big, 62)
    t.rela = rela
    s = sym("s")
    s.relocs = [Reloc(4, 4, "R_PCREL", LSym("u"), -4)]
    elf = read(write_elf(build_object(t, [s, sym("d", SDATA)])))
    assert (elf.elfclass, elf.little_endian) == (bits, not big)
    section = elf.get_section_by_name(".rela.text.s" if rela else ".rel.text.s")
    (r,) = section.iter_relocations()
    assert (r["r_offset"], r["r_info_type"]) == (4, 2)
    content = elf.get_section_by_name(".text.s").data()
    assert content[4:8] == (bytes((4, 5, 6, 7)) if rela else (-4).to_bytes(4, "big" if big else "little", signed=True))
    assert elf.get_section_by_name(".symtab").get_symbol_by_name("u")[0]["st_shndx"] == "SHN_UNDEF"


def test_note_follows_its_function() -> None:
    f, g = sym("f"), sym("g")
    n = LSym("f.frames", SNOTE, A_STATIC)
    n.data, n.section, n.link = bytearray(24), "mochi_frames", f
    n.relocs = [Reloc(0, 4, "R_PCREL", f, 5)]
    elf = read(write_elf(build_object(AMD, [g, n, f])))
    section = elf.get_section_by_name("mochi_frames")
    assert section["sh_flags"] == 0x82
    assert elf.get_section(section["sh_link"]).name == ".text.f"


def test_constants_share_a_mergeable_section() -> None:
    ctx = Ctx()
    text = "TEXT f(SB), NOSPLIT, $0\n MOVSD $(1.5), X0\n ADDSD $(2.5), X0\n ADDSD $(1.5), X0\n MOVSS $(1.5), X1\n RET\n"
    elf = read(write_elf(build_object(AMD, parse_assembly(load_arch("amd64"), ctx, text))))
    section = elf.get_section_by_name(".rodata.cst8")
    assert (section["sh_size"], section["sh_entsize"], section["sh_flags"]) == (16, 8, 0x12)
    assert elf.get_section_by_name(".rodata.cst4")["sh_size"] == 4


ERRORS = [
    ("R_ADDRARM64", 8, 0, "cannot express R_ADDRARM64 of 8 bytes in ELF for linux/amd64 .*u, .text.s.0x0"),
    ("R_ADDR", 8, 9, "lies outside of s"),
    ("R_ADDR", 8, -1, "lies outside of s"),
    ("ELF:x", 8, 0, "cannot express"),
]


@pytest.mark.parametrize(("kind", "size", "off", "message"), ERRORS)
def test_bad_relocation(kind: str, size: int, off: int, message: str) -> None:
    s = sym("s")
    s.relocs = [Reloc(off, size, kind, LSym("u"), 0)]
    with pytest.raises(ObjectError, match=message):
        write_elf(build_object(AMD, [s]))


def test_bad_symbols() -> None:
    with pytest.raises(ObjectError, match="defined twice"):
        build_object(AMD, [sym("s"), sym("s")])
    s = sym("s")
    s.relocs = [Reloc(0, 8, "R_ADDR", LSym("local", 0, A_STATIC), 0)]
    with pytest.raises(ObjectError, match=r"local used in s\+0x0 is not defined"):
        build_object(AMD, [s])
    with pytest.raises(ObjectError, match="NUL"):
        write_elf(build_object(AMD, [sym("a\0b")]))
    bad = sym("s")
    bad.align = 12
    with pytest.raises(ObjectError, match="not a power of two"):
        write_elf(build_object(AMD, [bad]))


def test_raw_escape() -> None:
    s = sym("s")
    s.relocs = [Reloc(0, 4, "ELF:41", LSym("u"), 0)]
    elf = read(write_elf(build_object(AMD, [s])))
    assert next(elf.get_section_by_name(".rela.text.s").iter_relocations())["r_info_type"] == 41


@pytest.mark.slow
def test_more_sections_than_16_bits() -> None:
    """gABI 4.1: section numbers from SHN_LORESERVE on."""
    n = 66000
    symbols = [sym(f"d{i}", SDATA, 1) for i in range(n)]
    symbols[0].data = bytearray(8)
    symbols[0].relocs = [Reloc(0, 8, "R_ADDR", symbols[-1], 0)]
    data = write_elf(build_object(AMD, symbols))
    elf = read(data)
    assert elf.num_sections() == n + 6
    last = elf.get_section_by_name(".symtab").get_symbol(n)
    assert (last.name, last["st_shndx"]) == (f"d{n - 1}", 0xFFFF)
    assert elf.get_section_by_name(".symtab_shndx").get_section_index(n) == n


def test_same_bytes_twice() -> None:
    def make() -> bytes:
        a, b = sym("a"), sym("b", SDATA)
        a.relocs = [Reloc(0, 4, "R_PCREL", b, -4), Reloc(4, 4, "R_CALL", LSym("c"), -4)]
        return write_elf(build_object(AMD, [a, b]))

    assert make() == make()


def test_strtab_shares_suffixes() -> None:
    strings = ["main.f", "f", ".text.main.f", ".rela.text.main.f", "g", "é"]
    table, offsets = build_strtab(strings)
    for s in strings:
        e = s.encode()
        assert table[offsets[s] : offsets[s] + len(e) + 1] == e + b"\0"
    assert len(table) == 1 + len(".rela.text.main.f") + 1 + 2 + 3


PROGRAM = """
#include "textflag.h"
TEXT _start(SB), NOSPLIT|NOFRAME, $0
	MOVQ	counter(SB), DI
	ADDQ	$40, DI
	MOVQ	pointer(SB), AX
	ADDQ	(AX), DI
	CALL	add<>(SB)
	MOVQ	$60, AX
	SYSCALL
TEXT add<>(SB), NOSPLIT, $0
	MOVSD	$(1.0), X0
	CVTTSD2SQ X0, AX
	ADDQ	AX, DI
	RET
TEXT unused(SB), NOSPLIT, $0
	RET
DATA	pointer(SB)/8, $one+0(SB)
GLOBL	pointer(SB), RODATA, $8
DATA	one(SB)/8, $1
GLOBL	one(SB), $8
GLOBL	counter(SB), $8
"""


@pytest.mark.parametrize("choice", ["ld.lld", "ld.lld-19", "zig", "ld"])
def test_link_and_run(choice: str, tmp_path: object) -> None:
    from mochic.link.linker import LinkError

    target = LINK_TARGETS["linux/amd64"]
    try:
        linker = find_linker(target, choice)
    except LinkError:
        pytest.skip(f"{choice} is not installed")
    ctx = Ctx()
    symbols = parse_assembly(load_arch("amd64"), ctx, PROGRAM)
    assert not ctx.errors
    frames = sym("frames", SNOTE)  # the script asks for them
    frames.section, frames.link = "mochi_frames", symbols[0]
    symbols.append(frames)
    obj, exe = os.path.join(str(tmp_path), "a.o"), os.path.join(str(tmp_path), "a")
    with open(obj, "wb") as fh:
        fh.write(write_elf(build_object(AMD, symbols)))
    status, text = run_tool(link_command(target, linker, [obj], exe))
    assert (status, text) == (0, "")
    assert subprocess.run([exe], check=False).returncode == 42
    with open(exe, "rb") as fh:
        elf = elffile.ELFFile(fh)
        names = [s.name for s in elf.get_section_by_name(".symtab").iter_symbols()]
        assert "unused" not in names
        flags = [s["p_flags"] for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
        assert flags == [4, 5, 6]
        assert [s["p_flags"] for s in elf.iter_segments() if s["p_type"] == "PT_GNU_STACK"] == [6]


def test_readers_do_not_complain(tmp_path: object) -> None:
    symbols = parse_assembly(load_arch("amd64"), Ctx(), PROGRAM)
    path = os.path.join(str(tmp_path), "a.o")
    with open(path, "wb") as fh:
        fh.write(write_elf(build_object(AMD, symbols)))
    ran = 0
    for argv in (["readelf", "-aW", path], ["llvm-readobj-19", "--all", path], ["eu-elflint", "--gnu-ld", path]):
        if shutil.which(argv[0]):
            done = subprocess.run(argv, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout[-500:]
            assert "arning" not in done.stderr, done.stderr
            ran += 1
    if not ran:
        pytest.skip("no ELF reader is installed")
