"""hypothesis: random operands and programs.

encode -> capstone -> the same instruction; relaxation against a naive layout; hostile text never
raises anything but AsmError.
"""

from __future__ import annotations

import os
import sys

import pytest

pytest.importorskip("hypothesis")
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from backend.obj.printer import format_prog
from backend.obj.prog import BRANCH, CONST, MEM, REG, Addr, Prog
from backend.obj.sym import LSym
from backend.x86.arch import make_arch
from backend.x86.forms import Forms
from backend.x86.ops import AJEQ, AJMP, ANOP, APCALIGN, ARET, AXORL, NAMES, OPS
from backend.x86.regs import AX, R15, SP, X0
from mochic.asmcmd import assemble_line

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "asm"))

AMD64 = make_arch()
GP = st.integers(AX, R15)
INDEX = GP.filter(lambda r: r != SP)
OFFSET = st.one_of(st.sampled_from([0, 1, 127, 128, -128, -129, 2**31 - 1, -(2**31)]), st.integers(-(2**31), 2**31 - 1))
MEMORY = st.one_of(
    st.builds(lambda b, o: Addr(MEM, b, o), GP, OFFSET),
    st.builds(lambda b, o, i, s: Addr(MEM, b, o, index=i, scale=s), GP, OFFSET, INDEX, st.sampled_from([1, 2, 4, 8])),
    st.builds(lambda o, i, s: Addr(MEM, 0, o, index=i, scale=s), OFFSET, INDEX, st.sampled_from([1, 2, 4, 8])),
)
REGISTER = st.builds(lambda r: Addr(REG, r), GP)
XMM = st.builds(lambda i: Addr(REG, X0 + i), st.integers(0, 15))
BY_PATTERN = {
    "r64": REGISTER,
    "r32": REGISTER,
    "r/m64": st.one_of(REGISTER, MEMORY),
    "r/m32": st.one_of(REGISTER, MEMORY),
    "xmm": XMM,
    "xmm/m64": st.one_of(XMM, MEMORY),
    "xmm/m32": st.one_of(XMM, MEMORY),
    "xmm/m128": st.one_of(XMM, MEMORY),
    "&m": MEMORY,
    "m64": MEMORY,
    "$i8": st.builds(lambda v: Addr(CONST, offset=v), st.integers(-128, 127)),
    "$i32": st.builds(lambda v: Addr(CONST, offset=v), st.integers(-(2**31), 2**31 - 1)),
    "$s32": st.builds(lambda v: Addr(CONST, offset=v), st.integers(-(2**31), 2**31 - 1)),
    "$u32": st.builds(lambda v: Addr(CONST, offset=v), st.integers(0, 2**32 - 1)),
    "$u8": st.builds(lambda v: Addr(CONST, offset=v), st.integers(0, 127)),
}


def _rows() -> list[tuple[int, list[str]]]:
    out = []
    table = Forms().table
    for as_ in NAMES:
        for form in table.forms_of(as_):
            words = form.text.partition(" ")[2].partition("{")[0]
            patterns = [w.strip().rstrip("!=") for w in words.split(",") if w.strip()]
            if patterns and all(p in BY_PATTERN for p in patterns):
                out.append((as_, patterns))
    return out


ROWS = _rows()
INSTRUCTION = st.sampled_from(ROWS).flatmap(
    lambda row: st.tuples(st.just(row[0]), st.tuples(*[BY_PATTERN[p] for p in row[1]]))
)


@pytest.mark.slow
@given(INSTRUCTION)
@settings(max_examples=600, deadline=None)
def test_disassembles_to_the_same(insn: tuple[int, tuple[Addr, ...]]) -> None:
    pytest.importorskip("capstone")
    import disasm

    p = Prog(insn[0], list(insn[1]))
    text = LSym("f")
    AMD64.assemble(text, [p])
    assert p.size == len(text.data)
    line = format_prog(AMD64, p).replace("\t", " ")
    assert disasm.compare(line, bytes(text.data)) == "", (line, text.data.hex())
    assert assemble_line(AMD64, line)[0] == text.data.hex()


@given(st.lists(st.tuples(st.sampled_from("jcxpa"), st.integers(0, 400), st.integers(1, 70)), min_size=2, max_size=60))
@settings(max_examples=150, deadline=None)
def test_relaxation(shape: list[tuple[str, int, int]]) -> None:
    """Every displacement is right, and no branch is longer than it has to be in the final layout."""
    progs: list[Prog] = []
    jumps: list[tuple[Prog, int]] = []
    for kind, to, count in shape:
        if kind in "jc":
            p = Prog(AJMP if kind == "j" else AJEQ, [Addr(BRANCH)])
            jumps.append((p, to))
            progs.append(p)
        elif kind == "a":
            progs.append(Prog(APCALIGN, [Addr(CONST, offset=16)]))
        elif kind == "p":
            progs.append(Prog(ANOP, []))
        else:
            progs.extend(Prog(AXORL, [Addr(REG, AX), Addr(REG, AX)]) for _ in range(count))
    progs.append(Prog(ARET, []))
    for p, to in jumps:
        p.args[0].sym = progs[to % len(progs)]
    text = LSym("f")
    AMD64.assemble(text, progs)
    at = 0
    aligned = any(p.as_ == APCALIGN for p in progs)
    for p in progs:
        assert p.pc == at
        if p.as_ == APCALIGN:
            assert (p.pc + p.size) % 16 == 0
        at += p.size
    assert at == len(text.data)
    for p, _ in jumps:
        code = text.data[p.pc : p.pc + p.size]
        short = p.size == 2
        d = int.from_bytes(code[-1:] if short else code[-4:], "little", signed=True)
        assert p.pc + p.size + d == p.args[0].sym.pc
        if not short and not aligned:
            # grow-only relaxation is optimal without alignments: the short form would not reach
            saved = p.size - 2
            assert not -128 <= (d if d > 0 else d + saved) <= 127


WORDS = st.sampled_from(
    "MOVQ ADDQ JMP CALL TEXT DATA GLOBL RET AX (AX) 8(SP) $1 $foo(SB) foo(SB) x-8(SP) L: ; , ( ) $ * + - << ~ / "
    "0x 08 1.5 \"s\" 'c' {3:RET} # PCALIGN (PC) <> NOSPLIT X0 CR0 [Z0-Z3] $(1.5) \u00b7 \n".split(" ")
)


@pytest.mark.slow
@given(st.lists(st.one_of(WORDS, st.sampled_from(sorted(OPS)), st.text(max_size=4)), max_size=24))
@settings(max_examples=400, deadline=None)
def test_hostile_text(words: list[str]) -> None:
    ctx = Ctx()
    parse_assembly(AMD64, ctx, " ".join(words))
    assemble_line(AMD64, " ".join(words))
