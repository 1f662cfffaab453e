"""Diagnostics as text, in the layout of the Mochi reference implementation (docs/reference.md, 3.1).

    error[CODE]: MESSAGE
      --> FILE:LINE:COL

    LLL | SOURCE LINE
        | ^

    help:
      HELP TEXT

Columns count bytes from 1 and a tab is one column.  The source block is left out when the line is empty or past the
end of the file.  Labels and notes are ours and come after the source block; upstream has none, so that a diagnostic
without them is byte-identical.  So are lines of up to LONG_LINE characters; of longer ones the part around the place is
shown.
"""

from __future__ import annotations

from typing import Final

from mochic.diag.diagnostic import Diagnostic
from mochic.source import SourceMap

LONG_LINE: Final = 400
BEFORE: Final = 100  # characters of a long line shown before the place
LONG_MESSAGE: Final = 1000
CUT: Final = "..."
# What would change the order of the text around it (P066) is not passed on.
_HIDDEN: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)], "\ufffd")


def render(diag: Diagnostic, sources: SourceMap) -> str:
    """One diagnostic, several lines, no newline at the end."""
    out = [_head(diag)]
    if diag.lo > 0:
        _place(out, diag.lo, sources)
    for label in diag.labels:
        out.append("")
        out.append(f"note: {label.text}")
        _place(out, label.lo, sources)
    if diag.notes:
        out.append("")
        out.extend("note: " + note for note in diag.notes)
    if diag.help:
        out.append("")
        out.append("help:")
        out.append("  " + diag.help)
    return "\n".join(out)


def render_list(diags: list[Diagnostic], sources: SourceMap) -> str:
    """The numbered list in which the checker's errors are printed; ends in a newline."""
    return "".join(f"  {i:2d}. {render(d, sources)}\n" for i, d in enumerate(diags, 1))


def render_short(diag: Diagnostic, sources: SourceMap) -> str:
    """One line, `file:line:col: error[CODE]: message`, for tools that read line by line."""
    head = _head(diag)
    if diag.lo <= 0:
        return head
    f, line, col = sources.position(diag.lo)
    return f"{f.name}:{line}:{col}: {head}"


def _place(out: list[str], pos: int, sources: SourceMap) -> None:
    f, line, col = sources.position(pos)
    out.append(f"  --> {f.name}:{line}:{col}")
    text = f.line_text(line).translate(_HIDDEN)
    if text:
        out.append("")
        # Beyond the end of the line (a CR that line_text dropped) there is nothing to point at.
        at = col - 1 if col <= len(text.encode("utf-8", "replace")) + 1 else 0
        if len(text) > LONG_LINE:
            text, at = _window(text, at)
        out.append(f"{line:3d} | {text}")
        out.append("    | " + " " * at + "^")


def _window(text: str, at: int) -> tuple[str, int]:
    """The part of a long line around byte `at`, with `...` where it is cut, and the column of the caret below it."""
    at = len(text.encode("utf-8", "replace")[:at].decode("utf-8", "ignore"))
    lo = max(0, at - BEFORE)
    hi = min(len(text), lo + LONG_LINE)
    head = CUT if lo else ""
    return head + text[lo:hi] + (CUT if hi < len(text) else ""), len(head) + at - lo


def _head(diag: Diagnostic) -> str:
    """The first line.  A message that quotes a whole file of text has its ends."""
    text = diag.message
    if len(text) > LONG_MESSAGE:
        text = text[: LONG_MESSAGE // 2] + CUT + text[-LONG_MESSAGE // 2 :]
    return f"{diag.severity}[{diag.code}]: {text}" if diag.code else f"{diag.severity}: {text}"
