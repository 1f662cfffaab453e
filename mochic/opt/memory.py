"""What memory an access touches, and what a function may write.

In compiled programs a place in memory is always accessed in one way: a field has one offset and one type, the
elements of lists and the values of maps are reached through a PTR, a global through its symbol.  So two accesses can
touch the same word only if their *places* are equal:

    (what it is in, type, offset in an object, int slot)

All traced types count as one, since a value may be a REF here and a TAG there.  An I64 is a length or flags when it
has no int slot, and an int of that slot otherwise; slots stand for types, so two slots never share a word.  The
narrow accesses to objects are the flags of a list.  (Type-based alias analysis: Diwan, McKinley & Moss, PLDI 1998.)

The runtime's own code reads one word in several ways; there only offsets from the same base tell accesses apart
(`typed=False` in the passes).

`FuncSym.writes` holds the places that a call may write in objects that exist before it; None means any.  The table of
the runtime's functions says which write none (`ir.rtabi`), `summarize` finds the sets of compiled functions.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

from mochic.ir.func import INSERT, NOWRITE, PURE, Func, Value
from mochic.ir.ops import ALLOC, CALL, IS_CALL, IS_STORE, LD, MAP_LENGTH, MAPFIND, MAPSLOT, ST, SYMADDR, WIDEST
from mochic.ir.types import F64, I32, I64, INT, PTR, REF, TAG

Place = Hashable

_OBJECT: Final = 0
_ARRAY: Final = 1
_GROUP: Final = {I32: I32, I64: I64, F64: F64, INT: INT, PTR: REF, REF: REF, TAG: REF}
_INTS: Final = (I64, INT)
_NARROW: Final = -1

_NOTHING: Final[frozenset[Place]] = frozenset()
_MAPS: Final[frozenset[Place]] = frozenset((MAP_LENGTH,))
MAX_PLACES: Final = 24  # that a function writes; more count as any


def place(v: Value) -> Place:
    """The place of a load or store, or of what looks something up in a map."""
    base = v.args[0]
    op = v.op
    if op == MAPFIND or op == CALL or v.sym == MAP_LENGTH:
        return MAP_LENGTH
    wide = op in (LD, ST)
    type = (v.args[1].type if IS_STORE[op] else v.type) if wide else _NARROW
    if base.type == PTR:
        if base.op == SYMADDR:
            return base.sym, v.imm + base.imm
        return _ARRAY, _GROUP.get(type, _NARROW), v.sym if type in _INTS else None
    if not wide:
        type = I64
    return _OBJECT, _GROUP[type], v.imm, v.sym if type in _INTS and wide else None


def apart(a: Value, b: Value) -> bool | None:
    """Do two accesses touch different words?  None when they do not start from the same base."""
    if a.args[0] is not b.args[0]:
        return None
    return not -WIDEST < a.imm - b.imm < WIDEST


def clobbers(store: Value, load: Value, typed: bool) -> bool:
    """May the store change what the load reads?"""
    different = apart(store, load)
    if different is not None:
        return not different
    return not typed or place(store) == place(load)


def writes(v: Value) -> frozenset[Place] | None:
    """The places that a call may write; None: any."""
    if v.op == ALLOC:
        return _NOTHING
    if v.op == MAPSLOT:
        return _MAPS
    if v.op != CALL:
        return None
    if v.sym.flags & (PURE | NOWRITE | INSERT):
        return _MAPS if v.sym.flags & INSERT else _NOTHING
    found: frozenset[Place] | None = v.sym.writes
    return found


def summarize(fn: Func) -> None:
    """Set `writes` of a function whose callees have theirs."""
    out: set[Place] = set()
    for b in fn.blocks:
        for v in b.values:
            if IS_STORE[v.op]:
                if v.args[0].op != ALLOC:  # nobody has seen a new object
                    out.add(place(v))
            elif IS_CALL[v.op] and v.sym is not fn.sym:  # what it does itself adds nothing
                some = writes(v)
                if some is None:
                    return
                out |= some
        if len(out) > MAX_PLACES:
            return
    fn.sym.writes = frozenset(out)
