"""Expressions in the strict mode (language reference, sections 5.4 and 6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mochic.sema.strict_base import StrictBase, path_text, StrictError
from mochic.sema.strict_builtins import BUILTINS, builtin_call
from mochic.sema.strict_effects import BUILTIN_EFFECTS, effects_of
from mochic.sema.strict_types import (
    ANY, ANY_K, BIGINT_K, BOOL, BOOL_K, EFFECT, FLOAT, FUN_K, GROUP_K, INT, INT64_K, INT_K, LIST_K, LABELS, MAP_K,
    NONE, OPT_K, STRING, STRING_K, STRUCT_K, UNION_K, UNIT, VAR_K, SType, arithmetic, effects_text, fits, fun_of,
    is_numeric, list_of, map_of, may_cast, opt_of, text, unify,
)  # fmt: skip
from mochic.diag.diagnostic import Diagnostic
from mochic.sema import logic
from mochic.syntax import ast
from mochic.syntax.tokens import INTERPOLATED

Rule = Callable[[Any, Any, "SType | None"], SType]
_INDEX_KINDS: Final = (INT_K, INT64_K, BIGINT_K, ANY_K)
_FETCH_OPTIONS: Final = {
    "method": STRING, "headers": map_of(STRING, STRING), "body": ANY, "query": map_of(STRING, ANY), "timeout": FLOAT,
    "max_bytes": INT,
}  # fmt: skip
_GENERATE: Final = {
    "prompt": STRING, "text": STRING, "model": STRING, "temperature": FLOAT, "top_p": FLOAT, "max_tokens": INT,
    "normalize": BOOL, "stop": list_of(STRING),
}  # fmt: skip


def names_text(names: list[str]) -> str:
    """`a`, `b`, and `c`: lists in messages."""
    quoted = [f"`{n}`" for n in names]
    if len(quoted) < 3:
        return " and ".join(quoted)
    return ", ".join(quoted[:-1]) + ", and " + quoted[-1]


class StrictExpr(StrictBase):
    def expr(self, e: ast.Expr, want: SType | None = None) -> SType:
        rule: Rule = _RULES[type(e)]
        return rule(self, e, want)

    # -- literals --------------------------------------------------------------------------------

    def x_int(self, e: ast.IntLit, want: SType | None) -> SType:
        return INT

    def x_float(self, e: ast.FloatLit, want: SType | None) -> SType:
        return FLOAT

    def x_str(self, e: ast.StrLit, want: SType | None) -> SType:
        return STRING

    def x_bool(self, e: ast.BoolLit, want: SType | None) -> SType:
        return BOOL

    def x_none(self, e: ast.NoneLit, want: SType | None) -> SType:
        return NONE

    def x_list(self, e: ast.ListLit, want: SType | None) -> SType:
        if want is not None and want.kind == OPT_K:
            want = want.args[0]
        if want is not None and want.kind == LIST_K and want.args[0].kind != ANY_K:
            for x in e.elems:
                self.check(x, want.args[0])
            return want
        if not e.elems:
            return want if want is not None and want.kind == LIST_K else list_of(ANY)
        first = self.expr(e.elems[0])
        for x in e.elems[1:]:
            t = self.expr(x)
            if want is None and not unify(first, t):
                raise self.fail("T008", x.lo, x.hi, text(first), text(t))
        return list_of(first) if want is None or want.kind != LIST_K else want

    def x_map(self, e: ast.MapLit, want: SType | None) -> SType:
        if want is not None and want.kind == OPT_K:
            want = want.args[0]
        if want is not None and want.kind == MAP_K:
            for k, v in e.entries:
                self.check(k, want.args[0])
                self.check(v, want.args[1])
            return want
        if want is not None and want.kind == STRUCT_K and not want.name:
            entries = {k.value: v for k, v in e.entries if isinstance(k, ast.StrLit)}
            if len(entries) == len(e.entries) and entries.keys() == want.fields.keys():
                for name, v in entries.items():
                    self.check(v, want.fields[name])
                return want
        key: SType | None = None
        val: SType | None = None
        for k, v in e.entries:
            kt, vt = self.expr(k), self.expr(v)
            key = kt if key is None else common(key, kt)
            val = vt if val is None else common(val, vt)
        return map_of(key or ANY, val or ANY)

    def x_struct(self, e: ast.StructLit, want: SType | None) -> SType:
        t = self.types.get(e.name)
        if t is None or t.kind != STRUCT_K:
            for f in e.fields:
                self.expr(f.value)
            return t if t is not None else map_of(STRING, ANY)
        self.fields(e, t, e.fields)
        given = {f.name for f in e.fields}
        missing = [n for n in t.fields if n not in given and e.name not in self.agents]
        if missing:
            raise self.fail("T053", e.lo, e.hi, e.name, names_text(missing))
        return t

    def fields(self, at: ast.Node, t: SType, fields: list[ast.FieldInit]) -> None:
        """The values of a struct literal or an event."""
        for f in fields:
            want = t.fields.get(f.name)
            if want is None:
                raise self.fail("T026", at.lo, at.hi, f.name, text(t))
            self.check(f.value, want)

    # -- names and operators ---------------------------------------------------------------------

    def x_ident(self, e: ast.Ident, want: SType | None) -> SType:
        v = self.find(e.name)
        if v is not None:
            return self.type_of(v)
        row = BUILTINS.get(e.name)
        if row is None:
            raise self.fail("T002", e.lo, e.hi, e.name)
        result = row[2] if isinstance(row[2], SType) else ANY
        return fun_of([ANY] * max(row[0], row[1]), result, BUILTIN_EFFECTS.get(e.name, 0))

    def x_unary(self, e: ast.Unary, want: SType | None) -> SType:
        t = self.expr(e.operand)
        if t.kind == ANY_K or (t.kind == BOOL_K if e.op == "!" else is_numeric(t)):
            return t
        raise self.fail("T021", e.lo, e.hi, e.op)

    def x_binary(self, e: ast.Binary, want: SType | None) -> SType:
        op = e.op
        if op in ("&&", "||"):
            l = self.expr(e.left)
            before = self.enter(self.facts(e.left, op == "&&"))
            r = self.expr(e.right)
            self.leave(before)
            if l.kind in (BOOL_K, ANY_K) and r.kind in (BOOL_K, ANY_K):
                return BOOL
            raise self.operator(e, l, r)
        l = self.expr(e.left)
        if op == "??":
            r = self.expr(e.right, want)
            if l.kind == ANY_K:
                return ANY
            if l.kind != OPT_K or not (unify(l, r) or fits(l.args[0], r)):
                raise self.operator(e, l, r)
            if r.kind == OPT_K or l.args[0].kind == ANY_K:
                return r
            return l.args[0]
        r = self.expr(e.right)
        return _OPERATORS[op](self, e, l, r)

    def operator(self, e: ast.Binary, l: SType, r: SType) -> Exception:
        return self.fail("T020", e.op_lo, e.op_lo + len(e.op), e.op, text(l), text(r))

    def b_add(self, e: ast.Binary, l: SType, r: SType) -> SType:
        if STRING_K in (l.kind, r.kind) and l.kind in (STRING_K, ANY_K) and r.kind in (STRING_K, ANY_K):
            return STRING
        if l.kind == LIST_K and r.kind == LIST_K:
            if unify(l, r):
                return r if l.args[0].kind == ANY_K else l
            raise self.operator(e, l, r)
        return self.b_arithmetic(e, l, r)

    def b_arithmetic(self, e: ast.Binary, l: SType, r: SType) -> SType:
        if l.kind == ANY_K or r.kind == ANY_K:
            other = r if l.kind == ANY_K else l
            if other.kind in (OPT_K, BOOL_K, FUN_K, UNIT.kind):
                raise self.operator(e, l, r)
            return ANY
        if l.kind == VAR_K and r.kind == VAR_K and l.name == r.name:
            return l
        t = arithmetic(l, r)
        if t is None:
            raise self.operator(e, l, r)
        return t

    def b_compare(self, e: ast.Binary, l: SType, r: SType) -> SType:
        if e.op in ("==", "!="):
            for side, t in ((e.right, l), (e.left, r)):
                if isinstance(side, ast.NoneLit) and t.kind not in (OPT_K, ANY_K):
                    raise self.fail("T059", e.op_lo, e.op_lo + len(e.op), text(t))
        if unify(l, r) or unify(r, l) or (is_numeric(l) and is_numeric(r)):
            return BOOL
        raise self.fail("T013", e.op_lo, e.op_lo + len(e.op))

    def b_in(self, e: ast.Binary, l: SType, r: SType) -> SType:
        k = r.kind
        if k == ANY_K or (k in (LIST_K, MAP_K, GROUP_K) and unify(r.args[0], l)):
            return BOOL
        if k == STRING_K and l.kind in (STRING_K, ANY_K):
            return BOOL
        raise self.operator(e, l, r)

    def b_set(self, e: ast.Binary, l: SType, r: SType) -> SType:
        if LIST_K in (l.kind, r.kind) and l.kind in (LIST_K, ANY_K) and r.kind in (LIST_K, ANY_K) and unify(l, r):
            return l if l.kind == LIST_K else r
        if l.kind == r.kind == ANY_K:
            return ANY
        raise self.operator(e, l, r)

    # -- parts of values -------------------------------------------------------------------------

    def guard(self, e: ast.Expr, obj: ast.Expr, t: SType) -> None:
        if t.kind == OPT_K:
            raise self.fail("T058", e.lo, e.hi, path_text(obj) or "expression")

    def x_index(self, e: ast.Index, want: SType | None) -> SType:
        t = self.expr(e.obj)
        if e.safe:
            if t.kind == ANY_K:
                return opt_of(ANY)
            if t.kind != OPT_K:
                raise self.fail("T062", e.op_lo - 1, e.hi, text(t))
            t = t.args[0]
            if t.kind not in (LIST_K, MAP_K, ANY_K):
                raise self.fail("T063", e.op_lo - 1, e.hi, text(t))
            return opt_of(self.element(e, t))
        self.guard(e, e.obj, t)
        return self.element(e, t)

    def element(self, e: ast.Index, t: SType) -> SType:
        k = t.kind
        i = self.expr(e.index)
        if k in (LIST_K, STRING_K):
            if i.kind not in _INDEX_KINDS:
                raise self.fail("T015", e.op_lo, e.hi)
            return t.args[0] if k == LIST_K else STRING
        if k == MAP_K:
            if not unify(t.args[0], i):
                raise self.fail("T019", e.op_lo, e.hi, text(t.args[0]), text(i))
            return opt_of(t.args[1])
        if k == ANY_K:
            return ANY
        raise self.fail("T018", e.lo, e.hi, text(t))

    def x_slice(self, e: ast.Slice, want: SType | None) -> SType:
        t = self.expr(e.obj)
        self.guard(e, e.obj, t)
        if t.kind == MAP_K:
            raise self.fail("T017", e.op_lo, e.hi)
        if t.kind not in (LIST_K, STRING_K, ANY_K):
            raise self.fail("T018", e.lo, e.hi, text(t))
        for part in (e.start, e.end, e.step):
            if part is not None and self.expr(part).kind not in _INDEX_KINDS:
                raise self.fail("T015", e.op_lo, e.hi)
        return t

    def x_field(self, e: ast.Field, want: SType | None) -> SType:
        t = self.expr(e.obj)
        if e.safe:
            if t.kind == ANY_K:
                return opt_of(ANY)
            if t.kind != OPT_K:
                raise self.fail("T060", e.name_lo - 2, e.hi, e.name, text(t))
            t = t.args[0]
            if t.kind not in (STRUCT_K, ANY_K, MAP_K):
                raise self.fail("T061", e.name_lo - 2, e.hi, e.name, text(t))
            return opt_of(self.member(e, t))
        self.guard(e, e.obj, t)
        return self.member(e, t)

    def member(self, e: ast.Field, t: SType) -> SType:
        k, name = t.kind, e.name
        if k == ANY_K:
            return ANY
        if k == STRUCT_K:
            found = t.fields.get(name) or t.methods.get(name)
            if found is not None:
                return found
            raise self.fail("T026", e.lo, e.hi, name, text(t))
        if k == UNION_K:
            shared = [v.fields[name] for v in t.variants.values() if name in v.fields]
            if len(shared) == len(t.variants):
                return shared[0] if all(unify(shared[0], s) for s in shared) else ANY
            raise self.fail("T026", e.lo, e.hi, name, text(t))
        if k == MAP_K:
            if name == "keys":
                return fun_of([], list_of(t.args[0]))
            if name == "get":
                return fun_of([t.args[0], t.args[1]], t.args[1])
            if t.args[0].kind in (STRING_K, ANY_K):
                return t.args[1]
        if k == GROUP_K and name in ("key", "items"):
            return t.args[1] if name == "key" else list_of(t.args[0])
        if k == STRING_K and name in ("contains", "padStart"):
            return fun_of([STRING], BOOL) if name == "contains" else fun_of([INT, STRING], STRING)
        if k in (GROUP_K, STRING_K):
            raise self.fail("T026", e.lo, e.hi, name, text(t))
        raise self.fail("T027", e.lo, e.hi, text(t))

    def x_cast(self, e: ast.Cast, want: SType | None) -> SType:
        to = self.resolve(e.type)
        t = self.expr(e.expr)
        if not may_cast(t, to):
            raise self.fail("T046", e.op_lo, e.hi, text(t), text(to))
        return to

    # -- functions -------------------------------------------------------------------------------

    def x_call(self, e: ast.Call, want: SType | None) -> SType:
        fn = e.fn
        if isinstance(fn, ast.Ident):
            v = self.find(fn.name)
            if v is None:
                if fn.name in BUILTINS:
                    t = builtin_call(self, e, fn.name)
                    if BUILTIN_EFFECTS.get(fn.name, 0):
                        self.forget_mutable()
                    return t
                raise self.fail("T003", e.lo, e.hi, fn.name)
            return self.apply(e, self.type_of(v), fn.name, v.function)
        t = self.expr(fn)
        if isinstance(fn, ast.Field) and t.kind == FUN_K and len(e.args) < len(t.args) - 1 and self.agents:
            owner = self.expr(fn.obj)
            if any(owner is a for a in self.agents.values()):  # intents run at once
                raise self.fail("T039", e.lo, e.hi, fn.name, len(t.args) - 1, len(e.args))
        return self.apply(e, t, "", False)

    def apply(self, e: ast.Call, t: SType, name: str, aliases: bool) -> SType:
        if t.kind == ANY_K:
            for a in e.args:
                self.expr(a)
            self.forget_mutable()
            return ANY
        if t.kind != FUN_K:
            lo = e.lo if name else e.paren_lo
            raise self.fail("T004", lo, e.hi, name)
        params = t.args[:-1]
        if len(e.args) > len(params):
            raise self.fail("T006", e.lo, e.hi, len(params), len(e.args))
        bound: dict[str, SType] = {}
        for i, a in enumerate(e.args):
            p = params[i]
            if t.tparams:
                got = self.expr(a)
                self.bind(e, p, got, t.tparams, bound)
                p = substitute(p, bound)
            else:
                got = self.check(a, p)
                if aliases:
                    self.alias(a, p, e)
            if not fits(p, got) or (got.kind == ANY_K and p.kind not in (ANY_K, VAR_K)):
                raise self.fail("T007", e.lo, e.hi, i + 1, text(p), text(got))
        if t.effects:
            self.forget_mutable()
        result = t.args[-1]
        if t.tparams:
            result = substitute(result, bound)
            if len(e.args) == len(params):
                left = escaping(result, t.tparams)
                if left:
                    raise self.fail("T048", e.lo, e.hi, left)
        if len(e.args) == len(params):
            return result
        for p in reversed(params[len(e.args) :]):
            result = fun_of([substitute(p, bound)], result, t.effects)
        return result

    def bind(self, e: ast.Call, p: SType, got: SType, tparams: tuple[str, ...], bound: dict[str, SType]) -> None:
        """What an argument says about the type parameters."""
        if p.kind == VAR_K and p.name in tparams:
            old = bound.get(p.name)
            if old is None or old.kind == ANY_K:
                bound[p.name] = got
            elif not unify(old, got):
                raise self.fail("T047", e.lo, e.hi, p.name, text(old), text(got))
            return
        if p.kind == got.kind and len(p.args) == len(got.args):
            for x, y in zip(p.args, got.args, strict=False):
                self.bind(e, x, y, tparams, bound)

    def x_fun(self, e: ast.FunExpr, want: SType | None) -> SType:
        before = self.narrowed
        outer = self.tparams
        self.narrowed = {}
        self.tparams = (*outer, *e.tparams)
        hint = want if want is not None and want.kind == FUN_K and len(want.args) == len(e.params) + 1 else None
        params = [self.resolve(p.type, hint.args[i] if hint else ANY) for i, p in enumerate(e.params)]
        result = self.resolve(e.result) if e.result is not None else None
        if e.expr is not None:
            self.scopes.append({})
            for p, pt in zip(e.params, params, strict=False):
                self.declare(p.name, pt, True)
            if result is None:
                result = self.expr(e.expr)
            else:
                got = self.check(e.expr, result)
                if got.kind == ANY_K and result.kind not in (ANY_K, VAR_K):
                    raise self.fail("T010", e.expr.lo, e.expr.hi, text(result), text(got))
            self.scopes.pop()
        else:
            self.function_body(e.params, params, e.body or [], result or ANY)
            result = result or (hint.args[-1] if hint else ANY)
        self.narrowed = before
        self.tparams = outer
        body: list[Any] = list(e.body) if e.body is not None else [e.expr]
        effects = effects_of(body, self.effects)
        if e.effects is not None:
            effects = self.declared_effects(e, "<fun>", e.effects, effects)
        t = fun_of(params, result, effects)
        t.tparams = tuple(e.tparams)
        return t

    def declared_effects(self, at: ast.Node, name: str, labels: list[str], body: int) -> int:
        """The contract of a function; T064 and T065 when it cannot hold."""
        for label in labels:
            if label not in LABELS:
                raise self.fail("T064", at.lo, at.hi, label)
        declared = sum(EFFECT[label] for label in dict.fromkeys(labels))
        if body & ~declared:
            raise self.fail("T065", at.lo, at.hi, name, effects_text(declared), effects_text(body))
        return declared

    def x_if(self, e: ast.IfExpr, want: SType | None) -> SType:
        c = self.expr(e.cond)
        if c.kind not in (BOOL_K, ANY_K):
            raise self.fail("T040", e.cond.lo, e.cond.hi)
        before = self.enter(self.facts(e.cond, True))
        a = self.expr(e.then, want)
        self.leave(before)
        if e.orelse is None:
            return a
        before = self.enter(self.facts(e.cond, False))
        b = self.expr(e.orelse, want)
        self.leave(before)
        if unify(a, b):
            return b if a.kind in (ANY_K,) or (a.kind == OPT_K and a.args[0].kind == ANY_K) else a
        return want if want is not None and fits(want, a) and fits(want, b) else ANY

    # -- the newer language ----------------------------------------------------------------------

    def x_newer(self, e: ast.Expr, want: SType | None) -> SType:
        raise self.fail("M006", e.lo, e.hi, _NEWER[type(e)])

    def x_interpolation(self, e: ast.Interpolation, want: SType | None) -> SType:
        for m in INTERPOLATED.finditer(e.value):
            v = self.find(m[1])
            if v is not None and not v.function:
                raise self.fail("M006", e.lo, e.hi, f"`{m[0]}` in a string")
        return STRING

    # -- the outside world -----------------------------------------------------------------------

    def x_fetch(self, e: ast.Fetch, want: SType | None) -> SType:
        self.fetch(e, e.url, e.options)
        return ANY

    def fetch(self, e: ast.Node, url: ast.Expr, options: ast.Expr | None) -> None:
        if self.expr(url).kind not in (STRING_K, ANY_K):
            raise self.fail("T028", e.lo, e.hi)
        if options is None:
            return
        if isinstance(options, ast.MapLit):
            for k, v in options.entries:
                t = self.expr(v)
                name = k.value if isinstance(k, ast.StrLit) else ""
                want = _FETCH_OPTIONS.get(name)
                if want is not None and not unify(want, t) and not (want is FLOAT and is_numeric(t)):
                    raise self.fail("T030", v.lo, v.hi, name, text(want), text(t))
        elif self.expr(options).kind not in (MAP_K, ANY_K, STRUCT_K):
            raise self.fail("T029", e.lo, e.hi)

    def x_generate(self, e: ast.Generate, want: SType | None) -> SType:
        result = STRING if e.target == "text" else list_of(FLOAT) if e.target == "embedding" else None
        if result is None:
            result = self.types.get(e.target)
            if result is None:
                raise self.fail("T025", e.lo, e.hi, e.target)
        for f in e.fields:
            t = _GENERATE.get(f.name)
            if f.name == "tools" and isinstance(f.value, ast.ListLit):
                for tool in f.value.elems:
                    self.tool(tool)
            elif t is None:
                self.expr(f.value)
            else:
                self.check(f.value, t)
        return result

    def tool(self, e: ast.Expr) -> None:
        """A function, or its name with what the model is told about it."""
        if isinstance(e, ast.StructLit):
            for f in e.fields:
                self.check(f.value, STRING)
            e = ast.Ident(e.lo, e.hi, e.name)
        if self.expr(e).kind not in (FUN_K, ANY_K):
            raise self.fail("T004", e.lo, e.hi, e.name if isinstance(e, ast.Ident) else "this tool")

    def x_load(self, e: ast.Load, want: SType | None) -> SType:
        t = self.resolve(e.type)
        if e.options is not None:
            self.expr(e.options)
        return list_of(t)

    def x_save(self, e: ast.Save, want: SType | None) -> SType:
        self.expr(e.source)
        if e.options is not None:
            self.expr(e.options)
        return UNIT

    def x_logic(self, e: ast.LogicQuery, want: SType | None) -> SType:
        if logic.relation(e.pred) not in self.relations:
            message = f"unknown predicate: {e.pred.name} of {len(e.pred.terms)} terms"
            help = "State a fact or a rule with this name and as many terms."
            raise StrictError(Diagnostic("T003", message, e.pred.lo, e.pred.hi, help))
        return list_of(map_of(STRING, ANY))

    def x_query(self, e: ast.Query, want: SType | None) -> SType:
        raise NotImplementedError

    def x_match(self, e: ast.Match, want: SType | None) -> SType:
        raise NotImplementedError


def common(a: SType, b: SType) -> SType:
    """The type of entries that may have either type."""
    return a if b.kind != ANY_K and unify(a, b) else ANY


def substitute(t: SType, bound: dict[str, SType]) -> SType:
    """A type with its parameters replaced."""
    if not bound:
        return t
    if t.kind == VAR_K:
        return bound.get(t.name, t)
    if not t.args:
        return t
    out = SType(t.kind, t.name, tuple(substitute(a, bound) for a in t.args))
    out.effects = t.effects
    return out


def escaping(t: SType, tparams: tuple[str, ...]) -> str:
    """A type parameter that no argument has bound."""
    work = [t]
    while work:
        x = work.pop()
        if x.kind == VAR_K and x.name in tparams:
            return x.name
        work += x.args
    return ""


_NEWER: Final[dict[type, str]] = {
    ast.SetLit: "a set literal", ast.OMapLit: "`omap`", ast.Async: "`async`",
}  # fmt: skip
Operator = Callable[[StrictExpr, ast.Binary, SType, SType], SType]
_OPERATORS: Final[dict[str, Operator]] = {
    "+": StrictExpr.b_add, "-": StrictExpr.b_arithmetic, "*": StrictExpr.b_arithmetic, "/": StrictExpr.b_arithmetic,
    "%": StrictExpr.b_arithmetic, "==": StrictExpr.b_compare, "!=": StrictExpr.b_compare, "<": StrictExpr.b_compare,
    "<=": StrictExpr.b_compare, ">": StrictExpr.b_compare, ">=": StrictExpr.b_compare, "in": StrictExpr.b_in,
    "union": StrictExpr.b_set, "union all": StrictExpr.b_set, "except": StrictExpr.b_set,
    "intersect": StrictExpr.b_set, "except all": StrictExpr.b_set, "intersect all": StrictExpr.b_set,
}  # fmt: skip
_RULES: Final[dict[type, Rule]] = {
    ast.IntLit: StrictExpr.x_int, ast.FloatLit: StrictExpr.x_float, ast.StrLit: StrictExpr.x_str,
    ast.BoolLit: StrictExpr.x_bool, ast.NoneLit: StrictExpr.x_none, ast.ListLit: StrictExpr.x_list,
    ast.SetLit: StrictExpr.x_newer, ast.MapLit: StrictExpr.x_map, ast.OMapLit: StrictExpr.x_newer,
    ast.StructLit: StrictExpr.x_struct, ast.Ident: StrictExpr.x_ident, ast.Unary: StrictExpr.x_unary,
    ast.Binary: StrictExpr.x_binary, ast.Index: StrictExpr.x_index, ast.Slice: StrictExpr.x_slice,
    ast.Field: StrictExpr.x_field, ast.Cast: StrictExpr.x_cast, ast.Call: StrictExpr.x_call,
    ast.FunExpr: StrictExpr.x_fun, ast.IfExpr: StrictExpr.x_if, ast.Async: StrictExpr.x_newer,
    ast.Interpolation: StrictExpr.x_interpolation,
    ast.Fetch: StrictExpr.x_fetch, ast.Generate: StrictExpr.x_generate, ast.Load: StrictExpr.x_load,
    ast.Save: StrictExpr.x_save, ast.LogicQuery: StrictExpr.x_logic,
    ast.Query: lambda s, e, want: s.x_query(e, want), ast.Match: lambda s, e, want: s.x_match(e, want),
}  # fmt: skip
