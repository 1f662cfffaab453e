"""From Progs to bytes: form selection, expansion, compression, relocations, branch layout.

Problem.  A compiler in Python has a few microseconds per instruction, yet one Prog may stand for five
machine instructions, each of which may have a 16-bit form.  Method:

1. `Assembler.expand` turns a Prog into machine instructions by the rows of forms.tbl, recursively.
2. With compression on, each is tried against the candidates of compress.rules; the 16-bit row's own
   operand limits decide (ISA I, chapter 26: every such instruction expands to exactly one 32-bit one).
3. The bytes of a whole Prog are remembered by opcode and operand values: code repeats itself.  Only
   branch displacements and symbol fields differ from place to place; they are filled in, or relocated,
   afterwards.
4. Branches start in their 4-byte form (2 bytes for the explicit C forms) and only grow
   (backend.obj.relax): beyond +-4 KiB a conditional branch becomes the inverse branch over a JAL,
   beyond +-1 MiB the JAL becomes AUIPC and JALR through X31.

Invariants.  A remembered encoding depends on nothing but the key and the Assembler's options, so each
Assembler has its own memory.  What carries a relocation stays uncompressed: the linker edits 32-bit
instructions.  Registers and offsets were checked by the form's patterns before any bit is written.
"""

from __future__ import annotations

from typing import Any, Final

from backend.obj.ctx import AsmError
from backend.obj.prog import BRANCH, CONST, MEM, REG, Addr, Prog
from backend.obj.relax import Ladder, Sites, settle
from backend.obj.sym import A_SHORT, LSym, Reloc
from backend.obj.table import AFUNCDATA, ANOP, APCALIGN, APCALIGNMAX, APCDATA, ATEXT
from backend.riscv import ops
from backend.riscv.classify import explain
from backend.riscv.expand import COMPUTED, split32
from backend.riscv.forms import Form, build_args, forms_of, load_table, symbol_class
from backend.riscv.regs import REGS, TMP

_SILENT: Final = frozenset((ATEXT, ANOP, APCDATA, AFUNCDATA))
_ALIGNS: Final = (APCALIGN, APCALIGNMAX)
_MEMO_LIMIT: Final = 1 << 17
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
_NO_LADDER: Final[Ladder] = ((-(1 << 31), (1 << 31) - 1, 0),)

# What `code` returns: the bytes, the form of a branch whose displacement is still to fill in, the kind of
# the relocation and its size.
Code = tuple[bytes, Form | None, str, int]
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


class Assembler:
    """An instruction set (extensions, compression) and the encodings already made for it."""

    __slots__ = ("extensions", "compress", "_memo", "_by_kind", "_candidates")

    def __init__(self, extensions: frozenset[str], compress: bool) -> None:
        self.extensions: Final = extensions
        self.compress: Final = compress
        self._memo: dict[Any, Code] = {}
        self._by_kind: dict[int, list[Form]] = {}  # opcode and kinds of operands -> rows
        self._candidates: dict[int, list[Candidate]] = {}
        if compress:
            for line in load_table("compress.rules").split("\n"):
                if line and line[0] != "#":
                    as_, candidate = parse_candidate(line)
                    self._candidates.setdefault(as_, []).append(candidate)

    # -- one instruction -----------------------------------------------------------------------------

    def find_form(self, as_: int, args: list[Addr]) -> Form:
        """The first row that takes the operands; ValueError when there is none.

        Rows are sorted by the kinds of their operands once; after that only bounds are compared.
        """
        key = as_
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
        raise ValueError(explain(as_, args))

    def _candidate_forms(self, as_: int, args: list[Addr]) -> list[Form]:
        """The rows whose operands have these kinds and whose extension is enabled."""
        return [
            f
            for f in forms_of(as_)
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

    def code(self, p: Prog) -> Code:
        """The bytes of one Prog; AsmError when no form takes its operands."""
        machine: list[Machine] = []
        try:
            f = self.expand(p.as_, p.args, p.scond - 1, machine)
        except ValueError as e:
            raise AsmError(p.pos, str(e)) from None
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
        return data, branch, reloc, reloc_size

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
                        for short in forms_of(to):
                            if short.fits(chosen):
                                full = short.full
                                if full is None:
                                    return short, chosen
                                return full, [*chosen[: short.missing], chosen[-1], *chosen[short.missing :]]
        return f, args

    # -- functions -----------------------------------------------------------------------------------

    def assemble(self, text: LSym, progs: list[Prog]) -> None:
        """Encodes a function: fills text.data and text.relocs, and pc and size of every Prog.

        Branch targets are BRANCH operands naming a Prog of the list; an LSym makes a relocation.
        Raises AsmError for the first instruction that has no encoding.
        """
        parts: list[bytes] = []
        add = parts.append
        pc = 0
        pending: list[tuple[Prog, str, int]] = []
        events: list[int] = []  # indexes in parts/progs of branches and alignments
        branches: dict[int, Form] = {}
        memo = self._memo
        if len(memo) > _MEMO_LIMIT:
            memo.clear()
        get = memo.get
        key: Any
        for p in progs:
            args = p.args
            as_ = p.as_
            p.pc = pc
            n = len(args)
            if n == 3:
                a, b, c = args
                if b.kind == REG and c.kind == REG and a.sym is None and not p.scond:
                    key = (as_, a.kind, a.reg, a.offset, b.reg, c.reg)
                elif type(c.sym) is Prog and a.kind == REG and b.kind == REG and not p.scond:
                    key = (as_, a.reg, b.reg)
                else:
                    key = _key(p)
            elif n == 2 and not p.scond:
                a, b = args
                if a.sym is None and b.sym is None:
                    key = (as_, a.kind, a.reg, a.offset, b.kind, b.reg, b.offset)
                elif type(b.sym) is Prog and a.kind == REG:
                    key = (as_, a.reg)
                else:
                    key = _key(p)
            else:
                if as_ in _SILENT:
                    add(b"")
                    p.size = 0
                    continue
                if as_ in _ALIGNS:
                    _check_align(p)
                    events.append(len(parts))
                    add(b"")
                    p.size = 1
                    pc += 1
                    continue
                if n == 1 and type(args[0].sym) is str:
                    _find_label(progs, p)
                key = as_ if n == 1 and type(args[0].sym) is Prog and not p.scond else _key(p)
            code = get(key)
            if code is None:
                if as_ in _SILENT or as_ in _ALIGNS:  # with operands
                    if as_ in _ALIGNS:
                        _check_align(p)
                        events.append(len(parts))
                        pc += 1
                    p.size = 1 if as_ in _ALIGNS else 0
                    add(b"")
                    continue
                if n > 1 and type(args[-1].sym) is str:
                    _find_label(progs, p)
                    key = _key(p)
                code = self.code(p)
                memo[key] = code
            chunk, branch, reloc, reloc_size = code
            if branch is not None:
                events.append(len(parts))
                branches[len(parts)] = branch
            elif reloc:
                pending.append((p, reloc, reloc_size))
            size = len(chunk)
            add(chunk)
            p.size = size
            pc += size
        if events:
            self._layout(text, progs, parts, events, branches)
        text.relocs = [_reloc(p, kind, size) for p, kind, size in pending]
        text.data = bytearray(b"".join(parts))
        text.size = len(text.data)
        if self.compress:
            text.attrs |= A_SHORT

    def _layout(
        self, text: LSym, progs: list[Prog], parts: list[bytes], events: list[int], branches: dict[int, Form]
    ) -> None:
        """Sizes branches and alignments, then gives every Prog its final address."""
        sites = Sites()
        known = set(map(id, progs))
        for i in events:
            p = progs[i]
            sites.pcs.append(p.pc)
            sites.sizes.append(p.size)
            if p.as_ in _ALIGNS:
                align = p.args[0].offset
                text.align = max(text.align, align)
                sites.aligns.append(align)
                sites.limits.append(p.args[1].offset if len(p.args) > 1 else align)
                sites.dests.append(p.pc)
                sites.ladders.append(_NO_LADDER)
                continue
            target = p.args[-1].sym
            if id(target) not in known:
                raise AsmError(p.pos, "branch to an instruction of another function")
            sites.aligns.append(0)
            sites.limits.append(0)
            sites.dests.append(target.pc)
            sites.ladders.append(_ladder(branches[i]))
        steps = settle(progs, events, sites)
        for k, i in enumerate(events):
            p = progs[i]
            if sites.aligns[k]:
                parts[i] = self._padding(p)
            else:
                parts[i] = branch_bytes(parts[i], branches[i], p.args[-1].sym.pc - p.pc, steps[k])

    def _padding(self, p: Prog) -> bytes:
        n = p.size
        if n & 1 or (n & 2 and not self.compress):
            raise AsmError(p.pos, "alignment after data of odd size")
        return (_CNOP.to_bytes(2, "little") if n & 2 else b"") + _NOP.to_bytes(4, "little") * (n // 4)


def _ladder(f: Form) -> Ladder:
    if f.size == 2:
        return _CJ_LADDER if f.as_ == ops.ACJ else _CB_LADDER
    return _JAL_LADDER if f.as_ == ops.AJAL else _BRANCH_LADDER


def displace(word: int, f: Form, distance: int) -> int:
    """A branch with its displacement filled in."""
    for _, _, shift, mask, to in f.branch:
        word |= (distance >> shift & mask) << to
    return word


def branch_bytes(chunk: bytes, f: Form, distance: int, step: int) -> bytes:
    """The bytes of a branch over `distance` in the form of that step of its ladder."""
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
            jump = forms_of(ops.AJAL)[0]
            return head + displace(_JAL, jump, distance).to_bytes(4, "little")
    high, low = split32(distance)
    far = _AUIPC_TMP | (high & 0xFFFFF) << 12
    jalr = _JALR_TMP | rd << 7 | (low & 0xFFF) << 20
    return head + far.to_bytes(4, "little") + jalr.to_bytes(4, "little")


def _key(p: Prog) -> Any:
    """What the encoding of a Prog depends on, except the Assembler's options.  Longer than the short keys
    of `assemble`, so that the two kinds never meet."""
    out: list[int] = [p.as_, p.scond, -1, -1, -1, -1, -1]
    for a in p.args:
        symbol = symbol_class(a)
        if symbol:
            out += (a.kind, symbol)
        elif a.kind == BRANCH:
            out += (BRANCH, 1 if type(a.sym) is Prog else 0)
        else:
            out += (a.kind, a.reg, a.offset)
    return tuple(out)


def _reloc(p: Prog, kind: str, size: int) -> Reloc:
    """The relocation for the symbol operand of p, whose field starts with the instruction."""
    for a in p.args:
        if type(a.sym) is LSym:
            if not -(1 << 31) <= a.offset < 1 << 31:
                raise AsmError(p.pos, "offset too large")
            return Reloc(p.pc, size, kind, a.sym, a.offset)
    raise AsmError(p.pos, "invalid instruction")


def _find_label(progs: list[Prog], p: Prog) -> None:
    """Replaces a label name by the instruction it stands at."""
    a = p.args[-1]
    for q in progs:
        if q.label == a.sym:
            a.sym = q
            return
    raise AsmError(p.pos, f"undefined label {a.sym}")


def _check_align(p: Prog) -> None:
    for a in p.args:
        if a.kind != CONST:
            raise AsmError(p.pos, "alignment must be a constant")
    n = p.args[0].offset
    if n < 4 or n > 2048 or n & (n - 1):
        raise AsmError(p.pos, f"alignment must be a power of two from 4 to 2048, not {n}")


__all__ = ["MEM", "Assembler", "Code", "branch_bytes", "parse_candidate", "word_of"]
