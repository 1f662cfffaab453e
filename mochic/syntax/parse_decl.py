"""Declarations: variables, functions, types, imports, tests."""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.cursor import Cursor
from mochic.syntax.parse_block import BLOCK_RULE, HEADER_RULE, block, expression_stmt
from mochic.syntax.parse_expr import expr
from mochic.syntax.parse_types import effect_list, field_decl, param_list, result_type, type_param_list, type_ref
from mochic.syntax.tokens import (
    AS, ASSIGN, BANG, BAR, COLON, COMMA, DOT, FUN, IDENT, LBRACE, LET, LPAREN, RBRACE, RPAREN, STRING, TYPE, VAR,
)  # fmt: skip

LANGUAGES: Final = ("go", "python", "typescript", "zig", "lua", "clj", "clojure", "c")
_EXTERN_LANGUAGES: Final = ("go", "python", "js", "c")
EFFECTS: Final = ("io", "fs", "net", "time", "meta")
_DECL_RULE: Final = '<ident> (":" TypeRef)? ("=" Expr)?'


def var_decl(cur: Cursor) -> ast.Stmt:
    """VarDecl = ("let" | "var") <ident> (":" TypeRef)? ("=" Expr)? ."""
    p = cur.p
    kinds = cur.kinds
    at = p + 1
    if kinds[at] < IDENT:
        cur.fail(at, _DECL_RULE, "P031" if kinds[p] == LET and kinds[at] == COLON else "")
    lo = cur.starts[p]
    cur.p = p + 2
    typ: ast.TypeRef | None = None
    value: ast.Expr | None = None
    if kinds[p + 2] == COLON:
        cur.p = p + 3
        typ = type_ref(cur)
    if kinds[cur.p] == ASSIGN:
        cur.p += 1
        value = expr(cur)
    doc = cur.docs.get(lo, "")
    return ast.VarDecl(lo, cur.ends[cur.p - 1], cur.texts[at], typ, value, kinds[p] == VAR, doc)


def fun_stmt(cur: Cursor) -> ast.Stmt:
    """FunDecl | Expr ."""
    if cur.kinds[cur.p + 1] >= IDENT:
        return fun_decl(cur, cur.p, False)
    return expression_stmt(cur)


def fun_decl(cur: Cursor, first: int, export: bool) -> ast.FunDecl:
    """FunDecl = "fun" <ident> TypeParams "(" Params Result Effects Block ."""
    at = cur.p + 1
    cur.p = at
    name = cur.name('<ident> "(" (Param ("," Param)*)? ' + HEADER_RULE)
    tparams = type_param_list(cur)
    cur.expect(LPAREN, '"(" (Param ("," Param)*)? ' + HEADER_RULE)
    params = param_list(cur, HEADER_RULE)
    result = result_type(cur)
    effects = effect_list(cur)
    body = block(cur)
    lo = cur.starts[first]
    doc = cur.docs.get(lo, "")
    return ast.FunDecl(
        lo, cur.ends[cur.p - 1], name, cur.starts[at], tparams, params, result, effects, body, export, doc
    )


def export_stmt(cur: Cursor) -> ast.Stmt:
    """Export = "export" (FunDecl | TypeDecl | VarDecl) ."""
    p = cur.p
    cur.p = p + 1
    k = cur.kinds[p + 1]
    if k == TYPE or k == LET or k == VAR:
        st = type_decl(cur) if k == TYPE else var_decl(cur)
        assert isinstance(st, ast.TypeDecl | ast.VarDecl)
        st.lo = cur.starts[p]
        st.export = True
        return st
    if k != FUN:
        cur.fail(p + 1, '"fun" <ident>')
    return fun_decl(cur, p, True)


def test_decl(cur: Cursor) -> ast.Stmt:
    """Test = "test" <string> Block ."""
    p = cur.p
    cur.p = p + 1
    cur.expect(STRING, "<string> " + BLOCK_RULE)
    body = block(cur)
    return ast.TestDecl(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p + 1], body)


def bench_decl(cur: Cursor) -> ast.Stmt:
    """Bench = "bench" <string> Block ."""
    p = cur.p
    if cur.kinds[p + 1] != STRING or cur.kinds[p + 2] != LBRACE:
        return expression_stmt(cur)
    cur.p = p + 2
    body = block(cur)
    return ast.BenchDecl(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p + 1], body)


# -- types


def type_decl(cur: Cursor) -> ast.Stmt:
    """TypeDecl = "type" <ident> ("="? "{" TypeMembers | "=" (TypeVariant ("|" TypeVariant)* | TypeRef)) ."""
    p = cur.p
    kinds = cur.kinds
    cur.p = p + 1
    name = cur.name()
    fields: list[ast.FieldDecl] | None = None
    methods: list[ast.FunDecl] = []
    variants: list[ast.Variant] | None = None
    alias: ast.TypeRef | None = None
    equals = kinds[cur.p] == ASSIGN
    if equals:
        cur.p += 1
    k = kinds[cur.p]
    if k == LBRACE and not (equals and kinds[cur.p + 1] == RBRACE):
        fields = []
        cur.p += 1
        members(cur, fields, methods)
    elif not equals:
        cur.fail(cur.p, '"{"')
    elif k >= IDENT and (kinds[cur.p + 1] == BAR or variant_fields_ahead(cur)):
        variants = [variant(cur)]
        while kinds[cur.p] == BAR:
            cur.p += 1
            variants.append(variant(cur))
    else:
        alias = type_ref(cur)
    lo = cur.starts[p]
    return ast.TypeDecl(lo, cur.ends[cur.p - 1], name, fields, methods, variants, alias, cur.docs.get(lo, ""))


def members(cur: Cursor, fields: list[ast.FieldDecl], methods: list[ast.FunDecl]) -> None:
    """TypeMembers = ((Field | FunDecl) ","?)* "}" ."""
    kinds = cur.kinds
    if kinds[cur.p] == RBRACE:
        cur.fail(cur.p, "TypeMember")
    while kinds[cur.p] != RBRACE:
        if kinds[cur.p] == FUN:
            methods.append(fun_decl(cur, cur.p, False))
        else:
            fields.append(field_decl(cur, '"}"'))
        if kinds[cur.p] == COMMA:
            cur.p += 1
    cur.p += 1


def variant(cur: Cursor) -> ast.Variant:
    """TypeVariant = <ident> ("{" (Field ","?)* "}" | "(" Field ("," Field)* ","? ")")? ."""
    p = cur.p
    kinds = cur.kinds
    if kinds[p] < IDENT:
        cur.fail(p, "TypeVariant")
    fields: list[ast.FieldDecl] = []
    if variant_fields_ahead(cur):
        close, expected = (RBRACE, '"}"') if kinds[p + 1] == LBRACE else (RPAREN, '")"')
        cur.p = p + 2
        while kinds[cur.p] != close:
            fields.append(field_decl(cur, expected))
            if kinds[cur.p] == COMMA:
                cur.p += 1
            elif close == RPAREN:
                break
        cur.expect(close, expected)
    else:
        cur.p = p + 1
    return ast.Variant(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p], fields)


def variant_fields_ahead(cur: Cursor) -> bool:
    """Whether the name here has a field list: `A(x: T)`, `A { x: T }` or an empty `A {}`."""
    p = cur.p
    kinds = cur.kinds
    k = kinds[p + 1]
    if k == LBRACE and kinds[p + 2] == RBRACE:
        return True
    return (k == LBRACE or k == LPAREN) and kinds[p + 2] >= IDENT and kinds[p + 3] == COLON


# -- other modules


def import_decl(cur: Cursor) -> ast.Stmt:
    """Import = "import" <ident>? <string> ("as" <ident>)? "auto"? Effects ."""
    p = cur.p
    kinds = cur.kinds
    cur.p = p + 1
    lang = ""
    if kinds[p + 1] >= IDENT:
        lang = cur.texts[p + 1]
        cur.p = p + 2
    at = cur.p
    cur.expect(STRING, '<string> ("as" <ident>)? "auto"?')
    if lang and lang not in LANGUAGES:
        cur.checks.append(make("P064", cur.starts[p], cur.ends[at], lang))
    alias: str | None = None
    auto = False
    effects: list[str] | None = None
    if kinds[cur.p] == AS:
        cur.p += 1
        alias = cur.name()
    if cur.word() == "auto" and kinds[cur.p + 1] != ASSIGN and not cur.begins_own(cur.p):
        cur.p += 1
        auto = True
    if kinds[cur.p] == BANG and cur.texts[cur.p + 1] in EFFECTS and kinds[cur.p + 2] != LPAREN:
        effects = effect_list(cur)
    st = ast.ImportDecl(cur.starts[p], cur.ends[cur.p - 1], lang, cur.texts[at], alias, auto, effects)
    if not lang:
        cur.packages.add(st.name)
    return st


def extern_decl(cur: Cursor) -> ast.Stmt:
    """Extern = "extern" <ident>? (ExternType | ExternVar | ExternFun) .

    ExternType = ("type" | "object") <ident> ;
    ExternVar = ("var" | "let") Dotted ":" TypeRef ;
    ExternFun = "fun" Dotted "(" Params Result .
    """
    p = cur.p
    kinds = cur.kinds
    cur.p = p + 1
    lang = ""
    if kinds[p + 2] == FUN and cur.texts[p + 1] in _EXTERN_LANGUAGES:
        lang = cur.texts[p + 1]
        cur.p = p + 2
    k = kinds[cur.p]
    params: list[ast.Param] | None = None
    typ: ast.TypeRef | None = None
    if k == TYPE or (k >= IDENT and cur.texts[cur.p] == "object"):
        kind = "type" if k == TYPE else "object"
        cur.p += 1
        name = cur.name()
    elif k == VAR or k == LET:
        kind = "var"
        cur.p += 1
        name = dotted(cur)
        cur.expect(COLON, '":" TypeRef')
        typ = type_ref(cur)
    elif k == FUN:
        kind = "fun"
        cur.p += 1
        name = dotted(cur)
        cur.expect(LPAREN, '"(" (Param ("," Param)*)? ")" (":" TypeRef)?')
        params = param_list(cur, '")" (":" TypeRef)?')
        typ = result_type(cur)
    else:
        cur.fail(cur.p, '("type" | "var" | "let" | "fun" | "object")')
    lo = cur.starts[p]
    return ast.ExternDecl(lo, cur.ends[cur.p - 1], kind, name, params, typ, lang, cur.docs.get(lo, ""))


def dotted(cur: Cursor) -> str:
    """Dotted = <ident> ("." <ident>)* ."""
    name = cur.name()
    while cur.kinds[cur.p] == DOT:
        cur.p += 1
        name += "." + cur.name()
    return name
