"""The expression half of the parser.

Binary operators are regrouped by precedence (language reference, 2.4) with two explicit stacks instead of recursion:
all operators associate to the left, so `a + b + c ...` of any length costs one Python frame.  Postfixes and
`else if` chains are loops too.  What recurses is counted in `depth`.

The reference implementation is an ordered-choice parser with backtracking; here one or two tokens of look-ahead decide
everywhere but in three places, each marked "back off".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.parse_base import MAX_CHAIN, MAX_NESTING, ParserBase
from mochic.syntax.tokens import (
    INTERPOLATED,
    ALL,
    ANDAND,
    ARROW,
    AS,
    BANG,
    COALESCE,
    COLON,
    COMMA,
    DOT,
    DOTDOT,
    EQ,
    EXCEPT,
    FALSE,
    FETCH,
    FLOAT,
    FUN,
    GE,
    GENERATE,
    GT,
    IDENT,
    IF,
    IN,
    INT,
    INTERSECT,
    KINDS,
    LBRACE,
    LBRACK,
    LE,
    LOAD,
    LPAREN,
    LT,
    MATCH,
    MINUS,
    NE,
    NONE,
    OROR,
    PERCENT,
    PLUS,
    QUESTION,
    RBRACE,
    RBRACK,
    RPAREN,
    RULE_IS,
    SAVE,
    SLASH,
    STAR,
    STRING,
    THEN,
    TRUE,
    UNION,
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
    INT,
    FLOAT,
    STRING,
    TRUE,
    FALSE,
    NONE,
    MINUS,
    BANG,
    LPAREN,
    LBRACK,
    LBRACE,
    IF,
    FUN,
    MATCH,
    GENERATE,
    FETCH,
    LOAD,
    SAVE,
):
    EXPR_START[_k] = True

# After `name {}` in the head of a statement: these can only follow if `name {}` was a struct literal (2.6).
_STRUCT_FOLLOW: Final[list[bool]] = [PRECEDENCE[k] > 0 and k < IDENT and k != MINUS for k in range(KINDS)]
for _k in (LBRACE, RPAREN, RBRACK, COMMA, DOT, DOTDOT, QUESTION, COLON, ARROW, THEN):
    _STRUCT_FOLLOW[_k] = True

_POSTFIX: Final[list[bool]] = [k in (LPAREN, LBRACK, DOT, QUESTION, AS) for k in range(KINDS)]

_MAX_INT: Final = (1 << 63) - 1


class ExprParser(ParserBase):
    """Expressions; blocks and statements come from the subclass."""

    __slots__ = ()

    def block(self) -> list[ast.Stmt]:
        raise NotImplementedError

    def block_from(self, first: ast.Expr | None, lo: int) -> list[ast.Stmt]:
        raise NotImplementedError

    def begins_statement(self) -> bool:
        raise NotImplementedError

    # -- operators

    def expr(self) -> ast.Expr:
        """Any expression."""
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.too_deep("expression")
        left = self.operand()
        if PRECEDENCE[self.kinds[self.p]]:
            left = self.operators(left)
        self.depth -= 1
        return left

    def operators(self, first: ast.Expr) -> ast.Expr:
        """The rest of an expression after its first operand."""
        kinds = self.kinds
        starts = self.starts
        values = [first]
        ops: list[str] = []
        precs: list[int] = []
        places: list[int] = []
        count = 0
        while True:
            p = self.p
            k = kinds[p]
            prec = PRECEDENCE[k]
            if not prec:
                break
            op = self.texts[p]
            after = p + 1
            if prec == 1:
                # A name like any other unless an operand follows.
                if kinds[after] == ALL:
                    after += 1
                    if k == UNION:
                        op = "union all"
                if not EXPR_START[kinds[after]] or self.begins_own(p):
                    break
            elif kinds[after] == ALL:
                after += 1
            while precs and precs[-1] >= prec:
                precs.pop()
                right = values.pop()
                lhs = values[-1]
                values[-1] = ast.Binary(lhs.lo, right.hi, ops.pop(), lhs, right, places.pop())
            self.p = after
            ops.append(op)
            precs.append(prec)
            places.append(starts[p])
            values.append(self.operand())
            count += 1
            if count > MAX_CHAIN:
                self.too_deep("operators", MAX_CHAIN)
        while ops:
            right = values.pop()
            lhs = values[-1]
            values[-1] = ast.Binary(lhs.lo, right.hi, ops.pop(), lhs, right, places.pop())
        return values[0]

    def operand(self) -> ast.Expr:
        """Prefix operators, a primary, and its postfixes."""
        p = self.p
        kinds = self.kinds
        k = kinds[p]
        first = p
        while k == MINUS or k == BANG:
            p += 1
            k = kinds[p]
        e: ast.Expr
        if k == IDENT:
            if kinds[p + 1] == LBRACE and self.struct_ahead(p):
                self.p = p
                e = self.struct_lit()
            elif kinds[p + 1] == DOT and self.packages:
                self.p = p
                e = self.named()
            else:
                self.p = p + 1
                e = ast.Ident(self.starts[p], self.ends[p], self.texts[p])
        else:
            primary = PRIMARY[k]
            self.p = p
            if primary is None:
                self.fail(p, "PostfixExpr")
            e = primary(self)
        if _POSTFIX[kinds[self.p]]:
            e = self.postfix(e)
        if p > first:
            if p - first > MAX_NESTING:
                self.too_deep("operators")
            hi = e.hi
            while p > first:
                p -= 1
                e = ast.Unary(self.starts[p], hi, self.texts[p], e)
        return e

    def postfix(self, e: ast.Expr) -> ast.Expr:
        """Calls, indexes, selectors and casts after a primary."""
        kinds = self.kinds
        starts = self.starts
        ends = self.ends
        lo = e.lo
        count = 0
        while True:
            p = self.p
            k = kinds[p]
            if k == LPAREN:
                args: list[ast.Expr] = []
                p += 1
                self.p = p
                if kinds[p] == RPAREN:
                    self.p = p + 1
                else:
                    while True:
                        args.append(self.expr())
                        k = kinds[self.p]
                        self.p += 1
                        if k == COMMA:
                            continue
                        if k == RPAREN:
                            break
                        self.fail(self.p - 1, '")"')
                e = ast.Call(lo, ends[self.p - 1], e, args, starts[p - 1])
            elif k == DOT:
                if kinds[p + 1] < IDENT:
                    self.fail(p + 1, "<ident>")
                self.p = p + 2
                e = ast.Field(lo, ends[p + 1], e, self.texts[p + 1], False, starts[p + 1])
            elif k == LBRACK:
                indexed = self.index(e, p, False)
                if indexed is None:
                    self.p = p  # back off: a list literal on the next line
                    return e
                e = indexed
            elif k == QUESTION:
                k = kinds[p + 1]
                if k == DOT:
                    if kinds[p + 2] < IDENT:
                        self.fail(p + 2, "<ident>")
                    self.p = p + 3
                    e = ast.Field(lo, ends[p + 2], e, self.texts[p + 2], True, starts[p])
                elif k == LBRACK:
                    p += 1
                    if kinds[p + 1] == RBRACK:
                        self.fail(p + 1, "Expr")
                    self.p = p + 1
                    key = self.expr()
                    self.expect(RBRACK, '"]"')
                    e = ast.Index(lo, ends[self.p - 1], e, key, True, starts[p - 1])
                else:
                    return e
            elif k == AS:
                k = kinds[p + 1]
                if k < IDENT and k != FUN and k != LBRACE:
                    return e
                self.p = p + 1
                typ = self.type_ref()
                e = ast.Cast(lo, ends[self.p - 1], e, typ, starts[p])
            else:
                return e
            count += 1
            if count > MAX_CHAIN:
                self.too_deep("selectors", MAX_CHAIN)

    def index(self, obj: ast.Expr, p: int, safe: bool) -> ast.Expr | None:
        """`[i]` or `[a:b:c]` at token p; None when it is a list of several elements instead."""
        kinds = self.kinds
        lo = self.starts[p]
        parts: list[ast.Expr | None] = [None, None, None]
        colons = 0
        p += 1
        self.p = p
        while True:
            k = kinds[p]
            if k == RBRACK:
                break
            if k == COLON or k == RULE_IS:
                if colons == 2:
                    self.fail(p, '"]"')
                colons += 1
                if k == RULE_IS:
                    # `:-` is one token; here it is a colon and the sign of what follows (2.6).
                    kinds[p] = MINUS
                    self.texts[p] = "-"
                    self.starts[p] += 1
                else:
                    p += 1
                    self.p = p
                continue
            if parts[colons] is not None:
                if k == COMMA and colons == 0:
                    return None
                self.fail(p, '"]"')
            parts[colons] = self.expr()
            p = self.p
        self.p = p + 1
        hi = self.ends[p]
        start, end, step = parts
        if start is None and end is None and step is None:
            self.checks.append(make("P060", lo, hi))
            start = ast.NoneLit(lo, hi)
        if colons:
            return ast.Slice(obj.lo, hi, obj, start, end, step, lo)
        assert start is not None
        return ast.Index(obj.lo, hi, obj, start, safe, lo)

    # -- primaries

    def named(self) -> ast.Expr:
        """A name that is a contextual word where it does not introduce its clause."""
        p = self.p
        kinds = self.kinds
        if kinds[p + 1] == LBRACE and self.struct_ahead(p):
            return self.struct_lit()
        self.p = p + 1
        if kinds[p + 1] == DOT and self.texts[p] in self.packages:
            if kinds[p + 2] >= IDENT and kinds[p + 3] == LBRACE and self.struct_ahead(p + 2):
                self.p = p + 2
                lit = self.struct_lit()
                lit.lo = self.starts[p]
                lit.name = f"{self.texts[p]}.{lit.name}"
                return lit
        return ast.Ident(self.starts[p], self.ends[p], self.texts[p])

    def struct_ahead(self, p: int) -> bool:
        """Whether the name at p and the `{` behind it begin a struct literal."""
        kinds = self.kinds
        k = kinds[p + 2]
        if k >= IDENT:
            return kinds[p + 3] == COLON
        # `x {}`: the head of a statement needs the brace for its body, unless what follows shows otherwise.
        return k == RBRACE and (not self.head or _STRUCT_FOLLOW[kinds[p + 3]])

    def struct_lit(self) -> ast.StructLit:
        p = self.p
        self.p = p + 2
        fields = self.field_inits()
        return ast.StructLit(self.starts[p], self.ends[self.p - 1], self.texts[p], fields)

    def field_inits(self) -> list[ast.FieldInit]:
        """`a: e, b: e }`, the brace included."""
        fields: list[ast.FieldInit] = []
        kinds = self.kinds
        while kinds[self.p] != RBRACE:
            p = self.p
            if kinds[p] < IDENT:
                self.fail(p, '"}"')
            self.p = p + 1
            self.expect(COLON, '":"')
            value = self.expr()
            fields.append(ast.FieldInit(self.starts[p], value.hi, self.texts[p], value))
            if kinds[self.p] != COMMA:
                break
            self.p += 1
        self.expect(RBRACE, '"}"')
        return fields

    def int_lit(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        t = self.texts[p]
        lo = self.starts[p]
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
                at = self.ends[p - 1] if p and self.ends[p - 1] < lo else lo
                self.checks.append(make("P045", at, self.ends[p], self.texts[p]))
                value = _MAX_INT
        return ast.IntLit(lo, self.ends[p], value)

    def float_lit(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        value = float(self.texts[p])
        if value > 1.7976931348623157e308:
            self.checks.append(make("P049", self.starts[p], self.ends[p], self.texts[p]))
        return ast.FloatLit(self.starts[p], self.ends[p], value)

    def str_lit(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        text = self.texts[p]
        if "{" in text and INTERPOLATED.search(text):
            return ast.Interpolation(self.starts[p], self.ends[p], text)
        return ast.StrLit(self.starts[p], self.ends[p], text)

    def bool_lit(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        return ast.BoolLit(self.starts[p], self.ends[p], self.kinds[p] == TRUE)

    def none_lit(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        return ast.NoneLit(self.starts[p], self.ends[p])

    def paren(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        e = self.inner_expr()
        self.expect(RPAREN, '")"')
        # There is no node for parentheses; the expression's span takes them in.
        e.lo = self.starts[p]
        e.hi = self.ends[self.p - 1]
        return e

    def list_lit(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        elems = self.elements(RBRACK, '"]"')
        return ast.ListLit(self.starts[p], self.ends[self.p - 1], elems)

    def elements(self, close: int, expected: str) -> list[ast.Expr]:
        """Expressions up to the closing token, which is taken; a trailing comma is allowed."""
        elems: list[ast.Expr] = []
        kinds = self.kinds
        while kinds[self.p] != close:
            elems.append(self.expr())
            if kinds[self.p] != COMMA:
                break
            self.p += 1
        self.expect(close, expected)
        return elems

    def map_lit(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        return self.map_rest(self.starts[p], None)

    def map_rest(self, lo: int, key: ast.Expr | None) -> ast.MapLit:
        """A map literal after its `{`, or after its first key."""
        entries = self.entries(key)
        return ast.MapLit(lo, self.ends[self.p - 1], entries)

    def entries(self, key: ast.Expr | None) -> list[tuple[ast.Expr, ast.Expr]]:
        """`k: v, ... }`, the brace included."""
        out: list[tuple[ast.Expr, ast.Expr]] = []
        kinds = self.kinds
        while key is not None or kinds[self.p] != RBRACE:
            if key is None:
                p = self.p
                if kinds[p] >= IDENT and kinds[p + 1] == COLON:
                    self.p = p + 1
                    key = ast.StrLit(self.starts[p], self.ends[p], self.texts[p])
                else:
                    key = self.expr()
            self.expect(COLON, '":"')
            out.append((key, self.expr()))
            key = None
            if kinds[self.p] != COMMA:
                break
            self.p += 1
        self.expect(RBRACE, '"}"')
        return out

    def inner_expr(self) -> ast.Expr:
        """An expression in braces: no longer in the head of a statement."""
        outer = self.head
        self.head = False
        e = self.expr()
        self.head = outer
        return e

    def head_expr(self) -> ast.Expr:
        """An expression that a body follows."""
        outer = self.head
        self.head = True
        e = self.expr()
        self.head = outer
        return e


Primary = Callable[[Any], ast.Expr]
# What an operand that begins with this kind is; parse_words adds the words that introduce clauses.
PRIMARY: Final[list[Primary | None]] = [ExprParser.named if k >= IDENT else None for k in range(KINDS)]
PRIMARY[INT] = ExprParser.int_lit
PRIMARY[FLOAT] = ExprParser.float_lit
PRIMARY[STRING] = ExprParser.str_lit
PRIMARY[TRUE] = ExprParser.bool_lit
PRIMARY[FALSE] = ExprParser.bool_lit
PRIMARY[NONE] = ExprParser.none_lit
PRIMARY[LPAREN] = ExprParser.paren
PRIMARY[LBRACK] = ExprParser.list_lit
PRIMARY[LBRACE] = ExprParser.map_lit
