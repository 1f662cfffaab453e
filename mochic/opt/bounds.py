"""What comparisons say about others: bounds on differences.

    for i in 0..len(xs) { ... xs[i] ... }        i < len(xs), 0 <= i   =>   the check of the index is true

A fact is `x - y <= d` for two values and a constant; the value None stands for zero.  Branches give facts to what one
of their edges dominates.  A question follows chains of facts: from j < i and i < n comes j < n (Bodik, Gupta & Sarkar,
"ABCD: Eliminating Array Bounds Checks on Demand", PLDI 2000; here without their graph, as value numbering walks the
dominator tree with the facts of the way at hand).

At a loop's header a parameter has the facts that hold for its argument on every edge.  This is an induction: an
argument that is the parameter itself moved in the right direction keeps what the entry says.

Invariant.  `add` of words does not wrap where it is reached in compiled code: ints are exact, so ranges or a
preceding test of overflow keep it from that.  The runtime's code wraps on purpose and is not looked at.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.cfg import DomTree
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import (
    ADD, AND, BRIF, EQ, ICONST, LD, LD8U, LD16U, LD32U, NE, PARAM, SHR, SLE, SLT, ULE, ULT, UREM, ZEXT32,
)  # fmt: skip
from mochic.ir.slots import IntSlot
from mochic.ir.types import I64, REF

Base = Value | None
Fact = tuple[Base, Base, int]  # first - second <= number

_ZERO: Final = -1  # the id of no value
_NEVER: Final = -(1 << 70)  # below every word
_FAR: Final = 1 << 62  # no fact goes beyond
_NOT_NEGATIVE: Final = (LD8U, LD16U, LD32U, ZEXT32)
_COMPARES: Final = (SLT, SLE, ULT, ULE, EQ, NE)
_DEPTH: Final = 3  # facts in a chain
_BREADTH: Final = 12  # facts looked at per value
_MAX_EDGES: Final = 6  # into a block whose parameters get facts


class Bounds:
    """The facts that hold where the walk of value numbering is.  `leader` are the values replaced so far."""

    __slots__ = ("leader", "dom", "_at", "_below", "_low")

    def __init__(self, fn: Func, dom: DomTree, leader: dict[int, Value]) -> None:
        self.leader = leader
        self.dom = dom
        self._at: dict[int, Block] = {}  # where parameters and values are defined
        for b in dom.order:
            for v in b.params:
                self._at[v.id] = b
            for v in b.values:
                self._at[v.id] = b
        self._below: dict[int, dict[int, tuple[Base, int]]] = {}  # x -> y -> (y, d)
        self._low: dict[int, int] = {}
        slots = fn.sym.slots
        for p, s in zip(fn.params, slots, strict=False):
            if p.type == I64 and isinstance(s, IntSlot):
                self._low[p.id] = s.lo if s.lo <= s.hi else _NEVER

    # -- values ---------------------------------------------------------------------------------

    def parts(self, v: Value) -> tuple[Base, int]:
        """v as another value, or zero, and a constant."""
        off = 0
        leader = self.leader
        while True:
            v = leader.get(v.id, v)
            if v.op == ICONST:
                return None, v.imm + off
            if v.op != ADD or v.type != I64:
                return v, off
            c = leader.get(v.args[1].id, v.args[1])
            if c.op != ICONST or not -_FAR < c.imm < _FAR:
                return v, off
            off += c.imm
            v = v.args[0]

    def low(self, v: Value, depth: int = 4) -> int:
        """A number that v is not less than, whatever way led here."""
        base, off = self.parts(v)
        if base is None:
            return off
        at = self._low.get(base.id)
        if at is None:
            self._low[base.id] = _NEVER  # while this is found out
            at = self._low[base.id] = self._find_low(base, depth)
        return at + off if at > _NEVER else _NEVER

    def _find_low(self, v: Value, depth: int) -> int:
        op = v.op
        if op == LD and v.type == I64:
            if isinstance(v.sym, IntSlot):
                return v.sym.lo if v.sym.lo <= v.sym.hi else _NEVER
            return 0 if v.args[0].type == REF else _NEVER  # a length
        if op in _NOT_NEGATIVE or (op == SHR and v.args[1].op == ICONST and v.args[1].imm & 63):
            return 0
        if op == AND and v.args[1].op == ICONST and v.args[1].imm >= 0:
            return 0
        if op == UREM and v.args[1].op == ICONST and v.args[1].imm > 0:
            return 0
        if op != PARAM or not depth or v.id not in self._at:
            return _NEVER
        least = _FAR
        b = self._at[v.id]
        k = b.params.index(v)
        for p, i in _edges(b):
            a = p.sargs[i][k]
            base, off = self.parts(a)
            if base is v and off >= 0:
                continue
            least = min(least, self.low(a, depth - 1))
        return least if -_FAR < least < _FAR else _NEVER

    # -- facts ----------------------------------------------------------------------------------

    def facts_of(self, c: Value, holds: int) -> list[Fact]:
        """What a condition says when it is true (1) or false (0)."""
        op = c.op
        if op not in _COMPARES or c.args[0].type != I64:
            return []
        x, y = c.args
        (bx, cx), (by, cy) = self.parts(x), self.parts(y)
        below = (bx, by, cy - cx - 1)  # x < y
        equal = [(bx, by, cy - cx), (by, bx, cx - cy)]
        above = (by, bx, cx - cy - 1)
        if op == SLT:
            return [below] if holds else equal[1:]
        if op == SLE:
            return equal[:1] if holds else [above]
        if op == EQ or op == NE:
            if (op == EQ) == bool(holds):
                return equal
            if by is None and self.low(x) == cy:  # not the least: more
                return [above]
            return []
        if self.low(y) < 0:
            return []
        if not holds:
            if self.low(x) < 0:
                return []
            return equal[1:] if op == ULT else [above]
        return [below if op == ULT else equal[0], (None, bx, cx)]

    def add(self, facts: list[Fact]) -> list[tuple[int, int, tuple[Base, int] | None]]:
        """Enter facts; gives what `forget` takes."""
        undo = []
        for x, y, d in facts:
            if x is y or not -_FAR < d < _FAR:
                continue
            i, j = x.id if x is not None else _ZERO, y.id if y is not None else _ZERO
            row = self._below.setdefault(i, {})
            old = row.get(j)
            if old is None or old[1] > d:
                undo.append((i, j, old))
                row[j] = (y, d)
        return undo

    def forget(self, undo: list[tuple[int, int, tuple[Base, int] | None]]) -> None:
        for i, j, old in reversed(undo):
            if old is None:
                del self._below[i][j]
            else:
                self._below[i][j] = old

    def at_most(self, x: Base, y: Base, want: int, extra: list[Fact], depth: int = _DEPTH) -> bool:
        """Is x - y <= want?"""
        if x is y:
            return want >= 0
        i, j = x.id if x is not None else _ZERO, y.id if y is not None else _ZERO
        if x is None and y is not None and -self.low(y) <= want:
            return True
        row = self._below.get(i)
        found = row.get(j) if row is not None else None
        if found is not None and found[1] <= want:
            return True
        for a, b, d in extra:
            if a is x and b is y and d <= want:
                return True
        if not depth:
            return False
        nexts = [(b, d) for a, b, d in extra if a is x and b is not y]
        if row is not None:
            nexts += list(row.values())[-_BREADTH:]
        return any(z is not y and z is not x and self.at_most(z, y, want - d, extra, depth - 1) for z, d in nexts)

    def decide(self, c: Value) -> int | None:
        """Whether a condition is true (1) or false (0) here; None when that is not known."""
        op = c.op
        if op not in _COMPARES or c.args[0].type != I64:
            return None
        x, y = c.args
        (bx, cx), (by, cy) = self.parts(x), self.parts(y)
        strict = op in (SLT, ULT)
        if op == EQ or op == NE:
            if self.at_most(bx, by, cy - cx - 1, []) or self.at_most(by, bx, cx - cy - 1, []):
                return 0 if op == EQ else 1
            return None
        if (op == ULT or op == ULE) and not self.at_most(None, bx, cx, []):
            return None
        if self.at_most(bx, by, cy - cx - strict, []):
            return 1
        if op in (ULT, ULE) and not self.at_most(None, by, cy, []):
            return None
        return 0 if self.at_most(by, bx, cx - cy - (not strict), []) else None

    # -- loops ----------------------------------------------------------------------------------

    def of_params(self, b: Block) -> list[Fact]:
        """Facts that hold for the arguments of a loop's header on all its edges."""
        index = self.dom.index
        at = index[b.id]
        if not any(index[p.id] >= at for p in b.preds) or not any(p.type == I64 for p in b.params):
            return []
        edges = _edges(b)
        if len(edges) > _MAX_EDGES:
            return []
        idom = self.dom.idom[b.id]
        known = [self._on_edge(p, i, idom) for p, i in edges]
        out: list[Fact] = []
        for k, q in enumerate(b.params):
            if q.type == I64:
                args = [self.parts(p.sargs[i][k]) for p, i in edges]
                for up in (True, False):
                    out += self._common(b, q, args, known, up)
        return out

    def _on_edge(self, p: Block, i: int, idom: Block | None) -> list[Fact]:
        """What the branches between the immediate dominator and an edge say."""
        out: list[Fact] = []
        for _ in range(4):
            if p.term == BRIF and p.succs[0] is not p.succs[1]:
                c = self.leader.get(p.targs[0].id, p.targs[0])
                out += self.facts_of(c, 1 - i)
            if p is idom or len(p.preds) != 1:
                break
            before = p.preds[0]
            if p not in before.succs:  # the walk has decided a branch
                break
            i = before.succs.index(p)
            p = before
        return out

    def _common(
        self, b: Block, q: Value, args: list[tuple[Base, int]], known: list[list[Fact]], up: bool
    ) -> list[Fact]:
        """Facts `q - y <= d` (up) or `y - q <= d` for values y that are there before the block."""
        candidates: dict[int, Base] = {}
        for (base, _), facts in zip(args, known, strict=True):
            if base is not q and base is not None and self._before(base, b):
                candidates[base.id] = base
            for x, y, _ in facts:
                z = (y if x is base else q) if up else (x if y is base else q)
                if z is not q and self._before(z, b):
                    candidates[z.id if z is not None else _ZERO] = z
        out: list[Fact] = []
        for y in candidates.values():
            best = _NEVER
            for (base, off), facts in zip(args, known, strict=True):
                d = self._least(base, y, facts) if up else self._least(y, base, facts)
                d = d + off if up else d - off
                if d >= _FAR and base is q and (off <= 0 if up else off >= 0):
                    continue  # moves away from the bound
                best = max(best, d)
            if -_FAR < best < _FAR:
                out.append((q, y, best) if up else (y, q, best))
        return out

    def _least(self, x: Base, y: Base, extra: list[Fact]) -> int:
        """The least d known with x - y <= d, of direct facts."""
        if x is y:
            return 0
        best = _FAR
        row = self._below.get(x.id if x is not None else _ZERO)
        if row is not None:
            found = row.get(y.id if y is not None else _ZERO)
            if found is not None:
                best = found[1]
        for a, b, d in extra:
            if a is x and b is y:
                best = min(best, d)
        if x is None and y is not None:
            low = self.low(y)
            if low > _NEVER:
                best = min(best, -low)
        return best

    def _before(self, v: Base, b: Block) -> bool:
        """The value is the same in all rounds of a loop that begins with the block."""
        if v is None:
            return True
        at = self._at.get(v.id)
        return at is not None and at is not b and self.dom.dominates(at, b)


def _edges(b: Block) -> list[tuple[Block, int]]:
    """The edges into a block: where each comes from, its number there."""
    return [(p, i) for p in dict.fromkeys(b.preds) for i, s in enumerate(p.succs) if s is b]
