"""Where results go, and how they get there.

`place` decides before anything is compiled what `-o` means: a folder takes the default name, a symbolic link is
followed, only ordinary files are replaced, and no input ever is.  `Workplace` is a folder beside the result in which it
is made; the finished file is renamed, so that at every moment the old file or the new one is there, whole.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable
from types import TracebackType

from mochic.console import EXIT_TOOL, EXIT_USAGE, UserError


def place(out: str, default: str, inputs: Iterable[str]) -> str:
    """The path of the file to write for `-o OUT` (empty: not given) and a default name.

    The null device is a valid answer: the result is made and thrown away.  Raises UserError for what must not be
    replaced: one of the inputs, a device, a pipe or a socket.
    """
    if out == "-":
        why = "nothing is written to standard output with -o; name a file (texts of --emit go there without -o)"
        raise UserError(f"mochi: -o -: {why}", EXIT_USAGE)
    path = out or default
    if out.endswith(("/", os.sep)) or os.path.isdir(path):
        # As `go build` and `cp`: a folder takes the default name.
        try:
            os.makedirs(path, exist_ok=True)
        except OSError as e:
            why = os.strerror(errno.ENOTDIR) if isinstance(e, FileExistsError) else str(e.strerror)
            raise UserError(f"mochi: cannot write {path}: {why}", EXIT_TOOL) from None
        path = os.path.join(path, os.path.basename(default))
        if os.path.isdir(path):
            raise UserError(f"mochi: cannot write {path}: it is a directory; name a file with -o", EXIT_USAGE)
    path = real_place(path)
    for name in inputs:
        if same_file(name, path):
            why = "is an input of this build and is not overwritten; choose another -o"
            raise UserError(f"mochi: {path} {why}", EXIT_USAGE)
    return path


def real_place(path: str) -> str:
    """The file that a path names behind symbolic links.  Raises UserError unless it is an ordinary file, nothing yet,
    or the null device."""
    try:
        if os.path.islink(path):
            path = os.path.realpath(path, strict=False)
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return path
    except OSError as e:
        raise UserError(f"mochi: cannot write {path}: {e.strerror}", EXIT_TOOL) from None
    if not stat.S_ISREG(mode) and not is_null(path):
        what = next((name for test, name in _KINDS if test(mode)), "not an ordinary file")
        raise UserError(f"mochi: {path} is {what} and is not replaced", EXIT_USAGE)
    return path


_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


def is_null(path: str) -> bool:
    """The path is the null device, by whatever name."""
    try:
        there, null = os.stat(path), os.stat(os.devnull)
    except OSError:
        return False
    return stat.S_ISCHR(there.st_mode) and there.st_rdev == null.st_rdev


def same_file(a: str, b: str) -> bool:
    try:
        return os.path.samefile(a, b)
    except OSError:
        return False


class Workplace:
    """A folder for the files of one build, on the file system of its result; `with` removes it.

    Its name does not contain that of the result, which may have any length.
    """

    __slots__ = ("out", "folder")

    def __init__(self, out: str) -> None:
        self.out = out
        self.folder = ""

    def __enter__(self) -> Workplace:
        where = os.path.dirname(self.out)
        if is_null(self.out):
            import tempfile

            where = tempfile.gettempdir()
        try:
            number = os.getpid()
            while True:
                self.folder = os.path.join(where, f".mochi-{number}")
                try:
                    os.mkdir(self.folder)
                    return self
                except FileExistsError:  # of a build that was killed, or of another machine's process
                    number += 1 << 22
        except OSError as e:
            raise UserError(f"mochi: cannot write {self.out}: {e.strerror}", EXIT_TOOL) from None

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, trace: TracebackType | None) -> None:
        try:
            for name in os.listdir(self.folder):
                os.unlink(os.path.join(self.folder, name))
            os.rmdir(self.folder)
        except OSError:  # a linker made folders in it, or removed it
            import shutil

            shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, data: bytes, mode: int = 0o666) -> str:
        """A file of the workplace, with the permissions that the umask leaves of `mode`; its path."""
        path = self.path(name)
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), mode)
            with open(fd, "wb") as f:
                f.write(data)
        except OSError as e:
            raise UserError(f"mochi: cannot write {self.out}: {e.strerror}", EXIT_TOOL) from None
        return path

    def finish(self, name: str) -> None:
        """The file of this name is the result."""
        if is_null(self.out):
            return
        try:
            os.replace(self.path(name), self.out)
        except OSError as e:
            raise UserError(f"mochi: cannot write {self.out}: {e.strerror}", EXIT_TOOL) from None


def write_output(path: str, data: bytes, mode: int = 0o666) -> None:
    """Write a file whole or not at all."""
    with Workplace(path) as work:
        work.write("result", data, mode)
        work.finish("result")
