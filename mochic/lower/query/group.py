"""Grouping.

Problem.  `group by k into g` makes, by the book, an object with the key and a list of items for each group, and
aggregates then make lists of their own from those.  Most queries want the aggregates only.

Method.  Each row finds its group's *record* through an index (runtime/join.mochi) on the parts of its key: the keys of
`group by a, b`, the entries of a map literal or the fields of a struct literal, so that the key itself is made once per
group.  Keys are the same if their texts (form S) are (docs/reference.md, 12.3); ints, bools and strings are compared as
such, anything else by a normal form (`group_norm`) for which that means the same.  Where groups are used only through
their key and through aggregates (`Uses`), a record holds the key and the states of the aggregates (fold.py), which rows
update as they come.  Otherwise it is the group object with its list of items.

What an aggregate of a group evaluates moves from behind the grouping to before it, so it must be total (plan.py)
and read nothing that the rest of the query changes or declares.

Invariant.  Records are numbered from 1 in the order in which their first rows came; the last key word of an entry of
the index is the record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.ir.func import DataSym, Value
from mochic.ir.ops import ADD, EQ, MUL, UNTAG
from mochic.ir.types import I32, I64, INT, PTR, REF, TAG
from mochic.lower.aliasing import append, mark_aliased, moved
from mochic.lower.control import branch, count_loop
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import make_struct, map_store
from mochic.lower.query.fold import Fold, Get, Set, aggregate_of, fold_result, fold_start, fold_step
from mochic.lower.query.join import Plan, mixed
from mochic.lower.query.plan import TOTAL, Effects, Writes, variables
from mochic.lower.query.rows import bind_row
from mochic.sema.symbols import StructInfo, Var
from mochic.sema.types import BOOL, INT as KINT, LIST, NIL, STR, Slot, find
from mochic.syntax import ast
from mochic.sema.tree import CODE_SLOTS, nodes

# How parts of keys are hashed and compared
_WORD: Final = 0
_TEXT: Final = 1
_NORM: Final = 2
_FUNCTIONS: Final = (("hash_int", "same_int"), ("str_hash", "str_eq"), ("hash_norm", "same_norm"))


class Use:
    """An aggregate over the items of a group: `name` of `value` for the items, called `item`, where `where` holds."""

    __slots__ = ("name", "item", "where", "value", "node", "fold", "at")

    def __init__(self, name: str, item: Var | None, where: ast.Expr | None, value: ast.Expr | None, node: ast.Expr):
        self.name = name
        self.item = item
        self.where = where
        self.value = value
        self.node = node
        self.fold: Fold | None = None
        self.at = 0  # offset of its state in the record


class Uses:
    """How the parts of a query behind `group by` use its group: `whole` when as a value of its own."""

    __slots__ = ("q", "group", "writes", "whole", "keys", "names", "aggregates")

    def __init__(self, q: ast.Query, parts: list[ast.Expr | None], writes: Writes) -> None:
        self.q = q
        self.group: Var = q.info.group
        self.writes = writes
        self.whole = False
        self.keys: list[ast.Expr] = []  # nodes that are the key
        self.names: list[ast.Field] = []  # nodes that are one of several keys
        self.aggregates: list[Use] = []
        for p in parts:
            self.scan(p)

    def is_group(self, e: ast.Expr | None) -> bool:
        return isinstance(e, ast.Ident) and e.ref is self.group

    def scan(self, e: object) -> None:
        stack: list[object] = [e]
        while stack and not self.whole:
            x = stack.pop()
            if isinstance(x, list | tuple):
                stack.extend(x)
            elif isinstance(x, ast.FunExpr):
                self.whole = any(self.is_group(n) for n in nodes(x) if isinstance(n, ast.Ident))
            elif isinstance(x, ast.Ident):
                if isinstance(x.ref, ast.Field):  # the name of an entry of the key
                    stack.append(x.ref)
                else:
                    self.whole = x.ref is self.group
            elif isinstance(x, ast.Node) and not (isinstance(x, ast.Expr) and self.takes(x)):
                stack.extend([getattr(x, name, None) for name in CODE_SLOTS[type(x)]])

    def takes(self, e: ast.Expr) -> bool:
        """The expression is a use of the group that needs no items."""
        if isinstance(e, ast.Field) and self.is_group(e.obj):
            if e.name == "key":
                self.keys.append(e)
            elif e.name == "count":
                self.aggregates.append(Use("count", None, None, None, e))
            elif e.name == "items":
                return False
            else:
                self.names.append(e)
            return True
        name = aggregate_of(e)
        if name and isinstance(e, ast.Call):
            arg = e.args[0]
            if self.is_group(arg):
                if name in ("count", "len"):
                    self.aggregates.append(Use(name, None, None, None, e))
                    return True
                return False
            if isinstance(arg, ast.Query) and not arg.info.aggregate:
                return self.takes_query(arg, name, arg.select, e)
        if isinstance(e, ast.Query) and e.info.aggregate and isinstance(e.select, ast.Call):
            return self.takes_query(e, e.info.aggregate, e.select.args[0], e)
        return False

    def takes_query(self, q: ast.Query, name: str, value: ast.Expr, node: ast.Expr) -> bool:
        if len(q.froms) != 1 or q.joins or q.info.group is not None or not self.is_group(q.froms[0].source):
            return False
        if q.sort is not None or q.skip is not None or q.take is not None or q.distinct:
            return False
        item: Var = q.info.vars[0]
        for e in (q.where, value):
            if e is None:
                continue
            if (
                Effects({item}).of(e) != TOTAL
                or self.writes.touch(e)
                or any(v is not item and self.q.lo <= v.pos < self.q.hi for v in variables(e))
            ):
                return False
        self.aggregates.append(Use(name, item, q.where, value, node))
        return True


def grouped(fn: Fn, e: ast.Query, plan: Plan, select: Callable[[], None]) -> None:
    uses = Uses(e, [e.having, e.sort, e.select], plan.planner.writes)
    parts = key_parts(e)
    if uses.whole:
        uses.aggregates = []
    b = fn.b
    index = fn.call_runtime("group_new", fn.i64(len(parts) + 1))
    layout = fn.layout
    size = layout.group_key + layout.slot
    words: list[int] = []
    for u in uses.aggregates:
        u.fold = Fold(u.name, ir_type(u.value.ty) if u.value is not None else TAG)
        u.at = size
        size += layout.slot * len(u.fold.words)
        words += u.fold.words
    desc = fn.m.runtime_data["desc.group"] if uses.whole else fn.m.record_desc([t in (INT, TAG) for t in words])

    def add() -> None:
        record = record_of(fn, e, parts, index, desc, size, uses)
        if uses.whole:
            add_item(fn, e, record)
        else:
            add_to(fn, e, record, uses)

    plan.run(add)
    fn.b.pos = e.lo
    n = fn.call_runtime("join_count", index)

    def one(i: Value) -> None:
        keys = fn.load(REF, index, layout.index_keys)
        width = layout.slot * (len(parts) + 1)
        p = b.emit(ADD, PTR, [keys, b.emit(MUL, I64, [i, fn.i64(width)])])
        record = fn.load(REF, p, layout.array_data + width - layout.slot)
        if uses.whole:
            bind_row(fn, e.info.group, fn.tag(record), e)
        else:
            give_uses(fn, uses, record)
        if e.having is None:
            select()
            return
        ok, skip = fn.new_block(), fn.new_block()
        branch(fn, e.having, ok, skip)
        b.start(ok)
        select()
        b.jump(skip)
        b.start(skip)

    count_loop(fn, n, one)


# -- rows to records -------------------------------------------------------------------------------


def key_parts(e: ast.Query) -> list[ast.Expr]:
    """The values whose texts decide about the group."""
    keys = e.group_keys
    if len(keys) == 1:
        k = keys[0]
        parts: list[ast.Expr] = []
        if isinstance(k, ast.MapLit) and all(isinstance(n, ast.StrLit) for n, _ in k.entries):
            parts = [v for _, v in k.entries]
        elif isinstance(k, ast.StructLit) and isinstance(k.ref, StructInfo) and len(k.fields) == len(k.ref.fields):
            parts = [f.value for f in k.fields]
        if parts and Effects().all(*parts) == TOTAL:
            return parts
    return keys


def record_of(fn: Fn, e: ast.Query, parts: list[ast.Expr], index: Value, desc: DataSym, size: int, uses: Uses) -> Value:
    """The record of the group that the row belongs to; a new one if it is the first."""
    b = fn.b
    vals = [moved(fn, p) for p in parts]
    b.pos = e.lo
    words = [key_word(fn, v, p.ty) for v, p in zip(vals, parts, strict=True)]
    h = mixed(fn, [fn.call_runtime(_FUNCTIONS[c][0], w) for w, c in words])
    width = len(parts) + 1
    found = ("#record", e)
    at_var = ("#at", e)
    head, some, miss, nxt, done = (fn.new_block() for _ in range(5))
    b.write(at_var, fn.call_runtime("join_first", index, h))
    b.jump(head)
    b.at(head)
    at = b.read(at_var, I64)
    b.brif(b.emit(EQ, I32, [at, fn.i64(0)]), miss, some, -1)
    b.start(some)
    layout = fn.layout
    keys = fn.load(REF, index, layout.index_keys)
    p = b.emit(ADD, PTR, [keys, b.emit(MUL, I64, [at, fn.i64(layout.slot * width)])])
    for k, (w, c) in enumerate(words):
        ok, other = fn.new_block(), fn.new_block()
        y = fn.load(w.type, p, layout.array_data + layout.slot * (k - width))
        b.brif(b.emit(EQ, I32, [w, y]), ok, other, 1)
        b.start(other)
        b.brif(fn.call_runtime(_FUNCTIONS[c][1], w, y), ok, nxt, 1)
        b.start(ok)
    b.write(found, fn.load(REF, p, layout.array_data - layout.slot))
    b.jump(done)
    b.start(nxt)
    b.write(at_var, fn.call_runtime("join_next", index, b.read(at_var, I64)))
    b.jump(head)
    b.seal(head)
    b.start(miss)
    key = key_value(fn, e, parts, vals)
    items = None
    if uses.whole:
        items = fn.call_runtime("list_new", fn.sym(fn.m.list_desc(fn.m.solver.elem(e.info.group.ty))), fn.i64(0))
    record = fn.alloc(desc, layout.group_items + layout.slot if items is not None else size)
    fn.store(record, key, layout.group_key)
    if items is not None:
        fn.store(record, items, layout.group_items)
    for u in uses.aggregates:
        assert u.fold is not None
        fold_start(fn, u.fold, in_record(fn, record, u)[1])
    p = fn.call_runtime("group_put", index, h)
    for k, (w, _) in enumerate(words):
        fn.store(p, w, layout.slot * k)
    fn.store(p, record, layout.slot * (width - 1))
    b.write(found, record)
    b.jump(done)
    b.start(done)
    return b.read(found, REF)


def key_word(fn: Fn, v: Value, t: Slot) -> tuple[Value, int]:
    """A part of a key as it is compared, and how."""
    k = find(t).kinds
    if k == STR and v.type == REF:
        return v, _TEXT
    w = fn.tag(v)
    return (w, _WORD) if k in (KINT, KINT | NIL, BOOL) else (fn.call_runtime("group_norm", w), _NORM)


def key_value(fn: Fn, e: ast.Query, parts: list[ast.Expr], vals: list[Value]) -> Value:
    """The key of a new group, as a tag."""
    keys = e.group_keys
    s = fn.m.solver
    kt = s.key(e.info.group.ty)
    if len(keys) == 1:
        v = vals[0] if parts[0] is keys[0] else moved(fn, keys[0])
        return fn.tag(fn.convert(v, ir_type(kt)))
    m = fn.call_runtime("map_new", fn.sym(fn.m.map_desc(s.key(kt), s.val(kt))), fn.i64(len(keys)))
    for name, v in zip(e.info.keys, vals, strict=True):
        map_store(fn, m, kt, fn.str_const(name), v)
    return fn.tag(m)


def add_item(fn: Fn, e: ast.Query, group: Value) -> None:
    info = e.info
    items_ty = Slot(LIST)
    s = fn.m.solver
    s.unify(s.elem(items_ty), s.elem(info.group.ty))
    if info.row is None:
        v: Var = info.vars[0]
        item = fn.read_var(v, ir_type(v.ty))
        mark_aliased(fn, item, v.ty)
    else:
        item = row_struct(fn, info.vars, info.row)
    fn.store(group, append(fn, fn.load(REF, group, fn.layout.group_items), items_ty, item, True), fn.layout.group_items)


def row_struct(fn: Fn, vars: list[Var], row: StructInfo) -> Value:
    given = {}
    for v in vars:
        item = fn.read_var(v, ir_type(v.ty))
        mark_aliased(fn, item, v.ty)
        given[v.name] = fn.convert(item, ir_type(row.fields[v.name]))
    return make_struct(fn, row, given)


# -- aggregates ------------------------------------------------------------------------------------


def in_record(fn: Fn, record: Value, u: Use) -> tuple[Get, Set]:
    """The state of an aggregate in a record; exact ints are tags there."""
    assert u.fold is not None
    words = u.fold.words
    slot = fn.layout.slot

    def get(i: int) -> Value:
        t = words[i]
        if t != INT:
            return fn.load(t, record, u.at + slot * i)
        return fn.b.emit(UNTAG, INT, [fn.load(TAG, record, u.at + slot * i)])

    def set(i: int, v: Value) -> None:
        fn.store(record, fn.tag(v) if words[i] == INT else v, u.at + slot * i)

    return get, set


def add_to(fn: Fn, e: ast.Query, record: Value, uses: Uses) -> None:
    """Take the row into the aggregates of its group."""
    b = fn.b
    info = e.info
    outer = dict(fn.given)
    item: Value | None = None
    for u in uses.aggregates:
        assert u.fold is not None
        get, set = in_record(fn, record, u)
        skip = fn.new_block()
        if u.item is not None:
            if info.row is None:
                v: Var = info.vars[0]
                bind_row(fn, u.item, fn.read_var(v, ir_type(v.ty)), e)
            elif not give_fields(fn, u, info.row, info.vars):
                if item is None:
                    item = row_struct(fn, info.vars, info.row)
                bind_row(fn, u.item, item, e)
            if u.where is not None:
                ok = fn.new_block()
                branch(fn, u.where, ok, skip)
                b.start(ok)
        counts = u.fold.name == "count"
        fold_step(fn, u.fold, None if counts or u.value is None else fn.expr(u.value), get, set)
        b.jump(skip)
        b.start(skip)
    fn.given = outer


def give_fields(fn: Fn, u: Use, row: StructInfo, vars: list[Var]) -> bool:
    """Let `x.a` mean the query variable a, if the item x of joined rows is used in no other way."""
    fields: list[ast.Field] = []
    others = 0
    for part in (u.where, u.value):
        for n in nodes(part):
            if isinstance(n, ast.Field) and isinstance(n.obj, ast.Ident) and n.obj.ref is u.item:
                if n.name in row.fields:
                    fields.append(n)
            elif isinstance(n, ast.Ident) and n.ref is u.item:
                others += 1
    if others != len(fields):  # each field has the item in it once
        return False
    by_name = {v.name: v for v in vars}
    for f in fields:
        fn.given[f] = variable_reader(fn, by_name[f.name], f)
    return True


def variable_reader(fn: Fn, v: Var, e: ast.Expr) -> Callable[[], Value]:
    return lambda: fn.convert(fn.read_var(v, ir_type(v.ty)), ir_type(e.ty))


def give_uses(fn: Fn, uses: Uses, record: Value) -> None:
    """Let the uses of the group mean what the record holds."""
    for k in uses.keys:
        fn.given[k] = key_reader(fn, record, k)
    for f in uses.names:
        fn.given[f] = name_reader(fn, record, f)
    for u in uses.aggregates:
        fn.given[u.node] = result_reader(fn, record, u)


def key_reader(fn: Fn, record: Value, e: ast.Expr) -> Callable[[], Value]:
    return lambda: fn.convert(fn.load(TAG, record, fn.layout.group_key), ir_type(e.ty))


def name_reader(fn: Fn, record: Value, e: ast.Field) -> Callable[[], Value]:
    def read() -> Value:
        key = fn.load(TAG, record, fn.layout.group_key)
        return fn.convert(fn.call_runtime("dyn_field", key, fn.str_const(e.name)), ir_type(e.ty))

    return read


def result_reader(fn: Fn, record: Value, u: Use) -> Callable[[], Value]:
    def read() -> Value:
        assert u.fold is not None
        return fold_result(fn, u.fold, in_record(fn, record, u)[0], ir_type(u.node.ty))

    return read
