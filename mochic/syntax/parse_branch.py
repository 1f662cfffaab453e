"""Expressions that hold blocks or alternatives: `if`, functions, `match`."""

from __future__ import annotations

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.cursor import MAX_CHAIN, Cursor
from mochic.syntax.parse_block import HEADER_RULE, begins_statement, block, block_from
from mochic.syntax.parse_check import is_pattern
from mochic.syntax.parse_expr import EXPR_START, expr, head_expr, inner_expr, map_rest
from mochic.syntax.parse_types import effect_list, param_list, result_type, type_param_list
from mochic.syntax.tokens import ARROW, COLON, ELSE, IDENT, IF, LBRACE, LPAREN, RBRACE, THEN


def if_expr(cur: Cursor) -> ast.Expr:
    """IfExpr = "if" Expr ("then" Expr | "{" Expr "}") ("else" (IfExpr | "{" Expr "}" | Expr))? ."""
    return if_expr_from(cur, cur.p, None)


def if_expr_from(cur: Cursor, p: int, cond: ast.Expr | None) -> ast.Expr:
    """An IfExpr at token p, whose condition may have been read already; "else if" chains are a loop."""
    kinds = cur.kinds
    chain: list[tuple[int, ast.Expr, ast.Expr]] = []
    orelse: ast.Expr | None = None
    while True:
        if cond is None:
            cur.p = p + 1
            cond = head_expr(cur)
        k = kinds[cur.p]
        if k == THEN:
            cur.p += 1
            then = expr(cur)
        elif k == LBRACE:
            cur.p += 1
            then = inner_expr(cur)
            cur.expect(RBRACE, '"}"')
        else:
            cur.fail(cur.p, '"{"')
        chain.append((cur.starts[p], cond, then))
        if kinds[cur.p] != ELSE:
            break
        p = cur.p + 1
        if kinds[p] == IF:
            cond = None
            if len(chain) > MAX_CHAIN:
                cur.too_deep("else if", MAX_CHAIN)
            continue
        cur.p = p
        orelse = else_value(cur) if kinds[p] == LBRACE else expr(cur)
        break
    hi = cur.ends[cur.p - 1]
    while chain:
        lo, c, t = chain.pop()
        orelse = ast.IfExpr(lo, hi, c, t, orelse)
    assert orelse is not None
    return orelse


def else_value(cur: Cursor) -> ast.Expr:
    """After "else": "{" Expr "}" | MapLit ."""
    p = cur.p
    kinds = cur.kinds
    k = kinds[p + 1]
    if k == RBRACE or (k >= IDENT and kinds[p + 2] == COLON):
        return expr(cur)
    cur.p = p + 1
    e = inner_expr(cur)
    if kinds[cur.p] == COLON:
        return map_rest(cur, cur.starts[p], e)
    cur.expect(RBRACE, '"}"')
    return e


def fun_expr(cur: Cursor) -> ast.Expr:
    """FunExpr = "fun" TypeParams "(" Params Result Effects ("=>" Expr | Block) ."""
    p = cur.p
    cur.p = p + 1
    tparams = type_param_list(cur)
    cur.expect(LPAREN, '"("')
    params = param_list(cur, HEADER_RULE)
    result = result_type(cur)
    effects = effect_list(cur)
    body: list[ast.Stmt] | None = None
    value: ast.Expr | None = None
    if cur.kinds[cur.p] == ARROW:
        cur.p += 1
        value = expr(cur)
    else:
        body = block(cur)
    return ast.FunExpr(cur.starts[p], cur.ends[cur.p - 1], tparams, params, result, effects, body, value)


def match_expr(cur: Cursor) -> ast.Expr:
    """Match = "match" Expr "{" MatchCase* "}" ."""
    kinds = cur.kinds
    p = cur.p
    cur.p = p + 1
    subject = head_expr(cur)
    cur.expect(LBRACE, '"{" MatchCase* "}"')
    outer = cur.head
    cur.head = False
    cases: list[ast.MatchCase] = []
    while kinds[cur.p] != RBRACE:
        if not EXPR_START[kinds[cur.p]]:
            cur.fail(cur.p, '"}"')
        cases.append(match_case(cur))
    cur.p += 1
    cur.head = outer
    return ast.Match(cur.starts[p], cur.ends[cur.p - 1], subject, cases)


def match_case(cur: Cursor) -> ast.MatchCase:
    """MatchCase = Expr ("when" Expr)? "=>" (Expr | Block) ."""
    kinds = cur.kinds
    lo = cur.starts[cur.p]
    pattern = expr(cur)
    if cur.packages:
        pattern = package_pattern(cur, pattern)
    if not is_pattern(pattern):
        cur.checks.append(make("P063", lo, pattern.hi))
    guard: ast.Expr | None = None
    if cur.word() == "when":
        cur.p += 1
        guard = expr(cur)
    cur.expect(ARROW, '"=>" (Expr | ("{" Statement* "}"))')
    value: ast.Expr | None = None
    body: list[ast.Stmt] | None = None
    k = kinds[cur.p]
    if k == RBRACE:
        cur.checks.append(make("P061", lo, cur.ends[cur.p - 1]))
        value = ast.NoneLit(lo, lo)
    elif k == LBRACE:
        value, body = map_or_block(cur)
    else:
        value = expr(cur)
    return ast.MatchCase(lo, cur.ends[cur.p - 1], pattern, guard, value, body)


def package_pattern(cur: Cursor, e: ast.Expr) -> ast.Expr:
    """A pattern with `name.Variant` as one name where `name` is a package."""
    if isinstance(e, ast.Field) and isinstance(e.obj, ast.Ident) and e.obj.name in cur.packages and not e.safe:
        return ast.Ident(e.lo, e.hi, f"{e.obj.name}.{e.name}")
    if isinstance(e, ast.Call):
        e.fn = package_pattern(cur, e.fn)
        e.args = [package_pattern(cur, a) for a in e.args]
    return e


def map_or_block(cur: Cursor) -> tuple[ast.Expr | None, list[ast.Stmt] | None]:
    """MapLit | Block, the result of a match case: a map literal if it can be one."""
    kinds = cur.kinds
    p = cur.p
    k = kinds[p + 1]
    if k == RBRACE or (k >= IDENT and kinds[p + 2] == COLON):
        return expr(cur), None
    cur.p = p + 1
    if begins_statement(cur):
        cur.p = p
        return None, arm_block(cur, block(cur))
    # What begins like an expression is the first key or the first statement; no need to read it twice.
    lo = cur.starts[p]
    first = expr(cur)
    if kinds[cur.p] == COLON:
        return map_rest(cur, lo, first), None
    return None, arm_block(cur, block_from(cur, first, first.lo))


def arm_block(cur: Cursor, body: list[ast.Stmt]) -> list[ast.Stmt]:
    """The last expression of a match case's block is its value, so it is not useless (P065)."""
    if body and cur.checks:
        last = cur.checks[-1]
        if last.code == "P065" and last.lo == body[-1].lo and type(body[-1]) is ast.ExprStmt:
            cur.checks.pop()
    return body
