"""Diagnostics as text, in the layout of the Mochi reference implementation (language reference, 3.1).

    error[CODE]: MESSAGE
      --> FILE:LINE:COL

    LLL | SOURCE LINE
        | ^

    help:
      HELP TEXT

Columns count bytes from 1 and a tab is one column.  The source block is left out when the line is empty or past the
end of the file.  Labels and notes are ours and come after the source block; upstream has none, so that a diagnostic
without them is byte-identical.
"""

from __future__ import annotations

from mochic.diag.diagnostic import Diagnostic
from mochic.source import SourceMap


def render(diag: Diagnostic, sources: SourceMap) -> str:
    """One diagnostic, several lines, no newline at the end."""
    out = [f"{diag.severity}[{diag.code}]: {diag.message}" if diag.code else f"{diag.severity}: {diag.message}"]
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
    head = f"{diag.severity}[{diag.code}]: {diag.message}" if diag.code else f"{diag.severity}: {diag.message}"
    if diag.lo <= 0:
        return head
    f, line, col = sources.position(diag.lo)
    return f"{f.name}:{line}:{col}: {head}"


def _place(out: list[str], pos: int, sources: SourceMap) -> None:
    f, line, col = sources.position(pos)
    out.append(f"  --> {f.name}:{line}:{col}")
    text = f.line_text(line)
    if text:
        out.append("")
        out.append(f"{line:3d} | {text}")
        # Beyond the end of the line (a CR that line_text dropped) there is nothing to point at.
        at = col - 1 if col <= len(text.encode("utf-8", "replace")) + 1 else 0
        out.append("    | " + " " * at + "^")
