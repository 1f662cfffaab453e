"""Statements in the strict mode (docs/reference.md, 5 and 6)."""

from __future__ import annotations


from mochic.sema.strict.access import member_type, refuse_optional
from mochic.sema.strict.context import Strict, Var, root_name
from mochic.sema.strict.effects import effects_of
from mochic.sema.strict.expressions import field_values
from mochic.sema.strict.outside import check_fetch
from mochic.sema.strict.types import (
    ANY, ANY_K, BOOL, BOOL_K, GROUP_K, INT, INT64_K, INT_K, LIST_K, MAP_K, OPT_K, STRING, STRING_K, STRUCT_K, UNIT,
    UNIT_K, VAR_K, SType, text, unify,
)  # fmt: skip
from mochic.sema.tree import parts
from mochic.syntax import ast


def nothing(strict: Strict, st: ast.Stmt) -> None:
    pass


def assignment(strict: Strict, st: ast.Assign) -> None:
    target = st.target
    name = root_name(target)
    v = strict.find(name)
    if v is None:
        raise strict.fail("T001", st.lo, st.hi, name)
    if not v.mutable:
        raise strict.fail("T024", st.lo, st.hi, name)
    if isinstance(target, ast.Ident):
        got = strict.check(st.value, v.type)
        narrow_assigned(strict, v.type, v, got)
        return
    want = place_type(strict, st, target)
    strict.check(st.value, want)
    strict.alias(st.value, want, st)


def narrow_assigned(strict: Strict, declared: SType, v: Var, got: SType) -> None:
    """Narrowing ends, or goes on with the new value."""
    if declared.kind == OPT_K and got.kind not in (OPT_K, ANY_K):
        strict.narrowed = {**strict.narrowed, v: declared.args[0]}
    elif v in strict.narrowed:
        strict.narrowed = {x: t for x, t in strict.narrowed.items() if x is not v}


def place_type(strict: Strict, st: ast.Assign, e: ast.Expr) -> SType:
    """The type of a place that is assigned to; reading a map there gives no optional."""
    if isinstance(e, ast.Index):
        t = place_type(strict, st, e.obj)
        i = strict.expr(e.index)
        if t.kind == MAP_K:
            if not unify(t.args[0], i):
                raise strict.fail("T019", e.op_lo, e.hi, text(t.args[0]), text(i))
            return t.args[1]
        if t.kind == LIST_K:
            if i.kind not in (INT_K, INT64_K):
                raise strict.fail("T015", e.op_lo, e.hi)
            return t.args[0]
        if t.kind == ANY_K:
            return ANY
        raise strict.fail("T018", st.lo, st.hi, text(t))
    if isinstance(e, ast.Field):
        t = place_type(strict, st, e.obj)
        refuse_optional(strict, e, e.obj, t)
        return member_type(strict, e, t)
    return strict.expr(e)


def return_statement(strict: Strict, st: ast.Return) -> None:
    want = strict.result
    if want is None:
        if st.value is not None:
            strict.expr(st.value)
        return
    if st.value is None:
        if want.kind not in (UNIT_K, ANY_K):
            raise strict.fail("T010", st.lo, st.hi, text(want), text(UNIT))
        return
    got = strict.check(st.value, want)
    if got.kind == ANY_K and want.kind not in (ANY_K, VAR_K):
        raise strict.fail("T010", st.lo, st.hi, text(want), text(got))


# -- control ----------------------------------------------------------------------------------------


def condition(strict: Strict, e: ast.Expr) -> None:
    if strict.expr(e).kind not in (BOOL_K, ANY_K):
        raise strict.fail("T040", e.lo, e.hi)


def if_statement(strict: Strict, st: ast.If) -> None:
    condition(strict, st.cond)
    start = strict.narrowed
    strict.enter(strict.facts(st.cond, True))
    strict.block(st.then)
    strict.leave(start)
    after = strict.narrowed
    strict.narrowed = start
    if st.orelse:
        strict.enter(strict.facts(st.cond, False))
        strict.block(st.orelse)
        strict.leave(start)
    strict.narrowed = {v: t for v, t in strict.narrowed.items() if v in after}


def while_loop(strict: Strict, st: ast.While) -> None:
    forget_changed(strict, st.body)
    condition(strict, st.cond)
    start = strict.enter(strict.facts(st.cond, True))
    loop_body(strict, st.body)
    strict.leave(start)


def for_loop(strict: Strict, st: ast.For) -> None:
    t = strict.expr(st.source)
    if st.end is not None:
        ok = (INT_K, INT64_K, ANY_K)
        if t.kind not in ok or strict.expr(st.end).kind not in ok:
            raise strict.fail("T023", st.lo, st.hi)
        t = t if t.kind == INT64_K else INT
    elif t.kind in (LIST_K, MAP_K, GROUP_K):
        t = t.args[0]
    elif t.kind == STRING_K:
        t = STRING
    else:
        raise strict.fail("T022", st.lo, st.hi, text(t))
    strict.scopes.append({})
    strict.declare(st.var, t, True)
    forget_changed(strict, st.body)
    before = strict.narrowed
    loop_body(strict, st.body)
    strict.leave(before)
    strict.scopes.pop()


def loop_body(strict: Strict, body: list[ast.Stmt]) -> None:
    strict.loops += 1
    strict.block(body)
    strict.loops -= 1


def forget_changed(strict: Strict, body: list[ast.Stmt]) -> None:
    """What a loop body changes is not known at its start: an earlier round may have changed it."""
    if not strict.narrowed:
        return
    if effects_of(body, strict.effects):
        strict.forget_mutable()
        return
    work: list[ast.Node] = list(body)
    names: dict[str, None] = {}
    while work:
        n = work.pop()
        if isinstance(n, ast.Assign) and isinstance(n.target, ast.Ident):
            names[n.target.name] = None
        work += parts(n)
    strict.narrowed = {v: t for v, t in strict.narrowed.items() if v.name not in names}


def jump(strict: Strict, st: ast.Stmt) -> None:
    if not strict.loops:
        raise strict.fail("T045", st.lo, st.hi, "break" if isinstance(st, ast.Break) else "continue")


# -- the others -------------------------------------------------------------------------------------


def expression_statement(strict: Strict, st: ast.ExprStmt) -> None:
    strict.expr(st.expr)


def expect_statement(strict: Strict, st: ast.Expect) -> None:
    got = strict.check(st.expr, BOOL)
    if got.kind == ANY_K:
        raise strict.fail("T011", st.lo, st.hi)


def test_block(strict: Strict, st: ast.TestDecl | ast.BenchDecl) -> None:
    strict.block(st.body)


def try_statement(strict: Strict, st: ast.Try) -> None:
    raise strict.fail("M006", st.lo, st.hi, "`try`")


def on_handler(strict: Strict, st: ast.OnHandler) -> None:
    t = strict.streams.get(st.stream)
    if t is None:
        raise strict.fail("T031", st.lo, st.hi, st.stream)
    strict.scopes.append({})
    strict.declare(st.var, t, False)
    strict.block(st.body)
    strict.scopes.pop()


def emit_statement(strict: Strict, st: ast.Emit) -> None:
    t = strict.streams.get(st.stream)
    if t is None:
        raise strict.fail("T031", st.lo, st.hi, st.stream)
    field_values(strict, st, t, st.fields)


def fetch_statement(strict: Strict, st: ast.FetchStmt) -> None:
    check_fetch(strict, st, st.url, st.options)
    if strict.find(st.target) is None:
        strict.declare(st.target, ANY, True)


def update_statement(strict: Strict, st: ast.Update) -> None:
    v = strict.find(st.target)
    if v is None:
        raise strict.fail("T001", st.lo, st.hi, st.target)
    row = v.type.args[0] if v.type.kind == LIST_K else ANY
    strict.scopes.append({})
    for name, t in row.fields.items():
        strict.declare(name, t, True)
    for key, value in st.sets.entries:
        name = key.value if isinstance(key, ast.StrLit) else ""
        if row.kind == STRUCT_K and name:
            want = row.fields.get(name)
            if want is None:
                raise strict.fail("T026", st.lo, st.hi, name, text(row))
            strict.check(value, want)
    if st.where is not None:
        condition(strict, st.where)
    strict.scopes.pop()
