"""windows/amd64 on Wine: programs run, and an exception passes through our frames to our handler.

Wine makes itself a folder of most of a gigabyte; without WINEPREFIX it goes when the tests have run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator

import pytest
from images import link_coff, save

from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from backend import load_arch
from objwriter.archive import parse_def, write_import_library
from objwriter.build import build_object
from objwriter.coff import write_coff
from objwriter.targets import TARGETS
from objwriter.unwind import ALLOC, PUSH, SAVE, SET_FP, Frame, Step
from objwriter.unwind_windows import windows_unwind

RBX, RBP = 3, 6
DEFINITIONS = "LIBRARY KERNEL32.dll\nEXPORTS\nExitProcess\nGetStdHandle\nRaiseException\nWriteFile\n"

# main sets BX and calls f, which saves and changes it; g raises; main's handler gets the context as it was in main.
EXCEPTION = """
#include "textflag.h"
TEXT main(SB), NOSPLIT, $48
	MOVQ	$5, BX
	CALL	f(SB)
	MOVQ	$1, CX
	CALL	ExitProcess(SB)
TEXT f(SB), NOSPLIT, $4096
	MOVQ	BX, 40(SP)
	MOVQ	$77, BX
	CALL	g(SB)
	MOVQ	40(SP), BX
	RET
TEXT g(SB), NOSPLIT, $64
	MOVQ	$0xE0000001, CX
	XORL	DX, DX
	XORL	R8, R8
	XORL	R9, R9
	CALL	RaiseException(SB)
	RET
TEXT handler(SB), NOSPLIT, $48
	MOVQ	0x28(R9), AX
	MOVQ	0x90(AX), CX
	ADDQ	$37, CX
	CALL	ExitProcess(SB)
"""


Wine = Callable[[str], tuple[int, bytes]]
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wine]:
    """Runs a program: exit status and output."""
    program = next((p for p in ("/usr/lib/wine/wine64", shutil.which("wine64")) if p and os.path.exists(p)), None)
    if program is None:
        pytest.skip("wine64 is not installed")
    given = os.environ.get("WINEPREFIX")
    prefix = given or str(tmp_path_factory.mktemp("wine"))
    environment = dict(os.environ, WINEDEBUG="-all", WINEPREFIX=prefix)

    def run(path: str) -> tuple[int, bytes]:
        done = subprocess.run([program, path], capture_output=True, env=environment, timeout=120, check=False)
        return done.returncode, done.stdout

    yield run
    if not given:
        shutil.rmtree(prefix, ignore_errors=True)


@pytest.mark.parametrize("choice", ["lld-link", "zig"])
def test_program(choice: str, tmp_path: object, wine: Wine) -> None:
    path = os.path.join(os.path.dirname(__file__), "programs", "windows_amd64.s")
    with open(path, encoding="utf-8") as fh:
        symbols = parse_assembly(load_arch("amd64"), Ctx(), fh.read())
    obj = save(tmp_path, "a.obj", write_coff(build_object(TARGETS["windows/amd64"], symbols)))
    library = save(tmp_path, "k.lib", write_import_library("windows/amd64", *parse_def(DEFINITIONS)))
    assert wine(link_coff(choice, "amd64", [obj, library], tmp_path)) == (42, b"hello\n")


def test_exception_reaches_the_handler(tmp_path: object, wine: Wine) -> None:
    ctx = Ctx()
    symbols = parse_assembly(load_arch("amd64"), ctx, EXCEPTION)
    assert not ctx.errors
    by_name = {s.name: s for s in symbols}
    handler = by_name["handler"]
    for name, size in (("main", 48), ("f", 4096), ("g", 64), ("handler", 48)):
        fn = by_name[name]
        end = 8 if size < 128 else 11  # PUSHQ BP; MOVQ SP, BP; SUBQ $size, SP
        steps = [Step(1, PUSH, RBP, 8), Step(4, SET_FP, 0, 0), Step(end, ALLOC, 0, size)]
        if name == "f":
            steps.append(Step(end + 5, SAVE, RBX, 40))
        symbols += windows_unwind(fn, Frame("amd64", len(fn.data), steps), handler if name == "main" else None)
    obj = save(tmp_path, "a.obj", write_coff(build_object(TARGETS["windows/amd64"], symbols)))
    library = save(tmp_path, "k.lib", write_import_library("windows/amd64", *parse_def(DEFINITIONS)))
    assert wine(link_coff("lld-link", "amd64", [obj, library], tmp_path)) == (42, b"")
