"""A whole module to object file symbols, in a fixed order: functions, then data."""

from __future__ import annotations

from typing import Any

from backend.obj.ctx import Ctx
from backend.obj.sym import STEXT, LSym
from mochic.codegen.compile import emit_data, emit_func
from mochic.codegen.context import Context, CpuTarget
from mochic.codegen.machine import NEAR, NEAR_VALUES
from mochic.ir.func import Module
from mochic.source import SourceFile

ROOTS_SECTION = "mochi_roots"


def line_table(sources: Any) -> Any:
    """position -> (file, line), for frame maps."""

    def lines(pos: int) -> tuple[SourceFile | None, int]:
        if pos <= 0 or sources is None:
            return None, 0
        file, line, _ = sources.position(pos)
        return file, line

    return lines


def compile_module(
    module: Module, target: CpuTarget, check: bool = False, asm: Ctx | None = None, record_all: bool = False
) -> list[LSym]:
    """Machine code, frame maps and data of all functions; `check` verifies every register allocation.

    `asm` is the symbol table to share with assembly files of the same object.  `record_all`: see Context.
    """
    ctx = Context(target, asm if asm is not None else Ctx(), line_table(module.sources))
    ctx.check = check
    ctx.record_all = record_all
    ctx.inlined = module.inlined
    ctx.near = sum([fn.nvalues for fn in module.funcs]) < NEAR_VALUES
    out: list[LSym] = []
    for fn in module.funcs:
        out += emit_func(fn, ctx)
    assert not ctx.near or sum([s.size for s in out if s.kind == STEXT]) < NEAR, "near calls might not reach"
    for d in module.data:
        roots = d.kind == "roots"
        if roots:
            d.kind = "data"
        s = emit_data(d, ctx)
        if s is not None:
            if roots:
                s.section = ROOTS_SECTION
            out.append(s)
    out += ctx.files.values()
    out += ctx.asm.constants.values()
    out += target.machine.notes()
    return out
