"""Token kinds.

Kinds are small ints so that the parser's tables are lists.  Everything that can be an identifier sorts last:
`kind >= IDENT` is the test for "a name may stand here", and contextual words (`from`, `union`, `as`, ...) are names
with a kind of their own.
"""

from __future__ import annotations

import re
from typing import Final

COMMENT: Final = 0  # dropped by the lexer: itertools.compress keeps what is true
EOF: Final = 1
INT: Final = 2
FLOAT: Final = 3
STRING: Final = 4
BAD: Final = 5  # a character that starts no token; never leaves the lexer

# Punctuation.
EQ: Final = 6
NE: Final = 7
LT: Final = 8
LE: Final = 9
GT: Final = 10
GE: Final = 11
PLUS: Final = 12
MINUS: Final = 13
STAR: Final = 14
SLASH: Final = 15
PERCENT: Final = 16
ANDAND: Final = 17
OROR: Final = 18
COALESCE: Final = 19
ASSIGN: Final = 20
BANG: Final = 21
BAR: Final = 22
LBRACE: Final = 23
RBRACE: Final = 24
LBRACK: Final = 25
RBRACK: Final = 26
LPAREN: Final = 27
RPAREN: Final = 28
COMMA: Final = 29
DOT: Final = 30
COLON: Final = 31
QUESTION: Final = 32
ARROW: Final = 33
RULE_IS: Final = 34  # :-
DOTDOT: Final = 35

# Reserved words.
TEST: Final = 40
EXPECT: Final = 41
AGENT: Final = 42
INTENT: Final = 43
ON: Final = 44
STREAM: Final = 45
EMIT: Final = 46
TYPE: Final = 47
FUN: Final = 48
EXTERN: Final = 49
IMPORT: Final = 50
RETURN: Final = 51
BREAK: Final = 52
CONTINUE: Final = 53
LET: Final = 54
VAR: Final = 55
IF: Final = 56
ELSE: Final = 57
THEN: Final = 58
FOR: Final = 59
WHILE: Final = 60
IN: Final = 61
GENERATE: Final = 62
MATCH: Final = 63
FETCH: Final = 64
LOAD: Final = 65
SAVE: Final = 66
PACKAGE: Final = 67
EXPORT: Final = 68
FACT: Final = 69
RULE: Final = 70
ALL: Final = 71
NONE: Final = 72
TRUE: Final = 73
FALSE: Final = 74

# Names.  Contextual words that the parser dispatches on have their own kinds, all others are plain IDENT.
IDENT: Final = 80
AS: Final = 81
FROM: Final = 82
UNION: Final = 83
EXCEPT: Final = 84
INTERSECT: Final = 85
QUERY: Final = 86
BENCH: Final = 87
MODEL: Final = 88
UPDATE: Final = 89
SET: Final = 90
OMAP: Final = 91
TRY: Final = 92
ASYNC: Final = 93
AWAIT: Final = 94
KINDS: Final = 95

PUNCTUATION: Final[dict[str, int]] = {
    "==": EQ,
    "!=": NE,
    "<": LT,
    "<=": LE,
    ">": GT,
    ">=": GE,
    "+": PLUS,
    "-": MINUS,
    "*": STAR,
    "/": SLASH,
    "%": PERCENT,
    "&&": ANDAND,
    "||": OROR,
    "??": COALESCE,
    "=": ASSIGN,
    "!": BANG,
    "|": BAR,
    "{": LBRACE,
    "}": RBRACE,
    "[": LBRACK,
    "]": RBRACK,
    "(": LPAREN,
    ")": RPAREN,
    ",": COMMA,
    ".": DOT,
    ":": COLON,
    "?": QUESTION,
    "=>": ARROW,
    ":-": RULE_IS,
    "..": DOTDOT,
}

RESERVED: Final[dict[str, int]] = {
    "test": TEST,
    "expect": EXPECT,
    "agent": AGENT,
    "intent": INTENT,
    "on": ON,
    "stream": STREAM,
    "emit": EMIT,
    "type": TYPE,
    "fun": FUN,
    "extern": EXTERN,
    "import": IMPORT,
    "return": RETURN,
    "break": BREAK,
    "continue": CONTINUE,
    "let": LET,
    "var": VAR,
    "if": IF,
    "else": ELSE,
    "then": THEN,
    "for": FOR,
    "while": WHILE,
    "in": IN,
    "generate": GENERATE,
    "match": MATCH,
    "fetch": FETCH,
    "load": LOAD,
    "save": SAVE,
    "package": PACKAGE,
    "export": EXPORT,
    "fact": FACT,
    "rule": RULE,
    "all": ALL,
    "none": NONE,
    "true": TRUE,
    "false": FALSE,
}

CONTEXTUAL: Final[dict[str, int]] = {
    "as": AS,
    "from": FROM,
    "union": UNION,
    "except": EXCEPT,
    "intersect": INTERSECT,
    "query": QUERY,
    "bench": BENCH,
    "model": MODEL,
    "update": UPDATE,
    "set": SET,
    "omap": OMAP,
    "try": TRY,
    "async": ASYNC,
    "await": AWAIT,
}

FIXED: Final[dict[str, int]] = {**PUNCTUATION, **RESERVED, **CONTEXTUAL}


# What stands for a variable inside a string (newer upstream).
INTERPOLATED: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
