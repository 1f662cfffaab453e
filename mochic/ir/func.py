"""The IR's data structures: SSA with block parameters.

A Func is a list of Blocks, the first is the entry and its parameters are the function's.  A Block
has parameters, a list of Values and one terminator with successor edges; an edge passes arguments
to the parameters of the block it leads to.  A Value is one operation and its result.  Ids are
dense, so side tables are lists indexed by id and sets of values are ints used as bitsets.

Invariants (checked by `ir.verify`):
  every use is dominated by its definition; edge arguments match parameters in number and type;
  a block ends in exactly one terminator; the entry block has no predecessors;
  `preds` is not maintained by passes: call `cfg.compute_preds` first.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from mochic.ir.ops import PARAM, TRAP

# FuncSym.flags
NOGC = 1  # cannot reach the collector: no safepoint, traced values may stay in registers
NORETURN = 2
PURE = 4  # no effect visible to the caller (may be merged and removed); implies nothing about NOGC
COLD = 8  # calls to it make the path to it unlikely
ASM = 16  # body is assembly
INLINE = 32  # always inline where possible
FOREIGN = 64  # a function of C, called by the platform's convention, anywhere in memory
NOWRITE = 128  # objects that exist before the call are the same behind it, as far as compiled code looks at them
FIXED = 256  # PURE, and depends on nothing that can change: its arguments, strings, numbers
LOOKUP = 512  # PURE, and depends on what maps have inside: a call with INSERT may change the result
INSERT = 1024  # writes nothing but what maps have inside


class FuncSym:
    """A function as callers see it.  `params` and `ret` are IR types; `slots` the int slots of the
    parameters followed by that of the result (None where the type is not INT)."""

    __slots__ = ("name", "params", "ret", "flags", "slots", "func", "display", "pos", "writes")

    def __init__(self, name: str, params: list[int], ret: int, flags: int = 0) -> None:
        self.name = name
        self.params = params
        self.ret = ret
        self.flags = flags
        self.slots: list[Any] = []
        self.func: Func | None = None
        self.display = name  # in stack traces
        self.pos = 0
        self.writes: frozenset[Hashable] | None = None  # of the body, see opt.memory

    def __repr__(self) -> str:
        return "@" + self.name


class DataSym:
    """A datum: bytes plus references to other symbols at offsets (8-byte absolute addresses).

    kind: "rodata" | "data" | "bss".  `items` maps offset -> (symbol, addend).  A symbol with
    data None is defined elsewhere.
    """

    __slots__ = ("name", "kind", "data", "items", "align", "size", "local")

    def __init__(self, name: str, kind: str, data: bytes | bytearray | None, align: int = 8, size: int = 0) -> None:
        self.name = name
        self.kind = kind
        self.data = data
        self.items: dict[int, tuple[FuncSym | DataSym, int]] = {}
        self.align = align
        self.size = len(data) if data is not None and not size else size
        self.local = True

    def __repr__(self) -> str:
        return "@" + self.name


class Sig:
    """The types of an indirect call and the int slots, as in FuncSym."""

    __slots__ = ("params", "ret", "flags", "slots")

    def __init__(self, params: list[int], ret: int, flags: int = 0) -> None:
        self.params = params
        self.ret = ret
        self.flags = flags
        self.slots: list[Any] = []


class Value:
    __slots__ = ("id", "op", "type", "args", "imm", "sym", "pos")

    def __init__(self, id: int, op: int, type: int, args: list[Value], imm: int, sym: Any, pos: int) -> None:
        self.id = id
        self.op = op
        self.type = type
        self.args = args
        self.imm = imm
        self.sym = sym
        self.pos = pos

    def __repr__(self) -> str:
        return f"v{self.id}"


class Block:
    """`succs[i]` receives `sargs[i]`; `cases` only for SWITCH; `hint` for BRIF: +1 first successor
    likely, -1 second likely.  `cold` blocks are laid out last."""

    __slots__ = (
        "id", "params", "values", "term", "targs", "succs", "sargs", "cases", "hint", "preds", "cold", "pos", "depth",
    )  # fmt: skip

    def __init__(self, id: int) -> None:
        self.id = id
        self.params: list[Value] = []
        self.values: list[Value] = []
        self.term = TRAP
        self.targs: list[Value] = []
        self.succs: list[Block] = []
        self.sargs: list[list[Value]] = []
        self.cases: list[int] = []
        self.hint = 0
        self.preds: list[Block] = []
        self.cold = False
        self.pos = 0
        self.depth = 0  # loop depth, filled by cfg

    def __repr__(self) -> str:
        return f"b{self.id}"


class Func:
    __slots__ = ("sym", "blocks", "nvalues", "nblocks", "pos", "notes")

    def __init__(self, sym: FuncSym) -> None:
        self.sym = sym
        self.blocks: list[Block] = []
        self.nvalues = 0
        self.nblocks = 0
        self.pos = sym.pos
        self.notes: dict[str, Any] = {}
        sym.func = self

    @property
    def entry(self) -> Block:
        return self.blocks[0]

    @property
    def params(self) -> list[Value]:
        return self.blocks[0].params

    def new_block(self) -> Block:
        b = Block(self.nblocks)
        self.nblocks += 1
        self.blocks.append(b)
        return b

    def cut(self, b: Block, at: int) -> Block:
        """Take the value at `at` out of b; what stands behind it, and b's end, become the block that is given.

        b has no end then.
        """
        rest = self.new_block()
        rest.values = b.values[at + 1 :]
        rest.term, rest.targs, rest.succs, rest.sargs, rest.cases = b.term, b.targs, b.succs, b.sargs, b.cases
        rest.hint, rest.pos, rest.cold, rest.depth = b.hint, b.pos, b.cold, b.depth
        b.values = b.values[:at]
        b.term, b.targs, b.succs, b.sargs, b.cases, b.hint = TRAP, [], [], [], [], 0
        return rest

    def new_value(self, op: int, type: int, args: list[Value], imm: int = 0, sym: Any = None, pos: int = 0) -> Value:
        v = Value(self.nvalues, op, type, args, imm, sym, pos)
        self.nvalues += 1
        return v

    def new_param(self, b: Block, type: int, sym: Any = None) -> Value:
        v = Value(self.nvalues, PARAM, type, [], 0, sym, 0)
        self.nvalues += 1
        b.params.append(v)
        return v


class InlineTable:
    """Positions of calls that came from inlined functions.

    Such a position is a number at or above BASE; `entries[n - BASE]` is (position of the call that was inlined, the
    inlined function, position in it).  The outer position may be such a number again, so that stack traces show
    the frames that would be there without inlining.
    """

    BASE = 1 << 40

    __slots__ = ("entries", "_index")

    def __init__(self) -> None:
        self.entries: list[tuple[int, FuncSym, int]] = []
        self._index: dict[tuple[int, FuncSym, int], int] = {}

    def intern(self, outer: int, callee: FuncSym, pos: int) -> int:
        key = (outer, callee, pos)
        n = self._index.get(key)
        if n is None:
            n = self._index[key] = self.BASE + len(self.entries)
            self.entries.append(key)
        return n

    def compose(self, outer: int, callee: FuncSym, pos: int) -> int:
        """`pos` in `callee`, itself plain or inlined, seen after inlining callee at `outer`."""
        if pos < self.BASE:
            return self.intern(outer, callee, pos)
        o, inner, p = self.entries[pos - self.BASE]
        return self.intern(self.compose(outer, callee, o), inner, p)


class Module:
    """A whole program, or the runtime: functions and data in a fixed order."""

    __slots__ = ("funcs", "data", "sources", "inlined")

    def __init__(self, sources: Any = None) -> None:
        self.funcs: list[Func] = []
        self.data: list[DataSym] = []
        self.sources = sources
        self.inlined = InlineTable()
