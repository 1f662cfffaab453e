"""Data in and out: load, save, fetch, update (docs/reference.md, 9.3 and 14).

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
from mochic.sema.infer.casts import cast_type
from mochic.sema.infer.context import Infer
from mochic.sema.symbols import Var
from mochic.sema.tree import PART_SLOTS
from mochic.sema.types import LIST, MAP, NIL_TY, Slot, find
from mochic.syntax import ast

ROW = "#row"  # the element that an update looks at; no program can have a variable of this name


def load(inf: Infer, e: ast.Load) -> Slot:
    check_options(inf, e.options, "load")
    row = Slot(MAP)
    row.shape = data_type(inf.solver).shape
    e.row = row
    res = Slot(LIST)
    inf.solver.flow(cast_type(inf, row, e.type, e), inf.solver.elem(res))
    return res


def save(inf: Infer, e: ast.Save) -> Slot:
    inf.expr(e.source)
    check_options(inf, e.options, "save")
    return NIL_TY


def fetch(inf: Infer, e: ast.Fetch) -> Slot:
    t = inf.expr(e.url)
    inf.checks.append(("T028", e.url.lo, e.url.hi, None, t))
    check_options(inf, e.options, "fetch")
    inf.info.network.fetches = True
    if isinstance(e.url, ast.StrLit) and e.url.value[:6].lower() == "https:":
        inf.info.network.urls.append((e.url.lo, e.url.hi))
    return data_type(inf.solver)


def check_options(inf: Infer, e: ast.Expr | None, what: str) -> None:
    if e is not None:
        t = inf.expr(e)
        inf.checks.append(("T029", e.lo, e.hi, what, t))


# -- update -----------------------------------------------------------------------------------------


def update_loop(inf: Infer, st: ast.Update) -> ast.For:
    """The loop that an update means: old values into variables, the condition, new values, stores."""
    lo, hi = st.lo, st.hi
    source = ast.Ident(lo, lo + len("update"), st.target)
    values = [v for _, v in st.sets.entries]
    names: dict[str, None] = {}
    for x in [*values, st.where]:
        free_names(x, names)
    fields = row_fields(inf, st.target)
    body: list[ast.Stmt] = []
    for name in names:
        if name in fields if fields is not None else inf.lookup(name) is None and not is_word(name):
            value = ast.Field(lo, hi, ast.Ident(lo, hi, ROW), name, False, lo)
            body.append(ast.VarDecl(lo, hi, name, None, value, False, ""))
    change: list[ast.Stmt] = []
    for i, v in enumerate(values):
        change.append(ast.VarDecl(v.lo, v.hi, f"#new{i}", None, v, False, ""))
    for i, (key, v) in enumerate(st.sets.entries):
        target = update_target(inf, key)
        if target is not None:
            change.append(ast.Assign(key.lo, v.hi, target, ast.Ident(v.lo, v.hi, f"#new{i}")))
    body += change if st.where is None else [ast.If(st.where.lo, st.where.hi, st.where, change, None)]
    return ast.For(lo, hi, ROW, source, None, body)


def update_target(inf: Infer, key: ast.Expr) -> ast.Expr | None:
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
        inf.diags.append(
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


def row_fields(inf: Infer, name: str) -> dict[str, Slot] | None:
    """The fields of the structs in the list `name`; None when it holds maps, whose entries only the run knows."""
    v = inf.lookup(name)
    if not isinstance(v, Var):
        return None
    out: dict[str, Slot] = {}
    ref = resolved_type(inf, v.decl)
    if isinstance(ref, ast.TypeGeneric) and ref.name == "list" and len(ref.args) == 1:
        inner = resolved_type(inf, ref.args[0])
        if isinstance(inner, ast.TypeName):
            table = inf.info.table(inner)
            declared = table.struct(inner.name)
            union = table.union(inner.name)
            if declared is not None:
                out.update(declared.fields)
            elif union is not None:
                for st in union.variants:
                    out.update(st.fields)
    # What has been seen of the variable so far.
    inf.solver.settle()
    elem = find(inf.solver.elem(v.ty))
    for st in inf.info.structs:
        if elem.structs & st.bit:
            out.update(st.fields)
    return out if out and not elem.kinds & MAP else None


def resolved_type(inf: Infer, ref: ast.TypeRef | None) -> ast.TypeRef | None:
    if ref is not None:
        ref = inf.info.resolve_alias(ref)
    return ref.inner if isinstance(ref, ast.TypeOpt) else ref


def is_word(name: str) -> bool:
    """A name that has a meaning without any declaration."""
    return name in BUILTINS or name in ("null", "nil")


def free_names(e: Any, out: dict[str, None]) -> None:
    """The identifiers in an expression, in order."""
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, ast.Ident):
            out[x.name] = None
        elif isinstance(x, ast.Node):
            stack.extend(getattr(x, n, None) for n in reversed(PART_SLOTS[type(x)]))
        elif isinstance(x, list | tuple):
            stack.extend(reversed(x))
