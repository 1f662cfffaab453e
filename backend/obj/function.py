"""Assembling in one call: a function from Progs, a file from text."""

from __future__ import annotations

from backend.obj.ctx import Ctx
from backend.obj.plist import Arch
from backend.obj.portable import AFUNCDATA, APCDATA
from backend.obj.prog import Prog
from backend.obj.sym import STEXT, LSym


def assemble(arch: Arch, name: str, progs: list[Prog]) -> list[LSym]:
    """The function of that name whose instructions are `progs`, as a global symbol, and the constants it needs.

    The code is taken as it is: prologue and epilogue are the caller's.  Afterwards `data` has the bytes, `relocs` what
    refers to other symbols, and each Prog its `pc` and `size` (bytes).  Raises AsmError, with the position of the Prog,
    for the first instruction that has no encoding on this CPU.

    >>> from backend import load_arch, reg
    >>> arch = load_arch("riscv64")
    >>> a0 = arch.regs["A0"]
    >>> twice = [Prog(arch.ops["ADD"], [reg(a0), reg(a0), reg(a0)]), Prog(arch.ops["RET"], [])]
    >>> assemble(arch, "twice", twice)[0].data.hex()
    '2a9567800000'
    """
    ctx = Ctx()
    text = LSym(name, STEXT)
    for p in progs:
        if p.as_ != APCDATA and p.as_ != AFUNCDATA:
            arch.progedit(ctx, p)
    arch.assemble(text, progs)
    return [text, *ctx.constants.values()]


def assemble_text(arch: Arch, source: str) -> list[LSym]:
    """The symbols that assembly text in Go's syntax defines, in the order of the text, constants last.

    Here TEXT declares a frame, and pseudo-instructions are expanded.  Raises AsmError for the first mistake;
    `backend.obj.asmlex.position` makes line and column of its `pos`.

    >>> from backend import load_arch
    >>> [s.data.hex() for s in assemble_text(load_arch("amd64"), "TEXT f(SB), NOSPLIT, $0\\n RET\\n")]
    ['c3']
    """
    from backend.obj.asmparse import parse_assembly  # code generators do without it

    ctx = Ctx()
    symbols = parse_assembly(arch, ctx, source)
    if ctx.errors:
        raise ctx.errors[0]
    return symbols
