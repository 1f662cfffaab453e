"""From a path to a checked program, and what a user is told when that fails."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mochic.console import say
from mochic.options import Options

if TYPE_CHECKING:
    from mochic.compile import CompileError
    from mochic.diag.diagnostic import Diagnostic
    from mochic.sema.symbols import ProgramInfo

RECURSION: Final = 200_000  # Python frames; the parser limits the nesting of the source long before that


class Timer:
    """Wall time per stage."""

    __slots__ = ("rows", "_last")

    def __init__(self) -> None:
        self.rows: list[tuple[str, float]] = []
        self._last = time.perf_counter()

    def mark(self, stage: str) -> None:
        now = time.perf_counter()
        self.rows.append((stage, now - self._last))
        self._last = now

    def table(self) -> str:
        total = sum(t for _, t in self.rows)
        lines = [f"{name:<12}{1000 * t:9.1f} ms" for name, t in self.rows]
        return "\n".join([*lines, f"{'total':<12}{1000 * total:9.1f} ms"])


def render_errors(e: CompileError) -> str:
    """The text for an error that knows its sources."""
    from mochic.diag.render import render, render_list

    sources = e.sources
    assert sources is not None, "whoever reads sources adds them to the error"
    if e.kind in ("parse", "link"):
        return f"{e.kind} error:\n" + "\n".join(render(d, sources) for d in e.diagnostics)
    return "type error:\n" + render_list(e.diagnostics, sources) + "aborted due to type errors"


def front(path: str, opt: Options, timer: Timer, texts: dict[str, bytes] | None = None) -> ProgramInfo:
    """Parse and check; a ProgramInfo, or a CompileError that knows its sources.  `texts`: files that were read."""
    from mochic.compile import CompileError, check, parse_file
    from mochic.source import SourceMap

    from mochic.diag.render import render

    sources = SourceMap(texts)
    f = sources.add(path, sources.read(path))
    warnings: list[Diagnostic] = []
    try:
        program = parse_file(f, warnings)
        timer.mark("parse")
        info = check(sources, program, warnings)
        timer.mark("check")
    except CompileError as e:
        e.sources = sources
        raise
    for w in warnings:
        say(render(w, sources))
    return info


def front_strict(path: str) -> None:
    """Parse and check by the rules of the strict mode; a CompileError that knows its sources."""
    from mochic.compile import CompileError, check_strict
    from mochic.source import SourceMap

    sources = SourceMap()
    try:
        check_strict(sources.add(path, sources.read(path)), sources)
    except CompileError as e:
        e.sources = sources
        raise
