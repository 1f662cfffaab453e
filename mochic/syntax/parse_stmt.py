"""Statements that a word introduces and that declare nothing."""

from __future__ import annotations

from mochic.syntax import ast
from mochic.syntax.cursor import MAX_CHAIN, Cursor, SyntaxFailure
from mochic.syntax.parse_block import BLOCK_RULE, block, expression_stmt, statement_from
from mochic.syntax.parse_branch import if_expr_from
from mochic.syntax.parse_expr import EXPR_START, expr, head_expr, map_rest, operators
from mochic.syntax.parse_query import clause
from mochic.syntax.parse_words import with_options
from mochic.syntax.tokens import COLON, COMMA, DOTDOT, ELSE, FUN, IDENT, IF, IN, LBRACE, SET, THEN


def return_stmt(cur: Cursor) -> ast.Stmt:
    """Return = "return" Expr? ."""
    p = cur.p
    cur.p = p + 1
    value: ast.Expr | None = None
    k = cur.kinds[p + 1]
    if EXPR_START[k] and not (k == FUN and cur.kinds[p + 2] >= IDENT):
        checks = len(cur.checks)
        depth = cur.depth
        try:
            value = expr(cur)
        except SyntaxFailure:
            # Back off: a bare `return`, and an unreachable statement on the next line.
            if cur.same_line(p + 1):
                raise
            del cur.checks[checks:]
            cur.depth = depth
            cur.head = False
            cur.p = p + 1
    return ast.Return(cur.starts[p], cur.ends[cur.p - 1], value)


def if_stmt(cur: Cursor) -> ast.Stmt:
    """If = "if" Expr Block ("else" (If | Block))? ; or an IfExpr with "then" as a statement."""
    kinds = cur.kinds
    p = cur.p
    cur.p = p + 1
    cond = head_expr(cur)
    if kinds[cur.p] == THEN:
        lo = cur.starts[p]
        e = if_expr_from(cur, p, cond)
        return statement_from(cur, operators(cur, e), lo)
    then = block(cur)
    if kinds[cur.p] != ELSE:
        return ast.If(cur.starts[p], cur.ends[cur.p - 1], cond, then, None)
    chain = [(cur.starts[p], cond, then)]
    orelse: list[ast.Stmt] | None = None
    while kinds[cur.p] == ELSE:
        p = cur.p + 1
        if kinds[p] != IF:
            cur.p = p
            orelse = block(cur)
            break
        cur.p = p + 1
        cond = head_expr(cur)
        chain.append((cur.starts[p], cond, block(cur)))
        if len(chain) > MAX_CHAIN:
            cur.too_deep("else if", MAX_CHAIN)
    hi = cur.ends[cur.p - 1]
    while True:
        lo, cond, then = chain.pop()
        stmt = ast.If(lo, hi, cond, then, orelse)
        if not chain:
            return stmt
        orelse = [stmt]


def while_stmt(cur: Cursor) -> ast.Stmt:
    """While = "while" Expr Block ."""
    p = cur.p
    cur.p = p + 1
    cond = head_expr(cur)
    body = block(cur)
    return ast.While(cur.starts[p], cur.ends[cur.p - 1], cond, body)


def for_stmt(cur: Cursor) -> ast.Stmt:
    """For = "for" <ident> "in" Expr (".." Expr)? Block ."""
    p = cur.p
    cur.p = p + 1
    var = cur.name('<ident> "in" Expr (".." Expr)? ' + BLOCK_RULE)
    cur.expect(IN, '"in" Expr (".." Expr)? ' + BLOCK_RULE)
    source = head_expr(cur)
    end: ast.Expr | None = None
    if cur.kinds[cur.p] == DOTDOT:
        cur.p += 1
        end = head_expr(cur)
    body = block(cur)
    return ast.For(cur.starts[p], cur.ends[cur.p - 1], var, source, end, body)


def break_stmt(cur: Cursor) -> ast.Stmt:
    """Break = "break" ."""
    p = cur.p
    cur.p = p + 1
    return ast.Break(cur.starts[p], cur.ends[p])


def continue_stmt(cur: Cursor) -> ast.Stmt:
    """Continue = "continue" ."""
    p = cur.p
    cur.p = p + 1
    return ast.Continue(cur.starts[p], cur.ends[p])


def expect_stmt(cur: Cursor) -> ast.Stmt:
    """Expect = "expect" Expr ."""
    p = cur.p
    cur.p = p + 1
    e = expr(cur)
    return ast.Expect(cur.starts[p], e.hi, e)


def try_stmt(cur: Cursor) -> ast.Stmt:
    """Try = "try" Block "catch" <ident> ("," <ident>)? Block .

    Newer upstream has it.  Otherwise a statement may begin with the name `try`.
    """
    p = cur.p
    kinds = cur.kinds
    if kinds[p + 1] != LBRACE or (kinds[p + 2] >= IDENT and kinds[p + 3] == COLON):
        return expression_stmt(cur)
    cur.p = p + 1
    body = block(cur)
    if cur.word() != "catch":
        cur.fail(cur.p, '"catch" <ident> ' + BLOCK_RULE)
    cur.p += 1
    var = cur.name()
    message = ""
    if kinds[cur.p] == COMMA:
        cur.p += 1
        message = cur.name()
    handler = block(cur)
    return ast.Try(cur.starts[p], cur.ends[cur.p - 1], body, var, message, handler)


def fetch_stmt(cur: Cursor) -> ast.Stmt:
    """FetchStmt = "fetch" Expr "into" <ident> Options ; or a Fetch whose value is dropped."""
    p = cur.p
    lo = cur.starts[p]
    cur.p = p + 1
    url = expr(cur)
    if cur.word() == "into" and cur.kinds[cur.p + 1] >= IDENT:
        target = cur.texts[cur.p + 1]
        cur.p += 2
        options = with_options(cur)
        return ast.FetchStmt(lo, cur.ends[cur.p - 1], url, target, options)
    options = with_options(cur)
    hi = cur.ends[cur.p - 1]
    return ast.ExprStmt(lo, hi, ast.Fetch(lo, hi, url, options))


def update_stmt(cur: Cursor) -> ast.Stmt:
    """Update = "update" <ident> "set" MapLit ("where" Expr)? ."""
    p = cur.p
    kinds = cur.kinds
    if kinds[p + 1] < IDENT or kinds[p + 2] != SET or kinds[p + 3] != LBRACE:
        return expression_stmt(cur)
    cur.p = p + 4
    sets = map_rest(cur, cur.starts[p + 3], None)
    where = None if cur.begins_own(cur.p) else clause(cur, "where")
    return ast.Update(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p + 1], sets, where)
