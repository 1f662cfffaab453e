"""Calls and function expressions in the strict mode: parameters, type parameters, effects (docs/reference.md, 5.4)."""

from __future__ import annotations


from mochic.sema.strict.builtins import BUILTINS, builtin_call
from mochic.sema.strict.context import Strict
from mochic.sema.strict.effects import BUILTIN_EFFECTS, body_of, effects_of
from mochic.sema.strict.types import (
    ANY, ANY_K, EFFECT, FUN_K, LABELS, VAR_K, SType, effects_text, fits, fun_of, text, unify,
)  # fmt: skip
from mochic.syntax import ast


def call(strict: Strict, e: ast.Call, want: SType | None) -> SType:
    fn = e.fn
    if isinstance(fn, ast.Ident):
        v = strict.find(fn.name)
        if v is None:
            if fn.name in BUILTINS:
                t = builtin_call(strict, e, fn.name)
                if BUILTIN_EFFECTS.get(fn.name, 0):
                    strict.forget_mutable()
                return t
            raise strict.fail("T003", e.lo, e.hi, fn.name)
        return apply(strict, e, strict.type_of(v), fn.name, v.function)
    t = strict.expr(fn)
    if isinstance(fn, ast.Field) and t.kind == FUN_K and len(e.args) < len(t.args) - 1 and strict.agents:
        owner = strict.expr(fn.obj)
        if any(owner is a for a in strict.agents.values()):  # intents run at once
            raise strict.fail("T039", e.lo, e.hi, fn.name, len(t.args) - 1, len(e.args))
    return apply(strict, e, t, "", False)


def apply(strict: Strict, e: ast.Call, t: SType, name: str, aliases: bool) -> SType:
    if t.kind == ANY_K:
        for a in e.args:
            strict.expr(a)
        strict.forget_mutable()
        return ANY
    if t.kind != FUN_K:
        lo = e.lo if name else e.paren_lo
        raise strict.fail("T004", lo, e.hi, name)
    params = t.args[:-1]
    if len(e.args) > len(params):
        raise strict.fail("T006", e.lo, e.hi, len(params), len(e.args))
    bound: dict[str, SType] = {}
    for i, a in enumerate(e.args):
        p = params[i]
        if t.tparams:
            got = strict.expr(a)
            bind_parameters(strict, e, p, got, t.tparams, bound)
            p = substitute(p, bound)
        else:
            got = strict.check(a, p)
            if aliases:
                strict.alias(a, p, e)
        if not fits(p, got) or (got.kind == ANY_K and p.kind not in (ANY_K, VAR_K)):
            raise strict.fail("T007", e.lo, e.hi, i + 1, text(p), text(got))
    if t.effects:
        strict.forget_mutable()
    result = t.args[-1]
    if t.tparams:
        result = substitute(result, bound)
        if len(e.args) == len(params):
            left = escaping(result, t.tparams)
            if left:
                raise strict.fail("T048", e.lo, e.hi, left)
    if len(e.args) == len(params):
        return result
    for p in reversed(params[len(e.args) :]):
        result = fun_of([substitute(p, bound)], result, t.effects)
    return result


def bind_parameters(
    strict: Strict, e: ast.Call, p: SType, got: SType, tparams: tuple[str, ...], bound: dict[str, SType]
) -> None:
    """What an argument says about the type parameters."""
    if p.kind == VAR_K and p.name in tparams:
        old = bound.get(p.name)
        if old is None or old.kind == ANY_K:
            bound[p.name] = got
        elif not unify(old, got):
            raise strict.fail("T047", e.lo, e.hi, p.name, text(old), text(got))
        return
    if p.kind == got.kind and len(p.args) == len(got.args):
        for x, y in zip(p.args, got.args, strict=False):
            bind_parameters(strict, e, x, y, tparams, bound)


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


def function_expression(strict: Strict, e: ast.FunExpr, want: SType | None) -> SType:
    before = strict.narrowed
    outer = strict.tparams
    strict.narrowed = {}
    strict.tparams = (*outer, *e.tparams)
    hint = want if want is not None and want.kind == FUN_K and len(want.args) == len(e.params) + 1 else None
    params = [strict.resolve(p.type, hint.args[i] if hint else ANY) for i, p in enumerate(e.params)]
    result = strict.resolve(e.result) if e.result is not None else None
    if e.expr is not None:
        strict.scopes.append({})
        for p, pt in zip(e.params, params, strict=False):
            strict.declare(p.name, pt, True)
        if result is None:
            result = strict.expr(e.expr)
        else:
            got = strict.check(e.expr, result)
            if got.kind == ANY_K and result.kind not in (ANY_K, VAR_K):
                raise strict.fail("T010", e.expr.lo, e.expr.hi, text(result), text(got))
        strict.scopes.pop()
    else:
        strict.function_body(e.params, params, e.body or [], result or ANY)
        result = result or (hint.args[-1] if hint else ANY)
    strict.narrowed = before
    strict.tparams = outer
    effects = effects_of(body_of(e), strict.effects)
    if e.effects is not None:
        effects = declared_effects(strict, e, "<fun>", e.effects, effects)
    t = fun_of(params, result, effects)
    t.tparams = tuple(e.tparams)
    return t


def declared_effects(strict: Strict, at: ast.Node, name: str, labels: list[str], body: int) -> int:
    """The contract of a function; T064 and T065 when it cannot hold."""
    for label in labels:
        if label not in LABELS:
            raise strict.fail("T064", at.lo, at.hi, label)
    declared = sum(EFFECT[label] for label in dict.fromkeys(labels))
    if body & ~declared:
        raise strict.fail("T065", at.lo, at.hi, name, effects_text(declared), effects_text(body))
    return declared
