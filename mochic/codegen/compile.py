"""Code generation of a function and of a module: the steps in order.

legalize   IR the selector can take (legalize.py), bases of raw pointers (gcroots.py)
layout     cold blocks, block order (layout.py)
select     Progs with virtual registers (isel.py, rules/)
allocate   intervals (liveness.py), registers and slots (regalloc.py), checked on demand (regcheck.py)
emit       final Progs (emit.py), bytes and relocations (backend), frame maps (framemap.py)
"""

from __future__ import annotations

from backend.obj.sym import A_UNDEF, SBSS, SDATA, SRODATA, STEXT, LSym, Reloc
from mochic.codegen import framemap, legalize
from mochic.codegen.context import Context
from mochic.codegen.code import Compiled
from mochic.codegen.emit import emit
from mochic.codegen.gcroots import find_bases
from mochic.codegen.layout import arrange, mark_cold
from mochic.codegen.liveness import build, number_instructions
from mochic.codegen.regalloc import allocate
from mochic.codegen.shrink import is_bare, split_head
from mochic.ir import cfg
from mochic.ir.func import DataSym, Func


def compile_func(fn: Func, ctx: Context) -> Compiled:
    """Final Progs, call sites and frame of a function; the IR is changed on the way."""
    legalize.legalize(fn, ctx)
    dom = cfg.DomTree(fn)
    loops = cfg.find_loops(fn, dom)
    head = split_head(fn) if ctx.shrink_wrap else None
    if head is not None:
        cfg.compute_preds(fn)
        dom = cfg.DomTree(fn)
        loops = cfg.find_loops(fn, dom)
    mark_cold(dom.order)
    order, layout = arrange(fn, dom.order, loops)
    bases = find_bases(fn, order)
    sel = ctx.target.selector(ctx, fn, bases).run(order, layout)
    number_instructions(sel)
    rpo = [c for c in (sel.by_block[b.id] for b in order) if c is not None]
    if head is not None:
        sel.prologue = head[1].id
    iv = build(ctx.machine, sel, rpo)
    alloc, occupied = allocate(ctx.machine, sel, iv, loops)
    if head is not None:
        if is_bare(sel, alloc, head[0], occupied):
            sel.head = frozenset(b.id for b in head[0])
        else:
            sel.prologue = -1
    code = emit(ctx, sel, alloc)
    code.loops = bool(loops)
    return code


def emit_func(fn: Func, ctx: Context) -> list[LSym]:
    """A function as symbols: its text, frame maps, jump tables.

    syms = emit_func(fn, Context(load_target("amd64")))
    syms[0].data, syms[0].relocs
    """
    code = compile_func(fn, ctx)
    text = ctx.lsym(fn.sym)
    ctx.machine.assemble(text, code.progs)
    text.kind = STEXT
    if code.loops:
        text.align = max(text.align, ctx.machine.loop_align)
    text.attrs &= ~A_UNDEF
    text.owner = code
    word = ctx.machine.layout.word
    out = [text]
    for table, targets in code.tables:
        for i, p in enumerate(targets):
            table.relocs.append(Reloc(word * i, word, "R_ADDR", text, p.pc))
        table.data = bytearray(word * len(targets))
        table.size = len(table.data)
        out.append(table)
    if code.sites:
        out += framemap.build(ctx, fn, text, code)
    return out


_KINDS = {"rodata": SRODATA, "data": SDATA, "bss": SBSS}


def emit_data(d: DataSym, ctx: Context) -> LSym | None:
    """A datum as a symbol; None when it is defined elsewhere."""
    s = ctx.lsym(d)
    if d.data is None:
        return None
    s.kind = _KINDS[d.kind]
    s.attrs &= ~A_UNDEF
    s.data = bytearray(d.data)
    s.size = d.size
    s.align = d.align
    word = ctx.machine.layout.word
    s.relocs = [Reloc(off, word, "R_ADDR", ctx.lsym(sym), add) for off, (sym, add) in sorted(d.items.items())]
    return s
