"""Expressions: operators, postfixes, and the primaries that no other file has.

Binary operators are regrouped by precedence (docs/reference.md, 2.4) with two explicit stacks instead of recursion:
all operators associate to the left, so `a + b + c ...` of any length costs one Python frame.  Postfixes and
`else if` chains are loops too.  What recurses is counted in `depth`.

The reference implementation is an ordered-choice parser with backtracking; here one or two tokens of look-ahead decide
everywhere but in three places, each marked "back off".
"""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.cursor import MAX_CHAIN, MAX_NESTING, Cursor
from mochic.syntax.parse_types import type_ref
from mochic.syntax.tokens import (
    ALL, ANDAND, ARROW, AS, BANG, COALESCE, COLON, COMMA, DOT, DOTDOT, EQ, EXCEPT, FALSE, FETCH, FLOAT, FUN, GE,
    GENERATE, GT, IDENT, IF, IN, INT, INTERPOLATED, INTERSECT, KINDS, LBRACE, LBRACK, LE, LOAD, LPAREN, LT, MATCH,
    MINUS, NE, NONE, OROR, PERCENT, PLUS, QUESTION, RBRACE, RBRACK, RPAREN, RULE_IS, SAVE, SLASH, STAR, STRING, THEN,
    TRUE, UNION,
)  # fmt: skip

_LEVELS: Final[tuple[tuple[int, ...], ...]] = (  # loosest first
    (UNION, EXCEPT, INTERSECT),
    (COALESCE,),
    (OROR,),
    (ANDAND,),
    (EQ, NE, IN),
    (LT, LE, GT, GE),
    (PLUS, MINUS),
    (STAR, SLASH, PERCENT),
)
# Binding strength by token kind; 0 = no binary operator.
PRECEDENCE: Final[list[int]] = [0] * KINDS
for _level, _kinds in enumerate(_LEVELS):
    for _k in _kinds:
        PRECEDENCE[_k] = _level + 1

# May an expression begin with this kind?
EXPR_START: Final[list[bool]] = [k >= IDENT for k in range(KINDS)]
for _k in (
    INT, FLOAT, STRING, TRUE, FALSE, NONE, MINUS, BANG, LPAREN, LBRACK, LBRACE, IF, FUN, MATCH, GENERATE, FETCH, LOAD,
    SAVE,
):  # fmt: skip
    EXPR_START[_k] = True

# After `name {}` in the head of a statement: these can only follow if `name {}` was a struct literal (2.6).
_STRUCT_FOLLOW: Final[list[bool]] = [PRECEDENCE[k] > 0 and k < IDENT and k != MINUS for k in range(KINDS)]
for _k in (LBRACE, RPAREN, RBRACK, COMMA, DOT, DOTDOT, QUESTION, COLON, ARROW, THEN):
    _STRUCT_FOLLOW[_k] = True

_POSTFIX: Final[list[bool]] = [k in (LPAREN, LBRACK, DOT, QUESTION, AS) for k in range(KINDS)]


# -- operators


def expr(cur: Cursor) -> ast.Expr:
    """Expr = Operand (<operator> Operand)* ."""
    cur.depth += 1
    if cur.depth > MAX_NESTING:
        cur.too_deep("expression")
    left = operand(cur)
    if PRECEDENCE[cur.kinds[cur.p]]:
        left = operators(cur, left)
    cur.depth -= 1
    return left


def head_expr(cur: Cursor) -> ast.Expr:
    """Expr, which a body follows."""
    outer = cur.head
    cur.head = True
    e = expr(cur)
    cur.head = outer
    return e


def inner_expr(cur: Cursor) -> ast.Expr:
    """Expr, in brackets: no longer in the head of a statement."""
    outer = cur.head
    cur.head = False
    e = expr(cur)
    cur.head = outer
    return e


def operators(cur: Cursor, first: ast.Expr) -> ast.Expr:
    """(<operator> Operand)*, the rest of an Expr after its first operand."""
    kinds = cur.kinds
    starts = cur.starts
    values = [first]
    ops: list[str] = []
    precs: list[int] = []
    places: list[int] = []
    count = 0
    while True:
        p = cur.p
        k = kinds[p]
        prec = PRECEDENCE[k]
        if not prec:
            break
        op = cur.texts[p]
        after = p + 1
        if prec == 1:
            # A name like any other unless an operand follows.
            if kinds[after] == ALL:
                after += 1
                if k == UNION:
                    op = "union all"
            if not EXPR_START[kinds[after]] or cur.begins_own(p):
                break
        elif kinds[after] == ALL:
            after += 1
        while precs and precs[-1] >= prec:
            precs.pop()
            right = values.pop()
            lhs = values[-1]
            values[-1] = ast.Binary(lhs.lo, right.hi, ops.pop(), lhs, right, places.pop())
        cur.p = after
        ops.append(op)
        precs.append(prec)
        places.append(starts[p])
        values.append(operand(cur))
        count += 1
        if count > MAX_CHAIN:
            cur.too_deep("operators", MAX_CHAIN)
    while ops:
        right = values.pop()
        lhs = values[-1]
        values[-1] = ast.Binary(lhs.lo, right.hi, ops.pop(), lhs, right, places.pop())
    return values[0]


def operand(cur: Cursor) -> ast.Expr:
    """Operand = ("-" | "!")* Primary Postfix* ."""
    p = cur.p
    kinds = cur.kinds
    k = kinds[p]
    first = p
    while k == MINUS or k == BANG:
        p += 1
        k = kinds[p]
    e: ast.Expr
    if k == IDENT:
        if kinds[p + 1] == LBRACE and struct_ahead(cur, p):
            cur.p = p
            e = struct_lit(cur)
        elif kinds[p + 1] == DOT and cur.packages:
            cur.p = p
            e = named(cur)
        else:
            cur.p = p + 1
            e = ast.Ident(cur.starts[p], cur.ends[p], cur.texts[p])
    else:
        primary = cur.primaries[k]
        cur.p = p
        if primary is None:
            cur.fail(p, "PostfixExpr")
        e = primary(cur)
    if _POSTFIX[kinds[cur.p]]:
        e = postfix(cur, e)
    if p > first:
        if p - first > MAX_NESTING:
            cur.too_deep("operators")
        hi = e.hi
        while p > first:
            p -= 1
            e = ast.Unary(cur.starts[p], hi, cur.texts[p], e)
    return e


def postfix(cur: Cursor, e: ast.Expr) -> ast.Expr:
    """Postfix*, after a primary.

    Postfix = "(" (Expr ("," Expr)*)? ")" | "?"? "." <ident> | Index | "?" "[" Expr "]" | "as" TypeRef .
    """
    kinds = cur.kinds
    starts = cur.starts
    ends = cur.ends
    lo = e.lo
    count = 0
    while True:
        p = cur.p
        k = kinds[p]
        if k == LPAREN:
            args: list[ast.Expr] = []
            p += 1
            cur.p = p
            if kinds[p] == RPAREN:
                cur.p = p + 1
            else:
                while True:
                    args.append(expr(cur))
                    k = kinds[cur.p]
                    cur.p += 1
                    if k == COMMA:
                        continue
                    if k == RPAREN:
                        break
                    cur.fail(cur.p - 1, '")"')
            e = ast.Call(lo, ends[cur.p - 1], e, args, starts[p - 1])
        elif k == DOT:
            if kinds[p + 1] < IDENT:
                cur.fail(p + 1, "<ident>")
            cur.p = p + 2
            e = ast.Field(lo, ends[p + 1], e, cur.texts[p + 1], False, starts[p + 1])
        elif k == LBRACK:
            indexed = index_or_slice(cur, e, p, False)
            if indexed is None:
                cur.p = p  # back off: a list literal on the next line
                return e
            e = indexed
        elif k == QUESTION:
            k = kinds[p + 1]
            if k == DOT:
                if kinds[p + 2] < IDENT:
                    cur.fail(p + 2, "<ident>")
                cur.p = p + 3
                e = ast.Field(lo, ends[p + 2], e, cur.texts[p + 2], True, starts[p])
            elif k == LBRACK:
                p += 1
                if kinds[p + 1] == RBRACK:
                    cur.fail(p + 1, "Expr")
                cur.p = p + 1
                key = expr(cur)
                cur.expect(RBRACK, '"]"')
                e = ast.Index(lo, ends[cur.p - 1], e, key, True, starts[p - 1])
            else:
                return e
        elif k == AS:
            k = kinds[p + 1]
            if k < IDENT and k != FUN and k != LBRACE:
                return e
            cur.p = p + 1
            typ = type_ref(cur)
            e = ast.Cast(lo, ends[cur.p - 1], e, typ, starts[p])
        else:
            return e
        count += 1
        if count > MAX_CHAIN:
            cur.too_deep("selectors", MAX_CHAIN)


def index_or_slice(cur: Cursor, obj: ast.Expr, p: int, safe: bool) -> ast.Expr | None:
    """Index = "[" (Expr | Expr? ":" Expr? (":" Expr?)?) "]" .

    It is at token p.  None when it is a list of several elements instead.
    """
    kinds = cur.kinds
    lo = cur.starts[p]
    parts: list[ast.Expr | None] = [None, None, None]
    colons = 0
    p += 1
    cur.p = p
    while True:
        k = kinds[p]
        if k == RBRACK:
            break
        if k == COLON or k == RULE_IS:
            if colons == 2:
                cur.fail(p, '"]"')
            colons += 1
            if k == RULE_IS:
                # `:-` is one token; here it is a colon and the sign of what follows (2.6).
                kinds[p] = MINUS
                cur.texts[p] = "-"
                cur.starts[p] += 1
            else:
                p += 1
                cur.p = p
            continue
        if parts[colons] is not None:
            if k == COMMA and colons == 0:
                return None
            cur.fail(p, '"]"')
        parts[colons] = expr(cur)
        p = cur.p
    cur.p = p + 1
    hi = cur.ends[p]
    start, end, step = parts
    if start is None and end is None and step is None:
        cur.checks.append(make("P060", lo, hi))
        start = ast.NoneLit(lo, hi)
    if colons:
        return ast.Slice(obj.lo, hi, obj, start, end, step, lo)
    assert start is not None
    return ast.Index(obj.lo, hi, obj, start, safe, lo)


# -- names and struct literals


def named(cur: Cursor) -> ast.Expr:
    """Name = <ident> | (<ident> ".")? StructLit .

    Contextual words are names too, where they introduce no clause.
    """
    p = cur.p
    kinds = cur.kinds
    if kinds[p + 1] == LBRACE and struct_ahead(cur, p):
        return struct_lit(cur)
    cur.p = p + 1
    if kinds[p + 1] == DOT and cur.texts[p] in cur.packages:
        if kinds[p + 2] >= IDENT and kinds[p + 3] == LBRACE and struct_ahead(cur, p + 2):
            cur.p = p + 2
            lit = struct_lit(cur)
            lit.lo = cur.starts[p]
            lit.name = f"{cur.texts[p]}.{lit.name}"
            return lit
    return ast.Ident(cur.starts[p], cur.ends[p], cur.texts[p])


def struct_ahead(cur: Cursor, p: int) -> bool:
    """Whether the name at p and the `{` behind it begin a struct literal."""
    kinds = cur.kinds
    k = kinds[p + 2]
    if k >= IDENT:
        return kinds[p + 3] == COLON
    # `x {}`: the head of a statement needs the brace for its body, unless what follows shows otherwise.
    return k == RBRACE and (not cur.head or _STRUCT_FOLLOW[kinds[p + 3]])


def struct_lit(cur: Cursor) -> ast.StructLit:
    """StructLit = <ident> "{" FieldInits ."""
    p = cur.p
    cur.p = p + 2
    fields = field_inits(cur)
    return ast.StructLit(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p], fields)


def field_inits(cur: Cursor) -> list[ast.FieldInit]:
    """FieldInits = (FieldInit ("," FieldInit)* ","?)? "}" ; FieldInit = <ident> ":" Expr ."""
    fields: list[ast.FieldInit] = []
    kinds = cur.kinds
    while kinds[cur.p] != RBRACE:
        p = cur.p
        if kinds[p] < IDENT:
            cur.fail(p, '"}"')
        cur.p = p + 1
        cur.expect(COLON, '":"')
        value = expr(cur)
        fields.append(ast.FieldInit(cur.starts[p], value.hi, cur.texts[p], value))
        if kinds[cur.p] != COMMA:
            break
        cur.p += 1
    cur.expect(RBRACE, '"}"')
    return fields


# -- other literals, parentheses

_MAX_INT: Final = (1 << 63) - 1


def int_lit(cur: Cursor) -> ast.Expr:
    """IntLit = <int> ."""
    p = cur.p
    cur.p = p + 1
    t = cur.texts[p]
    lo = cur.starts[p]
    if len(t) < 19:
        value = int(t, 0) if t[1:2] > "9" else int(t)
    else:
        if t[1] > "9":
            value = int(t, 0)
        else:
            t = t.lstrip("0") or "0"
            value = int(t) if len(t) < 20 else _MAX_INT + 1
        if value > _MAX_INT:
            # Upstream points at the white space before the literal.
            at = cur.ends[p - 1] if p and cur.ends[p - 1] < lo else lo
            cur.checks.append(make("P045", at, cur.ends[p], cur.texts[p]))
            value = _MAX_INT
    return ast.IntLit(lo, cur.ends[p], value)


def float_lit(cur: Cursor) -> ast.Expr:
    """FloatLit = <float> ."""
    p = cur.p
    cur.p = p + 1
    value = float(cur.texts[p])
    if value > 1.7976931348623157e308:
        cur.checks.append(make("P049", cur.starts[p], cur.ends[p], cur.texts[p]))
    return ast.FloatLit(cur.starts[p], cur.ends[p], value)


def str_lit(cur: Cursor) -> ast.Expr:
    """StrLit = <string> ."""
    p = cur.p
    cur.p = p + 1
    text = cur.texts[p]
    if "{" in text and INTERPOLATED.search(text):
        return ast.Interpolation(cur.starts[p], cur.ends[p], text)
    return ast.StrLit(cur.starts[p], cur.ends[p], text)


def bool_lit(cur: Cursor) -> ast.Expr:
    """BoolLit = "true" | "false" ."""
    p = cur.p
    cur.p = p + 1
    return ast.BoolLit(cur.starts[p], cur.ends[p], cur.kinds[p] == TRUE)


def none_lit(cur: Cursor) -> ast.Expr:
    """NoneLit = "none" ."""
    p = cur.p
    cur.p = p + 1
    return ast.NoneLit(cur.starts[p], cur.ends[p])


def paren(cur: Cursor) -> ast.Expr:
    """Paren = "(" Expr ")" ."""
    p = cur.p
    cur.p = p + 1
    e = inner_expr(cur)
    cur.expect(RPAREN, '")"')
    # There is no node for parentheses; the expression's span takes them in.
    e.lo = cur.starts[p]
    e.hi = cur.ends[cur.p - 1]
    return e


def list_lit(cur: Cursor) -> ast.Expr:
    """ListLit = "[" (Expr ("," Expr)* ","?)? "]" ."""
    p = cur.p
    cur.p = p + 1
    elems = elements(cur, RBRACK, '"]"')
    return ast.ListLit(cur.starts[p], cur.ends[cur.p - 1], elems)


def elements(cur: Cursor, close: int, expected: str) -> list[ast.Expr]:
    """(Expr ("," Expr)* ","?)? and the closing token."""
    elems: list[ast.Expr] = []
    kinds = cur.kinds
    while kinds[cur.p] != close:
        elems.append(expr(cur))
        if kinds[cur.p] != COMMA:
            break
        cur.p += 1
    cur.expect(close, expected)
    return elems


def map_lit(cur: Cursor) -> ast.Expr:
    """MapLit = "{" Entries ."""
    p = cur.p
    cur.p = p + 1
    return map_rest(cur, cur.starts[p], None)


def map_rest(cur: Cursor, lo: int, key: ast.Expr | None) -> ast.MapLit:
    """A MapLit after its brace, or after its first key."""
    entries = entry_list(cur, key)
    return ast.MapLit(lo, cur.ends[cur.p - 1], entries)


def entry_list(cur: Cursor, key: ast.Expr | None) -> list[tuple[ast.Expr, ast.Expr]]:
    """Entries = (Entry ("," Entry)* ","?)? "}" ; Entry = Expr ":" Expr .

    `key`: the first key, if it was read already.  A name before the colon is a string.
    """
    out: list[tuple[ast.Expr, ast.Expr]] = []
    kinds = cur.kinds
    while key is not None or kinds[cur.p] != RBRACE:
        if key is None:
            p = cur.p
            if kinds[p] >= IDENT and kinds[p + 1] == COLON:
                cur.p = p + 1
                key = ast.StrLit(cur.starts[p], cur.ends[p], cur.texts[p])
            else:
                key = expr(cur)
        cur.expect(COLON, '":"')
        out.append((key, expr(cur)))
        key = None
        if kinds[cur.p] != COMMA:
            break
        cur.p += 1
    cur.expect(RBRACE, '"}"')
    return out
