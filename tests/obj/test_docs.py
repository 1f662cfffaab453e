"""The examples of docs/objwriter.md run as they stand, and what they write links and reads well."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from images import TBD, linker, run, save, tool
from runners import run_macho, run_pe

DOCS = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "objwriter.md")


def examples() -> dict[str, str]:
    """Title of the section -> its Python."""
    out: dict[str, str] = {}
    with open(DOCS, encoding="utf-8") as fh:
        for part in fh.read().split("\n## ")[1:]:
            title, _, text = part.partition("\n")
            if "```python\n" in text:
                out[title] = text.split("```python\n")[1].split("```")[0]
    return out


def execute(title: str, folder: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(folder))
    exec(compile(examples()[title], title, "exec"), {})


def test_all_are_here() -> None:
    assert sorted(examples()) == ["Archives and import libraries", "COFF", "ELF", "Mach-O", "Unwind information"]


def test_elf(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    execute("ELF", tmp_path, monkeypatch)
    run([*linker("ld.lld" if shutil.which("ld.lld-19") else "zig", "ld.lld"), "-static", "-o", "start", "start.o"])
    assert subprocess.run(["./start"], check=False).returncode == 42


def test_macho(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    execute("Mach-O", tmp_path, monkeypatch)
    pytest.importorskip("unicorn")
    tbd = save(tmp_path, "libSystem.tbd", TBD.encode())
    options = ["-arch", "arm64", "-platform_version", "macos", "11.0", "11.0", "-dead_strip", "-no_fixup_chains"]
    run([*linker("ld64.lld", ""), *options, "-o", "hello", "hello_macho.o", tbd])
    assert run_macho("hello", "arm64") == (42, b"hello\n")


def test_coff(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    execute("COFF", tmp_path, monkeypatch)
    pytest.importorskip("unicorn")
    options = ["/nologo", "/entry:main", "/subsystem:console", "/nodefaultlib", "/opt:ref", "/out:exit.exe"]
    run([*linker("lld-link", ""), *options, "exit.obj", "kernel32.lib"])
    assert run_pe("exit.exe", "amd64") == (42, b"")
    assert "ALLOC_SMALL size=40" in run([tool("llvm-readobj"), "--unwind", "exit.exe"])


def test_archives(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    execute("Archives and import libraries", tmp_path, monkeypatch)
    for name, symbol in (("libleaf.a", "leaf"), ("libleaf_darwin.a", "_leaf")):
        assert f"{symbol} in leaf.o" in run([tool("llvm-nm"), "--print-armap", name])


def test_unwind(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    execute("Unwind information", tmp_path, monkeypatch)
    assert "0x4: CFA=RBP+16" in run([tool("llvm-dwarfdump"), "--eh-frame", "fn_elf.o"])
    assert "compact encoding:     0x01000000" in run([tool("llvm-objdump"), "--unwind-info", "fn_macho.o"])
