"""Opcodes and registers of different families are different numbers, and code of one CPU is no code of another."""

from __future__ import annotations

import itertools

import pytest

from backend import AsmError, LSym, Prog, arch_names, assemble, branch, imm, load_arch, mem, reg, register_arch, sym
from backend.obj.portable import PORTABLE
from backend.obj.prog import OP_WINDOW, PORTABLE_OPS, REG_WINDOW, VREG

PAIRS = list(itertools.permutations(arch_names(), 2))
# An instruction that each CPU has.
CODE = {
    "amd64": ("ADDQ", "AX", "BX"),
    "arm64": ("ADD", "R1", "R2"),
    "riscv64": ("ADD", "A0", "A1"),
}


def test_portable_opcodes() -> None:
    assert len(PORTABLE) == PORTABLE_OPS


@pytest.mark.parametrize("name", arch_names())
def test_a_family_stays_in_its_window(name: str) -> None:
    arch = load_arch(name)
    window = arch.assembler.encoder.window
    assert {n // REG_WINDOW for n in {*arch.regs.values(), *arch.reg_names}} == {window}
    assert {n // OP_WINDOW for n in arch.ops.values() if n >= PORTABLE_OPS} == {window}
    assert max(arch.reg_names) < VREG


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_windows_are_disjoint(one: str, other: str) -> None:
    a, b = load_arch(one), load_arch(other)
    assert not set(a.reg_names) & set(b.reg_names)
    shared = set(a.op_names) & set(b.op_names)
    assert shared == set(range(PORTABLE_OPS))
    assert all(a.op_names[n] == b.op_names[n] for n in shared)


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_foreign_code_is_refused(one: str, other: str) -> None:
    a, b = load_arch(one), load_arch(other)
    op, first, second = CODE[one]
    x, y = a.regs[first], a.regs[second]
    assert assemble(a, "f", [Prog(a.ops[op], [reg(x), reg(y)])])[0].data
    for p in (
        Prog(a.ops[op], [reg(x), reg(y)]),  # all of it
        Prog(a.ops[op], [reg(b.regs[CODE[other][1]]), reg(b.regs[CODE[other][2]])], 7),  # the opcode alone
        Prog(a.ops[op], []),
        Prog(a.ops[op], [branch(LSym("s"))]),
        Prog(a.ops[op], [sym(LSym("s")), reg(b.regs[CODE[other][1]])]),
    ):
        with pytest.raises(AsmError, match=f"opcode {a.ops[op]} is of another CPU than {other}"):
            assemble(b, "f", [p])
    own = b.ops[CODE[other][0]]
    z = b.regs[CODE[other][1]]
    for p in (
        Prog(own, [reg(x), reg(z)]),
        Prog(own, [reg(z), reg(x)]),
        Prog(own, [imm(1), reg(x)]),
        Prog(own, [mem(x, 8), reg(z)]),
        Prog(own, [mem(z, 8, x, 1), reg(z)]),
    ):
        with pytest.raises(AsmError, match=f"register {x} is of another CPU than {other}"):
            b.assemble(LSym("f"), [p])


def test_a_window_has_one_family() -> None:
    def make(march: str, go_shapes: bool) -> object:
        raise NotImplementedError

    with pytest.raises(ValueError, match="there is an assembler for amd64 already"):
        register_arch("amd64", "x86", 0, make)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="toy asks for window 1; riscv64, of riscv, has 1"):
        register_arch("toy", "toy", 1, make)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="x86 asks for window 9; amd64, of x86, has 0"):
        register_arch("386", "x86", 9, make)  # type: ignore[arg-type]
    assert arch_names() == ("amd64", "arm64", "riscv64")
