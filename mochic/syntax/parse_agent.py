"""Logic, streams, models and agents."""

from __future__ import annotations

from mochic.syntax import ast
from mochic.syntax.cursor import Cursor
from mochic.syntax.parse_block import BLOCK_RULE, block, expression_stmt
from mochic.syntax.parse_decl import var_decl
from mochic.syntax.parse_expr import expr, field_inits
from mochic.syntax.parse_query import predicate
from mochic.syntax.parse_types import field_decl, param_list, result_type
from mochic.syntax.tokens import AS, COLON, COMMA, IDENT, INTENT, LBRACE, LET, LPAREN, NE, ON, RBRACE, RULE_IS, VAR


def fact_decl(cur: Cursor) -> ast.Stmt:
    """Fact = "fact" Pred ."""
    p = cur.p
    cur.p = p + 1
    pred = predicate(cur)
    return ast.FactDecl(cur.starts[p], pred.hi, pred)


def rule_decl(cur: Cursor) -> ast.Stmt:
    """Rule = "rule" Pred ":-" LogicCond ("," LogicCond)* ; LogicCond = "not"? Pred | <ident> "!=" <ident> ."""
    p = cur.p
    kinds = cur.kinds
    cur.p = p + 1
    head = predicate(cur)
    cur.expect(RULE_IS, '":-" LogicCond ("," LogicCond)*')
    body: list[ast.Pred | tuple[str, str]] = []
    while True:
        at = cur.p
        if kinds[at] >= IDENT and kinds[at + 1] == NE:
            cur.p = at + 2
            body.append((cur.texts[at], cur.name()))
        else:
            negated = cur.texts[at] == "not" and kinds[at + 1] >= IDENT
            if negated:
                cur.p = at + 1
            pred = predicate(cur)
            pred.negated = negated
            body.append(pred)
        if kinds[cur.p] != COMMA:
            break
        cur.p += 1
    return ast.RuleDecl(cur.starts[p], cur.ends[cur.p - 1], head, body)


# -- streams and models


def stream_decl(cur: Cursor) -> ast.Stmt:
    """Stream = "stream" <ident> "{" (Field ","?)* "}" ."""
    p = cur.p
    kinds = cur.kinds
    cur.p = p + 1
    name = cur.name()
    cur.expect(LBRACE, '"{" StreamField* "}"')
    fields: list[ast.FieldDecl] = []
    while kinds[cur.p] != RBRACE:
        fields.append(field_decl(cur, '"}"'))
        if kinds[cur.p] == COMMA:
            cur.p += 1
    cur.p += 1
    return ast.StreamDecl(cur.starts[p], cur.ends[cur.p - 1], name, fields)


def on_handler(cur: Cursor) -> ast.Stmt:
    """OnHandler = "on" <ident> "as" <ident> Block ."""
    p = cur.p
    cur.p = p + 1
    stream = cur.name()
    cur.expect(AS, '"as" <ident> ' + BLOCK_RULE)
    var = cur.name()
    body = block(cur)
    return ast.OnHandler(cur.starts[p], cur.ends[cur.p - 1], stream, var, body)


def emit_stmt(cur: Cursor) -> ast.Stmt:
    """Emit = "emit" <ident> "{" FieldInits ."""
    p = cur.p
    if cur.kinds[p + 1] == LPAREN:
        return expression_stmt(cur)
    cur.p = p + 1
    stream = cur.name()
    cur.expect(LBRACE, '"{" (StructLitField ("," StructLitField)*)? ","? "}"')
    fields = field_inits(cur)
    return ast.Emit(cur.starts[p], cur.ends[cur.p - 1], stream, fields)


def model_decl(cur: Cursor) -> ast.Stmt:
    """Model = "model" <ident> "{" (<ident> ":" Expr ","?)* "}" ."""
    p = cur.p
    kinds = cur.kinds
    if kinds[p + 1] < IDENT or kinds[p + 2] != LBRACE:
        return expression_stmt(cur)
    cur.p = p + 3
    fields: list[ast.FieldInit] = []
    while kinds[cur.p] != RBRACE:
        at = cur.p
        key = cur.name('"}"')
        cur.expect(COLON, '":" Expr')
        value = expr(cur)
        fields.append(ast.FieldInit(cur.starts[at], value.hi, key, value))
        if kinds[cur.p] == COMMA:
            cur.p += 1
    cur.p += 1
    return ast.ModelDecl(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p + 1], fields)


# -- agents


def agent_decl(cur: Cursor) -> ast.Stmt:
    """Agent = "agent" <ident> "{" (VarDecl | OnHandler | Intent | Assignment)* "}" ."""
    p = cur.p
    kinds = cur.kinds
    cur.p = p + 1
    name = cur.name()
    cur.expect(LBRACE, '"{" AgentBlock* "}"')
    body: list[ast.Stmt] = []
    while kinds[cur.p] != RBRACE:
        k = kinds[cur.p]
        if k == LET or k == VAR:
            body.append(var_decl(cur))
        elif k == ON:
            body.append(on_handler(cur))
        elif k == INTENT:
            body.append(intent_decl(cur))
        elif k >= IDENT:
            at = cur.p
            stmt = expression_stmt(cur)
            if not isinstance(stmt, ast.Assign):
                cur.fail(at, '"}"')
            body.append(stmt)
        else:
            cur.fail(cur.p, '"}"')
    cur.p += 1
    return ast.AgentDecl(cur.starts[p], cur.ends[cur.p - 1], name, body)


def intent_decl(cur: Cursor) -> ast.Stmt:
    """Intent = "intent" <ident> "(" Params Result Block ."""
    p = cur.p
    cur.p = p + 1
    name = cur.name()
    cur.expect(LPAREN, '"(" (Param ("," Param)*)? ")" (":" TypeRef)? ' + BLOCK_RULE)
    params = param_list(cur, '")" (":" TypeRef)? ' + BLOCK_RULE)
    result = result_type(cur)
    body = block(cur)
    return ast.IntentDecl(cur.starts[p], cur.ends[cur.p - 1], name, params, result, body)
