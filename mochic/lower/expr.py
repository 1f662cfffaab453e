"""Lowering of names, operators and expressions that are control flow."""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.ops import EQ, FNEG, NEG
from mochic.ir.types import F64, I32, INT, REF, TAG
from mochic.lower.access import index_known
from mochic.lower.aliasing import Held, hold, release
from mochic.lower.closures import e_fun, fun_ref
from mochic.lower.chars import append_text
from mochic.lower.control import branch, cond, truth
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import load_field, map_find
from mochic.lower.values import operation, text_of
from mochic.sema.symbols import FunInfo, StructInfo, Var
from mochic.sema.types import MAP, NIL, STR, find
from mochic.syntax import ast

# Texts of more parts are put together piece by piece, so that the parts need not be held, all at once, in registers.
LONG_TEXT = 9


def e_ident(fn: Fn, e: ast.Ident) -> Value:
    r = e.ref
    want = ir_type(e.ty)
    if isinstance(r, Var):
        return fn.convert(fn.read_var(r, ir_type(r.ty)), want)
    if isinstance(r, FunInfo):
        return fun_ref(fn, r)
    if isinstance(r, StructInfo):
        return fn.sym(fn.m.singleton(r), REF)
    if isinstance(r, ast.FunExpr):
        return e_fun(fn, r)
    if isinstance(r, ast.Field):
        return fn.convert(fn.expr(r), want)
    if isinstance(r, tuple):
        return fn.convert(load_field(fn, fn.self_value(), r[0], r[1]), want)
    return fn.convert(fn.nil(), want)


# -- operators -------------------------------------------------------------------------------------


def e_binary(fn: Fn, e: ast.Binary) -> Value:
    op = e.op
    if op in ("&&", "||"):
        return logic(fn, e)
    if op == "??":
        return coalesce(fn, e)
    if find(e.ty).kinds == STR and op == "+":
        return concat(fn, e)
    # The left spine is walked with a loop: `a + b + c + ...` may have thousands of terms.
    spine = [e]
    left = e.left
    while isinstance(left, ast.Binary) and left.op not in ("&&", "||", "??") and not _is_concat(left):
        spine.append(left)
        left = left.left
    v = fn.expr(left)
    for x in reversed(spine):
        held = Held()
        hold(fn, held, x.left, v, (x.right,))
        r = fn.expr(x.right)
        release(fn, held)
        fn.b.pos = x.lo
        v = operation(fn, x, v, r)
    return v


def e_unary(fn: Fn, e: ast.Unary) -> Value:
    if e.op == "!":
        return fn.not_(cond(fn, e.operand))
    v = fn.expr(e.operand)
    b = fn.b
    b.pos = e.lo
    want = ir_type(e.ty)
    if v.type == INT:
        return fn.convert(b.emit(NEG, INT, [v]), want)
    if v.type == F64:
        return fn.convert(b.emit(FNEG, F64, [v]), want)
    return fn.convert(fn.call_runtime("dyn_neg", fn.tag(v)), want)


# -- strings ---------------------------------------------------------------------------------------


def concat(fn: Fn, e: ast.Binary) -> Value:
    """A chain of `+` that makes a string: one allocation for up to three parts."""
    parts: list[ast.Expr] = []
    left: ast.Expr = e
    while isinstance(left, ast.Binary) and _is_concat(left) and left.op == "+":
        parts.append(left.right)
        left = left.left
    parts.append(left)
    parts.reverse()
    # `1 + 2 + "a"` adds first: the leftmost part is whatever is not yet a string
    return join_texts(fn, parts, e.lo)


def join_texts(fn: Fn, parts: list[ast.Expr], pos: int) -> Value:
    if len(parts) > LONG_TEXT:
        n = LONG_TEXT
        while n * LONG_TEXT < len(parts):
            n *= LONG_TEXT
        vals = [join_texts(fn, parts[i : i + n], pos) for i in range(0, len(parts), n)]
    else:
        vals = [text_of(fn, fn.expr(p), p.ty) for p in parts]
    fn.b.pos = pos
    if len(vals) == 1:
        return vals[0]
    while len(vals) > 3:
        vals[0:3] = [fn.call_runtime("str_concat3", *vals[0:3])]
    if len(vals) == 3:
        return fn.call_runtime("str_concat3", *vals)
    return append_text(fn, *vals)


def _is_concat(e: ast.Binary) -> bool:
    return e.op == "+" and find(e.ty).kinds == STR


# -- expressions that are control flow -------------------------------------------------------------


def logic(fn: Fn, e: ast.Binary) -> Value:
    """`l && r`: the deciding operand itself."""
    b = fn.b
    want = ir_type(e.ty)
    l = fn.expr(e.left)
    right, done = fn.new_block(), fn.new_block()
    b.write("#logic", fn.convert(l, want))
    c = truth(fn, l, e.left.ty)
    if e.op == "&&":
        b.brif(c, right, done)
    else:
        b.brif(c, done, right)
    b.start(right)
    v = fn.expr_as(e.right, want)
    b.write("#logic", v)
    b.jump(done)
    b.start(done)
    return b.read("#logic", want)


def coalesce(fn: Fn, e: ast.Binary) -> Value:
    """`a ?? b`; a map lookup on the left needs no boxed null."""
    b = fn.b
    want = ir_type(e.ty)
    left = e.left
    if isinstance(left, ast.Index) and find(left.obj.ty).kinds == MAP:
        m = fn.expr(left.obj)
        key = fn.expr(left.index)
        b.pos = e.lo
        slot = map_find(fn, m, left.obj.ty, key, find(left.index.ty).kinds)
        vt = fn.m.solver.val(left.obj.ty)
        if slot is not None and not find(vt).kinds & NIL:
            found = slot
            some, none = fn.new_block(), fn.new_block()
            b.brif(b.emit(EQ, I32, [slot, b.iconst(slot.type, 0)]), none, some, -1)
            held = fn.m.slot(vt)
            return fn.either(some, none, lambda: fn.load(ir_type(vt), found, 0, held), lambda: fn.expr(e.right), want)
        l = index_known(fn, m, MAP, left.obj.ty, key, find(left.index.ty).kinds, ir_type(left.ty))
    else:
        l = fn.expr(left)
    if l.type not in (REF, TAG) or not find(left.ty).kinds & NIL:
        return fn.convert(l, want)
    some, none = fn.new_block(), fn.new_block()
    b.brif(fn.is_nil(l), none, some)
    return fn.either(some, none, lambda: l, lambda: fn.expr(e.right), want)


def e_if(fn: Fn, e: ast.IfExpr) -> Value:
    b = fn.b
    want = ir_type(e.ty)
    yes, no, done = fn.new_block(), fn.new_block(), fn.new_block()
    branch(fn, e.cond, yes, no)
    b.start(yes)
    b.write("#if", fn.expr_as(e.then, want))
    b.jump(done)
    b.start(no)
    b.write("#if", fn.expr_as(e.orelse, want) if e.orelse is not None else fn.convert(fn.nil(), want))
    b.jump(done)
    b.start(done)
    return b.read("#if", want)


def e_code(fn: Fn, e: ast.LogicQuery | ast.Interpolation | ast.SetLit | ast.Generate) -> Value:
    """What inference made to stand for the expression."""
    assert e.code is not None
    return fn.expr(e.code)
