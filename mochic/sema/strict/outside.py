"""The outside world in the strict mode: files, the network, models, and queries of facts."""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import Diagnostic
from mochic.sema import logic
from mochic.sema.strict.context import Strict, StrictError
from mochic.sema.strict.types import (
    ANY, ANY_K, BOOL, FLOAT, FUN_K, INT, MAP_K, STRING, STRING_K, STRUCT_K, UNIT, SType, is_numeric, list_of, map_of,
    text, unify,
)  # fmt: skip
from mochic.syntax import ast

_FETCH_OPTIONS: Final = {
    "method": STRING, "headers": map_of(STRING, STRING), "body": ANY, "query": map_of(STRING, ANY), "timeout": FLOAT,
    "max_bytes": INT,
}  # fmt: skip
_GENERATE_FIELDS: Final = {
    "prompt": STRING, "text": STRING, "model": STRING, "temperature": FLOAT, "top_p": FLOAT, "max_tokens": INT,
    "normalize": BOOL, "stop": list_of(STRING),
}  # fmt: skip


def fetch_expression(strict: Strict, e: ast.Fetch, want: SType | None) -> SType:
    check_fetch(strict, e, e.url, e.options)
    return ANY


def check_fetch(strict: Strict, e: ast.Node, url: ast.Expr, options: ast.Expr | None) -> None:
    if strict.expr(url).kind not in (STRING_K, ANY_K):
        raise strict.fail("T028", e.lo, e.hi)
    if options is None:
        return
    if isinstance(options, ast.MapLit):
        for k, v in options.entries:
            t = strict.expr(v)
            name = k.value if isinstance(k, ast.StrLit) else ""
            want = _FETCH_OPTIONS.get(name)
            if want is not None and not unify(want, t) and not (want is FLOAT and is_numeric(t)):
                raise strict.fail("T030", v.lo, v.hi, name, text(want), text(t))
    elif strict.expr(options).kind not in (MAP_K, ANY_K, STRUCT_K):
        raise strict.fail("T029", e.lo, e.hi)


def generate(strict: Strict, e: ast.Generate, want: SType | None) -> SType:
    result = STRING if e.target == "text" else list_of(FLOAT) if e.target == "embedding" else None
    if result is None:
        result = strict.types.get(e.target)
        if result is None:
            raise strict.fail("T025", e.lo, e.hi, e.target)
    for f in e.fields:
        t = _GENERATE_FIELDS.get(f.name)
        if f.name == "tools" and isinstance(f.value, ast.ListLit):
            for tool in f.value.elems:
                check_tool(strict, tool)
        elif t is None:
            strict.expr(f.value)
        else:
            strict.check(f.value, t)
    return result


def check_tool(strict: Strict, e: ast.Expr) -> None:
    """A function, or its name with what the model is told about it."""
    if isinstance(e, ast.StructLit):
        for f in e.fields:
            strict.check(f.value, STRING)
        e = ast.Ident(e.lo, e.hi, e.name)
    if strict.expr(e).kind not in (FUN_K, ANY_K):
        raise strict.fail("T004", e.lo, e.hi, e.name if isinstance(e, ast.Ident) else "this tool")


def load(strict: Strict, e: ast.Load, want: SType | None) -> SType:
    t = strict.resolve(e.type)
    if e.options is not None:
        strict.expr(e.options)
    return list_of(t)


def save(strict: Strict, e: ast.Save, want: SType | None) -> SType:
    strict.expr(e.source)
    if e.options is not None:
        strict.expr(e.options)
    return UNIT


def logic_query(strict: Strict, e: ast.LogicQuery, want: SType | None) -> SType:
    if logic.relation(e.pred) not in strict.relations:
        message = f"unknown predicate: {e.pred.name} of {len(e.pred.terms)} terms"
        help = "State a fact or a rule with this name and as many terms."
        raise StrictError(Diagnostic("T003", message, e.pred.lo, e.pred.hi, help))
    return list_of(map_of(STRING, ANY))
