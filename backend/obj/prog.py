"""Prog and Addr: the machine instruction every layer shares.

The shapes are those of Go's cmd/internal/obj with one simplification: the operands of a Prog are
one list in source order (sources first, destination last), not From/Reg/RestArgs/To.

A register is an int.  Each architecture owns a window of register numbers (`backend.<arch>.regs`),
numbers at or above VREG are virtual and exist only between instruction selection and register
allocation.

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


class Addr:
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


class Prog:
    """One instruction.  `as_` is the architecture's opcode number; `pos` a source position
    (mochic's global positions, or a line number for assembly text); `pc` the byte offset in the
    function after layout; `mark` belongs to whoever runs at the moment (call frame map id, ...)."""

    __slots__ = ("as_", "args", "scond", "pos", "pc", "size", "mark", "label")

    def __init__(self, as_: int, args: list[Addr], pos: int = 0) -> None:
        self.as_ = as_
        self.args = args
        self.scond = 0
        self.pos = pos
        self.pc = 0
        self.size = 0
        self.mark: Any = None
        self.label: Any = None
