"""Lowering of declarations, assignments, `return`, `if` and test blocks; loops.py has the loops."""

from __future__ import annotations

from mochic.ir.func import Value
from mochic.ir.ops import FCONST, ULT
from mochic.ir.types import F64, I32, INT, REF
from mochic.lower.aliasing import Held, count_holder, hold, moved, release
from mochic.lower.appends import own_append
from mochic.lower.closures import make_closure
from mochic.lower.control import branch
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, list_len, map_store, store_element, store_field, structs_of, word_index
from mochic.sema.symbols import FunInfo, Var
from mochic.sema.types import LIST, MAP, NIL, STRUCT, find
from mochic.syntax import ast


def s_nothing(fn: Fn, st: ast.Stmt) -> None:
    """A declaration that means no code."""


def s_vardecl(fn: Fn, st: ast.VarDecl) -> None:
    v: Var = st.sym
    if v.const is not None:
        return
    want = ir_type(v.ty)
    if st.value is not None:
        val = fn.convert(moved(fn, st.value), want)
    else:
        val = fn.convert(zero_value(fn, st, v), want)
    if v.global_ or v.owner is None:
        fn.write_var(v, val)
    else:
        fn.declare_var(v, val)


def zero_value(fn: Fn, st: ast.VarDecl, v: Var) -> Value:
    """The zero value of a declared type (docs/reference.md, 9.1)."""
    ref = fn.m.info.resolve_alias(st.type) if st.type is not None else None
    b = fn.b
    if isinstance(ref, ast.TypeName):
        if ref.name in ("int", "int64", "bigint"):
            return fn.int_const(0)
        if ref.name == "float":
            return b.emit(FCONST, F64, [], 0)
        if ref.name == "string":
            return fn.str_const("")
        if ref.name == "bool":
            return fn.bool_const(False)
        if ref.name == "bigrat":
            return fn.call_runtime("cast_bigrat", fn.nil())
    elif isinstance(ref, ast.TypeGeneric):
        if ref.name == "list":
            return fn.call_runtime("list_new", fn.sym(fn.m.list_desc(elem_ty(fn, v.ty))), fn.i64(0))
        if ref.name == "map":
            s = fn.m.solver
            return fn.call_runtime("map_new", fn.sym(fn.m.map_desc(s.key(v.ty), s.val(v.ty))), fn.i64(0))
    return fn.nil()


# -- assignment ------------------------------------------------------------------------------------


def s_assign(fn: Fn, st: ast.Assign) -> None:
    target = st.target
    value = st.value
    fn.own_append = own_append(st)
    if isinstance(target, ast.Ident):
        ref = target.ref
        if isinstance(ref, Var):
            v = fn.convert(moved(fn, value), ir_type(ref.ty))
            fn.write_var(ref, v)
        elif isinstance(ref, tuple):
            v = moved(fn, value)
            store_field(fn, fn.self_value(), ref[0], ref[1], v)
    elif isinstance(target, ast.Index):
        store_index(fn, target, value)
    elif isinstance(target, ast.Field) and isinstance(target.ref, Var):  # of a package
        fn.write_var(target.ref, fn.convert(moved(fn, value), ir_type(target.ref.ty)))
    elif isinstance(target, ast.Field):
        obj = fn.expr(target.obj)
        v = moved(fn, value)
        fn.b.pos = st.lo
        set_field(fn, obj, target, v)
    fn.own_append = None


def store_index(fn: Fn, target: ast.Index, value: ast.Expr) -> None:
    b = fn.b
    ot = target.obj.ty
    k = find(ot).kinds
    held = Held()
    obj = fn.expr(target.obj)
    hold(fn, held, target.obj, obj, (target.index, value))
    key = fn.expr(target.index)
    v = moved(fn, value)
    release(fn, held)
    b.pos = target.lo
    if obj.type == REF and k & ~NIL == LIST and key.type == INT:
        if k & NIL:
            some, none = fn.new_block(), fn.new_block(True)
            b.brif(fn.is_nil(obj), none, some, -1)
            b.start(none)
            fn.panic("panic_msg", fn.str_const("invalid index target"))
            b.start(some)
        elem = elem_ty(fn, ot)
        v = fn.convert(v, ir_type(elem))
        i = word_index(fn, key)
        fast, slow, done = fn.new_block(), fn.new_block(True), fn.new_block()
        b.brif(b.emit(ULT, I32, [i, list_len(fn, obj)]), fast, slow, 1)
        b.start(fast)
        store_element(fn, obj, i, v, elem)
        b.jump(done)
        b.start(slow)
        grows = find(elem).kinds & NIL
        fn.call_runtime("list_set" if grows else "list_set_next", obj, fn.tag(key), fn.tag(v))
        b.jump(done)
        b.start(done)
    elif obj.type == REF and k == MAP:
        map_store(fn, obj, ot, key, v, find(target.index.ty).kinds)
    else:
        fn.feed_contents(ot, v, key)
        fn.call_runtime("dyn_set_index", fn.tag(obj), fn.tag(key), fn.tag(v))


def set_field(fn: Fn, obj: Value, target: ast.Field, v: Value) -> None:
    b = fn.b
    ot = target.obj.ty
    k = find(ot).kinds
    if obj.type == REF and k & ~NIL == STRUCT:
        sts = structs_of(fn, ot)
        if len(sts) == 1 and target.name in sts[0].fields:
            if k & NIL:
                ok, bad = fn.new_block(), fn.new_block(True)
                b.brif(fn.is_nil(obj), bad, ok, -1)
                b.start(bad)
                fn.panic("panic_msg", fn.str_const(f"cannot set field `{target.name}` of none"))
                b.start(ok)
            store_field(fn, obj, sts[0], target.name, v)
            return
    fn.feed_contents(ot, v)
    fn.call_runtime("dyn_set_field", fn.tag(obj), fn.str_const(target.name), fn.tag(v))


# -- control ---------------------------------------------------------------------------------------


def s_return(fn: Fn, st: ast.Return) -> None:
    if fn.info is fn.m.info.main:
        if st.value is not None:
            fn.expr(st.value)
        fn.b.ret()
        return
    if st.value is None:
        fn.ret(fn.nil())
        return
    v = moved_out(fn, st.value)
    if fn.b.reachable:
        for var, ty, t in reversed(fn.running):
            count_holder(fn, fn.b.read(var, ty), t, False)
        fn.ret(v)


def moved_out(fn: Fn, e: ast.Expr) -> Value:
    """A returned value: a local variable gives up its list, everything else keeps a reference."""
    if isinstance(e, ast.Ident) and isinstance(e.ref, Var):
        v = e.ref
        if v.kind in ("let", "var") and v.owner is fn.info and not v.captured and not v.global_:
            return fn.expr(e)
    return moved(fn, e)


def s_if(fn: Fn, st: ast.If) -> None:
    b = fn.b
    yes, done = fn.new_block(), fn.new_block()
    no = fn.new_block() if st.orelse is not None else done
    branch(fn, st.cond, yes, no)
    b.start(yes)
    fn.block(st.then)
    if b.reachable:
        b.jump(done)
    if st.orelse is not None:
        b.start(no)
        fn.block(st.orelse)
        if b.reachable:
            b.jump(done)
    b.start(done)


# -- expressions, tests, code that stands for others -----------------------------------------------


def s_expr(fn: Fn, st: ast.ExprStmt) -> None:
    fn.expr(st.expr)


def s_expect(fn: Fn, st: ast.Expect) -> None:
    b = fn.b
    ok, bad = fn.new_block(), fn.new_block(True)
    branch(fn, st.expr, ok, bad, 1)
    b.start(bad)
    b.pos = st.lo
    file, line, _ = fn.m.info.sources.position(st.lo)
    src = file.data[st.expr.lo - file.base : st.expr.hi - file.base].decode("utf-8", "replace")
    text = f"expect condition failed at {file.recorded()}:{line}: {src}"
    fn.panic("panic_expect", fn.str_const(text))
    b.start(ok)


def s_test(fn: Fn, st: ast.TestDecl) -> None:
    if fn.m.run_tests:
        fn.block(st.body)


def s_bench(fn: Fn, st: ast.BenchDecl) -> None:
    mark = fn.call_runtime("bench_begin")
    fn.block(st.body)
    if fn.b.reachable:
        fn.call_runtime("bench_end", mark, fn.str_const(st.name))


def s_code(fn: Fn, st: ast.OnHandler | ast.Emit | ast.Try) -> None:
    fn.block(st.code)


def s_fetch(fn: Fn, st: ast.FetchStmt) -> None:
    assert st.decl is not None
    s_vardecl(fn, st.decl)


def s_fun(fn: Fn, st: ast.FunDecl) -> None:
    f: FunInfo = st.info
    v = f.local_var
    if v is None or not fn.m.need_env.get(f):
        return
    c = make_closure(fn, f)
    if v.boxed:
        fn.write_var(v, c)
    else:
        fn.declare_var(v, c)
