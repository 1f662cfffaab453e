"""The Arch record and the fixed order in which its hooks run over a function.

progedit (per Prog: operands no form takes become ones that do) -> branch targets resolved ->
preprocess (prologue, epilogue, frame-relative operands) -> assemble (bytes and relocations).
A compiler whose code is already final may call `arch.assemble` alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from backend.obj.ctx import AsmError, Ctx
from backend.obj.prog import BRANCH, Addr, Prog
from backend.obj.sym import A_UNDEF, STEXT, LSym
from backend.obj.table import AFUNCDATA, APCDATA


class Arch:
    """The whole per-architecture contract."""

    __slots__ = (
        "name", "family", "ptr_size", "big_endian", "min_insn", "regs", "reg_names", "ops", "op_names", "progedit",
        "preprocess", "assemble", "suffixes", "specials", "parse_operand", "parse_index", "format_operand",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        family: str,
        ptr_size: int,
        big_endian: bool,
        min_insn: int,
        regs: dict[str, int],
        reg_names: list[str],
        ops: dict[str, int],
        op_names: list[str],
        progedit: Callable[[Ctx, Prog], None],
        preprocess: Callable[[Ctx, LSym, list[Prog]], list[Prog]],
        assemble: Callable[[LSym, list[Prog]], None],
        suffixes: dict[str, int] | None = None,
        specials: dict[int, dict[str, int]] | None = None,
        parse_operand: Callable[[Any], Addr | None] | None = None,
        parse_index: Callable[[Any, Addr], None] | None = None,
        format_operand: Callable[[Addr], str] | None = None,
    ) -> None:
        self.name: Final = name
        self.family: Final = family
        self.ptr_size: Final = ptr_size
        self.big_endian: Final = big_endian
        self.min_insn: Final = min_insn
        self.regs: Final = regs
        self.reg_names: Final = reg_names
        self.ops: Final = ops
        self.op_names: Final = op_names
        self.progedit: Final = progedit
        self.preprocess: Final = preprocess
        self.assemble: Final = assemble
        # `OP.SUFFIX` in text: the suffix's value goes into Prog.scond.
        self.suffixes: Final = suffixes if suffixes is not None else {}
        # Opcodes whose operands may be names (control registers, conditions): they become SPECIAL operands.
        self.specials: Final = specials if specials is not None else {}
        # Operand syntax beyond the parser's own: each is given the Parser (and the memory operand whose index
        # follows); parse_operand and format_operand decline with None and "".
        self.parse_operand: Final = parse_operand
        self.parse_index: Final = parse_index
        self.format_operand: Final = format_operand


def resolve_branches(progs: list[Prog]) -> None:
    """Turns label names and Prog counts (`3(PC)`, held in offset with sym None) into Progs.

    A label stands on the Prog whose `label` it is; raises AsmError for an unknown one.
    """
    labels: dict[str, Prog] = {}
    for p in progs:
        if p.label is not None:
            labels[p.label] = p
    index: dict[int, int] | None = None
    for i, p in enumerate(progs):
        for a in p.args:
            if a.kind != BRANCH:
                continue
            if type(a.sym) is str:
                target = labels.get(a.sym)
                if target is None:
                    raise AsmError(p.pos, f"undefined label {a.sym}")
                a.sym = target
            elif a.sym is None and a.val == "pc":
                if index is None:
                    index = {}
                to = i + a.offset
                if not 0 <= to < len(progs):
                    raise AsmError(p.pos, "branch outside the function")
                a.sym = progs[to]
                a.offset = 0


def assemble_function(arch: Arch, ctx: Ctx, text: LSym, progs: list[Prog]) -> bool:
    """Runs all passes over one function; False when it had errors (they are in ctx.errors)."""
    errors = len(ctx.errors)
    for p in progs:
        if p.as_ == APCDATA or p.as_ == AFUNCDATA:
            continue
        try:
            arch.progedit(ctx, p)
        except AsmError as e:
            ctx.errors.append(e)
    if len(ctx.errors) > errors:
        return False
    try:
        resolve_branches(progs)
        final = arch.preprocess(ctx, text, progs)
        arch.assemble(text, final)
    except AsmError as e:
        ctx.errors.append(e)
        return False
    text.kind = STEXT
    text.attrs &= ~A_UNDEF
    return True
