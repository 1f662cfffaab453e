"""A64 expansions that need arithmetic, and the passes before encoding.

Three groups:

* computed rows of forms.tbl (`: name`): constants and offsets no single instruction holds.  They go
  through R27, which belongs to the assembler.
* progedit: float and vector constants that need a read-only symbol, and Go's spellings of RET and NOP.
* preprocess: the frame a TEXT declares, laid out as Go does it.

    caller's arguments     name+0(FP)   at RSP+total+8
    locals                 name-8(SP)   counted down from RSP+8+frame
    link register                       at RSP
    caller's R29                        at RSP-8; R29 = RSP-8, so that frames form a chain
    total = frame + 16 rounded up to 16; none with NOFRAME, or in a leaf without locals

With `stack_check` a function without NOSPLIT compares RSP with the limit at 16(g) and calls
runtime.morestack, as Go's functions do; mochic's own code never does (overflow is the guard page's
business).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from backend.arm64 import ops
from backend.arm64.forms import PSTATE
from backend.arm64.immediates import MASK32, MASK64, add12, float8, halfword64, logical32, logical64, single_bits
from backend.arm64.operands import EXTENDED, LSL, UXTW, UXTX, indexed, shifted
from backend.arm64.regs import F0, FP, LR, R0, R16, R17, R20, RSP, TMP, V0, V31, ZR, G
from backend.obj.ctx import AsmError, Ctx
from backend.obj.prog import (
    ADDR,
    BRANCH,
    CONST,
    FCONST,
    MEM,
    NAME_AUTO,
    NAME_EXTERN,
    NAME_NONE,
    NAME_PARAM,
    REG,
    SPECIAL,
    Addr,
    Prog,
)
from backend.obj.sym import LSym
from backend.obj.portable import ACALL, AJMP, ANOP, ARET, ATEXT, AUNDEF

# TEXT flags, as in Go's textflag.h.
NOSPLIT: Final = 4
NEEDCTXT: Final = 64
NOFRAME: Final = 512
_LINKAGE: Final = 16  # bytes of a frame for the link register and the frame pointer
_MAX_PREINDEX: Final = 0xF0  # frames up to this are made by the store of the link register
_STACK_SMALL: Final = 128  # frames up to this need no subtraction in the stack check (Go's StackSmall)
_STACK_BIG: Final = 4096

Insn = tuple[int, list[Addr], int]  # opcode, operands, suffix


def _reg(number: int) -> Addr:
    return Addr(REG, number)


def _const(value: int) -> Addr:
    return Addr(CONST, 0, value)


# ---------------------------------------------------------------------------------------------------
# Constants


def load_constant(value: int, reg: int, width: int = 64) -> list[Insn]:
    """The instructions that put a constant into a register, in Go's choice of shapes.

    ORR from ZR where the constant is a logical immediate that MOVZ and MOVN do not hold (or an ADD
    immediate too); MOVZ or MOVN and MOVKs for the other halfwords, counted from zeros or from ones,
    whichever leaves fewer; a logical immediate with one halfword replaced where that saves more.

    >>> [(ops.NAMES[as_], hex(args[0].offset)) for as_, args, _ in load_constant(0x12345, R0)]
    [('MOVZ', '0x2345'), ('MOVK', '0x1')]
    """
    narrow = width == 32
    mask = MASK32 if narrow else MASK64
    value &= mask
    movz, movn, movk, orr = _MOVES[narrow]
    one = halfword64(value) >= 0 or halfword64(~value & mask) >= 0
    if reg != ZR and (logical32 if narrow else logical64)(value) >= 0 and (not one or add12(value) >= 0):
        return [(orr, [_const(value), _reg(ZR), _reg(reg)], 0)]
    if reg == RSP:
        raise ValueError("RSP cannot be loaded with this constant")
    if halfword64(value) >= 0:
        return [(movz, [_const(value), _reg(reg)], 0)]
    if one:
        return [(movn, [_const(~value & mask), _reg(reg)], 0)]
    halves = [value >> s & 0xFFFF for s in range(0, width, 16)]
    zeros, ones = halves.count(0), halves.count(0xFFFF)
    if not narrow and max(zeros, ones) < 2:
        replaced = _logical_but_one(value, halves)
        if replaced is not None:
            core, i = replaced
            return [(orr, [_const(core), _reg(ZR), _reg(reg)], 0), (movk, [_const(halves[i]), _const(i), _reg(reg)], 0)]
    fill = 0xFFFF if ones > zeros and not narrow else 0
    out: list[Insn] = []
    for i, half in enumerate(halves):
        if half == fill:
            continue
        if out:
            out.append((movk, [_const(half), _const(i), _reg(reg)], 0))
        elif fill:
            out.append((movn, [_const((half ^ 0xFFFF) << 16 * i), _reg(reg)], 0))
        else:
            out.append((movz, [_const(half << 16 * i), _reg(reg)], 0))
    return out


def _logical_but_one(value: int, halves: list[int]) -> tuple[int, int] | None:
    """A logical immediate that differs from the value in one halfword, and which."""
    for i in range(4):
        for other in halves:
            core = value & ~(0xFFFF << 16 * i) | other << 16 * i
            if core != value and logical64(core) >= 0:
                return core, i
    return None


_MOVES: Final = {
    False: (ops.AMOVZ, ops.AMOVN, ops.AMOVK, ops.AORR),
    True: (ops.AMOVZW, ops.AMOVNW, ops.AMOVKW, ops.AORRW),
}

# ---------------------------------------------------------------------------------------------------
# Computed expansions: name -> function(as_, args, argument, go_shapes)


def constant(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """MOVD $c, MOVW $c."""
    return load_constant(args[0].offset, args[1].reg, int(argument))


def address(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """MOVD $off(Rn), Rd: an addition, high part first."""
    value, base, rd = args[0].offset, args[0].reg, args[1]
    op = ops.AADD
    if value < 0:
        op, value = ops.ASUB, -value
    if add12(value) >= 0:
        return [(op, [_const(value), _reg(base), rd], 0)]
    if base == TMP:
        raise ValueError("R27 cannot be a source here: the constant goes through it")
    if value <= 0xFFFFFF:
        return [(op, [_const(value & ~0xFFF), _reg(base), rd], 0), (op, [_const(value & 0xFFF), rd, rd], 0)]
    return [*load_constant(args[0].offset, TMP), (ops.AADD, [_reg(TMP), _reg(base), rd], 0)]


def add_wide(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """rd = rn +- constant: through R27 if that takes one move, else two additions of 12 bits each."""
    value, rn, rd = args[0].offset, args[1], args[2]
    if 0 <= value <= 0xFFFFFF:
        load = load_constant(value, TMP, int(argument))
        if len(load) > 1:
            return [(as_, [_const(value & 0xFFF), rn, rd], 0), (as_, [_const(value & ~0xFFF), rd, rd], 0)]
    return alu_wide(as_, args, argument, go_shapes)


def alu_wide(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """An operation with a constant that goes through R27, or with zero, which is in ZR."""
    width = int(argument)
    value = args[0].offset
    if value & (MASK32 if width == 32 else MASK64) == 0:
        return [(as_, [_reg(ZR), *args[1:]], 0)]
    if args[1].reg == TMP:
        raise ValueError("R27 cannot be a source here: the constant goes through it")
    return [*load_constant(value, TMP, width), (as_, [_reg(TMP), *args[1:]], 0)]


def shift_as_extend(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """R1<<n with RSP in the instruction, which only takes extended registers: up to 4 bits."""
    a = args[0]
    if a.index != LSL or a.scale > 4:
        raise ValueError("with RSP a register can only be shifted left by 0 to 4")
    option = UXTW if ops.NAMES[as_][-1] == "W" else UXTX
    return [(as_, [shifted(a.reg, EXTENDED + option, a.scale), *args[1:]], 0)]


def extract(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """SBFX $lsb, Rn, $width, Rd and relatives: the manual's aliases of SBFM, BFM, UBFM."""
    lsb, width = args[0].offset, args[2].offset
    if lsb + width > (32 if argument[-1] == "W" else 64):
        raise ValueError("the bit field does not fit the register")
    return [(ops.OPS[argument], [args[0], args[1], _const(lsb + width - 1), args[3]], 0)]


def insert(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """SBFIZ $lsb, Rn, $width, Rd and relatives."""
    size = 32 if argument[-1] == "W" else 64
    lsb, width = args[0].offset, args[2].offset
    if lsb + width > size:
        raise ValueError("the bit field does not fit the register")
    return [(ops.OPS[argument], [_const(-lsb & size - 1), args[1], _const(width - 1), args[3]], 0)]


def rotate(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """ROR by a constant extracts from a register paired with itself."""
    return [(ops.OPS[argument], [args[0], args[1], args[1], args[2]], 0)]


def remainder(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """rn - rn / rm * rm, the quotient in R27."""
    narrow = ops.NAMES[as_][-1] == "W"
    rm, rn, rd = args
    if TMP in (rm.reg, rn.reg):
        raise ValueError("R27 cannot be a source here: the quotient goes through it")
    multiply = ops.AMSUBW if narrow else ops.AMSUB
    return [(ops.OPS[argument], [rm, rn, _reg(TMP)], 0), (multiply, [rm, rn, _reg(TMP), rd], 0)]


def mem_wide(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """A load or store whose offset its instruction does not hold: an ADD of what is over, to 24 bits; else
    the whole offset as index register."""
    i = 0 if args[0].kind == MEM else 1
    base, value = args[i].reg, args[i].offset
    if base == TMP or (i and TMP in (args[0].reg, args[0].index)):
        raise ValueError("R27 cannot be used here: the address goes through it")
    rest = list(args)
    scale = int(argument)
    near = value % scale != 0 or value < 0  # else the scaled form would have taken it, or must split it
    if -0xFFF <= value <= 0xFFF and near:
        rest[i] = Addr(MEM, TMP)
        return [(ops.AADD if value >= 0 else ops.ASUB, [_const(abs(value)), _reg(base), _reg(TMP)], 0), (as_, rest, 0)]
    high = _split_offset(value, scale)
    if high >= 0:
        rest[i] = Addr(MEM, TMP, value - high)
        return [(ops.AADD, [_const(high), _reg(base), _reg(TMP)], 0), (as_, rest, 0)]
    rest[i] = indexed(base, TMP)
    return [*_offset_constant(value, go_shapes), (as_, rest, 0)]


def _split_offset(value: int, scale: int) -> int:
    """The part of an offset for an ADD of 12 bits, shifted or not, that leaves a scaled 12-bit rest; -1 when
    there is none."""
    most = 0xFFF * scale
    if most <= value <= 0xFFF + most:
        return value - most
    if value < 0 or value % scale:
        return -1
    high = min(value & ~(most | scale - 1), 0xFFF000)
    return high if value - high <= most else -1


def _offset_constant(value: int, go_shapes: bool) -> list[Insn]:
    """R27 = an offset: a literal as in Go, else by moves."""
    if go_shapes:
        return [(ops.APOOL, [_const(value), _reg(TMP)], 0)]
    return load_constant(value, TMP)


def pair_wide(as_: int, args: list[Addr], argument: str, go_shapes: bool) -> list[Insn]:
    """LDP or STP whose offset it does not hold: the address in R27."""
    i = 0 if args[0].kind == MEM else 1
    base, value = args[i].reg, args[i].offset
    if base == TMP or (i and TMP in (args[0].reg, args[0].index)):
        raise ValueError("R27 cannot be used here: the address goes through it")
    rest = list(args)
    rest[i] = Addr(MEM, TMP)
    op, size = (ops.AADD, value) if value >= 0 else (ops.ASUB, -value)
    if add12(size) >= 0 and (value >= 0 or size <= 0xFFF):
        return [(op, [_const(size), _reg(base), _reg(TMP)], 0), (as_, rest, 0)]
    if 0 <= value <= 0xFFFFFF:
        low = 0xFFF if value <= 0x1FFE else value & 0xFFF
        return [
            (op, [_const(low), _reg(base), _reg(TMP)], 0),
            (op, [_const(value - low), _reg(TMP), _reg(TMP)], 0),
            (as_, rest, 0),
        ]
    return [
        *_offset_constant(value, go_shapes),
        (ops.AADD, [shifted(TMP, EXTENDED + UXTX, 0), _reg(base), _reg(TMP)], 0),
        (as_, rest, 0),
    ]


COMPUTED: Final[dict[str, Callable[[int, list[Addr], str, bool], list[Insn]]]] = {
    "constant": constant, "address": address, "add_wide": add_wide, "alu_wide": alu_wide, "extract": extract,
    "shift_as_extend": shift_as_extend, "insert": insert, "rotate": rotate, "remainder": remainder,
    "mem_wide": mem_wide, "pair_wide": pair_wide,
}  # fmt: skip

# ---------------------------------------------------------------------------------------------------
# progedit

# System registers whose field MSR $c can write: their number to op1:op2 (C6.2, MSR immediate): SPSel, PAN, UAO, DIT,
# SSBS, TCO.
_PSTATE_FIELDS: Final = {0xC210: 0o05, 0xC213: 0o04, 0xC214: 0o03, 0xDA15: 0o32, 0xDA16: 0o31, 0xDA17: 0o34}
_FLOAT_MOVES: Final = {ops.AFMOVS: 4, ops.AFMOVD: 8}
_VECTOR_MOVES: Final = {ops.AVMOVS: (4, ops.AFMOVS), ops.AVMOVD: (8, ops.AFMOVD), ops.AVMOVQ: (16, ops.AFMOVQ)}


def progedit(ctx: Ctx, p: Prog) -> None:
    """Rewrites operands no form takes."""
    args = p.args
    as_ = p.as_
    if args and args[0].kind == FCONST and as_ in _FLOAT_MOVES:
        _float_constant(ctx, p, _FLOAT_MOVES[as_])
    elif as_ in _VECTOR_MOVES and args and args[0].kind == CONST:
        _vector_constant(ctx, p)
    elif as_ == ops.AMSR and len(args) == 2 and args[0].kind == CONST and args[1].kind == SPECIAL:
        # The name is that of a system register too.
        field = _PSTATE_FIELDS.get(args[1].offset)
        if field is not None:
            args[1].offset = PSTATE | field
    elif as_ == ARET:
        # Go looks at the last operand alone: the register to return through, or the symbol to go on in.
        if args:
            last = args[-1]
            p.args = [] if last.kind == CONST else [last]
    elif as_ == ANOP:
        args.clear()
    elif as_ == AUNDEF:
        args.clear()


def _float_constant(ctx: Ctx, p: Prog, width: int) -> None:
    bits = p.args[0].offset & MASK64
    if bits == 0 or float8(bits) >= 0:
        return
    if width == 4:
        bits = single_bits(bits)
        if bits < 0:
            raise AsmError(p.pos, "constant does not fit in a 32-bit float")
    p.args[0] = Addr(MEM, sym=ctx.constant(f"f{8 * width}", bits.to_bytes(width, "little")), name=NAME_EXTERN)


def _vector_constant(ctx: Ctx, p: Prog) -> None:
    """VMOVS, VMOVD $c, Vd and VMOVQ $low, $high, Vd are loads of read-only data."""
    width, load = _VECTOR_MOVES[p.as_]
    consts, target = p.args[:-1], p.args[-1]
    bad = target.kind != REG or not V0 <= target.reg <= V31 or any(a.kind != CONST for a in consts)
    if bad or len(consts) != max(1, width // 8):
        raise AsmError(p.pos, "illegal combination of operands")
    part = min(width, 8)
    data = b"".join([(a.offset & (1 << 8 * part) - 1).to_bytes(part, "little") for a in consts])
    p.as_ = load
    p.args = [Addr(MEM, sym=ctx.constant(f"i{8 * width}", data), name=NAME_EXTERN), _reg(F0 + (target.reg & 31))]


# ---------------------------------------------------------------------------------------------------
# preprocess

_CALLS: Final = (ACALL, ops.ABL)


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
    leaf = not any(p.as_ in _CALLS for p in progs)
    total = 0
    if not (leaf and size == 0) and not flags & NOFRAME:
        if size & 7:
            raise AsmError(progs[0].pos, f"frame size {size} is not a multiple of 8")
        total = size + _LINKAGE + 15 & ~15
    elif flags & NOFRAME and size:
        raise AsmError(progs[0].pos, "a function with NOFRAME cannot have a frame")
    if total >= 1 << 31:
        raise AsmError(progs[0].pos, f"frame size {size} is too large")
    out: list[Prog] = []
    tail: list[Prog] = []
    for p in progs:
        for a in p.args:
            if p.scond and a.name in (NAME_AUTO, NAME_PARAM):
                raise AsmError(p.pos, "locals and arguments cannot be pre- or post-indexed")
            if a.name == NAME_AUTO:
                a.reg, a.offset, a.name, a.sym = RSP, a.offset + size + 8, NAME_NONE, None
            elif a.name == NAME_PARAM:
                a.reg, a.offset, a.name, a.sym = RSP, a.offset + total + 8, NAME_NONE, None
        if p.as_ == ATEXT:
            out.append(p)
            if total:
                if stack_check and not flags & NOSPLIT and not (leaf and total < _STACK_SMALL):
                    tail = _check_stack(ctx, out, p.pos, total, flags & NEEDCTXT != 0)
                _prologue(out, p.pos, total)
        elif p.as_ == ARET:
            if total:
                _epilogue(out, p, total, leaf)
            else:
                _return_through(p)
                out.append(p)
        else:
            out.append(p)
    return out + tail


def _prologue(out: list[Prog], pos: int, total: int) -> None:
    if total <= _MAX_PREINDEX:
        store = Prog(ops.AMOVD, [_reg(LR), Addr(MEM, RSP, -total)], pos)
        store.scond = 2
        out.append(store)
        out.append(Prog(ops.AMOVD, [_reg(FP), Addr(MEM, RSP, -8)], pos))
    else:
        # The frame is filled in before RSP moves: a signal handler never sees it half made.
        out.append(Prog(ops.ASUB, [_const(total), _reg(RSP), _reg(R20)], pos))
        both = Addr(_REGREG, FP, 0, None, LR)
        out.append(Prog(ops.ASTP, [both, Addr(MEM, R20, -8)], pos))
        out.append(Prog(ops.AMOVD, [_reg(R20), _reg(RSP)], pos))
    out.append(Prog(ops.ASUB, [_const(8), _reg(RSP), _reg(FP)], pos))


_REGREG: Final = 9


def _return_through(p: Prog) -> None:
    """RET with a symbol is a jump there."""
    if p.args and p.args[0].kind == MEM and (p.args[0].sym is not None or p.args[0].name):
        p.as_ = AJMP


def _epilogue(out: list[Prog], p: Prog, total: int, leaf: bool) -> None:
    """R29, R30 and RSP restored in front of a RET; the RET's label moves to the first Prog."""
    ret = Prog(ARET, p.args, p.pos)
    ret.mark = p.mark
    _return_through(ret)
    pos = p.pos
    if leaf:
        p.as_, p.args = ops.AADD, [_const(total - 8), _reg(RSP), _reg(FP)]
        restore = Prog(ops.AADD, [_const(total), _reg(RSP), _reg(RSP)], pos)
    elif total <= _MAX_PREINDEX:
        p.as_, p.args = ops.AMOVD, [Addr(MEM, RSP, -8), _reg(FP)]
        restore = Prog(ops.AMOVD, [Addr(MEM, RSP, total), _reg(LR)], pos)
        restore.scond = 1
    else:
        p.as_, p.args = ops.ALDP, [Addr(MEM, RSP, -8), Addr(_REGREG, FP, 0, None, LR)]
        restore = Prog(ops.AADD, [_const(total), _reg(RSP), _reg(RSP)], pos)
    out += (p, restore, ret)


def _check_stack(ctx: Ctx, out: list[Prog], pos: int, total: int, needs_context: bool) -> list[Prog]:
    """Compares RSP with the limit.  The result goes to the end of the function: runtime.morestack, the
    return address in R3, and again from the start.  Frames beyond _STACK_BIG guard against wrap-round."""
    start = Prog(ops.AMOVD, [Addr(MEM, G, 16), _reg(R16)], pos)
    save = Prog(ops.AMOVD, [_reg(LR), _reg(R0 + 3)], pos)
    more = ctx.lookup("runtime.morestack" if needs_context else "runtime.morestack_noctxt")
    out.append(start)
    compared = RSP
    if total > _STACK_SMALL:
        compared = R17
        big = total > _STACK_BIG
        below = [_const(total - _STACK_SMALL), _reg(RSP), _reg(R17)]
        out.append(Prog(ops.ASUBS if big else ops.ASUB, below, pos))
        if big:
            out.append(Prog(ops.ABLO, [Addr(BRANCH, sym=save)], pos))
    out.append(Prog(ops.ACMP, [_reg(R16), _reg(compared)], pos))
    out.append(Prog(ops.ABLS, [Addr(BRANCH, sym=save)], pos))
    call = Prog(ACALL, [Addr(MEM, sym=more, name=NAME_EXTERN)], pos)
    return [save, call, Prog(AJMP, [Addr(BRANCH, sym=start)], pos)]


__all__ = ["ADDR", "COMPUTED", "Insn", "load_constant", "preprocess", "preprocess_checked", "progedit"]
