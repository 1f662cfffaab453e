"""Lists of statements, recovery from errors in them, and statements that begin like an expression."""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.cursor import MAX_NESTING, Cursor, SyntaxFailure
from mochic.syntax.lexer import MAX_ERRORS
from mochic.syntax.parse_check import has_effect
from mochic.syntax.parse_expr import expr
from mochic.syntax.tokens import ASSIGN, EOF, FETCH, FUN, IDENT, LBRACE, RBRACE, TEST

BLOCK_RULE: Final = '"{" Statement* "}"'
HEADER_RULE: Final = '")" (":" TypeRef)? ("!" <ident> ("," <ident>)*)? "{" Statement* "}"'


def statements(cur: Cursor, body: list[ast.Stmt], expected: str) -> None:
    """Statement* up to the brace that closes the block or the end of the file; neither is taken."""
    kinds = cur.kinds
    table = cur.productions
    depth = cur.depth
    head = cur.head
    cur.head = False
    while True:
        p = cur.p
        k = kinds[p]
        if (k == RBRACE and expected) or (k == EOF and not expected):
            break
        try:
            production = table[k]
            if production is None:
                cur.fail(p, expected)
            body.append(production(cur))
        except SyntaxFailure as e:
            cur.depth = depth
            cur.head = False
            recover(cur, e, p)
            if kinds[cur.p] == EOF or kinds[cur.p] == RBRACE:
                break
    cur.head = head


def recover(cur: Cursor, e: SyntaxFailure, begin: int) -> None:
    """Record an error of the statement that began at token `begin` and skip to where another may begin."""
    kinds = cur.kinds
    at = e.at
    errors = cur.errors
    base = cur.file.base
    if not errors or (
        e.diag.lo > errors[-1].lo
        and len(errors) < MAX_ERRORS
        and cur.file.data.find(b"\n", errors[-1].lo - base, e.diag.lo - base) >= 0
    ):
        errors.append(e.diag)
    level = 0
    for k in kinds[begin:at]:
        if k == LBRACE:
            level += 1
        elif k == RBRACE:
            level -= 1
    i = at
    while True:
        k = kinds[i]
        if k == EOF:
            break
        if k == RBRACE:
            if level <= 0:
                break
            level -= 1
        elif k == LBRACE:
            level += 1
        elif i > begin and k >= TEST and level <= 0 and cur.restarts[k] and not cur.same_line(i):
            break
        i += 1
    cur.p = i


def block(cur: Cursor) -> list[ast.Stmt]:
    """Block = "{" Statement* "}" ."""
    p = cur.p
    kinds = cur.kinds
    if kinds[p] != LBRACE:
        cur.fail(p, BLOCK_RULE)
    cur.p = p + 1
    body: list[ast.Stmt] = []
    if kinds[p + 1] == RBRACE:
        cur.p = p + 2
        return body
    close_block(cur, body)
    return body


def close_block(cur: Cursor, body: list[ast.Stmt]) -> None:
    """Statement* "}", the rest of a block."""
    cur.depth += 1
    if cur.depth > MAX_NESTING:
        cur.too_deep("block")
    statements(cur, body, '"}"')
    cur.depth -= 1
    if cur.kinds[cur.p] == RBRACE:
        cur.p += 1


def block_from(cur: Cursor, first: ast.Expr | None, lo: int) -> list[ast.Stmt]:
    """The rest of a block whose first statement begins with an expression that was read already."""
    assert first is not None
    body = [statement_from(cur, first, lo)]
    close_block(cur, body)
    return body


def begins_statement(cur: Cursor) -> bool:
    """Whether the next token begins a statement that is no expression or assignment."""
    k = cur.kinds[cur.p]
    production = cur.productions[k]
    if production is None or k == FETCH or production is expression_stmt:
        return False
    if k == FUN:
        return cur.kinds[cur.p + 1] >= IDENT
    return True


def expression_stmt(cur: Cursor) -> ast.Stmt:
    """Expr | Assignment ."""
    lo = cur.starts[cur.p]
    return statement_from(cur, expr(cur), lo)


def statement_from(cur: Cursor, e: ast.Expr, lo: int) -> ast.Stmt:
    """The rest of an expression statement or an assignment that begins with e.

    Assignment = Place "=" Expr ; Place = <ident> ("." <ident> | Index)* .
    """
    p = cur.p
    if cur.kinds[p] == ASSIGN:
        target: ast.Expr = e
        while type(target) is not ast.Ident:
            if isinstance(target, (ast.Index, ast.Field)) and not target.safe:
                target = target.obj
            else:
                cur.fail(p, "")
        cur.p = p + 1
        value = expr(cur)
        return ast.Assign(lo, value.hi, e, value)
    if type(e) is not ast.Call and not has_effect(e):
        cur.checks.append(make("P065", lo, e.hi))
    return ast.ExprStmt(lo, e.hi, e)
