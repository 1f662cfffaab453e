"""Rows: what a query loops over, and the lists it keeps of them."""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Value
from mochic.ir.types import INT, REF, TAG
from mochic.lower.base import ARRAY_DATA, GROUP_ITEMS
from mochic.lower.call import Calls
from mochic.lower.descs import runtime_data
from mochic.lower.module import ir_type
from mochic.sema.symbols import Var
from mochic.sema.types import GROUP, LIST, MAP, Ty, find
from mochic.syntax import ast

Body = Callable[[Value], None]


class Rows:
    """A source ready to loop over.

    `elem`: type of the elements (None: dynamic); `text_keys`: they are keys of a map; `tags`: the elements are known
    to be tags, as in the lists that queries make for themselves.
    """

    __slots__ = ("lst", "elem", "text_keys", "tags")

    def __init__(self, lst: Value, elem: Ty | None, text_keys: bool = False, tags: bool = False) -> None:
        self.lst = lst
        self.elem = elem
        self.text_keys = text_keys
        self.tags = tags


class Sources(Calls):
    def rows_of(self, e: ast.Expr, q: ast.Query) -> Rows:
        """The source e of the query q."""
        t = e.ty
        k = find(t).kinds
        v = self.expr(e)
        if self.may_extend(e, (q,)):
            self.mark(v, t)
        self.b.pos = e.lo
        if v.type == REF and k == LIST:
            return Rows(v, self.elem_ty(t))
        if v.type == REF and k == GROUP:
            return Rows(self.ld(REF, v, GROUP_ITEMS), self.elem_ty(t))
        if v.type == REF and k == MAP:
            return Rows(self.rt("map_order", v), self.m.solver.key(t), True)
        return Rows(self.rt("dyn_iter", self.tag(v)), None)

    def row_at(self, rows: Rows, i: Value) -> Value:
        if rows.tags:
            return self.ld(TAG, self.element_address(rows.lst, i, TAG), ARRAY_DATA)
        if rows.elem is None:
            return self.rt("list_get_raw", rows.lst, i)
        if rows.text_keys and ir_type(rows.elem) != INT:
            return self.ld(REF, self.element_address(rows.lst, i, REF), ARRAY_DATA)
        return self.load_element(rows.lst, i, rows.elem)

    def each(self, rows: Rows, body: Body) -> None:
        """body(row) for every row; it must leave the current block open or jump on its own."""
        n = self.list_len(rows.lst)
        self.count_loop(n, lambda i: body(self.row_at(rows, i)))

    def tag_list(self) -> Value:
        return self.rt("list_new", self.sym(runtime_data("desc.list_tag")), self.i64(0))

    def push(self, lst: Value, v: Value) -> None:
        """Append to a list of tags that nothing else refers to: it grows in place."""
        self.rt("list_push", lst, self.tag(v))

    def bind_row(self, v: Var, x: Value, q: ast.Query) -> None:
        """Let a variable of the query q hold x."""
        if v.captured or self.extends_any(v.ty, (q,)):
            self.mark(x, v.ty)
        self.declare_var(v, self.convert(x, ir_type(v.ty)))

    def each_loaded(self, e: ast.Load, body: Body) -> None:
        raise AssertionError
