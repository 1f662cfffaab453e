"""Narrowing: variables that a condition shows not to be null.

`if x != none` and its relatives give the *variable* x, inside the branch, a Slot without NIL.  `Infer.narrow` maps a
variable to its narrowed Slot at the current point of the walk; assignment removes the entry, branches copy it, joins
intersect, loops first drop what their body assigns.  Only variables that no other activation can assign are narrowed.
"""

from __future__ import annotations

from mochic.sema.infer.context import Infer
from mochic.sema.symbols import Var
from mochic.sema.tree import is_none
from mochic.sema.types import ANYKIND, NIL, Slot
from mochic.syntax import ast


def facts(inf: Infer, e: ast.Expr) -> tuple[list[Var], list[Var]]:
    """Variables that are not null when the condition is true, and when it is false."""
    if isinstance(e, ast.Binary):
        op = e.op
        if op in ("!=", "=="):
            v = None
            if is_none(e.right):
                v = narrowable(inf, e.left)
            elif is_none(e.left):
                v = narrowable(inf, e.right)
            if v is not None:
                return ([v], []) if op == "!=" else ([], [v])
        elif op in ("&&", "||"):
            # A chain asks for what its left part says at each operator; the part before has just been looked at.
            if inf.last_facts[0] is e:
                return inf.last_facts[1]
            side = 0 if op == "&&" else 1
            both = facts(inf, e.left)[side] + facts(inf, e.right)[side]
            found: tuple[list[Var], list[Var]] = (both, []) if op == "&&" else ([], both)
            inf.last_facts = e, found
            return found
    elif isinstance(e, ast.Unary) and e.op == "!":
        a, b = facts(inf, e.operand)
        return b, a
    elif isinstance(e, ast.Ident):
        v = narrowable(inf, e)
        if v is not None:
            return [v], []
    return [], []


def narrowable(inf: Infer, e: ast.Expr) -> Var | None:
    """The variable that an expression names, if no other activation can assign it."""
    if isinstance(e, ast.Ident) and isinstance(e.ref, Var):
        v = e.ref
        if v.owner is inf.fun or (v.owner is None and inf.fun is inf.info.main):
            return v
        if v.writes == 0 and not v.mutable:
            return v
    return None


def with_facts(inf: Infer, env: dict[Var, Slot], known: list[Var]) -> dict[Var, Slot]:
    """The narrowed variables in a region where those in `known` are not null."""
    out = dict(env)
    for v in known:
        if v not in out:
            t = Slot()
            inf.solver.flow(v.ty, t, ANYKIND & ~NIL)
            out[v] = t
    return out


def drop_assigned(inf: Infer, body: list[ast.Stmt]) -> None:
    """Widen the variables that a body may assign."""
    if inf.narrow:
        names: set[str] = set()
        assigned_names(body, names)
        inf.narrow = {v: t for v, t in inf.narrow.items() if v.name not in names}


def has_break(body: list[ast.Stmt]) -> bool:
    """A `break` that leaves the loop with this body."""
    for st in body:
        if isinstance(st, ast.Break):
            return True
        if isinstance(st, ast.If) and (has_break(st.then) or (st.orelse is not None and has_break(st.orelse))):
            return True
        if isinstance(st, ast.Try) and (has_break(st.body) or has_break(st.handler)):
            return True
    return False


def assigned_names(body: list[ast.Stmt], out: set[str]) -> None:
    """Names that the statements may assign, closures included (conservatively all names assigned in nested blocks)."""
    for st in body:
        if isinstance(st, ast.Assign):
            if isinstance(st.target, ast.Ident):
                out.add(st.target.name)
        elif isinstance(st, ast.If):
            assigned_names(st.then, out)
            if st.orelse is not None:
                assigned_names(st.orelse, out)
        elif isinstance(st, ast.While | ast.For | ast.TestDecl | ast.BenchDecl | ast.FunDecl):
            assigned_names(st.body, out)
        elif isinstance(st, ast.Try):
            assigned_names(st.body, out)
            assigned_names(st.handler, out)
        elif isinstance(st, ast.ExprStmt | ast.VarDecl | ast.Expect | ast.Return):
            e = st.expr if isinstance(st, ast.ExprStmt | ast.Expect) else st.value
            if isinstance(e, ast.Match):
                for c in e.cases:
                    if c.body is not None:
                        assigned_names(c.body, out)
