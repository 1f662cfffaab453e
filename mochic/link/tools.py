"""Commands of the system that linking needs: finding them, running them, and what is said when they fail.

This module is on the path of every build: it uses os.posix_spawn and walks PATH itself, because importing subprocess
and shutil costs more time than the link of a small program.
"""

from __future__ import annotations

import os
import sys
from typing import Final

from mochic.console import EXIT_TOOL

INSTALL_HINT: Final = "install one with `pip install ziglang` or `apt-get install lld`"
DETAIL: Final = 40  # lines of a linker that are shown


class LinkError(Exception):
    """The link cannot be done: no linker (exit status 3), or it failed; `detail` is what it printed."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail
        self.exit_status = EXIT_TOOL

    def told(self) -> str:
        """For the user: each line of a linker once, and no more than somebody reads."""
        text = "".join(c if c.isprintable() or c in "\t\n" else "?" for c in self.detail)  # a terminal would obey
        lines = list(dict.fromkeys(text.splitlines()))
        if len(lines) > DETAIL:
            lines[DETAIL:] = [f"... and {len(lines) - DETAIL} more lines"]
        return "\n".join(["mochi: " + self.message, *lines])


def which(name: str, path: str | None = None) -> str:
    """The full path of a command, an empty string when PATH has none."""
    if os.path.dirname(name):
        return name if os.path.isfile(name) and os.access(name, os.X_OK) else ""
    for folder in (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep):
        if folder:
            full = os.path.join(folder, name)
            if os.path.isfile(full) and os.access(full, os.X_OK):
                return full
    return ""


def find_zig() -> str:
    """The zig binary of the `ziglang` wheel, found without importing the package."""
    binary = "zig.exe" if sys.platform == "win32" else "zig"
    for folder in sys.path:
        full = os.path.join(folder, "ziglang", binary)
        if os.path.isfile(full):
            return full
    return ""


def run_tool(argv: list[str]) -> tuple[int, str]:
    """Runs a command; its exit status (negative: signal) and everything it printed."""
    if not hasattr(os, "posix_spawn"):
        import subprocess

        out = subprocess.PIPE
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, check=False)
        return done.returncode, done.stdout.decode("utf-8", "replace")
    reader, writer = os.pipe()
    try:
        try:
            pid = os.posix_spawn(
                argv[0],
                argv,
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),  # whatever it is, it waits for nobody
                    (os.POSIX_SPAWN_DUP2, writer, 1),
                    (os.POSIX_SPAWN_DUP2, writer, 2),
                ],
            )
        except OSError as e:
            raise LinkError(f"cannot run {argv[0]}: {e.strerror}") from None
        finally:
            os.close(writer)
        chunks: list[bytes] = []
        try:
            while True:
                chunk = os.read(reader, 65536)
                if not chunk:
                    break
                chunks.append(chunk)
        except BaseException:  # interrupted: the tool must not go on writing behind our back
            os.kill(pid, 15)
            os.waitpid(pid, 0)
            raise
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(reader)
    return os.waitstatus_to_exitcode(status), b"".join(chunks).decode("utf-8", "replace")
