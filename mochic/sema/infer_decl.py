"""Type inference of declarations: types, functions, imports (see `infer`)."""

from __future__ import annotations

import os

from mochic.diag.diagnostic import Diagnostic, has_errors
from mochic.sema.cfun import CDeclarations
from mochic.sema.symbols import CLibrary
from mochic.sema.constraints import bind_sig
from mochic.sema.expand import Expansion
from mochic.sema.modules import module_path
from mochic.sema.packages import library_file, library_name, locate, parse_files
from mochic.sema.symbols import Package
from mochic.sema.symbols import FunInfo, ImportInfo, StructInfo, TypeTable, UnionInfo, Var
from mochic.sema.types import BOOL, FLOAT, FUNC, INT, LIST, MAP, NIL, RAT, STR, STRUCT, Ty, find
from mochic.syntax import ast
from mochic.syntax.parse_base import package_name

SCALARS = {
    "int": INT,
    "int64": INT,
    "bigint": INT,
    "float": FLOAT,
    "string": STR,
    "bool": BOOL,
    "unit": NIL,
    "bigrat": RAT,
}


class Declarations(Expansion):
    seeds: list[tuple[Ty, ast.TypeRef]]
    nvars: int
    packages: dict[str, Package]
    c: CDeclarations

    def new_var(self, name: str, ty: Ty, mutable: bool, owner: FunInfo | None, kind: str, pos: int) -> Var:
        self.nvars += 1
        return Var(self.nvars, name, ty, mutable, owner, kind, pos)

    def note_callable(self, v: Var, st: ast.VarDecl) -> None:
        """Section 10: a call means a variable only if that can hold a function."""
        if st.type is not None:
            v.callable = self.may_be_fun(st.type)
        elif st.value is not None:
            v.callable = not isinstance(st.value, _NOT_FUNS)

    def may_be_fun(self, ref: ast.TypeRef) -> bool:
        if isinstance(ref, ast.TypeName):
            alias = self.info.table(ref).alias(ref.name)
            if alias is not None:
                return self.may_be_fun(alias)
            return ref.name not in SCALARS and self.info.table(ref).struct(ref.name) is None
        if isinstance(ref, ast.TypeOpt):
            return self.may_be_fun(ref.inner)
        return isinstance(ref, ast.TypeFun)

    def declare_type(self, st: ast.TypeDecl) -> None:
        if st.export:
            self.types.exports.update([st.name, *(v.name for v in st.variants or ())])
        if st.alias is not None:
            self.types.aliases[st.name] = st.alias
        elif st.variants is not None:
            u = UnionInfo(st.name, st.lo)
            self.types.unions[st.name] = u
            for var in st.variants:
                si = self.declare_struct(var.name, var.lo)
                si.union = u
                u.variants.append(si)
        else:
            self.declare_struct(st.name, st.lo)

    def declare_types(self, body: list[ast.Stmt]) -> None:
        declared = [st for st in body if isinstance(st, ast.TypeDecl)]
        for st in declared:
            self.declare_type(st)
        self.finite_aliases(body)
        for st in declared:
            self.type_fields(st)

    def method_bodies(self, body: list[ast.Stmt]) -> None:
        for st in body:
            if isinstance(st, ast.TypeDecl):
                for m in st.methods:
                    owner = self.types.structs.get(st.name)
                    if owner is not None:
                        self.fun_body(owner.methods[m.name])

    def local_types(self, body: list[ast.Stmt]) -> None:
        """The types that a block declares are known throughout it.  Their methods see no variables of the block."""
        self.types = TypeTable(self.types)
        self.info.local_types.append((body[0].lo, body[-1].hi, self.types))
        self.declare_types(body)
        scope, self.scope = self.scope, self.root
        self.method_bodies(body)
        self.scope = scope

    def finite_aliases(self, body: list[ast.Stmt]) -> None:
        """An alias that stands for itself, or for something made of itself, names no type."""
        for st in body:
            if isinstance(st, ast.TypeDecl) and st.alias is not None and self.types.aliases.get(st.name) is st.alias:
                seen: dict[str, None] = {}
                todo = [st.alias]
                while todo:
                    ref = todo.pop()
                    alias = self.types.alias(ref.name) if isinstance(ref, ast.TypeName) else None
                    if alias is None:
                        todo += inner_types(ref)
                    elif isinstance(ref, ast.TypeName) and ref.name not in seen:
                        seen[ref.name] = None
                        todo.append(alias)
                if st.name in seen:
                    self.types.aliases[st.name] = ast.TypeName(st.lo, st.hi, "any")
                    self.error("M005", st.lo, st.hi, st.name)

    def known_type(self, ref: ast.TypeName | ast.StructLit) -> bool:
        """Whether a package has and exports the type `lib.T` that is mentioned here; reports it if not."""
        types, name = self.types.home(ref.name)
        if name in types.structs or name in types.unions or name in types.aliases:
            return True
        imp = self.root.names.get(ref.name.partition(".")[0])
        if isinstance(imp, ImportInfo):
            self.foreign(ref, imp, name)
        return False

    def is_type(self, name: str) -> bool:
        """Whether a name stands for a type, declared or not."""
        types, plain = self.types.home(name)
        return name in SCALARS or name == "any" or any(plain in x for x in (types.structs, types.unions, types.aliases))

    def declare_struct(self, name: str, pos: int) -> StructInfo:
        si = StructInfo(len(self.info.structs), name, pos)
        self.info.structs.append(si)
        self.types.structs[name] = si
        return si

    def type_fields(self, st: ast.TypeDecl) -> None:
        if st.variants is not None:
            for var in st.variants:
                si = self.types.structs[var.name]
                for f in var.fields:
                    self.add_field(si, f)
        elif st.fields is not None:
            si = self.types.structs[st.name]
            for f in st.fields:
                self.add_field(si, f)
            for m in st.methods:
                fi = self.declare_fun(m, None)
                fi.struct = si
                fi.name = f"{st.name}.{m.name}"
                si.methods[m.name] = fi

    def add_field(self, si: StructInfo, f: ast.FieldDecl) -> None:
        t = Ty()
        si.fields[f.name] = t
        si.decls[f.name] = f.type
        self.seeds.append((t, f.type))

    def declare_fun(self, st: ast.FunDecl, owner: FunInfo | None) -> FunInfo:
        f = FunInfo(len(self.info.functions), st.name, owner, st)
        self.info.functions.append(f)
        st.info = f
        f.body = st.body
        f.decl_ret = st.result
        for p in st.params:
            self.add_param(f, p)
        if st.result is not None:
            self.seeds.append((f.ret, st.result))
        return f

    def add_param(self, f: FunInfo, p: ast.Param) -> None:
        v = self.new_var(p.name, Ty(), True, f, "param", p.lo)
        v.decl = p.type
        if p.type is not None:
            self.seeds.append((v.ty, p.type))
            v.callable = self.may_be_fun(p.type)
        p.sym = v
        f.params.append(v)

    def import_decl(self, st: ast.ImportDecl) -> None:
        alias = st.alias or package_name(st.path)
        imp = ImportInfo(st.lang, module_path(st.lang, st.path), alias, st.auto, st.lo)
        self.root.names[alias] = imp
        if st.lang == "c":
            imp.c = CLibrary(st.path, st.lo, st.hi, self.info.sources.file_of(st.lo).name)
            self.info.libraries.append(imp.c)
            return
        if st.lang:
            f = library_file(st.lang, st.path)
            # The library's file about a module builds on the members that are native.
            at = self.info.sources.file_of(st.lo)
            files = [] if f is None or (at.library and at.name == library_name(f)) else [f]
        else:
            files = locate(st.path, self.info.sources.file_of(st.lo).name)
            if not files:
                self.diags.append(
                    Diagnostic(
                        "M003",
                        f'cannot find the package "{st.path}"',
                        st.lo,
                        st.hi,
                        "A package is a directory with .mochi files, or one file. Paths that begin with ./ or ../ "
                        "start at the importing file, others at the directory of mochi.mod or go.mod, else the "
                        "working directory.",
                    )
                )
                imp.broken = True
        if files:
            imp.package = self.package(files, bool(st.lang), st)
            if imp.package is not None:
                self.types.imports[alias] = imp.package.types

    def package(self, files: list[str], library: bool, at: ast.ImportDecl) -> Package | None:
        """The package in these files, walked on its first import."""
        key = "\n".join(os.path.realpath(f) for f in files)
        p = self.packages.get(key)
        if p is None:
            p = self.packages[key] = Package(key, library, TypeTable())
            found: list[Diagnostic] = []
            try:
                parse_files(self.info, p, files, found)
                p.broken = has_errors(found)
                self.diags += found
            except OSError as e:
                p.broken = True
                text = f"cannot read {e.filename}: {e.strerror}"
                help = "The import names this file; it must be there and readable."
                self.diags.append(Diagnostic("M003", text, at.lo, at.hi, help))
            self.package_unit(p)
        elif p.names is None:
            self.diags.append(
                Diagnostic(
                    "M003",
                    f'the package "{at.path}" imports itself',
                    at.lo,
                    at.hi,
                    "Move what both sides need into a third package.",
                )
            )
        return p

    def extern_decls(self, body: list[ast.Stmt]) -> None:
        """The `extern` declarations of a unit; one without a module belongs to the C library imported last above it."""
        library: CLibrary | None = None
        for st in body:
            if isinstance(st, ast.ExternDecl) and st.kind == "type":
                self.c.opaque[st.lo] = None
                self.types.aliases.setdefault(st.name, ast.TypeName(st.lo, st.hi, "any"))
                self.types.exports.add(st.name)
        for st in body:
            if isinstance(st, ast.ImportDecl) and st.lang == "c":
                library = next(x for x in reversed(self.info.libraries) if x.lo == st.lo)
            elif isinstance(st, ast.ExternDecl) and st.kind in ("fun", "var"):
                self.extern_decl(st, library)

    def extern_decl(self, st: ast.ExternDecl, library: CLibrary | None) -> None:
        mod, _, member = st.name.rpartition(".")
        imp = self.root.names.get(mod)
        if isinstance(imp, ImportInfo):
            imp.members[member] = st
            if imp.c is None:
                return
            library = imp.c
        elif mod or st.lang not in ("", "c"):
            self.unsupported(st, f"`extern {st.kind}` of a name outside an imported module")
            return
        if st.kind == "var":
            self.unsupported(st, "`extern var` of a C library")
            return
        fun = self.c.function(st, member, library)
        if fun is None:
            return
        f = FunInfo(len(self.info.functions), st.name, None, st)
        f.c = fun
        self.info.functions.append(f)
        for p, t in zip(st.params or (), fun.params, strict=True):
            base: ast.TypeRef = ast.TypeName(p.lo, p.hi, t.base)
            self.add_param(f, ast.Param(p.lo, p.hi, p.name, ast.TypeOpt(p.lo, p.hi, base) if t.optional else base))
        self.s.grow(f.ret, NIL if fun.ret is None else fun.ret.mochi)
        if isinstance(imp, ImportInfo):
            imp.functions[member] = f
        else:
            self.root.names[member] = f

    def package_unit(self, p: Package) -> None:
        raise AssertionError

    def grow_declared(self, t: Ty, ref: ast.TypeRef, depth: int) -> None:
        s = self.s
        if t.fixed or depth > 8:
            return
        if isinstance(ref, ast.TypeName):
            k = SCALARS.get(ref.name)
            if k is not None:
                s.grow(t, k)
                return
            table = self.info.table(ref)
            alias = table.alias(ref.name)
            st = table.struct(ref.name)
            union = table.union(ref.name)
            if alias is not None:
                self.grow_declared(t, alias, depth + 1)
            elif st is not None:
                s.grow(t, STRUCT, st.bit)
            elif union is not None:
                s.grow(t, STRUCT, union.bits)
        elif isinstance(ref, ast.TypeGeneric):
            if ref.name == "list" and len(ref.args) == 1:
                s.grow(t, LIST)
                if not find(s.elem(t)).kinds:
                    self.grow_declared(s.elem(t), ref.args[0], depth + 1)
            elif ref.name == "map" and len(ref.args) == 2:
                s.grow(t, MAP)
                if not find(s.key(t)).kinds:
                    self.grow_declared(s.key(t), ref.args[0], depth + 1)
                if not find(s.val(t)).kinds:
                    self.grow_declared(s.val(t), ref.args[1], depth + 1)
        elif isinstance(ref, ast.TypeOpt):
            s.grow(t, NIL)
            self.grow_declared(t, ref.inner, depth + 1)
        elif isinstance(ref, ast.TypeFun):
            s.grow(t, FUNC)
            bind_sig(s, t, [Ty() for _ in ref.params], Ty(NIL if ref.result is None else 0))


def inner_types(ref: ast.TypeRef) -> list[ast.TypeRef]:
    """The types of which values of a type are made: elements, entries, fields; a function is made of nothing."""
    if isinstance(ref, ast.TypeOpt):
        return [ref.inner]
    if isinstance(ref, ast.TypeGeneric):
        return ref.args
    if isinstance(ref, ast.TypeStruct):
        return [f.type for f in ref.fields]
    return []


_NOT_FUNS = (
    ast.IntLit, ast.FloatLit, ast.StrLit, ast.BoolLit, ast.ListLit, ast.MapLit, ast.Binary, ast.StructLit, ast.Unary,
    ast.Slice, ast.Query, ast.Cast,
)  # fmt: skip
