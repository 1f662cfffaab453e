"""Lowering of `match` (docs/reference.md, 11.4).

Arms are tried in order.  A variant pattern compares the descriptor; a pattern that must match binds without a test, and
the last arm of an exhaustive match over variants needs none either.
"""

from __future__ import annotations

from collections.abc import Sequence

from mochic.ir.func import Block, Value
from mochic.ir.types import PTR, REF, TAG
from mochic.lower.aliasing import extends_any, mark_aliased, may_extend
from mochic.lower.appends import Code
from mochic.lower.control import branch, check_ref
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import is_struct, load_field
from mochic.lower.values import equal
from mochic.sema.symbols import StructInfo, Var
from mochic.sema.types import NIL, STRUCT, Slot, find
from mochic.syntax import ast


def e_match(fn: Fn, e: ast.Match) -> Value:
    b = fn.b
    want = ir_type(e.ty)
    subj = fn.expr(e.subject)
    if may_extend(fn, e.subject, [c.guard for c in e.cases]):
        mark_aliased(fn, subj, e.subject.ty)
    done = fn.new_block()
    reached_end = True
    for i, c in enumerate(e.cases):
        nxt = fn.new_block()
        last = i == len(e.cases) - 1 and exhaustive(e)
        arm = (c.guard, c.expr, c.body)
        if c.guard is None and irrefutable(c.pattern):
            bind_variable(fn, c.pattern, subj, arm)
            reached_end = False
        else:
            test_pattern(fn, c.pattern, subj, e.subject.ty, None if last and c.guard is None else nxt)
            bind_fields(fn, c.pattern, subj, arm)
            if c.guard is not None:
                ok = fn.new_block()
                branch(fn, c.guard, ok, nxt)
                b.start(ok)
            elif last:
                reached_end = False
        if c.body is not None:
            case_block(fn, c.body, want)
        else:
            assert c.expr is not None
            v = fn.expr(c.expr)
            if b.reachable:
                b.write("#match", fn.convert(v, want))
        b.jump(done)
        b.start(nxt)
        if not reached_end:
            break
    if reached_end:
        b.write("#match", fn.convert(fn.nil(), want))
        b.jump(done)
    else:
        b.trap()
    b.start(done)
    return b.read("#match", want)


def case_block(fn: Fn, body: list[ast.Stmt], want: int) -> None:
    last = body[-1] if body else None
    b = fn.b
    if isinstance(last, ast.ExprStmt):
        fn.block(body[:-1])
        v = fn.expr(last.expr)
    else:
        fn.block(body)
        v = fn.nil()
    if b.reachable:
        b.write("#match", fn.convert(v, want))


def exhaustive(e: ast.Match) -> bool:
    """Unguarded variant arms cover everything the subject can be."""
    t = find(e.subject.ty)
    if t.kinds != STRUCT:
        return False
    left = t.structs
    for c in e.cases:
        p = c.pattern
        if c.guard is None and isinstance(p, ast.Ident | ast.Call) and isinstance(p.ref, StructInfo):
            if isinstance(p, ast.Ident) or all(irrefutable(a) for a in p.args):
                left &= ~p.ref.bit
    return left == 0


def irrefutable(p: ast.Expr) -> bool:
    return isinstance(p, ast.Ident) and not isinstance(p.ref, StructInfo)


# -- patterns --------------------------------------------------------------------------------------


def bind_variable(fn: Fn, p: ast.Expr, v: Value, arm: Sequence[Code]) -> None:
    if isinstance(p, ast.Ident) and isinstance(p.ref, Var):
        if p.ref.appended or p.ref.captured or extends_any(fn, p.ty, arm):
            mark_aliased(fn, v, p.ty)
        fn.declare_var(p.ref, fn.convert(v, ir_type(p.ref.ty)))


def bind_fields(fn: Fn, p: ast.Expr, v: Value, arm: Sequence[Code]) -> None:
    """Bind the identifiers of a pattern that has matched."""
    if isinstance(p, ast.Call) and isinstance(p.ref, StructInfo):
        obj = fn.convert(referable(fn, v), REF)
        for a, name in zip(p.args, p.ref.fields, strict=False):
            if isinstance(a, ast.Ident) and a.name == "_":
                continue
            fv = load_field(fn, obj, p.ref, name)
            bind_fields(fn, a, fv, arm)
    elif irrefutable(p):
        bind_variable(fn, p, v, arm)


def test_pattern(fn: Fn, p: ast.Expr, v: Value, t: Slot, no: Block | None) -> None:
    """Fall through when p matches v, else go to `no`; None: it is known to match."""
    b = fn.b
    ref = p.ref if isinstance(p, ast.Ident | ast.Call) else None
    if irrefutable(p):
        return
    if isinstance(ref, StructInfo):
        v = referable(fn, v)
        if no is not None:
            obj = v
            if v.type == TAG:
                obj = check_ref(fn, v, no)
            elif find(t).kinds & NIL:
                some = fn.new_block()
                b.brif(fn.is_nil(v), no, some)
                b.start(some)
            desc = fn.load(PTR, obj, 0)
            yes = fn.new_block()
            b.brif(is_struct(fn, desc, ref), yes, no)
            b.start(yes)
        if isinstance(p, ast.Call):
            obj = fn.convert(v, REF)
            for a, (name, ft) in zip(p.args, ref.fields.items(), strict=False):
                if not irrefutable(a):
                    test_pattern(fn, a, load_field(fn, obj, ref, name), ft, no)
        return
    if no is None:
        return
    yes = fn.new_block()
    if isinstance(p, ast.NoneLit):
        c = fn.is_nil(v) if v.type in (REF, TAG) else fn.bool_const(False)
    else:
        c = equal(fn, v, fn.expr(p), find(t).kinds, find(p.ty).kinds)
    b.brif(c, yes, no)
    b.start(yes)


def referable(fn: Fn, v: Value) -> Value:
    """A number or truth as a tag: it matches no variant, but the code of the arm is made all the same."""
    return v if v.type in (REF, TAG) else fn.tag(v)
