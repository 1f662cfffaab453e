"""Inferred types: what kinds of values a slot can hold, over the whole program.

Problem.  Mochi programs are gradually typed: annotations may be missing, and where they are present
they do not convert (a `float` variable given an int holds an int).  The compiler needs the set of
kinds that can really reach each slot, so that a slot with one kind is compiled unboxed.

Method.  One `Slot` per slot (variable, parameter, result, field, element, expression).  Top-level kinds
flow along directed edges (subset constraints); the *contents* of aggregates (element, key, value,
function signature), which can be written through any alias, are unified instead, in the manner of
Steensgaard (POPL 1996): a flow edge merges the `Shape`s of its ends.  Constraints whose outcome
depends on kinds (operators, indexing, field access, calls through values) watch the Slot's they read
and run again when those grow.  All sets only grow, so the work list ends; it is near linear.

Invariants.  A Slot's kinds are a superset of every value's kind that can be stored there.  All lists
that can flow to one slot share one element Slot, so they have one representation.
"""

from __future__ import annotations

from typing import Final, Protocol
from mochic.ir.slots import IntSlot

# Kinds, a bitset
NIL: Final = 1
BOOL: Final = 2
INT: Final = 4
FLOAT: Final = 8
STR: Final = 16
LIST: Final = 32
MAP: Final = 64
STRUCT: Final = 128
FUNC: Final = 256
GROUP: Final = 512
RAT: Final = 1024  # bigrat; always a dynamic value
ANYKIND: Final = 2047

NUMERIC: Final = INT | FLOAT | RAT
REFKINDS: Final = STR | LIST | MAP | STRUCT | FUNC | GROUP

KIND_NAMES: Final = ("none", "bool", "int", "float", "string", "list", "map", "struct", "fun", "group", "bigrat")


class Shape:
    """Contents of the aggregates in a slot; merged shapes form a union-find forest."""

    __slots__ = ("parent", "elem", "key", "val", "sig")

    def __init__(self) -> None:
        self.parent: Shape | None = None
        self.elem: Slot | None = None
        self.key: Slot | None = None
        self.val: Slot | None = None
        self.sig: FunSig | None = None


class FunSig:
    """Parameters and result of the functions in a slot; `fewest`: the smallest arity among them."""

    __slots__ = ("params", "ret", "fewest")

    def __init__(self, params: list[Slot], ret: Slot) -> None:
        self.params = params
        self.ret = ret
        self.fewest = len(params)


class Constraint(Protocol):
    def run(self, s: Solver) -> None: ...


class Slot:
    """A slot.  `structs` is a bitset of StructInfo ids; `outs` are (target, kind mask) edges."""

    __slots__ = ("parent", "kinds", "structs", "shape", "outs", "watchers", "slot", "queued", "fixed")

    def __init__(self, kinds: int = 0, fixed: bool = False) -> None:
        self.parent: Slot | None = None
        self.kinds = kinds
        self.fixed = fixed  # a shared scalar type that never grows and has no shape
        self.structs = 0
        self.shape: Shape | None = None
        self.outs: list[tuple[Slot, int]] = []
        self.watchers: list[Constraint] = []
        self.slot: IntSlot | None = None
        self.queued = False


NIL_TY: Final = Slot(NIL, True)
BOOL_TY: Final = Slot(BOOL, True)
INT_TY: Final = Slot(INT, True)
FLOAT_TY: Final = Slot(FLOAT, True)
STR_TY: Final = Slot(STR, True)
RAT_TY: Final = Slot(RAT, True)


def find(t: Slot) -> Slot:
    p = t.parent
    if p is None:
        return t
    while p.parent is not None:
        t.parent = p.parent
        t = p
        p = t.parent
        if p is None:
            return t
    return p


def find_shape(s: Shape) -> Shape:
    while s.parent is not None:
        if s.parent.parent is not None:
            s.parent = s.parent.parent
        s = s.parent
    return s


class Solver:
    """The work list.  `grow`, `flow` and `unify` may be called at any time; `solve` runs to the fixpoint."""

    __slots__ = ("_dirty", "_pending", "nslots", "appended", "calls")

    def __init__(self) -> None:
        self._dirty: list[Slot] = []
        self._pending: list[tuple[Slot, Slot]] = []
        self.nslots = 0
        self.calls: list[Constraint] = []  # calls through values: they depend on arities too, see `solve`
        self.appended: list[Slot] = []  # element types of lists that `append` extends

    # -- building -------------------------------------------------------------------------------

    def new(self, kinds: int = 0) -> Slot:
        return Slot(kinds)

    def grow(self, t: Slot, kinds: int, structs: int = 0) -> None:
        t = find(t)
        if kinds & ~t.kinds or structs & ~t.structs:
            t.kinds |= kinds
            t.structs |= structs
            if not t.queued:
                t.queued = True
                self._dirty.append(t)

    def watch(self, t: Slot, c: Constraint) -> None:
        if not t.fixed:
            find(t).watchers.append(c)

    def attach(self, t: Slot, c: Constraint) -> None:
        """Watch t, and run the constraint on what is known of it now."""
        self.watch(t, c)
        c.run(self)

    def flow(self, a: Slot, b: Slot, mask: int = ANYKIND) -> None:
        """Every value of `a` whose kind is in mask may be stored in `b`."""
        if a.fixed:
            self.grow(b, a.kinds & mask)
            return
        a = find(a)
        b = find(b)
        if a is b:
            return
        a.outs.append((b, mask))
        self.merge_shapes(a, b)
        k = a.kinds & mask
        if k:
            self.grow(b, k, a.structs if k & STRUCT else 0)

    def shape(self, t: Slot) -> Shape:
        t = find(t)
        s = t.shape
        if s is None:
            s = t.shape = Shape()
            return s
        return find_shape(s)

    def elem(self, t: Slot) -> Slot:
        s = self.shape(t)
        if s.elem is None:
            s.elem = Slot()
        return find(s.elem)

    def key(self, t: Slot) -> Slot:
        s = self.shape(t)
        if s.key is None:
            s.key = Slot()
        return find(s.key)

    def val(self, t: Slot) -> Slot:
        s = self.shape(t)
        if s.val is None:
            s.val = Slot()
        return find(s.val)

    def sig(self, t: Slot, nparams: int) -> FunSig:
        """The signature of the functions in t, with at least nparams parameters."""
        s = self.shape(t)
        if s.sig is None:
            s.sig = FunSig([Slot() for _ in range(nparams)], Slot())
        return s.sig

    def merge_shapes(self, a: Slot, b: Slot) -> None:
        sa = a.shape
        sb = b.shape
        if sa is None:
            if sb is None:
                a.shape = b.shape = Shape()
            else:
                a.shape = sb
            return
        if sb is None:
            b.shape = sa
            return
        sa = find_shape(sa)
        sb = find_shape(sb)
        if sa is not sb:
            self._join_shapes(sa, sb)
            self._drain()

    def _join_shapes(self, sa: Shape, sb: Shape) -> None:
        sb.parent = sa
        pend = self._pending
        if sb.elem is not None:
            if sa.elem is None:
                sa.elem = sb.elem
            else:
                pend.append((sa.elem, sb.elem))
        if sb.key is not None:
            if sa.key is None:
                sa.key = sb.key
            else:
                pend.append((sa.key, sb.key))
        if sb.val is not None:
            if sa.val is None:
                sa.val = sb.val
            else:
                pend.append((sa.val, sb.val))
        gb = sb.sig
        if gb is not None:
            ga = sa.sig
            if ga is None:
                sa.sig = gb
            else:
                for x, y in zip(ga.params, gb.params, strict=False):
                    pend.append((x, y))
                if len(gb.params) > len(ga.params):
                    ga.params.extend(gb.params[len(ga.params) :])
                ga.fewest = min(ga.fewest, gb.fewest)
                pend.append((ga.ret, gb.ret))

    def unify(self, a: Slot, b: Slot) -> None:
        """Make a and b one slot."""
        self._pending.append((a, b))
        self._drain()

    def _drain(self) -> None:
        # A work list, not recursion: shapes nest as deep as the program's data.
        pend = self._pending
        while pend:
            a, b = pend.pop()
            a = find(a)
            b = find(b)
            if a is b:
                continue
            ka = a.kinds
            kb = b.kinds
            b.parent = a
            sa = a.structs
            sb = b.structs
            a.outs.extend(b.outs)
            a.watchers.extend(b.watchers)
            b.outs = []
            b.watchers = []
            if ka != kb or sa != sb:
                a.kinds = ka | kb
                a.structs = sa | sb
                if not a.queued:
                    a.queued = True
                    self._dirty.append(a)
            if b.shape is not None:
                if a.shape is None:
                    a.shape = b.shape
                else:
                    x = find_shape(a.shape)
                    y = find_shape(b.shape)
                    if x is not y:
                        self._join_shapes(x, y)

    # -- solving --------------------------------------------------------------------------------

    def settle(self) -> None:
        """Carry out what is pending: for questions while the program is still being walked."""
        self._propagate()

    def solve(self) -> None:
        """To the fixpoint.  Signatures grow without their Slot's kinds growing, so calls are looked at again."""
        self._propagate()
        again = True
        while again:
            n = len(self.calls)
            for c in list(self.calls):
                c.run(self)
            again = bool(self._dirty) or len(self.calls) > n
            self._propagate()

    def _propagate(self) -> None:
        dirty = self._dirty
        while dirty:
            t = dirty.pop()
            t.queued = False
            if t.parent is not None:
                t = find(t)
            kinds = t.kinds
            structs = t.structs
            for b, mask in t.outs:
                k = kinds & mask
                if b.parent is not None:
                    b = find(b)
                if k & ~b.kinds or (k & STRUCT and structs & ~b.structs):
                    b.kinds |= k
                    if k & STRUCT:
                        b.structs |= structs
                    if not b.queued:
                        b.queued = True
                        dirty.append(b)
            ws = t.watchers
            i = 0
            while i < len(ws):  # a constraint may add watchers
                ws[i].run(self)
                i += 1

    def slot_of(self, t: Slot) -> IntSlot:
        """The int slot of a Slot; only meaningful after solving."""
        t = find(t)
        s = t.slot
        if s is None:
            s = t.slot = IntSlot(self.nslots)
            self.nslots += 1
        return s
