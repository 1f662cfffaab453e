"""Source files and positions.

A position is one int in a space shared by all files of a compilation (as Go's token.Pos): the
file's base plus the byte offset of its UTF-8 text.  Position 0 is "nowhere".
"""

from __future__ import annotations

import os
from bisect import bisect_right

from mochic.console import read_source


class SourceFile:
    """One source text.  `name` is the path as the user wrote it, for messages of the compiler; `data` the UTF-8 bytes;
    `root`: the folder of the program's main file, as it was written; `library`: it is a file of the language's own
    library, whose name is the same wherever that is installed."""

    __slots__ = ("name", "data", "base", "root", "library", "_lines")

    def __init__(self, name: str, data: bytes, base: int, root: str = "", library: bool = False) -> None:
        self.name = name
        self.data = data
        self.base = base
        self.root = root
        self.library = library
        self._lines: list[int] | None = None

    def recorded(self) -> str:
        """The path that goes into programs: relative to the main file's folder, with slashes.  It does not matter where
        the program is built and how its path is typed."""
        if self.library:
            return self.name
        if not os.path.isabs(self.name) and not self.root:
            return os.path.normpath(self.name).replace(os.sep, "/")
        try:
            return os.path.relpath(self.name, self.root or os.curdir).replace(os.sep, "/")
        except ValueError:  # another drive of Windows
            return os.path.basename(self.name)

    def line_starts(self) -> list[int]:
        """Byte offsets at which lines begin, made on first use: only diagnostics and debug info need them."""
        lines = self._lines
        if lines is None:
            lines = [0]
            find = self.data.find
            at = find(b"\n")
            while at >= 0:
                lines.append(at + 1)
                at = find(b"\n", at + 1)
            self._lines = lines
        return lines

    def line_text(self, line: int) -> str:
        """The text of a line (from 1) without its end; "" beyond the end of the file."""
        starts = self.line_starts()
        if not 1 <= line <= len(starts):
            return ""
        end = starts[line] if line < len(starts) else len(self.data)
        return self.data[starts[line - 1] : end].rstrip(b"\r\n").decode("utf-8", "replace")


class SourceMap:
    """All files of a compilation, in the order they were added.

    `texts` has what was read, by path: a compilation reads each file once.  A pipe has its text only once, and a file
    that changes meanwhile must not be two things to one command.  Commands that compile twice hand it on."""

    __slots__ = ("files", "texts", "_bases", "_next")

    def __init__(self, texts: dict[str, bytes] | None = None) -> None:
        self.files: list[SourceFile] = []
        self.texts: dict[str, bytes] = {} if texts is None else texts
        self._bases: list[int] = []
        self._next = 1

    def read(self, path: str) -> bytes:
        """The bytes of a file as they were when it was first read; raises UserError."""
        data = self.texts.get(path)
        if data is None:
            data = self.texts[path] = read_source(path)
        return data

    def add(self, name: str, data: bytes, library: bool = False) -> SourceFile:
        root = self.files[0].root if self.files else os.path.dirname(name)
        f = SourceFile(name, data, self._next, root, library)
        self.files.append(f)
        self._bases.append(f.base)
        self._next += len(data) + 1
        return f

    def named(self, name: str, library: bool = False) -> SourceFile | None:
        """The file of this name that is there already."""
        return next((f for f in self.files if f.name == name and f.library == library), None)

    def file_of(self, pos: int) -> SourceFile:
        return self.files[bisect_right(self._bases, pos) - 1]

    def position(self, pos: int) -> tuple[SourceFile, int, int]:
        """(file, line, column); both from 1, the column counts bytes."""
        f = self.file_of(pos)
        off = pos - f.base
        starts = f.line_starts()
        line = bisect_right(starts, off)
        return f, line, off - starts[line - 1] + 1
