"""Operands by their names: the constructors of the Addrs that code is mostly made of.

    reg(AX)              AX                reg(n)
    imm(5)               $5                a constant of up to 64 bits
    fimm(1.5)            $(1.5)            a double constant
    mem(BX, 8)           8(BX)             memory at a register plus bytes; mem(BX, 8, CX, 4) is 8(BX)(CX*4)
    sym(s, 8)            s+8(SB)           memory at a symbol plus bytes
    addr(s, 8)           $s+8(SB)          the address of that
    branch(to)           L, or f(SB)       where a branch or call goes

Each call makes a new Addr: the passes before encoding change operands in place.
"""

from __future__ import annotations

import struct

from backend.obj.prog import ADDR, BRANCH, CONST, FCONST, MEM, NAME_EXTERN, REG, Addr, Prog
from backend.obj.sym import LSym


def reg(number: int) -> Addr:
    """A register, by its number in the CPU's window (`backend.<family>.regs`, or `Arch.regs` by name).

    >>> reg(16)
    reg(16)
    """
    return Addr(REG, number)


def imm(value: int) -> Addr:
    """A constant, signed or unsigned, of up to 64 bits.

    >>> imm(-1)
    imm(-1)
    """
    return Addr(CONST, 0, value)


def fimm(value: float) -> Addr:
    """A double constant.

    >>> fimm(1.5)
    fimm(1.5)
    """
    return Addr(FCONST, 0, int.from_bytes(struct.pack("<d", value), "little"))


def mem(base: int, offset: int = 0, index: int = 0, scale: int = 1) -> Addr:
    """Memory `offset` bytes from a base register (0: none), plus an index register times `scale` (bytes).

    >>> mem(16, 8), mem(16, 8, 17, 4)
    (mem(16, 8), mem(16, 8, 17, 4))
    """
    return Addr(MEM, base, offset, None, index, scale if index else 0)


def sym(symbol: LSym, offset: int = 0) -> Addr:
    """The memory of a symbol, from `offset` bytes on; it is relocated.

    >>> sym(LSym("counter"), 8)
    sym(counter, 8)
    """
    return Addr(MEM, 0, offset, symbol, 0, 0, NAME_EXTERN)


def addr(symbol: LSym, offset: int = 0) -> Addr:
    """The address of a symbol plus `offset` bytes, as a value.

    >>> addr(LSym("counter"))
    addr(counter, 0)
    """
    return Addr(ADDR, 0, offset, symbol, 0, 0, NAME_EXTERN)


def branch(to: Prog | LSym | str) -> Addr:
    """The target of a branch or call: an instruction of the function, the label of one, or a symbol.

    >>> branch("loop"), branch(LSym("helper"))
    (branch('loop'), branch(helper))
    """
    return Addr(BRANCH, 0, 0, to)
