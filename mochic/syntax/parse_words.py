"""Expressions that a word introduces: queries, load and save, fetch, generate, and those of newer upstream versions.

Most of these words are ordinary names elsewhere, so each function looks ahead and falls back to the name.
"""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.parse_base import MAX_NESTING
from mochic.syntax.parse_branch import BranchParser
from mochic.syntax.parse_expr import EXPR_START, PRIMARY
from mochic.syntax.tokens import (
    AS,
    ASYNC,
    AWAIT,
    COLON,
    COMMA,
    EMIT,
    FETCH,
    FROM,
    FUN,
    GENERATE,
    IDENT,
    IN,
    INT,
    LBRACE,
    LOAD,
    LPAREN,
    OMAP,
    ON,
    QUERY,
    RBRACE,
    RPAREN,
    SAVE,
    SET,
    STRING,
)  # fmt: skip

_GENERATE_RULE: Final = '<ident> "{" (GenerateField ("," GenerateField)*)? ","?? "}"'
_JOIN_SIDES: Final = ("left", "right", "outer")


class WordParser(BranchParser):
    """Adds its words to the table of primaries."""

    __slots__ = ()

    def generate(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        target = self.name(_GENERATE_RULE)
        self.expect(LBRACE, '"{" (GenerateField ("," GenerateField)*)? ","?? "}"')
        fields = self.field_inits()
        return ast.Generate(self.starts[p], self.ends[self.p - 1], target, fields)

    def options(self) -> ast.Expr | None:
        """`with e` if it is there."""
        if self.word() != "with" or not EXPR_START[self.kinds[self.p + 1]] or self.begins_own(self.p):
            return None
        self.p += 1
        return self.expr()

    def fetch(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        url = self.expr()
        options = self.options()
        return ast.Fetch(self.starts[p], self.ends[self.p - 1], url, options)

    def load(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        path = self.path(p)
        self.expect(AS, '"as" TypeRef ("with" Expr)?')
        typ = self.type_ref()
        options = self.options()
        return ast.Load(self.starts[p], self.ends[self.p - 1], path, typ, options)

    def save(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        source = self.expr()
        path: str | None = None
        if self.word() == "to" and self.kinds[self.p + 1] == STRING:
            self.p += 1
            path = self.path(p)
        options = self.options()
        return ast.Save(self.starts[p], self.ends[self.p - 1], source, path, options)

    def path(self, p: int) -> str | None:
        """The file name of the load or save at token p, if one is written."""
        at = self.p
        if self.kinds[at] != STRING:
            return None
        self.p = at + 1
        if not self.texts[at]:
            self.checks.append(make("P062", self.starts[p], self.ends[at]))
        return self.texts[at]

    def emit_call(self) -> ast.Expr:
        """`emit(s, v)`: newer upstream has it as a function."""
        p = self.p
        if self.kinds[p + 1] != LPAREN:
            self.fail(p, "PostfixExpr")
        self.p = p + 1
        return ast.Ident(self.starts[p], self.ends[p], "emit")

    # -- contextual words

    def from_query(self) -> ast.Expr:
        p = self.p
        kinds = self.kinds
        if kinds[p + 1] < IDENT or kinds[p + 2] != IN:
            return self.named()
        froms: list[ast.FromClause] = []
        while True:
            at = self.p
            if kinds[at] != FROM or kinds[at + 1] < IDENT or kinds[at + 2] != IN:
                break
            self.p = at + 3
            source = self.expr()
            froms.append(ast.FromClause(self.starts[at], source.hi, self.texts[at + 1], source))
        joins: list[ast.JoinClause] = []
        while True:
            word = self.word()
            if word != "join" and not (word in _JOIN_SIDES and self.texts[self.p + 1] == "join"):
                break
            joins.append(self.join("" if word == "join" else word))
        where = self.clause("where")
        keys: list[ast.Expr] = []
        group_var: str | None = None
        having: ast.Expr | None = None
        if self.word() == "group":
            self.by()
            keys.append(self.expr())
            while kinds[self.p] == COMMA:
                self.p += 1
                keys.append(self.expr())
            if self.word() != "into":
                self.fail(self.p, '"into" <ident> ("having" Expr)?')
            self.p += 1
            group_var = self.name()
            having = self.clause("having")
        sort: ast.Expr | None = None
        if self.word() in ("sort", "order"):
            self.by()
            sort = self.expr()
        skip = self.clause("skip")
        take = self.clause("take")
        if self.word() != "select":
            self.fail(self.p, '"select" "distinct"? Expr')
        self.p += 1
        distinct = False
        if self.word() == "distinct" and EXPR_START[kinds[self.p + 1]]:
            self.p += 1
            distinct = True
        select = self.expr()
        return ast.Query(
            self.starts[p],
            self.ends[self.p - 1],
            froms,
            joins,
            where,
            keys,
            group_var,
            having,
            sort,
            skip,
            take,
            select,
            distinct,
        )

    def clause(self, word: str) -> ast.Expr | None:
        """`word e` if it is there."""
        if self.word() != word:
            return None
        self.p += 1
        return self.expr()

    def by(self) -> None:
        """The second word of `group by` and `sort by`."""
        self.p += 1
        if self.word() != "by":
            self.fail(self.p, '"by" Expr')
        self.p += 1

    def join(self, side: str) -> ast.JoinClause:
        at = self.p
        self.p = at + (2 if side else 1)
        if self.kinds[self.p] == FROM and self.kinds[self.p + 1] >= IDENT:
            self.p += 1
        var = self.name()
        self.expect(IN, '"in" Expr "on" Expr')
        source = self.expr()
        self.expect(ON, '"on" Expr')
        on = self.expr()
        return ast.JoinClause(self.starts[at], on.hi, side, var, source, on)

    def logic_query(self) -> ast.Expr:
        """`query p(x, 1)`; a call of something named `query` otherwise."""
        p = self.p
        kinds = self.kinds
        if kinds[p + 1] < IDENT or kinds[p + 2] != LPAREN:
            return self.named()
        i = p + 3
        while kinds[i] >= IDENT or kinds[i] == STRING or kinds[i] == INT or kinds[i] == COMMA:
            i += 1
        if kinds[i] != RPAREN:
            return self.named()
        self.p = p + 1
        pred = self.pred()
        return ast.LogicQuery(self.starts[p], pred.hi, pred)

    def pred(self) -> ast.Pred:
        """`name(term, ...)`; a term is a name, string or integer."""
        p = self.p
        kinds = self.kinds
        name = self.name()
        self.expect(LPAREN, '"("')
        terms: list[ast.Expr] = []
        if kinds[self.p] != RPAREN:
            while True:
                k = kinds[self.p]
                if k >= IDENT:
                    terms.append(ast.Ident(self.starts[self.p], self.ends[self.p], self.texts[self.p]))
                    self.p += 1
                elif k == STRING:
                    terms.append(self.str_lit())
                elif k == INT:
                    terms.append(self.int_lit())
                else:
                    self.fail(self.p, "LogicTerm")
                if kinds[self.p] != COMMA:
                    break
                self.p += 1
        self.expect(RPAREN, '")"')
        return ast.Pred(self.starts[p], self.ends[self.p - 1], name, terms)

    def set_lit(self) -> ast.Expr:
        """`set{a, b}`; `set{}` and `set{a: 1}` are struct literals, in the head of a statement `set` is a name."""
        p = self.p
        kinds = self.kinds
        k = kinds[p + 2]
        if self.head or kinds[p + 1] != LBRACE or k == RBRACE or not EXPR_START[k]:
            return self.named()
        if k >= IDENT and kinds[p + 3] == COLON:
            return self.struct_lit()
        self.p = p + 2
        elems = self.elements(RBRACE, '"}"')
        return ast.SetLit(self.starts[p], self.ends[self.p - 1], elems)

    def omap_lit(self) -> ast.Expr:
        """`omap{"k": v}`."""
        p = self.p
        kinds = self.kinds
        k = kinds[p + 2]
        if self.head or kinds[p + 1] != LBRACE or k == RBRACE or k >= IDENT or not EXPR_START[k]:
            return self.named()
        self.p = p + 2
        entries = self.entries(None)
        return ast.OMapLit(self.starts[p], self.ends[self.p - 1], entries)

    def async_expr(self) -> ast.Expr:
        """`async e`, `await e`: only when a name or function follows on the same line."""
        p = self.p
        k = self.kinds[p + 1]
        if (k < IDENT and k != FUN) or k == AS or not self.same_line(p + 1):
            return self.named()
        self.p = p + 1
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.too_deep("expression")
        e = self.operand()
        self.depth -= 1
        return ast.Async(self.starts[p], e.hi, e, self.kinds[p] == AWAIT)


PRIMARY[GENERATE] = WordParser.generate
PRIMARY[FETCH] = WordParser.fetch
PRIMARY[LOAD] = WordParser.load
PRIMARY[SAVE] = WordParser.save
PRIMARY[EMIT] = WordParser.emit_call
PRIMARY[FROM] = WordParser.from_query
PRIMARY[QUERY] = WordParser.logic_query
PRIMARY[SET] = WordParser.set_lit
PRIMARY[OMAP] = WordParser.omap_lit
PRIMARY[ASYNC] = WordParser.async_expr
PRIMARY[AWAIT] = WordParser.async_expr
