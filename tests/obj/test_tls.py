"""Thread-local data with initial values: in objects of every format, and in what linkers make of them."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import pytest
from crosslink import find_tool
from images import link_macho, run, save, tool

from backend.obj.sym import SDATA, STEXT, STLSBSS, LSym, Reloc
from objwriter import coff, elf, macho
from objwriter.targets import TARGETS
from objwriter.build import build_object

INITIAL = bytes(range(1, 17))


def symbols(arch: str) -> list[LSym]:
    """main, `t` with initial values and the address of `d`, `z` without."""
    main, d = LSym("main", STEXT), LSym("d", SDATA)
    main.data = bytearray({"amd64": b"\xc3", "arm64": bytes.fromhex("c0035fd6")}[arch])
    d.data = bytearray(8)
    t, z = LSym("t", STLSBSS), LSym("z", STLSBSS)
    t.data, t.size, t.align = bytearray(INITIAL + bytes(8)), 32, 16
    t.relocs = [Reloc(16, 8, "R_ADDR", d, 0)]
    z.size = 40
    return [main, d, t, z]


@pytest.mark.parametrize("linker", ["ld.lld-19", "x86_64-linux-gnu-ld", "ld.gold", "mold"])
def test_elf(linker: str, tmp_path: Path) -> None:
    elffile: Any = pytest.importorskip("elftools.elf.elffile")
    data = elf.write_elf(build_object(TARGETS["linux/amd64"], symbols("amd64")))
    file = elffile.ELFFile(io.BytesIO(data))
    section = file.get_section_by_name(".tdata.t")
    assert (section["sh_type"], section["sh_flags"], section["sh_size"]) == ("SHT_PROGBITS", 0x403, 32)
    assert file.get_section_by_name(".symtab").get_symbol_by_name("t")[0]["st_info"]["type"] == "STT_TLS"
    obj, exe = tmp_path / "a.o", tmp_path / "a"
    obj.write_bytes(data)
    command = [find_tool(linker), "-e", "main", "-o", exe, obj]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    image = elffile.ELFFile(io.BytesIO(exe.read_bytes()))
    names = {s.name: s["st_value"] for s in image.get_section_by_name(".symtab").iter_symbols()}
    (tls,) = [s for s in image.iter_segments() if s["p_type"] == "PT_TLS"]
    assert (tls["p_filesz"], tls["p_memsz"] >= 72) == (32, True)
    assert tls.data()[names["t"] :][:32] == INITIAL + names["d"].to_bytes(8, "little") + bytes(8)


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_macho(arch: str, tmp_path: Path) -> None:
    data = macho.write_macho(build_object(TARGETS[f"darwin/{arch}"], symbols(arch)))
    path = save(tmp_path, "a.o", data)
    text = run([tool("llvm-readobj"), "--sections", path])
    assert "Type: ThreadLocalRegular (0x11)" in text
    assert "Type: ThreadLocalZerofill" in text
    exe = link_macho("ld64.lld", arch, [path], tmp_path)
    text = run([tool("llvm-objdump"), "-s", "--section=__thread_data", exe])
    assert "01020304 05060708 090a0b0c 0d0e0f10" in text


@pytest.mark.parametrize("arch", ["amd64", "arm64"])
def test_coff(arch: str, tmp_path: Path) -> None:
    data = coff.write_coff(build_object(TARGETS[f"windows/{arch}"], symbols(arch)))
    text = run([tool("llvm-objdump"), "-s", "--section=.tls$m", save(tmp_path, "a.obj", data)])
    assert "01020304 05060708 090a0b0c 0d0e0f10" in text
