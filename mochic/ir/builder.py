"""Builds SSA directly from structured code (Braun et al., "Simple and Efficient Construction of
Static Single Assignment Form", CC 2013), with block parameters in the place of phis.

A *variable* is any hashable key with an IR type.  `write`/`read` record and look up its value in
the current block; a lookup in a block whose predecessors are not all known yet (not *sealed*)
makes a parameter that is completed when the block is sealed.  Trivial parameters (all arguments
equal) are not removed on the fly: `finish` does it once for the whole function, which needs no use
lists.  Code emitted after a terminator goes to a fresh unreachable block and is dropped by `finish`.
"""

from __future__ import annotations

from typing import Any

from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import BRIF, FCONST, ICONST, JUMP, RET, SWITCH, TRAP
from mochic.ir.types import F64, VOID


class Builder:
    __slots__ = ("fn", "cur", "pos", "_defs", "_preds", "_sealed", "_incomplete", "_open")

    def __init__(self, fn: Func) -> None:
        self.fn = fn
        self.pos = 0
        self._defs: list[dict[Any, Value]] = []
        self._preds: list[list[tuple[Block, int]]] = []
        self._sealed: list[bool] = []
        self._incomplete: list[list[tuple[Any, Value]]] = []
        self._open = True
        self.cur = self.block(sealed=True)

    # -- blocks ---------------------------------------------------------------------------------

    def block(self, sealed: bool = False, cold: bool = False) -> Block:
        b = self.fn.new_block()
        b.cold = cold
        self._defs.append({})
        self._preds.append([])
        self._sealed.append(sealed)
        self._incomplete.append([])
        return b

    def at(self, b: Block) -> None:
        """Continue in block b."""
        self.cur = b
        self._open = True

    def start(self, b: Block) -> None:
        """Continue in block b, all of whose predecessors exist."""
        self.seal(b)
        self.cur = b
        self._open = True

    @property
    def reachable(self) -> bool:
        """False right after a terminator, before the next block is entered, or in a dead block."""
        return self._open and (self.cur is self.fn.blocks[0] or bool(self._preds[self.cur.id]))

    def seal(self, b: Block) -> None:
        if self._sealed[b.id]:
            return
        self._sealed[b.id] = True
        for var, param in self._incomplete[b.id]:
            self._complete(b, var, param)
        self._incomplete[b.id] = []

    def _complete(self, b: Block, var: Any, param: Value) -> None:
        for p, i in self._preds[b.id]:
            p.sargs[i].append(self._read_in(p, var, param.type))

    # -- variables ------------------------------------------------------------------------------

    def write(self, var: Any, v: Value) -> None:
        self._defs[self.cur.id][var] = v

    def read(self, var: Any, type: int) -> Value:
        v = self._defs[self.cur.id].get(var)
        return v if v is not None else self._read_in(self.cur, var, type)

    def _read_in(self, b: Block, var: Any, type: int) -> Value:
        # Follows chains of single predecessors iteratively: straight-line code may be thousands of blocks long.
        chain = []
        while True:
            v = self._defs[b.id].get(var)
            if v is not None:
                break
            preds = self._preds[b.id]
            chain.append(b)
            if not self._sealed[b.id]:
                v = self.fn.new_param(b, type)
                self._incomplete[b.id].append((var, v))
                break
            if len(preds) == 1:
                b = preds[0][0]
                continue
            if not preds:  # unreachable block or a variable never written: any value will do
                v = self._zero(b, type)
                break
            v = self.fn.new_param(b, type)
            self._defs[b.id][var] = v
            self._complete(b, var, v)
            break
        for c in chain:
            self._defs[c.id][var] = v
        return v

    def _zero(self, b: Block, type: int) -> Value:
        v = self.fn.new_value(FCONST if type == F64 else ICONST, type, [])
        b.values.insert(0, v)
        return v

    # -- values ---------------------------------------------------------------------------------

    def emit(self, op: int, type: int, args: list[Value], imm: int = 0, sym: Any = None) -> Value:
        if not self._open:
            self.cur = self.block(sealed=True)
            self._open = True
        fn = self.fn
        v = Value(fn.nvalues, op, type, args, imm, sym, self.pos)
        fn.nvalues += 1
        self.cur.values.append(v)
        return v

    def iconst(self, type: int, n: int) -> Value:
        return self.emit(ICONST, type, [], n)

    # -- terminators ----------------------------------------------------------------------------

    def _end(self, term: int, targs: list[Value], succs: list[Block]) -> Block:
        if not self._open:
            self.cur = self.block(sealed=True)
            self._open = True
        b = self.cur
        b.term = term
        b.targs = targs
        b.succs = succs
        b.sargs = [[] for _ in succs]
        b.pos = self.pos
        for i, s in enumerate(succs):
            self._preds[s.id].append((b, i))
        self._open = False
        return b

    def jump(self, to: Block) -> None:
        if self._open:
            self._end(JUMP, [], [to])

    def brif(self, cond: Value, then: Block, orelse: Block, hint: int = 0) -> None:
        self._end(BRIF, [cond], [then, orelse]).hint = hint

    def switch(self, v: Value, cases: list[int], targets: list[Block], default: Block) -> None:
        self._end(SWITCH, [v], [*targets, default]).cases = cases

    def ret(self, v: Value | None = None) -> None:
        if self._open:
            self._end(RET, [] if v is None else [v], [])

    def trap(self) -> None:
        if self._open:
            self._end(TRAP, [], [])

    # -- end ------------------------------------------------------------------------------------

    def finish(self) -> Func:
        """Seal everything, drop unreachable blocks and trivial parameters."""
        fn = self.fn
        if self._open and self.cur.term == TRAP and fn.sym.ret == VOID:
            self._end(RET, [], [])
        for b in list(fn.blocks):
            self.seal(b)
        drop_unreachable(fn)
        simplify_params(fn)
        return fn


def drop_unreachable(fn: Func) -> bool:
    """Remove blocks that no path from the entry reaches; tell whether there were any."""
    seen = bytearray(fn.nblocks)
    stack = [fn.blocks[0]]
    seen[fn.blocks[0].id] = 1
    while stack:
        for s in stack.pop().succs:
            if not seen[s.id]:
                seen[s.id] = 1
                stack.append(s)
    n = len(fn.blocks)
    fn.blocks = [b for b in fn.blocks if seen[b.id]]
    return len(fn.blocks) != n


def simplify_params(fn: Func) -> bool:
    """Remove block parameters whose arguments on all edges are one same value (or the parameter itself).

    Returns whether anything changed.  Works on strongly connected groups only as far as the simple
    rule carries, iterated to a fixpoint, which is all that reducible code produces.
    """
    subst: dict[int, Value] = {}

    def find(v: Value) -> Value:
        w = subst.get(v.id)
        if w is None:
            return v
        while True:
            x = subst.get(w.id)
            if x is None:
                break
            w = x
        subst[v.id] = w
        return w

    entry = fn.blocks[0]
    incoming: dict[int, list[list[Value]]] = {b.id: [] for b in fn.blocks}
    for b in fn.blocks:
        for s, sa in zip(b.succs, b.sargs, strict=True):
            incoming[s.id].append(sa)
    dead: dict[int, list[int]] = {}
    changed = True
    any_change = False
    live: dict[int, list[int]] = {b.id: list(range(len(b.params))) for b in fn.blocks if b.params and b is not entry}
    by_id = {b.id: b for b in fn.blocks}
    while changed:
        changed = False
        for bid, idxs in live.items():
            ins = incoming[bid]
            params = by_id[bid].params
            keep = []
            for i in idxs:
                p = params[i]
                same: Value | None = None
                trivial = True
                for sa in ins:
                    a = find(sa[i])
                    if a is p or a is same:
                        continue
                    if same is not None:
                        trivial = False
                        break
                    same = a
                if trivial and same is not None:
                    subst[p.id] = same
                    dead.setdefault(bid, []).append(i)
                    changed = True
                    any_change = True
                else:
                    keep.append(i)
            live[bid] = keep
    if not any_change:
        return False
    for bid, gone in dead.items():
        kill = set(gone)
        b = by_id[bid]
        b.params = [p for i, p in enumerate(b.params) if i not in kill]
        for sa in incoming[bid]:
            sa[:] = [a for i, a in enumerate(sa) if i not in kill]
    for b in fn.blocks:
        for v in b.values:
            args = v.args
            for i, a in enumerate(args):
                if a.id in subst:
                    args[i] = find(a)
        targs = b.targs
        for i, a in enumerate(targs):
            if a.id in subst:
                targs[i] = find(a)
        for sa in b.sargs:
            for i, a in enumerate(sa):
                if a.id in subst:
                    sa[i] = find(a)
    return True
