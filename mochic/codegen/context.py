"""What compiling a module's functions shares."""

from __future__ import annotations

from collections.abc import Callable

from backend.obj.ctx import Ctx
from backend.obj.sym import LSym
from mochic.codegen.machine import Machine
from mochic.ir.func import DataSym, FuncSym, InlineTable
from mochic.source import SourceFile

# position -> (file, line)
Lines = Callable[[int], tuple[SourceFile | None, int]]


def no_lines(pos: int) -> tuple[SourceFile | None, int]:
    """For functions without source text."""
    return None, 0


class Context:
    """The machine, symbols and options.  `alloc_ptr`, `alloc_limit`, `alloc` name the runtime's allocator (None: every
    ALLOC calls `alloc`); `near`: all code is within reach of
    Machine.call_near; `check` switches the symbolic checker of register allocation on; `record_all`: calls that cannot
    reach the collector have frame maps too, for stack traces."""

    __slots__ = (
        "machine", "asm", "lines", "alloc_ptr", "alloc_limit", "alloc", "inline_alloc", "shrink_wrap", "check",
        "inlined", "near", "files", "record_all", "_lsyms",
    )  # fmt: skip

    def __init__(self, machine: Machine, asm: Ctx | None = None, lines: Lines = no_lines) -> None:
        self.machine = machine
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
