"""`mochi inspect`: our own objects, and hostile files that must end in one message."""

from __future__ import annotations

import io
import os
import random

import pytest

from backend.obj.asmparse import parse_assembly
from backend.obj.ctx import Ctx
from backend.x86.arch import AMD64
from mochic.inspect import inspect_file
from objwriter.build import build_object
from objwriter.elf import TARGETS, write_elf

pytest.importorskip("elftools")
SOURCE = "TEXT f(SB), NOSPLIT, $0\n MOVQ g+8(SB), AX\n CALL h(SB)\n RET\nGLOBL g(SB), $16\n"
WANTED = """
ELF64 little-endian X86_64 REL
.text.f
R_X86_64_PC32 g+4
R_X86_64_PLT32 h-4
GLOBAL f  [.text.f]
GLOBAL h  [UNDEF]
"""


def make() -> bytes:
    return write_elf(build_object(TARGETS["linux/amd64"], parse_assembly(AMD64, Ctx(), SOURCE)))


def test_object(tmp_path: object) -> None:
    path = os.path.join(str(tmp_path), "a.o")
    with open(path, "wb") as fh:
        fh.write(make())
    out = io.StringIO()
    assert inspect_file(path, out) == 0
    text = out.getvalue()
    for line in WANTED.strip().split("\n"):
        assert line in text


def test_damaged_files(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    path = os.path.join(str(tmp_path), "bad.o")
    rng = random.Random(1)
    good = make()
    for _ in range(60):
        data = bytearray(good)
        for _ in range(rng.randrange(1, 8)):
            data[rng.randrange(4, len(data))] = rng.randrange(256)
        if rng.random() < 0.3:
            del data[rng.randrange(5, len(data)) :]
        with open(path, "wb") as fh:
            fh.write(data)
        assert inspect_file(path, io.StringIO()) in (0, 2)
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"hello", b"\x7fELF", b"\0asm", b"\0asm\1\0\0\0\x0b\xff", b"!<arch>\nxx"])
def test_no_object(content: bytes, tmp_path: object) -> None:
    path = os.path.join(str(tmp_path), "x")
    with open(path, "wb") as fh:
        fh.write(content)
    assert inspect_file(path, io.StringIO()) in (0, 2)
    assert inspect_file(path + ".missing", io.StringIO()) == 2
