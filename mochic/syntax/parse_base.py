"""What all parts of the parser share: the token cursor, errors, names, types and parameter lists."""

from __future__ import annotations

from typing import Final, NoReturn

from mochic.diag.diagnostic import Diagnostic, make
from mochic.source import SourceFile
from mochic.syntax import ast
from mochic.syntax.lexer import Tokens, position_in, quote
from mochic.syntax.tokens import (
    BANG,
    COLON,
    COMMA,
    DOT,
    FOR,
    FUN,
    GT,
    IDENT,
    LBRACE,
    LBRACK,
    LET,
    LPAREN,
    LT,
    QUESTION,
    RBRACE,
    RBRACK,
    RPAREN,
    VAR,
)

# How deep blocks, parentheses and the like may nest.  Every later stage walks the tree recursively, and each level
# costs a handful of Python frames there.
MAX_NESTING: Final = 256
# How long a chain of operators, postfixes or `else if`s may be.  Chains are parsed by loops but lean to the left (or
# right) in the tree, so that this is the other bound on its height.
MAX_CHAIN: Final = 5_000

BLOCK_RULE: Final = '"{" Statement* "}"'
HEADER_RULE: Final = '")" (":" TypeRef)? ("!" <ident> ("," <ident>)*)? "{" Statement* "}"'

# Which code a syntax error gets: (unexpected token or "", start of the expected rule or "", code); the first row that
# fits (language reference, 3.2).
_CODE_ROWS: Final[tuple[tuple[str, str, str], ...]] = (
    ("", '"}"', "P001"),
    ("", '"{"', "P001"),
    ("", '"("', "P052"),
    ("", '")"', "P052"),
    (".", "", "P055"),
    ("let", "", "P056"),
    ("", "", "P999"),
)


def package_name(path: str) -> str:
    """What a package is called when the import does not say: the last part of its path."""
    return path.rstrip("/").rsplit("/", 1)[-1].split(".")[0]


class SyntaxFailure(Exception):
    """Thrown at the first token that fits no rule; caught where statements are listed."""

    def __init__(self, diag: Diagnostic, at: int) -> None:
        super().__init__()
        self.diag = diag
        self.at = at


class ParserBase:
    """Cursor over the token arrays.  `p` is the index of the next token."""

    __slots__ = (
        "file", "kinds", "texts", "starts", "ends", "docs", "p", "depth", "head", "checks", "packages", "qualified",
        "declared",
    )  # fmt: skip

    def __init__(self, file: SourceFile, tokens: Tokens) -> None:
        self.file = file
        self.kinds = tokens.kinds
        self.texts = tokens.texts
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.docs = tokens.docs
        self.p = 0
        self.depth = 0
        # Inside the head of if, while, for or match, where `x {` may begin the body (language reference, 2.6).
        self.head = False
        # What the imports so far call Mochi packages: `name.T` is a type then.
        self.packages: set[str] = set()
        self.qualified: list[ast.TypeName] = []
        self.declared: set[str] | None = None  # what begins_own has asked for
        # Findings that are no syntax errors (P060 ...); reported after these.
        self.checks: list[Diagnostic] = []

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

    # -- types, parameters

    def type_ref(self) -> ast.TypeRef:
        p = self.p
        kinds = self.kinds
        k = kinds[p]
        lo = self.starts[p]
        result: ast.TypeRef
        if k >= IDENT:
            self.p = p + 1
            name = self.texts[p]
            if name in self.packages and kinds[p + 1] == DOT and kinds[p + 2] >= IDENT:
                p += 2
                name += "." + self.texts[p]
                self.p = p + 1
            result = named = ast.TypeName(lo, self.ends[p], name)
            if "." in name:
                self.qualified.append(named)
            if kinds[p + 1] == LT:
                # `x as int < y` is a comparison: the generic reading is one choice, tried first.
                self.p = p + 2
                depth = self.depth
                try:
                    args = self._types(GT, '">"')
                    result = ast.TypeGeneric(lo, self.ends[self.p - 1], name, args)
                except SyntaxFailure:
                    if name in ("list", "map"):
                        raise
                    self.depth = depth
                    self.p = p + 1
        elif k == FUN:
            if kinds[p + 1] != LPAREN:
                self.fail(p + 1, '"("')
            self.p = p + 2
            params: list[ast.TypeRef] = []
            if kinds[self.p] == RPAREN:
                self.p += 1
            else:
                params = self._types(RPAREN, '")"')
            ret: ast.TypeRef | None = None
            if kinds[self.p] == COLON:
                self.p += 1
                ret = self._inner_type()
            result = ast.TypeFun(lo, self.ends[self.p - 1], params, ret)
        elif k == LBRACE:
            self.p = p + 1
            fields: list[ast.FieldDecl] = []
            while kinds[self.p] != RBRACE:
                fields.append(self.field_decl('"}"'))
                if kinds[self.p] != COMMA:
                    break
                self.p += 1
            self.expect(RBRACE, '"}"')
            result = ast.TypeStruct(lo, self.ends[self.p - 1], fields)
        elif k == LBRACK:
            # `[T]` is how newer upstream writes list<T>.
            self.p = p + 1
            inner = self._inner_type()
            self.expect(RBRACK, '"]"')
            result = ast.TypeGeneric(lo, self.ends[self.p - 1], "list", [inner])
        else:
            self.fail(p, "TypeRef")
        p = self.p
        if kinds[p] == QUESTION:
            self.p = p + 1
            return ast.TypeOpt(lo, self.ends[p], result)
        return result

    def _inner_type(self) -> ast.TypeRef:
        self.depth += 1
        if self.depth > MAX_NESTING:
            self.too_deep("type")
        result = self.type_ref()
        self.depth -= 1
        return result

    def _types(self, close: int, expected: str) -> list[ast.TypeRef]:
        out = [self._inner_type()]
        while self.kinds[self.p] == COMMA:
            self.p += 1
            out.append(self._inner_type())
        self.expect(close, expected)
        return out

    def field_decl(self, expected: str) -> ast.FieldDecl:
        """`name: Type`."""
        p = self.p
        if self.kinds[p] < IDENT:
            self.fail(p, expected)
        if self.kinds[p + 1] != COLON:
            self.fail(p + 1, '":" TypeRef')
        self.p = p + 2
        typ = self._inner_type()
        return ast.FieldDecl(self.starts[p], self.ends[self.p - 1], self.texts[p], typ)

    def params(self, expected: str) -> list[ast.Param]:
        """`a, b: T)`, the parenthesis included; `expected` is what a missing one is called."""
        out: list[ast.Param] = []
        kinds = self.kinds
        p = self.p
        if kinds[p] == RPAREN:
            self.p = p + 1
            return out
        while True:
            p = self.p
            if kinds[p] < IDENT:
                self.fail(p, "Param" if out else expected)
            typ: ast.TypeRef | None = None
            self.p = p + 1
            if kinds[p + 1] == COLON:
                self.p = p + 2
                typ = self.type_ref()
            out.append(ast.Param(self.starts[p], self.ends[self.p - 1], self.texts[p], typ))
            k = kinds[self.p]
            self.p += 1
            if k == RPAREN:
                return out
            if k != COMMA:
                self.fail(self.p - 1, expected)

    def type_params(self) -> list[str]:
        """`<T, U>` if it is there."""
        out: list[str] = []
        if self.kinds[self.p] == LT:
            self.p += 1
            out.append(self.name())
            while self.kinds[self.p] == COMMA:
                self.p += 1
                out.append(self.name())
            self.expect(GT, '">"')
        return out

    def result_type(self) -> ast.TypeRef | None:
        """`: Type` if it is there."""
        if self.kinds[self.p] != COLON:
            return None
        self.p += 1
        return self.type_ref()

    def effects(self) -> list[str] | None:
        """`! io, fs` if it is there."""
        if self.kinds[self.p] != BANG:
            return None
        self.p += 1
        out = [self.name()]
        while self.kinds[self.p] == COMMA:
            self.p += 1
            out.append(self.name())
        return out
