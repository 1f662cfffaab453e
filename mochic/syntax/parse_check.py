"""Checks that upstream makes on the finished tree of one statement: useless statements (P065) and patterns (P063)."""

from __future__ import annotations

from mochic.syntax import ast


def has_effect(root: ast.Expr) -> bool:
    """Whether a statement made of this expression can do anything (docs/reference.md, 3.2).

    Calls, fetch, save, load and generate can; bodies of function expressions and queries are not looked into.  The
    walk is a loop because operator chains make tall trees.
    """
    work: list[ast.Expr | None] = [root]
    while work:
        e = work.pop()
        if e is None:
            continue
        t = type(e)
        if t in _ACTIVE:
            return True
        if t in _OPAQUE:
            continue
        if isinstance(e, ast.Binary):
            work += (e.left, e.right)
        elif isinstance(e, ast.Unary):
            work.append(e.operand)
        elif isinstance(e, ast.Index):
            work += (e.obj, e.index)
        elif isinstance(e, ast.Slice):
            work += (e.obj, e.start, e.end, e.step)
        elif isinstance(e, ast.Field):
            work.append(e.obj)
        elif isinstance(e, ast.Cast):
            work.append(e.expr)
        elif isinstance(e, (ast.ListLit, ast.SetLit)):
            work += e.elems
        elif isinstance(e, (ast.MapLit, ast.OMapLit)):
            for key, value in e.entries:
                work += (key, value)
        elif isinstance(e, ast.StructLit):
            work += [f.value for f in e.fields]
        elif isinstance(e, ast.IfExpr):
            work += (e.cond, e.then, e.orelse)
        elif isinstance(e, ast.Match):
            work.append(e.subject)
            for case in e.cases:
                if case.body is not None and case.body:
                    return True
                work += (case.guard, case.expr)
    return False


_ACTIVE = frozenset((ast.Call, ast.Fetch, ast.Save, ast.Load, ast.Generate, ast.Async))
_OPAQUE = frozenset(
    (ast.IntLit, ast.FloatLit, ast.StrLit, ast.BoolLit, ast.NoneLit, ast.Ident, ast.FunExpr, ast.Query, ast.LogicQuery)
)


def is_pattern(root: ast.Expr) -> bool:
    """Whether this expression may stand left of `=>` in a match (docs/reference.md, 3.2)."""
    work: list[ast.Expr] = [root]
    while work:
        e = work.pop()
        if type(e) in _SIMPLE_PATTERNS:
            continue
        if isinstance(e, ast.Call) and isinstance(e.fn, ast.Ident):
            work += e.args
        else:
            return False
    return True


_SIMPLE_PATTERNS = frozenset(
    (ast.IntLit, ast.FloatLit, ast.StrLit, ast.Interpolation, ast.BoolLit, ast.NoneLit, ast.Ident)
)
