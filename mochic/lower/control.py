"""Conditions as control flow, and the loops and joins that other files build on."""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Block, Value
from mochic.ir.ops import ADD, AND, CAST, EQ, NE, SLT
from mochic.ir.types import I32, I64, INT, REF
from mochic.lower.fn import Fn
from mochic.sema.types import Slot
from mochic.syntax import ast


def truth(fn: Fn, v: Value, t: Slot) -> Value:
    """Truthiness (docs/reference.md, 8.4) as I32."""
    b = fn.b
    if v.type == I32:
        return v
    if v.type == INT:
        return b.emit(NE, I32, [v, fn.int_const(0)])
    return fn.call_runtime("truthy", fn.tag(v))


def cond(fn: Fn, e: ast.Expr) -> Value:
    return truth(fn, fn.expr(e), e.ty)


def branch(fn: Fn, e: ast.Expr, yes: Block, no: Block, hint: int = 0) -> None:
    """Jump to yes or no by the truth of e; short-circuit operators become control flow."""
    b = fn.b
    while True:
        if isinstance(e, ast.Unary) and e.op == "!":
            yes, no, hint = no, yes, -hint
            e = e.operand
            continue
        if isinstance(e, ast.Binary) and e.op in ("&&", "||"):
            mid = fn.new_block()
            if e.op == "&&":
                branch(fn, e.left, mid, no)
            else:
                branch(fn, e.left, yes, mid)
            b.start(mid)
            e = e.right
            continue
        b.brif(cond(fn, e), yes, no, hint)
        return


def count_loop(fn: Fn, n: Value, body: Callable[[Value], None]) -> None:
    """for i in 0..n, on words."""
    b = fn.b
    loop, done = fn.new_block(), fn.new_block()
    var = ("#count", n.id)
    b.write(var, fn.i64(0))
    b.brif(b.emit(EQ, I32, [n, fn.i64(0)]), done, loop)
    b.at(loop)
    i = b.read(var, I64)
    body(i)
    nxt = b.emit(ADD, I64, [i, fn.i64(1)])
    b.write(var, nxt)
    b.brif(b.emit(SLT, I32, [nxt, n]), loop, done)
    b.seal(loop)
    b.start(done)


def unless_nil(fn: Fn, obj: Value, want: int, make: Callable[[], Value]) -> Value:
    """nil if obj is null, else what make() gives; the result has representation `want`."""
    b = fn.b
    some, none = fn.new_block(), fn.new_block(True)
    b.brif(fn.is_nil(obj), none, some, -1)
    return fn.either(some, none, make, fn.nil, want)


def check_ref(fn: Fn, v: Value, no: Block) -> Value:
    """A TAG that is a reference, else go to `no`."""
    b = fn.b
    low = b.emit(AND, I64, [b.emit(CAST, I64, [v]), fn.i64(7)])
    a, c = fn.new_block(), fn.new_block()
    b.brif(b.emit(EQ, I32, [low, fn.i64(0)]), a, no)
    b.start(a)
    b.brif(fn.is_nil(v), no, c)
    b.start(c)
    return b.emit(CAST, REF, [v])
