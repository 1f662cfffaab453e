"""Programs in assembly for four targets: `mochi asm`, two linkers each, executed on an engine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from images import link_coff, link_macho, run, save
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


def test_gnu_linker(tmp_path: object) -> None:
    """The same object and import library with a linker of another family."""
    pytest.importorskip("unicorn")
    name = "x86_64-w64-mingw32-ld"
    if not shutil.which(name):
        pytest.skip(f"{name} is not installed")
    obj, exe = os.path.join(str(tmp_path), "a.o"), os.path.join(str(tmp_path), "a.exe")
    assert asm_file("amd64", os.path.join(FOLDER, "windows_amd64.s"), obj, "coff") == 0
    library = save(tmp_path, "kernel32.lib", write_import_library("windows/amd64", *parse_def(DEFINITIONS)))
    run([name, "-e", "main", "--subsystem", "console", "-o", exe, obj, library])
    assert run_pe(exe, "amd64") == (42, b"hello\n")


SAME = """
import sys
from mochic.asmcmd import main
main([f"-arch={sys.argv[1]}", f"--format={sys.argv[2]}", "-o", sys.argv[3], sys.argv[4]])
"""


@pytest.mark.parametrize("file", PROGRAMS)
def test_hash_seeds_make_no_difference(file: str, tmp_path: object) -> None:
    system, _, arch = file.removesuffix(".s").partition("_")
    seen = set()
    for seed in ("1", "2"):
        out = os.path.join(str(tmp_path), seed)
        argv = [arch, "macho" if system == "darwin" else "coff", out, os.path.join(FOLDER, file)]
        environment = dict(os.environ, PYTHONHASHSEED=seed, PYTHONPATH=os.path.join(FOLDER, "..", "..", ".."))
        subprocess.run([sys.executable, "-c", SAME, *argv], env=environment, check=True)
        with open(out, "rb") as fh:
            seen.add(fh.read())
    assert len(seen) == 1
