"""arm64 objects: relocation records as AAELF64 wants them, and linked programs that run."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from backend.arm64.arch import make_arch
from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from crosslink import find_tool, link, run

from objwriter.build import build_object
from objwriter.elf import write_elf
from objwriter.targets import TARGETS

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


def assembled() -> bytes:
    ctx = Ctx()
    symbols = parse_assembly(make_arch(), ctx, PROGRAM)
    assert not ctx.errors, ctx.errors[0]
    return write_elf(build_object(TARGETS["linux/arm64"], symbols))


def test_records() -> None:
    elf: Any = elffile.ELFFile(io.BytesIO(assembled()))
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
    exe = link(find_tool(linker), "linux_arm64.ld", assembled(), str(tmp_path))
    with open(exe, "rb") as fh:
        elf: Any = elffile.ELFFile(fh)
        segments = [s for s in elf.iter_segments() if s["p_type"] == "PT_LOAD"]
        assert all(s["p_align"] >= 0x10000 for s in segments)  # kernels with 64 KB pages load it
        assert not any(s["p_flags"] & 3 == 3 for s in segments)
    assert run(find_tool("qemu-aarch64-static", "qemu-aarch64"), exe) == (3, "hello, world\n")


# Instructions that leave R4, and what it should be in terms of a (R1), b (R2), c (R3) and old (R4); 64 bits.
MEANINGS = """
ADD R1, R2, R4                              a + b
ADD R1<<5, R2, R4                           b + (a << 5)
ADD R1.SXTW<<2, R2, R4                      b + (s32(a) << 2)
ADD $0xabcdef, R1, R4                       a + 0xabcdef
ADDW $0xfff000, R1, R4                      u32(a + 0xfff000)
SUB R1, R2, R4                              b - a
SUBW R1, R2, R4                             u32(b - a)
AND $0x0ff00ff00ff00ff0, R1, R4             a & 0x0ff00ff00ff00ff0
AND $0x123456789, R1, R4                    a & 0x123456789
BIC $0xff00, R1, R4                         a & ~0xff00
ORN R1, R2, R4                              b | ~a
EON R1@>9, R2, R4                           b ^ ~ror(a, 9)
MUL R1, R2, R4                              a * b
MADD R1, R2, R3, R4                         b + a * c
MSUB R1, R2, R3, R4                         b - a * c
UMULH R1, R2, R4                            a * b >> 64
SMULH R1, R2, R4                            s64(a) * s64(b) >> 64
UDIV R3, R1, R4                             a // c
UREM R3, R1, R4                             a % c
LSL $13, R1, R4                             a << 13
LSRW $7, R1, R4                             u32(a) >> 7
ASR $60, R1, R4                             s64(a) >> 60
ROR $20, R1, R4                             ror(a, 20)
LSL R3, R1, R4                              a << (c & 63)
UBFX $8, R1, $17, R4                        a >> 8 & 0x1ffff
SBFX $40, R1, $8, R4                        s8(a >> 40)
UBFIZ $8, R1, $17, R4                       (a & 0x1ffff) << 8
BFI $16, R1, $8, R4                         old & ~0xff0000 | (a & 0xff) << 16
BFXIL $16, R1, $8, R4                       old & ~0xff | a >> 16 & 0xff
EXTR $24, R1, R2, R4                        (b << 40) | (a >> 24)
CLZ R3, R4                                  64 - c.bit_length()
REV R1, R4                                  int.from_bytes(a.to_bytes(8, "little"), "big")
MVN R1<<3, R4                               ~(a << 3)
NEG R1, R4                                  -a
MOVB R1, R4                                 s8(a)
MOVHU R1, R4                                a & 0xffff
MOVW R1, R4                                 s32(a)
MOVWU R1, R4                                u32(a)
MOVD $0xffff1234ffff5678, R4                0xffff1234ffff5678
MOVD $0x5555555555551234, R4                0x5555555555551234
MOVD $-70000, R4                            -70000
MOVK $(0x1234<<32), R4                      old & ~(0xffff << 32) | 0x1234 << 32
MOVK $0, $3, R4                             old & ~(0xffff << 48)
CMP R1, R2 ; CSEL LO, R1, R2, R4            a if b < a else b
CMP R1, R2 ; CSET GT, R4                    int(s64(b) > s64(a))
CMP $-1, R3 ; CSINC NE, R1, R2, R4          a if c != mask else b + 1
TST $1, R1 ; CSNEG EQ, R1, R2, R4           -b if a & 1 else a
CMP R1, R1 ; CCMP NE, R1, R2, $4 ; CSET EQ, R4    1
ADDS R1, R1, R5 ; ADC $0, ZR, R4            a + a >> 64
FMOVD $(2.5), F1 ; FMOVD $(-0.5), F2 ; FMULD F1, F2, F3 ; FCVTZSD F3, R4    -1
SCVTFD R3, F1 ; FSQRTD F1, F1 ; FCVTZUD F1, R4    int(c ** 0.5)
FMOVD R1, F0 ; VCNT V0.B8, V0.B8 ; VUADDLV V0.B8, V0 ; FMOVD F0, R4    a.bit_count()
VDUP R1, V1.S4 ; VADD V1.S4, V1.S4, V2.S4 ; VMOV V2.S[3], R4    u32(a + a)
MOVD R1, -16(RSP) ; MOVW -12(RSP), R4       s32(a >> 32)
MOVD $1, R5 ; SUB $32, RSP, R6 ; MOVB R1, (R6)(R5) ; MOVBU 1(R6), R4    a & 0xff
STP.W (R1, R2), -16(RSP) ; LDP.P 16(RSP), (R5, R6) ; SUB R5, R6, R4    b - a
SUB $64, RSP, R6 ; MOVD R1, (R6) ; LDADDD R2, (R6), R4 ; MOVD (R6), R4    a + b
TBZ $0, R1, 3(PC) ; MOVD R2, R4 ; B 2(PC) ; MOVD R3, R4    b if a & 1 else c
"""
INPUTS = ((0x123456789ABCDEF1, 0xFEDCBA9876543210, 77), (5, 3, 1 << 40 | 9), (1 << 63, (1 << 64) - 1, 3))
OLD = 0xA5A5A5A5A5A5A5A5
MASK = (1 << 64) - 1


def _signed(bits: int) -> Callable[[int], int]:
    return lambda x: ((x & (1 << bits) - 1) ^ 1 << bits - 1) - (1 << bits - 1)


def test_instructions_compute(tmp_path: Path) -> None:
    """The program checks every line for every input; its exit status is the first line that failed."""
    cases = [line.rsplit("    ", 1) for line in MEANINGS.strip().split("\n")]
    source = ["TEXT _start(SB), NOSPLIT|NOFRAME, $0"]
    for number, (text, formula) in enumerate(cases, 1):
        for a, b, c in INPUTS:
            names = {
                "a": a, "b": b, "c": c, "old": OLD, "mask": MASK, "u32": lambda x: x & 0xFFFFFFFF,
                "s8": _signed(8), "s32": _signed(32), "s64": _signed(64),
                "ror": lambda x, n: x >> n | x << 64 - n,
            }  # fmt: skip
            wanted = eval(formula.strip(), names) & MASK
            source += [f"MOVD ${a}, R1", f"MOVD ${b}, R2", f"MOVD ${c}, R3", f"MOVD ${OLD}, R4", text.strip()]
            source += [f"MOVD ${wanted}, R7", f"MOVD ${number}, R0", "CMP R7, R4", "BNE leave"]
    source += ["MOVD $0, R0", "leave: MOVD $93, R8", "SVC"]
    ctx = Ctx()
    symbols = parse_assembly(make_arch(), ctx, "\n".join(source))
    assert not ctx.errors, ctx.errors[0]
    data = write_elf(build_object(TARGETS["linux/arm64"], symbols))
    exe = link(find_tool("ld.lld", "ld.lld-19", "aarch64-linux-gnu-ld"), "linux_arm64.ld", data, str(tmp_path))
    status, _ = run(find_tool("qemu-aarch64-static", "qemu-aarch64"), exe)
    assert status == 0, cases[status - 1]
