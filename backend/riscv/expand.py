"""RISC-V expansions that need arithmetic, and the passes before encoding.

Three groups:

* computed expansions of forms.tbl rows (`: name`): constants and offsets that do not fit 12 bits.  They
  go through X31, which belongs to the assembler (ISA I 2.4.1: LUI makes the high 20 bits, the
  sign-extended low 12 bits are added by the next instruction).
* progedit: constants that need a read-only symbol, and Go's spellings of RET, NOP and UNDEF.
* preprocess: the frame a TEXT declares.  The link register is stored at the new top of the frame twice,
  before and after SP moves, as Go does: a signal handler that walks the stack finds it either way.

    caller's arguments     name+0(FP)   at SP+total+8
    total = locals + 8 for the link register; none with NOFRAME, or in a leaf without locals
    locals                 name-8(SP)   counted down from SP+total
    link register                       at SP

With `stack_check` a function without NOSPLIT compares SP with the limit at 16(g) and calls
runtime.morestack, as Go's functions do; mochic's own code never does (overflow is the guard page's
business).
"""

from __future__ import annotations

import struct
from typing import Final

from backend.obj.ctx import AsmError, Ctx
from backend.obj.prog import (
    BRANCH,
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
from backend.obj.portable import ACALL, AJMP, ANOP, ARET, ATEXT, AUNDEF
from backend.riscv import ops
from backend.riscv.regs import RA, S11, SP, T0, T1, T2, TMP, X0

# TEXT flags, as in Go's textflag.h.
NOSPLIT: Final = 4
NEEDCTXT: Final = 64
NOFRAME: Final = 512
_LINK: Final = 8  # bytes for the link register
_STACK_SMALL: Final = 128  # frames up to this need no subtraction in the stack check (Go's StackSmall)
_STACK_BIG: Final = 4096

Insn = tuple[int, list[Addr]]


def fits12(value: int) -> bool:
    """Whether a constant fits the 12-bit immediate of an instruction."""
    return -2048 <= value <= 2047


def _reg(number: int) -> Addr:
    return Addr(REG, number)


def _const(value: int) -> Addr:
    return Addr(CONST, 0, value)


def split32(value: int) -> tuple[int, int]:
    """(high, low) with high << 12 plus low equal to the value, low signed 12 bits, high signed 20 bits.

    Values from 0x7ffff800 up wrap round, which 32-bit addition makes good.

    >>> split32(0x12fff)
    (19, -1)
    """
    low = (value & 0xFFF) - ((value & 0x800) << 1)
    high = (value - low >> 12) & 0xFFFFF
    return high - ((high & 0x80000) << 1), low


def load_constant(value: int, reg: int) -> list[Insn] | None:
    """The shortest of: ADDI; LUI; LUI and ADDIW; one of these shifted left, right, or both.

    None when the constant has none of these shapes.

    >>> [(ops.NAMES[as_], args[0].offset) for as_, args in load_constant(0xFFFFFFFF, 40)]
    [('ADDI', -1), ('SRLI', 32)]
    """
    if -(1 << 31) <= value < 1 << 31:
        return _load32(value, reg)
    left = (value & -value).bit_length() - 1
    if -(1 << 31) <= value >> left < 1 << 31:
        return [*_load32(value >> left, reg), _shift(ops.ASLLI, left, reg)]
    if value < 0:
        return None
    # Move the leading zeros out, load what is left as a negative number, and shift it back.
    right = 64 - value.bit_length()
    top = (value << right) - (1 << 64)
    left = (top & -top).bit_length() - 1
    core = top >> left
    if core < -(1 << 31):
        return None
    if not value & (value + 1):  # ones down to bit 0: what shifts in from the left is wanted
        return [*_load32(-1, reg), _shift(ops.ASRLI, right, reg)]
    return [*_load32(core, reg), _shift(ops.ASLLI, left, reg), _shift(ops.ASRLI, right, reg)]


def _load32(value: int, reg: int) -> list[Insn]:
    if fits12(value):
        return [(ops.AADDI, [_const(value), _reg(X0), _reg(reg)])]
    high, low = split32(value)
    out: list[Insn] = [(ops.ALUI, [_const(high), _reg(reg)])]
    if low:
        out.append((ops.AADDIW, [_const(low), _reg(reg), _reg(reg)]))
    return out


def _shift(as_: int, count: int, reg: int) -> Insn:
    return as_, [_const(count), _reg(reg), _reg(reg)]


# ---------------------------------------------------------------------------------------------------
# Computed expansions: name -> function(as_, args, argument)


def move_constant(as_: int, args: list[Addr], argument: str) -> list[Insn]:
    """MOV $c, rd.  Constants of no short shape are built from the top, 12 bits at a time; progedit
    replaces those by a load, so this happens only in code that skips progedit."""
    value, reg = args[0].offset, args[1].reg
    short = load_constant(value, reg)
    if short is not None:
        return short
    low = (value & 0xFFF) - ((value & 0x800) << 1)
    high = value - low >> 12
    zeros = (high & -high).bit_length() - 1
    out = move_constant(as_, [_const(high >> zeros), args[1]], "")
    out.append(_shift(ops.ASLLI, 12 + zeros, reg))
    if low:
        out.append((ops.AADDI, [_const(low), _reg(reg), _reg(reg)]))
    return out


def add_wide(as_: int, args: list[Addr], argument: str) -> list[Insn]:
    """rd = rs1 + constant: two ADDI when that reaches, else through X31.  SP moves in one step, so that
    no signal handler sees half a frame."""
    value, rs1, rd = args[0].offset, args[1], args[2]
    if -4096 <= value <= 4094 and rd.reg != SP:
        half = value // 2 if value >= 0 else -(-value // 2)
        return [(ops.AADDI, [_const(half), rs1, rd]), (ops.AADDI, [_const(value - half), rd, rd])]
    return [*_load32(value, TMP), (ops.AADD, [_reg(TMP), rs1, rd])]


def alu_wide(as_: int, args: list[Addr], argument: str) -> list[Insn]:
    """rd = rs1 op constant through X31."""
    return [*_load32(args[0].offset, TMP), (ops.OPS[argument], [_reg(TMP), args[1], args[2]])]


def mem_wide(as_: int, args: list[Addr], argument: str) -> list[Insn]:
    """A load, store or JALR whose offset needs 32 bits."""
    i = 0 if args[0].kind == MEM else 1
    high, low = split32(args[i].offset)
    if args[i].offset - low >= 1 << 31:
        raise ValueError(f"offset {args[i].offset} too large")
    rest = list(args)
    rest[i] = Addr(MEM, TMP, low)
    return [
        (ops.ALUI, [_const(high), _reg(TMP)]),
        (ops.AADD, [_reg(args[i].reg), _reg(TMP), _reg(TMP)]),
        (as_, rest),
    ]


COMPUTED: Final = {
    "move_constant": move_constant, "add_wide": add_wide, "alu_wide": alu_wide, "mem_wide": mem_wide,
}  # fmt: skip

# ---------------------------------------------------------------------------------------------------
# progedit


_FLOAT_MOVES: Final = {ops.AMOVF: 4, ops.AMOVD: 8}


def progedit(ctx: Ctx, p: Prog) -> None:
    """Rewrites operands no form takes."""
    args = p.args
    as_ = p.as_
    for a in args:
        if a.index:
            raise AsmError(p.pos, "index registers do not exist on this machine")
    if as_ == ops.AMOV:
        if len(args) == 2 and args[0].kind == CONST and args[1].kind == REG:
            value = args[0].offset
            if load_constant(value, X0) is None:
                data = (value & (1 << 64) - 1).to_bytes(8, "little")
                args[0] = Addr(MEM, sym=ctx.constant("i64", data), name=NAME_EXTERN)
    elif args and args[0].kind == FCONST:
        _float_constant(ctx, p)
    elif as_ == ARET:
        # Go looks at the last operand alone: the register to return through, or the symbol to go on in.
        if args:
            last = args[-1]
            if last.kind != REG and (last.kind != MEM or (last.sym is None and (last.name or last.offset))):
                raise AsmError(p.pos, "RET takes a register or a symbol")
            p.args = [last]
    elif as_ == ANOP:
        args.clear()
    elif as_ == AUNDEF:
        # The same for UNDEF, where the register only shows in the word.
        p.args = args[-1:] if len(args) > 1 and args[-1].kind == REG else []


def _float_constant(ctx: Ctx, p: Prog) -> None:
    width = _FLOAT_MOVES.get(p.as_, 0)
    if width == 0:
        raise AsmError(p.pos, "this instruction takes no float constant")
    bits = p.args[0].offset & (1 << 64) - 1
    if bits == 0:
        p.args[0] = _reg(X0)
        return
    data = bits.to_bytes(8, "little")
    if width == 4:
        try:
            data = struct.pack("<f", struct.unpack("<d", data)[0])
        except OverflowError:
            raise AsmError(p.pos, "constant does not fit in a 32-bit float") from None
    p.args[0] = Addr(MEM, sym=ctx.constant(f"f{8 * width}", data), name=NAME_EXTERN)


# ---------------------------------------------------------------------------------------------------
# preprocess


_CALLS: Final = (ACALL, ops.ACALLFAR)
_LINKING: Final = (ops.AJAL, ops.AJALR)


def preprocess(ctx: Ctx, text: LSym, progs: list[Prog]) -> list[Prog]:
    """Makes prologue and epilogue from the TEXT Prog and resolves frame-relative operands."""
    return _frame(ctx, progs, False)


def preprocess_checked(ctx: Ctx, text: LSym, progs: list[Prog]) -> list[Prog]:
    """The same; functions without NOSPLIT also check the stack limit."""
    return _frame(ctx, progs, True)


def _frame(ctx: Ctx, progs: list[Prog], stack_check: bool) -> list[Prog]:
    size, flags = 0, NOFRAME
    if progs and progs[0].as_ == ATEXT:
        flags, size = progs[0].args[0].offset, progs[0].args[1].offset
    if size < 0:
        size, flags = 0, flags | NOFRAME
    total = 0
    if size or not flags & NOFRAME:
        leaf = not any(
            p.as_ in _CALLS or (p.as_ in _LINKING and p.args and p.args[0].kind == REG and p.args[0].reg == RA)
            for p in progs
        )
        if not (leaf and size == 0) and not flags & NOFRAME:
            total = size + _LINK
        elif flags & NOFRAME and size:
            raise AsmError(progs[0].pos, "a function with NOFRAME cannot have a frame")
    if total >= 1 << 31:
        raise AsmError(progs[0].pos, f"frame size {size} is too large")
    out: list[Prog] = []
    for p in progs:
        for a in p.args:
            if a.name == NAME_AUTO:
                a.reg, a.offset, a.name, a.sym = SP, a.offset + total, NAME_NONE, None
            elif a.name == NAME_PARAM:
                a.reg, a.offset, a.name, a.sym = SP, a.offset + total + _LINK, NAME_NONE, None
        if total:
            if p.as_ == ATEXT:
                out.append(p)
                if stack_check and not flags & NOSPLIT:
                    _check_stack(ctx, out, p.pos, total, flags & NEEDCTXT != 0)
                out.append(Prog(ops.ASD, [_reg(RA), Addr(MEM, SP, -total)], p.pos))
                out.append(Prog(ops.AADDI, [_const(-total), _reg(SP), _reg(SP)], p.pos))
                out.append(Prog(ops.ASD, [_reg(RA), Addr(MEM, SP)], p.pos))
                continue
            if p.as_ == ARET:
                _epilogue(out, p, total)
                continue
        elif p.as_ == ARET and p.args:
            _return_through(p)
        out.append(p)
    return out


def _return_through(p: Prog) -> None:
    """RET with an operand is a jump there."""
    p.as_ = AJMP


def _epilogue(out: list[Prog], p: Prog, total: int) -> None:
    """The link register and SP restored in front of a RET; the RET's label moves to the first Prog."""
    ret = Prog(ARET, p.args, p.pos)
    ret.mark = p.mark
    if ret.args:
        _return_through(ret)
    p.as_, p.args = ops.ALD, [Addr(MEM, SP), _reg(RA)]
    out.append(p)
    out.append(Prog(ops.AADDI, [_const(total), _reg(SP), _reg(SP)], p.pos))
    out.append(ret)


def _check_stack(ctx: Ctx, out: list[Prog], pos: int, total: int, needs_context: bool) -> None:
    """Compares SP with the limit; on failure runtime.morestack is called through X5 and the function
    starts again.  Frames beyond _STACK_BIG guard against wrap-round first."""
    start = Prog(ops.ALD, [Addr(MEM, S11, 16), _reg(T1)], pos)
    more = ctx.lookup("runtime.morestack" if needs_context else "runtime.morestack_noctxt")
    call = Prog(ops.AJAL, [_reg(T0), Addr(MEM, sym=more, name=NAME_EXTERN)], pos)
    end = Prog(ANOP, [], pos)
    out.append(start)
    if total <= _STACK_SMALL:
        compared = SP
    else:
        compared = T2
        if total > _STACK_BIG:
            out.append(Prog(ops.AMOV, [_const(total - _STACK_SMALL), _reg(T2)], pos))
            out.append(Prog(ops.ABLTU, [_reg(SP), _reg(T2), Addr(BRANCH, sym=call)], pos))
        out.append(Prog(ops.AADDI, [_const(_STACK_SMALL - total), _reg(SP), _reg(T2)], pos))
    out.append(Prog(ops.ABLTU, [_reg(T1), _reg(compared), Addr(BRANCH, sym=end)], pos))
    out.append(call)
    out.append(Prog(AJMP, [Addr(BRANCH, sym=start)], pos))
    out.append(end)
