"""Lowering of save (docs/reference.md, 14.2): a saved query writes its rows as they are selected, so that no list
of all rows comes into being.
"""

from __future__ import annotations

from posixpath import normpath

from mochic.ir.func import Value
from mochic.lower.arguments import operand
from mochic.lower.fn import Fn
from mochic.lower.load import options_value
from mochic.lower.query.join import Plan
from mochic.lower.query.select import run_plan
from mochic.syntax import ast


def e_save(fn: Fn, e: ast.Save) -> Value:
    b = fn.b
    path = fn.str_const(e.path or "")
    q = e.source
    if isinstance(q, ast.Query) and streams(q, e.path or ""):
        options = options_value(fn, e.options)
        outer, fn.given = fn.given, dict(fn.given)
        plan = Plan(fn, q)
        b.pos = e.lo
        writer = fn.call_runtime("save_open", path, options)

        def row() -> None:
            v = fn.tag(fn.expr(q.select))
            b.pos = e.lo
            fn.call_runtime("save_row", writer, v)

        run_plan(fn, q, plan, row)
        fn.given = outer
    else:
        rows = fn.tag(operand(fn, q))
        options = options_value(fn, e.options)
        b.pos = e.lo
        writer = fn.call_runtime("save_open", path, options)
        fn.call_runtime("save_all", writer, rows)
    b.pos = e.lo
    fn.call_runtime("save_close", writer)
    return fn.nil()


def streams(q: ast.Query, path: str) -> bool:
    """Rows of the query can be written as they come: no order to be made, and none are read from the file itself."""
    if q.sort is not None or q.skip is not None or q.take is not None or q.distinct or q.info.aggregate:
        return False
    target = normpath(path) if path else "-"
    sources = [f.source for f in q.froms] + [j.source for j in q.joins]
    return target == "-" or not any(isinstance(s, ast.Load) and normpath(s.path or "-") == target for s in sources)
