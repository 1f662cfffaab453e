"""Stores that certainly leave a gap: `var ys: list<string> = []  ys[2] = "a"`.

A gap is filled with null (docs/reference.md, 8.5), so the elements of such a list may be null.  Inference cannot see
most indexes, and null in every list that is assigned by index would cost all programs their bare words
(adr/list-gaps.md).  But in statements that follow each other the length of a list variable is often known, and an index
that is written there tells: if the store is past the end, a program without null in its elements could only fail.

What is known is forgotten at the first statement that might change it.  Knowing too little leaves the run-time error;
knowing a wrong length would only cost time, for null that never comes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mochic.sema.symbols import BuiltinRef, Var
from mochic.sema.types import NIL, Solver
from mochic.syntax import ast
from mochic.sema.tree import CODE_SLOTS


class Lengths:
    """The lengths of list variables at a place in one block."""

    __slots__ = ("solver", "known")

    def __init__(self, solver: Solver) -> None:
        self.solver = solver
        self.known: dict[Var, int] = {}

    def after(self, st: ast.Stmt) -> None:
        """Take in a statement whose names are resolved."""
        if isinstance(st, ast.VarDecl):
            self.forget(st.value)
            if isinstance(st.sym, Var):
                self.learn(st.sym, st.value, st.type)
        elif isinstance(st, ast.Assign) and isinstance(st.target, ast.Index):
            self.forget(st.value)
            self.store(st.target)
        elif isinstance(st, ast.Assign) and isinstance(st.target, ast.Ident) and isinstance(st.target.ref, Var):
            v, value = st.target.ref, st.value
            n = self.known.get(v)
            self.forget(value)
            if n is not None and _appends_to(value, v):
                self.known[v] = n + 1
            else:
                self.learn(v, value, None)
        elif isinstance(st, ast.ExprStmt | ast.Expect):
            self.forget(st.expr)
        elif self.known and not isinstance(st, ast.FunDecl | ast.TypeDecl):
            self.known.clear()

    def learn(self, v: Var, value: ast.Expr | None, declared: ast.TypeRef | None) -> None:
        self.known.pop(v, None)
        if isinstance(value, ast.ListLit):
            self.known[v] = len(value.elems)
        elif value is None and isinstance(declared, ast.TypeGeneric) and declared.name == "list":
            self.known[v] = 0

    def store(self, target: ast.Index) -> None:
        v = target.obj.ref if isinstance(target.obj, ast.Ident) else None
        if not isinstance(v, Var) or v not in self.known:
            return
        index = target.index
        if isinstance(index, ast.Unary) and index.op == "-" and isinstance(index.operand, ast.IntLit):
            return  # counts from the end: the length stays
        if not isinstance(index, ast.IntLit):
            del self.known[v]
            return
        n = self.known[v]
        if index.value > n:
            self.solver.grow(self.solver.elem(v.ty), NIL)
        self.known[v] = max(n, index.value + 1)

    def forget(self, e: ast.Expr | None) -> None:
        """Lists that the expression may change or hand on; reading an element or a length does neither."""
        if not self.known or e is None:
            return
        for n, reads in _parts(e):
            if isinstance(n, ast.Call) and not (isinstance(n.fn, ast.Ident) and isinstance(n.fn.ref, BuiltinRef)):
                self.known.clear()
                return
            if isinstance(n, ast.Ident) and isinstance(n.ref, Var) and not reads:
                self.known.pop(n.ref, None)


def _appends_to(value: ast.Expr, v: Var) -> bool:
    if not (isinstance(value, ast.Call) and isinstance(value.fn, ast.Ident) and isinstance(value.fn.ref, BuiltinRef)):
        return False
    first = value.args[0] if value.args else None
    return value.fn.ref.name in ("append", "push") and isinstance(first, ast.Ident) and first.ref is v


def _parts(e: ast.Expr) -> Iterator[tuple[ast.Node, bool]]:
    """The nodes of an expression, and whether each is only read where it stands."""
    todo: list[tuple[Any, bool]] = [(e, False)]
    while todo:
        x, reads = todo.pop()
        if isinstance(x, list | tuple):
            todo.extend([(y, reads) for y in x])
        elif isinstance(x, ast.Node) and not isinstance(x, ast.TypeRef):
            yield x, reads
            for slot in CODE_SLOTS[type(x)]:
                whole = isinstance(x, ast.Call) or (isinstance(x, ast.Index) and slot == "obj")
                todo.append((getattr(x, slot, None), whole))
