"""Inlining at direct calls, by what a call costs and how often it runs.

Functions are visited callees first, so that what is copied is already optimised.  A callee's size is compared with a
budget that grows with the depth of the loop around the call and with each constant among the arguments, which will
decide branches in the copy.  A function that is called in one place goes there almost whatever its size: afterwards
nothing calls it and it is dropped (`drop_uncalled`).  A caller stops growing at LIMIT values.

A small function that calls itself gets copies of its own body, a few levels deep: most calls of a recursion are near
its leaves, so that two levels save more than half of them.

Calls that are copied get a position that names the inlined function and the place of the inlined call
(ir.func.InlineTable), so stack traces are the same as without inlining.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.cfg import analyse
from mochic.ir.func import INLINE, Block, Func, FuncSym, InlineTable, Module, Value
from mochic.ir.ops import ALLOCA, CALL, FCONST, ICONST, IS_CALL, JUMP, RET, SYMADDR
from mochic.ir.types import VOID

SMALL: Final = 24  # a callee's size, for a call outside loops
PER_LOOP: Final = 24  # more for each loop around the call ...
MAX_LOOPS: Final = 2  # ... up to that many
PER_CONSTANT: Final = 6  # more for each constant argument
MAX_CALLS: Final = 2  # hot calls in the callee
MAX_BLOCKS: Final = 40
ALWAYS: Final = 60  # with the INLINE flag
SINGLE: Final = 240  # called in one place
LIMIT: Final = 2000
RECURSIVE: Final = 48  # a function that calls itself
LEVELS: Final = 3  # of its copies in itself
RECURSIVE_LIMIT: Final = 320  # its size with them


class Candidate:
    """What is known of a callee: its size, the calls in its hot blocks, whether it may be copied at all."""

    __slots__ = ("size", "calls", "fits")

    def __init__(self, fn: Func) -> None:
        self.size = size(fn)
        self.calls = 0
        self.fits = len(fn.blocks) <= MAX_BLOCKS and self.size <= SINGLE
        for b in fn.blocks if self.fits else ():
            for v in b.values:
                if v.op == ALLOCA or (v.op == CALL and v.sym is fn.sym):
                    self.fits = False
                if IS_CALL[v.op] and not b.cold:
                    self.calls += 1


class Inliner:
    """Inlining in one module.  `sites` counts the places that call a function or take its address; `deep`: functions
    that call themselves are copied into themselves."""

    __slots__ = ("places", "candidates", "sites", "deep")

    def __init__(self, module: Module, deep: bool) -> None:
        self.places = module.inlined
        self.deep = deep
        self.candidates: dict[Func, Candidate] = {}
        self.sites = count_sites(module)

    def moves(self, fn: Func) -> bool:
        """The function will most likely become part of its only caller."""
        return self.sites.get(fn.sym) == 1 and Candidate(fn).fits

    def done(self, fn: Func) -> None:
        """A function has been optimised: others may take copies."""
        self.candidates[fn] = Candidate(fn)

    def worth(self, call: Value, depth: int, g: Func) -> bool:
        """Should the call be replaced by a copy of g?"""
        c = self.candidates.get(g)
        if c is None or not c.fits:
            return False
        if g.sym.flags & INLINE:
            return c.size <= ALWAYS
        if self.sites.get(g.sym) == 1:
            return True
        constants = sum([a.op in (ICONST, FCONST, SYMADDR) for a in call.args])
        return c.calls <= MAX_CALLS and c.size <= SMALL + PER_LOOP * min(depth, MAX_LOOPS) + PER_CONSTANT * constants


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


def count_sites(module: Module) -> dict[FuncSym, int]:
    """How many places call each function; one whose address is taken has more than it has calls."""
    sites: dict[FuncSym, int] = {}
    for fn in module.funcs:
        for b in fn.blocks:
            for v in b.values:
                if isinstance(v.sym, FuncSym):
                    sites[v.sym] = sites.get(v.sym, 0) + (1 if v.op == CALL else 2)
    for d in module.data:
        for sym, _ in d.items.values():
            if isinstance(sym, FuncSym):
                sites[sym] = sites.get(sym, 0) + 2
    return sites


def drop_uncalled(module: Module) -> None:
    """Remove the functions of a program that nothing refers to any more; the first is its main function."""
    seen = {module.funcs[0].sym}
    work = [module.funcs[0]]
    for d in module.data:
        for sym, _ in d.items.values():
            if isinstance(sym, FuncSym) and sym.func is not None and sym not in seen:
                seen.add(sym)
                work.append(sym.func)
    while work:
        for b in work.pop().blocks:
            for v in b.values:
                if isinstance(v.sym, FuncSym) and v.sym.func is not None and v.sym not in seen:
                    seen.add(v.sym)
                    work.append(v.sym.func)
    module.funcs = [fn for fn in module.funcs if fn.sym in seen]


def run(fn: Func, inliner: Inliner) -> bool:
    """Inline the calls in fn that are worth it."""
    analyse(fn)
    changed = False
    total = size(fn)
    work = [b for b in fn.blocks if not b.cold]
    while work:
        b = work.pop()
        for i, v in enumerate(b.values):
            if v.op != CALL:
                continue
            g = v.sym.func
            if g is None or g is fn or not inliner.worth(v, b.depth, g):
                continue
            n = inliner.candidates[g].size
            if total + n > LIMIT:
                continue
            total += n
            work.append(_splice(fn, b, i, v, g, inliner.places))
            changed = True
            break
    if inliner.deep and _unroll_recursion(fn, inliner.places):
        changed = True
    return changed


def _unroll_recursion(fn: Func, places: InlineTable) -> bool:
    """Copies of a small function in itself."""
    n = size(fn)
    if n > RECURSIVE or any(v.op == ALLOCA for b in fn.blocks for v in b.values):
        return False
    total = n
    model: Func | None = None
    for _ in range(LEVELS):
        calls = [v for b in fn.blocks if not b.cold for v in b.values if v.op == CALL and v.sym is fn.sym]
        if not calls or total + n * len(calls) > RECURSIVE_LIMIT:
            break
        if model is None:
            model = _copy(fn)
        for v in calls:
            b = next(b for b in fn.blocks if v in b.values)
            _splice(fn, b, b.values.index(v), v, model, places)
            total += n
    return model is not None


def _copy(fn: Func) -> Func:
    """A function with the same body, which is not in the module."""
    sym = fn.sym
    out = Func(sym)
    sym.func = fn
    out.nvalues, out.nblocks, out.pos = fn.nvalues, fn.nblocks, fn.pos
    values: dict[int, Value] = {}
    blocks: dict[int, Block] = {}
    for b in fn.blocks:
        c = blocks[b.id] = Block(b.id)
        out.blocks.append(c)
        c.cold, c.hint, c.pos, c.term, c.cases, c.depth = b.cold, b.hint, b.pos, b.term, list(b.cases), b.depth
        for new, old in ((c.params, b.params), (c.values, b.values)):
            for v in old:
                values[v.id] = w = Value(v.id, v.op, v.type, list(v.args), v.imm, v.sym, v.pos)
                new.append(w)
    for b in fn.blocks:
        c = blocks[b.id]
        for w in c.values:
            w.args = [values[a.id] for a in w.args]
        c.targs = [values[a.id] for a in b.targs]
        c.sargs = [[values[a.id] for a in args] for args in b.sargs]
        c.succs = [blocks[s.id] for s in b.succs]
    return out


def _splice(fn: Func, b: Block, at: int, call: Value, g: Func, places: InlineTable) -> Block:
    """Replace the call by a copy of g's body; the block after it is returned."""
    after = fn.cut(b, at)
    vmap: dict[int, Value] = {}
    bmap: dict[int, Block] = {}
    for p, a in zip(g.params, call.args, strict=True):
        vmap[p.id] = a
    for gb in g.blocks:
        nb = fn.new_block()
        nb.cold = gb.cold
        nb.hint = gb.hint
        nb.depth = b.depth + gb.depth
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
    b.term, b.succs, b.sargs = JUMP, [bmap[g.blocks[0].id]], [[]]
    if result is not None:
        from mochic.opt.jumpthread import replace

        replace(fn, {call.id: result})
    return after
