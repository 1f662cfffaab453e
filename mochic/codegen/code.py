"""What the stages of code generation hand on: their records, without the algorithms that fill them.

Special, BlockCode, Selection   from selection (isel.py): Progs with virtual registers
Intervals                       from liveness (liveness.py): where each virtual register is live
Bundle, Allocation              from register allocation (regalloc.py): where each value is
Frame                           from frame layout (frame.py)
Compiled                        from emission (emit.py): a function ready for the assembler

`Prog.mark` says what the allocator must know about a Prog:

    M_USE        all operands are read
    M_DEF        the last operand is written, the others are read before
    M_DEF_LATE   the same, but the others are still read while it is written: no shared register
    >= VREG      two-address: the last operand starts as a copy of that register, the others are read late
    < 0          `Selection.specials[-1 - mark]`: operands in fixed registers, clobbers
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, Final

from backend.obj.prog import VREG, Addr, Prog
from backend.obj.sym import LSym
from mochic.ir.func import Block, Func

M_USE: Final = 0
M_DEF: Final = 1
M_DEF_LATE: Final = 2

# Pseudo registers for places of the frame; emit.py turns them into offsets from SP.
PR_ALLOCA: Final = VREG - 1  # the area of `alloca`
PR_INCOMING: Final = VREG - 2  # arguments the caller pushed
PR_OUTGOING: Final = VREG - 3  # arguments for callees


class Special:
    """What an instruction demands beyond its operands.

    uses: (operand, register) moved there before; stack: (operand, offset) stored in the outgoing area
    before; tie: the last operand starts as a copy of this virtual register; defs: (virtual register,
    register) found there afterwards; clobbers: registers that do not survive.  Virtual registers in
    the Prog's own operands are read late, after the moves.  `safepoint`: traced values that live on
    must be in the frame; `site`: has a frame map record.
    """

    __slots__ = ("uses", "stack", "tie", "defs", "clobbers", "safepoint", "site", "noreturn", "plain")

    def __init__(
        self, uses: list[tuple[Addr, int]], defs: list[tuple[int, int]], clobbers: tuple[int, ...], tie: int = 0
    ) -> None:
        self.uses = uses
        self.stack: list[tuple[Addr, int]] = []
        self.tie = tie
        self.defs = defs
        self.clobbers = clobbers
        self.safepoint = False
        self.site = False
        self.noreturn = False
        self.plain = False  # a signed division whose divisor is known not to be -1


class BlockCode:
    """A block under code generation.  `progs` is in program order and without the final jumps; `cc` is
    the condition of a two-way branch; `edge` the operands of the only successor's parameters;
    `first`/`end` its range of instruction indices."""

    __slots__ = (
        "block", "progs", "cc", "edge", "params", "gen", "freq", "first", "end", "table", "live_in", "live_out",
    )  # fmt: skip

    def __init__(self, block: Block) -> None:
        self.block = block
        self.progs: list[Prog] = []
        self.cc = -1
        self.edge: list[Addr] = []
        self.params: list[int] = []
        self.gen: list[int] = []  # virtual registers read here but defined elsewhere
        self.freq = 1
        self.first = 0
        self.end = 0
        self.table: Any = None  # the jump table of a switch
        self.live_in = 0
        self.live_out = 0


class Selection:
    """The outcome for one function.  `types` gives the IR type of each virtual register, `home` the
    number of the block that defines it, `keeps` pairs (pointer, base): while the pointer lives
    the base must be known to the collector."""

    __slots__ = (
        "fn", "codes", "types", "home", "specials", "keeps", "alloca_size", "outgoing", "incoming",
        "by_block", "has_safepoint", "prologue", "head",
    )  # fmt: skip

    def __init__(self, fn: Func) -> None:
        self.fn = fn
        self.codes: list[BlockCode] = []  # in layout order
        self.by_block: list[BlockCode | None] = [None] * fn.nblocks
        self.types: list[int] = [0] * fn.nvalues
        self.home: list[int] = [-1] * fn.nvalues
        self.specials: list[Special] = []
        self.keeps: list[tuple[int, int]] = []
        self.alloca_size = 0
        self.outgoing = 0
        self.incoming: list[tuple[int, int]] = []  # (virtual register, fixed register or -1 - stack offset)
        self.has_safepoint = False
        self.prologue = -1  # the block that makes the frame, -1: the entry (shrink.py)
        self.head: frozenset[int] = frozenset()  # blocks without a frame


# Kinds of uses, in the low bits of an entry of Intervals.uses; the rest is the instruction's index.
U_EARLY: Final = 0  # read in a register at 2j
U_LATE: Final = 1  # read in a register until 2j+1
U_ANY: Final = 2  # source of a move: register or memory


class Intervals:
    """start, bits: the interval; uses: (index << 2 | kind), descending; weight: reads and writes times
    frequency; define: position of the definition; hints: machine registers that save a move;
    pairs: (frequency, a, b) where a copy disappears if a and b share a register."""

    __slots__ = (
        "start", "bits", "uses", "weight", "define", "hints", "pairs", "fixed", "calls", "safepoints", "number",
        "order",
    )  # fmt: skip

    def __init__(self, n: int) -> None:
        self.start = [0] * n
        self.bits = [0] * n
        self.uses: list[list[int]] = [[] for _ in range(n)]
        self.weight = [0] * n
        self.define = [-1] * n
        self.hints: list[list[int] | None] = [None] * n
        self.pairs: list[tuple[int, int, int]] = []
        self.fixed: dict[int, int] = {}  # machine register -> bitset of positions it is taken at
        self.calls: list[int] = []  # indices of calls
        self.safepoints: list[int] = []
        self.number: dict[int, int] = {}  # register -> bit in live_in/live_out
        self.order: list[int] = []  # the inverse


# Up to so many pieces of a value are searched one by one.
FEW: Final = 12

# How far a bundle has been taken apart.
STAGE_WHOLE: Final = 0
STAGE_MEMBER: Final = 1
STAGE_SEGMENT: Final = 2
STAGE_LOCAL: Final = 3
STAGE_TINY: Final = 4


class Bundle:
    """Virtual registers (or a piece of one) that get one machine register.  The hot part of a bundle has a shadow
    per member: what the pieces of that member list, with the register of the whole."""

    __slots__ = ("start", "bits", "members", "weight", "hints", "stage", "reg", "float", "shadows")

    def __init__(
        self, start: int, bits: int, members: list[int], weight: int, hints: list[int], is_float: bool
    ) -> None:
        self.start = start
        self.bits = bits
        self.members = members
        self.weight = weight
        self.hints = hints
        self.stage = STAGE_WHOLE
        self.reg = 0
        self.float = is_float
        self.shadows: list[Bundle] = []


class Allocation:
    """The result.  `reg[r]` is the machine register of virtual register r, or 0 if it is split: then
    `pieces[r]` are its bundles and the rest of it is in its slot.  `slot[r]` numbers its slot group or is -1;
    `late[r]`: stored where it leaves a register, not at its definition.  `live` lists the traced registers
    live across each safepoint, by instruction index."""

    __slots__ = ("iv", "reg", "pieces", "slot", "late", "groups", "used", "live", "extended", "index")

    def __init__(self, iv: Intervals, n: int) -> None:
        self.iv = iv
        self.reg = [0] * n
        self.pieces: dict[int, list[Bundle]] = {}
        self.slot = [-1] * n
        self.late = bytearray(n)
        self.groups: list[list[int]] = []  # members of each slot group
        self.used: list[int] = []  # callee-saved registers in use, in order
        self.live: dict[int, list[int]] = {}
        self.index: dict[int, tuple[list[int], list[int], list[Bundle]]] = {}  # the pieces of those in many
        self.extended: dict[int, int] = {}  # base -> its interval with those of the pointers into it

    def at(self, r: int, pos: int) -> int:
        """The machine register that holds r at a position, 0 for the slot."""
        x = self.reg[r]
        if x:
            return x
        pieces = self.pieces[r]
        if len(pieces) <= FEW:
            for p in pieces:
                d = pos - p.start
                if d >= 0 and p.bits >> d & 1:
                    return p.reg
            return 0
        index = self.index.get(r)
        if index is None:
            index = self.index[r] = _by_start(pieces)
        starts, ends, pieces = index
        i = bisect_right(starts, pos) - 1
        while i >= 0 and ends[i] > pos:
            p = pieces[i]
            if p.bits >> (pos - p.start) & 1:
                return p.reg
            i -= 1
        return 0


def _by_start(pieces: list[Bundle]) -> tuple[list[int], list[int], list[Bundle]]:
    """Pieces in the order of their starts, with these, and where the last of them up to each ends."""
    pieces = sorted(pieces, key=_start)
    ends = []
    end = 0
    for p in pieces:
        end = max(end, p.start + p.bits.bit_length())
        ends.append(end)
    return [p.start for p in pieces], ends, pieces


def _start(p: Bundle) -> int:
    return p.start


class Frame:
    """total: bytes from SP to the caller's SP, the return address included where there is one; linked: the prologue
    stores the link register; saved: callee-saved registers in use."""

    __slots__ = ("total", "linked", "slots_offset", "offsets", "alloca", "saved")

    def __init__(self) -> None:
        self.total = 0
        self.linked = False
        self.slots_offset = 0
        self.offsets: list[int] = []  # slot group -> offset from SP
        self.alloca = 0
        self.saved: list[int] = []


class Compiled:
    """A function ready for the assembler.  `sites`: (call, bitmap of live traced slots, distance from SP there
    to the return address).  `loops`: the function has loops."""

    __slots__ = ("progs", "sites", "frame", "tables", "prologue", "loops")

    def __init__(self, frame: Frame) -> None:
        self.progs: list[Prog] = []
        self.sites: list[tuple[Prog, int, int]] = []
        self.frame = frame
        self.tables: list[tuple[LSym, list[Prog]]] = []
        self.prologue: list[Prog] = []
        self.loops = False
