"""From one instruction to its words: form selection, expansion, compression, branches.

Problem.  One Prog may stand for five machine instructions, each of which may have a 16-bit form.  Method:

1. `RiscvEncoder.expand` turns a Prog into machine instructions by the rows of forms.tbl, recursively.
2. With compression on, each is tried against the candidates of compress.rules; the 16-bit row's own
   operand limits decide (ISA I, chapter 26: every such instruction expands to exactly one 32-bit one).
3. Branches start in their 4-byte form (2 bytes for the explicit C forms) and only grow (backend.obj.relax):
   beyond +-4 KiB a conditional branch becomes the inverse branch over a JAL, beyond +-1 MiB the JAL becomes AUIPC and
   JALR through X31.

Invariants.  What carries a relocation stays uncompressed: the linker edits 32-bit instructions.  Registers and offsets
were checked by the form's patterns before any bit is written.
"""

from __future__ import annotations

from typing import Final

from backend.obj.assemble import Branch, Encoder, Fixup
from backend.obj.prog import Addr, Prog
from backend.obj.relax import Ladder
from backend.obj.sym import A_SHORT
from backend.riscv import ops, regs
from backend.riscv.classify import explain
from backend.riscv.expand import COMPUTED, split32
from backend.riscv.forms import Form, Forms, build_args, load_table
from backend.riscv.regs import REGS, TMP

_MIN_ALIGN: Final = 4
_NOP: Final = 0x00000013  # ADDI $0, X0, X0
_CNOP: Final = 0x0001
_AUIPC_TMP: Final = 0x17 | (TMP & 31) << 7
_JALR_TMP: Final = 0x67 | (TMP & 31) << 15
_JAL: Final = 0x6F
_INVERT: Final = 1 << 12  # BEQ and BNE, BLT and BGE, BLTU and BGEU differ in the low bit of funct3
_OPCODE_BRANCH: Final = 0x63

# Reach of the branch forms (backend.obj.relax): displacements count from the end of the short form.
_FAR: Final = (-(1 << 31), (1 << 31) - (1 << 12))
_JAL_LADDER: Final[Ladder] = ((-(1 << 20) - 4, (1 << 20) - 6, 0), (*_FAR, 4))
_BRANCH_LADDER: Final[Ladder] = ((-(1 << 12) - 4, (1 << 12) - 6, 0), (-(1 << 20), (1 << 20) - 2, 4), (*_FAR, 8))
_CJ_LADDER: Final[Ladder] = ((-(1 << 11) - 2, (1 << 11) - 4, 0),)
_CB_LADDER: Final[Ladder] = ((-(1 << 8) - 2, (1 << 8) - 4, 0),)

Machine = tuple[Form, list[Addr], int]  # form, operands, rounding mode


def word_of(f: Form, args: list[Addr], rounding: int) -> int:
    """The bits of a machine instruction; a branch displacement is zero."""
    word = f.base
    for index, which, shift, mask, to in f.fields:
        a = args[index]
        word |= ((a.offset if which else a.reg) >> shift & mask) << to
    if f.rounding >= 0:
        word |= (rounding if rounding >= 0 else f.rounding) << 12
    return word


# A candidate of compress.rules: operand equalities (index, index), literal registers (index, register),
# literal constants (index, value), opcode, operands of the result as (index, register or -1).
Candidate = tuple[list[tuple[int, int]], list[tuple[int, int]], list[tuple[int, int]], int, list[int]]


def parse_candidate(line: str) -> tuple[int, Candidate]:
    """One line of compress.rules, with the opcode it is for.

    >>> as_, (equal, registers, constants, to, order) = parse_candidate("ADDI $imm, rd, rd > CADDI $imm, rd")
    >>> equal, order
    ([(1, 2)], [0, 1])
    """
    left, _, right = line.partition(">")
    name, _, operands = left.strip().partition(" ")
    to, _, results = right.strip().partition(" ")
    texts = [t.strip() for t in operands.split(",") if t.strip()]
    equal: list[tuple[int, int]] = []
    registers: list[tuple[int, int]] = []
    constants: list[tuple[int, int]] = []
    for i, t in enumerate(texts):
        base = t.partition("(")[2].rstrip(")") or t
        if base in REGS:
            registers.append((i, REGS[base]))
        elif t[0] == "$" and t[1:].isdigit():
            constants.append((i, int(t[1:])))
        elif t in texts[:i] and t not in REGS:
            equal.append((texts.index(t), i))
    order = [texts.index(t.strip()) for t in results.split(",") if t.strip()]
    return ops.OPS[name], (equal, registers, constants, ops.OPS[to], order)


class RiscvEncoder(Encoder):
    """The instructions of riscv64 with some extensions, compressed where `compress` says so."""

    __slots__ = ("extensions", "compress", "forms", "_by_kind", "_candidates")

    def __init__(self, extensions: frozenset[str] = frozenset(), compress: bool = False) -> None:
        super().__init__("riscv64", regs.WINDOW, _MIN_ALIGN, A_SHORT if compress else 0)
        self.extensions: Final = extensions
        self.compress: Final = compress
        self.forms: Final = Forms()
        self._by_kind: dict[int, list[Form]] = {}  # opcode and kinds of operands -> rows
        self._candidates: dict[int, list[Candidate]] = {}
        if compress:
            for line in load_table("compress.rules").split("\n"):
                if line and line[0] != "#":
                    as_, candidate = parse_candidate(line)
                    self._candidates.setdefault(as_, []).append(candidate)

    def find_form(self, as_: int, args: list[Addr]) -> Form:
        """The first row that takes the operands; ValueError when there is none.

        Rows are sorted by the kinds of their operands once; after that only bounds are compared.
        """
        key = 1 << 24 | as_  # the leading bit tells how many operands follow
        for a in args:
            key = key << 5 | a.kind | (16 if a.sym is not None else 0)
        forms = self._by_kind.get(key)
        if forms is None:
            forms = self._by_kind[key] = self._candidate_forms(as_, args)
        for f in forms:
            for t, a in zip(f.patterns, args, strict=True):
                if t.simple:
                    if not (t.lowest <= a.reg <= t.highest and t.lo <= a.offset <= t.hi):
                        break
                elif not t.fits(a):
                    break
            else:
                equal = f.equal
                if equal is None or args[equal[0]].reg == args[equal[1]].reg:
                    return f
        raise ValueError(explain(self.forms.forms_of(as_), args))

    def _candidate_forms(self, as_: int, args: list[Addr]) -> list[Form]:
        """The rows whose operands have these kinds and whose extension is enabled."""
        return [
            f
            for f in self.forms.forms_of(as_)
            if len(f.patterns) == len(args)
            and (not f.extension or f.extension in self.extensions)
            and all(not t.simple or (t.kind == a.kind and a.sym is None) for t, a in zip(f.patterns, args, strict=True))
        ]

    def expand(self, as_: int, args: list[Addr], rounding: int, out: list[Machine]) -> Form:
        """Appends the machine instructions of one instruction; the form it was found by."""
        f = self.find_form(as_, args)
        if f.full is not None:
            args = [*args[: f.missing], args[-1], *args[f.missing :]]
            f = f.full
        if f.size:
            if rounding >= 0 and f.rounding < 0:
                raise ValueError("this instruction has no rounding mode")
            out.append((f, args, rounding))
        elif f.computed:
            for sub, sub_args in COMPUTED[f.computed](as_, args, f.argument):
                self.expand(sub, sub_args, rounding, out)
        else:
            for sub, macro in f.macro:
                self.expand(sub, build_args(macro, args), rounding, out)
        return f

    def _shorten(self, f: Form, args: list[Addr]) -> tuple[Form, list[Addr]]:
        """The 16-bit form of a machine instruction if it has one, else itself."""
        candidates = self._candidates.get(f.as_)
        if candidates is None:
            return f, args
        for equal, registers, constants, to, order in candidates:
            for i, j in equal:
                if args[i].reg != args[j].reg:
                    break
            else:
                for i, r in registers:
                    if args[i].reg != r:
                        break
                else:
                    for i, c in constants:
                        if args[i].offset != c:
                            break
                    else:
                        chosen = [args[i] for i in order]
                        for short in self.forms.forms_of(to):
                            if short.fits(chosen):
                                full = short.full
                                if full is None:
                                    return short, chosen
                                return full, [*chosen[: short.missing], chosen[-1], *chosen[short.missing :]]
        return f, args

    # -- what the assembler needs ----------------------------------------------------------------------

    def encode(self, p: Prog) -> tuple[bytes, Fixup | None]:
        machine: list[Machine] = []
        f = self.expand(p.as_, p.args, p.scond - 1, machine)
        reloc, reloc_size = f.reloc, f.reloc_size
        branch: Form | None = None
        data = b""
        for form, args, rounding in machine:
            if form.branch:
                branch = form
            if form.reloc and not reloc:
                reloc, reloc_size = form.reloc, form.reloc_size
            if self.compress and form.size == 4 and not f.reloc:
                form, args = self._shorten(form, args)
            data += word_of(form, args, rounding).to_bytes(form.size, "little")
        if branch is not None:
            return data, Fixup(_Branch(branch, self.forms.forms_of(ops.AJAL)[0]))
        return data, Fixup(None, reloc, 0, reloc_size) if reloc else None

    def padding(self, size: int) -> bytes:
        if size & 1 or (size & 2 and not self.compress):
            raise ValueError("alignment after data of odd size")
        return (_CNOP.to_bytes(2, "little") if size & 2 else b"") + _NOP.to_bytes(4, "little") * (size // 4)


class _Branch(Branch):
    """A branch or jump of one machine instruction; `jump` is the form that a far conditional one jumps with."""

    __slots__ = ("form", "jump")

    def __init__(self, form: Form, jump: Form) -> None:
        super().__init__(_ladder(form))
        self.form = form
        self.jump = jump

    def patch(self, chunk: bytes, pc: int, target: int, step: int) -> bytes:
        f = self.form
        distance = target - pc
        word = int.from_bytes(chunk, "little")
        if step == 0:
            return displace(word, f, distance).to_bytes(f.size, "little")
        head = b""
        rd = word >> 7 & 31
        if word & 0x7F == _OPCODE_BRANCH:
            # The inverse branch over the jump that follows.
            head = displace(word ^ _INVERT, f, 8 if step == 1 else 12).to_bytes(4, "little")
            distance -= 4
            rd = 0
            if step == 1:
                return head + displace(_JAL, self.jump, distance).to_bytes(4, "little")
        high, low = split32(distance)
        far = _AUIPC_TMP | (high & 0xFFFFF) << 12
        jalr = _JALR_TMP | rd << 7 | (low & 0xFFF) << 20
        return head + far.to_bytes(4, "little") + jalr.to_bytes(4, "little")


def _ladder(f: Form) -> Ladder:
    if f.size == 2:
        return _CJ_LADDER if f.as_ == ops.ACJ else _CB_LADDER
    return _JAL_LADDER if f.as_ == ops.AJAL else _BRANCH_LADDER


def displace(word: int, f: Form, distance: int) -> int:
    """A branch with its displacement filled in."""
    for _, _, shift, mask, to in f.branch:
        word |= (distance >> shift & mask) << to
    return word
