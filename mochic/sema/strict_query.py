"""Queries and matches in the strict mode (language reference, sections 5.6 and 11.4)."""

from __future__ import annotations

from typing import Any

from mochic.sema.infer_query import AGGREGATES, key_name
from mochic.sema.strict_builtins import element
from mochic.sema.strict_effects import BUILTIN_EFFECTS, parts
from mochic.sema.strict_expr import StrictExpr, names_text
from mochic.sema.strict_types import (
    ANY, ANY_K, BOOL_K, FLOAT, GROUP_K, INT, INT64_K, INT_K, LIST_K, OPT_K, STRING, STRUCT_K, UNION_K, SType,
    effects_text, fits, is_hashable, is_ordered, list_of, opt_of, map_of, text, unify,
)  # fmt: skip
from mochic.syntax import ast


class StrictQuery(StrictExpr):
    def x_query(self, e: ast.Query, want: SType | None) -> SType:
        before = self.narrowed
        self.scopes.append({})
        names: list[str] = []
        for i, f in enumerate(e.froms):
            t = self.expr(f.source)
            if t.kind not in (LIST_K, GROUP_K, ANY_K):
                at: ast.Node = f if i else e
                raise self.fail("T034" if i else "T032", at.lo, at.hi)
            self.declare(f.var, element(t), True)
            names.append(f.var)
        for j in e.joins:
            self.join(j, names)
        if e.where is not None:
            self.predicate(e.where, "where", "T033")
            self.enter(self.facts(e.where, True))
        if e.group_var is not None:
            self.group(e, names)
        if e.having is not None:
            self.predicate(e.having, "having", "T042")
        if e.sort is not None:
            t = self.expr(e.sort)
            if not is_ordered(t) and not isinstance(e.sort, ast.MapLit):
                raise self.fail("T056", e.sort.lo, e.sort.hi, text(t))
        for what, x in (("skip", e.skip), ("take", e.take)):
            if x is not None:
                t = self.expr(x)
                if t.kind not in (INT_K, INT64_K, ANY_K):
                    raise self.fail("T055", x.lo, x.hi, what, text(t))
        result = self.selected(e, want)
        self.scopes.pop()
        self.leave(before)
        return result

    def join(self, j: ast.JoinClause, names: list[str]) -> None:
        t = self.expr(j.source)
        if t.kind not in (LIST_K, ANY_K):
            raise self.fail("T034", j.lo, j.hi)
        v = self.declare(j.var, element(t), True)
        on = self.expr(j.on)
        if on.kind not in (BOOL_K, ANY_K):
            raise self.fail("T035", j.on.lo, j.on.hi)
        scope = self.scopes[-1]
        if j.side in ("left", "outer"):
            v.type = opt_of(v.type)
        if j.side in ("right", "outer"):
            for name in names:
                scope[name].type = opt_of(scope[name].type)
        names.append(j.var)

    def predicate(self, e: ast.Expr, clause: str, code: str) -> None:
        """A condition on rows: boolean, and without effects."""
        t = self.expr(e)
        if t.kind not in (BOOL_K, ANY_K):
            raise self.fail(code, e.lo, e.hi)
        work: list[Any] = [e]
        while work:
            n = work.pop(0)
            if isinstance(n, ast.Call) and isinstance(n.fn, ast.Ident):
                name = n.fn.name
                v = self.find(name)
                effects = v.type.effects if v is not None else BUILTIN_EFFECTS.get(name, 0)
                if effects:
                    raise self.fail("T044", n.lo, n.hi, name, effects_text(effects), clause)
            if not isinstance(n, ast.FunExpr):
                work = parts(n) + work

    def group(self, e: ast.Query, names: list[str]) -> None:
        assert e.group_var is not None
        keys = [self.expr(k) for k in e.group_keys]
        scope = self.scopes[-1]
        if len(keys) == 1:
            key = keys[0]
        else:
            key = SType(STRUCT_K)
            for i, k in enumerate(e.group_keys):
                key.fields[key_name(k, i)] = keys[i]
        if len(names) == 1:
            item = scope[names[0]].type
        else:
            item = map_of(STRING, ANY)
        for name in names:
            del scope[name]
        if isinstance(e.group_keys[0], ast.MapLit):
            # The clauses after the grouping may name the entries of the key.
            for k, _ in e.group_keys[0].entries:
                if isinstance(k, ast.StrLit) and self.find(k.value) is None:
                    self.declare(k.value, keys[0].args[1], False)
        self.declare(e.group_var, SType(GROUP_K, "", (item, key)), True)

    def selected(self, e: ast.Query, want: SType | None) -> SType:
        sel = e.select
        scalar = (
            e.group_var is None
            and isinstance(sel, ast.Call)
            and isinstance(sel.fn, ast.Ident)
            and sel.fn.name in AGGREGATES
            and len(sel.args) == 1
            and not isinstance(sel.args[0], ast.Query)
            and self.find(sel.fn.name) is None
        )
        if scalar:
            assert isinstance(sel, ast.Call) and isinstance(sel.fn, ast.Ident)
            t = self.expr(sel.args[0])
            return INT if sel.fn.name == "count" else FLOAT if sel.fn.name == "avg" else t
        row = want.args[0] if want is not None and want.kind == LIST_K else None
        t = self.expr(sel, row)
        if row is not None and not unify(row, t) and fits(row, t):
            t = row
        if e.distinct and not is_hashable(t):
            raise self.fail("T057", sel.lo, sel.hi, text(t))
        return list_of(t)

    # -- match -----------------------------------------------------------------------------------

    def x_match(self, e: ast.Match, want: SType | None) -> SType:
        t = self.expr(e.subject)
        subject = self.find(e.subject.name) if isinstance(e.subject, ast.Ident) else None
        result: SType | None = None
        covered: dict[str, None] = {}
        literals: dict[tuple[type, Any], None] = {}
        catch_all = False
        no_none = False
        for c in e.cases:
            if catch_all:
                raise self.fail("T054", c.lo, c.hi, "arm after catch-all is unreachable")
            before = self.narrowed
            if no_none and subject is not None and t.kind == OPT_K:
                self.enter({subject: t.args[0]})
            self.scopes.append({})
            kind, name = self.pattern(c, c.pattern, t)
            if c.guard is not None:
                raise self.fail("M006", c.guard.lo, c.guard.hi, "a guard in `match`")
            if kind == "all":
                catch_all = True
            elif kind == "none":
                no_none = True
            elif kind == "variant":
                if name in covered:
                    raise self.fail("T054", c.lo, c.hi, f"duplicate variant `{name}`")
                covered[name] = None
            else:
                key = (type(c.pattern), getattr(c.pattern, "value", None))
                if key in literals:
                    raise self.fail("T054", c.lo, c.hi, "duplicate literal pattern")
                literals[key] = None
            arm = self.arm(c, want)
            self.scopes.pop()
            self.leave(before)
            if arm is None:
                continue
            if result is None:
                result = arm
            elif not unify(result, arm):
                if want is None or not (fits(want, result) and fits(want, arm)):
                    raise self.fail("T008", c.lo, c.hi, text(result), text(arm))
                result = want
        if t.kind == UNION_K and not catch_all:
            missing = [n for n in t.variants if n not in covered]
            if missing:
                raise self.fail("T050", e.lo, e.hi, t.name, names_text(missing))
        return result or ANY

    def arm(self, c: ast.MatchCase, want: SType | None) -> SType | None:
        if c.expr is not None:
            return self.expr(c.expr, want) if want is None else self.check(c.expr, want)
        body = c.body or []
        self.block(body)
        return None

    def pattern(self, c: ast.MatchCase, p: ast.Expr, t: SType) -> tuple[str, str]:
        """Kind of a pattern and the variant it names; declares what it binds."""
        if isinstance(p, ast.NoneLit):
            return "none", ""
        if isinstance(p, ast.Ident):
            v = self.variant(p.name)
            if p.name == "_":
                return "all", ""
            if v is None:
                self.declare(p.name, t, True)
                return "all", ""
            return self.matches(c, v, t, 0, p.name)
        if isinstance(p, ast.Call) and isinstance(p.fn, ast.Ident):
            v = self.variant(p.fn.name)
            if v is None:
                raise self.fail("T003", p.lo, p.hi, p.fn.name)
            found = self.matches(c, v, t, len(p.args), p.fn.name)
            total = True
            for a, ft in zip(p.args, v.fields.values(), strict=False):
                total = self.pattern(c, a, ft)[0] == "all" and total
            # Several arms may look into one variant; only an arm that takes all of it covers it.
            return found if total else ("partial", "")
        got = self.expr(p)
        if not unify(t, got) and not (t.kind == OPT_K and unify(t.args[0], got)):
            raise self.fail("T008", c.lo, c.hi, text(t), text(got))
        return "literal", ""

    def variant(self, name: str) -> SType | None:
        t = self.types.get(name)
        return t if t is not None and t.kind == STRUCT_K else None

    def matches(self, c: ast.MatchCase, v: SType, t: SType, n: int, name: str) -> tuple[str, str]:
        if (not unify(t, v) and not (t.kind == OPT_K and unify(t.args[0], v))) or (n and n != len(v.fields)):
            raise self.fail("T008", c.lo, c.hi, text(t), name)
        return "variant", v.name
