"""Source text to syntax tree: statements, declarations and error recovery.

    program, diagnostics = parse(file)

Recursive descent over the token arrays of `lexer.tokenize`, with one function per production of the language
reference, section 2, picked by the kind of the first token from a table.  A syntax error is thrown to the innermost
statement list, which records it, skips to where a statement can begin again, and goes on, so that one run reports
several errors; those that are likely to be echoes (same line) are dropped.  The tree of a file with errors is
whatever could be read and is only good for looking at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Final

from mochic.diag.diagnostic import Diagnostic, make
from mochic.source import SourceFile
from mochic.syntax import ast
from mochic.syntax.lexer import MAX_ERRORS, Tokens, tokenize
from mochic.syntax.parse_base import BLOCK_RULE, HEADER_RULE, MAX_CHAIN, MAX_NESTING, SyntaxFailure
from mochic.syntax.parse_check import has_effect
from mochic.syntax.parse_expr import EXPR_START, ExprParser
from mochic.syntax.tokens import (
    AGENT,
    AS,
    ASSIGN,
    BANG,
    BAR,
    BENCH,
    BREAK,
    COLON,
    COMMA,
    CONTINUE,
    DOT,
    DOTDOT,
    ELSE,
    EMIT,
    EOF,
    EXPECT,
    EXPORT,
    EXTERN,
    FACT,
    FETCH,
    FOR,
    FUN,
    IDENT,
    IF,
    IMPORT,
    IN,
    INTENT,
    KINDS,
    LBRACE,
    LET,
    LPAREN,
    MODEL,
    NE,
    ON,
    PACKAGE,
    RBRACE,
    RETURN,
    RPAREN,
    RULE,
    RULE_IS,
    SET,
    STREAM,
    STRING,
    TEST,
    THEN,
    TRY,
    TYPE,
    UPDATE,
    VAR,
    WHILE,
)

LANGUAGES: Final = ("go", "python", "typescript", "zig", "lua", "clj", "clojure")
_EXTERN_LANGUAGES: Final = ("go", "python", "js")
EFFECTS: Final = ("io", "fs", "net", "time", "meta")

_DECL_RULE: Final = '<ident> (":" TypeRef)? ("=" Expr)?'
_FRAMES: Final = MAX_NESTING * 8  # Python frames that the deepest accepted nesting may need


class Parser(ExprParser):
    """Statements.  `errors` are syntax errors, `checks` findings on what could be read."""

    __slots__ = ("errors",)

    def __init__(self, file: SourceFile, tokens: Tokens) -> None:
        super().__init__(file, tokens)
        self.errors: list[Diagnostic] = []

    # -- lists of statements

    def program(self) -> ast.Program:
        kinds = self.kinds
        lo = self.starts[0]
        package: str | None = None
        body: list[ast.Stmt] = []
        if kinds[0] == PACKAGE:
            try:
                self.p = 1
                package = self.name()
            except SyntaxFailure as e:
                self.recover(e, 0)
        while True:
            self.statements(body, "")
            if kinds[self.p] == EOF:
                break
            self.p += 1  # a stray `}`, already reported
        return ast.Program(lo, self.ends[self.p], package, body)

    def statements(self, body: list[ast.Stmt], expected: str) -> None:
        """Statements up to a `}` or the end of the file; neither is taken."""
        kinds = self.kinds
        table = _STATEMENT
        depth = self.depth
        head = self.head
        self.head = False
        while True:
            p = self.p
            k = kinds[p]
            if k == RBRACE and expected or k == EOF and not expected:
                break
            try:
                production = table[k]
                if production is None:
                    self.fail(p, expected)
                body.append(production(self))
            except SyntaxFailure as e:
                self.depth = depth
                self.head = False
                self.recover(e, p)
                if kinds[self.p] == EOF or kinds[self.p] == RBRACE:
                    break
        self.head = head

    def recover(self, e: SyntaxFailure, begin: int) -> None:
        """Record an error of the statement that began at token `begin` and skip to where another may begin."""
        kinds = self.kinds
        at = e.at
        errors = self.errors
        base = self.file.base
        if not errors or (
            e.diag.lo > errors[-1].lo
            and len(errors) < MAX_ERRORS
            and self.file.data.find(b"\n", errors[-1].lo - base, e.diag.lo - base) >= 0
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
            elif i > begin and k >= TEST and level <= 0 and _RESTART[k] and not self.same_line(i):
                break
            i += 1
        self.p = i

    def block(self) -> list[ast.Stmt]:
        """`{ statements }`."""
        p = self.p
        kinds = self.kinds
        if kinds[p] != LBRACE:
            self.fail(p, BLOCK_RULE)
        self.p = p + 1
        body: list[ast.Stmt] = []
        if kinds[p + 1] == RBRACE:
            self.p = p + 2
            return body
        self.close_block(body)
        return body

    def close_block(self, body: list[ast.Stmt]) -> None:
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.too_deep("block")
        self.statements(body, '"}"')
        self.depth -= 1
        if self.kinds[self.p] == RBRACE:
            self.p += 1

    def block_from(self, first: ast.Expr | None, lo: int) -> list[ast.Stmt]:
        """The rest of a block whose first statement begins with an expression that was read already."""
        assert first is not None
        body = [self.statement_from(first, lo)]
        self.close_block(body)
        return body

    def begins_statement(self) -> bool:
        """Whether the next token begins a statement that is no expression or assignment."""
        k = self.kinds[self.p]
        production = _STATEMENT[k]
        if production is None or k == FETCH or production is Parser.expression:
            return False
        if k == FUN:
            return self.kinds[self.p + 1] >= IDENT
        return True

    # -- simple statements

    def expression(self) -> ast.Stmt:
        """An expression or assignment."""
        lo = self.starts[self.p]
        return self.statement_from(self.expr(), lo)

    def statement_from(self, e: ast.Expr, lo: int) -> ast.Stmt:
        p = self.p
        if self.kinds[p] == ASSIGN:
            target: ast.Expr = e
            while type(target) is not ast.Ident:
                if isinstance(target, (ast.Index, ast.Field)) and not target.safe:
                    target = target.obj
                else:
                    self.fail(p, "")
            self.p = p + 1
            value = self.expr()
            return ast.Assign(lo, value.hi, e, value)
        if type(e) is not ast.Call and not has_effect(e):
            self.checks.append(make("P065", lo, e.hi))
        return ast.ExprStmt(lo, e.hi, e)

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

    def returning(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        value: ast.Expr | None = None
        k = self.kinds[p + 1]
        if EXPR_START[k] and not (k == FUN and self.kinds[p + 2] >= IDENT):
            checks = len(self.checks)
            depth = self.depth
            try:
                value = self.expr()
            except SyntaxFailure:
                # Back off: a bare `return`, and an unreachable statement on the next line.
                if self.same_line(p + 1):
                    raise
                del self.checks[checks:]
                self.depth = depth
                self.head = False
                self.p = p + 1
        return ast.Return(self.starts[p], self.ends[self.p - 1], value)

    def if_stmt(self) -> ast.Stmt:
        kinds = self.kinds
        p = self.p
        self.p = p + 1
        cond = self.head_expr()
        if kinds[self.p] == THEN:
            lo = self.starts[p]
            e = self.if_expr_from(p, cond)
            return self.statement_from(self.operators(e), lo)
        then = self.block()
        if kinds[self.p] != ELSE:
            return ast.If(self.starts[p], self.ends[self.p - 1], cond, then, None)
        chain = [(self.starts[p], cond, then)]
        orelse: list[ast.Stmt] | None = None
        while kinds[self.p] == ELSE:
            p = self.p + 1
            if kinds[p] != IF:
                self.p = p
                orelse = self.block()
                break
            self.p = p + 1
            cond = self.head_expr()
            chain.append((self.starts[p], cond, self.block()))
            if len(chain) > MAX_CHAIN:
                self.too_deep("else if", MAX_CHAIN)
        hi = self.ends[self.p - 1]
        while True:
            lo, cond, then = chain.pop()
            stmt = ast.If(lo, hi, cond, then, orelse)
            if not chain:
                return stmt
            orelse = [stmt]

    def while_stmt(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        cond = self.head_expr()
        body = self.block()
        return ast.While(self.starts[p], self.ends[self.p - 1], cond, body)

    def for_stmt(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        var = self.name('<ident> "in" Expr (".." Expr)? ' + BLOCK_RULE)
        self.expect(IN, '"in" Expr (".." Expr)? ' + BLOCK_RULE)
        source = self.head_expr()
        end: ast.Expr | None = None
        if self.kinds[self.p] == DOTDOT:
            self.p += 1
            end = self.head_expr()
        body = self.block()
        return ast.For(self.starts[p], self.ends[self.p - 1], var, source, end, body)

    def break_stmt(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        return ast.Break(self.starts[p], self.ends[p])

    def continue_stmt(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        return ast.Continue(self.starts[p], self.ends[p])

    def expect_stmt(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        e = self.expr()
        return ast.Expect(self.starts[p], e.hi, e)

    def fetch_stmt(self) -> ast.Stmt:
        """`fetch e into x with o`, or a fetch expression whose value is dropped."""
        p = self.p
        lo = self.starts[p]
        self.p = p + 1
        url = self.expr()
        if self.word() == "into" and self.kinds[self.p + 1] >= IDENT:
            target = self.texts[self.p + 1]
            self.p += 2
            options = self.options()
            return ast.FetchStmt(lo, self.ends[self.p - 1], url, target, options)
        options = self.options()
        hi = self.ends[self.p - 1]
        return ast.ExprStmt(lo, hi, ast.Fetch(lo, hi, url, options))

    def try_stmt(self) -> ast.Stmt:
        """`try { ... } catch e { ... }` (newer upstream), or a statement that begins with the name `try`."""
        p = self.p
        kinds = self.kinds
        if kinds[p + 1] != LBRACE or (kinds[p + 2] >= IDENT and kinds[p + 3] == COLON):
            return self.expression()
        self.p = p + 1
        body = self.block()
        if self.word() != "catch":
            self.fail(self.p, '"catch" <ident> ' + BLOCK_RULE)
        self.p += 1
        var = self.name()
        handler = self.block()
        return ast.Try(self.starts[p], self.ends[self.p - 1], body, var, handler)

    # -- declarations

    def fun_stmt(self) -> ast.Stmt:
        if self.kinds[self.p + 1] >= IDENT:
            return self.fun_decl(self.p, False)
        return self.expression()

    def export_stmt(self) -> ast.Stmt:
        p = self.p
        self.p = p + 1
        if self.kinds[p + 1] != FUN:
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
        if self.word() == "auto" and kinds[self.p + 1] != ASSIGN:
            self.p += 1
            auto = True
        if kinds[self.p] == BANG and self.texts[self.p + 1] in EFFECTS and kinds[self.p + 2] != LPAREN:
            effects = self.effects()
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
        where = self.clause("where")
        return ast.Update(self.starts[p], self.ends[self.p - 1], self.texts[p + 1], sets, where)


_Production = Callable[[Parser], ast.Stmt]
_STATEMENT: Final[list[_Production | None]] = [Parser.expression if EXPR_START[k] else None for k in range(KINDS)]
_STATEMENT[TEST] = Parser.test_decl
_STATEMENT[BENCH] = Parser.bench_decl
_STATEMENT[EXPECT] = Parser.expect_stmt
_STATEMENT[AGENT] = Parser.agent
_STATEMENT[STREAM] = Parser.stream
_STATEMENT[MODEL] = Parser.model
_STATEMENT[IMPORT] = Parser.import_decl
_STATEMENT[TYPE] = Parser.type_decl
_STATEMENT[EXTERN] = Parser.extern_decl
_STATEMENT[FACT] = Parser.fact
_STATEMENT[RULE] = Parser.rule
_STATEMENT[ON] = Parser.on_handler
_STATEMENT[EMIT] = Parser.emit
_STATEMENT[LET] = Parser.declaration
_STATEMENT[VAR] = Parser.declaration
_STATEMENT[FUN] = Parser.fun_stmt
_STATEMENT[EXPORT] = Parser.export_stmt
_STATEMENT[RETURN] = Parser.returning
_STATEMENT[IF] = Parser.if_stmt
_STATEMENT[WHILE] = Parser.while_stmt
_STATEMENT[FOR] = Parser.for_stmt
_STATEMENT[BREAK] = Parser.break_stmt
_STATEMENT[CONTINUE] = Parser.continue_stmt
_STATEMENT[FETCH] = Parser.fetch_stmt
_STATEMENT[UPDATE] = Parser.update
_STATEMENT[TRY] = Parser.try_stmt

# Reserved words at which parsing goes on after an error, when they begin a line.
_RESTART: Final[list[bool]] = [
    TEST <= k < IDENT and _STATEMENT[k] is not None and _STATEMENT[k] is not Parser.expression for k in range(KINDS)
]


def parse(file: SourceFile) -> tuple[ast.Program, list[Diagnostic]]:
    """Parse one file.

    >>> from mochic.source import SourceMap
    >>> program, diagnostics = parse(SourceMap().add("x.mochi", b"print(1 + 2)"))
    >>> diagnostics
    []
    """
    tokens, diags = tokenize(file)
    if diags:
        return ast.Program(file.base, file.base, None, []), diags
    parser = Parser(file, tokens)
    limit = sys.getrecursionlimit()
    if limit < _FRAMES:
        sys.setrecursionlimit(_FRAMES)
    try:
        program = parser.program()
    finally:
        if limit < _FRAMES:
            sys.setrecursionlimit(limit)
    return program, parser.errors + parser.checks
