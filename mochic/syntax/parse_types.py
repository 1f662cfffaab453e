"""Types, and the parts of declarations that are made of them."""

from __future__ import annotations

from mochic.syntax import ast
from mochic.syntax.cursor import MAX_NESTING, Cursor, SyntaxFailure
from mochic.syntax.tokens import (
    BANG, COLON, COMMA, DOT, FUN, GT, IDENT, LBRACE, LBRACK, LPAREN, LT, QUESTION, RBRACE, RBRACK, RPAREN,
)  # fmt: skip


def type_ref(cur: Cursor) -> ast.TypeRef:
    """TypeRef = (TypeName | FunType | StructType | "[" TypeRef "]") "?"? .

    TypeName = <ident> ("." <ident>)? ("<" TypeRef ("," TypeRef)* ">")? ;
    FunType = "fun" "(" (TypeRef ("," TypeRef)*)? ")" (":" TypeRef)? ;
    StructType = "{" (Field ("," Field)*)? "}" .
    """
    p = cur.p
    kinds = cur.kinds
    k = kinds[p]
    lo = cur.starts[p]
    result: ast.TypeRef
    if k >= IDENT:
        cur.p = p + 1
        name = cur.texts[p]
        if name in cur.packages and kinds[p + 1] == DOT and kinds[p + 2] >= IDENT:
            p += 2
            name += "." + cur.texts[p]
            cur.p = p + 1
        result = named = ast.TypeName(lo, cur.ends[p], name)
        if "." in name:
            cur.qualified.append(named)
        if kinds[p + 1] == LT:
            # `x as int < y` is a comparison: the generic reading is one choice, tried first.
            cur.p = p + 2
            depth = cur.depth
            try:
                args = type_list(cur, GT, '">"')
                result = ast.TypeGeneric(lo, cur.ends[cur.p - 1], name, args)
            except SyntaxFailure:
                if name in ("list", "map"):
                    raise
                cur.depth = depth
                cur.p = p + 1
    elif k == FUN:
        if kinds[p + 1] != LPAREN:
            cur.fail(p + 1, '"("')
        cur.p = p + 2
        params: list[ast.TypeRef] = []
        if kinds[cur.p] == RPAREN:
            cur.p += 1
        else:
            params = type_list(cur, RPAREN, '")"')
        ret: ast.TypeRef | None = None
        if kinds[cur.p] == COLON:
            cur.p += 1
            ret = inner_type(cur)
        result = ast.TypeFun(lo, cur.ends[cur.p - 1], params, ret)
    elif k == LBRACE:
        cur.p = p + 1
        fields: list[ast.FieldDecl] = []
        while kinds[cur.p] != RBRACE:
            fields.append(field_decl(cur, '"}"'))
            if kinds[cur.p] != COMMA:
                break
            cur.p += 1
        cur.expect(RBRACE, '"}"')
        result = ast.TypeStruct(lo, cur.ends[cur.p - 1], fields)
    elif k == LBRACK:
        # `[T]` is how newer upstream writes list<T>.
        cur.p = p + 1
        inner = inner_type(cur)
        cur.expect(RBRACK, '"]"')
        result = ast.TypeGeneric(lo, cur.ends[cur.p - 1], "list", [inner])
    else:
        cur.fail(p, "TypeRef")
    p = cur.p
    if kinds[p] == QUESTION:
        cur.p = p + 1
        return ast.TypeOpt(lo, cur.ends[p], result)
    return result


def inner_type(cur: Cursor) -> ast.TypeRef:
    """TypeRef, inside another one."""
    cur.depth += 1
    if cur.depth > MAX_NESTING:
        cur.too_deep("type")
    result = type_ref(cur)
    cur.depth -= 1
    return result


def type_list(cur: Cursor, close: int, expected: str) -> list[ast.TypeRef]:
    """TypeRef ("," TypeRef)* and the token that closes the list; `expected` is what that one is called."""
    out = [inner_type(cur)]
    while cur.kinds[cur.p] == COMMA:
        cur.p += 1
        out.append(inner_type(cur))
    cur.expect(close, expected)
    return out


def field_decl(cur: Cursor, expected: str) -> ast.FieldDecl:
    """Field = <ident> ":" TypeRef ."""
    p = cur.p
    if cur.kinds[p] < IDENT:
        cur.fail(p, expected)
    if cur.kinds[p + 1] != COLON:
        cur.fail(p + 1, '":" TypeRef')
    cur.p = p + 2
    typ = inner_type(cur)
    return ast.FieldDecl(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p], typ)


def param_list(cur: Cursor, expected: str) -> list[ast.Param]:
    """Params = (Param ("," Param)*)? ")" ; Param = <ident> (":" TypeRef)? .

    `expected` is what a missing parenthesis is called.
    """
    out: list[ast.Param] = []
    kinds = cur.kinds
    p = cur.p
    if kinds[p] == RPAREN:
        cur.p = p + 1
        return out
    while True:
        p = cur.p
        if kinds[p] < IDENT:
            cur.fail(p, "Param" if out else expected)
        typ: ast.TypeRef | None = None
        cur.p = p + 1
        if kinds[p + 1] == COLON:
            cur.p = p + 2
            typ = type_ref(cur)
        out.append(ast.Param(cur.starts[p], cur.ends[cur.p - 1], cur.texts[p], typ))
        k = kinds[cur.p]
        cur.p += 1
        if k == RPAREN:
            return out
        if k != COMMA:
            cur.fail(cur.p - 1, expected)


def type_param_list(cur: Cursor) -> list[str]:
    """TypeParams = ("<" <ident> ("," <ident>)* ">")? ."""
    out: list[str] = []
    if cur.kinds[cur.p] == LT:
        cur.p += 1
        out.append(cur.name())
        while cur.kinds[cur.p] == COMMA:
            cur.p += 1
            out.append(cur.name())
        cur.expect(GT, '">"')
    return out


def result_type(cur: Cursor) -> ast.TypeRef | None:
    """Result = (":" TypeRef)? ."""
    if cur.kinds[cur.p] != COLON:
        return None
    cur.p += 1
    return type_ref(cur)


def effect_list(cur: Cursor) -> list[str] | None:
    """Effects = ("!" <ident> ("," <ident>)*)? ."""
    if cur.kinds[cur.p] != BANG:
        return None
    cur.p += 1
    out = [cur.name()]
    while cur.kinds[cur.p] == COMMA:
        cur.p += 1
        out.append(cur.name())
    return out
