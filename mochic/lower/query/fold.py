"""Aggregates computed as rows come, without a list of them.

`count`, `sum`, `avg`, `min` and `max` of what a query selects need a word or two of state.  They are folded where
nothing but the aggregate sees the list: `select sum(e)` (docs/reference.md, 12.6), `sum(from ... select e)`, and what
group.py finds in grouped queries.  The results are those of the runtime's functions on lists (aggregate.mochi): the
state of an exact sum is an int that may grow large, that of floats a double to which they are added in order; anything
else is a tag, folded by the runtime one value at a time.

`Fold.words` are the IR types of the state.  Where it lives, in variables of the builder or
in the fields of a group's record, is the caller's choice: `get(i)` and `set(i, v)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.ir.func import Value
from mochic.ir.ops import ADD, EQ, FADD, FCONST, FDIV, FLT, I2F, ICONST, SLT, TOINT
from mochic.ir.types import F64, I32, I64, INT, TAG
from mochic.lower.fn import Fn
from mochic.lower.objects import LEN_RANGE
from mochic.sema.symbols import BuiltinRef
from mochic.syntax import ast

AGGREGATES: Final = ("count", "len", "sum", "avg", "min", "max")

Get = Callable[[int], Value]
Set = Callable[[int, Value], None]


class Fold:
    """One aggregate over values of IR type `elem`."""

    __slots__ = ("name", "elem", "words")

    def __init__(self, name: str, elem: int) -> None:
        self.name = "count" if name == "len" else name
        self.elem = elem if elem in (INT, F64) else TAG
        if self.name == "count":
            self.words: tuple[int, ...] = (I64,)
        elif self.name == "avg":
            self.words = (F64, I64)
        elif self.name == "sum":
            self.words = (F64, I64) if self.elem == F64 else (self.elem,)
        else:
            self.words = (F64, I64) if self.elem == F64 else (TAG,)


def fold_in_variables(fn: Fn, key: ast.Expr, f: Fold) -> tuple[Get, Set]:
    """State in variables of the builder."""
    b = fn.b
    return (
        lambda i: b.read(("#fold", key, i), f.words[i]),
        lambda i, v: b.write(("#fold", key, i), v),
    )


def fold_start(fn: Fn, f: Fold, set: Set) -> None:
    for i, t in enumerate(f.words):
        if f.name == "sum" and t == TAG:
            set(i, fn.tag(fn.int_const(0)))
        else:
            set(i, fn.b.emit(FCONST if t == F64 else ICONST, t, [], 0))


def fold_step(fn: Fn, f: Fold, v: Value | None, get: Get, set: Set) -> None:
    """Take one value in; None where only the number of rows counts."""
    b = fn.b
    if f.name == "count":
        set(0, b.emit(ADD, I64, [get(0), fn.i64(1)]))
        return
    assert v is not None
    v = fn.convert(v, f.elem)
    if f.name == "avg":
        avg_step(fn, f, v, get, set)
    elif f.name == "sum":
        if f.elem == INT:
            set(0, b.emit(ADD, INT, [get(0), v]))
        elif f.elem == F64:
            set(0, b.emit(FADD, F64, [get(0), v]))
            set(1, fn.i64(1))
        else:
            set(0, fn.call_runtime("sum_step", get(0), v))
    else:
        extreme_step(fn, f, v, get, set)


def avg_step(fn: Fn, f: Fold, v: Value, get: Get, set: Set) -> None:
    b = fn.b
    done = fn.new_block()
    if f.elem == TAG:  # null is no value, everything else is, as 0 if need be
        some = fn.new_block()
        b.brif(fn.is_nil(v), done, some, -1)
        b.start(some)
        v = fn.call_runtime("avg_value", v)
    set(0, b.emit(FADD, F64, [get(0), fn.to_f64(v)]))
    set(1, b.emit(ADD, I64, [get(1), fn.i64(1)]))
    b.jump(done)
    b.start(done)


def extreme_step(fn: Fn, f: Fold, v: Value, get: Get, set: Set) -> None:
    b = fn.b
    if f.elem == TAG:
        set(0, fn.call_runtime("least_step" if f.name == "min" else "most_step", get(0), v))
        return
    take, test, done = fn.new_block(), fn.new_block(), fn.new_block()
    old = get(0)
    none = b.emit(EQ, I32, [get(1), fn.i64(0)]) if f.elem == F64 else fn.is_nil(old)
    b.brif(none, take, test, -1)
    b.start(test)
    old = fn.convert(old, f.elem)
    pair = [v, old] if f.name == "min" else [old, v]
    b.brif(b.emit(FLT if f.elem == F64 else SLT, I32, pair), take, done)
    b.start(take)
    set(0, fn.convert(v, f.words[0]))
    if f.elem == F64:
        set(1, fn.i64(1))
    b.jump(done)
    b.start(done)


def fold_result(fn: Fn, f: Fold, get: Get, want: int) -> Value:
    b = fn.b
    v = get(0)
    if f.name == "count":
        return fn.convert(b.emit(TOINT, INT, [v], 0, LEN_RANGE), want)
    if f.name == "avg":
        some, done = fn.new_block(), fn.new_block()
        n = get(1)
        b.write("#avg", v)
        b.brif(b.emit(EQ, I32, [n, fn.i64(0)]), done, some, -1)
        b.start(some)
        b.write("#avg", b.emit(FDIV, F64, [v, b.emit(I2F, F64, [n])]))
        b.jump(done)
        b.start(done)
        return fn.convert(b.read("#avg", F64), want)
    if f.elem == F64:  # the second word: whether there was a value
        some, done = fn.new_block(), fn.new_block()
        b.write("#best", fn.tag(fn.int_const(0)))
        b.brif(b.emit(EQ, I32, [get(1), fn.i64(0)]), done, some, -1)
        b.start(some)
        b.write("#best", fn.tag(v))
        b.jump(done)
        b.start(done)
        v = b.read("#best", TAG)
    elif f.words[0] == TAG and f.name != "sum":
        none, done = fn.new_block(), fn.new_block()
        b.write("#best", v)
        b.brif(fn.is_nil(v), none, done, -1)
        b.start(none)
        b.write("#best", fn.tag(fn.int_const(0)))
        b.jump(done)
        b.start(done)
        v = b.read("#best", TAG)
    if v.type == TAG and want == F64:
        return fn.call_runtime("dyn_num_arg", v)
    return fn.convert(v, want)


def aggregate_of(e: ast.Expr) -> str:
    """The name of an aggregate function that the call is of; empty if it is something else."""
    if isinstance(e, ast.Call) and isinstance(e.fn, ast.Ident) and isinstance(e.fn.ref, BuiltinRef):
        if e.fn.ref.name in AGGREGATES and len(e.args) == 1:
            return e.fn.ref.name
    return ""
