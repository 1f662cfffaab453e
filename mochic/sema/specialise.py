"""Polymorphic helpers: functions that are called with values of different types get an instance for each.

Problem.  Inference gives every parameter one slot, and the contents of aggregates that meet in a slot are one type
from then on (see `types`).  After `fun first(xs) { return xs[0] }`, `first([1, 2])` and `first(["a"])`, both lists have
dynamic elements, in all of the program.  Annotations do not help: in Mochi they do not convert.

Method.  Inference runs as it is.  If a top-level function with more than one call has a slot in its signature that
holds values of several kinds, inference runs a second time, and in it every call of such a function has a copy of the
function, made when the walk comes to the call.  This is polymorphism by expansion, as in the let-expansion of ML and in
Agesen's Cartesian product algorithm (ECOOP 1995), but with instances made by call site first and joined afterwards:
when the types are solved, instances of one function whose signatures have the same structure are unified and become
one.  A program without such functions pays for a look at the signatures.

Makers.  A short helper that returns a list or map of ints (`fill(n, 0)`) makes all collections that come from it one
type too, and then one interval of ints holds what all of them hold: the counts of one make the indexes in another too
large for a word.  Each of a few calls of such a helper keeps an instance of its own.

Invariants.  An instance is a function like any other, so whatever holds for the program holds for it.  Recursive calls
stay in their instance.  The function itself is still there for those who use it as a value and for calls beyond the
limits; it is compiled when something refers to it.  Diagnostics are those of the first run: if the second one has
errors, which are about instances that the user has not written, the first one's result is compiled.
"""

from __future__ import annotations

from typing import Final

from mochic.sema.symbols import FunInfo, ProgramInfo
from mochic.sema.types import FUNC, INT, LIST, MAP, NIL, Solver, Slot, find
from mochic.syntax import ast

MAX_INSTANCES: Final = 24  # of one function, before joining
MAX_TEXT: Final = 3_000  # bytes of a function that is copied
MIN_TOTAL: Final = 20_000  # bytes of all copies; more if the program is longer
DEPTH: Final = 4  # how deep signatures are compared
MAX_MAKERS: Final = 6  # instances that are not joined, of a helper that makes ints
MAX_MAKER_TEXT: Final = 400  # its bytes


class Call:
    """One call of a function that has instances, and the instance it got."""

    __slots__ = ("node", "fun")

    def __init__(self, node: ast.Call, fun: FunInfo) -> None:
        self.node = node
        self.fun = fun


class Specialiser:
    """Instances of the functions whose declarations begin at `chosen`."""

    __slots__ = ("chosen", "makers", "budget", "instances", "calls", "active", "base")

    def __init__(self, chosen: set[int], makers: set[int], budget: int) -> None:
        self.chosen = chosen
        self.makers = makers
        self.budget = budget
        self.instances: dict[FunInfo, list[FunInfo]] = {}
        self.calls: list[Call] = []
        self.active: dict[FunInfo, FunInfo] = {}  # function -> the instance whose body is being walked
        self.base = 0  # inside a chosen function itself, whose calls need no instances

    def wants(self, f: FunInfo) -> bool:
        """Whether a call of f should have an instance made for it."""
        size = f.node.hi - f.node.lo
        if f.node.lo not in self.chosen or self.base or size > self.budget:
            return False
        made = self.instances.setdefault(f, [])
        if len(made) >= MAX_INSTANCES:
            return False
        self.budget -= size
        return True

    def join(self, s: Solver) -> None:
        """Instances with signatures of one structure become one; calls refer to those that remain."""
        kept: dict[FunInfo, FunInfo] = {}
        for of, made in self.instances.items():
            if of.node.lo in self.makers and len(made) <= MAX_MAKERS:
                continue
            by_key: dict[object, FunInfo] = {}
            for f in made:
                key = (*(structure(s, p.ty, 0) for p in f.params), structure(s, f.ret, 0))
                first = by_key.setdefault(key, f)
                kept[f] = first
                if first is not f:
                    for a, b in zip(first.params, f.params, strict=True):
                        s.unify(a.ty, b.ty)
                    s.unify(first.ret, f.ret)
        for c in self.calls:
            target = kept.get(c.fun, c.fun)
            c.node.ref = target
            if isinstance(c.node.fn, ast.Ident):
                c.node.fn.ref = target
        s.solve()


def structure(s: Solver, t: Slot, depth: int) -> object:
    """What a type is made of: equal for types that may be one without loss."""
    t = find(t)
    k = t.kinds
    if t.shape is None or depth > DEPTH:
        return (k, t.structs)
    parts: list[object] = [k, t.structs]
    if k & LIST:
        parts.append(structure(s, s.elem(t), depth + 1))
    if k & MAP:
        parts.append(structure(s, s.key(t), depth + 1))
        parts.append(structure(s, s.val(t), depth + 1))
    if k & FUNC:
        sig = s.shape(t).sig
        if sig is not None:
            parts += [structure(s, p, depth + 1) for p in sig.params]
            parts.append(structure(s, sig.ret, depth + 1))
    return tuple(parts)


def mixed(s: Solver, t: Slot, depth: int) -> bool:
    """Whether a slot, or what is in it, holds values of several kinds."""
    t = find(t)
    k = t.kinds & ~NIL
    if k & (k - 1) or t.structs & (t.structs - 1):
        return True
    if depth > DEPTH or t.shape is None:
        return False
    if k == LIST:
        return mixed(s, s.elem(t), depth + 1)
    if k == MAP:
        return mixed(s, s.key(t), depth + 1) or mixed(s, s.val(t), depth + 1)
    if k == FUNC:
        sig = s.shape(t).sig
        return sig is not None and any(mixed(s, p, depth + 1) for p in [*sig.params, sig.ret])
    return False


def makes_ints(s: Solver, t: Slot, depth: int = 0) -> bool:
    """Whether a slot holds lists or maps, and ints are in them."""
    t = find(t)
    if t.kinds == LIST and t.shape is not None:
        return is_int(s.elem(t)) or (depth < DEPTH and makes_ints(s, s.elem(t), depth + 1))
    return t.kinds == MAP and t.shape is not None and is_int(s.val(t))


def is_int(t: Slot) -> bool:
    return find(t).kinds == INT


def choose(info: ProgramInfo, calls: dict[FunInfo, int]) -> Specialiser | None:
    """The functions of a solved program that should have instances; None if there are none."""
    s: Solver = info.solver
    often = [f for f, n in calls.items() if n > 1 and f.c is None and f.node.hi - f.node.lo <= MAX_TEXT]
    if info.local_types:  # a copy of a function would declare its types again
        often = [f for f in often if not any(f.node.lo <= lo < f.node.hi for lo, _, _ in info.local_types)]
    chosen = {f.node.lo for f in often if mixed(s, f.ret, 0) or any(mixed(s, p.ty, 0) for p in f.params)}
    makers = {f.node.lo for f in often if f.node.hi - f.node.lo <= MAX_MAKER_TEXT and makes_ints(s, f.ret)}
    if not chosen and not makers:
        return None
    assert info.program is not None
    return Specialiser(chosen | makers, makers - chosen, max(MIN_TOTAL, info.program.hi - info.program.lo))
