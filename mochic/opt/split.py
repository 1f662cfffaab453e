"""Splitting of merges: what follows a fast path does not wait for the slow one.

Exact integers make code of diamonds: a test for small words, the operation, a test for overflow, and beside it a call
that does the same for numbers of any size.  Where the two meet again, all that the fast path knew is lost, and the
next operation tests the same words once more.

    fast: t = or w, 1 ; jump m(t)                   fast: t = or w, 1 ; brif (and t, 1), next, slow2
    slow: u = call int_mul(x, y) ; jump m(u)   =>   slow: u = call int_mul(x, y) ; jump c(u)
    m(v): brif (and v, 1), next, slow2              c(v): brif (and v, 1), next, slow2      (a copy of m, cold)

Then `m` has one predecessor, value numbering folds its condition, and `next` is the next such merge.  So the fast path
grows until it meets a loop's header, and the slow one follows it in cold copies.  (Tail duplication for superblocks:
Hwu et al., "The Superblock", 1993; the hints of branches stand in for its profile.)

Values of m that are used elsewhere have two definitions afterwards: uses ask for the one that reaches them, and where
two meet a block gets a parameter (Braun et al., "Simple and Efficient Construction of SSA Form", 2013).  Constants
are made anew where they are used.

Only loops are treated: elsewhere the copies would cost more than they save.

Invariants: loop headers are left alone, so loops keep one entry; what is copied has no effect; a function grows by
a third at most.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.builder import simplify_params
from mochic.ir.cfg import DomTree, compute_preds, find_loops, remove_unreachable
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import BRIF, FCONST, ICONST, IS_LOAD, IS_PURE, PARAM, SYMADDR

MAX_VALUES: Final = 8  # in a block that is copied
MIN_BUDGET: Final = 24  # values that any function may gain
_CONSTANTS: Final = (ICONST, FCONST, SYMADDR)


def run(fn: Func) -> bool:
    """Split merges of one hot and some cold ways; tells whether there were any."""
    if not any(b.cold for b in fn.blocks):
        return False
    remove_unreachable(fn)
    compute_preds(fn)
    candidates = [b for b in fn.blocks if _fits(b)]
    if not candidates:
        return False
    dom = DomTree(fn)
    headers = {lp.header.id for lp in find_loops(fn, dom)}
    budget = max(MIN_BUDGET, sum([len(b.values) for b in fn.blocks]) // 3)
    work = _Splitter(fn)
    changed = False
    for b in dom.order:  # the walk sees the blocks behind a split when it comes to them
        if not b.depth or b.id in headers or not _fits(b):  # what runs once is not worth the size
            continue
        budget -= len(b.values) + 1
        if budget < 0:
            break
        work.split(b)
        changed = True
    if changed:
        simplify_params(fn)  # what has one way in knows what comes
    return changed


def _fits(b: Block) -> bool:
    """Does one hot way meet cold ones here, before a branch, with little to copy?"""
    if b.cold or b.term != BRIF or len(b.preds) < 2 or len(b.values) > MAX_VALUES:
        return False
    hot = 0
    for p in b.preds:
        if not p.cold:
            hot += 1
    return hot == 1 and all(IS_PURE[v.op] or IS_LOAD[v.op] for v in b.values)


class _Splitter:
    """`users` lists, for each value, at least the blocks that use it and are not its own."""

    __slots__ = ("fn", "users")

    def __init__(self, fn: Func) -> None:
        self.fn = fn
        self.users: dict[int, dict[int, Block]] = {}
        for b in fn.blocks:
            self.note(b)

    def note(self, b: Block) -> None:
        """Enter what a block uses."""
        users = self.users
        for args in _operands(b):
            for a in args:
                users.setdefault(a.id, {})[b.id] = b

    def split(self, b: Block) -> None:
        """Give the cold ways into b a copy of it."""
        fn = self.fn
        c = fn.new_block()
        c.cold = True
        c.pos = b.pos
        c.term = b.term
        copies: dict[int, Value] = {}
        for p in b.params:
            copies[p.id] = q = fn.new_param(c, p.type, p.sym)
            q.pos = p.pos
        for v in b.values:
            copies[v.id] = w = fn.new_value(v.op, v.type, [copies.get(a.id, a) for a in v.args], v.imm, v.sym, v.pos)
            c.values.append(w)
        c.targs = [copies.get(a.id, a) for a in b.targs]
        c.sargs = [[copies.get(a.id, a) for a in args] for args in b.sargs]
        c.succs = list(b.succs)
        for s in c.succs:
            s.preds.append(c)
        c.preds = [p for p in b.preds if p.cold]
        b.preds = [p for p in b.preds if not p.cold]
        for pred in c.preds:
            pred.succs = [c if s is b else s for s in pred.succs]
        self.note(c)
        for v in b.params + b.values:
            elsewhere = [u for u in self.users.get(v.id, {}).values() if u is not b and u is not c]
            if not elsewhere:
                continue
            if v.op in _CONSTANTS:
                for u in elsewhere:
                    w = fn.new_value(v.op, v.type, [], v.imm, v.sym, v.pos)
                    if _replace(u, v, w):
                        u.values.insert(0, w)
            else:
                self.repair(v, copies[v.id], b, c, elsewhere)

    def repair(self, v: Value, w: Value, b: Block, c: Block, elsewhere: list[Block]) -> None:
        """v of block b is w of block c now: let the uses elsewhere have the one that reaches them."""
        at_start: dict[int, Value] = {}
        at_end = {b.id: v, c.id: w}
        fn = self.fn

        def reaching(u: Block) -> Value:
            """The definition at the start of u."""
            chain = [u]
            while True:
                u = chain[-1]
                x = at_start.get(u.id)
                if x is not None:
                    break
                if len(u.preds) == 1:
                    p = u.preds[0]
                    x = at_end.get(p.id)
                    if x is not None:
                        break
                    chain.append(p)
                    continue
                x = at_start[u.id] = fn.new_param(u, v.type, v.sym if v.op == PARAM else None)
                x.pos = v.pos
                for p in {p.id: p for p in u.preds}.values():
                    y = at_end.get(p.id)
                    if y is None:
                        y = reaching(p)
                    self.users.setdefault(y.id, {})[p.id] = p
                    p.sargs = [[*args, y] if s is u else args for s, args in zip(p.succs, p.sargs, strict=True)]
                break
            for u in chain:
                at_start[u.id] = x
            return x

        for u in elsewhere:
            x = reaching(u)
            if x is not v and _replace(u, v, x):
                self.users.setdefault(x.id, {})[u.id] = u


def _operands(b: Block) -> list[list[Value]]:
    return [*[v.args for v in b.values], b.targs, *b.sargs]


def _replace(b: Block, old: Value, new: Value) -> bool:
    """Let block b use another value; tells whether it used the old one."""
    found = False
    for args in _operands(b):
        for i, a in enumerate(args):
            if a is old:
                args[i] = new
                found = True
    return found
