"""Lowering of queries (docs/reference.md, 12) to loops.

Rows come from the loops of join.py, arranged by plan.py, in the order that the language fixes.  Groups are
found by hash as well (group.py), and aggregates need no lists (fold.py).

Selected values go to the result list, the parts of sort keys to parallel lists (runtime/sort.mochi); sorting, skip,
take, distinct and scalar aggregates under them work on the finished list.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Value
from mochic.ir.ops import ADD, NE, TOINT
from mochic.ir.types import F64, I32, I64, INT, REF, TAG
from mochic.lower.aliasing import append, moved
from mochic.lower.arguments import as_kind
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, element_address, list_len
from mochic.lower.objects import LEN_RANGE
from mochic.lower.query.fold import Fold, fold_in_variables, fold_result, fold_start, fold_step
from mochic.lower.query.group import grouped
from mochic.lower.query.join import Plan
from mochic.lower.query.rows import push, tag_list
from mochic.sema.types import Slot
from mochic.syntax import ast


def e_query(fn: Fn, e: ast.Query) -> Value:
    b = fn.b
    info = e.info
    rows = info.rows
    elem = elem_ty(fn, rows)
    if info.aggregate and isinstance(e.select, ast.Call) and e.sort is None and e.skip is None and e.take is None:
        if not e.distinct:
            return fold_query(fn, e, info.aggregate, e.select.args[0], rows, e, ir_type(e.ty))
    outer, fn.given = fn.given, dict(fn.given)
    plan = Plan(fn, e)
    b.pos = e.lo
    out = fn.call_runtime("list_new", fn.sym(fn.m.list_desc(elem)), fn.i64(0))
    parts, order = sort_parts(e.sort)
    cols = [key_column(fn, p) for p in parts]
    # The builder's variable follows the list through appends, which may give a new object.
    var = ("#out", e)
    b.write(var, out)

    def select() -> None:
        sel = e.select.args[0] if info.aggregate and isinstance(e.select, ast.Call) else e.select
        v = moved(fn, sel)
        keys = [fn.expr(p) for p in parts]
        b.pos = e.lo
        for col, k in zip(cols, keys, strict=True):
            push_key(fn, col, k)
        b.write(var, append(fn, b.read(var, REF), rows, v, True))

    run_plan(fn, e, plan, select)
    fn.given = outer
    res = b.read(var, REF)
    b.pos = e.lo
    if cols:
        table = tag_list(fn)
        for i in order:
            push(fn, table, cols[i])
        res = fn.call_runtime("list_sort_by", res, table)
    if e.skip is not None:
        res = fn.call_runtime("list_slice", res, as_kind(fn, fn.expr(e.skip), "i"), fn.i64((1 << 63) - 1))
    if e.take is not None:
        res = fn.call_runtime("list_slice", res, fn.i64(0), as_kind(fn, fn.expr(e.take), "i"))
    if e.distinct:
        res = fn.call_runtime("list_distinct", res)
    if info.aggregate:
        return aggregate_list(fn, info.aggregate, res, ir_type(e.ty))
    return fn.convert(res, ir_type(e.ty))


def key_column(fn: Fn, e: ast.Expr) -> Value:
    """An empty list for the values of a sort key."""
    desc = fn.m.runtime_data["desc.list_f64" if ir_type(e.ty) == F64 else "desc.list_tag"]
    return fn.call_runtime("list_new", fn.sym(desc), fn.i64(0))


def push_key(fn: Fn, col: Value, v: Value) -> None:
    if v.type != F64:
        push(fn, col, v)
        return
    n = list_len(fn, col)
    fn.call_runtime("list_grow", col, fn.b.emit(ADD, I64, [n, fn.i64(1)]))
    fn.store(element_address(fn, col, n, F64), v, fn.layout.array_data)
    fn.store(col, fn.b.emit(ADD, I64, [n, fn.i64(1)]), fn.layout.list_length)


def sort_parts(e: ast.Expr | None) -> tuple[list[ast.Expr], list[int]]:
    """The keys that rows are sorted by, and the order in which they count: lists go by their elements, maps by their
    entries in the order of names (12.7)."""
    if isinstance(e, ast.ListLit) and e.elems:
        return e.elems, list(range(len(e.elems)))
    if isinstance(e, ast.MapLit) and e.entries:
        names = [k.value.encode("utf-8") for k, _ in e.entries if isinstance(k, ast.StrLit)]
        if len(set(names)) == len(e.entries):
            return [v for _, v in e.entries], sorted(range(len(names)), key=lambda i: names[i])
    return ([e], [0]) if e is not None else ([], [])


def aggregate_list(fn: Fn, name: str, lst: Value, want: int) -> Value:
    if name == "count":
        return fn.b.emit(TOINT, INT, [list_len(fn, lst)], 0, LEN_RANGE)
    v = fn.call_runtime("dyn_" + name, fn.tag(lst))
    if v.type == TAG and want not in (TAG, INT):
        return fn.convert(fn.call_runtime("dyn_num_arg", v), want)
    return fn.convert(v, want)


def run_plan(fn: Fn, e: ast.Query, plan: Plan, select: Callable[[], None]) -> None:
    if e.info.group is not None:
        grouped(fn, e, plan, select)
    else:
        plan.run(select)


# -- queries under an aggregate --------------------------------------------------------------------


def folded(fn: Fn, e: ast.Call, name: str) -> Value | None:
    """The aggregate of a query that is its only argument, or None where the list is needed."""
    q = e.args[0] if len(e.args) == 1 else None
    if not isinstance(q, ast.Query) or q.info.aggregate or q.sort is not None or q.distinct:
        return None
    if q.skip is not None or q.take is not None:
        return None
    if name == "exists":
        n = fold_query(fn, q, "count", q.select, q.info.rows, e, INT)
        return fn.convert(fn.b.emit(NE, I32, [n, fn.int_const(0)]), ir_type(e.ty))
    return fold_query(fn, q, name, q.select, q.info.rows, e, ir_type(e.ty))


def fold_query(fn: Fn, q: ast.Query, name: str, value: ast.Expr, rows: Slot, e: ast.Expr, want: int) -> Value:
    """What a query selects, folded."""
    elem = elem_ty(fn, rows)
    f = Fold(name, ir_type(elem))
    outer, fn.given = fn.given, dict(fn.given)
    plan = Plan(fn, q)
    get, set = fold_in_variables(fn, e, f)
    fold_start(fn, f, set)

    def select() -> None:
        v = fn.convert(moved(fn, value), ir_type(elem))
        fn.feed(elem, v)
        fn.b.pos = e.lo
        fold_step(fn, f, v, get, set)

    run_plan(fn, q, plan, select)
    fn.given = outer
    return fold_result(fn, f, get, want)
