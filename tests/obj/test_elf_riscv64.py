"""riscv64 objects: relocation records and labels as the psABI wants them, flags, and a linked program."""

from __future__ import annotations

import io
import os
import subprocess
from typing import Any

import pytest
from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from backend.riscv.arch import make_arch

from mochic.link.linker import find_linker
from mochic.targets import TARGETS as LINK_TARGETS
from objwriter.build import build_object
from objwriter.elf import TARGETS, write_elf

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


def build(march: str) -> bytes:
    ctx = Ctx()
    symbols = parse_assembly(make_arch(march), ctx, PROGRAM)
    assert not ctx.errors
    return write_elf(build_object(TARGETS["linux/riscv64"], symbols))


def test_records() -> None:
    elf: Any = elffile.ELFFile(io.BytesIO(build("rv64gc")))
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
        elf: Any = elffile.ELFFile(io.BytesIO(build(march)))
        assert (elf["e_machine"], elf["e_flags"]) == ("EM_RISCV", flags)


def test_links(tmp_path: object) -> None:
    from mochic.link.linker import LinkError

    try:
        linker = find_linker(LINK_TARGETS["linux/amd64"], "zig")
    except LinkError:
        pytest.skip("no linker that knows riscv64")
    obj, exe = os.path.join(str(tmp_path), "a.o"), os.path.join(str(tmp_path), "a")
    script = os.path.join(os.path.dirname(__file__), "..", "..", "linkscripts", "linux_riscv64.ld")
    with open(obj, "wb") as fh:
        fh.write(build("rv64gc"))
    command = [*linker.argv, "-T", script, obj, "-o", exe]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
