"""Source text to syntax tree.

    program, diagnostics = parse(file)

Recursive descent over the token arrays of `lexer.tokenize`, with one function for each production of the grammar
(docs/reference.md, 2), picked by the kind of the first token from a table.  The functions are in the files `parse_*`,
each with its production in its docstring: `<ident>` is a token of that kind, `x?` may be missing, `x*` repeats, `x+`
repeats and may not be missing.

A syntax error is thrown to the innermost statement list, which records it, skips to where a statement can begin again,
and goes on, so that one run reports several errors; those that are likely to be echoes (same line) are dropped.  The
tree of a file with errors is whatever could be read and is only good for looking at.
"""

from __future__ import annotations

import re
import sys
from itertools import islice
from typing import Final

from mochic.diag.diagnostic import Diagnostic, make
from mochic.source import SourceFile
from mochic.syntax import ast
from mochic.syntax.cursor import MAX_NESTING, Cursor, Grammar, Primary, Production, SyntaxFailure
from mochic.syntax.lexer import MAX_ERRORS, tokenize
from mochic.syntax.parse_agent import agent_decl, emit_stmt, fact_decl, model_decl, on_handler, rule_decl, stream_decl
from mochic.syntax.parse_block import expression_stmt, recover, statements
from mochic.syntax.parse_branch import fun_expr, if_expr, match_expr
from mochic.syntax.parse_decl import (
    bench_decl, export_stmt, extern_decl, fun_stmt, import_decl, test_decl, type_decl, var_decl,
)  # fmt: skip
from mochic.syntax.parse_expr import (
    EXPR_START, bool_lit, float_lit, int_lit, list_lit, map_lit, named, none_lit, paren, str_lit,
)  # fmt: skip
from mochic.syntax.parse_query import from_query, logic_query
from mochic.syntax.parse_stmt import (
    break_stmt, continue_stmt, expect_stmt, fetch_stmt, for_stmt, if_stmt, return_stmt, try_stmt, update_stmt,
    while_stmt,
)  # fmt: skip
from mochic.syntax.parse_words import async_expr, emit_call, fetch, generate, load, omap_lit, save, set_lit
from mochic.syntax.tokens import (
    AGENT, ASYNC, AWAIT, BENCH, BREAK, CONTINUE, EMIT, EOF, EXPECT, EXPORT, EXTERN, FACT, FALSE, FETCH, FLOAT, FOR,
    FROM, FUN, GENERATE, IDENT, IF, IMPORT, INT, KINDS, LBRACE, LBRACK, LET, LOAD, LPAREN, MATCH, MODEL, NONE, OMAP, ON,
    PACKAGE, QUERY, RETURN, RULE, SAVE, SET, STREAM, STRING, TEST, TRUE, TRY, TYPE, UPDATE, VAR, WHILE,
)  # fmt: skip

# U+202A to U+202E, U+2066 to U+2069
_REORDERING: Final = re.compile(rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
_FRAMES: Final = MAX_NESTING * 8  # Python frames that the deepest accepted nesting may need

_PRIMARIES: Final[list[Primary | None]] = [named if k >= IDENT else None for k in range(KINDS)]
for _kind, _primary in {
    INT: int_lit, FLOAT: float_lit, STRING: str_lit, TRUE: bool_lit, FALSE: bool_lit, NONE: none_lit, LPAREN: paren,
    LBRACK: list_lit, LBRACE: map_lit, IF: if_expr, FUN: fun_expr, MATCH: match_expr, FROM: from_query,
    QUERY: logic_query, LOAD: load, SAVE: save, FETCH: fetch, GENERATE: generate, EMIT: emit_call, SET: set_lit,
    OMAP: omap_lit, ASYNC: async_expr, AWAIT: async_expr,
}.items():  # fmt: skip
    _PRIMARIES[_kind] = _primary

_STATEMENTS: Final[list[Production | None]] = [expression_stmt if EXPR_START[k] else None for k in range(KINDS)]
for _kind, _production in {
    LET: var_decl, VAR: var_decl, FUN: fun_stmt, EXPORT: export_stmt, TYPE: type_decl, IMPORT: import_decl,
    EXTERN: extern_decl, TEST: test_decl, BENCH: bench_decl, FACT: fact_decl, RULE: rule_decl, STREAM: stream_decl,
    ON: on_handler, EMIT: emit_stmt, MODEL: model_decl, AGENT: agent_decl, RETURN: return_stmt, IF: if_stmt,
    WHILE: while_stmt, FOR: for_stmt, BREAK: break_stmt, CONTINUE: continue_stmt, EXPECT: expect_stmt, TRY: try_stmt,
    FETCH: fetch_stmt, UPDATE: update_stmt,
}.items():  # fmt: skip
    _STATEMENTS[_kind] = _production

# Parsing goes on at reserved words, those apart that begin an expression.
_RESTARTS: Final = [
    TEST <= k < IDENT and _STATEMENTS[k] is not None and _STATEMENTS[k] is not expression_stmt for k in range(KINDS)
]
_GRAMMAR: Final = Grammar(_PRIMARIES, _STATEMENTS, _RESTARTS)


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
    cur = Cursor(file, tokens, _GRAMMAR)
    limit = sys.getrecursionlimit()
    if limit < _FRAMES:
        sys.setrecursionlimit(_FRAMES)
    try:
        tree = program(cur)
    finally:
        if limit < _FRAMES:
            sys.setrecursionlimit(limit)
    return tree, cur.errors + cur.checks + reordering(file)


def reordering(file: SourceFile) -> list[Diagnostic]:
    """Characters that change the direction of text, wherever they stand (Unicode TR 36, 3.3)."""
    found = _REORDERING.finditer(file.data) if b"\xe2" in file.data else ()
    base = file.base
    return [
        make("P066", base + m.start(), base + m.end(), f"U+{ord(m.group().decode()):04X}")
        for m in islice(found, MAX_ERRORS)
    ]


def program(cur: Cursor) -> ast.Program:
    """Program = ("package" <ident>)? Statement* ."""
    kinds = cur.kinds
    lo = cur.starts[0]
    package: str | None = None
    body: list[ast.Stmt] = []
    if kinds[0] == PACKAGE:
        try:
            cur.p = 1
            package = cur.name()
        except SyntaxFailure as e:
            recover(cur, e, 0)
    while True:
        statements(cur, body, "")
        if kinds[cur.p] == EOF:
            break
        cur.p += 1  # a stray `}`, already reported
    tree = ast.Program(lo, cur.ends[cur.p], package, body)
    tree.qualified = cur.qualified
    return tree
