"""Inlining of small functions at direct calls.

A callee qualifies if it is small (SMALL values), calls nothing that is still to be inlined here, and is not
recursive; functions are visited callees first, so that what is inlined is already optimised.  A caller stops
growing at LIMIT values.  Calls that are copied get a position that names the inlined function and the place of the
inlined call (ir.func.InlineTable), so stack traces are the same as without inlining.
"""

from __future__ import annotations

from mochic.ir.func import INLINE, Block, Func, InlineTable, Module, Value
from mochic.ir.ops import ALLOCA, CALL, IS_CALL, JUMP, RET
from mochic.ir.types import VOID

SMALL = 24
ALWAYS = 60  # with the INLINE flag
LIMIT = 2000


def size(fn: Func) -> int:
    return sum(len(b.values) for b in fn.blocks) + 2 * len(fn.blocks)


def callees_first(module: Module) -> list[Func]:
    """Functions in an order where callees come before callers, cycles broken anywhere."""
    state: dict[Func, int] = {}
    out: list[Func] = []
    for root in module.funcs:
        if root in state:
            continue
        stack = [(root, iter(_callees(root)))]
        state[root] = 1
        while stack:
            fn, it = stack[-1]
            for g in it:
                if g not in state:
                    state[g] = 1
                    stack.append((g, iter(_callees(g))))
                    break
            else:
                stack.pop()
                out.append(fn)
    return out


def _callees(fn: Func) -> list[Func]:
    out = []
    for b in fn.blocks:
        for v in b.values:
            if v.op == CALL and v.sym.func is not None:
                out.append(v.sym.func)
    return out


def inlinable(fn: Func) -> bool:
    n = size(fn)
    limit = ALWAYS if fn.sym.flags & INLINE else SMALL
    if n > limit or len(fn.blocks) > 12:
        return False
    calls = 0
    for b in fn.blocks:
        for v in b.values:
            if v.op == ALLOCA:
                return False
            if v.op == CALL and v.sym is fn.sym:
                return False
            if IS_CALL[v.op] and not b.cold:
                calls += 1
    return calls <= 2


def run(fn: Func, candidates: dict[Func, bool], places: InlineTable) -> bool:
    """Inline calls in fn to functions that `candidates` accepts."""
    changed = False
    total = size(fn)
    work = list(fn.blocks)
    while work:
        b = work.pop()
        if b.cold:
            continue
        for i, v in enumerate(b.values):
            if v.op != CALL:
                continue
            g = v.sym.func
            if g is None or g is fn or not candidates.get(g):
                continue
            n = size(g)
            if total + n > LIMIT:
                continue
            total += n
            rest = _splice(fn, b, i, v, g, places)
            work.append(rest)
            changed = True
            break
    return changed


def _splice(fn: Func, b: Block, at: int, call: Value, g: Func, places: InlineTable) -> Block:
    """Replace the call by a copy of g's body; the block after it is returned."""
    after = fn.new_block()
    after.values = b.values[at + 1 :]
    after.term, after.targs, after.succs, after.sargs, after.cases, after.hint, after.pos = (
        b.term, b.targs, b.succs, b.sargs, b.cases, b.hint, b.pos,
    )  # fmt: skip
    after.cold = b.cold
    b.values = b.values[:at]
    vmap: dict[int, Value] = {}
    bmap: dict[int, Block] = {}
    for p, a in zip(g.params, call.args, strict=True):
        vmap[p.id] = a
    for gb in g.blocks:
        nb = fn.new_block()
        nb.cold = gb.cold
        nb.hint = gb.hint
        nb.pos = gb.pos
        bmap[gb.id] = nb
        if gb is not g.blocks[0]:
            for p in gb.params:
                vmap[p.id] = fn.new_param(nb, p.type, p.sym)
    for gb in g.blocks:
        for v in gb.values:
            pos = places.compose(call.pos, g.sym, v.pos) if IS_CALL[v.op] else v.pos
            vmap[v.id] = Value(fn.nvalues, v.op, v.type, v.args, v.imm, v.sym, pos)
            fn.nvalues += 1
    result: Value | None = None
    if call.type != VOID:
        result = fn.new_param(after, call.type)
    for gb in g.blocks:
        nb = bmap[gb.id]
        for v in gb.values:
            w = vmap[v.id]
            w.args = [vmap[a.id] for a in v.args]
            nb.values.append(w)
        if gb.term == RET:
            nb.term = JUMP
            nb.succs = [after]
            nb.sargs = [[vmap[gb.targs[0].id]] if result is not None else []]
        else:
            nb.term = gb.term
            nb.targs = [vmap[a.id] for a in gb.targs]
            nb.succs = [bmap[s.id] for s in gb.succs]
            nb.sargs = [[vmap[a.id] for a in sa] for sa in gb.sargs]
            nb.cases = list(gb.cases)
    b.term = JUMP
    b.targs = []
    b.succs = [bmap[g.blocks[0].id]]
    b.sargs = [[]]
    b.cases = []
    if result is not None:
        from mochic.opt.jumpthread import replace

        replace(fn, {call.id: result})
    return after
