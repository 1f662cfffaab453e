"""Type inference of data in and out: load, save, fetch, update (mochi-language.md sections 9.3 and 14; see `infer`).

What comes out of a file is known only when the program runs, so a loaded row is a map of `data`, a type that holds
null, bools, numbers, strings, and lists and maps of itself.  `load ... as T` casts each row to T by the rules of `as`,
from which the result's type follows.

`update xs set {f: e} where c` is a loop over xs whose body begins with a variable for each field that c or an e
mentions.  It is rewritten into one here, so that everything behind the parser knows loops only.
"""

from __future__ import annotations

from typing import Any

from mochic.diag.diagnostic import Diagnostic
from mochic.sema.builtins import BUILTINS, data_type
from mochic.sema.infer_expr import EXPRS, ExprInfer
from mochic.sema.symbols import Var
from mochic.sema.types import (
    LIST, MAP, NIL_TY, Ty, find,
)  # fmt: skip
from mochic.syntax import ast

ROW = "#row"  # the element that an update looks at; no program can have a variable of this name


class DataInfer(ExprInfer):
    def options(self, e: ast.Expr | None, what: str) -> None:
        if e is not None:
            t = self.expr(e)
            self.checks.append(("T029", e.lo, e.hi, what, t))

    def e_load(self, e: ast.Load) -> Ty:
        self.options(e.options, "load")
        row = Ty(MAP)
        row.shape = data_type(self.s).shape
        e.row = row
        res = Ty(LIST)
        self.s.flow(self.cast_type(row, e.type, e), self.s.elem(res))
        return res

    def e_save(self, e: ast.Save) -> Ty:
        self.expr(e.source)
        self.options(e.options, "save")
        return NIL_TY

    def e_fetch(self, e: ast.Fetch) -> Ty:
        t = self.expr(e.url)
        self.checks.append(("T028", e.url.lo, e.url.hi, None, t))
        self.options(e.options, "fetch")
        self.info.network.fetches = True
        if isinstance(e.url, ast.StrLit) and e.url.value[:6].lower() == "https:":
            self.info.network.urls.append((e.url.lo, e.url.hi))
        return data_type(self.s)

    # -- update ---------------------------------------------------------------------------------

    def update_loop(self, st: ast.Update) -> ast.For:
        """The loop that an update means: old values into variables, the condition, new values, stores."""
        lo, hi = st.lo, st.hi
        source = ast.Ident(lo, lo + len("update"), st.target)
        values = [v for _, v in st.sets.entries]
        names: dict[str, None] = {}
        for x in [*values, st.where]:
            free_names(x, names)
        fields = self.row_fields(st.target, source)
        body: list[ast.Stmt] = []
        for name in names:
            if name in fields if fields is not None else self.lookup(name, source) is None and not self.is_word(name):
                value = ast.Field(lo, hi, ast.Ident(lo, hi, ROW), name, False, lo)
                body.append(ast.VarDecl(lo, hi, name, None, value, False, ""))
        change: list[ast.Stmt] = []
        for i, v in enumerate(values):
            change.append(ast.VarDecl(v.lo, v.hi, f"#new{i}", None, v, False, ""))
        for i, (key, v) in enumerate(st.sets.entries):
            target = self.update_target(key)
            if target is not None:
                change.append(ast.Assign(key.lo, v.hi, target, ast.Ident(v.lo, v.hi, f"#new{i}")))
        body += change if st.where is None else [ast.If(st.where.lo, st.where.hi, st.where, change, None)]
        return ast.For(lo, hi, ROW, source, None, body)

    def is_word(self, name: str) -> bool:
        """A name that has a meaning without any declaration."""
        return name in BUILTINS or name in ("null", "nil")

    def row_fields(self, name: str, at: ast.Node) -> dict[str, Any] | None:
        """The fields of the structs in the list `name`; None when it holds maps, whose entries only the run knows."""
        v = self.lookup(name, at)
        if not isinstance(v, Var):
            return None
        out: dict[str, Any] = {}
        ref = self.resolved(v.decl)
        if isinstance(ref, ast.TypeGeneric) and ref.name == "list" and len(ref.args) == 1:
            inner = self.resolved(ref.args[0])
            if isinstance(inner, ast.TypeName):
                table = self.info.table(inner)
                declared = table.struct(inner.name)
                union = table.union(inner.name)
                if declared is not None:
                    out.update(declared.fields)
                elif union is not None:
                    for st in union.variants:
                        out.update(st.fields)
        # What has been seen of the variable so far.
        self.s.settle()
        elem = find(self.s.elem(v.ty))
        for st in self.info.structs:
            if elem.structs & st.bit:
                out.update(st.fields)
        return out if out and not elem.kinds & MAP else None

    def resolved(self, ref: ast.TypeRef | None) -> ast.TypeRef | None:
        if ref is not None:
            ref = self.info.resolve_alias(ref)
        return ref.inner if isinstance(ref, ast.TypeOpt) else ref

    def update_target(self, key: ast.Expr) -> ast.Expr | None:
        """The place that an entry of `set` names: a field of the row, or one inside it."""
        path: list[tuple[str, int, int]] = []
        k = key
        while isinstance(k, ast.Field) and not k.safe:
            path.append((k.name, k.name_lo, k.hi))
            k = k.obj
        if isinstance(k, ast.StrLit):
            path.append((k.value, k.lo, k.hi))
        elif isinstance(k, ast.Ident):
            path.append((k.name, k.lo, k.hi))
        else:
            self.diags.append(
                Diagnostic(
                    "P999",
                    "`set` needs the name of a field",
                    key.lo,
                    key.hi,
                    "Write `update xs set { field: value }`, or `{ field.inner: value }` for a field of a field.",
                )
            )
            return None
        target: ast.Expr = ast.Ident(key.lo, key.hi, ROW)
        for name, lo, hi in reversed(path):
            target = ast.Field(key.lo, hi, target, name, False, lo)
        return target


def free_names(e: Any, out: dict[str, None]) -> None:
    """The identifiers in an expression, in order."""
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, ast.Ident):
            out[x.name] = None
        elif isinstance(x, ast.Node):
            names = [n for c in type(x).__mro__ for n in getattr(c, "__slots__", ())]
            stack.extend(getattr(x, n, None) for n in reversed(names) if n not in ("ty", "ref", "info", "sym"))
        elif isinstance(x, list | tuple):
            stack.extend(reversed(x))


EXPRS[ast.Load] = DataInfer.e_load
EXPRS[ast.Save] = DataInfer.e_save
EXPRS[ast.Fetch] = DataInfer.e_fetch
