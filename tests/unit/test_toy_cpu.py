"""Another CPU needs its folder, its relocations and its row, and no edit of a file that is there already."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from toycpu.arch import WINDOW, make

import objwriter
from backend import (
    AsmError,
    LSym,
    Prog,
    arch_names,
    arches,
    assemble,
    assemble_text,
    branch,
    imm,
    load_arch,
    reg,
    register_arch,
)
from backend.obj.printer import format_prog
from objwriter import Target, frames, register_target
from objwriter.unwind import ALLOC, SAVE, Frame, Machine, Step, register_machine
from objwriter.unwind_dwarf import eh_frame

KINDS = [(bits, order) for bits in (32, 64) for order in ("le", "be")]


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    names = []
    for bits, order in KINDS:
        name = f"toy{bits}{order}"
        register_arch(name, "toy", WINDOW, lambda march, go_shapes, bits=bits, order=order: make(bits, order))
        register_target(Target(f"bare/{name}", "elf", bits, order == "be", 0xBEEF, 0, 4, "toycpu.relocs"))
        names.append(name)
    yield
    for name in names:
        del arches._TABLE[name]
        del objwriter.TARGETS[f"bare/{name}"]


def program(name: str) -> list[LSym]:
    arch = load_arch(name)
    op, r = arch.ops, arch.regs
    top = Prog(op["ADD"], [reg(r["R1"]), reg(r["R2"])])
    code = [
        Prog(op["SET"], [imm(-2), reg(r["R1"])]),
        top,
        Prog(op["CALL"], [branch(LSym("helper"))]),
        Prog(op["CALL"], [branch(top)]),
    ]
    return assemble(arch, "f", code)


@pytest.mark.parametrize(("bits", "order"), KINDS)
def test_a_toy_cpu(bits: int, order: str) -> None:
    elffile: Any = pytest.importorskip("elftools.elf.elffile")
    name = f"toy{bits}{order}"
    assert name in arch_names()
    symbols = program(name)
    words = ("0101fffe", "02020100", "03000000", "0300fffe")
    wanted = b"".join(bytes.fromhex(w) if order == "be" else bytes.fromhex(w)[::-1] for w in words)
    assert bytes(symbols[0].data) == wanted

    elf = elffile.ELFFile(io.BytesIO(objwriter.write(symbols, f"bare/{name}")))
    assert (elf.elfclass, elf.little_endian, elf["e_machine"]) == (bits, order == "le", 0xBEEF)
    assert elf.get_section_by_name(".text.f").data() == wanted
    (r,) = elf.get_section_by_name(".rela.text.f").iter_relocations()
    assert (r["r_offset"], r["r_info_type"], r["r_addend"]) == (8, 2, 0)
    symbol = elf.get_section_by_name(".symtab").get_symbol(r["r_info_sym"])
    assert (symbol.name, symbol["st_shndx"]) == ("helper", "SHN_UNDEF")


def test_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unwind information of a CPU from outside: what debuggers are told, read back."""
    elffile: Any = pytest.importorskip("elftools.elf.elffile")
    monkeypatch.setattr(frames, "_MACHINES", dict(frames._MACHINES))
    sp, ra, fp = 2, 1, 3
    register_machine("toy64le", lambda: Machine("toy64le", sp, ra, fp, 0, 4))
    with pytest.raises(ValueError, match="already"):
        register_machine("toy64le", lambda: Machine("toy64le", sp, ra, fp, 0, 4))
    symbols = program("toy64le")
    frame = Frame("toy64le", 16, [Step(4, ALLOC, 0, 32), Step(8, SAVE, ra, 24)])
    data = objwriter.write([*symbols, eh_frame([(symbols[0], frame)])], "bare/toy64le")
    elf = elffile.ELFFile(io.BytesIO(data))
    cie, fde = elf.get_dwarf_info(relocate_dwarf_sections=False).EH_CFI_entries()[:2]
    assert cie.header.return_address_register == ra and fde.header.address_range == 16
    rows = fde.get_decoded().table
    assert [(r["cfa"].reg, r["cfa"].offset) for r in rows] == [(sp, 0), (sp, 32), (sp, 32)]
    assert rows[-1][ra].arg == -8


def test_text_and_printer() -> None:
    arch = load_arch("toy64be")
    (f,) = assemble_text(arch, "TEXT f(SB), NOSPLIT, $0\ntop:\n SET $5, R3\n CALL top\n")
    assert f.data.hex() == "010300050300ffff"
    p = Prog(arch.ops["SET"], [imm(5), reg(arch.regs["R3"])])
    assert format_prog(arch, p) == "SET\t$5, R3"


def test_what_it_cannot_do() -> None:
    arch = load_arch("toy32le")
    with pytest.raises(AsmError, match="no such instruction"):
        assemble(arch, "f", [Prog(arch.ops["SET"], [imm(1 << 15), reg(arch.regs["R1"])])])
    with pytest.raises(AsmError, match="of another CPU than toy"):
        assemble(arch, "f", [Prog(arch.ops["ADD"], [reg(load_arch("arm64").regs["R1"]), reg(arch.regs["R1"])])])
    with pytest.raises(objwriter.ObjectError, match="cannot express R_PCREL of 4 bytes in ELF for bare/toy32le"):
        data = LSym("d", 2)
        data.data = bytearray(4)
        from backend import Reloc

        data.relocs = [Reloc(0, 4, "R_PCREL", LSym("u"), 0)]
        objwriter.write([data], "bare/toy32le")
    with pytest.raises(ValueError, match="there is a target linux/amd64 already"):
        register_target(objwriter.TARGETS["linux/amd64"])
    with pytest.raises(ValueError, match="wasm is no format; there are elf, macho, coff"):
        register_target(Target("bare/x", "wasm", 32, False, 0))
