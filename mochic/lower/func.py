"""Lowering of function bodies and statements."""

from __future__ import annotations

from typing import Any

from mochic.ir.builder import Builder
from mochic.ir.func import Block, Func, Value
from mochic.ir.ops import ADD, EQ, FCONST, LD32U, SLT, ULT
from mochic.ir.types import F64, I32, I64, INT, REF, VOID
from mochic.lower.aliasing import Held
from mochic.lower.appends import own_append
from mochic.lower.ccall import begin_c, call_c
from mochic.lower.base import ARRAY_DATA, GROUP_ITEMS, STR_LENS
from mochic.lower.data import Data
from mochic.lower.module import ModuleLower, ir_type
from mochic.sema.symbols import FunInfo, Var
from mochic.sema.types import GROUP, LIST, MAP, NIL, STR, STR_TY, STRUCT, Ty, find
from mochic.syntax import ast


class FuncLower(Data):
    """One function on its way to IR."""

    def __init__(self, m: ModuleLower, f: FunInfo, fn: Func) -> None:
        self.m = m
        self.f = f
        self.fn = fn
        self.b = Builder(fn)
        self.env: Value | None = None
        self.env_index: dict[Var, int] = {v: i for i, v in enumerate(m.captures(f))}
        self.loops: list[tuple[Block, Block]] = []
        # Lists that the loops around this place hold: variable of the builder, IR type, type.
        self.running: list[tuple[object, int, Ty]] = []
        self.own_append: ast.Call | None = None
        self.given = {}

    def lower(self) -> None:
        f = self.f
        b = self.b
        b.pos = f.node.lo
        entry = self.fn.blocks[0]
        types = self.fn.sym.params
        ps = [self.fn.new_param(entry, t, s) for t, s in zip(types, self.fn.sym.slots, strict=False)]
        at = 0
        if f.struct is not None:
            assert f.self_var is not None
            self.declare_var(f.self_var, ps[0])
            at = 1
        elif self.m.need_env.get(f):
            self.env = ps[0]
            at = 1
        for v, p in zip(f.params, ps[at:], strict=True):
            if v.appended or v.captured:
                self.mark(p, v.ty)
            self.declare_var(v, p)
        if f.c is not None:
            self.ret(call_c(self, f.c, f.params, ps))
        elif f.expr is not None:
            v2 = self.moved_out(f.expr)
            self.ret(v2)
        else:
            assert f.body is not None
            if f is self.m.info.main and self.m.c_process:
                begin_c(self)
                if self.m.tls:
                    self.rt("use_tls")
            if self.m.test_mode and f is self.m.info.main:
                self.test_main(f.body)
            else:
                self.block(f.body)
            if b.reachable:
                self.ret(self.nil())
        b.finish()

    def test_main(self, body: list[ast.Stmt]) -> None:
        """Section 17: all other top-level statements with their output discarded, then the chosen block."""
        b = self.b
        tests = [st for st in body if isinstance(st, ast.TestDecl)]
        self.rt("out_mute", self.i64(1))
        self.block([st for st in body if not isinstance(st, ast.TestDecl)])
        if not b.reachable:
            return
        self.rt("out_mute", self.i64(0))
        chosen = self.rt("test_block")
        for i, st in enumerate(tests):
            here, nxt = self.new_block(), self.new_block()
            b.brif(b.emit(EQ, I32, [chosen, self.i64(i)]), here, nxt)
            b.start(here)
            self.block(st.body)
            b.jump(nxt)
            b.start(nxt)

    def ret(self, v: Value) -> None:
        t = self.fn.sym.ret
        if t == VOID:
            self.b.ret()
        else:
            self.b.ret(self.convert(v, t))

    def moved_out(self, e: ast.Expr) -> Value:
        """A returned value: a local variable gives up its list, everything else keeps a reference."""
        if isinstance(e, ast.Ident) and isinstance(e.ref, Var):
            v = e.ref
            if v.kind in ("let", "var") and v.owner is self.f and not v.captured and not v.global_:
                return self.expr(e)
        return self.moved(e)

    # -- statements -----------------------------------------------------------------------------

    def block(self, body: list[ast.Stmt]) -> None:
        for st in body:
            if isinstance(st, ast.FunDecl) and st.info.local_var is not None and st.info.local_var.boxed:
                # Siblings may capture it before its statement runs.
                self.declare_var(st.info.local_var, self.b.iconst(REF, 0))
        for st in body:
            if not self.b.reachable:
                break
            self.b.pos = st.lo
            _STMTS[type(st)](self, st)

    def s_nothing(self, st: ast.Stmt) -> None:
        pass

    def s_vardecl(self, st: ast.VarDecl) -> None:
        v: Var = st.sym
        if v.const is not None:
            return
        want = ir_type(v.ty)
        if st.value is not None:
            val = self.convert(self.moved(st.value), want)
        else:
            val = self.convert(self.zero(st, v), want)
        if v.global_ or v.owner is None:
            self.write_var(v, val)
        else:
            self.declare_var(v, val)

    def zero(self, st: ast.VarDecl, v: Var) -> Value:
        """The zero value of a declared type (9.1)."""
        ref = self.resolve_alias(st.type) if st.type is not None else None
        b = self.b
        if isinstance(ref, ast.TypeName):
            if ref.name in ("int", "int64", "bigint"):
                return self.int_const(0)
            if ref.name == "float":
                return b.emit(FCONST, F64, [], 0)
            if ref.name == "string":
                return self.str_const("")
            if ref.name == "bool":
                return self.bool_const(False)
            if ref.name == "bigrat":
                return self.rt("cast_bigrat", self.nil())
        elif isinstance(ref, ast.TypeGeneric):
            if ref.name == "list":
                return self.rt("list_new", self.sym(self.m.list_desc(self.elem_ty(v.ty))), self.i64(0))
            if ref.name == "map":
                s = self.m.solver
                return self.rt("map_new", self.sym(self.m.map_desc(s.key(v.ty), s.val(v.ty))), self.i64(0))
        return self.nil()

    def s_assign(self, st: ast.Assign) -> None:
        target = st.target
        value = st.value
        self.own_append = own_append(st)
        if isinstance(target, ast.Ident):
            ref = target.ref
            if isinstance(ref, Var):
                v = self.convert(self.moved(value), ir_type(ref.ty))
                self.write_var(ref, v)
            elif isinstance(ref, tuple):
                v = self.moved(value)
                self.store_field(self.self_value(), ref[0], ref[1], v)
        elif isinstance(target, ast.Index):
            self.store_index(target, value)
        elif isinstance(target, ast.Field) and isinstance(target.ref, Var):  # of a package
            self.write_var(target.ref, self.convert(self.moved(value), ir_type(target.ref.ty)))
        elif isinstance(target, ast.Field):
            obj = self.expr(target.obj)
            v = self.moved(value)
            self.b.pos = st.lo
            self.set_field(obj, target, v)
        self.own_append = None

    def store_index(self, target: ast.Index, value: ast.Expr) -> None:
        b = self.b
        ot = target.obj.ty
        k = find(ot).kinds
        held = Held()
        obj = self.expr(target.obj)
        self.hold(held, target.obj, obj, (target.index, value))
        key = self.expr(target.index)
        v = self.moved(value)
        self.release(held)
        b.pos = target.lo
        if obj.type == REF and k & ~NIL == LIST and key.type == INT:
            if k & NIL:
                some, none = self.new_block(), self.new_block(True)
                b.brif(self.is_nil(obj), none, some, -1)
                b.start(none)
                self.panic("panic_msg", self.str_const("invalid index target"))
                b.start(some)
            elem = self.elem_ty(ot)
            v = self.convert(v, ir_type(elem))
            i = self.word_index(key)
            fast, slow, done = self.new_block(), self.new_block(True), self.new_block()
            b.brif(b.emit(ULT, I32, [i, self.list_len(obj)]), fast, slow, 1)
            b.start(fast)
            self.store_element(obj, i, v, elem)
            b.jump(done)
            b.start(slow)
            grows = find(elem).kinds & NIL
            self.rt("list_set" if grows else "list_set_next", obj, self.tag(key), self.tag(v))
            b.jump(done)
            b.start(done)
        elif obj.type == REF and k == MAP:
            self.map_store(obj, ot, key, v, find(target.index.ty).kinds)
        else:
            self.feed_contents(ot, v, key)
            self.rt("dyn_set_index", self.tag(obj), self.tag(key), self.tag(v))

    def set_field(self, obj: Value, target: ast.Field, v: Value) -> None:
        b = self.b
        ot = target.obj.ty
        k = find(ot).kinds
        if obj.type == REF and k & ~NIL == STRUCT:
            sts = self.structs_of(ot)
            if len(sts) == 1 and target.name in sts[0].fields:
                if k & NIL:
                    ok, bad = self.new_block(), self.new_block(True)
                    b.brif(self.is_nil(obj), bad, ok, -1)
                    b.start(bad)
                    self.panic("panic_msg", self.str_const(f"cannot set field `{target.name}` of none"))
                    b.start(ok)
                self.store_field(obj, sts[0], target.name, v)
                return
        self.feed_contents(ot, v)
        self.rt("dyn_set_field", self.tag(obj), self.str_const(target.name), self.tag(v))

    def s_return(self, st: ast.Return) -> None:
        if self.f is self.m.info.main:
            if st.value is not None:
                self.expr(st.value)
            self.b.ret()
            return
        if st.value is None:
            self.ret(self.nil())
            return
        v = self.moved_out(st.value)
        if self.b.reachable:
            for var, ty, t in reversed(self.running):
                self.count_holder(self.b.read(var, ty), t, False)
            self.ret(v)

    def s_if(self, st: ast.If) -> None:
        b = self.b
        yes, done = self.new_block(), self.new_block()
        no = self.new_block() if st.orelse is not None else done
        self.branch(st.cond, yes, no)
        b.start(yes)
        self.block(st.then)
        if b.reachable:
            b.jump(done)
        if st.orelse is not None:
            b.start(no)
            self.block(st.orelse)
            if b.reachable:
                b.jump(done)
        b.start(done)

    def s_while(self, st: ast.While) -> None:
        b = self.b
        head, body, done = self.new_block(), self.new_block(), self.new_block()
        b.jump(head)
        b.at(head)
        if isinstance(st.cond, ast.BoolLit) and st.cond.value:
            b.jump(body)
        else:
            self.branch(st.cond, body, done)
        b.start(body)
        self.loops.append((head, done))
        self.block(st.body)
        self.loops.pop()
        if b.reachable:
            b.pos = st.lo
            b.jump(head)
        b.seal(head)
        b.start(done)

    def s_for(self, st: ast.For) -> None:
        if st.end is not None:
            self.for_range(st)
        elif isinstance(st.source, ast.Load) and not returns(st.body):
            self.for_loaded(st, st.source)
        else:
            self.for_each(st)

    def for_range(self, st: ast.For) -> None:
        """The test is at the bottom: `if a < b { do { body; i = i + 1 } while i < b }`."""
        b = self.b
        v: Var = st.sym
        assert st.end is not None
        lo = self.int_of(self.expr(st.source))
        hi = self.int_of(self.expr(st.end))
        body, step, done = self.new_block(), self.new_block(), self.new_block()
        same_ty = ir_type(v.ty) == INT
        b.write(("#i", st), lo)
        b.brif(b.emit(SLT, I32, [lo, hi]), body, done, 1)
        b.at(body)
        i = b.read(("#i", st), INT)
        self.declare_var(v, i if same_ty else self.convert(i, ir_type(v.ty)))
        self.loops.append((step, done))
        self.block(st.body)
        self.loops.pop()
        if b.reachable:
            b.jump(step)
        b.start(step)
        if b.reachable:
            b.pos = st.lo
            if v.writes:
                # The variable is the counter: assigning to it moves the loop.
                cur = self.read_var(v, ir_type(v.ty))
                cur = cur if cur.type == INT else self.int_of(cur)
            else:
                cur = b.read(("#i", st), INT)
            nxt = b.emit(ADD, INT, [cur, self.int_const(1)])
            b.write(("#i", st), nxt)
            b.brif(b.emit(SLT, I32, [nxt, hi]), body, done, 1)
        b.seal(body)
        b.start(done)

    def for_each(self, st: ast.For) -> None:
        b = self.b
        t = st.source.ty
        k = find(t).kinds
        src = self.expr(st.source)
        b.pos = st.lo
        v: Var = st.sym
        done = end = self.new_block()
        if src.type == REF and k & NIL and k & ~NIL in (LIST, MAP, STR):
            some = self.new_block()
            b.brif(self.is_nil(src), done, some, -1)
            b.start(some)
            k &= ~NIL
        held = self.may_disturb(st.source, st.body)
        if held:
            end = self.new_block()
            self.begin_holding(("#source", st), src, t)
        if src.type == REF and k == GROUP:
            src, k = self.ld(REF, src, GROUP_ITEMS), LIST
        if src.type == REF and k == STR:
            self.for_chars(st, v, src, end)
        elif src.type == REF and k == LIST:
            self.for_list(st, v, src, self.elem_ty(t), end)
        elif src.type == REF and k == MAP:
            keys = self.rt("map_order", src)
            self.for_list(st, v, keys, self.m.solver.key(t), end, map_keys=True)
        else:
            lst = self.rt("dyn_iter", self.tag(src))
            self.for_list(st, v, lst, None, end)
        if held:
            b.start(end)
            self.end_holding()
            b.jump(done)
        b.start(done)

    def begin_holding(self, var: object, v: Value, t: Ty) -> None:
        """The loop that begins here holds the list v."""
        self.count_holder(v, t, True)
        self.b.write(var, v)
        self.running.append((var, v.type, t))

    def end_holding(self) -> None:
        var, ty, t = self.running.pop()
        self.count_holder(self.b.read(var, ty), t, False)

    def for_loaded(self, st: ast.For, e: ast.Load) -> None:
        """Rows as they are read; the way out of the loop closes the file."""
        b = self.b
        v: Var = st.sym
        reader = self.open_load(e)
        head, done = self.new_block(), self.new_block()
        b.jump(head)
        b.at(head)
        x = self.next_row(e, reader, done)
        self.declare_var(v, self.convert(x, ir_type(v.ty)))
        self.loops.append((head, done))
        self.block(st.body)
        self.loops.pop()
        if b.reachable:
            b.jump(head)
        b.seal(head)
        b.start(done)
        self.rt("load_close", reader)

    def for_list(self, st: ast.For, v: Var, lst: Value, elem: Any, done: Block, map_keys: bool = False) -> None:
        """Length taken once, elements read live by index; lists never shrink, so no bounds check."""
        b = self.b
        n = self.list_len(lst)
        body, step = self.new_block(), self.new_block()
        b.write(("#n", st), self.i64(0))
        b.brif(b.emit(EQ, I32, [n, self.i64(0)]), done, body, -1)
        b.at(body)
        i = b.read(("#n", st), I64)
        if elem is None:
            x = self.rt("list_get_raw", lst, i)
        elif map_keys and ir_type(elem) != INT:
            x = self.ld(REF, self.element_address(lst, i, REF), ARRAY_DATA)  # text keys, whatever was stored
            elem = STR_TY
        else:
            x = self.load_element(lst, i, elem)
        t: Ty = self.elem_ty(st.source.ty) if elem is None else elem
        held = False
        if v.appended or v.captured:
            self.mark(x, t)
        else:
            held = self.extends(t, st.body)
        leave = done
        if held:
            leave = self.new_block()
            self.begin_holding(("#element", st), x, t)
        self.declare_var(v, self.convert(x, ir_type(v.ty)))
        self.loop_body(st, body, step, leave)
        if held:
            holding = self.running[-1]
            self.end_holding()
        if b.reachable:
            nxt = b.emit(ADD, I64, [b.read(("#n", st), I64), self.i64(1)])
            b.write(("#n", st), nxt)
            b.brif(b.emit(ULT, I32, [nxt, n]), body, done, 1)
        b.seal(body)
        if held:
            b.start(leave)
            self.running.append(holding)
            self.end_holding()
            b.jump(done)

    def for_chars(self, st: ast.For, v: Var, s: Value, done: Block) -> None:
        b = self.b
        n = b.emit(LD32U, I64, [s], STR_LENS)
        body, step = self.new_block(), self.new_block()
        b.write(("#n", st), self.i64(0))
        b.brif(b.emit(EQ, I32, [n, self.i64(0)]), done, body, -1)
        b.at(body)
        at = b.read(("#n", st), I64)
        c = self.rt("str_char_at", s, at)
        self.declare_var(v, self.convert(c, ir_type(v.ty)))
        self.loop_body(st, body, step, done)
        if b.reachable:
            nxt = self.rt("str_next", s, b.read(("#n", st), I64))
            b.write(("#n", st), nxt)
            b.brif(b.emit(ULT, I32, [nxt, n]), body, done, 1)
        b.seal(body)

    def loop_body(self, st: ast.For, body: Block, step: Block, done: Block) -> None:
        b = self.b
        self.loops.append((step, done))
        self.block(st.body)
        self.loops.pop()
        if b.reachable:
            b.jump(step)
        b.start(step)
        b.pos = st.lo

    def s_break(self, st: ast.Break) -> None:
        self.b.jump(self.loops[-1][1])

    def s_continue(self, st: ast.Continue) -> None:
        self.b.jump(self.loops[-1][0])

    def s_expr(self, st: ast.ExprStmt) -> None:
        self.expr(st.expr)

    def s_expect(self, st: ast.Expect) -> None:
        b = self.b
        ok, bad = self.new_block(), self.new_block(True)
        self.branch(st.expr, ok, bad, 1)
        b.start(bad)
        b.pos = st.lo
        file, line, _ = self.m.info.sources.position(st.lo)
        src = file.data[st.expr.lo - file.base : st.expr.hi - file.base].decode("utf-8", "replace")
        text = f"expect condition failed at {file.recorded()}:{line}: {src}"
        self.panic("panic_expect", self.str_const(text))
        b.start(ok)

    def s_test(self, st: ast.TestDecl) -> None:
        if self.m.run_tests:
            self.block(st.body)

    def s_bench(self, st: ast.BenchDecl) -> None:
        mark = self.rt("bench_begin")
        self.block(st.body)
        if self.b.reachable:
            self.rt("bench_end", mark, self.str_const(st.name))

    def s_update(self, st: ast.Update) -> None:
        assert st.loop is not None
        self.s_for(st.loop)

    def s_code(self, st: ast.OnHandler | ast.Emit | ast.Try) -> None:
        self.block(st.code)

    def s_fetch(self, st: ast.FetchStmt) -> None:
        assert st.decl is not None
        self.s_vardecl(st.decl)

    def s_fun(self, st: ast.FunDecl) -> None:
        f: FunInfo = st.info
        v = f.local_var
        if v is None or not self.m.need_env.get(f):
            return
        c = self.make_closure(f)
        if v.boxed:
            self.write_var(v, c)
        else:
            self.declare_var(v, c)


def returns(body: list[ast.Stmt]) -> bool:
    """A statement of the body leaves the function."""
    stack: list[Any] = [body]
    while stack:
        x = stack.pop()
        if isinstance(x, ast.Return):
            return True
        if isinstance(x, list):
            stack.extend(x)
        elif isinstance(x, ast.Node) and not isinstance(x, ast.FunDecl | ast.FunExpr):
            names = [n for c in type(x).__mro__ for n in getattr(c, "__slots__", ())]
            stack.extend(getattr(x, n, None) for n in names if n not in ("ty", "ref", "info", "sym"))
    return False


_STMTS: dict[type, Any] = {
    ast.VarDecl: FuncLower.s_vardecl,
    ast.Assign: FuncLower.s_assign,
    ast.Return: FuncLower.s_return,
    ast.If: FuncLower.s_if,
    ast.While: FuncLower.s_while,
    ast.For: FuncLower.s_for,
    ast.Break: FuncLower.s_break,
    ast.Continue: FuncLower.s_continue,
    ast.ExprStmt: FuncLower.s_expr,
    ast.Expect: FuncLower.s_expect,
    ast.TestDecl: FuncLower.s_test,
    ast.BenchDecl: FuncLower.s_bench,
    ast.FunDecl: FuncLower.s_fun,
    ast.TypeDecl: FuncLower.s_nothing,
    ast.Update: FuncLower.s_update,
    ast.OnHandler: FuncLower.s_code,
    ast.Emit: FuncLower.s_code,
    ast.Try: FuncLower.s_code,
    ast.FetchStmt: FuncLower.s_fetch,
    ast.ImportDecl: FuncLower.s_nothing,
    ast.ExternDecl: FuncLower.s_nothing,
}
