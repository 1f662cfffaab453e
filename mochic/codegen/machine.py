"""What the code generator asks of a CPU: one Machine per target.

Selection, liveness, allocation, frame layout, emission and the checker are written once.  They know
registers as ints, and everything else from the Machine they are given: which registers there are and what
survives a call, which opcodes copy, how a value moves between two places, how a frame is made and left, how
a block ends in a branch.  targets/<cpu>/ holds one: regs.py (registers and calling convention), isel.rules and
what rulec.py makes of it, select.py (what rules cannot say), machine.py.

Two families differ in one fact, `link_bytes`: on amd64 a call pushes the return address (8), elsewhere it
goes to a link register (0).  Frames look the same to a stack walk all the same: the word below the caller's SP
holds the return address, and a frame map record gives its distance (frame.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from backend.obj.ctx import Ctx
from backend.obj.prog import BRANCH, CONST, MEM, REG, Addr, Prog
from backend.obj.sym import LSym
from mochic.layout import Layout
from mochic.codegen.code import Frame, Special

# A location is an int: a machine register, or SLOT + offset for the word at that offset from SP.
SLOT: Final = 1 << 16
MEMORY: Final = SLOT // 2  # locations from here on are in memory
# The stack grows over its guard page at most this far at a time (docs/runtime.md).
PAGE: Final = 4096

# Programs with fewer values than this have less code than every kind of near call can reach (1 MiB on riscv64), the
# runtime's included: a value takes about four bytes, and no program comes near the 17 that NEAR allows.
NEAR_VALUES: Final = 40_000
NEAR: Final = 700_000

_SMALL: Final[dict[int, Addr]] = {}


def signed64(n: int) -> int:
    """n as the CPU counts: addresses and words are taken modulo 2^64.  Code that adds up constants while it folds them
    into an operand calls this before it asks whether the sum fits."""
    return ((n + (1 << 63)) & ((1 << 64) - 1)) - (1 << 63)


def imm(n: int) -> Addr:
    """The immediate operand n; small ones are shared."""
    a = _SMALL.get(n)
    if a is None:
        a = Addr(CONST, 0, n)
        if -256 <= n <= 1024:
            _SMALL[n] = a
    return a


class Machine:
    """Registers, opcodes by role, and the code of moves, frames and branches.

    `gp_*`/`fp_*`: integer and float registers in the order of preference; those of `*_caller` do not survive
    calls, those of `*_callee` do, all others are never allocated.  `scratch` and `scratch_fp` are free between any
    two instructions; 0: there is none.  `ops` is the set of opcodes that `finish` wants to see.
    """

    __slots__ = (
        "name", "layout", "regs", "is_float", "stack", "scratch", "scratch_fp", "gp_args", "fp_args",
        "floats_follow_gp", "gp_result", "fp_result", "gp_caller", "gp_callee", "gp_all", "fp_caller", "fp_callee",
        "fp_all", "clobbers", "call_target", "link_bytes", "call", "call_near", "call_reg", "ret", "jmp", "nop",
        "trap", "lea", "copies", "moves", "makes", "exchange", "reads_memory", "compares", "ops", "lacks", "assemble",
        "jump_pads", "shadow_space", "loop_align",
    )  # fmt: skip

    def __init__(self, layout: Layout) -> None:
        self.name = ""
        self.layout = layout
        self.regs: dict[int, Addr] = {}  # register operands by number; Progs never change one
        self.is_float: dict[int, bool] = {}
        self.stack = 0
        self.scratch = 0
        self.scratch_fp = 0
        self.gp_args: tuple[int, ...] = ()
        self.fp_args: tuple[int, ...] = ()
        self.floats_follow_gp = False  # floats beyond fp_args go where integers go (LP64D)
        self.gp_result = 0
        self.fp_result = 0
        self.gp_caller: tuple[int, ...] = ()
        self.gp_callee: tuple[int, ...] = ()
        self.gp_all: tuple[int, ...] = ()
        self.fp_caller: tuple[int, ...] = ()
        self.fp_callee: tuple[int, ...] = ()
        self.fp_all: tuple[int, ...] = ()
        self.clobbers: tuple[int, ...] = ()
        self.call_target = 0  # holds the address during an indirect call
        self.link_bytes = 0
        self.call = 0
        self.loop_align = 0  # where functions with loops begin; 0: where any function does
        self.call_near = 0  # a call in a program of less than NEAR bytes of code
        self.call_reg = 0  # a call through a register
        self.ret = 0
        self.jmp = 0
        self.nop = 0
        self.trap = 0
        self.lea = -1  # the opcode whose result should share the register of its base
        self.copies: frozenset[int] = frozenset()  # opcodes that vanish when both registers are one
        self.moves: frozenset[int] = frozenset()  # opcodes `move` uses, for the checker
        self.makes: frozenset[int] = frozenset()  # opcodes `integer`, `double`, `address` use beside those
        self.exchange = -1
        # Opcodes whose first operand may be memory where the second is a register or, for compares, a constant.
        self.reads_memory: frozenset[int] = frozenset()
        self.compares: frozenset[int] = frozenset()
        self.ops: frozenset[int] = frozenset()
        self.lacks: frozenset[int] = frozenset()  # IR ops without an instruction: legalize.py writes them out
        self.assemble: Callable[[LSym, list[Prog]], Any] = _no_assembler
        self.shadow_space = 0  # bytes that functions of C may use above their return address
        self.jump_pads = False  # what a jump table leads to begins with `jump_pad`

    def set_registers(self, first: int, end: int, first_float: int, end_float: int) -> None:
        """Make the operands of all registers, numbers `first` to `end` of the CPU's window."""
        numbers = range(first, end)
        self.regs = {r: Addr(REG, r) for r in numbers}
        self.is_float = {r: first_float <= r < end_float for r in numbers}
        self.gp_all = self.gp_caller + self.gp_callee
        self.fp_all = self.fp_caller + self.fp_callee
        self.clobbers = self.gp_caller + self.fp_caller

    # -- places

    def foreign_places(self, types: list[int]) -> list[int] | None:
        """Where C wants arguments (calls.places), None where its convention is ours."""
        return None

    def place(self, loc: int) -> Addr:
        """The operand for a location."""
        return self.regs[loc] if loc < MEMORY else Addr(MEM, self.stack, loc - SLOT)

    def move(self, dst: int, src: int, pos: int, out: list[Prog]) -> None:
        """Copy one location to another; both may be in memory."""
        raise NotImplementedError

    def park(self) -> int:
        """A location that no value is in, for breaking cycles of moves."""
        return self.scratch

    def integer(self, dst: int, n: int, pos: int, out: list[Prog]) -> None:
        """Load a constant word (signed) into a location.  Flags need not survive."""
        raise NotImplementedError

    def double(self, dst: int, bits: int, asm: Ctx, pos: int, out: list[Prog]) -> None:
        """Load a double, given by its bits, into a location."""
        raise NotImplementedError

    def address(self, dst: int, place: Addr, pos: int, out: list[Prog]) -> None:
        """Load the address of a memory operand (a symbol's or SP's) into a location."""
        raise NotImplementedError

    # -- frames

    def enter(self, f: Frame, pos: int, out: list[Prog]) -> None:
        """The prologue: saved registers stored, SP at its final place."""
        raise NotImplementedError

    def leave(self, f: Frame, pos: int, out: list[Prog]) -> None:
        """The epilogue, without the return."""
        raise NotImplementedError

    def push_link(self, pos: int, out: list[Prog]) -> int:
        """Before a call that does not return, in a function that did not save its link register: save it for the
        stack walk.  The bytes by which SP went down."""
        raise NotImplementedError

    # -- protection of branches

    def start(self, framed: Frame | None, pos: int, out: list[Prog]) -> None:
        """At the start of a function: where an indirect call may land.  `framed`: its frame if the prologue follows at
        once."""

    def jump_pad(self, pos: int) -> Prog:
        """Where an indirect jump may land."""
        raise NotImplementedError

    def notes(self) -> list[LSym]:
        """What an object with this machine's code says about all of it."""
        return []

    # -- blocks

    def branch(
        self, cc: int, then: int, orelse: int, pos: int, out: list[Prog], pending: list[tuple[Addr, int]]
    ) -> None:
        """End a block whose instructions are in `out`: jump to block `then` under the selector's condition, else go
        on; what follows leads to `orelse`.  cc ^ 1 is the inverse condition."""
        raise NotImplementedError

    def drop_branch(self, cc: int, out: list[Prog]) -> None:
        """Both ways of a branch lead to the same place: remove the instruction that tests and branches, if there is
        one."""

    def jump(
        self, as_: int, args: list[Addr], target: int, pos: int, out: list[Prog], pending: list[tuple[Addr, int]]
    ) -> None:
        """A jump or branch to a block, whose first instruction is not known yet."""
        a = Addr(BRANCH)
        pending.append((a, target))
        args.append(a)
        out.append(Prog(as_, args, pos))

    def finish(self, p: Prog, out: list[Prog], last: bool, special: Special | None, candidates: list[int]) -> bool:
        """Rewrite an instruction of `ops` whose registers are known: change it, put others in front, or (True) replace
        it by what was put in `out`.  `last`: it ends its block; `candidates`: what `shorten` should look at."""
        return False

    def shorten(self, candidates: list[int], out: list[Prog], cc: int) -> None:
        """Last rewrites of a block's code at the given indices; cc is the condition of the branch that follows, -1 if
        there is none."""


def refuse_choices(arch: str, march: str, protection: str) -> None:
    """ValueError for an instruction set or protection of branches given to a machine that has no such choice."""
    if march:
        raise ValueError(f"{arch} has no -march={march}: there is one instruction set")
    if protection != "none":
        raise ValueError(f"{arch} has no -branch-protection={protection}; arm64 has")


def _no_assembler(text: LSym, progs: list[Prog]) -> None:
    raise NotImplementedError
