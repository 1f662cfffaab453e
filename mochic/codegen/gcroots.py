"""Which traced value keeps the memory behind a raw pointer alive.

The collector does not move objects but frees those no live frame slot refers to.  A PTR computed from
a REF or TAG (by add, sub, cast, select, a search of a map, or through block parameters) therefore has a *base*: the
register allocator keeps the base in its slot wherever the pointer is live across a safepoint.

Where pointers with different bases meet, a value that carries the base is added beside them: a
SELECT beside a SELECT, a block parameter beside a block parameter.  Which parameters need one is an
optimistic fixpoint: a parameter starts without any base, takes that of its first argument, and gets its own
as soon as a second base appears; then every pointer it flows into is looked at again.
"""

from __future__ import annotations

from mochic.ir.func import INSERT, LOOKUP, NOGC, Block, Func, Sig, Value
from mochic.ir.ops import ADD, CALL, CALLI, CAST, ICONST, PARAM, SELECT, SUB
from mochic.ir.types import PTR, REF, TAG, TRACED


def has_safepoint(fn: Func) -> bool:
    """Does the function call anything that may collect?  (ALLOC must be lowered.)"""
    for b in fn.blocks:
        for v in b.values:
            if v.op == CALL:
                if not v.sym.flags & NOGC:
                    return True
            elif v.op == CALLI and not (isinstance(v.sym, Sig) and v.sym.flags & NOGC):
                return True
    return False


def _is_pointer(v: Value) -> bool:
    """The PTR leads into the memory of the first argument, which may be a map that was searched."""
    return v.op in (ADD, SUB, CAST, SELECT) or (v.op == CALL and bool(v.sym.flags & (LOOKUP | INSERT)))


def find_bases(fn: Func, order: list[Block]) -> dict[int, Value]:
    """Pointer id -> the traced value its memory hangs on.  May add parameters and values to `fn`."""
    if not has_safepoint(fn):
        return {}
    pointers = [v for b in order for v in b.values if v.type == PTR and _is_pointer(v)]
    if not any(TRACED[a.type] for v in pointers for a in v.args):
        return {}
    params = [(b, i, p) for b in order[1:] for i, p in enumerate(b.params) if p.type == PTR]
    incoming: dict[int, list[Value]] = {p.id: [] for _, _, p in params}
    for b in order:
        for s, args in zip(b.succs, b.sargs, strict=True):
            for p, a in zip(s.params, args, strict=True):
                if p.id in incoming:
                    incoming[p.id].append(a)
    base: dict[int, Value] = {}
    own: dict[int, Value] = {}  # parameters and selects with a base of their own

    def of(v: Value) -> Value | None:
        return v if TRACED[v.type] else base.get(v.id)

    def merge(v: Value, args: list[Value]) -> Value | None:
        made = own.get(v.id)
        if made is not None:
            return made
        found: Value | None = None
        for a in args:
            x = of(a)
            if x is not None and x is not found:
                if found is not None:
                    made = Value(fn.nvalues, PARAM, TAG if TAG in (x.type, found.type) else REF, [], 0, None, v.pos)
                    fn.nvalues += 1
                    own[v.id] = made
                    return made
                found = x
        return found

    def propagate() -> None:
        changed = True
        while changed:
            changed = False
            for _, _, p in params:
                x = merge(p, incoming[p.id])
                if x is not None and base.get(p.id) is not x:
                    base[p.id] = x
                    changed = True
            for v in pointers:
                x = merge(v, v.args[1:]) if v.op == SELECT else of(v.args[0])
                if x is not None and base.get(v.id) is not x:
                    base[v.id] = x
                    changed = True

    propagate()
    # Where an edge brings a pointer without any base, the others' base need not be defined: such a parameter
    # gets its own, and that edge passes 0.
    again = True
    while again:
        again = False
        for _, _, p in params:
            if p.id in base and p.id not in own and any(of(a) is None for a in incoming[p.id]):
                own[p.id] = Value(fn.nvalues, PARAM, base[p.id].type, [], 0, None, 0)
                fn.nvalues += 1
                again = True
        if again:
            propagate()
    _materialize(fn, order, own, base)
    return base


def _materialize(fn: Func, order: list[Block], own: dict[int, Value], base: dict[int, Value]) -> None:
    if not own:
        return

    def of(v: Value, b: Block, at: int) -> Value:
        x = v if TRACED[v.type] else base.get(v.id)
        if x is None:
            x = fn.new_value(ICONST, REF, [])
            b.values.insert(at, x)
        return x

    for b in order:
        for i, args in enumerate(b.sargs):
            params = b.succs[i].params
            b.sargs[i] = args + [of(a, b, len(b.values)) for p, a in zip(params, args, strict=False) if p.id in own]
        i = 0
        while i < len(b.values):
            v = b.values[i]
            made = own.get(v.id)
            if made is not None:
                n = len(b.values)
                x, y = of(v.args[1], b, i), of(v.args[2], b, i)
                i += len(b.values) - n
                made.op = SELECT
                made.args = [v.args[0], x, y]
                b.values.insert(i, made)  # before v: selection goes backwards and meets v first
                i += 1
            i += 1
    for b in order:
        b.params = b.params + [own[p.id] for p in b.params if p.id in own]
