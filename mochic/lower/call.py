"""Lowering of calls, closures, methods and partial application.

Every function value is a closure object whose code takes the closure as first argument.  A function
without captures has a static closure and a thunk that drops that argument.  Calling with fewer
arguments than parameters makes a closure that holds what was given.
"""

from __future__ import annotations

from collections.abc import Sequence

from mochic.ir.builder import Builder
from mochic.ir.func import Func, FuncSym, Value
from mochic.ir.ops import ADD, CALL, CALLI, EQ, FABS, FSQRT, LD, LD32U, ULE
from mochic.ir.types import F64, I32, I64, INT, PTR, REF, VOID
from mochic.lower.aliasing import Held
from mochic.lower.appends import Code
from mochic.lower.base import CLOSURE_CODE, CLOSURE_ENV, DESC_CODE
from mochic.lower.builtins import Builtins
from mochic.lower.module import ir_type
from mochic.sema.builtins import METHODS, OF_MAPS, value_method
from mochic.sema.modules import Member
from mochic.sema.symbols import BuiltinRef, FunInfo, StructInfo, Var
from mochic.sema.types import FUNC, LIST, MAP, NIL, STR, STRUCT, FunSig, Ty, find
from mochic.syntax import ast


class Calls(Builtins):
    def e_call(self, e: ast.Call) -> Value:
        fn = e.fn
        if isinstance(e.ref, ast.Call):  # eval
            return self.expr(e.ref)
        if isinstance(fn, ast.Ident):
            r = fn.ref
            if isinstance(r, FunInfo):
                return self.call_fun(e, r)
            if isinstance(r, BuiltinRef):
                return self.builtin(e, r.name)
            if isinstance(r, StructInfo):
                return self.call_variant(e, r)
        elif isinstance(fn, ast.Field):
            if isinstance(e.ref, Member):
                return self.call_member(e, e.ref)
            if isinstance(e.ref, FunInfo):
                return self.call_fun(e, e.ref)
            if isinstance(e.ref, StructInfo):
                return self.call_variant(e, e.ref)
            if isinstance(fn.ref, Var):
                return self.call_value(self.expr(fn), fn.ty, e)
            return self.call_method(e, fn)
        return self.call_value(self.expr(fn), fn.ty, e)

    def args_for(self, args: list[ast.Expr], params: list[Ty], held: Held, callees: Sequence[Code]) -> list[Value]:
        """Arguments in the parameters' representations; extra ones are evaluated and dropped.

        They are held while the later ones are evaluated and while the callees run.  Arguments that are fewer than the
        parameters may be stored, in a partial application.
        """
        out = []
        stored = len(args) < len(params)
        for i, a in enumerate(args):
            v = self.moved(a) if stored else self.expr(a)
            if i < len(params):
                if not stored and self.appends_to(a.ty):
                    running = [c for c in callees if not isinstance(c, FunInfo) or self.reads_late(c, i, a.ty)]
                    self.hold(held, a, v, (*args[i + 1 :], *running))
                out.append(self.convert(v, ir_type(params[i])))
        return out

    def reads_late(self, f: FunInfo, i: int, t: Ty) -> bool:
        """Parameter i, for which a list of type t is passed, is looked at after an append."""
        return i < len(f.params) and self.m.late_uses.of(f, f.params[i], find(self.m.solver.elem(t)))

    def result(self, v: Value, e: ast.Expr) -> Value:
        """A call's value in the representation of the expression; unit calls give null."""
        return self.convert(v, ir_type(e.ty))

    def call_fun(self, e: ast.Call, f: FunInfo) -> Value:
        params = [p.ty for p in f.params]
        held = Held()
        args = self.args_for(e.args, params, held, (f,))
        self.b.pos = e.lo
        if len(args) < len(params):
            return self.partial(self.fun_ref(f), params, f.ret, args)
        sym = self.m.fun_sym(f)
        if f.struct is not None:
            args.insert(0, self.self_value())
        elif self.m.need_env.get(f):
            args.insert(0, self.closure_of(f))
        v = self.call(sym, args)
        self.release(held)
        return self.result(v, e)

    def closure_of(self, f: FunInfo) -> Value:
        """The closure of a nested function, visible here by its local variable."""
        if f is self.f:
            assert self.env is not None
            return self.env
        assert f.local_var is not None
        return self.read_var(f.local_var, REF)

    def fun_ref(self, f: FunInfo) -> Value:
        """A named function as a value."""
        if self.m.need_env.get(f):
            return self.closure_of(f)
        return self.sym(self.m.static_closure(self.thunk(f), len(f.params)), REF)

    def thunk(self, f: FunInfo) -> FuncSym:
        """Code for a closure of a function that takes no environment."""
        key = ("thunk", f)
        t = self.m.stubs.get(key)
        if t is None:
            target = self.m.fun_sym(f)
            t = FuncSym(self.m.unique(target.name + ".value"), [REF, *target.params], target.ret)
            t.slots = [None, *target.slots]
            t.display = target.display
            t.pos = target.pos
            self.m.stubs[key] = t
            sym = t

            def make() -> Func:
                fn = Func(sym)
                b = Builder(fn)
                ps = [fn.new_param(fn.blocks[0], ty) for ty in sym.params]
                r = b.emit(CALL, target.ret, list(ps[1:]), 0, target)
                b.ret(None if target.ret == VOID else r)
                return b.finish()

            self.m.pending.append(make)
        return t

    def e_fun(self, e: ast.FunExpr) -> Value:
        f: FunInfo = e.info
        self.b.pos = e.lo
        if not self.m.need_env.get(f):
            return self.fun_ref(f)
        return self.make_closure(f)

    def make_closure(self, f: FunInfo) -> Value:
        """A closure object: code and captured variables (cells, or values that never change)."""
        caps = self.m.captures(f)
        sym = self.m.fun_sym(f)
        desc = self.m.closure_desc(sym.name, len(f.params), [(v.ty, v.boxed) for v in caps])
        vals = []
        for v in caps:
            vals.append(self.cell_of(v) if v.boxed else self.read_var(v, ir_type(v.ty)))
        c = self.alloc(desc, CLOSURE_ENV + 8 * len(caps))
        self.st(c, self.sym(sym), CLOSURE_CODE)
        for i, (v, w) in enumerate(zip(caps, vals, strict=True)):
            self.st(c, w, CLOSURE_ENV + 8 * i, None if v.boxed else self.m.slot(v.ty))
        return c

    def partial(self, closure: Value, params: list[Ty], ret: Ty, args: list[Value]) -> Value:
        """A closure of the remaining parameters; it holds the callee and the arguments given."""
        n = len(args)
        key = ("partial", tuple(find(p) for p in params), find(ret), n)
        stub = self.m.stubs.get(key)
        if stub is None:
            stub = self._partial_stub(params, ret, n)
            self.m.stubs[key] = stub
        desc_key = ("partial desc", key)
        desc = self.m.list_descs.get(desc_key)
        if desc is None:
            desc = self.m.closure_desc(stub.name, len(params) - n, [(ret, True), *[(p, False) for p in params[:n]]])
            self.m.list_descs[desc_key] = desc
        c = self.alloc(desc, CLOSURE_ENV + 8 + 8 * n)
        self.st(c, self.sym(stub), CLOSURE_CODE)
        self.st(c, closure, CLOSURE_ENV)
        for i, a in enumerate(args):
            self.st(c, a, CLOSURE_ENV + 8 + 8 * i, self.m.slot(params[i]))
        return c

    def _partial_stub(self, params: list[Ty], ret: Ty, n: int) -> FuncSym:
        m = self.m
        sig = m.sig(params, ret)
        rest = m.sig(params[n:], ret)
        stub = FuncSym(m.unique("mochi.partial"), rest.params, rest.ret)
        stub.slots = rest.slots
        stub.display = "<partial>"

        def make() -> Func:
            fn = Func(stub)
            b = Builder(fn)
            ps = [fn.new_param(fn.blocks[0], ty) for ty in stub.params]
            inner = b.emit(LD, REF, [ps[0]], CLOSURE_ENV)
            given = []
            for i, p in enumerate(params[:n]):
                given.append(b.emit(LD, ir_type(p), [ps[0]], CLOSURE_ENV + 8 + 8 * i, m.slot(p)))
            code = b.emit(LD, PTR, [inner], CLOSURE_CODE)
            r = b.emit(CALLI, sig.ret, [code, inner, *given, *ps[1:]], 0, sig)
            b.ret(None if sig.ret == VOID else r)
            return b.finish()

        m.pending.append(make)
        return stub

    # -- calls through values -------------------------------------------------------------------

    def call_value(self, callee: Value, t: Ty, e: ast.Call) -> Value:
        k = find(t).kinds
        sig = self.m.solver.shape(t).sig
        if sig is None or not k & FUNC:
            # Nothing callable ever flows here.
            for a in e.args:
                self.expr(a)
            self.b.pos = e.lo
            self.rt("dyn_callee", self.tag(callee))
            return self.result(self.nil(), e)
        held = Held()
        args = self.args_for(e.args, sig.params, held, (e,))
        self.b.pos = e.lo
        if k != FUNC:
            callee = self.rt("dyn_callee", self.tag(callee))
        v = self.apply_value(callee, sig, args, e)
        self.release(held)
        return v

    def apply_value(self, callee: Value, sig: FunSig, args: list[Value], e: ast.Call) -> Value:
        """Call a closure, or make a partial application: known from the type, or from the closure's own arity."""
        params = sig.params
        n = len(args)
        whole = self.m.sig(params, sig.ret)
        if n >= len(params):
            return self.result(self.call_indirect(callee, whole, args), e)
        if n < sig.fewest:
            return self.result(self.partial(callee, params, sig.ret, args), e)
        b = self.b
        want = ir_type(e.ty)
        call, part, done = self.new_block(), self.new_block(), self.new_block()
        arity = b.emit(LD32U, I64, [self.ld(PTR, callee, 0)], DESC_CODE)
        b.brif(b.emit(ULE, I32, [arity, self.i64(n)]), call, part)
        b.start(call)
        # Parameters beyond the callee's own are not looked at.
        rest = [self.convert(self.nil(), ir_type(p)) for p in params[n:]]
        b.write("#call", self.result(self.call_indirect(callee, whole, args + rest), e))
        b.jump(done)
        b.start(part)
        b.write("#call", self.result(self.partial(callee, params, sig.ret, args), e))
        b.jump(done)
        b.start(done)
        return b.read("#call", want)

    def call_variant(self, e: ast.Call, st: StructInfo) -> Value:
        given: dict[str, Value] = {}
        for a, name in zip(e.args, st.fields, strict=False):
            given[name] = self.convert(self.moved(a), ir_type(st.fields[name]))
        self.b.pos = e.lo
        if not st.fields:
            return self.sym(self.m.singleton(st), REF)
        return self.make_struct(st, given)

    def call_member(self, e: ast.Call, m: Member) -> Value:
        b = self.b
        if m.code == "add":
            ints = [self.int_of(self.expr(a)) for a in e.args]
            b.pos = e.lo
            return self.convert(b.emit(ADD, INT, ints), ir_type(e.ty))
        args = self.args(e.args, m.kinds, m.name)
        b.pos = e.lo
        if m.code == "sqrt":
            return b.emit(FSQRT, F64, args)
        if m.code == "fabs":
            return b.emit(FABS, F64, args)
        return self.from_runtime(self.rt(m.code, *args), e)

    # -- methods --------------------------------------------------------------------------------

    def call_method(self, e: ast.Call, fn: ast.Field) -> Value:
        ot = fn.obj.ty
        k = find(ot).kinds
        obj = self.expr(fn.obj)
        name = fn.name
        if k & ~NIL == STRUCT and obj.type == REF:
            sts = self.structs_of(ot)
            if len(sts) == 1 and name in sts[0].methods:
                m = sts[0].methods[name]
                params = [p.ty for p in m.params]
                held = Held()
                args = self.args_for(e.args, params, held, (m,))
                self.b.pos = e.lo
                want = ir_type(e.ty)
                if k & NIL:
                    v = self.unless_nil(obj, want, lambda: self.invoke(obj, m, params, args, e))
                else:
                    v = self.invoke(obj, m, params, args, e)
                self.release(held)
                return v
            if all(name in s.fields for s in sts):
                callee = self.field_of(obj, ot, name, ir_type(sts[0].fields[name]))
                return self.call_value(callee, sts[0].fields[name], e)
        if k == MAP and name not in OF_MAPS:
            vt = self.m.solver.val(ot)
            callee = self.rt("dyn_field", self.tag(obj), self.str_const(name))
            return self.call_dynamic(callee, vt, e)
        if (k & (STR | LIST | MAP) or name == "padStart") and not k & STRUCT:
            return self.value_method(obj, ot, name, e)
        return self.method_among(obj, ot, name, e)

    def call_dynamic(self, callee: Value, t: Ty, e: ast.Call) -> Value:
        """Call a TAG whose functions have the signature of t."""
        sig = self.m.solver.shape(t).sig
        if sig is None:
            self.rt("dyn_callee", callee)
            return self.result(self.nil(), e)
        held = Held()
        args = self.args_for(e.args, sig.params, held, (e,))
        self.b.pos = e.lo
        closure = self.rt("dyn_callee", callee)
        v = self.apply_value(closure, sig, args, e)
        self.release(held)
        return v

    def invoke(self, obj: Value, m: FunInfo, params: list[Ty], args: list[Value], e: ast.Call) -> Value:
        if len(args) < len(params):
            assert m.struct is not None
            return self.partial(self.bound_method(obj, m.struct, m.name.split(".")[-1]), params, m.ret, args)
        return self.result(self.call(self.m.fun_sym(m), [obj, *args]), e)

    def method_among(self, obj: Value, ot: Ty, name: str, e: ast.Call) -> Value:
        """A method call on a value of several types: dispatch on the descriptor."""
        b = self.b
        want = ir_type(e.ty)
        held = Held()
        raw = []
        for i, a in enumerate(e.args):
            raw.append(self.expr(a))
            self.hold(held, a, raw[-1], (*e.args[i + 1 :], e))
        b.pos = e.lo
        v = self.tag(obj)
        done, other = self.new_block(), self.new_block(True)
        ref = self.check_ref(v, other)
        desc = self.ld(PTR, ref, 0)
        for st in self.structs_of(ot):
            m = st.methods.get(name)
            if m is None:
                continue
            here, nxt = self.new_block(), self.new_block()
            b.brif(self._same(desc, st), here, nxt)
            b.start(here)
            params = [p.ty for p in m.params]
            args = [self.convert(a, ir_type(t)) for a, t in zip(raw, params, strict=False)]
            b.write("#call", self.convert(self.invoke(ref, m, params, args, e), want))
            b.jump(done)
            b.start(nxt)
        b.jump(other)
        b.start(other)
        rest = find(ot).kinds & ~STRUCT
        if rest and value_method(rest, name) and len(raw) >= METHODS[name][0]:
            b.write("#call", self.convert(self.value_call(v, ot, name, e, raw), want))
            b.jump(done)
        else:
            self.panic("panic_msg", self.str_const(f"the value has no method `{name}`"))
        b.start(done)
        self.release(held)
        return b.read("#call", want)

    def _same(self, desc: Value, st: StructInfo) -> Value:
        return self.b.emit(EQ, I32, [desc, self.sym(self.m.struct_desc(st))])

    def bound_method(self, obj: Value, st: StructInfo, name: str) -> Value:
        """`p.m` as a value: a closure that holds the instance."""
        m = st.methods[name]
        key = ("bound", m)
        stub = self.m.stubs.get(key)
        target = self.m.fun_sym(m)
        if stub is None:
            stub = FuncSym(self.m.unique(target.name + ".bound"), target.params, target.ret)
            stub.slots = target.slots
            stub.display = target.display
            self.m.stubs[key] = stub
            sym = stub

            def make() -> Func:
                fn = Func(sym)
                b = Builder(fn)
                ps = [fn.new_param(fn.blocks[0], ty) for ty in sym.params]
                me = b.emit(LD, REF, [ps[0]], CLOSURE_ENV)
                r = b.emit(CALL, target.ret, [me, *ps[1:]], 0, target)
                b.ret(None if target.ret == VOID else r)
                return b.finish()

            self.m.pending.append(make)
        desc = self.m.list_descs.get(key)
        if desc is None:
            assert m.self_var is not None
            desc = self.m.closure_desc(stub.name, len(m.params), [(m.self_var.ty, True)])
            self.m.list_descs[key] = desc
        c = self.alloc(desc, CLOSURE_ENV + 8)
        self.st(c, self.sym(stub), CLOSURE_CODE)
        self.st(c, obj, CLOSURE_ENV)
        return c
