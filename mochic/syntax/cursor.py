"""The parser's cursor over the tokens, the errors that it raises, and the tables of productions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from mochic.diag.diagnostic import Diagnostic, make
from mochic.source import SourceFile
from mochic.syntax import ast
from mochic.syntax.lexer import Tokens, position_in, quote
from mochic.syntax.tokens import COLON, COMMA, FOR, FUN, IDENT, LBRACE, LBRACK, LET, LPAREN, RBRACE, RBRACK, RPAREN, VAR

# How deep blocks, parentheses and the like may nest.  Every later stage walks the tree recursively, and each level
# costs a handful of Python frames there.
MAX_NESTING: Final = 256
# How long a chain of operators, postfixes or `else if`s may be.  Chains are parsed by loops but lean to the left (or
# right) in the tree, so that this is the other bound on its height.
MAX_CHAIN: Final = 5_000

# Which code a syntax error gets: (unexpected token or "", start of the expected rule or "", code); the first row that
# fits (docs/reference.md, 3.2).
_CODE_ROWS: Final[tuple[tuple[str, str, str], ...]] = (
    ("", '"}"', "P001"),
    ("", '"{"', "P001"),
    ("", '"("', "P052"),
    ("", '")"', "P052"),
    (".", "", "P055"),
    ("let", "", "P056"),
    ("", "", "P999"),
)


class SyntaxFailure(Exception):
    """Thrown at the first token that fits no rule; caught where statements are listed."""

    def __init__(self, diag: Diagnostic, at: int) -> None:
        super().__init__()
        self.diag = diag
        self.at = at


Primary = Callable[["Cursor"], ast.Expr]  # reads what an operand can be
Production = Callable[["Cursor"], ast.Stmt]  # reads a statement


class Grammar:
    """What may begin with a token, by its kind: the productions of operands and of statements.

    `restarts`: at which kinds parsing goes on after an error, when they begin a line.
    """

    __slots__ = ("primaries", "statements", "restarts")

    def __init__(
        self, primaries: list[Primary | None], statements: list[Production | None], restarts: list[bool]
    ) -> None:
        self.primaries = primaries
        self.statements = statements
        self.restarts = restarts


class Cursor:
    """A place in the token arrays of one file: `p` is the index of the next token.

    Productions are functions of a cursor.  They call each other, and what can begin anywhere through the tables of the
    grammar.  `errors` are syntax errors; `checks` are findings on what could be read, which are reported after these.
    """

    __slots__ = (
        "file", "kinds", "texts", "starts", "ends", "docs", "p", "depth", "head", "packages", "qualified", "declared",
        "errors", "checks", "primaries", "productions", "restarts",
    )  # fmt: skip

    def __init__(self, file: SourceFile, tokens: Tokens, grammar: Grammar) -> None:
        self.file = file
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.docs = tokens.docs
        self.p = 0
        self.depth = 0
        # Inside the head of if, while, for or match, where `x {` may begin the body (docs/reference.md, 2.6).
        self.head = False
        # What the imports so far call Mochi packages: `name.T` is a type then.
        self.packages: set[str] = set()
        self.qualified: list[ast.TypeName] = []
        self.declared: set[str] | None = None  # what begins_own has asked for
        self.errors: list[Diagnostic] = []
        self.checks: list[Diagnostic] = []  # P060 ...
        self.primaries = grammar.primaries
        self.productions = grammar.statements
        self.restarts = grammar.restarts

    # -- errors

    def fail(self, at: int, expected: str, code: str = "") -> NoReturn:
        """Give up at token `at`; `expected` is the grammar rule in upstream's notation, or ""."""
        tok = self.texts[at]
        lo = self.starts[at]
        line, col = position_in(self.file, lo)
        message = f"{self.file.name}:{line}:{col}: unexpected token {quote(tok)}"
        if expected:
            message += f" (expected {expected})"
        if not code:
            for token, rule, row_code in _CODE_ROWS:
                if (not token or token == tok) and expected.startswith(rule):
                    code = row_code
                    break
        raise SyntaxFailure(make(code, lo, self.ends[at], message), at)

    def too_deep(self, what: str, limit: int = MAX_NESTING) -> NoReturn:
        """Refuse a construct that nests beyond what later stages can walk."""
        at = self.p
        raise SyntaxFailure(make("P048", self.starts[at], self.ends[at], what, limit), at)

    # -- tokens

    def expect(self, kind: int, expected: str) -> None:
        """Take one token of this kind."""
        p = self.p
        if self.kinds[p] != kind:
            self.fail(p, expected)
        self.p = p + 1

    def name(self, expected: str = "<ident>") -> str:
        """Take an identifier."""
        p = self.p
        if self.kinds[p] < IDENT:
            self.fail(p, expected)
        self.p = p + 1
        return self.texts[p]

    def word(self) -> str:
        """The text of the next token if it is an identifier, else ""."""
        return self.texts[self.p] if self.kinds[self.p] >= IDENT else ""

    def same_line(self, at: int) -> bool:
        """Whether token `at` begins on the line on which the token before it ended."""
        base = self.file.base
        return self.file.data.find(b"\n", self.ends[at - 1] - base, self.starts[at] - base) < 0

    def begins_own(self, at: int) -> bool:
        """Whether the word at token `at`, which could also continue what stands before it (`union`, `with` ...), begins
        a statement: it is the first of its line, a bracket follows, and the program declares the name."""
        k = self.kinds[at + 1]
        if (k != LPAREN and k != LBRACK) or self.same_line(at):
            return False
        if self.declared is None:
            self.declared = self.declared_names()
        return self.texts[at] in self.declared

    def declared_names(self) -> set[str]:
        """What the file declares as functions, variables and parameters, in whatever scope."""
        out: set[str] = set()
        kinds = self.kinds
        open_: list[int] = []
        for i, k in enumerate(kinds):
            if k in (LPAREN, LBRACK, LBRACE):
                open_.append(k)
            elif k in (RPAREN, RBRACK, RBRACE):
                if open_:
                    open_.pop()
            elif k >= IDENT and i:
                before = kinds[i - 1]
                typed = kinds[i + 1] == COLON and before in (LPAREN, COMMA) and open_[-1:] == [LPAREN]
                if typed or before in (FUN, LET, VAR, FOR):
                    out.add(self.texts[i])
        return out
