"""Choices instead of branches.

    b:  brif c, t, m(x)             b:  y = add x, 1
    t:  y = add x, 1; jump m(y)  =>     s = select c, y, x
    m(v): ...                           jump m(s)

Where both ways of a branch meet again after a few cheap operations, computing both and choosing one costs less than a
branch that is guessed wrong now and then (if-conversion: Allen, Kennedy, Porterfield & Warren, POPL 1983).  A branch
with a hint is left alone: it is guessed right.

A choice between addresses or indexes by what was just loaded is left a branch too: a choice would wait for memory
before the next load can start, a guessed branch does not.  (Sifting a heap takes half the time with branches.)

Doubles are chosen only as the smaller or larger of the two that are compared, which machines have instructions for.
"""

from __future__ import annotations

from typing import Final

from mochic.ir.cfg import compute_preds
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import (
    ADD, AND, BRIF, CAST, EQ, FCONST, FLT, ICONST, IS_LOAD, IS_STORE, JUMP, MUL, NE, NEG, NOT, OR, PARAM, SAR, SELECT,
    SEXT32, SHL, SHR, SLE, SLT, SUB, SYMADDR, TRUNC32, ULE, ULT, XOR, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64

MAX_WORK: Final = 3  # operations on both ways together
MAX_CHOICES: Final = 2  # values that differ
_FREE: Final = (ICONST, FCONST, SYMADDR, CAST)
_CHEAP: Final = (
    ADD,
    AND,
    EQ,
    NE,
    NEG,
    NOT,
    OR,
    SAR,
    SEXT32,
    SHL,
    SHR,
    SLE,
    SLT,
    SUB,
    TRUNC32,
    ULE,
    ULT,
    XOR,
    ZEXT32,
    SELECT,
)


def run(fn: Func, typed: bool = True) -> bool:
    """Replace short branches by choices; tells whether there were any."""
    compute_preds(fn)
    if not any(b.term == BRIF and not b.hint and not b.cold for b in fn.blocks):
        return False
    places = _places(fn)
    changed = False
    again = True
    while again:
        again = False
        for b in fn.blocks:
            if b.term == BRIF and not b.hint and not b.cold and _convert(fn, b, places):
                again = changed = True
    return changed


def _places(fn: Func) -> set[int]:
    """The values that addresses of loads and stores are computed from."""
    incoming: dict[int, list[Value]] = {}
    work: list[Value] = []
    for b in fn.blocks:
        for s, args in zip(b.succs, b.sargs, strict=True):
            for p, a in zip(s.params, args, strict=True):
                incoming.setdefault(p.id, []).append(a)
        for v in b.values:
            if IS_LOAD[v.op] or IS_STORE[v.op]:
                work.append(v.args[0])
    seen: set[int] = set()
    while work:
        v = work.pop()
        if v.id in seen:
            continue
        seen.add(v.id)
        if v.op == PARAM:
            work += incoming.get(v.id, ())
        elif v.op in _CHEAP or v.op == MUL:
            work += v.args
    return seen


def _loaded(v: Value, depth: int = 3) -> bool:
    """The value comes from memory by a few cheap steps."""
    return IS_LOAD[v.op] or (depth > 0 and v.op in _CHEAP and any(_loaded(a, depth - 1) for a in v.args))


def _arm(b: Block, s: Block) -> Block | None:
    """The successor if it is a short way that only b enters."""
    if s.params or s.cold or s.term != JUMP or len(s.preds) != 1 or s is b or s.succs[0] is s:
        return None
    work = 0
    for v in s.values:
        if v.op in _CHEAP:
            work += 1
        elif v.op not in _FREE:
            return None
    return s if work <= MAX_WORK else None


def _convert(fn: Func, b: Block, places: set[int]) -> bool:
    yes, no = b.succs
    if yes is no:
        return False
    first, second = _arm(b, yes), _arm(b, no)
    if first is not None and first.succs[0] is no and not (second is not None and second.succs[0] is yes):
        second, meet = None, no
    elif second is not None and second.succs[0] is yes:
        first, meet = None, yes
    elif first is not None and second is not None and first.succs[0] is second.succs[0]:
        meet = first.succs[0]
    else:
        return False
    if meet.cold or not meet.params:
        return False
    given = [arm.sargs[0] if arm is not None else b.sargs[i] for i, arm in enumerate((first, second))]
    differ = [i for i, (x, y) in enumerate(zip(*given, strict=True)) if x is not y]
    c = b.targs[0]
    arms = [arm for arm in (first, second) if arm is not None]
    work = sum([v.op in _CHEAP for arm in arms for v in arm.values])
    if not differ or len(differ) > MAX_CHOICES or work > MAX_WORK:
        return False
    if any(meet.params[i].type == F64 and not _extreme(c, given[0][i], given[1][i]) for i in differ):
        return False
    if any(meet.params[i].id in places for i in differ) and _loaded(c):
        return False
    for arm in arms:
        b.values += arm.values
    out = list(given[0])
    for i in differ:
        v = fn.new_value(SELECT, meet.params[i].type, [c, given[0][i], given[1][i]], 0, None, b.pos)
        b.values.append(v)
        out[i] = v
    b.term = JUMP
    b.targs = []
    b.succs = [meet]
    b.sargs = [out]
    for arm in arms:
        meet.preds.remove(arm)
        fn.blocks.remove(arm)
    if len(arms) == 2:
        meet.preds.append(b)
    return True


def _extreme(c: Value, x: Value, y: Value) -> bool:
    """`c ? x : y` is the smaller or larger of the two."""
    return c.op == FLT and {c.args[0].id, c.args[1].id} == {x.id, y.id}
