"""What every command needs: exit statuses, mistakes outside the program's text, reading sources, standard error."""

from __future__ import annotations

import os
import sys
from typing import Final

EXIT_OK: Final = 0
EXIT_ERRORS: Final = 1
EXIT_USAGE: Final = 2
EXIT_TOOL: Final = 3
EXIT_BUG: Final = 70


class UserError(Exception):
    """A mistake outside the program's text: message for stderr and exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def say(text: str) -> None:
    """Write a line for the user.  If that fails, the work goes on and the exit status says the rest."""
    try:
        sys.stderr.write(text if text.endswith("\n") else text + "\n")
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # nothing complains at exit


def read_source(path: str) -> bytes:
    try:
        with open(path, "rb") as f:
            return f.read()
    except FileNotFoundError as e:
        hint = "; write /dev/stdin for standard input" if path == "-" else ""
        raise UserError(f"mochi: {path}: {e.strerror}{hint}", EXIT_USAGE) from None
    except IsADirectoryError:
        raise UserError(f"mochi: {path}: is a directory, expected a .mochi file", EXIT_USAGE) from None
    except OSError as e:
        raise UserError(f"mochi: {path}: {e.strerror}", EXIT_USAGE) from None
