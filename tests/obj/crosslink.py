"""Linkers and emulators for the object tests of other CPUs; a missing tool skips with its name."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

SCRIPTS = os.path.join(os.path.dirname(__file__), "..", "..", "linkscripts")


def find_tool(*names: str) -> str:
    """The first of these programs that is installed."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    return pytest.skip(f"{names[0]} is not installed")


def link(linker: str, script: str, data: bytes, folder: str) -> str:
    """The executable that a linker makes of one object.  mold reads no scripts and uses its own layout.

    These objects have no frame maps, which the scripts ask for.
    """
    obj, exe = os.path.join(folder, "a.o"), os.path.join(folder, "a")
    own = os.path.join(folder, script)
    with open(os.path.join(SCRIPTS, script), encoding="utf-8") as fh:
        lines = [line for line in fh if not line.startswith("ASSERT(SIZEOF(mochi_frames)")]
    with open(own, "w", encoding="utf-8") as fh:
        fh.writelines(lines)
    with open(obj, "wb") as fh:
        fh.write(data)
    layout = ["-static"] if os.path.basename(linker) == "mold" else ["-T", own]
    done = subprocess.run([linker, *layout, obj, "-o", exe], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return exe


def run(emulator: str, exe: str) -> tuple[int, str]:
    """Exit status and output of a program under qemu-user."""
    done = subprocess.run([emulator, exe], capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout
