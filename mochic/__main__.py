"""Where the command begins.  Nothing is imported before an interrupt has its answer."""

import os
import sys
from typing import Any

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PACKAGES = ("backend", "objwriter", "linkscripts")  # installed beside this one


class Own:
    """Finds these packages where this one is: their names are common, and PYTHONPATH may lead to others."""

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> Any:
        if name not in PACKAGES:
            return None
        from importlib.machinery import PathFinder

        return PathFinder.find_spec(name, [ROOT])


def open_streams() -> None:
    """Standard streams that are closed become files, or the next file opened would take their number.

    Standard output cannot be written then, as before; the others are empty.  Programs that are started from here find
    all three closed still.  Texts go out as UTF-8 whatever the locale, and names of files as the bytes that they are.
    """
    for fd, name, flags in ((0, "stdin", os.O_RDONLY), (1, "stdout", os.O_RDONLY), (2, "stderr", os.O_WRONLY)):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, flags)  # the lowest free number is this one
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(fd, "w" if fd else "r", encoding="utf-8", closefd=False))
        stream = getattr(sys, name)
        if fd and hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")


def run() -> None:
    try:
        sys.meta_path.insert(0, Own)
        open_streams()
        from mochic.cli import main

        main(prog_name="mochi")
    except OSError as e:  # what driver.guarded does not cover: the texts of --help
        from mochic.console import EXIT_TOOL, say
        from mochic.driver import drop_output

        drop_output()
        say(f"mochi: cannot write to standard output: {e.strerror}")
        sys.exit(EXIT_TOOL)
    except KeyboardInterrupt:  # before or after what driver.guarded covers
        sys.stderr.write("mochi: interrupted\n")
        sys.exit(130)


if __name__ == "__main__":
    run()
