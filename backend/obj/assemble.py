"""The assembler's loop, the same for every architecture: Progs to bytes, relocations and addresses.

Problem.  A compiler in Python has a few microseconds for an instruction, and finding and writing an encoding takes
longer.  Method:

1. Whole encodings are remembered by opcode and operand values: code repeats itself, and MOVQ AX, BX is the same bytes
   wherever it stands.  The keys of the usual operands are made in line (`Assembler.assemble`), all others by `_key`.
2. What differs from place to place is a `Fixup` beside the bytes: a branch displacement, a symbol's field, a literal.
   Most encodings have none.
3. Branches and alignments are laid out by `backend.obj.relax` when all sizes are known; each Branch then writes its
   bytes for the step of its ladder that it needs.

An architecture hands in an `Encoder`: the bytes of one instruction, its branches with their ladders, padding, literals.

Invariants.  An encoding depends on nothing but the key and the Encoder's options, so each Assembler has its own memory.
Keys have a length or a last element of their own for each shape of operands, so two shapes never meet; a key of `_key`
has a tuple inside, which no other has.  A symbol's addend is no part of a key: its range is checked when the
relocation is made.
"""

from __future__ import annotations

from typing import Any, Final

from backend.obj.ctx import AsmError
from backend.obj.prog import (
    ADDR,
    BRANCH,
    CONST,
    INDIR,
    MEM,
    OP_WINDOW,
    PORTABLE_OPS,
    REG,
    REG_WINDOW,
    REGREG,
    VREG,
    Prog,
)
from backend.obj.relax import Ladder, Sites, settle
from backend.obj.sym import LSym, Reloc
from backend.obj.portable import AFUNCDATA, ANOP, APCALIGN, APCALIGNMAX, APCDATA, ATEXT

_SILENT: Final = frozenset((ATEXT, ANOP, APCDATA, AFUNCDATA))
_ALIGNS: Final = (APCALIGN, APCALIGNMAX)
_MAX_ALIGN: Final = 2048
_MEMO_LIMIT: Final = 1 << 17
_NO_REACH: Final[Ladder] = ((-(1 << 31), (1 << 31) - 1, 0),)  # of an alignment, which has no target
_WITH_INDEX: Final = (MEM, ADDR, INDIR, REGREG)  # operands whose `index` is a register

# A literal: offset of the field that refers to it in the instruction's bytes, size, value.
Literal = tuple[int, int, int]


class Branch:
    """A branch to an instruction of the same function: its forms, short to long, and how each is written."""

    __slots__ = ("ladder",)

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder

    def patch(self, chunk: bytes, pc: int, target: int, step: int) -> bytes:
        """The bytes of the branch at `pc` to `target` in the form of that step of the ladder; `chunk` are its bytes
        as the Encoder made them."""
        raise NotImplementedError


class Fixup:
    """What is still to do at an encoding whose bytes depend on its place."""

    __slots__ = ("branch", "reloc", "off", "size", "add", "literal", "operand")

    def __init__(
        self,
        branch: Branch | None = None,
        reloc: str = "",
        off: int = 0,
        size: int = 0,
        add: int = 0,
        literal: Literal | None = None,
    ) -> None:
        self.branch: Final = branch
        self.reloc: Final = reloc  # kind of the relocation of the instruction's symbol, "" for none
        self.off: Final = off  # of its field in the instruction
        self.size: Final = size
        self.add: Final = add  # what is added to the operand's offset to give A, which counts from the field
        self.literal: Final = literal
        self.operand = -1  # the operand that names the symbol; the assembler finds it


_ALIGNMENT: Final = Fixup()
# The bytes of an instruction, their number, what is still to do.
Code = tuple[bytes, int, Fixup | None]


class Encoder:
    """What an architecture hands to the assembler; each subclass says how its instructions are written."""

    __slots__ = ("family", "window", "min_align", "attrs")

    def __init__(self, family: str, window: int, min_align: int = 4, attrs: int = 0) -> None:
        self.family: Final = family
        self.window: Final = window  # whose opcodes and registers these are (backend.obj.prog)
        self.min_align: Final = min_align  # the least number of bytes that PCALIGN takes
        self.attrs: Final = attrs  # attributes (backend.obj.sym) that assembled functions get

    def encode(self, p: Prog) -> tuple[bytes, Fixup | None]:
        """The bytes of one instruction, branch displacements and symbol fields zero.

        Raises ValueError when no form takes its operands; the message says why.
        """
        raise NotImplementedError

    def padding(self, size: int) -> bytes:
        """Instructions of `size` bytes in all that do nothing.  Raises ValueError for a size that they cannot have."""
        raise NotImplementedError

    def place_literals(self, progs: list[Prog], parts: list[bytes], literals: list[tuple[int, Literal]]) -> None:
        """Appends the literals of a function to its bytes and makes the instructions refer to them.

        `literals` has the index of the instruction (in `progs` and in `parts`) beside each.
        """
        raise NotImplementedError


class Assembler:
    """An Encoder and the encodings already made with it.  Two Assemblers share nothing."""

    __slots__ = ("encoder", "_memo")

    def __init__(self, encoder: Encoder) -> None:
        self.encoder: Final = encoder
        self._memo: dict[Any, Code] = {}  # keys are tuples of various lengths

    def assemble(self, text: LSym, progs: list[Prog]) -> None:
        """Encodes a function: fills text.data and text.relocs, and pc and size (bytes) of every Prog.

        Branch targets are BRANCH operands naming a Prog of the list or the label of one; an LSym makes a relocation.
        Raises AsmError for the first instruction that has no encoding.
        """
        parts: list[bytes] = []
        append = parts.append
        pc = 0
        memo = self._memo
        if len(memo) > _MEMO_LIMIT:
            memo.clear()
        get = memo.get
        sites: list[tuple[int, Fixup]] = []  # branches, alignments, literals: index in progs and parts
        symbols: list[tuple[Prog, Fixup]] = []
        key: Any
        for p in progs:
            args = p.args
            p.pc = pc
            n = len(args)
            key = None
            if p.scond:
                pass
            elif n == 2:
                a, b = args
                ka = a.kind
                kb = b.kind
                if kb == REG:
                    if not b.index:
                        if ka == REG:
                            if not a.index:
                                key = (p.as_, a.reg, b.reg)
                        elif ka == CONST:
                            key = (p.as_, a.offset, b.reg, 0)
                        elif a.sym is None:
                            if ka == MEM:
                                key = (p.as_, a.reg, a.offset, a.index, a.scale, b.reg)
                        elif type(a.sym) is LSym and not (a.reg or a.index):
                            key = (p.as_, ka, a.sym.kind, b.reg, 0)
                elif kb == MEM:
                    if b.sym is None:
                        if ka == REG:
                            if not a.index:
                                key = (p.as_, a.reg, b.reg, b.offset, b.index, b.scale, 0, 0)
                        elif ka == CONST:
                            key = (p.as_, a.offset, b.reg, b.offset, b.index, b.scale, 0, 0, 0)
                    elif ka == REG and type(b.sym) is LSym and not (a.index or b.reg or b.index):
                        key = (p.as_, a.reg, b.sym.kind, 6)
                elif ka == REG:
                    if kb == CONST:
                        if not a.index:
                            key = (p.as_, a.reg, b.offset, 1)
                    elif type(b.sym) is Prog and not a.index:
                        key = (p.as_, a.reg)
                elif kb == CONST and ka == MEM and a.sym is None:
                    key = (p.as_, a.reg, a.offset, a.index, a.scale, b.offset, 0, 0, 0, 0)
            elif n == 1:
                a = args[0]
                if a.kind == BRANCH:
                    if type(a.sym) is Prog:
                        key = ~p.as_
                    elif type(a.sym) is LSym:
                        key = (p.as_, a.sym.kind, 0, 4)
                elif a.kind == REG and not a.index:
                    key = (p.as_, a.reg, 0, 5)
            elif n == 3:
                a, b, c = args
                ka = a.kind
                if b.kind == REG and (ka == REG or ka == CONST) and not (a.index or b.index or c.index):
                    if c.kind == REG:
                        key = (p.as_, ka, a.reg, a.offset, b.reg, c.reg, 0)
                    elif type(c.sym) is Prog:
                        key = (p.as_, a.reg, b.reg, 2) if ka == REG else (p.as_, a.offset, b.reg, 3)
            elif n == 0:
                key = p.as_
            if key is None:
                key = _key(p, progs)
            code = get(key)
            if code is None:
                code = memo[key] = self._encode(p)
            chunk, size, fixup = code
            if fixup is not None:
                if fixup.reloc:
                    symbols.append((p, fixup))
                else:
                    sites.append((len(parts), fixup))
            append(chunk)
            p.size = size
            pc += size
        if sites:
            self._finish(text, progs, parts, sites)
        text.relocs = _relocations(symbols)
        text.data = bytearray(b"".join(parts))
        text.size = len(text.data)
        text.attrs |= self.encoder.attrs

    def _encode(self, p: Prog) -> Code:
        """The encoding of an instruction that was not met before."""
        as_ = p.as_
        if as_ in _SILENT:
            return b"", 0, None
        encoder = self.encoder
        if as_ in _ALIGNS:
            _check_align(p, encoder.min_align)
            return b"", 1, _ALIGNMENT
        _check_window(p, encoder)
        try:
            chunk, fixup = encoder.encode(p)
        except ValueError as e:
            raise AsmError(p.pos, str(e)) from None
        if fixup is not None and fixup.reloc:
            fixup.operand = next((i for i, a in enumerate(p.args) if type(a.sym) is LSym), -1)
            if fixup.operand < 0:
                raise AsmError(p.pos, "invalid instruction")
        return chunk, len(chunk), fixup

    def _finish(self, text: LSym, progs: list[Prog], parts: list[bytes], sites: list[tuple[int, Fixup]]) -> None:
        """Lays out what depends on its place, and fills it in."""
        literals = [(i, fixup.literal) for i, fixup in sites if fixup.literal is not None]
        if len(literals) < len(sites):
            self._layout(text, progs, parts, [site for site in sites if site[1].literal is None] if literals else sites)
        if literals:
            self.encoder.place_literals(progs, parts, literals)

    def _layout(self, text: LSym, progs: list[Prog], parts: list[bytes], fixups: list[tuple[int, Fixup]]) -> None:
        """Sizes branches and alignments, then gives every Prog its final address."""
        sites = Sites()
        pcs, sizes, dests = sites.pcs.append, sites.sizes.append, sites.dests.append
        ladders, aligns, limits = sites.ladders.append, sites.aligns.append, sites.limits.append
        known = set(progs)
        targets: list[Prog] = []
        for i, fixup in fixups:
            p = progs[i]
            pcs(p.pc)
            sizes(p.size)
            branch = fixup.branch
            args = p.args
            if branch is None:
                align = args[0].offset
                text.align = max(text.align, align)
                aligns(align)
                limits(args[1].offset if len(args) > 1 else align)
                dests(p.pc)
                ladders(_NO_REACH)
                targets.append(p)
                continue
            target = args[-1].sym
            if type(target) is not Prog:
                target = args[0].sym  # of an instruction that ends in a register (ADR of arm64)
            if target not in known:
                raise AsmError(p.pos, "branch to an instruction of another function")
            aligns(0)
            limits(0)
            dests(target.pc)
            ladders(branch.ladder)
            targets.append(target)
        steps = settle(progs, [i for i, _ in fixups], sites)
        for (i, fixup), step, target in zip(fixups, steps, targets, strict=True):
            if fixup.branch is not None:
                parts[i] = fixup.branch.patch(parts[i], progs[i].pc, target.pc, step)
                continue
            try:
                parts[i] = self.encoder.padding(target.size)
            except ValueError as e:
                raise AsmError(target.pos, str(e)) from None


def _key(p: Prog, progs: list[Prog]) -> Any:
    """What the encoding of a Prog depends on, for any operands.  Labels become the instructions they stand at."""
    out: list[tuple[int, ...]] = []
    for a in p.args:
        sym = a.sym
        if type(sym) is str and a.kind == BRANCH:
            a.sym = sym = _labelled(p, sym, progs)
        if type(sym) is LSym:
            out.append((a.kind, sym.kind, a.reg, a.index, a.scale, 0))
        elif a.kind == BRANCH:
            out.append((BRANCH, 1 if type(sym) is Prog else 0))
        else:
            out.append((a.kind, a.reg, a.offset, a.index, a.scale))
    return p.as_, p.scond, tuple(out)


def _labelled(p: Prog, name: str, progs: list[Prog]) -> Prog:
    """The instruction that a label of the function stands at."""
    for q in progs:
        if q.label == name:
            return q
    raise AsmError(p.pos, f"undefined label {name}")


def _check_align(p: Prog, least: int) -> None:
    for a in p.args:
        if a.kind != CONST:
            raise AsmError(p.pos, "alignment must be a constant")
    n = p.args[0].offset if p.args else 0
    if n < least or n > _MAX_ALIGN or n & (n - 1):
        raise AsmError(p.pos, f"alignment must be a power of two from {least} to {_MAX_ALIGN}, not {n}")


def _check_window(p: Prog, encoder: Encoder) -> None:
    """Refuses the opcodes and registers of other CPUs."""
    if p.as_ >= PORTABLE_OPS and p.as_ // OP_WINDOW != encoder.window:
        raise AsmError(p.pos, f"opcode {p.as_} is of another CPU than {encoder.family}")
    first = encoder.window * REG_WINDOW
    end = first + REG_WINDOW
    for a in p.args:
        reg = a.reg
        if not reg or first <= reg < end:
            reg = a.index
            if not reg or first <= reg < end or a.kind not in _WITH_INDEX:
                continue
        if reg < VREG:
            raise AsmError(p.pos, f"register {reg} is of another CPU than {encoder.family}")


def _relocations(symbols: list[tuple[Prog, Fixup]]) -> list[Reloc]:
    """The relocations of the instructions that name a symbol."""
    out: list[Reloc] = []
    for p, fixup in symbols:
        a = p.args[fixup.operand]
        if not -(1 << 31) <= a.offset < 1 << 31:
            raise AsmError(p.pos, "offset too large")
        out.append(Reloc(p.pc + fixup.off, fixup.size, fixup.reloc, a.sym, a.offset + fixup.add))
    return out
