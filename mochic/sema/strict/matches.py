"""`match` in the strict mode: patterns, and which variants are covered (docs/reference.md, 6 and 11.4)."""

from __future__ import annotations

from typing import Any

from mochic.sema.strict.context import Strict
from mochic.sema.strict.expressions import names_text
from mochic.sema.strict.types import ANY, OPT_K, STRUCT_K, UNION_K, SType, fits, text, unify
from mochic.syntax import ast


def match_expression(strict: Strict, e: ast.Match, want: SType | None) -> SType:
    t = strict.expr(e.subject)
    subject = strict.find(e.subject.name) if isinstance(e.subject, ast.Ident) else None
    result: SType | None = None
    covered: dict[str, None] = {}
    literals: dict[tuple[type, Any], None] = {}
    catch_all = False
    no_none = False
    for c in e.cases:
        if catch_all:
            raise strict.fail("T054", c.lo, c.hi, "arm after catch-all is unreachable")
        before = strict.narrowed
        if no_none and subject is not None and t.kind == OPT_K:
            strict.enter({subject: t.args[0]})
        strict.scopes.append({})
        kind, name = pattern(strict, c, c.pattern, t)
        if c.guard is not None:
            raise strict.fail("M006", c.guard.lo, c.guard.hi, "a guard in `match`")
        if kind == "all":
            catch_all = True
        elif kind == "none":
            no_none = True
        elif kind == "variant":
            if name in covered:
                raise strict.fail("T054", c.lo, c.hi, f"duplicate variant `{name}`")
            covered[name] = None
        else:
            key = (type(c.pattern), getattr(c.pattern, "value", None))
            if key in literals:
                raise strict.fail("T054", c.lo, c.hi, "duplicate literal pattern")
            literals[key] = None
        arm = arm_type(strict, c, want)
        strict.scopes.pop()
        strict.leave(before)
        if arm is None:
            continue
        if result is None:
            result = arm
        elif not unify(result, arm):
            if want is None or not (fits(want, result) and fits(want, arm)):
                raise strict.fail("T008", c.lo, c.hi, text(result), text(arm))
            result = want
    if t.kind == UNION_K and not catch_all:
        missing = [n for n in t.variants if n not in covered]
        if missing:
            raise strict.fail("T050", e.lo, e.hi, t.name, names_text(missing))
    return result or ANY


def arm_type(strict: Strict, c: ast.MatchCase, want: SType | None) -> SType | None:
    if c.expr is not None:
        return strict.expr(c.expr, want) if want is None else strict.check(c.expr, want)
    body = c.body or []
    strict.block(body)
    return None


def pattern(strict: Strict, c: ast.MatchCase, p: ast.Expr, t: SType) -> tuple[str, str]:
    """Kind of a pattern and the variant it names; declares what it binds."""
    if isinstance(p, ast.NoneLit):
        return "none", ""
    if isinstance(p, ast.Ident):
        v = variant_named(strict, p.name)
        if p.name == "_":
            return "all", ""
        if v is None:
            strict.declare(p.name, t, True)
            return "all", ""
        return variant_pattern(strict, c, v, t, 0, p.name)
    if isinstance(p, ast.Call) and isinstance(p.fn, ast.Ident):
        v = variant_named(strict, p.fn.name)
        if v is None:
            raise strict.fail("T003", p.lo, p.hi, p.fn.name)
        found = variant_pattern(strict, c, v, t, len(p.args), p.fn.name)
        total = True
        for a, ft in zip(p.args, v.fields.values(), strict=False):
            total = pattern(strict, c, a, ft)[0] == "all" and total
        # Several arms may look into one variant; only an arm that takes all of it covers it.
        return found if total else ("partial", "")
    got = strict.expr(p)
    if not unify(t, got) and not (t.kind == OPT_K and unify(t.args[0], got)):
        raise strict.fail("T008", c.lo, c.hi, text(t), text(got))
    return "literal", ""


def variant_named(strict: Strict, name: str) -> SType | None:
    t = strict.types.get(name)
    return t if t is not None and t.kind == STRUCT_K else None


def variant_pattern(strict: Strict, c: ast.MatchCase, v: SType, t: SType, n: int, name: str) -> tuple[str, str]:
    if (not unify(t, v) and not (t.kind == OPT_K and unify(t.args[0], v))) or (n and n != len(v.fields)):
        raise strict.fail("T008", c.lo, c.hi, text(t), name)
    return "variant", v.name
