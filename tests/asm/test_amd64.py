"""amd64.s and amd64error.s, line by line; amd64.s again through an independent disassembler.

`BLESS=1 pytest tests/asm` rewrites the bytes in amd64.s.
"""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from backend.arches import load_arch
from mochic.asmcmd import assemble_line

HERE = os.path.dirname(os.path.abspath(__file__))
ARCH = load_arch("amd64")
assert ARCH is not None


def read(name: str) -> list[tuple[int, str, str]]:
    """(line number, instruction, expectation) of the lines of a file."""
    out = []
    with open(os.path.join(HERE, name), encoding="utf-8") as fh:
        for number, line in enumerate(fh, 1):
            if line.strip() and not line.startswith("//"):
                text, _, wanted = line.rstrip("\n").rpartition(" // ")
                out.append((number, text, wanted))
    return out


LINES = read("amd64.s")


def test_bytes() -> None:
    wrong = []
    got: dict[int, str] = {}
    for number, text, wanted in LINES:
        got[number] = assemble_line(ARCH, text)[0]
        if got[number] != wanted:
            wrong.append(f"{number}: {text}: wanted {wanted}, got {got[number]}")
    if wrong and os.environ.get("BLESS"):
        path = os.path.join(HERE, "amd64.s")
        with open(path, encoding="utf-8") as fh:
            lines = fh.read().split("\n")
        for number, text, _ in LINES:
            lines[number - 1] = f"{text} // {got[number]}"
        with open(path, "w", encoding="utf-8") as fh:
            fh.write("\n".join(lines))
    assert not wrong, "\n".join(wrong[:20])


def test_refused() -> None:
    wrong = []
    for number, text, wanted in read("amd64error.s"):
        got = assemble_line(ARCH, text)[0]
        if not got.startswith("ERROR: ") or wanted not in got:
            wrong.append(f"{number}: {text}: wanted {wanted}, got {got}")
    assert not wrong, "\n".join(wrong)


def test_disassembler_agrees() -> None:
    pytest.importorskip("capstone")
    import disasm

    wrong = []
    for number, text, wanted in LINES:
        if ";" in text or ":" in text or "(PC)" in text:
            continue
        problem = disasm.compare(text, bytes.fromhex(wanted))
        if problem:
            wrong.append(f"{number}: {text} // {wanted}: {problem}")
    assert not wrong, "\n".join(wrong[:20])


def test_llvm_accepts_every_encoding() -> None:
    tool = next((t for t in ("llvm-mc", "llvm-mc-19", "llvm-mc-16") if shutil.which(t)), None)
    if tool is None:
        pytest.skip("llvm-mc is not installed")
    pytest.importorskip("capstone")
    import disasm

    lines = [x for x in LINES if x[1].split()[0] not in disasm.EXEMPT and not x[1].startswith("TEXT")]
    text = "".join(" ".join(f"0x{w[i : i + 2]}" for i in range(0, len(w), 2)) + "\n" for _, _, w in lines)
    done = subprocess.run(
        [tool, "--disassemble", "-triple=x86_64", "-mattr=+sse4.2,+aes,+sha,+xsave"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "invalid instruction encoding" not in done.stderr, done.stderr[:2000]
