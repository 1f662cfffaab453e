"""riscv64 objects: relocation records and labels as the psABI wants them, flags, and a linked program."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from backend.riscv.arch import make_arch
from crosslink import find_tool, link, run

from objwriter.build import build_object
from objwriter.elf import write_elf
from objwriter.targets import TARGETS

elffile = pytest.importorskip("elftools.elf.elffile")

PROGRAM = """
GLOBL tv(SB), TLSBSS, $8
DATA tab+0(SB)/8, $f+4(SB)
GLOBL tab(SB), RODATA, $8
GLOBL counter(SB), NOPTR, $8
TEXT _start(SB), NOSPLIT|NOFRAME, $0
	MOV	$0, A0
	MOV	$counter+8(SB), A1
	MOV	counter(SB), A2
	MOV	A2, counter(SB)
	MOVD	$(3.7), F1
	MOV	tv(SB), A3
	CALL	f(SB)
	CALLFAR	f(SB)
	ECALL
TEXT f(SB), NOSPLIT, $16
	RET
"""
# offset in _start (rv64gc), type, symbol, addend
RECORDS = """
2 23 counter 8
6 24 @2 0
10 23 counter 0
14 24 @10 0
18 23 counter 0
22 25 @18 0
26 23 $f64.400d99999999999a 0
30 24 @26 0
34 29 tv 0
38 30 tv 0
50 17 f 0
54 19 f 0
"""


def assembled(march: str, program: str = PROGRAM) -> bytes:
    ctx = Ctx()
    symbols = parse_assembly(make_arch(march), ctx, program)
    assert not ctx.errors
    return write_elf(build_object(TARGETS["linux/riscv64"], symbols))


def test_records() -> None:
    elf: Any = elffile.ELFFile(io.BytesIO(assembled("rv64gc")))
    names = elf.get_section_by_name(".symtab")
    section = next(i for i, s in enumerate(elf.iter_sections()) if s.name == ".text._start")
    got = []
    for r in elf.get_section_by_name(".rela.text._start").iter_relocations():
        s = names.get_symbol(r["r_info_sym"])
        label = s.name.startswith(".Lpcrel_hi")
        if label:
            assert s["st_shndx"] == section
        name = f"@{s['st_value']}" if label else s.name
        got.append(f"{r['r_offset']} {r['r_info_type']} {name} {r['r_addend']}")
    assert got == RECORDS.strip().split("\n")


def test_flags() -> None:
    for march, flags in (("rv64g", 4), ("rv64gc", 5)):
        elf: Any = elffile.ELFFile(io.BytesIO(assembled(march)))
        assert (elf["e_machine"], elf["e_flags"]) == ("EM_RISCV", flags)


def test_links(tmp_path: Path) -> None:
    link(find_tool("ld.lld", "ld.lld-19"), "linux_riscv64.ld", assembled("rv64gc"), str(tmp_path))


HELLO = """
DATA hello+0(SB)/8, $"hello, w"
DATA hello+8(SB)/8, $"orld\\n"
GLOBL hello(SB), RODATA, $16
DATA where+0(SB)/8, $hello+0(SB)
GLOBL where(SB), RODATA, $8
GLOBL status(SB), NOPTR, $8
TEXT _start(SB), NOSPLIT|NOFRAME, $0
	CALL	copy(SB)
	MOV	$1, A0
	MOV	where(SB), A1
	MOV	$13, A2
	MOV	$64, A7
	ECALL
	MOV	status(SB), A0
	MOV	$93, A7
	ECALL
TEXT copy(SB), NOSPLIT, $16
	MOV	$3, A0
	MOV	A0, status(SB)
	CALLFAR	nothing(SB)
	RET
TEXT nothing(SB), NOSPLIT, $0
	RET
"""


@pytest.mark.parametrize("linker", ["ld.lld", "riscv64-linux-gnu-ld", "mold"])
def test_links_and_runs(linker: str, tmp_path: Path) -> None:
    exe = link(find_tool(linker), "linux_riscv64.ld", assembled("rv64gc", HELLO), str(tmp_path))
    assert run(find_tool("qemu-riscv64-static", "qemu-riscv64"), exe) == (3, "hello, world\n")
