"""Queries, over lists and over facts.

Their words are ordinary names elsewhere, so each function looks ahead and falls back to the name.
"""

from __future__ import annotations

from typing import Final

from mochic.syntax import ast
from mochic.syntax.cursor import Cursor
from mochic.syntax.parse_expr import EXPR_START, expr, int_lit, named, str_lit
from mochic.syntax.tokens import COMMA, FROM, IDENT, IN, INT, LPAREN, ON, RPAREN, STRING

_JOIN_SIDES: Final = ("left", "right", "outer")


def from_query(cur: Cursor) -> ast.Expr:
    """Query = From+ Join* ("where" Expr)? Group? Sort? ("skip" Expr)? ("take" Expr)? Select .

    From = "from" <ident> "in" Expr ;
    Group = "group" "by" Expr ("," Expr)* "into" <ident> ("having" Expr)? ;
    Sort = ("sort" | "order") "by" Expr ;
    Select = "select" "distinct"? Expr .
    """
    p = cur.p
    kinds = cur.kinds
    if kinds[p + 1] < IDENT or kinds[p + 2] != IN:
        return named(cur)
    froms: list[ast.FromClause] = []
    while True:
        at = cur.p
        if kinds[at] != FROM or kinds[at + 1] < IDENT or kinds[at + 2] != IN:
            break
        cur.p = at + 3
        source = expr(cur)
        froms.append(ast.FromClause(cur.starts[at], source.hi, cur.texts[at + 1], source))
    joins: list[ast.JoinClause] = []
    while True:
        word = cur.word()
        if word != "join" and not (word in _JOIN_SIDES and cur.texts[cur.p + 1] == "join"):
            break
        joins.append(join_clause(cur, "" if word == "join" else word))
    where = clause(cur, "where")
    keys: list[ast.Expr] = []
    group_var: str | None = None
    having: ast.Expr | None = None
    if cur.word() == "group":
        take_by(cur)
        keys.append(expr(cur))
        while kinds[cur.p] == COMMA:
            cur.p += 1
            keys.append(expr(cur))
        if cur.word() != "into":
            cur.fail(cur.p, '"into" <ident> ("having" Expr)?')
        cur.p += 1
        group_var = cur.name()
        having = clause(cur, "having")
    sort: ast.Expr | None = None
    if cur.word() in ("sort", "order"):
        take_by(cur)
        sort = expr(cur)
    skip = clause(cur, "skip")
    take = clause(cur, "take")
    if cur.word() != "select":
        cur.fail(cur.p, '"select" "distinct"? Expr')
    cur.p += 1
    distinct = False
    if cur.word() == "distinct" and EXPR_START[kinds[cur.p + 1]]:
        cur.p += 1
        distinct = True
    select = expr(cur)
    return ast.Query(
        cur.starts[p],
        cur.ends[cur.p - 1],
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


def join_clause(cur: Cursor, side: str) -> ast.JoinClause:
    """Join = ("left" | "right" | "outer")? "join" "from"? <ident> "in" Expr "on" Expr ."""
    at = cur.p
    cur.p = at + (2 if side else 1)
    if cur.kinds[cur.p] == FROM and cur.kinds[cur.p + 1] >= IDENT:
        cur.p += 1
    var = cur.name()
    cur.expect(IN, '"in" Expr "on" Expr')
    source = expr(cur)
    cur.expect(ON, '"on" Expr')
    on = expr(cur)
    return ast.JoinClause(cur.starts[at], on.hi, side, var, source, on)


def take_by(cur: Cursor) -> None:
    """The second word of `group by` and `sort by`."""
    cur.p += 1
    if cur.word() != "by":
        cur.fail(cur.p, '"by" Expr')
    cur.p += 1


def clause(cur: Cursor, word: str) -> ast.Expr | None:
    """(word Expr)? ."""
    if cur.word() != word:
        return None
    cur.p += 1
    return expr(cur)


# -- facts


def logic_query(cur: Cursor) -> ast.Expr:
    """LogicQuery = "query" Pred ; a call of something named `query` otherwise."""
    p = cur.p
    kinds = cur.kinds
    if kinds[p + 1] < IDENT or kinds[p + 2] != LPAREN:
        return named(cur)
    i = p + 3
    while kinds[i] >= IDENT or kinds[i] == STRING or kinds[i] == INT or kinds[i] == COMMA:
        i += 1
    if kinds[i] != RPAREN:
        return named(cur)
    cur.p = p + 1
    pred = predicate(cur)
    return ast.LogicQuery(cur.starts[p], pred.hi, pred)


def predicate(cur: Cursor) -> ast.Pred:
    """Pred = <ident> "(" (LogicTerm ("," LogicTerm)*)? ")" ; LogicTerm = <ident> | <string> | <int> ."""
    p = cur.p
    kinds = cur.kinds
    name = cur.name()
    cur.expect(LPAREN, '"("')
    terms: list[ast.Expr] = []
    if kinds[cur.p] != RPAREN:
        while True:
            k = kinds[cur.p]
            if k >= IDENT:
                terms.append(ast.Ident(cur.starts[cur.p], cur.ends[cur.p], cur.texts[cur.p]))
                cur.p += 1
            elif k == STRING:
                terms.append(str_lit(cur))
            elif k == INT:
                terms.append(int_lit(cur))
            else:
                cur.fail(cur.p, "LogicTerm")
            if kinds[cur.p] != COMMA:
                break
            cur.p += 1
    cur.expect(RPAREN, '")"')
    return ast.Pred(cur.starts[p], cur.ends[cur.p - 1], name, terms)
