"""Lowering of `e as T` (mochi-language.md 8.6)."""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Block, Func, FuncSym, Value
from mochic.ir.ops import ADD, CAST, EQ, F2INT, SLT, UNTAG
from mochic.ir.types import F64, I32, I64, INT, PTR, REF, TAG
from mochic.lower.access import Access
from mochic.lower.module import ModuleLower, ir_type
from mochic.sema.infer_decl import inner_types
from mochic.sema.symbols import FunInfo, StructInfo
from mochic.sema.types import LIST, MAP, NIL, STR, STRUCT, Ty, find
from mochic.syntax import ast


class Casts(Access):
    def e_cast(self, e: ast.Cast) -> Value:
        v = self.expr(e.expr)
        self.b.pos = e.lo
        return self.convert(self.cast(v, e.expr.ty, e.type, e.ty), ir_type(e.ty))

    def cast(self, v: Value, t: Ty, ref: ast.TypeRef, res: Ty) -> Value:
        b = self.b
        ref = self.resolve_alias(ref)
        if isinstance(ref, ast.TypeName):
            name = ref.name
            if name in ("int", "int64", "bigint"):
                if v.type == INT:
                    return v
                if v.type == F64:
                    return self.f64_to_int(v)
                return b.emit(UNTAG, INT, [self.rt("cast_int", self.tag(v))])
            if name == "bigrat":
                return self.rt("cast_bigrat", self.tag(v))
            if name == "float":
                if v.type in (INT, F64):
                    return self.to_f64(v)
                return self.rt("cast_float", self.tag(v))
            if name == "string":
                return v if find(t).kinds == STR else self.rt("cast_string", self.tag(v))
            if name == "bool":
                return v if v.type == I32 else self.rt("cast_bool", self.tag(v))
            st = self.m.info.struct_named(ref)
            if st is not None:
                return self.cast_struct(v, t, st)
        elif isinstance(ref, ast.TypeOpt):
            return self.cast_optional(v, t, ref.inner, res)
        elif isinstance(ref, ast.TypeStruct):
            return self.cast_anonymous(v, t, ref, res)
        elif isinstance(ref, ast.TypeGeneric) and ref.name in ("list", "map"):
            kind = LIST if ref.name == "list" else MAP
            if find(t).kinds != kind:
                v = self.rt("cast_list" if kind == LIST else "cast_map", self.tag(v))
            s = self.m.solver
            inner = s.elem(res) if kind == LIST else s.val(res)
            source = s.elem(t) if kind == LIST else s.val(t)
            if find(inner) is find(source):
                return v
            v = self.convert(v, REF)
            if kind == LIST:
                return self.cast_elements(v, source, ref.args[-1], inner)
            return self.cast_entries(v, t, ref, res)
        return v

    def cast_elements(self, src: Value, st: Ty, ref: ast.TypeRef, elem: Ty) -> Value:
        """A new list of the elements of src, each cast."""
        n = self.list_len(src)
        out = self.rt("list_new", self.sym(self.m.list_desc(elem)), n)

        def one(i: Value) -> None:
            x = self.cast_any(self.rt("list_get_raw", src, i), st, ref, elem)
            self.store_element(out, i, self.convert(x, ir_type(elem)), elem)

        self.count_loop(n, one)
        return out

    def cast_entries(self, src: Value, mt: Ty, ref: ast.TypeGeneric, res: Ty) -> Value:
        """A new map with every value cast (and every key, where ints are wanted)."""
        s = self.m.solver
        key, val = s.key(res), s.val(res)
        out = self.rt("map_new", self.sym(self.m.map_desc(key, val)), self.i64(0))
        keys = self.rt("map_order", src)

        def one(i: Value) -> None:
            k = self.rt("list_get_raw", keys, i)
            x = self.cast_any(self.rt("map_get", src, k), s.val(mt), ref.args[1], val)
            kv = self.cast_any(k, s.key(mt), ref.args[0], key)
            self.map_store(out, res, self.convert(kv, ir_type(key)), x, find(key).kinds)

        self.count_loop(self.list_len(keys), one)
        return out

    def cast_any(self, v: Value, t: Ty, ref: ast.TypeRef, res: Ty) -> Value:
        """Cast a TAG whose values are of type t."""
        ref = self.resolve_alias(ref)
        if isinstance(ref, ast.TypeGeneric | ast.TypeOpt | ast.TypeStruct):
            return self.cast(v, t, ref, res)
        return self.cast_dynamic(v, ref, t)

    def count_loop(self, n: Value, body: Callable[[Value], None]) -> None:
        """for i in 0..n, on words."""
        b = self.b
        loop, done = self.new_block(), self.new_block()
        var = ("#count", n.id)
        b.write(var, self.i64(0))
        b.brif(b.emit(EQ, I32, [n, self.i64(0)]), done, loop)
        b.at(loop)
        i = b.read(var, I64)
        body(i)
        nxt = b.emit(ADD, I64, [i, self.i64(1)])
        b.write(var, nxt)
        b.brif(b.emit(SLT, I32, [nxt, n]), loop, done)
        b.seal(loop)
        b.start(done)

    def f64_to_int(self, v: Value) -> Value:
        return self.b.emit(F2INT, INT, [v])

    def cast_optional(self, v: Value, t: Ty, ref: ast.TypeRef, res: Ty) -> Value:
        """none stays, anything else is cast."""
        if v.type not in (REF, TAG) or not find(t).kinds & NIL:
            return self.cast(v, t, ref, res)
        b = self.b
        some, none, done = self.new_block(), self.new_block(), self.new_block()
        var = ("#cast", v.id)
        b.brif(self.is_nil(v), none, some)
        b.start(some)
        b.write(var, self.tag(self.cast(v, t, ref, res)))
        b.jump(done)
        b.start(none)
        b.write(var, self.nil())
        b.jump(done)
        b.start(done)
        return b.read(var, TAG)

    def cast_anonymous(self, v: Value, t: Ty, ref: ast.TypeStruct, res: Ty) -> Value:
        """A map or struct becomes a map of the fields, each cast to its declared type."""
        src = self.tag(v)
        key, val = self.m.solver.key(res), self.m.solver.val(res)
        out = self.rt("map_new", self.sym(self.m.map_desc(key, val)), self.i64(0))
        for f in ref.fields:
            got = self.rt("cast_field", src, self.str_const(f.name), self.str_const("struct"))
            x = self.cast_any(got, ref.info[f.name], f.type, val)
            self.map_store(out, res, self.str_const(f.name), x)
        return out

    def cast_struct(self, v: Value, t: Ty, st: StructInfo) -> Value:
        """A map becomes a struct, each field cast to its declared type; a struct of the type stays.

        Done in place, except that a type which contains itself has a function for it.
        """
        if find(t).kinds == STRUCT and find(t).structs == st.bit:
            return v
        b = self.b
        src = self.tag(v)
        if self.contains_itself(st):
            return self.call(self.caster(st), [src])
        if not find(t).structs & st.bit:
            return self.cast_fields(src, st)
        other, same, done = self.new_block(), self.new_block(), self.new_block()
        var = ("#cast", src.id)
        self.if_struct(src, st, same, other)
        b.start(same)
        b.write(var, b.emit(CAST, REF, [src]))
        b.jump(done)
        b.start(other)
        b.write(var, self.cast_fields(src, st))
        b.jump(done)
        b.start(done)
        return b.read(var, REF)

    def contains_itself(self, st: StructInfo) -> bool:
        """Whether casting to st casts to st again."""
        if st.recursive is None:
            seen = {st}
            todo = list(st.decls.values())
            st.recursive = False
            while todo:
                ref = self.resolve_alias(todo.pop())
                todo += inner_types(ref)
                if isinstance(ref, ast.TypeName):
                    inner = self.m.info.struct_named(ref)
                    if inner is st:
                        st.recursive = True
                        break
                    if inner is not None and inner not in seen:
                        seen.add(inner)
                        todo += inner.decls.values()
        return st.recursive

    def if_struct(self, v: Value, st: StructInfo, yes: Block, no: Block) -> None:
        """Go where it depends on whether a TAG is an st; ends the block."""
        b = self.b
        obj = self.check_ref(v, no)
        b.brif(b.emit(EQ, I32, [self.ld(PTR, obj, 0), self.sym(self.m.struct_desc(st))]), yes, no)

    def cast_fields(self, src: Value, st: StructInfo) -> Value:
        given: dict[str, Value] = {}
        assert st.sources is not None
        for name, ft in st.fields.items():
            got = self.rt("cast_field", src, self.str_const(name), self.str_const(st.name))
            given[name] = self.convert(self.cast_any(got, st.sources[name], st.decls[name], ft), ir_type(ft))
        return self.make_struct(st, given)

    def caster(self, st: StructInfo) -> FuncSym:
        """The function that makes an st of a TAG."""
        if st.caster is None:
            sym = st.caster = FuncSym(self.m.unique(f"mochi.cast.{st.name}"), [TAG], REF)
            sym.slots = [None, None]
            sym.display = f"as {st.name}"
            sym.pos = st.pos

            def make() -> Func:
                assert self.m.info.main is not None
                fn = Func(sym)
                inner = type(self)(self.m, self.m.info.main, fn)
                b = inner.b
                b.pos = st.pos
                src = fn.new_param(fn.blocks[0], TAG)
                same, other = inner.new_block(), inner.new_block()
                inner.if_struct(src, st, same, other)
                b.start(same)
                b.ret(b.emit(CAST, REF, [src]))
                b.start(other)
                b.ret(inner.cast_fields(src, st))
                return b.finish()

            self.m.pending.append(make)
        made: FuncSym = st.caster
        return made

    def cast_dynamic(self, v: Value, ref: ast.TypeRef, t: Ty) -> Value:
        """Cast a TAG to a declared type."""
        ref = self.resolve_alias(ref)
        if isinstance(ref, ast.TypeName):
            fn = _SCALAR_CASTS.get(ref.name)
            if fn is not None:
                r = self.rt(fn, v)
                return self.b.emit(UNTAG, INT, [r]) if fn == "cast_int" else r
            st = self.m.info.struct_named(ref)
            if st is not None:
                return self.cast_struct(v, t, st)
        return v

    def resolve_alias(self, ref: ast.TypeRef) -> ast.TypeRef:
        return self.m.info.resolve_alias(ref)

    # provided by the other parts
    def __init__(self, m: ModuleLower, f: FunInfo, fn: Func) -> None:
        raise AssertionError

    def check_ref(self, v: Value, no: Block) -> Value:
        raise AssertionError

    def make_struct(self, st: StructInfo, given: dict[str, Value]) -> Value:
        raise AssertionError


_SCALAR_CASTS = {
    "int": "cast_int", "int64": "cast_int", "bigint": "cast_int", "float": "cast_float", "string": "cast_string",
    "bool": "cast_bool", "bigrat": "cast_bigrat",
}  # fmt: skip
