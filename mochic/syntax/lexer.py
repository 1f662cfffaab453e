"""Source text to token arrays.

The problem is speed: a Python loop that runs once per character or even once per token costs more than the parser may
spend.  So the work is arranged to run inside C functions over whole files:

1. one regular expression that matches any token or comment *splits* the text into gap, token, gap, token, ...;
2. positions are the running sums of the lengths of these parts;
3. the kind of a token depends on its text alone, so kinds are computed once per *distinct* text and mapped;
4. comments have kind 0 and are removed by `itertools.compress`.

Errors fit in without a second scan: the expression has catch-all alternatives (an unclosed string or comment takes the
rest of the file, a malformed number all letters and digits that it touches, else one character) that can only match
where every proper token failed, so a file is correct if and only if no token has kind BAD.  Only then is the place
looked at closely to say what is wrong (docs/reference.md, 1.4).  Possessive quantifiers keep all of this linear.

Positions are byte offsets.  For ASCII text they equal character offsets; otherwise lengths are taken of the encoded
parts.  Identifiers may contain letters and "other symbols" (category So), which `re` cannot say: in non-ASCII text the
expression takes any run of non-ASCII characters and `_split_run` cuts it by category.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate, compress
from typing import Final

from mochic.diag.diagnostic import Diagnostic, make
from mochic.source import SourceFile
from mochic.syntax.tokens import BAD, COMMENT, EOF, FIXED, FLOAT, IDENT, INT, RESERVED, STRING

WHITE: Final = " \t\n\r;"
LOOKAHEAD: Final = 4  # EOF tokens at the end, so that the parser may look ahead without a bounds check
MAX_ERRORS: Final = 20

_NUMBER: Final = (
    r"(?:0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|[0-9]+\.[0-9]+(?:[eE][+-]?[0-9]+)?|[0-9]+(?:[eE][+-]?[0-9]+)?)"
)
_STRING: Final = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_REST: Final = (
    "|" + _STRING + r'|//[^\n]*+|\#[^\n]*+|/\*.*?\*/|/\*.*+|".*+|[=!<>]=|=>|&&|\|\||:-|\.\.|\?\?|[^ \t\n\r;])'
)
# The look-ahead after a number refuses one that touches an identifier character or a fraction; shorter matches of the
# same number touch its own digits and fail too, so such a place falls through to the malformed run behind it.
_ASCII: Final = (
    r"([A-Za-z_][A-Za-z0-9_]*+|"
    + _NUMBER
    + r"(?![A-Za-z0-9_]|\.[0-9])|[0-9]+\.[0-9][A-Za-z0-9_]*+|[0-9][A-Za-z0-9_]*+"
    + _REST
)
_UNICODE: Final = (
    r"((?:"
    + "|".join(sorted(RESERVED, key=len, reverse=True))
    + r")(?![A-Za-z0-9_])|[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*+|"
    + _NUMBER
    + r"(?![A-Za-z0-9_\x80-\U0010ffff]|\.[0-9])"
    + r"|[0-9]+\.[0-9][A-Za-z0-9_\x80-\U0010ffff]*+|[0-9][A-Za-z0-9_\x80-\U0010ffff]*+"
    + _REST
)

_SIMPLE_ESCAPES: Final = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    '"': '"',
}
_HEX_ESCAPES: Final = {"x": 2, "u": 4, "U": 8}


class Tokens:
    """The tokens of one file as parallel lists; the last LOOKAHEAD ones are EOF.

    `texts[i]` is the source text, but for a string its *value*.  `starts` and `ends` are global positions.  `docs` maps
    the start of a token to the `///` comment right above it.
    """

    __slots__ = ("kinds", "texts", "starts", "ends", "docs")

    def __init__(
        self, kinds: list[int], texts: list[str], starts: list[int], ends: list[int], docs: dict[int, str]
    ) -> None:
        self.kinds = kinds
        self.texts = texts
        self.starts = starts
        self.ends = ends
        self.docs = docs


_compiled: dict[str, re.Pattern[str]] = {}


def tokenize(file: SourceFile) -> tuple[Tokens, list[Diagnostic]]:
    """All tokens of a file.  When there are diagnostics the tokens are only an empty file.

    >>> from mochic.source import SourceMap
    >>> toks, errs = tokenize(SourceMap().add("x.mochi", b'let a = 1 // one'))
    >>> toks.texts[:4]
    ['let', 'a', '=', '1']
    """
    data = file.data
    base = file.base
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
        base += 3
    ascii_only = data.isascii()
    try:
        text = data.decode("ascii" if ascii_only else "utf-8")
    except UnicodeDecodeError as e:
        return _nothing(file), [make("P047", base + e.start, base + e.start + 1)]

    source = _ASCII if ascii_only else _UNICODE
    pattern = _compiled.get(source)
    if pattern is None:
        pattern = _compiled[source] = re.compile(source, re.DOTALL)
    parts = pattern.split(text)
    if not ascii_only:
        parts = _split_runs(parts)
    texts = parts[1::2]

    # What each distinct text is.  A dict and not a set, so that the order is that of the file.
    kind_of: dict[str, int] = dict.fromkeys(texts, IDENT)
    fixed = FIXED.get
    strings: dict[str, str] = {}
    faulty = False
    last = texts[-1] if texts else ""
    for t in kind_of:
        k = fixed(t, -1)
        if k < 0:
            c = t[0]
            if c.isalpha() or c == "_":
                continue
            if c == '"':
                value = t[1:-1] if "\\" not in t else unescape(t)
                if value is None or (t is last and re.fullmatch(_STRING, t, re.DOTALL) is None):
                    k = BAD
                    faulty = True
                else:
                    k = STRING
                    strings[t] = value
            elif c in "0123456789":
                k = _number_kind(t)
                faulty |= k == BAD
            elif c == "#" or (c == "/" and (t[1] == "/" or (t.endswith("*/") and len(t) > 3))):
                k = COMMENT
            elif c > "\x7f" and is_ident_start(c):
                continue
            else:
                k = BAD
                faulty = True
        kind_of[t] = k
    kinds = list(map(kind_of.__getitem__, texts))
    if ascii_only:
        bounds = list(accumulate(map(len, parts), initial=base))
    else:
        bounds = list(accumulate([len(p) if p.isascii() else len(p.encode()) for p in parts], initial=base))
    starts = bounds[1::2]
    ends = bounds[2::2]
    end = starts.pop()
    if faulty:
        return _nothing(file), _explain_faults(file, texts, kinds, starts)

    docs: dict[int, str] = {}
    if "///" in text:
        _collect_docs(docs, kinds, parts, starts)
    if COMMENT in kind_of.values():
        texts = list(compress(texts, kinds))
        starts = list(compress(starts, kinds))
        ends = list(compress(ends, kinds))
        kinds = list(filter(None, kinds))
    if strings:
        value_of = strings.get
        texts = [value_of(t, t) for t in texts]
    for _ in range(LOOKAHEAD):
        kinds.append(EOF)
        texts.append("<EOF>")
        starts.append(end)
        ends.append(end)
    return Tokens(kinds, texts, starts, ends, docs), []


def unescape(literal: str) -> str | None:
    """The value of a string literal (quotes included), or None when an escape is wrong (docs/reference.md, 1.2)."""
    body = literal[1:-1]
    pieces = body.split("\\")
    out = [pieces[0]]
    i = 1
    n = len(pieces)
    while i < n:
        piece = pieces[i]
        i += 1
        if not piece:
            # `\\`: the split cut between the two backslashes, so the next piece is plain text.
            if i >= n:
                return None
            out.append("\\")
            out.append(pieces[i])
            i += 1
            continue
        c = piece[0]
        simple = _SIMPLE_ESCAPES.get(c)
        if simple is not None:
            out.append(simple)
            out.append(piece[1:])
            continue
        if c in _HEX_ESCAPES:
            width, radix, at = _HEX_ESCAPES[c], 16, 1
        elif c in "01234567":
            width, radix, at = 3, 8, 0
        else:
            return None
        digits = piece[at : at + width]
        if len(digits) < width or not digits.isascii() or not digits.isalnum():
            return None
        try:
            code = int(digits, radix)
        except ValueError:
            return None
        if code > 0x10FFFF or 0xD800 <= code < 0xE000 or (radix == 8 and code > 255):
            return None
        out.append(chr(code))
        out.append(piece[at + width :])
    return "".join(out)


def is_ident_start(c: str) -> bool:
    """Whether an identifier may begin with this character: a letter, `_` or "other symbol"."""
    if c < "\x80":
        return c.isalpha() or c == "_"
    from unicodedata import category  # not needed for ASCII programs, so not on everybody's build path

    cat = category(c)
    return cat[0] == "L" or cat == "So"


def is_ident_part(c: str) -> bool:
    """Whether an identifier may go on with this character."""
    if c < "\x80":
        return c.isalnum() or c == "_"
    from unicodedata import category

    cat = category(c)
    return cat[0] in "LN" or cat == "So"


def _number_kind(t: str) -> int:
    if t.isascii():
        if t.isdecimal():
            return INT
        if re.fullmatch(_NUMBER, t):
            return INT if t[1] in "xXbBoO" else FLOAT
    return BAD


def _nothing(file: SourceFile) -> Tokens:
    end = file.base + len(file.data)
    return Tokens([EOF] * LOOKAHEAD, ["<EOF>"] * LOOKAHEAD, [end] * LOOKAHEAD, [end] * LOOKAHEAD, {})


def _split_runs(parts: list[str]) -> list[str]:
    """Cut tokens that contain non-ASCII characters where an identifier must end (see the head of the file)."""
    out: list[str] = []
    for i, part in enumerate(parts):
        if i & 1 and not part.isascii() and part[0] not in '"/#0123456789':
            at = 0
            n = len(part)
            while at < n:
                end = at + 1
                if is_ident_start(part[at]):
                    while end < n and is_ident_part(part[end]):
                        end += 1
                if at:
                    out.append("")
                out.append(part[at:end])
                at = end
        else:
            out.append(part)
    return out


def _collect_docs(docs: dict[int, str], kinds: list[int], parts: list[str], starts: list[int]) -> None:
    """Attach runs of `///` lines to the token after them, when nothing but one newline is between."""
    lines: list[str] = []
    for i, k in enumerate(kinds):
        gap = parts[2 * i]
        if lines and (gap.count("\n") != 1):
            lines = []
        if k == COMMENT and parts[2 * i + 1].startswith("///"):
            lines.append(parts[2 * i + 1][3:].strip())
        elif lines:
            if k != COMMENT:
                docs[starts[i]] = "\n".join(lines)
            lines = []


def _explain_faults(file: SourceFile, texts: list[str], kinds: list[int], starts: list[int]) -> list[Diagnostic]:
    """Diagnostics for a file with lexical errors, in upstream's order: its pre-scan (1.4) sees the whole file first."""
    first: list[Diagnostic] = []
    second: list[Diagnostic] = []
    for t, k, lo in zip(texts, kinds, starts, strict=True):
        if k != BAD:
            continue
        if len(first) + len(second) >= MAX_ERRORS * 4:
            break
        hi = lo + len(t.encode())
        c = t[0]
        if c == '"':
            if re.fullmatch(_STRING, t, re.DOTALL):
                second.append(make("P041", lo, hi))
            else:
                first.append(make("P040", lo, hi))
        elif c == "/":
            first.append(make("P042", lo, lo + 2))
        elif c in "0123456789":
            first.append(_bad_number(file, t, lo, hi))
        else:
            second.append(_bad_character(file, lo))
    return (first + second)[:MAX_ERRORS]


def _bad_number(file: SourceFile, t: str, lo: int, hi: int) -> Diagnostic:
    """What is wrong with a malformed number: no digits after a base prefix, or a word that it touches."""
    m = re.match(_NUMBER, t)
    end = m.end() if m else 1
    if end == 1 and t[0] == "0" and t[1] in "xXbBoO" and not t[2:3].isdecimal():
        return make("P046", lo, lo + 2, t[:2])
    if end == len(t) or not is_ident_part(t[end]):
        return _bad_character(file, lo + len(t[:end].encode()))
    return make("P043", lo, hi, t[end])


def _bad_character(file: SourceFile, lo: int) -> Diagnostic:
    line, col = position_in(file, lo)
    rest = file.data[lo - file.base : lo - file.base + 128].decode("utf-8", "ignore")
    sample = rest if len(rest) <= 16 else rest[:16] + "..."
    message = f"{file.name}:{line}:{col}: invalid input text {quote(sample)}"
    row = make("P040", lo, lo + len(rest[:1].encode()))
    row.message = message
    row.help = 'String literals must be properly closed with a `"`.'
    return row


def position_in(file: SourceFile, pos: int) -> tuple[int, int]:
    """Line and column (from 1, in bytes) of a global position inside `file`."""
    off = pos - file.base
    starts = file.line_starts()
    line = bisect_right(starts, off)
    return line, off - starts[line - 1] + 1


def quote(text: str) -> str:
    """Text in double quotes with the escapes that diagnostics use."""
    out: list[str] = []
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c == "\n":
            out.append("\\n")
        elif c == "\t":
            out.append("\\t")
        elif c == "\r":
            out.append("\\r")
        elif c < " " or c == "\x7f":
            out.append(f"\\x{ord(c):02x}")
        elif c.isprintable():
            out.append(c)
        else:
            out.append(f"\\u{ord(c):04x}" if c < "\U00010000" else f"\\U{ord(c):08x}")
    return '"' + "".join(out) + '"'
