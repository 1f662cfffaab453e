"""Builds programs in the process of the tests: `build_program`, whose keywords are options of `mochi build`."""

from __future__ import annotations

import gc
import os

from mochic import driver
from mochic.options import Options
from mochic.targets import host_target


def write_source(text: str, folder: str | os.PathLike[str], name: str = "program.mochi") -> str:
    """Put a source into a folder; its path."""
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def build_program(
    source: str | os.PathLike[str],
    target: str = "",
    *,
    out: str | os.PathLike[str] = "",
    level: int = 2,
    emit: str = "exe",
    verify: bool = False,
    check: bool = False,
    march: str = "",
    protection: str = "none",
    linker: str = "",
    libraries: tuple[str, ...] = (),
    folders: tuple[str, ...] = (),
    https: str = "auto",
    ints: str = "exact",
    strip: bool = False,
) -> str:
    """Build `source`, which must succeed, for a target, this machine's if none is given; the path of what was made.

    `out` is that path; without it the source's without its extension.  `level` is that of -O, `verify` checks the IR
    between passes and every register allocation, `check` takes the runtime that checks itself (runtime/check.mochi).
    The other keywords are options of the command line.
    """
    path = os.fspath(source)
    opt = Options(target or host_target())
    opt.out = os.fspath(out) or os.path.splitext(path)[0]
    opt.opt = level
    opt.emit = emit
    opt.verify = verify
    opt.check_runtime = check
    opt.march = march
    opt.branch_protection = protection
    opt.linker = linker
    opt.libraries = libraries
    opt.folders = folders
    opt.https = https
    opt.int_mode = ints
    opt.strip = strip
    try:
        assert driver.build(path, opt) == 0
    finally:
        gc.enable()  # a build switches the collector of cycles off, since its process ends soon; this one goes on
    return opt.out
