"""Expressions that hold blocks or alternatives: `if`, functions, `match`."""

from __future__ import annotations

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.parse_base import HEADER_RULE, MAX_CHAIN
from mochic.syntax.parse_check import is_pattern
from mochic.syntax.parse_expr import EXPR_START, PRIMARY, ExprParser
from mochic.syntax.tokens import (
    ARROW,
    COLON,
    ELSE,
    FUN,
    IDENT,
    IF,
    LBRACE,
    LPAREN,
    MATCH,
    RBRACE,
    THEN,
)  # fmt: skip


class BranchParser(ExprParser):
    """Adds its words to the table of primaries."""

    __slots__ = ()

    def if_expr(self) -> ast.Expr:
        """`if c { a } else { b }` or with `then`; `else if` chains are a loop."""
        return self.if_expr_from(self.p, None)

    def if_expr_from(self, p: int, cond: ast.Expr | None) -> ast.Expr:
        """The same, when the condition of the `if` at token p may have been read already."""
        kinds = self.kinds
        chain: list[tuple[int, ast.Expr, ast.Expr]] = []
        orelse: ast.Expr | None = None
        while True:
            if cond is None:
                self.p = p + 1
                cond = self.head_expr()
            k = kinds[self.p]
            if k == THEN:
                self.p += 1
                then = self.expr()
            elif k == LBRACE:
                self.p += 1
                then = self.inner_expr()
                self.expect(RBRACE, '"}"')
            else:
                self.fail(self.p, '"{"')
            chain.append((self.starts[p], cond, then))
            if kinds[self.p] != ELSE:
                break
            p = self.p + 1
            if kinds[p] == IF:
                cond = None
                if len(chain) > MAX_CHAIN:
                    self.too_deep("else if", MAX_CHAIN)
                continue
            self.p = p
            orelse = self.else_value() if kinds[p] == LBRACE else self.expr()
            break
        hi = self.ends[self.p - 1]
        while chain:
            lo, c, t = chain.pop()
            orelse = ast.IfExpr(lo, hi, c, t, orelse)
        assert orelse is not None
        return orelse

    def else_value(self) -> ast.Expr:
        """After `else` at `{`: one expression in braces, or a map literal."""
        p = self.p
        kinds = self.kinds
        k = kinds[p + 1]
        if k == RBRACE or (k >= IDENT and kinds[p + 2] == COLON):
            return self.expr()
        self.p = p + 1
        e = self.inner_expr()
        if kinds[self.p] == COLON:
            return self.map_rest(self.starts[p], e)
        self.expect(RBRACE, '"}"')
        return e

    def fun_expr(self) -> ast.Expr:
        p = self.p
        self.p = p + 1
        tparams = self.type_params()
        self.expect(LPAREN, '"("')
        params = self.params(HEADER_RULE)
        result = self.result_type()
        effects = self.effects()
        body: list[ast.Stmt] | None = None
        value: ast.Expr | None = None
        if self.kinds[self.p] == ARROW:
            self.p += 1
            value = self.expr()
        else:
            body = self.block()
        return ast.FunExpr(self.starts[p], self.ends[self.p - 1], tparams, params, result, effects, body, value)

    def match_expr(self) -> ast.Expr:
        kinds = self.kinds
        p = self.p
        self.p = p + 1
        subject = self.head_expr()
        self.expect(LBRACE, '"{" MatchCase* "}"')
        outer = self.head
        self.head = False
        cases: list[ast.MatchCase] = []
        while kinds[self.p] != RBRACE:
            if not EXPR_START[kinds[self.p]]:
                self.fail(self.p, '"}"')
            cases.append(self.match_case())
        self.p += 1
        self.head = outer
        return ast.Match(self.starts[p], self.ends[self.p - 1], subject, cases)

    def package_pattern(self, e: ast.Expr) -> ast.Expr:
        """A pattern with `name.Variant` as one name where `name` is a package."""
        if isinstance(e, ast.Field) and isinstance(e.obj, ast.Ident) and e.obj.name in self.packages and not e.safe:
            return ast.Ident(e.lo, e.hi, f"{e.obj.name}.{e.name}")
        if isinstance(e, ast.Call):
            e.fn = self.package_pattern(e.fn)
            e.args = [self.package_pattern(a) for a in e.args]
        return e

    def match_case(self) -> ast.MatchCase:
        kinds = self.kinds
        lo = self.starts[self.p]
        pattern = self.expr()
        if self.packages:
            pattern = self.package_pattern(pattern)
        if not is_pattern(pattern):
            self.checks.append(make("P063", lo, pattern.hi))
        guard: ast.Expr | None = None
        if self.word() == "when":
            self.p += 1
            guard = self.expr()
        self.expect(ARROW, '"=>" (Expr | ("{" Statement* "}"))')
        value: ast.Expr | None = None
        body: list[ast.Stmt] | None = None
        k = kinds[self.p]
        if k == RBRACE:
            self.checks.append(make("P061", lo, self.ends[self.p - 1]))
            value = ast.NoneLit(lo, lo)
        elif k == LBRACE:
            value, body = self.map_or_block()
        else:
            value = self.expr()
        return ast.MatchCase(lo, self.ends[self.p - 1], pattern, guard, value, body)

    def map_or_block(self) -> tuple[ast.Expr | None, list[ast.Stmt] | None]:
        """The result of a match case at `{`: a map literal if it can be one, else a block."""
        kinds = self.kinds
        p = self.p
        k = kinds[p + 1]
        if k == RBRACE or (k >= IDENT and kinds[p + 2] == COLON):
            return self.expr(), None
        self.p = p + 1
        if self.begins_statement():
            self.p = p
            return None, self.arm_block(self.block())
        # What begins like an expression is the first key or the first statement; no need to read it twice.
        lo = self.starts[p]
        first = self.expr()
        if kinds[self.p] == COLON:
            return self.map_rest(lo, first), None
        return None, self.arm_block(self.block_from(first, first.lo))

    def arm_block(self, body: list[ast.Stmt]) -> list[ast.Stmt]:
        """The last expression of a match case's block is its value, so it is not useless (P065)."""
        if body and self.checks:
            last = self.checks[-1]
            if last.code == "P065" and last.lo == body[-1].lo and type(body[-1]) is ast.ExprStmt:
                self.checks.pop()
        return body


PRIMARY[IF] = BranchParser.if_expr
PRIMARY[FUN] = BranchParser.fun_expr
PRIMARY[MATCH] = BranchParser.match_expr
