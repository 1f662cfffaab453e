"""Source text to syntax tree: statements, declarations and error recovery.

    program, diagnostics = parse(file)

Recursive descent over the token arrays of `lexer.tokenize`, with one function per production of the language
reference, section 2, picked by the kind of the first token from a table.  A syntax error is thrown to the innermost
statement list, which records it, skips to where a statement can begin again, and goes on, so that one run reports
several errors; those that are likely to be echoes (same line) are dropped.  The tree of a file with errors is
whatever could be read and is only good for looking at.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from itertools import islice
from typing import Final

from mochic.diag.diagnostic import Diagnostic, make
from mochic.source import SourceFile
from mochic.syntax import ast
from mochic.syntax.lexer import MAX_ERRORS, Tokens, tokenize
from mochic.syntax.parse_base import BLOCK_RULE, MAX_CHAIN, MAX_NESTING, SyntaxFailure
from mochic.syntax.parse_check import has_effect
from mochic.syntax.parse_decl import DeclParser
from mochic.syntax.parse_expr import EXPR_START
from mochic.syntax.tokens import (
    AGENT,
    ASSIGN,
    BENCH,
    BREAK,
    COMMA,
    COLON,
    CONTINUE,
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
    KINDS,
    LBRACE,
    LET,
    MODEL,
    ON,
    PACKAGE,
    RBRACE,
    RETURN,
    RULE,
    STREAM,
    TEST,
    THEN,
    TRY,
    TYPE,
    UPDATE,
    VAR,
    WHILE,
)  # fmt: skip

# U+202A to U+202E, U+2066 to U+2069
_REORDERING: Final = re.compile(rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_FRAMES: Final = MAX_NESTING * 8  # Python frames that the deepest accepted nesting may need


class Parser(DeclParser):
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
        program = ast.Program(lo, self.ends[self.p], package, body)
        program.qualified = self.qualified
        return program

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
            if (k == RBRACE and expected) or (k == EOF and not expected):
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
        """`try { ... } catch e { ... }` (newer upstream), `catch e, message`, or a statement that begins with the name
        `try`."""
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
        message = ""
        if kinds[self.p] == COMMA:
            self.p += 1
            message = self.name()
        handler = self.block()
        return ast.Try(self.starts[p], self.ends[self.p - 1], body, var, message, handler)


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
    return program, parser.errors + parser.checks + reordering(file)


def reordering(file: SourceFile) -> list[Diagnostic]:
    """Characters that change the direction of text, wherever they stand (Unicode TR 36, 3.3)."""
    found = _REORDERING.finditer(file.data) if b"\xe2" in file.data else ()
    base = file.base
    return [
        make("P066", base + m.start(), base + m.end(), f"U+{ord(m.group().decode()):04X}")
        for m in islice(found, MAX_ERRORS)
    ]
