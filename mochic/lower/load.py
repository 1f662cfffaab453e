"""Lowering of load and fetch (docs/reference.md, 14.1 and 14.3).

A load is a loop over a reader of the runtime: each row is cast as it arrives.  As the first source of a query it is
that query's outermost loop, and a `for` over it is that loop, so that no list of all rows comes into being.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Block, Value
from mochic.ir.types import REF
from mochic.lower.aliasing import append
from mochic.lower.cast import cast_any
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty
from mochic.syntax import ast


def options_value(fn: Fn, e: ast.Expr | None) -> Value:
    return fn.nil() if e is None else fn.tag(fn.expr(e))


def open_load(fn: Fn, e: ast.Load) -> Value:
    """A reader of the file."""
    options = options_value(fn, e.options)
    fn.b.pos = e.lo
    return fn.call_runtime("load_open", fn.str_const(e.path or ""), options)


def next_row(fn: Fn, e: ast.Load, reader: Value, done: Block) -> Value:
    """The next row in the representation of the load's elements; jumps to `done` when there is none."""
    b = fn.b
    b.pos = e.lo
    row = fn.call_runtime("load_next", reader)
    some = fn.new_block()
    b.brif(fn.is_nil(row), done, some)
    b.start(some)
    elem = elem_ty(fn, e.ty)
    x = fn.convert(cast_any(fn, row, e.row, e.type, elem), ir_type(elem))
    fn.call_runtime("load_done")
    return x


def each_loaded(fn: Fn, e: ast.Load, body: Callable[[Value], None]) -> None:
    b = fn.b
    reader = open_load(fn, e)
    head, done = fn.new_block(), fn.new_block()
    b.jump(head)
    b.at(head)
    body(next_row(fn, e, reader, done))
    b.jump(head)
    b.seal(head)
    b.start(done)


def e_load(fn: Fn, e: ast.Load) -> Value:
    b = fn.b
    var = ("#load", e)
    b.write(var, fn.call_runtime("list_new", fn.sym(fn.m.list_desc(elem_ty(fn, e.ty))), fn.i64(0)))
    each_loaded(fn, e, lambda x: b.write(var, append(fn, b.read(var, REF), e.ty, x, True)))
    return fn.convert(b.read(var, REF), ir_type(e.ty))


def e_fetch(fn: Fn, e: ast.Fetch) -> Value:
    url = fn.tag(fn.expr(e.url))
    options = options_value(fn, e.options)
    fn.b.pos = e.lo
    return fn.convert(fn.call_runtime("fetch_url", url, options), ir_type(e.ty))
