"""Simplification, constant folding and global value numbering in one walk.

Method.  The dominator tree is walked from the entry.  Each value's arguments are replaced by their leaders,
then it is folded, simplified by rule (simplify.rules), and looked up among equal pure values of the
blocks that dominate it (hash-based value numbering; Briggs, Cooper & Simpson 1997).  What a block added to
the table is removed when the walk leaves its subtree.

Loads are values too as long as no store in between may change them: the table of available loads is handed to the
blocks a block dominates, less what may be written on the ways from here to there (at a loop's header: in the
loop).  A store makes its value available.  `opt.memory` says which accesses may touch the same word.

The condition of a branch is known in what one of its edges dominates; branches on the same condition there are
decided.

Invariants.  A load stays where it is or disappears; nothing moves across a check, a call or a store.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any

from mochic.ir.cfg import DomTree, compute_preds
from mochic.ir.func import FIXED, INSERT, LOOKUP, PURE, Block, Func, Value
from mochic.ir.ops import (
    ALLOC, BRIF, CALL, CAST, EQ, FCONST, ICONST, IS_CALL, IS_COMMUTATIVE, IS_LOAD, IS_PURE, IS_STORE, JUMP, LD, MAPFIND,
    MAP_LENGTH, NE, READONLY, ST, SWITCH, SYMADDR,
)  # fmt: skip
from mochic.ir.rtabi import FIND_OF
from mochic.ir.types import F64, I32, INT, PTR, REF, TAG
from mochic.opt import probe
from mochic.opt.bounds import Bounds
from mochic.opt.fold import fold, wrap
from mochic.opt.generated.simplify_rules import SIMPLIFY
from mochic.opt.memory import Place, apart, place, writes

MAX_REGION = 100  # blocks looked at between a block and one it dominates

_INSERTED = frozenset((MAP_LENGTH,))

# An available load: its value, the access that made it known, the place of that access.
Known = tuple[Value, Value, Place]

RULES: dict[int, Callable[[Value, Callable[..., Value]], Value | None]] = SIMPLIFY


class _Walk:
    __slots__ = (
        "fn",
        "leader",
        "table",
        "typed",
        "words",
        "new",
        "changed",
        "pos",
        "facts",
        "effects",
        "bounds",
        "probes",
    )

    def __init__(self, fn: Func, typed: bool, words: bool) -> None:
        self.fn = fn
        self.typed = typed
        self.words = words
        self.leader: dict[int, Value] = {}
        self.table: dict[Any, Value] = {}
        self.new: list[Value] = []
        self.changed = False
        self.pos = 0
        self.bounds: Bounds | None = None
        self.probes: list[tuple[Value, Value]] = []  # calls that insert, what was found before
        self.facts: dict[int, int] = {}  # condition -> 0 or 1 where it is known
        # Per block: its stores and what its calls may write, or None when a call may write anything.
        self.effects: list[tuple[list[Value], set[Place]] | None] = [None] * fn.nblocks

    def make(self, op: int, type: int, args: list[Value], imm: int = 0) -> Value:
        fn = self.fn
        v = Value(fn.nvalues, op, type, args, imm, None, self.pos)
        fn.nvalues += 1
        self.new.append(v)
        return v

    def run(self) -> bool:
        fn = self.fn
        compute_preds(fn)
        dom = DomTree(fn)
        self.summarize(dom.order)
        facts = self.facts
        bounds = self.bounds = Bounds(fn, dom, self.leader) if self.words else None
        # Explicit stack: (block, its available loads, what holds there) on the way down, (None, what to forget,
        # condition to forget) on the way up.
        work: list[tuple[Block | None, Any, tuple[Value, int] | None]] = [(fn.blocks[0], {}, None)]
        while work:
            b, state, fact = work.pop()
            if b is None:
                table = self.table
                keys, undo = state
                for k in keys:
                    del table[k]
                if undo and bounds is not None:
                    bounds.forget(undo)
                if fact is not None:
                    del facts[fact[0].id]
                continue
            undo = []
            if fact is not None:
                condition, holds = fact
                if condition.id in facts:
                    fact = None
                else:
                    facts[condition.id] = holds
                    if bounds is not None:
                        undo = bounds.add(bounds.facts_of(condition, holds))
            elif b.params and bounds is not None and b.preds:
                undo = bounds.add(bounds.of_params(b))
            added: list[Any] = []
            self.block(b, state, added)
            if added or undo or fact is not None:
                work.append((None, (added, undo), fact))
            for c in reversed(dom.children[b.id]):
                if len(c.preds) == 1:  # its only predecessor dominates it: b
                    fact = None
                    if b.term == BRIF and b.succs[0] is not b.succs[1]:
                        fact = (b.targs[0], 1 if b.succs[0] is c else 0)
                    work.append((c, dict(state), fact))
                else:
                    work.append((c, self.surviving(state, b, c) if state else {}, None))
        if self.leader:
            self.replace_all()
        if self.probes:
            leader = self.leader
            probe.run(fn, [(v, leader.get(w.id, w)) for v, w in self.probes])
        return self.changed or bool(self.probes)

    def summarize(self, order: list[Block]) -> None:
        """What each block may write."""
        effects = self.effects
        for b in order:
            stores: list[Value] = []
            places: set[Place] = set()
            for v in b.values:
                op = v.op
                if IS_STORE[op]:
                    stores.append(v)
                elif IS_CALL[op]:
                    some = writes(v)
                    if some is None:
                        break
                    places |= some
            else:
                effects[b.id] = (stores, places)

    def surviving(self, loads: dict[Any, Known], b: Block, c: Block) -> dict[Any, Known]:
        """The loads available behind b that are also available at c, which b dominates, on every way to it."""
        seen = {b.id}
        work = list(c.preds)
        stores: list[Value] = []
        places: set[Place] = set()
        while work:
            x = work.pop()
            if x.id in seen:
                continue
            seen.add(x.id)
            some = self.effects[x.id]
            if some is None or len(seen) > MAX_REGION:
                return {}
            stores += some[0]
            places |= some[1]
            work += x.preds
        out = dict(loads)
        self.kill_places(places, out)
        for v in stores:
            if not out:
                break
            self.kill(v, out)
        return out

    def replace_all(self) -> None:
        """Edges to blocks that were walked before their arguments were replaced."""
        leader = self.leader
        for b in self.fn.blocks:
            for sa in b.sargs:
                for i, a in enumerate(sa):
                    w = leader.get(a.id)
                    if w is not None:
                        sa[i] = w
            for i, a in enumerate(b.targs):
                w = leader.get(a.id)
                if w is not None:
                    b.targs[i] = w
            for v in b.values:
                args = v.args
                for i, a in enumerate(args):
                    w = leader.get(a.id)
                    if w is not None:
                        args[i] = w

    def block(self, b: Block, loads: dict[Any, Known], added: list[Any]) -> None:
        leader = self.leader
        table = self.table
        out: list[Value] = []
        for v in b.values:
            op = v.op
            args = v.args
            for i, a in enumerate(args):
                w = leader.get(a.id)
                if w is not None:
                    args[i] = w
            if IS_PURE[op]:
                r = self.pure(v, out, added)
                if r is not v:
                    leader[v.id] = r
                    self.changed = True
                continue
            if IS_LOAD[op]:
                if v.sym == READONLY:
                    key: Any = (op, v.type, args[0].id, v.imm)
                    w = table.get(key)
                    if w is None:
                        table[key] = v
                        added.append(key)
                        out.append(v)
                    else:
                        leader[v.id] = w
                        self.changed = True
                    continue
                key = (args[0].id, v.imm, op, v.type) if op != MAPFIND else (args[0].id, args[1].id, op)
                known = loads.get(key)
                if known is not None:
                    leader[v.id] = known[0]
                    self.changed = True
                    continue
                loads[key] = v, v, place(v)
                out.append(v)
                continue
            out.append(v)
            if IS_STORE[op]:
                self.store(v, loads)
            elif IS_CALL[op] and op != ALLOC:
                if op == CALL and v.sym.flags & PURE and (v.sym.flags & FIXED or not _reads_memory(v)):
                    key = (CALL, v.sym.name, *[a.id for a in args])
                    w = table.get(key)
                    if w is None:
                        table[key] = v
                        added.append(key)
                    else:
                        leader[v.id] = w
                        out.pop()
                        self.changed = True
                    continue
                if op == CALL and v.sym.flags & LOOKUP:
                    key = (CALL, v.sym.name, *[a.id for a in args])
                    known = loads.get(key)
                    if known is not None:
                        leader[v.id] = known[0]
                        out.pop()
                        self.changed = True
                    else:
                        loads[key] = v, v, MAP_LENGTH
                    continue
                if op == CALL and v.sym.flags & INSERT and self.typed:
                    key = (CALL, FIND_OF[v.sym.name], *[a.id for a in args])
                    known = loads.get(key)
                    if known is not None and not (known[0].op == CALL and known[0].sym.flags & INSERT):
                        if not self.is_null(known[0]):
                            self.probes.append((v, known[0]))
                    elif known is not None:
                        leader[v.id] = known[0]  # an entry that was added stays where it is
                        out.pop()
                        self.changed = True
                        continue
                    self.kill_places(_INSERTED, loads)
                    loads[key] = v, v, MAP_LENGTH
                    continue
                some = writes(v)
                if some is None:
                    loads.clear()
                elif some:
                    self.kill_places(some, loads)
        b.values = out
        targs = b.targs
        for i, a in enumerate(targs):
            w = leader.get(a.id)
            if w is not None:
                targs[i] = w
        self.branch(b)

    def store(self, v: Value, loads: dict[Any, Known]) -> None:
        """A store: forget what it may change, remember what it wrote."""
        if loads:
            self.kill(v, loads)
        if v.op == ST and self.typed:
            val = v.args[1]
            loads[(v.args[0].id, v.imm, LD, val.type)] = val, v, place(v)

    def kill(self, v: Value, loads: dict[Any, Known]) -> None:
        """Forget the loads that a store may change."""
        typed = self.typed
        written = place(v)
        kill = []
        for k, (_, access, at) in loads.items():
            different = apart(v, access)
            if (not typed or at == written) if different is None else not different:
                kill.append(k)
        for k in kill:
            del loads[k]

    def kill_places(self, places: Set[Place], loads: dict[Any, Known]) -> None:
        """Forget the loads from places that a call may have written."""
        if not places or not loads:
            return
        if not self.typed:
            loads.clear()
            return
        for k in [k for k, known in loads.items() if known[2] in places]:
            del loads[k]

    def pure(self, v: Value, out: list[Value], added: list[Any]) -> Value:
        """The leader of a pure value; appends it to `out` when it is new."""
        table = self.table
        self.pos = v.pos
        while True:
            op = v.op
            args = v.args
            if args and args[0].type != INT:  # exact ints have no width to compute with
                f = fold(v)
                if f is not None:
                    v = self.make(f[0], v.type, [], f[1])
                    self.new.pop()
                    continue
                rule = RULES.get(op)
                if rule is not None:
                    r = rule(v, self.make)
                    if r is not None:
                        new = self.new
                        if not new or r is not new[-1]:
                            new.clear()
                            return self.leader.get(r.id, r)
                        new.pop()
                        for x in new:  # operands of the result: constants and inner operations
                            self.adopt(x, r, out, added)
                        new.clear()
                        v = r
                        continue
                if op == CAST:
                    a = args[0]
                    if a.type == v.type:
                        return a
                    if a.op == CAST and a.args[0].type == v.type:
                        return a.args[0]
            if args:
                n = len(args)
                if n == 2:
                    m, k = args[0].id, args[1].id
                    if m > k and IS_COMMUTATIVE[op]:
                        m, k = k, m
                    key: Any = (op, v.type, m, k, args[0].type)
                elif n == 1:
                    key = (op, v.type, args[0].id, v.imm)
                else:
                    key = (op, v.type, *[a.id for a in args])
            elif op == ICONST:
                if v.type != I32 and v.type != F64:
                    key = (op, v.type, v.imm)
                else:
                    v.imm = wrap(v.imm, I32)
                    key = (op, v.type, v.imm)
            elif op == SYMADDR:
                key = (op, v.type, v.sym, v.imm)
            elif op == FCONST:
                key = (op, v.imm)
            else:
                out.append(v)
                return v
            w = table.get(key)
            if w is not None:
                return w
            table[key] = v
            added.append(key)
            out.append(v)
            return v

    def adopt(self, x: Value, user: Value, out: list[Value], added: list[Any]) -> None:
        saved = self.new
        self.new = []
        w = self.pure(x, out, added)
        self.new = saved
        if w is not x:
            self.leader[x.id] = w
            args = user.args
            for i, a in enumerate(args):
                if a is x:
                    args[i] = w

    def is_null(self, p: Value) -> bool:
        """A branch has told that the address is 0 here."""
        zero = self.table.get((ICONST, PTR, 0))
        if zero is None:
            return False
        m, k = min(p.id, zero.id), max(p.id, zero.id)
        for op, holds in ((NE, 0), (EQ, 1)):
            w = self.table.get((op, I32, m, k, PTR))
            if w is not None and self.facts.get(w.id) == holds:
                return True
        return False

    def inverse(self, c: Value) -> int | None:
        """What is known of `eq` tells of `ne` and the other way round."""
        x, y = c.args
        if x.op == CALL and x.sym.flags & INSERT and y.op == ICONST and not y.imm:
            return 0 if c.op == EQ else 1  # it gives an address
        m, k = x.id, y.id
        if m > k:
            m, k = k, m
        w = self.table.get((NE if c.op == EQ else EQ, c.type, m, k, c.args[0].type))
        known = self.facts.get(w.id) if w is not None else None
        return None if known is None else 1 - known

    def branch(self, b: Block) -> None:
        """Branches on constants, and on inverted conditions."""
        if b.term == BRIF:
            c = b.targs[0]
            known = self.facts.get(c.id)
            if known is None and (c.op == EQ or c.op == NE):
                known = self.inverse(c)
            if known is None and self.bounds is not None and c.op != ICONST:
                known = self.bounds.decide(c)
            if known is not None or c.op == ICONST:
                keep = 0 if (c.imm if known is None else known) else 1
                b.term = JUMP
                b.targs = []
                b.succs = [b.succs[keep]]
                b.sargs = [b.sargs[keep]]
                self.changed = True
            elif b.succs[0] is b.succs[1] and not b.sargs[0] and not b.sargs[1]:
                b.term = JUMP
                b.targs = []
                b.succs = [b.succs[0]]
                b.sargs = [[]]
                self.changed = True
        elif b.term == SWITCH:
            c = b.targs[0]
            if c.op == ICONST:
                keep = b.cases.index(c.imm) if c.imm in b.cases else len(b.succs) - 1
                b.term = JUMP
                b.targs = []
                b.succs = [b.succs[keep]]
                b.sargs = [b.sargs[keep]]
                b.cases = []
                self.changed = True


def _reads_memory(v: Value) -> bool:
    """A PURE runtime function may read objects that change between two calls: only scalars are safe to merge."""
    return any(a.type in (PTR, REF, TAG) for a in v.args)


def run(fn: Func, typed: bool = True, words: bool = True) -> bool:
    """Simplify and number the values of a function; tells whether anything changed.

    `typed`: see `opt.memory`; `words`: ints have their representations, so comparisons of words say something.
    """
    return _Walk(fn, typed, typed and words).run()
