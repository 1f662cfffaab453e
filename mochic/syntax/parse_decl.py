"""Declarations: variables, functions, types, imports, tests, logic, streams and agents."""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import make
from mochic.syntax import ast
from mochic.syntax.parse_base import BLOCK_RULE, HEADER_RULE, package_name
from mochic.syntax.parse_words import WordParser
from mochic.syntax.tokens import (
    AS,
    ASSIGN,
    BANG,
    BAR,
    COLON,
    COMMA,
    DOT,
    FUN,
    IDENT,
    INTENT,
    LBRACE,
    LET,
    LPAREN,
    NE,
    ON,
    RBRACE,
    RPAREN,
    RULE_IS,
    SET,
    STRING,
    TYPE,
    VAR,
)  # fmt: skip

LANGUAGES: Final = ("go", "python", "typescript", "zig", "lua", "clj", "clojure", "c")
_EXTERN_LANGUAGES: Final = ("go", "python", "js", "c")
EFFECTS: Final = ("io", "fs", "net", "time", "meta")
_DECL_RULE: Final = '<ident> (":" TypeRef)? ("=" Expr)?'


class DeclParser(WordParser):
    """Declarations; other statements come from the subclass."""

    __slots__ = ()

    def expression(self) -> ast.Stmt:
        raise NotImplementedError

    def declaration(self) -> ast.Stmt:
        """let, var."""
        p = self.p
        kinds = self.kinds
        at = p + 1
        if kinds[at] < IDENT:
            self.fail(at, _DECL_RULE, "P031" if kinds[p] == LET and kinds[at] == COLON else "")
        lo = self.starts[p]
        self.p = p + 2
        typ: ast.TypeRef | None = None
        value: ast.Expr | None = None
        if kinds[p + 2] == COLON:
            self.p = p + 3
            typ = self.type_ref()
        if kinds[self.p] == ASSIGN:
            self.p += 1
            value = self.expr()
        doc = self.docs.get(lo, "")
        return ast.VarDecl(lo, self.ends[self.p - 1], self.texts[at], typ, value, kinds[p] == VAR, doc)

    def fun_stmt(self) -> ast.Stmt:
        if self.kinds[self.p + 1] >= IDENT:
            return self.fun_decl(self.p, False)
        return self.expression()

    def export_stmt(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        k = self.kinds[p + 1]
        if k == TYPE or k == LET or k == VAR:
            st = self.type_decl() if k == TYPE else self.declaration()
            assert isinstance(st, ast.TypeDecl | ast.VarDecl)
            st.lo = self.starts[p]
            st.export = True
            return st
        if k != FUN:
            self.fail(p + 1, '"fun" <ident>')
        return self.fun_decl(p, True)

    def fun_decl(self, first: int, export: bool) -> ast.FunDecl:
        at = self.p + 1
        self.p = at
        name = self.name('<ident> "(" (Param ("," Param)*)? ' + HEADER_RULE)
        tparams = self.type_params()
        self.expect(LPAREN, '"(" (Param ("," Param)*)? ' + HEADER_RULE)
        params = self.params(HEADER_RULE)
        result = self.result_type()
        effects = self.effects()
        body = self.block()
        lo = self.starts[first]
        doc = self.docs.get(lo, "")
        return ast.FunDecl(
            lo, self.ends[self.p - 1], name, self.starts[at], tparams, params, result, effects, body, export, doc
        )

    def test_decl(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        self.expect(STRING, "<string> " + BLOCK_RULE)
        body = self.block()
        return ast.TestDecl(self.starts[p], self.ends[self.p - 1], self.texts[p + 1], body)

    def bench_decl(self) -> ast.Stmt:
        p = self.p
        if self.kinds[p + 1] != STRING or self.kinds[p + 2] != LBRACE:
            return self.expression()
        self.p = p + 2
        body = self.block()
        return ast.BenchDecl(self.starts[p], self.ends[self.p - 1], self.texts[p + 1], body)

    def type_decl(self) -> ast.Stmt:
        p = self.p
        kinds = self.kinds
        self.p = p + 1
        name = self.name()
        fields: list[ast.FieldDecl] | None = None
        methods: list[ast.FunDecl] = []
        variants: list[ast.Variant] | None = None
        alias: ast.TypeRef | None = None
        equals = kinds[self.p] == ASSIGN
        if equals:
            self.p += 1
        k = kinds[self.p]
        if k == LBRACE and not (equals and kinds[self.p + 1] == RBRACE):
            fields = []
            self.p += 1
            self.members(fields, methods)
        elif not equals:
            self.fail(self.p, '"{"')
        elif k >= IDENT and (kinds[self.p + 1] == BAR or self.variant_fields_ahead()):
            variants = [self.variant()]
            while kinds[self.p] == BAR:
                self.p += 1
                variants.append(self.variant())
        else:
            alias = self.type_ref()
        lo = self.starts[p]
        return ast.TypeDecl(lo, self.ends[self.p - 1], name, fields, methods, variants, alias, self.docs.get(lo, ""))

    def members(self, fields: list[ast.FieldDecl], methods: list[ast.FunDecl]) -> None:
        """The members of a struct; the commas between them are optional."""
        kinds = self.kinds
        if kinds[self.p] == RBRACE:
            self.fail(self.p, "TypeMember")
        while kinds[self.p] != RBRACE:
            if kinds[self.p] == FUN:
                methods.append(self.fun_decl(self.p, False))
            else:
                fields.append(self.field_decl('"}"'))
            if kinds[self.p] == COMMA:
                self.p += 1
        self.p += 1

    def variant_fields_ahead(self) -> bool:
        """Whether the name here has a field list: `A(x: T)`, `A { x: T }` or an empty `A {}`."""
        p = self.p
        kinds = self.kinds
        k = kinds[p + 1]
        if k == LBRACE and kinds[p + 2] == RBRACE:
            return True
        return (k == LBRACE or k == LPAREN) and kinds[p + 2] >= IDENT and kinds[p + 3] == COLON

    def variant(self) -> ast.Variant:
        p = self.p
        kinds = self.kinds
        if kinds[p] < IDENT:
            self.fail(p, "TypeVariant")
        fields: list[ast.FieldDecl] = []
        if self.variant_fields_ahead():
            close, expected = (RBRACE, '"}"') if kinds[p + 1] == LBRACE else (RPAREN, '")"')
            self.p = p + 2
            while kinds[self.p] != close:
                fields.append(self.field_decl(expected))
                if kinds[self.p] == COMMA:
                    self.p += 1
                elif close == RPAREN:
                    break
            self.expect(close, expected)
        else:
            self.p = p + 1
        return ast.Variant(self.starts[p], self.ends[self.p - 1], self.texts[p], fields)

    def import_decl(self) -> ast.Stmt:
        p = self.p
        kinds = self.kinds
        self.p = p + 1
        lang = ""
        if kinds[p + 1] >= IDENT:
            lang = self.texts[p + 1]
            self.p = p + 2
        at = self.p
        self.expect(STRING, '<string> ("as" <ident>)? "auto"?')
        if lang and lang not in LANGUAGES:
            self.checks.append(make("P064", self.starts[p], self.ends[at], lang))
        alias: str | None = None
        auto = False
        effects: list[str] | None = None
        if kinds[self.p] == AS:
            self.p += 1
            alias = self.name()
        if self.word() == "auto" and kinds[self.p + 1] != ASSIGN and not self.begins_own(self.p):
            self.p += 1
            auto = True
        if kinds[self.p] == BANG and self.texts[self.p + 1] in EFFECTS and kinds[self.p + 2] != LPAREN:
            effects = self.effects()
        if not lang:
            self.packages.add(alias or package_name(self.texts[at]))
        return ast.ImportDecl(self.starts[p], self.ends[self.p - 1], lang, self.texts[at], alias, auto, effects)

    def extern_decl(self) -> ast.Stmt:
        p = self.p
        kinds = self.kinds
        self.p = p + 1
        lang = ""
        if kinds[p + 2] == FUN and self.texts[p + 1] in _EXTERN_LANGUAGES:
            lang = self.texts[p + 1]
            self.p = p + 2
        k = kinds[self.p]
        params: list[ast.Param] | None = None
        typ: ast.TypeRef | None = None
        if k == TYPE or (k >= IDENT and self.texts[self.p] == "object"):
            kind = "type" if k == TYPE else "object"
            self.p += 1
            name = self.name()
        elif k == VAR or k == LET:
            kind = "var"
            self.p += 1
            name = self.dotted()
            self.expect(COLON, '":" TypeRef')
            typ = self.type_ref()
        elif k == FUN:
            kind = "fun"
            self.p += 1
            name = self.dotted()
            self.expect(LPAREN, '"(" (Param ("," Param)*)? ")" (":" TypeRef)?')
            params = self.params('")" (":" TypeRef)?')
            typ = self.result_type()
        else:
            self.fail(self.p, '("type" | "var" | "let" | "fun" | "object")')
        lo = self.starts[p]
        return ast.ExternDecl(lo, self.ends[self.p - 1], kind, name, params, typ, lang, self.docs.get(lo, ""))

    def dotted(self) -> str:
        """`a.b.c`."""
        name = self.name()
        while self.kinds[self.p] == DOT:
            self.p += 1
            name += "." + self.name()
        return name

    # -- logic, streams, agents

    def fact(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        pred = self.pred()
        return ast.FactDecl(self.starts[p], pred.hi, pred)

    def rule(self) -> ast.Stmt:
        p = self.p
        kinds = self.kinds
        self.p = p + 1
        head = self.pred()
        self.expect(RULE_IS, '":-" LogicCond ("," LogicCond)*')
        body: list[ast.Pred | tuple[str, str]] = []
        while True:
            at = self.p
            if kinds[at] >= IDENT and kinds[at + 1] == NE:
                self.p = at + 2
                body.append((self.texts[at], self.name()))
            else:
                negated = self.texts[at] == "not" and kinds[at + 1] >= IDENT
                if negated:
                    self.p = at + 1
                pred = self.pred()
                pred.negated = negated
                body.append(pred)
            if kinds[self.p] != COMMA:
                break
            self.p += 1
        return ast.RuleDecl(self.starts[p], self.ends[self.p - 1], head, body)

    def stream(self) -> ast.Stmt:
        p = self.p
        kinds = self.kinds
        self.p = p + 1
        name = self.name()
        self.expect(LBRACE, '"{" StreamField* "}"')
        fields: list[ast.FieldDecl] = []
        while kinds[self.p] != RBRACE:
            fields.append(self.field_decl('"}"'))
            if kinds[self.p] == COMMA:
                self.p += 1
        self.p += 1
        return ast.StreamDecl(self.starts[p], self.ends[self.p - 1], name, fields)

    def model(self) -> ast.Stmt:
        """`model name { k: e ... }`; the fields have no commas between them."""
        p = self.p
        kinds = self.kinds
        if kinds[p + 1] < IDENT or kinds[p + 2] != LBRACE:
            return self.expression()
        self.p = p + 3
        fields: list[ast.FieldInit] = []
        while kinds[self.p] != RBRACE:
            at = self.p
            key = self.name('"}"')
            self.expect(COLON, '":" Expr')
            value = self.expr()
            fields.append(ast.FieldInit(self.starts[at], value.hi, key, value))
            if kinds[self.p] == COMMA:
                self.p += 1
        self.p += 1
        return ast.ModelDecl(self.starts[p], self.ends[self.p - 1], self.texts[p + 1], fields)

    def on_handler(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        stream = self.name()
        self.expect(AS, '"as" <ident> ' + BLOCK_RULE)
        var = self.name()
        body = self.block()
        return ast.OnHandler(self.starts[p], self.ends[self.p - 1], stream, var, body)

    def emit(self) -> ast.Stmt:
        p = self.p
        if self.kinds[p + 1] == LPAREN:
            return self.expression()
        self.p = p + 1
        stream = self.name()
        self.expect(LBRACE, '"{" (StructLitField ("," StructLitField)*)? ","? "}"')
        fields = self.field_inits()
        return ast.Emit(self.starts[p], self.ends[self.p - 1], stream, fields)

    def agent(self) -> ast.Stmt:
        p = self.p
        kinds = self.kinds
        self.p = p + 1
        name = self.name()
        self.expect(LBRACE, '"{" AgentBlock* "}"')
        body: list[ast.Stmt] = []
        while kinds[self.p] != RBRACE:
            k = kinds[self.p]
            if k == LET or k == VAR:
                body.append(self.declaration())
            elif k == ON:
                body.append(self.on_handler())
            elif k == INTENT:
                body.append(self.intent())
            elif k >= IDENT:
                at = self.p
                stmt = self.expression()
                if not isinstance(stmt, ast.Assign):
                    self.fail(at, '"}"')
                body.append(stmt)
            else:
                self.fail(self.p, '"}"')
        self.p += 1
        return ast.AgentDecl(self.starts[p], self.ends[self.p - 1], name, body)

    def intent(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        name = self.name()
        self.expect(LPAREN, '"(" (Param ("," Param)*)? ")" (":" TypeRef)? ' + BLOCK_RULE)
        params = self.params('")" (":" TypeRef)? ' + BLOCK_RULE)
        result = self.result_type()
        body = self.block()
        return ast.IntentDecl(self.starts[p], self.ends[self.p - 1], name, params, result, body)

    def update(self) -> ast.Stmt:
        """`update xs set { k: e } where c`."""
        p = self.p
        kinds = self.kinds
        if kinds[p + 1] < IDENT or kinds[p + 2] != SET or kinds[p + 3] != LBRACE:
            return self.expression()
        self.p = p + 4
        sets = self.map_rest(self.starts[p + 3], None)
        where = None if self.begins_own(self.p) else self.clause("where")
        return ast.Update(self.starts[p], self.ends[self.p - 1], self.texts[p + 1], sets, where)
