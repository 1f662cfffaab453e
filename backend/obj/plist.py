"""The Arch record and the fixed order in which its hooks run over a function.

progedit (per Prog: operands no form takes become ones that do) -> branch targets resolved ->
preprocess (prologue, epilogue, frame-relative operands) -> assemble (bytes and relocations).
A compiler whose code is already final may call `arch.assemble` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from backend.obj.assemble import Assembler, Encoder
from backend.obj.ctx import AsmError, Ctx
from backend.obj.portable import AFUNCDATA, APCDATA
from backend.obj.prog import BRANCH, Addr, Prog
from backend.obj.sym import A_UNDEF, STEXT, LSym

if TYPE_CHECKING:
    from backend.obj.asmlex import Expressions


def keep_prog(ctx: Ctx, p: Prog) -> None:
    """The progedit of an architecture that rewrites no operands."""


def keep_progs(ctx: Ctx, text: LSym, progs: list[Prog]) -> list[Prog]:
    """The preprocess of an architecture whose TEXT declares no frame."""
    return progs


class Arch:
    """A CPU with its options: the whole contract between the shared code and an architecture.

    Made by `backend.load_arch`.  It holds the encodings it has made; one that is dropped takes them with it.
    """

    __slots__ = (
        "name", "family", "ptr_size", "big_endian", "min_insn", "regs", "reg_names", "ops", "op_names", "progedit",
        "preprocess", "assembler", "assemble", "suffixes", "parse_operand", "parse_index", "format_operand",
        "_specials", "_find_specials",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        family: str,
        ptr_size: int,
        big_endian: bool,
        min_insn: int,
        regs: Mapping[str, int],
        reg_names: Mapping[int, str],
        ops: Mapping[str, int],
        op_names: Mapping[int, str],
        encoder: Encoder,
        progedit: Callable[[Ctx, Prog], None] = keep_prog,
        preprocess: Callable[[Ctx, LSym, list[Prog]], list[Prog]] = keep_progs,
        suffixes: Mapping[str, int] | None = None,
        specials: Callable[[], Mapping[int, Mapping[str, int]]] | None = None,
        parse_operand: Callable[[Expressions], Addr | None] | None = None,
        parse_index: Callable[[Expressions, Addr], None] | None = None,
        format_operand: Callable[[Addr], str] | None = None,
    ) -> None:
        self.name: Final = name
        self.family: Final = family
        self.ptr_size: Final = ptr_size
        self.big_endian: Final = big_endian
        self.min_insn: Final = min_insn  # bytes of the shortest instruction
        self.regs: Final = regs
        self.reg_names: Final = reg_names
        self.ops: Final = ops
        self.op_names: Final = op_names
        self.progedit: Final = progedit
        self.preprocess: Final = preprocess
        self.assembler: Final = Assembler(encoder)
        self.assemble: Final = self.assembler.assemble
        # `OP.SUFFIX` in text: the suffix's value goes into Prog.scond.
        self.suffixes: Final[Mapping[str, int]] = suffixes if suffixes is not None else {}
        # Operand syntax beyond the parser's own: each is given the parser (and the memory operand whose index
        # follows); parse_operand and format_operand decline with None and "".
        self.parse_operand: Final = parse_operand
        self.parse_index: Final = parse_index
        self.format_operand: Final = format_operand
        self._find_specials: Final = specials
        self._specials: Mapping[int, Mapping[str, int]] | None = None

    @property
    def specials(self) -> Mapping[int, Mapping[str, int]]:
        """Opcodes whose operands may be names (control registers, conditions), with the names: such operands are
        SPECIAL.  The names are read when text is first parsed or printed."""
        if self._specials is None:
            self._specials = self._find_specials() if self._find_specials is not None else {}
        return self._specials


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
