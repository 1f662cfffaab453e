"""The `mochi asm` command: objects, messages with line and column, exit status."""

from __future__ import annotations

import io
import os

import pytest

from mochic.asmcmd import asm_file, asm_lines, main

GOOD = "// comment\nTEXT f(SB), NOSPLIT, $0\n\tRET\n"
# source, line:col, message
BAD = [
    ("TEXT f(SB), NOSPLIT, $0\n\tFROB AX\n\tRET\n", "2:2", "unrecognized instruction FROB"),
    ("TEXT f(SB), NOSPLIT, $0\n\tMOVQ AX, (BX\n", "2:14", "expected ), found end of line"),
    ("TEXT f(SB), NOSPLIT, $0\n\tADDQ AL, BX\n\tRET\n", "2:2", "invalid instruction"),
    ("\tRET\n", "1:2", "RET outside a function"),
    ("TEXT f(SB), NOSPLIT, $0\nx:\nx:\n\tRET\n", "3:1", "label x defined twice"),
    ("/* two\nlines */ FROB\n", "2:10", "unrecognized instruction FROB"),
]


@pytest.fixture
def folder(tmp_path: object) -> str:
    return str(tmp_path)


def write(folder: str, text: str) -> str:
    path = os.path.join(folder, "a.s")
    with open(path, "w", encoding="utf-8") as fh:
        fh.write(text)
    return path


def test_object(folder: str) -> None:
    path = write(folder, GOOD)
    assert asm_file("amd64", path, "") == 0
    with open(os.path.join(folder, "a.o"), "rb") as fh:
        first = fh.read()
    assert first[:4] == b"\x7fELF"
    assert main(["-arch=amd64", "-o", os.path.join(folder, "b.o"), path]) == 0
    with open(os.path.join(folder, "b.o"), "rb") as fh:
        assert fh.read() == first
    for fmt, magic in (("macho", b"\xcf\xfa\xed\xfe"), ("coff", b"\x64\x86")):
        assert main(["-arch=amd64", f"--format={fmt}", "-o", os.path.join(folder, "c.o"), path]) == 0
        with open(os.path.join(folder, "c.o"), "rb") as fh:
            assert fh.read().startswith(magic)


@pytest.mark.parametrize(("source", "where", "message"), BAD)
def test_message(source: str, where: str, message: str, folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder, source)
    assert asm_file("amd64", path, "") == 1
    assert f"{path}:{where}: error: {message}\n" in capsys.readouterr().err
    assert os.listdir(folder) == ["a.s"]


def test_several_errors(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(folder, "TEXT f(SB), $0\n FROB\n RET\nTEXT g(SB), $0\n ADDQ AL, AX\n")
    assert asm_file("amd64", path, "") == 1
    assert capsys.readouterr().err.count(": error: ") == 2


def test_usage(folder: str) -> None:
    path = write(folder, GOOD)
    assert asm_file("pdp11", path, "") == 2
    assert asm_file("amd64", path + ".missing", "") == 2
    assert asm_file("riscv64", path, "", "macho") == 2
    assert asm_file("amd64", path, "", "aout") == 2
    assert asm_file("amd64", path, os.path.join(folder, "no", "dir.o")) == 3
    with open(path, "wb") as fh:
        fh.write(b"\xff\xfe\x00")
    assert asm_file("amd64", path, "") == 2
    assert main(["-arch"]) == 2
    assert main([]) == 2
    assert main([path, path]) == 2


def test_lines() -> None:
    out = io.StringIO()
    assert asm_lines("amd64", io.StringIO("1\tRET\n2\tFROB\nx\n\n3\tCALL f+8(SB)\n"), out, relocs=True) == 0
    assert out.getvalue().split("\n") == [
        "1\tc3\t",
        "2\tERROR: unrecognized instruction FROB\t",
        "x\tERROR: expected id<TAB>instruction",
        "3\te800000000\t1+4:R_CALL:f+8",
        "",
    ]
