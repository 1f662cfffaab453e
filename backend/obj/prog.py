"""Prog and Addr: the machine instruction every layer shares.

The shapes are those of Go's cmd/internal/obj with one simplification: the operands of a Prog are
one list in source order (sources first, destination last), not From/Reg/RestArgs/To.

A register is an int.  Each architecture owns a window of register and opcode numbers (see OP_WINDOW); numbers at or
above VREG are virtual and exist only between instruction selection and register allocation.

Addr by kind:
  REG     reg                           AX
  CONST   offset                        $5
  FCONST  offset = the 64 bits          $(1.5)
  MEM     offset(reg)(index*scale), or sym+offset(SB) when sym is set
  ADDR    the address of such a MEM:    $sym+8(SB), $8(BX)
  BRANCH  sym = target: a Prog, a label name (str, before resolution) or an LSym
  REGLIST, SHIFT, REGREG, SPECIAL, INDIR, TEXTSIZE as in Go, val holds what does not fit
"""

from __future__ import annotations

from struct import unpack
from typing import Any, Final

NONE: Final = 0
REG: Final = 1
CONST: Final = 2
FCONST: Final = 3
MEM: Final = 4
ADDR: Final = 5
BRANCH: Final = 6
SHIFT: Final = 7
REGLIST: Final = 8
REGREG: Final = 9
SPECIAL: Final = 10
INDIR: Final = 11
TEXTSIZE: Final = 12
SCONST: Final = 13
KIND_NAMES: Final = (
    "none", "reg", "const", "fconst", "mem", "addr", "branch", "shift", "reglist", "regreg", "special", "indir",
    "textsize", "sconst",
)  # fmt: skip

# Addr.name: which pseudo-register a MEM or ADDR is relative to
NAME_NONE: Final = 0
NAME_EXTERN: Final = 1  # sym(SB)
NAME_STATIC: Final = 2  # sym<>(SB)
NAME_AUTO: Final = 3  # x-8(SP)
NAME_PARAM: Final = 4  # x+8(FP)
NAME_GOTREF: Final = 5  # sym@GOT(SB)

VREG: Final = 1 << 20

# The windows of opcodes and registers: a family's number k gives it the opcodes from k * OP_WINDOW and the registers
# from k * REG_WINDOW on.  No two families share a number, so code of one is refused by the assembler of another.  In
# window 0 the first opcodes are those that every family has (backend.obj.portable), and register 0 is none.
OP_WINDOW: Final = 1 << 12
REG_WINDOW: Final = 1 << 10
PORTABLE_OPS: Final = 15


class Addr:
    """An operand; what the fields mean for each kind stands above.  `scale` and `offset` are in bytes."""

    __slots__ = ("kind", "reg", "index", "scale", "offset", "sym", "name", "val")

    def __init__(
        self, kind: int, reg: int = 0, offset: int = 0, sym: Any = None, index: int = 0, scale: int = 0, name: int = 0
    ) -> None:
        self.kind = kind
        self.reg = reg
        self.index = index
        self.scale = scale
        self.offset = offset
        self.sym = sym
        self.name = name
        self.val: Any = None

    def __repr__(self) -> str:
        """As the call that makes it (backend.obj.operand), without the CPU's names of registers."""
        kind, sym = self.kind, self.sym
        if kind == BRANCH:
            target = f"{sym.label!r}" if type(sym) is Prog and sym.label is not None else repr(sym)
            return f"branch({getattr(sym, 'name', target)})"
        if sym is not None:
            return f"{'sym' if kind == MEM else KIND_NAMES[kind]}({getattr(sym, 'name', sym)}, {self.offset})"
        if kind == REG:
            return f"reg({self.reg}, index={self.index})" if self.index else f"reg({self.reg})"
        if kind == CONST:
            return f"imm({self.offset})"
        if kind == FCONST:
            return f"fimm({unpack('<d', (self.offset & (1 << 64) - 1).to_bytes(8, 'little'))[0]!r})"
        if kind == MEM:
            return f"mem({self.reg}, {self.offset}{f', {self.index}, {self.scale}' if self.index else ''})"
        fields = (("reg", self.reg), ("offset", self.offset), ("index", self.index), ("scale", self.scale))
        return f"Addr({KIND_NAMES[kind].upper()}{''.join(f', {name}={value}' for name, value in fields if value)})"


class Prog:
    """One instruction.

    `as_` is the architecture's opcode number; `args` are the operands, sources first; `scond` a suffix or condition (0:
    none); `pos` a source position (mochic's global positions, or a line number for assembly text); `pc` and `size` are
    bytes, the place in the function, known after it was assembled; `mark` belongs to whoever runs at the moment (call
    frame map id, ...).
    """

    __slots__ = ("as_", "args", "scond", "pos", "pc", "size", "mark", "label")

    def __init__(self, as_: int, args: list[Addr], pos: int = 0) -> None:
        self.as_ = as_
        self.args = args
        self.scond = 0
        self.pos = pos
        self.pc = 0
        self.size = 0
        self.mark: Any = None
        self.label: str | None = None  # a name that branches of the function may go to

    def __repr__(self) -> str:
        """Opcode and operands; `backend.obj.printer.format_prog` knows the names of a CPU.

        >>> Prog(21, [Addr(CONST, offset=1), Addr(REG, 19)])
        Prog(21, [imm(1), reg(19)])
        """
        label = f"{self.label}: " if self.label is not None else ""
        return f"{label}Prog({self.as_}, {self.args!r})"
