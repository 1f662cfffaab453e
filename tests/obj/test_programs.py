"""Programs in assembly for four targets: `mochi asm`, two linkers each, executed on an engine."""

from __future__ import annotations

import os

import pytest
from images import link_coff, link_macho, save
from runners import run_macho, run_pe

from mochic.asmcmd import asm_file
from objwriter.archive import parse_def, write_import_library

FOLDER = os.path.join(os.path.dirname(__file__), "programs")
PROGRAMS = sorted(os.listdir(FOLDER))
DEFINITIONS = "LIBRARY KERNEL32.dll\nEXPORTS\nExitProcess\nGetStdHandle\nWriteFile\n"


@pytest.mark.parametrize("choice", ["lld", "zig"])
@pytest.mark.parametrize("file", PROGRAMS)
def test_program(file: str, choice: str, tmp_path: object) -> None:
    pytest.importorskip("unicorn")
    system, _, arch = file.removesuffix(".s").partition("_")
    out = os.path.join(str(tmp_path), "a.o")
    assert asm_file(arch, os.path.join(FOLDER, file), out, "macho" if system == "darwin" else "coff") == 0
    if system == "darwin":
        # `unused` calls a symbol that does not exist: only dropping it makes the program whole
        path = link_macho({"lld": "ld64.lld"}.get(choice, choice), arch, [out], tmp_path, ("-dead_strip",))
        status, text = run_macho(path, arch)
    else:
        library = save(tmp_path, "kernel32.lib", write_import_library(f"windows/{arch}", *parse_def(DEFINITIONS)))
        path = link_coff({"lld": "lld-link"}.get(choice, choice), arch, [out, library], tmp_path)
        status, text = run_pe(path, arch)
    assert (status, text) == (42, b"hello\n")
