"""Module-definition files: what a DLL exports, as a text (Microsoft, "Module-Definition (.Def) Files").

The text is a sequence of words; ends of lines mean no more than spaces.  `;` starts a comment, quotes make a word of
anything, and words of the language, which are upper case, are themselves only without quotes.  An import
library takes the exports: of `entry=internal` the entry, as the internal name is an affair of the DLL alone.
"""

from __future__ import annotations

import re
from typing import Final

from objwriter.check import check_name
from objwriter.model import ObjectError

IMPORT_CODE: Final = 0
IMPORT_DATA: Final = 1
IMPORT_CONST: Final = 2


class Import:
    """What a program may use of a DLL: `name` in the program; `exported` in the DLL where that differs;
    `ordinal` >= 0 imports by number; `kind` IMPORT_CODE, IMPORT_DATA or IMPORT_CONST."""

    __slots__ = ("name", "exported", "ordinal", "kind")

    def __init__(self, name: str, exported: str = "", ordinal: int = -1, kind: int = IMPORT_CODE) -> None:
        self.name = name
        self.exported = exported
        self.ordinal = ordinal
        self.kind = kind


_WORD: Final = re.compile(
    r"""[^\S\n]+ | ;[^\n]* | (?P<line>\n) | "(?P<quoted>[^"\n]*)" | (?P<word> ==? | , | [^\s=,;"]+)""", re.X
)
_NAMES: Final = {"LIBRARY": ".dll", "NAME": ".exe"}
# Statements about the DLL that an import library has nothing of: which words behind them are theirs.
_WORDS_OF: Final = {
    **dict.fromkeys("HEAPSIZE STACKSIZE VERSION".split(), re.compile(r"[0-9,].*")),
    **dict.fromkeys("DESCRIPTION EXETYPE PROTMODE REALMODE STUB SUBSYSTEM".split(), None),  # those of its line
    **dict.fromkeys("IMPORTS SECTIONS SEGMENTS".split(), re.compile(".*", re.S)),  # all up to the next statement
    **dict.fromkeys(
        ("LIBRARY", "NAME"),
        re.compile("BASE|=|,|[0-9].*|(INIT|TERM)(INSTANCE|GLOBAL)|(NOT)?WINDOW(API|COMPAT)|LONGNAMES|NEWFILES"),
    ),
}
_STATEMENTS: Final = frozenset(("EXPORTS", *_WORDS_OF))
_KINDS: Final = {"DATA": IMPORT_DATA, "CONSTANT": IMPORT_CONST}
_ATTRIBUTES: Final = frozenset(("PRIVATE", "NONAME", "EXPORTAS", "=", "==", *_KINDS))
_END: Final = ("", False, 0)


class _Reader:
    """The words of a text, each with whether it stood in quotes and its line."""

    __slots__ = ("words", "at")

    def __init__(self, text: str) -> None:
        self.words: list[tuple[str, bool, int]] = []
        self.at = 0
        line = 1
        at = 0
        while at < len(text):
            m = _WORD.match(text, at)
            if m is None:
                raise ObjectError(f"line {line} of the definitions: a quote without an end")
            at = m.end()
            if m.lastgroup == "line":
                line += 1
            elif m.lastgroup:
                word = m[m.lastgroup]
                if "\0" in word:
                    raise ObjectError(f"line {line} of the definitions: no name: {word!r} contains a NUL")
                self.words.append((word, m.lastgroup == "quoted", line))

    def peek(self) -> str:
        """The next word when it is one of the language or may be; "" for a quoted one."""
        word, quoted, _ = self.words[self.at] if self.at < len(self.words) else _END
        return "" if quoted else word

    def take(self) -> tuple[str, bool]:
        """The next word, and whether it is quoted."""
        word, quoted, _ = self.words[self.at] if self.at < len(self.words) else _END
        self.at += 1
        return word, quoted

    def name(self) -> str:
        """The next word, which must be a name."""
        word, quoted = self.take()
        if not word or (not quoted and (word in _ATTRIBUTES or word in _STATEMENTS or word == ",")):
            raise self.error("no name" if not word or word == "=" else f"unexpected {word}")
        return word

    def skip(self, theirs: re.Pattern[str] | None, line: int) -> None:
        """Passes over what a statement may have behind it."""
        while self.at < len(self.words) and self.peek() not in _STATEMENTS:
            word, _, at = self.words[self.at]
            if at != line if theirs is None else not theirs.fullmatch(word):
                return
            self.at += 1

    def error(self, what: str) -> ObjectError:
        """The error at the word that was taken last."""
        at = min(self.at, len(self.words)) - 1
        return ObjectError(f"line {self.words[at][2] if at >= 0 else 1} of the definitions: {what}")


def parse_def(text: str) -> tuple[str, list[Import]]:
    """The DLL and the imports of a module-definition text: LIBRARY or NAME, and EXPORTS with `entry[=internal]
    [==imported] [@ordinal [NONAME]] [PRIVATE] [DATA|CONSTANT] [EXPORTAS imported]`.

    >>> dll, imports = parse_def("LIBRARY KERNEL32.dll\\nEXPORTS\\n ExitProcess\\n Sleep = Nap @7 NONAME\\n")
    >>> dll, [(i.name, i.ordinal) for i in imports]
    ('KERNEL32.dll', [('ExitProcess', -1), ('Sleep', 7)])
    """
    reader = _Reader(text.removeprefix("\ufeff"))
    dll = ""
    imports: list[Import] = []
    while reader.at < len(reader.words):
        line = reader.words[reader.at][2]
        word, quoted = reader.take()
        if quoted or word not in _STATEMENTS:
            raise reader.error(f"unexpected {word}")
        if word == "EXPORTS":
            while reader.at < len(reader.words) and reader.peek() not in _STATEMENTS:
                item = _export(reader)
                if item is not None:
                    imports.append(item)
            continue
        if word in _NAMES and reader.at < len(reader.words) and reader.peek() not in _STATEMENTS:
            dll = reader.name()
            if "." not in dll:
                dll += _NAMES[word]
        reader.skip(_WORDS_OF[word], line)
    if not dll:
        raise ObjectError("the definitions have no LIBRARY line")
    check_name(dll, "library")
    return dll, imports


def _export(reader: _Reader) -> Import | None:
    """One export; None for a PRIVATE one, which an import library leaves out."""
    item = Import(reader.name())
    if item.name.startswith("@") and not _FASTCALL.fullmatch(item.name) and not reader.words[reader.at - 1][1]:
        raise reader.error(f"unexpected {item.name}")
    check_name(item.name, "export")
    private = noname = internal = False
    ordinal = -1
    while True:
        word = reader.peek()
        if word == "=" and not internal:
            internal = True
            reader.at += 1
            reader.name()
        elif word in ("==", "EXPORTAS") and not item.exported:
            reader.at += 1
            item.exported = reader.name()
            check_name(item.exported, "import")
        elif word in _KINDS:
            reader.at += 1
            item.kind = _KINDS[word]
        elif word == "PRIVATE":
            reader.at += 1
            private = True
        elif word == "NONAME":
            reader.at += 1
            noname = True
            if ordinal < 0:
                raise reader.error("NONAME needs an ordinal")
        elif word[:1] == "@" and not _FASTCALL.fullmatch(word):
            ordinal = _ordinal(reader)
        else:
            break
    if noname:  # a number beside a name is a hint at most
        item.ordinal = ordinal
    return None if private else item


_FASTCALL: Final = re.compile(r"@[^@]+@\d+", re.ASCII)  # a name of its own that begins like an ordinal


def _ordinal(reader: _Reader) -> int:
    word, _ = reader.take()
    digits = word[1:]
    if not digits:
        digits, _ = reader.take()
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10 and int(digits) < 1 << 16):
        raise reader.error(f"unexpected {word if word[1:] else '@ ' + digits}")
    return int(digits)
