"""Where the instructions of amd64 code begin, and which of them read a GOT entry in a form that linkers may rewrite.

Problem: with R_X86_64_GOTPCRELX a linker replaces the bytes in front of the field, so the writer must know the
instruction; and bytes cannot be read backwards: 44 03 0d may be ADDL to R9, or ADDL to CX behind a constant that ends
in 44.  Method: step over the instructions from the start of each function (Intel SDM volume 2, appendix A: opcode maps
for 64-bit mode).  What is no known instruction ends the walk; the fields behind it have no form that is rewritten.

The forms are those of the x86-64 psABI, B.2 "Optimize GOTPCRELX Relocations": call and jump through the entry, MOV
from it, TEST with it and the operations ADC, ADD, AND, CMP, OR, SBB, SUB and XOR from it, with 32- or 64-bit operands
and no prefix but REX and those that mean nothing here (CS, DS, ES, SS, which is also NOTRACK; BND of a jump).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

GOT_FIXED: Final = 0  # leave the instruction alone
GOT_PLAIN: Final = 1  # may be rewritten; no REX prefix
GOT_REX: Final = 2  # may be rewritten; the byte before the opcode is a REX prefix
GOT_MOVQ: Final = 3  # the same, and it is a 64-bit load

# What follows an opcode: m ModRM, r the same without a memory operand, b imm8, z imm of 4 (2 with a 66 prefix) bytes,
# capitals both, w imm16, e imm16 and imm8, d rel32, v imm of the operand's size, o address, t TEST or another of
# group 3, - no instruction, p prefix.
_ONE: Final = (
    "mmmmbz--mmmmbz-p" + "mmmmbz--mmmmbz--" + "mmmmbzp-mmmmbzp-" + "mmmmbzp-mmmmbzp-"
    "pppppppppppppppp" + "................" + "--pmppppzZbM...." + "bbbbbbbbbbbbbbbb"
    "MZ-Mmmmmmmmmmmmm" + "..........-....." + "oooo....bz......" + "bbbbbbbbvvvvvvvv"
    "MMw.ppMZe.w..b-." + "mmmm---.mmmmmmmm" + "bbbbbbbbdd-b...." + "p.pp..tt......mm"
)
_TWO: Final = (
    "mmmm-.....-.-m.M" + "mmmmmmmmmmmmmmmm" + "rrrr----mmmmmmmm" + "......-.--------"
    "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "MMMMmmm.-m--mmmm"
    "dddddddddddddddd" + "mmmmmmmmmmmmmmmm" + "...mMm--...mMmmm" + "mmmmmmmmmmMmmmmm"
    "mmMmMMMm........" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm" + "mmmmmmmmmmmmmmmm"
)
_MAPS: Final = {1: _TWO, 2: "m" * 256, 3: "M" * 256, 5: "m" * 256, 6: "m" * 256}
_EXTRA: Final = {"b": 1, "M": 1, "r": 1, "w": 2, "e": 3, "d": 4}
_BINARY: Final = (0x03, 0x0B, 0x13, 0x1B, 0x23, 0x2B, 0x33, 0x3B, 0x85, 0x8B)
_KEPT: Final = b"\x64\x65\x66\x67\xf0\xf3"  # prefixes with which an instruction means something else
_LEGACY: Final = frozenset(b"\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3")


def got_forms(code: bytes | bytearray, starts: Iterable[int]) -> dict[int, int]:
    """The fields (their offsets) that may be rewritten, with their forms; `starts` are offsets of functions.

    >>> got_forms(bytes.fromhex("bf11000044 030d00000000 488b0500000000"), [0])
    {7: 1, 14: 3}
    """
    out: dict[int, int] = {}
    bounds = sorted({at for at in starts if 0 <= at < len(code)}) + [len(code)]
    padded = bytes(code) + bytes(16)  # room for every look ahead
    for at, end in pairwise(bounds):
        while at < end:
            at = _step(padded, at, end, out)
    return out


def _step(code: bytes, start: int, end: int, out: dict[int, int]) -> int:
    """The end of the instruction at `start`; `end` when it is none or does not fit."""
    at = start
    byte = code[at]
    kept = bound = wide = False
    while byte in _LEGACY:
        kept = kept or byte in _KEPT
        bound = bound or byte == 0xF2
        wide = wide or byte == 0x66
        at += 1
        if at >= end:
            return end
        byte = code[at]
    rex = byte if byte & 0xF0 == 0x40 else 0
    if rex:
        at += 1
    byte = code[at]
    opcodes, escaped = _ONE, True
    if byte in (0xC4, 0xC5, 0x62) and not rex:
        length, space = {0xC5: (2, 1), 0xC4: (3, code[at + 1] & 0x1F), 0x62: (4, code[at + 1] & 7)}[byte]
        opcodes = _MAPS.get(space, "-" * 256)
        at += length
    elif byte == 0x0F:
        at += 1
        opcodes = _TWO
        if code[at] in (0x38, 0x3A):
            opcodes = _MAPS[2 if code[at] == 0x38 else 3]
            at += 1
    else:
        escaped = False
    if at + 1 > end:
        return end
    byte = code[at]
    what = opcodes[byte]
    if what in "-p":
        return end
    at += 1
    size = _EXTRA.get(what, 0)
    if what in "zZ":
        size = 2 if wide and not rex & 8 else 4
    elif what == "v":
        size = 8 if rex & 8 else 2 if wide else 4
    elif what == "o":
        size = 4 if 0x67 in code[start : at - 1] else 8
    if what in "mMZt":
        if at >= end:
            return end
        modrm = code[at]
        if what == "t" and not modrm & 0x30:
            size = 1 if byte == 0xF6 else 2 if wide and not rex & 8 else 4
        at += 1
        mod, rm = modrm >> 6, modrm & 7
        if mod < 3 and rm == 4:
            if mod == 0 and at < end and code[at] & 7 == 5:
                size += 4
            at += 1
        if mod == 0 and rm == 5:
            jump = byte == 0xFF and modrm in (0x15, 0x25)
            if not (escaped or kept) and (jump or (byte in _BINARY and not bound)) and at + 4 <= end:
                out[at] = (GOT_MOVQ if byte == 0x8B and rex & 8 else GOT_REX) if rex else GOT_PLAIN
            at += 4
        at += (0, 1, 4, 0)[mod]
    return min(at + size, end)
