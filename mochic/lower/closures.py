"""Function values: closures, partial application, methods as values.

Every function value is a closure object whose code takes the closure as first argument.  A function
without captures has a static closure and a thunk that drops that argument.  Calling with fewer
arguments than parameters makes a closure that holds what was given.
"""

from __future__ import annotations

from mochic.ir.builder import Builder
from mochic.ir.func import Func, FuncSym, Value
from mochic.ir.ops import CALL, CALLI, LD
from mochic.ir.types import PTR, REF, VOID
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.sema.symbols import FunInfo, StructInfo
from mochic.sema.types import Slot, find
from mochic.syntax import ast


def closure_of(fn: Fn, f: FunInfo) -> Value:
    """The closure of a nested function, visible here by its local variable."""
    if f is fn.info:
        assert fn.env is not None
        return fn.env
    assert f.local_var is not None
    return fn.read_var(f.local_var, REF)


def fun_ref(fn: Fn, f: FunInfo) -> Value:
    """A named function as a value."""
    if fn.m.need_env.get(f):
        return closure_of(fn, f)
    return fn.sym(fn.m.static_closure(thunk(fn, f), len(f.params)), REF)


def thunk(fn: Fn, f: FunInfo) -> FuncSym:
    """Code for a closure of a function that takes no environment."""
    key = ("thunk", f)
    t = fn.m.stubs.get(key)
    if t is None:
        target = fn.m.fun_sym(f)
        t = FuncSym(fn.m.unique(target.name + ".value"), [REF, *target.params], target.ret)
        t.slots = [None, *target.slots]
        t.display = target.display
        t.pos = target.pos
        fn.m.stubs[key] = t
        sym = t

        def make() -> Func:
            ir = Func(sym)
            b = Builder(ir)
            ps = [ir.new_param(ir.blocks[0], ty) for ty in sym.params]
            r = b.emit(CALL, target.ret, list(ps[1:]), 0, target)
            b.ret(None if target.ret == VOID else r)
            return b.finish()

        fn.m.pending.append(make)
    return t


def e_fun(fn: Fn, e: ast.FunExpr) -> Value:
    f: FunInfo = e.info
    fn.b.pos = e.lo
    if not fn.m.need_env.get(f):
        return fun_ref(fn, f)
    return make_closure(fn, f)


def make_closure(fn: Fn, f: FunInfo) -> Value:
    """A closure object: code and captured variables (cells, or values that never change)."""
    caps = fn.m.captures(f)
    captured, slot = fn.layout.closure_captured, fn.layout.slot
    sym = fn.m.fun_sym(f)
    desc = fn.m.closure_desc(sym.name, len(f.params), [(v.ty, v.boxed) for v in caps])
    vals = []
    for v in caps:
        vals.append(fn.cell_of(v) if v.boxed else fn.read_var(v, ir_type(v.ty)))
    c = fn.alloc(desc, captured + slot * len(caps))
    fn.store(c, fn.sym(sym), fn.layout.closure_code)
    for i, (v, w) in enumerate(zip(caps, vals, strict=True)):
        fn.store(c, w, captured + slot * i, None if v.boxed else fn.m.slot(v.ty))
    return c


# -- partial application ---------------------------------------------------------------------------


def partial(fn: Fn, closure: Value, params: list[Slot], ret: Slot, args: list[Value]) -> Value:
    """A closure of the remaining parameters; it holds the callee and the arguments given."""
    n = len(args)
    key = ("partial", tuple(find(p) for p in params), find(ret), n)
    stub = fn.m.stubs.get(key)
    if stub is None:
        stub = _partial_stub(fn, params, ret, n)
        fn.m.stubs[key] = stub
    desc_key = ("partial desc", key)
    desc = fn.m.list_descs.get(desc_key)
    if desc is None:
        desc = fn.m.closure_desc(stub.name, len(params) - n, [(ret, True), *[(p, False) for p in params[:n]]])
        fn.m.list_descs[desc_key] = desc
    given_at = fn.layout.closure_captured + fn.layout.slot
    c = fn.alloc(desc, given_at + fn.layout.slot * n)
    fn.store(c, fn.sym(stub), fn.layout.closure_code)
    fn.store(c, closure, fn.layout.closure_captured)
    for i, a in enumerate(args):
        fn.store(c, a, given_at + fn.layout.slot * i, fn.m.slot(params[i]))
    return c


def _partial_stub(fn: Fn, params: list[Slot], ret: Slot, n: int) -> FuncSym:
    m = fn.m
    layout = fn.layout
    sig = m.sig(params, ret)
    rest = m.sig(params[n:], ret)
    stub = FuncSym(m.unique("mochi.partial"), rest.params, rest.ret)
    stub.slots = rest.slots
    stub.display = "<partial>"

    def make() -> Func:
        ir = Func(stub)
        b = Builder(ir)
        ps = [ir.new_param(ir.blocks[0], ty) for ty in stub.params]
        inner = b.emit(LD, REF, [ps[0]], layout.closure_captured)
        given = []
        for i, p in enumerate(params[:n]):
            at = layout.closure_captured + layout.slot * (i + 1)
            given.append(b.emit(LD, ir_type(p), [ps[0]], at, m.slot(p)))
        code = b.emit(LD, PTR, [inner], layout.closure_code)
        r = b.emit(CALLI, sig.ret, [code, inner, *given, *ps[1:]], 0, sig)
        b.ret(None if sig.ret == VOID else r)
        return b.finish()

    m.pending.append(make)
    return stub


# -- methods as values -----------------------------------------------------------------------------


def bound_method(fn: Fn, obj: Value, st: StructInfo, name: str) -> Value:
    """`p.m` as a value: a closure that holds the instance."""
    m = st.methods[name]
    key = ("bound", m)
    stub = fn.m.stubs.get(key)
    target = fn.m.fun_sym(m)
    if stub is None:
        stub = FuncSym(fn.m.unique(target.name + ".bound"), target.params, target.ret)
        stub.slots = target.slots
        stub.display = target.display
        fn.m.stubs[key] = stub
        sym = stub

        def make() -> Func:
            ir = Func(sym)
            b = Builder(ir)
            ps = [ir.new_param(ir.blocks[0], ty) for ty in sym.params]
            me = b.emit(LD, REF, [ps[0]], fn.layout.closure_captured)
            r = b.emit(CALL, target.ret, [me, *ps[1:]], 0, target)
            b.ret(None if target.ret == VOID else r)
            return b.finish()

        fn.m.pending.append(make)
    desc = fn.m.list_descs.get(key)
    if desc is None:
        assert m.self_var is not None
        desc = fn.m.closure_desc(stub.name, len(m.params), [(m.self_var.ty, True)])
        fn.m.list_descs[key] = desc
    c = fn.alloc(desc, fn.layout.closure_captured + fn.layout.slot)
    fn.store(c, fn.sym(stub), fn.layout.closure_code)
    fn.store(c, obj, fn.layout.closure_captured)
    return c
