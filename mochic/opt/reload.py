"""Cold paths load again, hot paths keep what they have.

    h(i):   n = ld xs+8; ...                        h(i, n):  ...
            brif full, cold, next                             brif full, cold, next(n)
    cold:   call list_set_next(xs, ...); jump next  cold:     call ...; n2 = ld xs+8; jump next(n2)
    next:   ...; jump h(i + 1)                      next(m):  ...; jump h(i + 1, m)

A call in a block that hardly ever runs may change any object, so that what the loop loads from memory would have to
be loaded in each round.  Here such a block loads anew what it may have changed, at its end, and the loop keeps its
values in registers: partial redundancy elimination (Knoop, Rüthing & Steffen, "Lazy Code Motion", 1992) of loads alone,
with insertions in cold blocks alone, so nothing is gained on one path at the cost of another.

Method.  A load's *key* is its base, offset and kind.  Keys are bits.  Forward: where is a key's word known on every
way, if cold blocks repair what they spoil?  Backward: where will it be asked for?  A load of a known key becomes a
read of a variable, whose definitions are the other loads, the stores to exactly that word, and the repairs; blocks
where several ways meet get a parameter for each variable that is known and asked for (`simplify_params` removes those
that always get one value).

Invariants.  Nothing is loaded where the same word had not been loaded or stored on every way before, so an address that
a check guards is not touched before the check.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.builder import simplify_params
from mochic.ir.cfg import DomTree, compute_preds, find_loops, remove_unreachable
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import ALLOC, IS_CALL, IS_LOAD, IS_STORE, LD, READONLY, ST
from mochic.opt.jumpthread import replace
from mochic.opt.memory import Place, apart, place, writes

Key = tuple[int, int, int, int]

MAX_KEYS: Final = 64
MAX_FUNCTION: Final = 6000  # values


class _Access:
    """A key: the first load with it, where it is, the bit."""

    __slots__ = ("load", "place", "bit")

    def __init__(self, load: Value, bit: int) -> None:
        self.load = load
        self.place: Place = place(load)
        self.bit = bit


class _Effect:
    """What a block does with keys, as bits.  `known`: at its end, by itself; `killed`: at some point; `asked`: loaded
    before anything in the block has killed or made known.  `last` are the values of `known`."""

    __slots__ = ("known", "killed", "asked", "first", "last")

    def __init__(self) -> None:
        self.known = 0
        self.killed = 0
        self.asked = 0
        self.first: dict[int, Value] = {}
        self.last: dict[int, Value] = {}


def run(fn: Func, typed: bool = True) -> bool:
    """Keep loaded values across cold blocks and merges; tells whether any load went."""
    if sum([len(b.values) for b in fn.blocks]) > MAX_FUNCTION:
        return False
    remove_unreachable(fn)
    compute_preds(fn)
    dom = DomTree(fn)
    if not find_loops(fn, dom):
        return False
    keys = _keys(dom.order)
    if not keys:
        return False
    work = _Reload(fn, dom.order, keys, typed)
    return work.run()


def _key(v: Value) -> Key:
    return v.args[0].id, v.imm, v.op, v.type


def _keys(order: list[Block]) -> dict[Key, _Access]:
    """The keys that some hot block in a loop loads, the innermost first when there are too many."""
    found: dict[Key, tuple[int, Value]] = {}
    for b in order:
        if b.cold or not b.depth:
            continue
        for v in b.values:
            if IS_LOAD[v.op] and v.sym != READONLY:
                key = _key(v)
                if key not in found or found[key][0] < b.depth:
                    found[key] = b.depth, v
    best = sorted(found.items(), key=lambda item: -item[1][0])[:MAX_KEYS]
    return {key: _Access(v, 1 << i) for i, (key, (_, v)) in enumerate(best)}


class _Reload:
    __slots__ = ("fn", "order", "keys", "typed", "effects", "by_bit", "by_place")

    def __init__(self, fn: Func, order: list[Block], keys: dict[Key, _Access], typed: bool) -> None:
        self.fn = fn
        self.order = order
        self.keys = keys
        self.typed = typed
        self.by_bit = {a.bit: a for a in keys.values()}
        self.by_place: dict[Place, int] = {}
        for a in keys.values():
            self.by_place[a.place] = self.by_place.get(a.place, 0) | a.bit
        self.effects = {b.id: self._scan(b) for b in order}

    def _scan(self, b: Block) -> _Effect:
        e = _Effect()
        for v in b.values:
            op = v.op
            if IS_LOAD[op]:
                a = self.keys.get(_key(v)) if v.sym != READONLY else None
                if a is not None and not e.known & a.bit:
                    if not e.killed & a.bit:
                        e.asked |= a.bit
                        e.first[a.bit] = v
                    e.known |= a.bit
                    e.last[a.bit] = v
            elif IS_STORE[op]:
                self._kill(e, self._stored(v))
                if op == ST:
                    a = self.keys.get((v.args[0].id, v.imm, LD, v.args[1].type))
                    if a is not None and self.typed:
                        e.known |= a.bit
                        e.last[a.bit] = v.args[1]
            elif IS_CALL[op] and op != ALLOC:
                some = writes(v)
                if some is None or (some and not self.typed):
                    self._kill(e, -1)
                elif some:
                    for p in some:
                        self._kill(e, self.by_place.get(p, 0))
        return e

    def _kill(self, e: _Effect, bits: int) -> None:
        e.known &= ~bits
        e.killed |= bits

    def _stored(self, store: Value) -> int:
        """The keys whose word a store may change."""
        bits = 0
        at = place(store)
        for a in self.keys.values():
            different = apart(store, a.load)
            if (not self.typed or a.place == at) if different is None else not different:
                bits |= a.bit
        return bits

    # -- the two problems -----------------------------------------------------------------------

    def _known_in(self) -> dict[int, int]:
        """The keys that are known on every way into a block."""
        order, effects = self.order, self.effects
        inside = {b.id: -1 for b in order}
        inside[order[0].id] = 0
        changed = True
        while changed:
            changed = False
            for b in order[1:]:
                at = -1
                for p in b.preds:
                    if p.id in inside:
                        e = effects[p.id]
                        at &= e.known | (inside[p.id] if p.cold else inside[p.id] & ~e.killed)
                if at != inside[b.id]:
                    inside[b.id] = at
                    changed = True
        return inside

    def _asked_out(self, known: dict[int, int]) -> tuple[dict[int, int], dict[int, int]]:
        """The keys that are asked for, as variables, at the start and at the end of a block."""
        order, effects = self.order, self.effects
        start = {b.id: 0 for b in order}
        end = dict(start)
        changed = True
        while changed:
            changed = False
            for b in reversed(order):
                e = effects[b.id]
                out = 0
                for s in b.succs:
                    out |= start[s.id]
                at = e.asked & known[b.id] | out & ~e.killed & ~(e.known & ~e.asked)
                at &= known[b.id]
                if out != end[b.id] or at != start[b.id]:
                    start[b.id] = at
                    end[b.id] = out
                    changed = True
        return start, end

    # -- the change -----------------------------------------------------------------------------

    def run(self) -> bool:
        fn, effects = self.fn, self.effects
        known = self._known_in()
        gone = 0
        for b in self.order:
            gone |= effects[b.id].asked & known[b.id]
        if not gone:
            return False
        start, end = self._asked_out(known)
        value: dict[tuple[int, int], Value] = {}  # of a key at the end of a block
        merges: list[tuple[Block, int]] = []
        subst: dict[int, Value] = {}
        for b in self.order:
            e = effects[b.id]
            for bit in self._bits(start[b.id]):
                if len(b.preds) == 1:
                    w = value[b.preds[0].id, bit]
                else:
                    a = self.by_bit[bit]
                    w = fn.new_param(b, a.load.type)
                    w.pos = a.load.pos
                    merges.append((b, bit))
                value[b.id, bit] = w
                if e.asked & bit:
                    subst[e.first[bit].id] = w
            for bit in self._bits(end[b.id]):
                if e.known & bit:
                    v = e.last[bit]
                    if not (e.asked & bit and e.first[bit] is v and v.id in subst):
                        value[b.id, bit] = v
                elif e.killed & bit:  # a cold block
                    x = self.by_bit[bit].load
                    v = fn.new_value(x.op, x.type, list(x.args), x.imm, x.sym, x.pos)
                    b.values.append(v)
                    value[b.id, bit] = v
        for b, bit in merges:
            for p in dict.fromkeys(b.preds):
                for i, s in enumerate(p.succs):
                    if s is b:
                        p.sargs[i] = [*p.sargs[i], value[p.id, bit]]
        for b in self.order:
            b.values = [v for v in b.values if v.id not in subst]
        replace(fn, subst)
        simplify_params(fn)
        return True

    def _bits(self, bits: int) -> list[int]:
        out = []
        while bits:
            low = bits & -bits
            out.append(low)
            bits ^= low
        return out
