"""Diagnostics as values.

A stage never prints: it returns a list of `Diagnostic`, and the driver renders them with `diag.render`.  Positions
are global (see `mochic.source`), so a diagnostic needs no reference to its file.

    d = make("T002", lo, hi, "total")          # message and help from the table in `diag.codes`
    d = Diagnostic("P999", "unexpected token", lo, hi)
"""

from __future__ import annotations

from typing import Final

from mochic.diag.codes import CODES

ERROR: Final = "error"
WARNING: Final = "warning"


class Label:
    """A second place that explains the first one (`previous declaration is here`)."""

    __slots__ = ("lo", "hi", "text")

    def __init__(self, lo: int, hi: int, text: str) -> None:
        self.lo = lo
        self.hi = hi
        self.text = text


class Diagnostic:
    """One message to the user: what (`code`, `message`), where (`lo`, `hi`), and what to do about it (`help`)."""

    __slots__ = ("code", "severity", "message", "lo", "hi", "labels", "notes", "help")

    def __init__(
        self,
        code: str,
        message: str,
        lo: int,
        hi: int,
        help: str = "",
        severity: str = ERROR,
        labels: list[Label] | None = None,
        notes: list[str] | None = None,
    ) -> None:
        self.code = code
        self.severity = severity
        self.message = message
        self.lo = lo
        self.hi = hi
        self.help = help
        self.labels = labels or []
        self.notes = notes or []

    def __repr__(self) -> str:
        return f"Diagnostic({self.code!r}, {self.message!r}, {self.lo}, {self.hi})"


def make(code: str, lo: int, hi: int, *args: object, help_args: tuple[object, ...] | None = None) -> Diagnostic:
    """A diagnostic from the code table: `{0}`, `{1}` ... of message and help are replaced by `args`.

    `help_args` replaces them in the help text where that wants other values than the message.
    """
    row = CODES[code]
    return Diagnostic(code, _fill(row.message, args), lo, hi, _fill(row.help, args if help_args is None else help_args))


def has_errors(diags: list[Diagnostic]) -> bool:
    """Whether any of them is an error (not only a warning)."""
    return any(d.severity == ERROR for d in diags)


def _fill(template: str, args: tuple[object, ...]) -> str:
    # str.format is no use here: the texts are full of braces that mean themselves.  One pass over the template, so
    # that an argument that happens to contain `{1}` stays as it is.
    parts = template.split("{")
    out = [parts[0]]
    for part in parts[1:]:
        if part[1:2] == "}" and part[0].isdigit() and int(part[0]) < len(args):
            out.append(str(args[int(part[0])]))
            out.append(part[2:])
        else:
            out.append("{" + part)
    return "".join(out)
