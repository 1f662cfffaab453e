"""Rows: what a query loops over, and the lists it keeps of them."""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Value
from mochic.ir.types import INT, REF, TAG
from mochic.lower.aliasing import extends_any, mark_aliased, may_extend
from mochic.lower.control import count_loop
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, element_address, list_len, load_element
from mochic.sema.symbols import Var
from mochic.sema.types import GROUP, LIST, MAP, Slot, find
from mochic.syntax import ast

Body = Callable[[Value], None]


class Rows:
    """A source ready to loop over.

    `elem`: type of the elements (None: dynamic); `text_keys`: they are keys of a map; `tags`: the elements are known
    to be tags, as in the lists that queries make for themselves.
    """

    __slots__ = ("lst", "elem", "text_keys", "tags")

    def __init__(self, lst: Value, elem: Slot | None, text_keys: bool = False, tags: bool = False) -> None:
        self.lst = lst
        self.elem = elem
        self.text_keys = text_keys
        self.tags = tags


def rows_of(fn: Fn, e: ast.Expr, q: ast.Query) -> Rows:
    """The source e of the query q."""
    t = e.ty
    k = find(t).kinds
    v = fn.expr(e)
    if may_extend(fn, e, (q,)):
        mark_aliased(fn, v, t)
    fn.b.pos = e.lo
    if v.type == REF and k == LIST:
        return Rows(v, elem_ty(fn, t))
    if v.type == REF and k == GROUP:
        return Rows(fn.load(REF, v, fn.layout.group_items), elem_ty(fn, t))
    if v.type == REF and k == MAP:
        return Rows(fn.call_runtime("map_order", v), fn.m.solver.key(t), True)
    return Rows(fn.call_runtime("dyn_iter", fn.tag(v)), None)


def row_at(fn: Fn, rows: Rows, i: Value) -> Value:
    if rows.tags:
        return fn.load(TAG, element_address(fn, rows.lst, i, TAG), fn.layout.array_data)
    if rows.elem is None:
        return fn.call_runtime("list_get_raw", rows.lst, i)
    if rows.text_keys and ir_type(rows.elem) != INT:
        return fn.load(REF, element_address(fn, rows.lst, i, REF), fn.layout.array_data)
    return load_element(fn, rows.lst, i, rows.elem)


def each_row(fn: Fn, rows: Rows, body: Body) -> None:
    """body(row) for every row; it must leave the current block open or jump on its own."""
    n = list_len(fn, rows.lst)
    count_loop(fn, n, lambda i: body(row_at(fn, rows, i)))


def bind_row(fn: Fn, v: Var, x: Value, q: ast.Query) -> None:
    """Let a variable of the query q hold x."""
    if v.captured or extends_any(fn, v.ty, (q,)):
        mark_aliased(fn, x, v.ty)
    fn.declare_var(v, fn.convert(x, ir_type(v.ty)))


# -- lists of tags ---------------------------------------------------------------------------------


def tag_list(fn: Fn) -> Value:
    return fn.call_runtime("list_new", fn.sym(fn.m.runtime_data["desc.list_tag"]), fn.i64(0))


def push(fn: Fn, lst: Value, v: Value) -> None:
    """Append to a list of tags that nothing else refers to: it grows in place."""
    fn.call_runtime("list_push", lst, fn.tag(v))
