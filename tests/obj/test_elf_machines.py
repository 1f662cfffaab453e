"""ELF for the machines without a code generator: headers, records and what linkers make of every relocation kind.

A row is the machines, the relocations (kind/size@offset, several for an address in several parts), the code or data,
the addend and a formula.  All rows of a machine are one object.  Its linkers place it; then the fields are decoded
with the manual's formula and compared with S, A and P of the image.
"""

from __future__ import annotations

import io
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from crosslink import find_tool

from backend.obj.sym import SDATA, STEXT, STLSBSS, LSym, Reloc
from objwriter.build import build_object
from objwriter.elf import write_elf
from objwriter.targets import TARGETS
from objwriter.model import ObjectError
from objwriter.relocs import read_cells

elffile = pytest.importorskip("elftools.elf.elffile")

# machine: prefix of the GNU tools, emulation of lld, e_machine, e_flags
MACHINES = {
    "386": ("i686-linux-gnu", "elf_i386", 3, 0),
    "arm": ("arm-linux-gnueabihf", "armelf_linux_eabi", 40, 0x5000000),
    "ppc64": ("powerpc64-linux-gnu", "elf64ppc", 21, 2),
    "ppc64le": ("powerpc64le-linux-gnu", "elf64lppc", 21, 2),
    "mips": ("mips-linux-gnu", "elf32btsmip", 8, 0x50001004),
    "mipsle": ("mipsel-linux-gnu", "elf32ltsmip", 8, 0x50001004),
    "mips64": ("mips64-linux-gnuabi64", "elf64btsmip", 8, 0x20000004),
    "mips64le": ("mips64el-linux-gnuabi64", "elf64ltsmip", 8, 0x20000004),
    "s390x": ("s390x-linux-gnu", "elf64_s390", 22, 0),
    "loong64": ("", "elf64loongarch", 258, 0x43),
}
SIXTYFOUR = "ppc64,ppc64le,mips64,mips64le,s390x,loong64"
ALL = ",".join(MACHINES)
PPC = "ppc64,ppc64le"
MIPS = "mips,mipsle,mips64,mips64le"
# Code is written in words as the manuals print them; `.` is a byte, `,` a word of 4 in the machine's order.
ROWS = f"""
{ALL} R_ADDR/4@0 data ,00000000 0 abs4 v
{ALL} R_ADDR/4@4 data ,00000000,00000000 24 abs4 v
{ALL} R_ADDR/4@0 data ,00000000 -4 abs4 v
{SIXTYFOUR} R_ADDR/8@0 data ,00000000,00000000 0 abs8 v
{SIXTYFOUR} R_ADDR/8@8 data ,00000000,00000000,00000000,00000000 -24 abs8 f
{ALL} R_PCREL/4@0 data ,00000000 0 rel4 v
{ALL} R_PCREL32/4@4 data ,00000000,00000000 -17 rel4 v
{PPC},s390x,loong64 R_PCREL/8@0 data ,00000000,00000000 40 rel8 v

386 R_CALL/4@1 text .e8.00.00.00.00 -4 rel4 f
386 R_PCREL/4@2 text .8b.0d.00.00.00.00 4 rel4 v
386 R_TLS_LE/4@2 text .65.a1.00.00.00.00 4 tls4 t

arm R_CALLARM/4@0 text ,eb000000 -8 arm24 f
arm R_CALLARM/4@0 text ,ea000000 -8 arm24 f
arm R_CALLARM/4@4 text ,e1a00000,0b000000 8 arm24 f
arm R_GOTPCREL/4@0 text ,00000000 -8 got4 v
arm R_TLS_LE/4@0 text ,00000000 4 tls4 t
arm R_TLS_IE/4@0 text ,00000000 -8 tlsgot4 t

{PPC} R_CALLPOWER/4@0 text ,48000001,60000000 0 li24 f
{PPC} R_CALLPOWER_NOTOC/4@0 text ,48000001 0 li24 f
{PPC} R_ADDRPOWER/8@0 text ,3c600000,38630000 0 halves v
{PPC} R_ADDRPOWER/8@0 text ,3c600000,38630000 74565 halves v
{PPC} R_ADDRPOWER_DS/8@0 text ,3c600000,e8630000 32776 halvesds v
{PPC} R_ADDRPOWER_TOCREL/8@0 text ,3c620000,38630000 1193046 toc v
{PPC} R_ADDRPOWER_TOCREL_DS/8@0 text ,3c620000,e8630000 1193048 tocds v
{PPC} R_ADDRPOWER_GOT/8@0 text ,3c620000,e8630000 0 tocgot v
{PPC} R_ADDRPOWER_PCREL/8@0 text ,3c600000,38630000 0 halvesrel v
{PPC} R_ADDRPOWER_PCREL/8@4 text ,60000000,3c600000,38630000 -98765 halvesrel v
{PPC} R_ADDRPOWER_PCREL34/8@0 text ,06100000,38600000 -74565 d34rel v
{PPC} R_POWER_TLS_LE/8@0 text ,3c6d0000,38630000 8 tlshalves t
{PPC} R_POWER_TLS_LE_TPREL34/8@0 text ,06000000,386d0000 8 tlsd34 t

{MIPS} R_ADDRMIPSU/4@0+R_ADDRMIPS/4@4 text ,3c020000,24420000 0 halves v
{MIPS} R_ADDRMIPSU/4@0+R_ADDRMIPS/4@4 text ,3c020000,24420000 74565 halves v
{MIPS} R_ADDRMIPSU/4@0+R_ADDRMIPS/4@4 text ,3c020000,24420000 -40000 halves v
{MIPS} R_ADDRMIPS/4@4+R_ADDRMIPSU/4@0 text ,3c020000,24420000 32768 halves v
{MIPS} R_CALLMIPS/4@0 text ,0c000000,00000000 0 mips26 f
{MIPS} R_JMPMIPS/4@0 text ,08000000,00000000 8 mips26 f
{MIPS} R_ADDRMIPSTLS/4@0 text ,24420000 4 tlslow t

s390x R_PCRELDBL/4@2 text .c0.20.00.00.00.00 2 dbl4 v
s390x R_PCRELDBL/4@2 text .c0.20.00.00.00.00 26 dbl4 v
s390x R_PCRELDBL/2@2 text .a7.f4.00.00 2 dbl2 f
s390x R_CALL/4@2 text .c0.e5.00.00.00.00 2 dbl4 f
s390x R_GOTPCREL/4@2 text .c0.20.00.00.00.00 2 gotdbl v
s390x R_TLS_IE/4@2 text .c4.18.00.00.00.00 2 tlsgotdbl t
s390x R_TLS_LE/8@0 data ,00000000,00000000 8 tls8 t

loong64 R_CALLLOONG64/4@0 text ,54000000 0 b26 f
loong64 R_LOONG64_CALL36/8@0 text ,1e000001,4c000021 0 call36 f
loong64 R_LOONG64_ADDR_HI/4@0+R_LOONG64_ADDR_LO/4@4 text ,1a000004,02c00084 2100 pcala v
loong64 R_LOONG64_ADDR64_LO/4@0 text ,16000004 0 zero20 v
loong64 R_LOONG64_ADDR64_HI/4@0 text ,03000084 0 zero12 v
loong64 R_LOONG64_ADDR_PCREL20_S2/4@0 text ,18000004 8 pcaddi v
loong64 R_LOONG64_GOT_HI/4@0+R_LOONG64_GOT_LO/4@4 text ,1a000004,28c00084 0 pcalagot v
loong64 R_LOONG64_TLS_LE_HI/4@0+R_LOONG64_TLS_LE_LO/4@4 text ,14000004,03800084 8 lu12 t
loong64 R_LOONG64_TLS_IE_HI/4@0+R_LOONG64_TLS_IE_LO/4@4 text ,1a000004,28c00084 0 pcalatls t
"""
# What one family of linkers does not know, or rewrites.
ONLY_LLD = """
s390x R_TLS_LE/4@0 data ,00000000 8 tls4 t
"""
ONLY_GNU = f"""
386 R_GOTPCREL/4@2 text .8b.83.00.00.00.00 2 got4 v
386 R_SIZE/4@0 data ,00000000 0 size4 v
{PPC} R_ADDRPOWER_D34/8@0 text ,06000000,38600000 74565 d34 v
386 R_TLS_IE/4@2 text .8b.83.00.00.00.00 2 relaxed t
{PPC} R_ADDRPOWER_GOT_PCREL34/8@0 text ,04100000,e4600000 0 gotd34 v
{PPC} R_POWER_TLS_IE_PCREL34/8@0 text ,04100000,e4600000 0 tlsgotd34 t
{PPC} R_POWER_TLS_IE/8@0 text ,3c620000,e8630000 0 toctls t
"""
# exit(v): relocations as above, code, bytes of v, number that qemu calls the machine.
PROGRAMS = """
386 R_ADDR/4@7=v+R_CALL/4@12=f .b8.01.00.00.00.8b.1d.00.00.00.00.e8.00.00.00.00.cd.80 c3 4 i386
arm R_CALLARM/4@4=f+R_ADDR/4@20=v ,e3a07001,eb000000,e59f0004,e5900000,ef000000,00000000 e12fff1e 4 arm
ppc64 R_CALLPOWER/4@0=f+R_ADDRPOWER_DS/8@8=v ,48000001,60000000,3c600000,e8630000,38000001,44000002 4e800020 8 ppc64
ppc64le R_CALLPOWER/4@0=f+R_ADDRPOWER_DS/8@8=v ,48000001,60000000,3c600000,e8630000,38000001,44000002 4e800020 8 ppc64le
mips R_CALLMIPS/4@0=f+R_ADDRMIPSU/4@8=v+R_ADDRMIPS/4@12=v ,0c000000,00000000,3c020000,8c440000,24020fa1,0000000c 03e00008 4 mips
mipsle R_CALLMIPS/4@0=f+R_ADDRMIPSU/4@8=v+R_ADDRMIPS/4@12=v ,0c000000,00000000,3c020000,8c440000,24020fa1,0000000c 03e00008 4 mipsel
mips64 R_CALLMIPS/4@0=f+R_ADDRMIPSU/4@8=v+R_ADDRMIPS/4@12=v ,0c000000,00000000,3c020000,8c440000,240213c2,0000000c 03e00008 4 mips64
mips64le R_CALLMIPS/4@0=f+R_ADDRMIPSU/4@8=v+R_ADDRMIPS/4@12=v ,0c000000,00000000,3c020000,8c440000,240213c2,0000000c 03e00008 4 mips64el
s390x R_CALL/4@2=f+R_PCRELDBL/4@8=v .c0.e5.00.00.00.00.c4.28.00.00.00.00.0a.01 07fe 8 s390x
loong64 R_CALLLOONG64/4@0=f+R_LOONG64_ADDR_HI/4@4=v+R_LOONG64_ADDR_LO/4@8=v ,54000000,1a000004,28c00084,0281740b,002b0000 4c000020 8 loongarch64
"""  # noqa: E501
# A of a reference to the symbol itself, where it is not 0.
FROM_FIELD = {"386": {"R_CALL": -4}, "arm": {"R_CALLARM": -8}, "s390x": {"R_CALL": 2, "R_PCRELDBL": 2}}


def rows_of(machine: str, table: str) -> list[list[str]]:
    rows = [line.split() for line in table.split("\n") if line]
    return [row for row in rows if machine in row[0].split(",")]


def contents(machine: str, text: str) -> bytearray:
    order = "big" if TARGETS[f"linux/{machine}"].big_endian else "little"
    out = bytearray()
    for part in text.replace(".", " .").replace(",", " ,").split():
        value = int(part[1:], 16)
        out += value.to_bytes(4, order) if part[0] == "," else bytes((value,))  # type: ignore[arg-type]
    return out


def program(machine: str, rows: list[list[str]]) -> list[LSym]:
    """_start, data `v`, code `f`, thread-local `t`, and one symbol for each row."""
    start, f = LSym("_start", STEXT), LSym("f", STEXT)
    start.data, f.data = bytearray(16), bytearray(64)
    v, before, t = LSym("v", SDATA), LSym("before", STLSBSS), LSym("t", STLSBSS)
    v.data, v.align = bytearray(64), 16
    before.size, t.size = 40, 16
    out = [start, f, v, before, t]
    names = {s.name: s for s in out}
    for i, (_, relocs, kind, text, add, _, to) in enumerate(rows):
        s = LSym(f"x{i}", STEXT if kind == "text" else SDATA)
        s.data, s.align = contents(machine, text), 8
        for reloc in relocs.split("+"):
            name, _, at = reloc.partition("@")
            key, _, size = name.partition("/")
            s.relocs.append(Reloc(int(at), int(size), key, names[to], int(add)))
        out.append(s)
    return out


class Image:
    """A linked program: what is at an address, where symbols are, how thread-local offsets count."""

    def __init__(self, data: bytes, machine: str) -> None:
        self.elf: Any = elffile.ELFFile(io.BytesIO(data))
        self.machine = machine
        self.order = "little" if self.elf.little_endian else "big"
        self.word = self.elf.elfclass // 8
        self.symbols = {s.name: s["st_value"] for s in self.elf.get_section_by_name(".symtab").iter_symbols()}
        self.sizes = {s.name: s["st_size"] for s in self.elf.get_section_by_name(".symtab").iter_symbols()}

    def read(self, address: int, size: int, signed: bool = False) -> int:
        for s in self.elf.iter_segments():
            at = address - s["p_vaddr"]
            if s["p_type"] == "PT_LOAD" and 0 <= at < s["p_memsz"]:
                data = (s.data()[at:] + bytes(size))[:size]
                return int.from_bytes(data, self.order, signed=signed)  # type: ignore[arg-type]
        raise AssertionError(f"nothing at {address:#x}")

    def entry(self, address: int) -> int:
        return self.read(address, self.word)

    def thread_offset(self, symbol: str) -> int:
        """From the thread pointer: Drepper, "ELF Handling for Thread-Local Storage", 3.4 and the psABIs."""
        tls = next(s for s in self.elf.iter_segments() if s["p_type"] == "PT_TLS")
        align = tls["p_align"]
        at = self.symbols[symbol]
        if self.machine in ("386", "s390x"):
            return at - (tls["p_memsz"] + align - 1) // align * align
        if self.machine == "arm":
            return at + (8 + align - 1) // align * align
        return at - (0x7000 if self.machine.startswith(("ppc", "mips")) else 0)


def signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


class Field:
    """One place of an image: P, its words, and S + A, S + A - P as the formulas want them."""

    def __init__(self, image: Image, place: int, symbol: str, add: int) -> None:
        self.image, self.place, self.symbol, self.add = image, place, symbol, add
        self.sum = image.symbols[symbol] + add
        self.rel = self.sum - place

    def num(self, size: int, signed_: bool = False) -> int:
        return self.image.read(self.place, size, signed_)

    def words(self) -> tuple[int, int]:
        return self.num(4), self.image.read(self.place + 4, 4)

    def halves(self, mask: int = 0xFFFF) -> int:
        """An address in two halves, the low one signed."""
        high, low = self.words()
        return (signed(high, 16) << 16) + signed(low & mask, 16)

    def prefixed(self) -> int:
        """The 34 bits of a prefixed instruction."""
        high, low = self.words()
        return signed((high & 0x3FFFF) << 16 | low & 0xFFFF, 34)

    def thread(self) -> int:
        return self.image.thread_offset(self.symbol) + self.add

    def page(self) -> int:
        """What PCALAU12I and a load or ADDI reach."""
        high, low = self.words()
        return (self.place & ~0xFFF) + (signed(high >> 5, 20) << 12) + signed(low >> 10, 12)

    def toc(self, mask: int = 0xFFFF) -> int:
        return self.image.symbols["base"] + self.halves(mask)


# Formula: (what the field says, what it must be).
FORMULAS: dict[str, Callable[[Field], tuple[int, int]]] = {
    "abs4": lambda f: (f.num(4), f.sum & 0xFFFFFFFF),
    "abs8": lambda f: (f.num(8), f.sum),
    "rel4": lambda f: (f.num(4, True), f.rel),
    "rel8": lambda f: (f.num(8, True), f.rel),
    "size4": lambda f: (f.num(4), f.image.sizes[f.symbol] + f.add),
    "tls4": lambda f: (f.num(4, True), f.thread()),
    "tls8": lambda f: (f.num(8, True), f.thread()),
    "got4": lambda f: (f.image.entry(f.num(4, True) - f.add + f.place & 0xFFFFFFFF), f.sum - f.add),
    "tlsgot4": lambda f: (signed(f.image.entry(f.num(4, True) - f.add + f.place), 32), f.thread() - f.add),
    "relaxed": lambda f: (f.num(4, True), f.thread() - f.add),  # MOVL of the offset itself
    "arm24": lambda f: (signed(f.num(4), 24) << 2, f.rel),
    "li24": lambda f: (signed(f.num(4) & 0x3FFFFFC, 26), f.rel),
    "halves": lambda f: (f.halves(), f.sum),
    "halvesds": lambda f: (f.halves(0xFFFC), f.sum),
    "halvesrel": lambda f: (f.halves(), f.rel),
    "toc": lambda f: (f.toc(), f.sum),
    "tocds": lambda f: (f.toc(0xFFFC), f.sum),
    "tocgot": lambda f: (f.image.entry(f.toc(0xFFFC)), f.sum),
    "toctls": lambda f: (signed(f.image.entry(f.toc(0xFFFC)), 64), f.thread()),
    "d34": lambda f: (f.prefixed(), f.sum),
    "d34rel": lambda f: (f.prefixed(), f.rel),
    "gotd34": lambda f: (f.image.entry(f.place + f.prefixed()), f.sum),
    "tlsgotd34": lambda f: (signed(f.image.entry(f.place + f.prefixed()), 64), f.thread()),
    "tlshalves": lambda f: (f.halves(), f.thread()),
    "tlsd34": lambda f: (f.prefixed(), f.thread()),
    "tlslow": lambda f: (f.num(4) & 0xFFFF, f.thread() & 0xFFFF),
    "mips26": lambda f: (f.place + 4 & 0xF0000000 | (f.num(4) & 0x3FFFFFF) << 2, f.sum),
    "dbl4": lambda f: (f.num(4, True) * 2, f.rel),
    "dbl2": lambda f: (f.num(2, True) * 2, f.rel),
    "gotdbl": lambda f: (f.image.entry(f.num(4, True) * 2 + f.place - f.add), f.sum - f.add),
    "tlsgotdbl": lambda f: (signed(f.image.entry(f.num(4, True) * 2 + f.place - f.add), 64), f.thread() - f.add),
    "b26": lambda f: (signed((f.num(4) & 0x3FF) << 16 | f.num(4) >> 10 & 0xFFFF, 26) << 2, f.rel),
    "call36": lambda f: ((signed(f.words()[0] >> 5, 20) << 18) + (signed(f.words()[1] >> 10, 16) << 2), f.rel),
    "pcala": lambda f: (f.page(), f.sum),
    "pcalagot": lambda f: (f.image.entry(f.page()), f.sum),
    "pcalatls": lambda f: (f.image.entry(f.page()), f.thread()),
    "pcaddi": lambda f: (signed(f.num(4) >> 5, 20) << 2, f.rel),
    "lu12": lambda f: ((signed(f.words()[0] >> 5, 20) << 12) + (f.words()[1] >> 10 & 0xFFF), f.thread()),
    "zero20": lambda f: (f.num(4) >> 5 & 0xFFFFF, 0),  # program and symbol in the same 4 GiB
    "zero12": lambda f: (f.num(4) >> 10 & 0xFFF, 0),
}


def check(machine: str, rows: list[list[str]], command: list[str], folder: Path) -> None:
    obj, exe = folder / "a.o", folder / "a"
    symbols = program(machine, rows)
    if machine.startswith("ppc"):
        base = LSym("toc", SDATA)
        base.data = bytearray(8)
        base.relocs = [Reloc(0, 8, "R_ADDR", LSym(".TOC."), 0)]
        symbols.append(base)
    obj.write_bytes(write_elf(build_object(TARGETS[f"linux/{machine}"], symbols)))
    done = subprocess.run([*command, "-o", exe, obj], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    image = Image(exe.read_bytes(), machine)
    if machine.startswith("ppc"):
        image.symbols["base"] = image.entry(image.symbols["toc"])
    for i, (_, relocs, _, text, add, formula, to) in enumerate(rows):
        first = min(int(part.partition("@")[2]) for part in relocs.split("+"))
        got, expected = FORMULAS[formula](Field(image, image.symbols[f"x{i}"] + first, to, int(add)))
        assert hex(got) == hex(expected), (machine, relocs, text, add, formula)


# What leaves the instructions as they are; and addresses of 32 bits, which the absolute kinds need.
NOT_REWRITTEN = {"ppc64": ["--no-toc-optimize"], "ppc64le": ["--no-toc-optimize"]}
LOW = {"mips64": ["-Ttext-segment=0x10000000"], "mips64le": ["-Ttext-segment=0x10000000"]}


@pytest.mark.parametrize("machine", [m for m in MACHINES if MACHINES[m][0]])
def test_gnu_ld(machine: str, tmp_path: Path) -> None:
    tool = find_tool(MACHINES[machine][0] + "-ld")
    flags = NOT_REWRITTEN.get(machine, [])
    if flags:
        flags = [*flags, "--no-tls-optimize", "--no-pcrel-optimize"]
    check(machine, rows_of(machine, ROWS) + rows_of(machine, ONLY_GNU), [tool, *flags, *LOW.get(machine, [])], tmp_path)


@pytest.mark.parametrize("machine", MACHINES)
def test_lld(machine: str, tmp_path: Path) -> None:
    command = [find_tool("ld.lld-19"), "-m", MACHINES[machine][1], *NOT_REWRITTEN.get(machine, [])]
    check(machine, rows_of(machine, ROWS) + rows_of(machine, ONLY_LLD), command, tmp_path)


@pytest.mark.parametrize("which", ["gnu", "lld"])
@pytest.mark.parametrize("row", PROGRAMS.strip().split("\n"), ids=lambda row: row.split()[0])
def test_runs(row: str, which: str, tmp_path: Path) -> None:
    machine, relocs, code, f_code, size, emulator = row.split()
    prefix, emulation = MACHINES[machine][:2]
    if which == "gnu" and not prefix:
        pytest.skip("no GNU ld for it")
    order: Any = "big" if TARGETS[f"linux/{machine}"].big_endian else "little"
    start, f, v = LSym("_start", STEXT), LSym("f", STEXT), LSym("v", SDATA)
    start.data = contents(machine, code)
    word = len(f_code) // 2
    f.data = bytearray(int(f_code, 16).to_bytes(word, order) + bytes(4))  # MIPS has a delay slot
    v.data = bytearray((42).to_bytes(int(size), order))
    names = {"f": f, "v": v}
    for reloc in relocs.split("+"):
        kind, _, where = reloc.partition("/")
        bytes_, at, to = where.replace("=", "@").split("@")
        add = FROM_FIELD.get(machine, {}).get(kind, 0)
        start.relocs.append(Reloc(int(at), int(bytes_), kind, names[to], add))
    obj, exe = tmp_path / "a.o", tmp_path / "a"
    obj.write_bytes(write_elf(build_object(TARGETS[f"linux/{machine}"], [start, f, v])))
    tool = find_tool(prefix + "-ld" if which == "gnu" else "ld.lld-19")
    command = [tool, *(LOW.get(machine, []) if which == "gnu" else ["-m", emulation])]
    command += ["-e", "_start", "-o", str(exe), str(obj)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([find_tool(f"qemu-{emulator}-static", f"qemu-{emulator}"), exe], timeout=60, check=False)
    assert done.returncode == 42


def kinds_of(machine: str) -> list[tuple[str, int, list[str]]]:
    """Every kind of a machine's table, with the names of its types."""
    module: Any = import_module(TARGETS[f"linux/{machine}"].relocs)
    cells = read_cells(module.ROWS, "elf")
    return [(kind, size, [name.strip("$@") for _, name in cell]) for (kind, size), cell in cells.items()]


UNKNOWN_TO_LLVM = ("R_386_SIZE32", "R_PPC64_D34")


@pytest.mark.parametrize("machine", MACHINES)
def test_names(machine: str, tmp_path: Path) -> None:
    """The readers call the types what the psABI calls them, so the numbers are right; and the header is."""
    target = TARGETS[f"linux/{machine}"]
    u, s = LSym("u"), LSym("s")
    expected: list[str] = []
    for kind, size, types in kinds_of(machine):
        if size > target.bits // 8:
            continue
        s.relocs.append(Reloc(len(s.data), size, kind, u, 0))
        s.data += bytes(8)
        expected += types
    path = tmp_path / "a.o"
    path.write_bytes(write_elf(build_object(target, [s])))
    done = subprocess.run([find_tool("llvm-readobj-19"), "-r", path], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    lines = [line.split() for line in done.stdout.split("\n") if " R_" in line]
    got = [words[1].partition("/")[0] for words in lines]
    known = [name for name in expected if name not in UNKNOWN_TO_LLVM]
    assert sorted(name for name in got if name != "Unknown") == sorted(known)
    if MACHINES[machine][0] and shutil.which(MACHINES[machine][0] + "-readelf"):
        argv = [MACHINES[machine][0] + "-readelf", "-aW", path]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        assert "arning" not in done.stderr, done.stderr
        for name in expected:
            assert name in done.stdout
    file: Any = elffile.ELFFile(io.BytesIO(path.read_bytes()))
    assert (file.header["e_flags"], file.elfclass, file.little_endian) == (
        MACHINES[machine][3],
        target.bits,
        not target.big_endian,
    )
    assert int.from_bytes(path.read_bytes()[18:20], "big" if target.big_endian else "little") == MACHINES[machine][2]
    relocation = ".rela.text.s" if machine not in ("386", "arm", "mips", "mipsle") else ".rel.text.s"
    assert file.get_section_by_name(relocation) is not None


# machine, kind/size, code, addend, message: what the field of a REL machine cannot hold
REFUSED = """
arm R_CALLARM/4 ,eb000000 2 addend 2 does not fit the instruction
arm R_CALLARM/4 ,eb000000 33554432 does not fit the instruction
arm ELF:300/4 ,00000000 0 cannot express ELF:300
386 R_ADDR/8 ,00000000,00000000 0 cannot express R_ADDR of 8 bytes in ELF for linux/386
386 R_ADDR/4 ,00000000 4294967296 does not fit 32 bits
mips R_CALLMIPS/4 ,0c000000 6 does not fit
mips R_ADDRMIPSU/4 ,3c020000 0 without the low half of the same address
mipsle R_ADDRMIPSTLS/4 ,24420000 32768 does not fit
mips64 ELF:256/4 ,24420000 0 cannot express ELF:256
s390x R_CALLARM/4 ,00000000 0 cannot express R_CALLARM
loong64 R_ADDR/8 ,00000000,00000000 9223372036854775808 does not fit 64 bits
"""


@pytest.mark.parametrize("row", REFUSED.strip().split("\n"))
def test_refused(row: str) -> None:
    machine, key, code, add, message = row.split(" ", 4)
    kind, _, size = key.partition("/")
    s = LSym("s")
    s.data = contents(machine, code)
    s.relocs = [Reloc(0, int(size), kind, LSym("u"), int(add))]
    with pytest.raises(ObjectError, match=message):
        write_elf(build_object(TARGETS[f"linux/{machine}"], [s]))


def test_halves_of_different_addresses() -> None:
    """Each high half finds the low half of its own address, in whatever order they come."""
    s, u = LSym("s"), LSym("u")
    s.data = contents("mips", ",3c020000,24420000,3c030000,24630000")
    s.relocs = [
        Reloc(0, 4, "R_ADDRMIPSU", u, 0x18000),
        Reloc(8, 4, "R_ADDRMIPSU", u, 4),
        Reloc(4, 4, "R_ADDRMIPS", u, 0x18000),
        Reloc(12, 4, "R_ADDRMIPS", u, 4),
    ]
    file: Any = elffile.ELFFile(io.BytesIO(write_elf(build_object(TARGETS["linux/mips"], [s]))))
    assert [r["r_offset"] for r in file.get_section_by_name(".rel.text.s").iter_relocations()] == [0, 4, 8, 12]
    assert file.get_section_by_name(".text.s").data() == contents("mips", ",3c020002,24428000,3c030000,24630004")
