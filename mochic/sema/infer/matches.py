"""`match`: patterns, what they bind, and whether an arm fits all values."""

from __future__ import annotations

from mochic.diag.diagnostic import Diagnostic
from mochic.sema.constraints import MatchNullConstraint
from mochic.sema.infer.bodies import block
from mochic.sema.infer.context import Infer
from mochic.sema.infer.imports import known_type
from mochic.sema.symbols import Scope, StructInfo
from mochic.sema.types import ANYKIND, BOOL, NIL, Slot
from mochic.syntax import ast


def match_expression(inf: Infer, e: ast.Match) -> Slot:
    subj = inf.expr(e.subject)
    res = Slot()
    s = inf.solver
    covered = 0
    structs = 0
    bools = 0
    nonnil = False
    for c in e.cases:
        outer = inf.scope
        inf.scope = Scope(outer, inf.fun)
        before = inf.narrow
        p = c.pattern
        bind_pattern(inf, p, subj, nonnil)
        if c.guard is not None:
            inf.expr(c.guard)
        else:
            ref = p.ref if isinstance(p, ast.Ident | ast.Call) else None
            if isinstance(p, ast.NoneLit):
                covered |= NIL
                nonnil = True
            elif isinstance(ref, StructInfo):
                if not isinstance(p, ast.Call) or all(_binds_all(a) for a in p.args):
                    structs |= ref.bit
            elif isinstance(p, ast.BoolLit):
                bools |= 1 << int(p.value)
                if bools == 3:
                    covered |= BOOL
            elif isinstance(p, ast.Ident):
                covered = ANYKIND
                structs = -1
        if c.body is not None:
            case_body(inf, c, res)
        else:
            assert c.expr is not None
            s.flow(inf.expr(c.expr), res)
        inf.narrow = before
        inf.scope = outer
    mc = MatchNullConstraint(subj, res, covered, structs)
    s.attach(subj, mc)
    return res


def case_body(inf: Infer, c: ast.MatchCase, res: Slot) -> None:
    """A block as a result: the value of a final expression statement, else null."""
    assert c.body is not None
    last = c.body[-1] if c.body else None
    if isinstance(last, ast.ExprStmt):
        falls = block(inf, c.body[:-1])
        t = inf.expr(last.expr)
        if falls:
            inf.solver.flow(t, res)
    elif block(inf, c.body):
        inf.solver.grow(res, NIL)


def bind_pattern(inf: Infer, p: ast.Expr, subj: Slot, nonnil: bool) -> None:
    """Resolve a pattern and declare what it binds; `nonnil`: an earlier arm took null."""
    if isinstance(p, ast.Ident):
        p.ty = subj
        if p.name == "_":
            return
        st = inf.types.struct(p.name)
        if st is not None:
            p.ref = st
            return
        if "." in p.name:
            known_type(inf, ast.TypeName(p.lo, p.hi, p.name))
            return
        v = inf.new_var(p.name, Slot(), True, inf.fun, "bind", p.lo)
        v.declared = True
        inf.solver.flow(subj, v.ty, ANYKIND & ~NIL if nonnil else ANYKIND)
        inf.scope.names[p.name] = v
        p.ref = v
        return
    if isinstance(p, ast.Call) and isinstance(p.fn, ast.Ident):
        st = inf.types.struct(p.fn.name)
        p.ty = subj
        if st is None:
            if "." in p.fn.name:
                known_type(inf, ast.TypeName(p.lo, p.hi, p.fn.name))
            else:
                inf.error("T002", p.lo, p.hi, p.fn.name)
            return
        p.ref = st
        if len(p.args) != len(st.fields):
            text = f"the pattern has {len(p.args)} fields, `{p.fn.name}` has {len(st.fields)}"
            help = "Name all fields in the order of their declaration; `_` is for those that do not matter."
            inf.diags.append(Diagnostic("T006", text, p.lo, p.hi, help))
        for a, ft in zip(p.args, st.fields.values(), strict=False):
            bind_pattern(inf, a, ft, False)
        return
    inf.expr(p)


def _binds_all(p: ast.Expr) -> bool:
    """The pattern matches any value."""
    return isinstance(p, ast.Ident) and not isinstance(p.ref, StructInfo)
