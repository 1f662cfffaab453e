"""Lowering of operators, literals, conditions and control expressions."""

from __future__ import annotations

from typing import Any

from mochic.ir.func import Block, Value
from mochic.ir.ops import (
    ADD, EQ, FADD, FCONST, FDIV, FEQ, FLE, FLT, FMUL, FNE, FNEG, FSUB, ICONST, MUL, NE, NEG, SDIV, SLE, SLT, SREM,
    SUB,
)  # fmt: skip
from mochic.ir.types import F64, I32, INT, REF, TAG
from mochic.lower.aliasing import Held
from mochic.lower.constants import Constants
from mochic.lower.match import Matches
from mochic.lower.literals import literal
from mochic.lower.module import ir_type
from mochic.sema.modules import Member
from mochic.sema.symbols import FunInfo, StructInfo, Var
from mochic.sema.types import LIST, MAP, NIL, NUMERIC, STR, Ty, find
from mochic.syntax import ast

_INT_OPS = {"+": ADD, "-": SUB, "*": MUL, "/": SDIV, "%": SREM}
_FLOAT_OPS = {"+": FADD, "-": FSUB, "*": FMUL, "/": FDIV}
_DYN_OPS = {"+": "dyn_add", "-": "dyn_sub", "*": "dyn_mul", "/": "dyn_div", "%": "dyn_rem"}
_SET_OPS = {
    "union": "list_union", "union all": "list_union_all", "except": "list_except", "intersect": "list_intersect",
}  # fmt: skip


# Lists of more elements are made before their elements, so that these need not be held, all at once, in registers.
LONG_LIST = 8
# Texts of more parts are put together piece by piece, for the same reason.
LONG_TEXT = 9


class Exprs(Matches, Constants):
    def expr(self, e: ast.Expr) -> Value:
        """The value of e in the representation of e.ty."""
        if self.given:
            known = self.given.get(e)
            if known is not None:
                return known()
        v: Value = _EXPRS[type(e)](self, e)
        return v

    def expr_as(self, e: ast.Expr, ty: int) -> Value:
        return self.convert(self.expr(e), ty)

    def e_literal(self, e: ast.Expr) -> Value:
        return literal(self, e)

    def e_ident(self, e: ast.Ident) -> Value:
        r = e.ref
        want = ir_type(e.ty)
        if isinstance(r, Var):
            return self.convert(self.read_var(r, ir_type(r.ty)), want)
        if isinstance(r, FunInfo):
            return self.fun_ref(r)
        if isinstance(r, StructInfo):
            return self.sym(self.m.singleton(r), REF)
        if isinstance(r, ast.FunExpr):
            return self.e_fun(r)
        if isinstance(r, ast.Field):
            return self.convert(self.expr(r), want)
        if isinstance(r, tuple):
            return self.convert(self.load_field(self.self_value(), r[0], r[1]), want)
        return self.convert(self.nil(), want)

    def self_value(self) -> Value:
        f: FunInfo | None = self.f
        while f is not None and f.struct is None:
            f = f.owner
        assert f is not None and f.self_var is not None
        return self.read_var(f.self_var, REF)

    # -- arithmetic -----------------------------------------------------------------------------

    def e_binary(self, e: ast.Binary) -> Value:
        op = e.op
        if op in ("&&", "||"):
            return self.logic(e)
        if op == "??":
            return self.coalesce(e)
        if find(e.ty).kinds == STR and op == "+":
            return self.concat(e)
        # The left spine with a loop, see ExprInfer.e_binary.
        spine = [e]
        left = e.left
        while isinstance(left, ast.Binary) and left.op not in ("&&", "||", "??") and not _is_concat(left):
            spine.append(left)
            left = left.left
        v = self.expr(left)
        for x in reversed(spine):
            held = Held()
            self.hold(held, x.left, v, (x.right,))
            r = self.expr(x.right)
            self.release(held)
            self.b.pos = x.lo
            v = self.binary(x, v, r)
        return v

    def binary(self, e: ast.Binary, l: Value, r: Value) -> Value:
        op = e.op
        if op in _INT_OPS:
            return self.arith(op, l, r, e.left.ty, e.right.ty, e.ty)
        if op == "in":
            return self.contains(l, r, e.left.ty, e.right.ty)
        if op in _SET_OPS:
            if find(e.left.ty).kinds == LIST and find(e.right.ty).kinds == LIST:
                v = self.rt(_SET_OPS[op], l, r)
            else:
                v = self.rt(_SET_OPS[op], self.rt("dyn_iter", self.tag(l)), self.rt("dyn_iter", self.tag(r)))
            return self.share_elements(v, e.ty)
        return self.compare(op, l, r, e.left.ty, e.right.ty)

    def arith(self, op: str, l: Value, r: Value, lt: Ty, rt: Ty, res: Ty) -> Value:
        b = self.b
        lk, rk = l.type, r.type
        want = ir_type(res)
        if lk == INT and rk == INT:
            if op in "/%":
                self.check_zero_int(r)
            return self.convert(b.emit(_INT_OPS[op], INT, [l, r]), want)
        if lk in (INT, F64) and rk in (INT, F64):
            x = self.to_f64(l)
            y = self.to_f64(r)
            if op in "/%":
                self.check_zero_f64(y)
                if op == "%":
                    return self.convert(self.rt("f64_rem", x, y), want)
            return self.convert(b.emit(_FLOAT_OPS[op], F64, [x, y]), want)
        if op == "+" and find(lt).kinds == LIST and find(rt).kinds == LIST:
            return self.convert(self.share_elements(self.rt("list_concat", l, r), lt), want)
        v = self.rt(_DYN_OPS[op], self.tag(l), self.tag(r))
        return self.convert(self.share_elements(v, res) if op == "+" else v, want)

    def check_zero_int(self, v: Value) -> None:
        if v.op == ICONST and v.imm:
            return
        b = self.b
        bad, ok = self.new_block(True), self.new_block()
        b.brif(b.emit(EQ, I32, [v, self.int_const(0)]), bad, ok, -1)
        b.start(bad)
        self.panic("panic_div0")
        b.start(ok)

    def check_zero_f64(self, v: Value) -> None:
        if v.op == FCONST and v.imm << 1 & (1 << 64) - 1:
            return
        b = self.b
        bad, ok = self.new_block(True), self.new_block()
        b.brif(b.emit(FEQ, I32, [v, b.emit(FCONST, F64, [], 0)]), bad, ok, -1)
        b.start(bad)
        self.panic("panic_div0")
        b.start(ok)

    def e_unary(self, e: ast.Unary) -> Value:
        if e.op == "!":
            return self.not_(self.cond(e.operand))
        v = self.expr(e.operand)
        b = self.b
        b.pos = e.lo
        want = ir_type(e.ty)
        if v.type == INT:
            return self.convert(b.emit(NEG, INT, [v]), want)
        if v.type == F64:
            return self.convert(b.emit(FNEG, F64, [v]), want)
        return self.convert(self.rt("dyn_neg", self.tag(v)), want)

    # -- strings --------------------------------------------------------------------------------

    def concat(self, e: ast.Binary) -> Value:
        """A chain of `+` that makes a string: one allocation for up to three parts."""
        parts: list[ast.Expr] = []
        left: ast.Expr = e
        while isinstance(left, ast.Binary) and _is_concat(left) and left.op == "+":
            parts.append(left.right)
            left = left.left
        parts.append(left)
        parts.reverse()
        # `1 + 2 + "a"` adds first: the leftmost part is whatever is not yet a string
        return self.join_texts(parts, e.lo)

    def join_texts(self, parts: list[ast.Expr], pos: int) -> Value:
        if len(parts) > LONG_TEXT:
            n = LONG_TEXT
            while n * LONG_TEXT < len(parts):
                n *= LONG_TEXT
            vals = [self.join_texts(parts[i : i + n], pos) for i in range(0, len(parts), n)]
        else:
            vals = [self.text(self.expr(p), p.ty) for p in parts]
        self.b.pos = pos
        if len(vals) == 1:
            return vals[0]
        while len(vals) > 3:
            vals[0:3] = [self.rt("str_concat3", *vals[0:3])]
        if len(vals) == 3:
            return self.rt("str_concat3", *vals)
        return self.rt("str_concat", *vals)

    def text(self, v: Value, t: Ty) -> Value:
        """Form S of a value, as a string."""
        if v.type == REF and find(t).kinds == STR:
            return v
        if v.type == INT:
            return self.rt("str_of_int", self.tag(v))
        if v.type == F64:
            return self.rt("str_of_f64", v)
        if v.type == I32:
            return self.rt("str_of_bool", v)
        return self.rt("str_of_tag", self.tag(v))

    # -- comparison -----------------------------------------------------------------------------

    def compare(self, op: str, l: Value, r: Value, lt: Ty, rt: Ty) -> Value:
        b = self.b
        lk, rk = find(lt).kinds, find(rt).kinds
        if op in ("==", "!="):
            v = self.equal(l, r, lk, rk)
            if v.op == EQ and op == "!=":
                v.op = NE
                return v
            if v.op == FEQ and op == "!=":
                v.op = FNE
                return v
            return v if op == "==" else self.not_(v)
        if op in (">", ">="):
            l, r, lk, rk = r, l, rk, lk
        strict = op in ("<", ">")
        if l.type == INT and r.type == INT:
            return b.emit(SLT if strict else SLE, I32, [l, r])
        if l.type in (INT, F64) and r.type in (INT, F64):
            return b.emit(FLT if strict else FLE, I32, [self.to_f64(l), self.to_f64(r)])
        if lk == STR and rk == STR:
            c = self.rt("str_cmp", l, r)
            return b.emit(SLT if strict else SLE, I32, [c, self.i64(0)])
        return self.rt("dyn_lt" if strict else "dyn_le", self.tag(l), self.tag(r))

    def equal(self, l: Value, r: Value, lk: int, rk: int) -> Value:
        b = self.b
        if l.type == INT and r.type == INT:
            return b.emit(EQ, I32, [l, r])
        if l.type in (INT, F64) and r.type in (INT, F64):
            return b.emit(FEQ, I32, [self.to_f64(l), self.to_f64(r)])
        if l.type == I32 and r.type == I32:
            return b.emit(EQ, I32, [l, r])
        if lk == NIL and r.type in (REF, TAG):
            return self.is_nil(r)
        if rk == NIL and l.type in (REF, TAG):
            return self.is_nil(l)
        if lk == STR and rk == STR:
            return self.rt("str_eq", l, r)
        if not lk & rk and not (lk & NUMERIC and rk & NUMERIC):
            return self.bool_const(False)
        return self.rt("dyn_eq", self.tag(l), self.tag(r))

    def contains(self, x: Value, c: Value, xt: Ty, ct: Ty) -> Value:
        b = self.b
        ck = find(ct).kinds
        if c.type == REF:
            if ck == MAP:
                slot = self.map_find(c, ct, x, find(xt).kinds)
                if slot is not None:
                    return b.emit(NE, I32, [slot, b.iconst(slot.type, 0)])
            elif ck == STR and find(xt).kinds == STR:
                return self.rt("str_contains", c, x)
            elif ck == LIST:
                return self.rt("list_contains", c, self.tag(x))
        return self.rt("dyn_in", self.tag(x), self.tag(c))

    # -- conditions and logic -------------------------------------------------------------------

    def truth(self, v: Value, t: Ty) -> Value:
        """Truthiness (8.4) as I32."""
        b = self.b
        if v.type == I32:
            return v
        if v.type == INT:
            return b.emit(NE, I32, [v, self.int_const(0)])
        return self.rt("truthy", self.tag(v))

    def cond(self, e: ast.Expr) -> Value:
        return self.truth(self.expr(e), e.ty)

    def branch(self, e: ast.Expr, yes: Block, no: Block, hint: int = 0) -> None:
        """Jump to yes or no by the truth of e; short-circuit operators become control flow."""
        b = self.b
        while True:
            if isinstance(e, ast.Unary) and e.op == "!":
                yes, no, hint = no, yes, -hint
                e = e.operand
                continue
            if isinstance(e, ast.Binary) and e.op in ("&&", "||"):
                mid = self.new_block()
                if e.op == "&&":
                    self.branch(e.left, mid, no)
                else:
                    self.branch(e.left, yes, mid)
                b.start(mid)
                e = e.right
                continue
            b.brif(self.cond(e), yes, no, hint)
            return

    def logic(self, e: ast.Binary) -> Value:
        """`l && r`: the deciding operand itself."""
        b = self.b
        want = ir_type(e.ty)
        l = self.expr(e.left)
        right, done = self.new_block(), self.new_block()
        b.write("#logic", self.convert(l, want))
        c = self.truth(l, e.left.ty)
        if e.op == "&&":
            b.brif(c, right, done)
        else:
            b.brif(c, done, right)
        b.start(right)
        v = self.expr_as(e.right, want)
        b.write("#logic", v)
        b.jump(done)
        b.start(done)
        return b.read("#logic", want)

    def coalesce(self, e: ast.Binary) -> Value:
        """`a ?? b`; a map lookup on the left needs no boxed null."""
        b = self.b
        want = ir_type(e.ty)
        left = e.left
        if isinstance(left, ast.Index) and find(left.obj.ty).kinds == MAP:
            m = self.expr(left.obj)
            key = self.expr(left.index)
            b.pos = e.lo
            slot = self.map_find(m, left.obj.ty, key, find(left.index.ty).kinds)
            vt = self.m.solver.val(left.obj.ty)
            if slot is not None and not find(vt).kinds & NIL:
                some, none, done = self.new_block(), self.new_block(), self.new_block()
                b.brif(b.emit(EQ, I32, [slot, b.iconst(slot.type, 0)]), none, some, -1)
                b.start(some)
                b.write("#opt", self.convert(self.ld(ir_type(vt), slot, 0, self.m.slot(vt)), want))
                b.jump(done)
                b.start(none)
                b.write("#opt", self.expr_as(e.right, want))
                b.jump(done)
                b.start(done)
                return b.read("#opt", want)
            l = self.index_known(m, MAP, left.obj.ty, key, find(left.index.ty).kinds, ir_type(left.ty))
        else:
            l = self.expr(left)
        if l.type not in (REF, TAG) or not find(left.ty).kinds & NIL:
            return self.convert(l, want)
        some, none, done = self.new_block(), self.new_block(), self.new_block()
        b.brif(self.is_nil(l), none, some)
        b.start(some)
        b.write("#opt", self.convert(l, want))
        b.jump(done)
        b.start(none)
        b.write("#opt", self.expr_as(e.right, want))
        b.jump(done)
        b.start(done)
        return b.read("#opt", want)

    def e_if(self, e: ast.IfExpr) -> Value:
        b = self.b
        want = ir_type(e.ty)
        yes, no, done = self.new_block(), self.new_block(), self.new_block()
        self.branch(e.cond, yes, no)
        b.start(yes)
        b.write("#if", self.expr_as(e.then, want))
        b.jump(done)
        b.start(no)
        b.write("#if", self.expr_as(e.orelse, want) if e.orelse is not None else self.convert(self.nil(), want))
        b.jump(done)
        b.start(done)
        return b.read("#if", want)

    # -- aggregates -----------------------------------------------------------------------------

    def e_list(self, e: ast.ListLit) -> Value:
        made = self.template(e)
        if made is not None:
            return made
        elem = self.elem_ty(e.ty)
        ty = ir_type(elem)
        b = self.b
        if len(e.elems) > LONG_LIST:
            b.pos = e.lo
            lst = self.rt("list_new", self.sym(self.m.list_desc(elem)), self.i64(len(e.elems)))
            for i, x in enumerate(e.elems):
                v = self.convert(self.moved(x), ty)
                b.pos = e.lo
                self.store_element(lst, self.i64(i), v, elem)
            return lst
        vals = [self.convert(self.moved(x), ty) for x in e.elems]
        b.pos = e.lo
        lst = self.rt("list_new", self.sym(self.m.list_desc(elem)), self.i64(len(vals)))
        for i, v in enumerate(vals):
            self.store_element(lst, self.i64(i), v, elem)
        return lst

    def e_map(self, e: ast.MapLit) -> Value:
        made = self.template(e)
        if made is not None:
            return made
        s = self.m.solver
        key, val = s.key(e.ty), s.val(e.ty)
        self.b.pos = e.lo
        m = self.rt("map_new", self.sym(self.m.map_desc(key, val)), self.i64(len(e.entries)))
        for k, x in e.entries:
            kv = self.expr(k)
            v = self.moved(x)
            self.map_store(m, e.ty, kv, v, find(k.ty).kinds)
        return m

    def e_struct(self, e: ast.StructLit) -> Value:
        if isinstance(e.ref, ast.Call):  # an agent
            return self.e_call(e.ref)
        st: StructInfo = e.ref
        if not st.fields:
            return self.sym(self.m.singleton(st), REF)
        made = self.template(e)
        if made is not None:
            return made
        given: dict[str, Value] = {}
        for f in e.fields:
            given[f.name] = self.convert(self.moved(f.value), ir_type(st.fields[f.name]))
        self.b.pos = e.lo
        return self.make_struct(st, given)

    def make_struct(self, st: StructInfo, given: dict[str, Value]) -> Value:
        obj = self.alloc(self.m.struct_desc(st), 8 + 8 * len(st.fields))
        for name in st.fields:
            v = given.get(name)
            if v is None:
                v = self.convert(self.nil(), ir_type(st.fields[name]))
            self.store_field(obj, st, name, v)
        return obj

    def e_index(self, e: ast.Index) -> Value:
        return self.index_value(e)

    def e_slice(self, e: ast.Slice) -> Value:
        k = find(e.obj.ty).kinds
        obj = self.expr(e.obj)
        held = Held()
        self.hold(held, e.obj, obj, (e.start, e.end))
        bounds = []
        for x in (e.start, e.end):
            bounds.append(self.expr(x) if x is not None else None)
        self.release(held)
        self.b.pos = e.lo
        want = ir_type(e.ty)
        if obj.type == REF and k in (STR, LIST) and all(v is None or v.type == INT for v in bounds):
            lo = self.word_index(bounds[0]) if bounds[0] is not None else self.i64(0)
            hi = self.word_index(bounds[1]) if bounds[1] is not None else self.i64((1 << 63) - 1)
            if k == STR:
                return self.convert(self.rt("str_slice", obj, lo, hi), want)
            return self.convert(self.share_elements(self.rt("list_slice", obj, lo, hi), e.obj.ty), want)
        lo = self.tag(bounds[0]) if bounds[0] is not None else self.nil()
        hi = self.tag(bounds[1]) if bounds[1] is not None else self.nil()
        return self.convert(self.share_elements(self.rt("dyn_slice", self.tag(obj), lo, hi), e.ty), want)

    def e_field(self, e: ast.Field) -> Value:
        if isinstance(e.ref, Member):
            if e.ref.code == "const":
                if ir_type(e.ref.result) == INT:
                    return self.int_const(int(e.ref.value))
                return literal(self, ast.FloatLit(0, 0, e.ref.value))
            return self.nil()
        if isinstance(e.ref, FunInfo):
            return self.fun_ref(e.ref)
        if isinstance(e.ref, StructInfo):
            return self.sym(self.m.singleton(e.ref), REF)
        if isinstance(e.ref, ast.FunExpr):
            return self.e_fun(e.ref)
        if isinstance(e.ref, Var):
            return self.convert(self.read_var(e.ref, ir_type(e.ref.ty)), ir_type(e.ty))
        return self.field_value(e)

    # provided by the other parts
    def fun_ref(self, f: FunInfo) -> Value:
        raise AssertionError

    def block(self, body: list[ast.Stmt]) -> None:
        raise AssertionError

    def e_call(self, e: ast.Call) -> Value:
        raise AssertionError

    def e_fun(self, e: ast.FunExpr) -> Value:
        raise AssertionError


def _is_concat(e: ast.Binary) -> bool:
    return e.op == "+" and find(e.ty).kinds == STR


_EXPRS: dict[type, Any] = {
    ast.IntLit: Exprs.e_literal,
    ast.FloatLit: Exprs.e_literal,
    ast.StrLit: Exprs.e_literal,
    ast.BoolLit: Exprs.e_literal,
    ast.NoneLit: Exprs.e_literal,
    ast.Ident: Exprs.e_ident,
    ast.Binary: Exprs.e_binary,
    ast.Unary: Exprs.e_unary,
    ast.Index: Exprs.e_index,
    ast.Slice: Exprs.e_slice,
    ast.Field: Exprs.e_field,
    ast.ListLit: Exprs.e_list,
    ast.MapLit: Exprs.e_map,
    ast.StructLit: Exprs.e_struct,
    ast.IfExpr: Exprs.e_if,
    ast.Match: Exprs.e_match,
    ast.Cast: Exprs.e_cast,
    ast.Call: lambda fl, e: fl.e_call(e),
    ast.FunExpr: lambda fl, e: fl.e_fun(e),
    ast.Query: lambda fl, e: fl.e_query(e),
    ast.Load: lambda fl, e: fl.e_load(e),
    ast.Save: lambda fl, e: fl.e_save(e),
    ast.Fetch: lambda fl, e: fl.e_fetch(e),
    ast.LogicQuery: lambda fl, e: fl.expr(e.code),
    ast.Interpolation: lambda fl, e: fl.expr(e.code),
    ast.SetLit: lambda fl, e: fl.expr(e.code),
    ast.Generate: lambda fl, e: fl.expr(e.code),
}
