"""What compiling a module's functions shares: the record of the CPU, symbols, options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from backend.obj.ctx import Ctx
from backend.obj.sym import LSym
from mochic.codegen.code import Selection
from mochic.codegen.machine import Machine
from mochic.ir.func import Block, DataSym, Func, FuncSym, InlineTable, Value
from mochic.source import SourceFile

# position -> (file, line)
Lines = Callable[[int], tuple[SourceFile | None, int]]


def no_lines(pos: int) -> tuple[SourceFile | None, int]:
    """For functions without source text."""
    return None, 0


# What rulec.py makes of rules: by op, a function for each type that chooses one, or None.  A function takes the CPU's
# selector and a value; that of a condition gives the condition for Machine.branch.
RuleTable = Mapping[int, tuple[Any, ...]]


class Rules:
    """The selection rules of a CPU.  `key_arg`: ops whose rule is chosen by the type of an argument -> its number;
    `conditions`: the `cond` rules."""

    __slots__ = ("by_op", "key_arg", "conditions")

    def __init__(self, by_op: RuleTable, key_arg: Mapping[int, int], conditions: RuleTable) -> None:
        self.by_op = by_op
        self.key_arg = key_arg
        self.conditions = conditions


class Selecting(Protocol):
    """The interface of instruction selection for one function; isel.py implements it."""

    free: frozenset[int]

    def __init__(self, ctx: Context, fn: Func, bases: dict[int, Value]) -> None: ...

    def run(self, order: list[Block], layout: list[Block]) -> Selection:
        """Select all blocks; `order` is a reverse postorder, `layout` the order of the code."""


class CpuTarget:
    """Everything that the code generator knows about a CPU, in the variant that it builds for.  targets/<cpu>/target.py
    makes the record, and nothing below imports that file; the stages get the record through the Context."""

    __slots__ = ("machine", "selector", "rules")

    def __init__(self, machine: Machine, selector: type[Selecting], rules: Rules) -> None:
        self.machine = machine
        self.selector = selector
        self.rules = rules


class Context:
    """The CPU, symbols and options.  `alloc_ptr`, `alloc_limit`, `alloc` name the runtime's allocator (None: every
    ALLOC calls `alloc`); `near`: all code is within reach of
    Machine.call_near; `check` switches the symbolic checker of register allocation on; `record_all`: calls that cannot
    reach the collector have frame maps too, for stack traces."""

    __slots__ = (
        "target", "machine", "asm", "lines", "alloc_ptr", "alloc_limit", "alloc", "inline_alloc", "shrink_wrap",
        "check", "inlined", "near", "files", "record_all", "_lsyms",
    )  # fmt: skip

    def __init__(self, target: CpuTarget, asm: Ctx | None = None, lines: Lines = no_lines) -> None:
        self.target = target
        self.machine = target.machine
        self.asm = asm if asm is not None else Ctx()
        self.lines = lines
        self.alloc_ptr = DataSym("runtime.alloc_ptr", "data", None)
        self.alloc_limit = DataSym("runtime.alloc_limit", "data", None)
        self.alloc = FuncSym("runtime.alloc", [4, 2], 5)
        self.inline_alloc = True
        self.shrink_wrap = True
        self.check = False
        self.near = False
        self.record_all = False
        self.inlined = InlineTable()
        self.files: dict[SourceFile, LSym] = {}  # their records, see framemap
        self._lsyms: dict[str, LSym] = {}

    def lsym(self, sym: FuncSym | DataSym) -> LSym:
        """The object file symbol of an IR symbol."""
        s = self._lsyms.get(sym.name)
        if s is None:
            s = self._lsyms[sym.name] = self.asm.lookup(sym.name)
        return s
