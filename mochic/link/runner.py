"""Finds what runs the programs of a target on this machine: nothing for its own, else the emulator of targets.py."""

from __future__ import annotations

import os
from typing import Final

from mochic.console import EXIT_TOOL, UserError
from mochic.link.tools import which
from mochic.targets import Target, host_target


# Where distributions put what is not on PATH.
_PLACES: Final = {"wine64": ("wine", "/usr/lib/wine/wine64", "/usr/lib/wine/wine")}


def find_runner(target: Target) -> str:
    """The full path of a target's emulator, an empty string when there is none.  Distributions call the one that
    needs no libraries NAME-static."""
    if not target.runner:
        return ""
    places = (target.runner, target.runner + "-static", *_PLACES.get(target.runner, ()))
    return next((full for full in map(which, places) if full), "")


def runner_hint(target: Target) -> str:
    """What to do when `find_runner` finds nothing."""
    if not target.runner:
        return "run them on such a machine"
    package = {"qemu": "qemu-user-static", "wine64": "wine64"}.get(target.runner.partition("-")[0], "")
    how = f"with `apt-get install {package}`" if package else "and put it on PATH"
    return f"install {target.runner} {how}"


def sysroot(target: Target) -> str:
    """Where this machine has the shared libraries of another Linux (Debian's cross packages), an empty string where
    not."""
    folder = f"/usr/{target.triple}"
    return folder if target.loader and os.path.isdir(folder + "/lib") else ""


def command_for(target: Target, name: str = "") -> list[str]:
    """The words in front of a program's path on the command line; `name`: what the program is told that it is called.
    Raises UserError when nothing here runs it."""
    if target.name == host_target():
        return []
    found = find_runner(target)
    if not found:
        raise UserError(f"mochi: nothing here runs programs for {target.name}; {runner_hint(target)}", EXIT_TOOL)
    if not target.runner.startswith("qemu-"):
        return [found]
    root = sysroot(target)
    return [found, *(["-L", root] if root else []), *(["-0", name] if name else [])]
