"""Lowering of load, save and fetch (mochi-language.md section 14).

A load is a loop over a reader of the runtime: each row is cast as it arrives.  As the first source of a query it is
that query's outermost loop, and a `for` over it is that loop, so that no list of all rows comes into being; likewise a
saved query writes its rows as they are selected.
"""

from __future__ import annotations

from posixpath import normpath

from mochic.ir.func import Block, Value
from mochic.ir.types import REF
from mochic.lower.module import ir_type
from mochic.lower.query import Queries
from mochic.lower.query_join import Plan
from mochic.lower.query_rows import Body
from mochic.syntax import ast


class Data(Queries):
    def options(self, e: ast.Expr | None) -> Value:
        return self.nil() if e is None else self.tag(self.expr(e))

    def open_load(self, e: ast.Load) -> Value:
        """A reader of the file."""
        options = self.options(e.options)
        self.b.pos = e.lo
        return self.rt("load_open", self.str_const(e.path or ""), options)

    def next_row(self, e: ast.Load, reader: Value, done: Block) -> Value:
        """The next row in the representation of the load's elements; jumps to `done` when there is none."""
        b = self.b
        b.pos = e.lo
        row = self.rt("load_next", reader)
        some = self.new_block()
        b.brif(self.is_nil(row), done, some)
        b.start(some)
        elem = self.elem_ty(e.ty)
        x = self.convert(self.cast_any(row, e.row, e.type, elem), ir_type(elem))
        self.rt("load_done")
        return x

    def each_loaded(self, e: ast.Load, body: Body) -> None:
        b = self.b
        reader = self.open_load(e)
        head, done = self.new_block(), self.new_block()
        b.jump(head)
        b.at(head)
        body(self.next_row(e, reader, done))
        b.jump(head)
        b.seal(head)
        b.start(done)

    def e_load(self, e: ast.Load) -> Value:
        b = self.b
        var = ("#load", e)
        b.write(var, self.rt("list_new", self.sym(self.m.list_desc(self.elem_ty(e.ty))), self.i64(0)))
        self.each_loaded(e, lambda x: b.write(var, self.append(b.read(var, REF), e.ty, x, True)))
        return self.convert(b.read(var, REF), ir_type(e.ty))

    def e_save(self, e: ast.Save) -> Value:
        b = self.b
        path = self.str_const(e.path or "")
        q = e.source
        if isinstance(q, ast.Query) and streams(q, e.path or ""):
            options = self.options(e.options)
            outer, self.given = self.given, dict(self.given)
            plan = Plan(self, q)
            b.pos = e.lo
            writer = self.rt("save_open", path, options)

            def row() -> None:
                v = self.tag(self.expr(q.select))
                b.pos = e.lo
                self.rt("save_row", writer, v)

            self.run_plan(q, plan, row)
            self.given = outer
        else:
            rows = self.tag(self.operand(q))
            options = self.options(e.options)
            b.pos = e.lo
            writer = self.rt("save_open", path, options)
            self.rt("save_all", writer, rows)
        b.pos = e.lo
        self.rt("save_close", writer)
        return self.nil()

    def e_fetch(self, e: ast.Fetch) -> Value:
        url = self.tag(self.expr(e.url))
        options = self.options(e.options)
        self.b.pos = e.lo
        return self.convert(self.rt("fetch_url", url, options), ir_type(e.ty))


def streams(q: ast.Query, path: str) -> bool:
    """Rows of the query can be written as they come: no order to be made, and none are read from the file itself."""
    if q.sort is not None or q.skip is not None or q.take is not None or q.distinct or q.info.aggregate:
        return False
    target = normpath(path) if path else "-"
    sources = [f.source for f in q.froms] + [j.source for j in q.joins]
    return target == "-" or not any(isinstance(s, ast.Load) and normpath(s.path or "-") == target for s in sources)
