"""arm64 objects: relocation records as AAELF64 wants them, and linked programs that run."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from backend.arm64.arch import make_arch
from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from crosslink import find_tool, link, run

from objwriter.build import build_object
from objwriter.elf import TARGETS, write_elf

elffile = pytest.importorskip("elftools.elf.elffile")

# Every width of load and store meets its linker here: the message is put together in memory.
PROGRAM = r"""
DATA hello+0(SB)/8, $"hello, w"
DATA hello+8(SB)/8, $"orld\n"
GLOBL hello(SB), RODATA, $16
DATA where+0(SB)/8, $message+3(SB)
GLOBL where(SB), RODATA, $8
GLOBL message(SB), NOPTR, $32
TEXT _start(SB), NOSPLIT|NOFRAME, $0
	BL	copy(SB)
	MOVD	$1, R0
	MOVD	$message+16(SB), R1
	MOVD	where(SB), R2		// message+3
	ADD	$13, R2
	CMP	R1, R2
	BNE	bad
	MOVD	$13, R2
	MOVD	$64, R8
	SVC
	B	leave(SB)
bad:
	MOVD	$9, R0
	MOVD	$93, R8
	SVC
TEXT copy(SB), NOSPLIT, $16
	FMOVQ	hello(SB), F0
	FMOVQ	F0, message+16(SB)
	MOVBU	message+17(SB), R3
	MOVB	R3, message+17(SB)
	MOVHU	message+18(SB), R3
	MOVH	R3, message+18(SB)
	MOVWU	message+20(SB), R3
	MOVW	R3, message+20(SB)
	FMOVD	message+24(SB), F1
	FMOVD	F1, message+24(SB)
	FMOVD	$(3.7), F2
	CALL	nothing(SB)
	RET
TEXT nothing(SB), NOSPLIT, $0
	RET
TEXT leave(SB), NOSPLIT|NOFRAME, $0
	MOVD	$3, R0
	MOVD	$93, R8
	SVC
"""
# symbol, offset in it, type, symbol, addend
RECORDS = """
_start 0 283 copy 0
_start 8 275 message 16
_start 12 277 message 16
_start 16 275 where 0
_start 20 286 where 0
_start 48 282 leave 0
copy 12 275 hello 0
copy 16 277 hello 0
copy 24 275 message 16
copy 28 277 message 16
copy 36 275 message 17
copy 40 278 message 17
copy 44 275 message 17
copy 48 278 message 17
copy 52 275 message 18
copy 56 284 message 18
copy 60 275 message 18
copy 64 284 message 18
copy 68 275 message 20
copy 72 285 message 20
copy 76 275 message 20
copy 80 285 message 20
copy 84 275 message 24
copy 88 286 message 24
copy 92 275 message 24
copy 96 286 message 24
copy 100 275 $f64.400d99999999999a 0
copy 104 286 $f64.400d99999999999a 0
copy 108 283 nothing 0
"""


def build() -> bytes:
    ctx = Ctx()
    symbols = parse_assembly(make_arch(), ctx, PROGRAM)
    assert not ctx.errors, ctx.errors[0]
    return write_elf(build_object(TARGETS["linux/arm64"], symbols))


def test_records() -> None:
    elf: Any = elffile.ELFFile(io.BytesIO(build()))
    assert (elf["e_machine"], elf["e_flags"]) == ("EM_AARCH64", 0)
    names = elf.get_section_by_name(".symtab")
    got = []
    for function in ("_start", "copy"):
        for r in elf.get_section_by_name(f".rela.text.{function}").iter_relocations():
            name = names.get_symbol(r["r_info_sym"]).name
            got.append(f"{function} {r['r_offset']} {r['r_info_type']} {name} {r['r_addend']}")
    assert got == RECORDS.strip().split("\n")


@pytest.mark.parametrize("linker", ["ld.lld", "aarch64-linux-gnu-ld", "mold"])
def test_links_and_runs(linker: str, tmp_path: Path) -> None:
    exe = link(find_tool(linker), "linux_arm64.ld", build(), str(tmp_path))
    with open(exe, "rb") as fh:
        elf: Any = elffile.ELFFile(fh)
        segments = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
        assert all(s["p_align"] >= 0x10000 for s in segments)  # kernels with 64 KB pages load it
        assert not any(s["p_flags"] & 3 == 3 for s in segments)
    assert run(find_tool("qemu-aarch64-static", "qemu-aarch64"), exe) == (3, "hello, world\n")
