"""x86 pseudo-operations: floating constants, ADJSP, and the frame a TEXT declares.

The frame (System V psABI 3.2.2, with BP as frame pointer):

    caller's arguments          name+0(FP)    at SP+total+8
    return address
    saved BP                                  unless NOFRAME, or a leaf without locals
    locals, `size` bytes        name-8(SP)    counted down from the saved BP

TEXT f(SB), flags, $size-args makes the prologue PUSHQ BP; MOVQ SP, BP; SUBQ $size, SP and every RET
undoes it.  Pushes, pops and ADJSP inside the function move SP; operands relative to the frame follow.
Functions never check the stack: overflow is the guard page's business.
"""

from __future__ import annotations

import struct
from typing import Final

from backend.obj.ctx import AsmError, Ctx
from backend.obj.prog import (
    CONST,
    FCONST,
    MEM,
    NAME_AUTO,
    NAME_EXTERN,
    NAME_NONE,
    NAME_PARAM,
    REG,
    Addr,
    Prog,
)
from backend.obj.sym import LSym
from backend.obj.portable import ACALL, ARET, ATEXT
from backend.x86.ops import (
    AADDQ,
    AADJSP,
    AMOVQ,
    AMOVSD,
    AMOVSS,
    APOPFQ,
    APOPFW,
    APOPQ,
    APOPW,
    APUSHFQ,
    APUSHFW,
    APUSHQ,
    APUSHW,
    ASUBQ,
    AXORPS,
    OPS,
)
from backend.x86.regs import BP, SP, X0, Y0

# TEXT flags, as in Go's textflag.h.
NOSPLIT: Final = 4
NOFRAME: Final = 512

# What an instruction adds to the depth of the stack.
_PUSHES: Final = {APUSHQ: 8, APUSHFQ: 8, APUSHW: 2, APUSHFW: 2, APOPQ: -8, APOPFQ: -8, APOPW: -2, APOPFW: -2}


# Opcodes that take a float constant, by its width in bytes.
_FLOATS: Final = {
    4: "MOVSS ADDSS SUBSS MULSS DIVSS MINSS MAXSS SQRTSS COMISS UCOMISS CVTSS2SD FMOVF FADDF FCOMF FMULF FSUBF FDIVF",
    8: "MOVSD ADDSD SUBSD MULSD DIVSD MINSD MAXSD SQRTSD COMISD UCOMISD CVTSD2SS FMOVD FADDD FCOMD FMULD FSUBD FDIVD",
}
_FLOAT_WIDTH: Final = {OPS[name]: width for width, names in _FLOATS.items() for name in names.split()}


def progedit(ctx: Ctx, p: Prog) -> None:
    """Rewrites operands no form takes: a float constant becomes a read-only symbol (or XORPS for +0)."""
    for i, a in enumerate(p.args):
        if a.kind == FCONST:
            _float_constant(ctx, p, i, a)
    if p.as_ == AADJSP and (len(p.args) != 1 or p.args[0].kind != CONST):
        raise AsmError(p.pos, "ADJSP takes one constant")


def _float_constant(ctx: Ctx, p: Prog, i: int, a: Addr) -> None:
    width = _FLOAT_WIDTH.get(p.as_, 0)
    if width == 0:
        raise AsmError(p.pos, "this instruction takes no float constant")
    last = p.args[-1]
    if a.offset == 0 and p.as_ in (AMOVSD, AMOVSS) and len(p.args) == 2 and last.kind == REG and X0 <= last.reg < Y0:
        p.as_ = AXORPS
        p.args[0] = last
        return
    data = (a.offset & (1 << 64) - 1).to_bytes(8, "little")
    if width == 4:
        try:
            data = struct.pack("<f", struct.unpack("<d", data)[0])
        except OverflowError:
            raise AsmError(p.pos, "constant does not fit in a 32-bit float") from None
    p.args[i] = Addr(MEM, sym=ctx.constant(f"f{8 * width}", data), name=NAME_EXTERN)


def preprocess(ctx: Ctx, text: LSym, progs: list[Prog]) -> list[Prog]:
    """Makes prologue and epilogue from the TEXT Prog and resolves frame-relative operands."""
    if not progs or progs[0].as_ != ATEXT:
        size, flags = 0, NOFRAME
    else:
        head = progs[0]
        flags = head.args[0].offset
        size = head.args[1].offset
    leaf = True
    for p in progs:
        if p.as_ == ACALL:
            leaf = False
            break
    if size < 0:
        size, flags = 0, flags | NOFRAME
    saved_bp = 0 if flags & NOFRAME or (leaf and size == 0) else 8
    if size % 8:
        raise AsmError(progs[0].pos, f"frame size {size} is not a multiple of 8")
    out: list[Prog] = []
    depth = 0  # how far pushes have moved SP below its place after the prologue
    for p in progs:
        pos = p.pos
        for a in p.args:
            if a.name == NAME_AUTO:
                a.reg, a.offset, a.name, a.sym = SP, a.offset + size + depth, NAME_NONE, None
            elif a.name == NAME_PARAM:
                a.reg, a.offset, a.name, a.sym = SP, a.offset + size + saved_bp + 8 + depth, NAME_NONE, None
        as_ = p.as_
        if as_ == ATEXT:
            out.append(p)
            if saved_bp:
                out.append(Prog(APUSHQ, [Addr(REG, BP)], pos))
                out.append(Prog(AMOVQ, [Addr(REG, SP), Addr(REG, BP)], pos))
            if size:
                out.append(Prog(ASUBQ, [Addr(CONST, offset=size), Addr(REG, SP)], pos))
            continue
        if as_ == ARET:
            if depth and saved_bp:
                raise AsmError(pos, "unbalanced PUSH/POP")
            if saved_bp or size:
                _epilogue(out, p, size, saved_bp)
                continue
        elif as_ == AADJSP:
            depth += p.args[0].offset
            _adjust_sp(p)
        elif as_ in _PUSHES:
            depth += _PUSHES[as_]
        out.append(p)
    return out


def _epilogue(out: list[Prog], p: Prog, size: int, saved_bp: int) -> None:
    """SP and BP restored in front of a RET; its label moves to the first of the new Progs."""
    # p itself becomes the first instruction so that branches to the RET run the whole epilogue.
    ret = Prog(p.as_, p.args, p.pos)
    ret.mark = p.mark
    if size:
        p.as_, p.args = AADDQ, [Addr(CONST, offset=size), Addr(REG, SP)]
        out.append(p)
        if saved_bp:
            out.append(Prog(APOPQ, [Addr(REG, BP)], p.pos))
    else:
        p.as_, p.args = APOPQ, [Addr(REG, BP)]
        out.append(p)
    out.append(ret)


def _adjust_sp(p: Prog) -> None:
    """ADJSP $n moves SP down by n."""
    n = p.args[0].offset
    sign = ASUBQ
    if n < 0:
        sign, n = AADDQ, -n
    p.as_, p.args = sign, [Addr(CONST, offset=n), Addr(REG, SP)]
