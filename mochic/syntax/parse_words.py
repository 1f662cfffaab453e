"""Expressions that a word introduces: load and save, fetch, generate, and those of newer upstream versions.

Most of these words are ordinary names elsewhere, so each function looks ahead and falls back to the name.
"""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.cursor import MAX_NESTING, Cursor
from mochic.syntax.parse_expr import EXPR_START, elements, entry_list, expr, field_inits, named, operand, struct_lit
from mochic.syntax.parse_types import type_ref
from mochic.syntax.tokens import AS, AWAIT, COLON, FUN, IDENT, LBRACE, LPAREN, RBRACE, STRING

_GENERATE_RULE: Final = '<ident> "{" (GenerateField ("," GenerateField)*)? ","?? "}"'


def load(cur: Cursor) -> ast.Expr:
    """Load = "load" <string>? "as" TypeRef Options ."""
    p = cur.p
    cur.p = p + 1
    path = file_name(cur, p)
    cur.expect(AS, '"as" TypeRef ("with" Expr)?')
    typ = type_ref(cur)
    options = with_options(cur)
    return ast.Load(cur.starts[p], cur.ends[cur.p - 1], path, typ, options)


def save(cur: Cursor) -> ast.Expr:
    """Save = "save" Expr ("to" <string>)? Options ."""
    p = cur.p
    cur.p = p + 1
    source = expr(cur)
    path: str | None = None
    if cur.word() == "to" and cur.kinds[cur.p + 1] == STRING:
        cur.p += 1
        path = file_name(cur, p)
    options = with_options(cur)
    return ast.Save(cur.starts[p], cur.ends[cur.p - 1], source, path, options)


def file_name(cur: Cursor, p: int) -> str | None:
    """The file name of the load or save at token p, if one is written."""
    at = cur.p
    if cur.kinds[at] != STRING:
        return None
    cur.p = at + 1
    if not cur.texts[at]:
        cur.checks.append(make("P062", cur.starts[p], cur.ends[at]))
    return cur.texts[at]


def fetch(cur: Cursor) -> ast.Expr:
    """Fetch = "fetch" Expr Options ."""
    p = cur.p
    cur.p = p + 1
    url = expr(cur)
    options = with_options(cur)
    return ast.Fetch(cur.starts[p], cur.ends[cur.p - 1], url, options)


def with_options(cur: Cursor) -> ast.Expr | None:
    """Options = ("with" Expr)? ."""
    if cur.word() != "with" or not EXPR_START[cur.kinds[cur.p + 1]] or cur.begins_own(cur.p):
        return None
    cur.p += 1
    return expr(cur)


def generate(cur: Cursor) -> ast.Expr:
    """Generate = "generate" <ident> "{" FieldInits ."""
    p = cur.p
    cur.p = p + 1
    target = cur.name(_GENERATE_RULE)
    cur.expect(LBRACE, '"{" (GenerateField ("," GenerateField)*)? ","?? "}"')
    fields = field_inits(cur)
    return ast.Generate(cur.starts[p], cur.ends[cur.p - 1], target, fields)


def emit_call(cur: Cursor) -> ast.Expr:
    """The name `emit`, if a call follows: newer upstream has it as a function."""
    p = cur.p
    if cur.kinds[p + 1] != LPAREN:
        cur.fail(p, "PostfixExpr")
    cur.p = p + 1
    return ast.Ident(cur.starts[p], cur.ends[p], "emit")


# -- newer


def set_lit(cur: Cursor) -> ast.Expr:
    """SetLit = "set" "{" Expr ("," Expr)* ","? "}" .

    `set{}` and `set{a: 1}` are struct literals, in the head of a statement `set` is a name.
    """
    p = cur.p
    kinds = cur.kinds
    k = kinds[p + 2]
    if cur.head or kinds[p + 1] != LBRACE or k == RBRACE or not EXPR_START[k]:
        return named(cur)
    if k >= IDENT and kinds[p + 3] == COLON:
        return struct_lit(cur)
    cur.p = p + 2
    elems = elements(cur, RBRACE, '"}"')
    return ast.SetLit(cur.starts[p], cur.ends[cur.p - 1], elems)


def omap_lit(cur: Cursor) -> ast.Expr:
    """OMapLit = "omap" "{" Entry ("," Entry)* ","? "}" ."""
    p = cur.p
    kinds = cur.kinds
    k = kinds[p + 2]
    if cur.head or kinds[p + 1] != LBRACE or k == RBRACE or k >= IDENT or not EXPR_START[k]:
        return named(cur)
    cur.p = p + 2
    entries = entry_list(cur, None)
    return ast.OMapLit(cur.starts[p], cur.ends[cur.p - 1], entries)


def async_expr(cur: Cursor) -> ast.Expr:
    """Async = ("async" | "await") Operand, only when a name or function follows on the same line."""
    p = cur.p
    k = cur.kinds[p + 1]
    if (k < IDENT and k != FUN) or k == AS or not cur.same_line(p + 1):
        return named(cur)
    cur.p = p + 1
    cur.depth += 1
    if cur.depth > MAX_NESTING:
        cur.too_deep("expression")
    e = operand(cur)
    cur.depth -= 1
    return ast.Async(cur.starts[p], e.hi, e, cur.kinds[p] == AWAIT)
