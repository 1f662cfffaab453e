"""Stub shared objects as pyelftools, readelf and the linkers see them."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from objwriter.elfstub import write_elf_stub
from objwriter.model import ObjectError

TARGETS = {
    "linux/amd64": "EM_X86_64",
    "linux/arm64": "EM_AARCH64",
    "linux/riscv64": "EM_RISCV",
    "linux/s390x": "EM_S390",
}


@pytest.mark.parametrize("target", TARGETS)
def test_contents(target: str) -> None:
    elf = ELFFile(io.BytesIO(write_elf_stub(target, "libfoo.so.1", ["foo_b", "foo_a"])))
    assert (elf["e_type"], elf["e_machine"]) == ("ET_DYN", TARGETS[target])
    symbols = elf.get_section_by_name(".dynsym")
    assert isinstance(symbols, SymbolTableSection)
    found = list(symbols.iter_symbols())
    assert [s.name for s in found] == ["", "foo_a", "foo_b"]
    assert all(s["st_info"]["type"] == "STT_FUNC" and s["st_info"]["bind"] == "STB_GLOBAL" for s in found[1:])
    assert all(elf.get_section(s["st_shndx"]).name == ".text" for s in found[1:])
    dynamic = elf.get_section_by_name(".dynamic")
    assert isinstance(dynamic, DynamicSection)
    assert [t.soname for t in dynamic.iter_tags() if t.entry.d_tag == "DT_SONAME"] == ["libfoo.so.1"]


def test_same_whatever_the_order() -> None:
    assert write_elf_stub("linux/amd64", "l", ["a", "b"]) == write_elf_stub("linux/amd64", "l", ["b", "a"])


def test_refused() -> None:
    for target in ("linux/386", "plan9/amd64"):
        with pytest.raises(ObjectError, match="no stub libraries"):
            write_elf_stub(target, "l", ["a"])


@pytest.mark.parametrize("name", ["readelf", "ld.lld", "ld"])
def test_tools(name: str, tmp_path: Path) -> None:
    tool = shutil.which(name)
    if tool is None:
        pytest.skip(f"{name} is not installed")
    stub = tmp_path / "stub.so"
    stub.write_bytes(write_elf_stub("linux/amd64", "libfoo.so.1", ["foo"]))
    if name == "readelf":
        done = subprocess.run([tool, "-aW", str(stub)], capture_output=True, text=True, check=True)
        assert "Warning" not in done.stdout + done.stderr and done.stderr == ""
        return
    # A program that wants the function, as a symbol that has to be there.
    out = tmp_path / "out"
    command = [tool, "-m", "elf_x86_64", "-o", str(out), "--entry=foo", "-u", "foo", str(stub), "--no-as-needed"]
    subprocess.run([*command, "-dynamic-linker", "/x"], check=True, capture_output=True)
    with open(out, "rb") as f:
        dynamic = ELFFile(f).get_section_by_name(".dynamic")
        assert isinstance(dynamic, DynamicSection)
        assert "libfoo.so.1" in [t.needed for t in dynamic.iter_tags() if t.entry.d_tag == "DT_NEEDED"]


@pytest.mark.parametrize(("name", "functions"), [("a\0.so", []), ("a.so", ["f\0"]), ("a.so", ["\ud800"])])
def test_bad_names(name: str, functions: list[str]) -> None:
    with pytest.raises(ObjectError, match=r"contains a NUL|cannot be written"):
        write_elf_stub("linux/amd64", name, functions)
    assert b"b\xff.so\0" in write_elf_stub("linux/amd64", "b\udcff.so", [])
