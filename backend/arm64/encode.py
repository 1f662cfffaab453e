"""From Progs to bytes: form selection, expansion, relocations, branch layout, literals.

Problem.  A compiler in Python has a few microseconds per instruction, yet a Prog may have an immediate
that only a search tells to be encodable, or stand for several machine instructions.  Method:

1. `Assembler.expand` finds the row of forms.tbl that takes the operands; a computed row is replaced by
   the instructions expand.py makes of it.
2. The bytes of a whole Prog are remembered by opcode and operand values: code repeats itself.  Only
   branch displacements and symbol fields differ from place to place; they are filled in, or relocated,
   afterwards.
3. Branches start as one word and only grow (backend.obj.relax): a conditional branch out of reach becomes
   the inverse branch over a B.  With `go_shapes` it becomes what Go's assembler makes of it, three words:
   the branch to the third, a B over that, and a B to the target.
4. Literals (POOL, large offsets with `go_shapes`) follow the last instruction, behind a word that traps.

Invariants.  A remembered encoding depends on nothing but the key and the Assembler's options, so each
Assembler has its own memory.  Registers and constants were checked by the form's patterns before any
bit is written.
"""

from __future__ import annotations

from typing import Any, Final

from backend.arm64 import ops
from backend.arm64.classify import explain
from backend.arm64.expand import COMPUTED, Insn
from backend.arm64.forms import INDEXED, SYMBOL, Form, forms_of, symbol_class
from backend.arm64.regs import TMP
from backend.obj.ctx import AsmError
from backend.obj.prog import BRANCH, CONST, MEM, REG, Addr, Prog
from backend.obj.relax import Ladder, Sites, settle
from backend.obj.sym import LSym, Reloc
from backend.obj.table import AFUNCDATA, ANOP, APCALIGN, APCALIGNMAX, APCDATA, ATEXT

_ALIGNS: Final = (APCALIGN, APCALIGNMAX)
_PSEUDO: Final = frozenset((ATEXT, ANOP, APCDATA, AFUNCDATA, *_ALIGNS))
_MEMO_LIMIT: Final = 1 << 17
_NOP: Final = (0xD503201F).to_bytes(4, "little")
_B: Final = 0x14000000
_UNDEF: Final = bytes(4)  # stands between code and literals

# Reach of the branch forms (backend.obj.relax): displacements count from the end of the short form.
_FAR: Final = (-(1 << 27) - 8, (1 << 27) - 16)
_JUMP_LADDER: Final[Ladder] = ((-(1 << 27) - 4, (1 << 27) - 8, 0),)
_ADR_LADDER: Final[Ladder] = ((-(1 << 20) - 4, (1 << 20) - 5, 0),)
_PAGE_LADDER: Final[Ladder] = ((-(1 << 31), (1 << 31) - 1, 0),)
_COND_LADDER: Final[Ladder] = ((-(1 << 20) - 4, (1 << 20) - 8, 0), (*_FAR, 4))
_TEST_LADDER: Final[Ladder] = ((-(1 << 15) - 4, (1 << 15) - 8, 0), (*_FAR, 4))
# Go's: its short forms keep clear of their limits by 10 bytes.
_GO_COND_LADDER: Final[Ladder] = ((-(1 << 20) + 6, (1 << 20) - 15, 0), (*_FAR, 8))
_GO_TEST_LADDER: Final[Ladder] = ((-(1 << 15) + 6, (1 << 15) - 15, 0), (*_FAR, 8))
_JUMP_TO_CALL: Final = {"R_JUMPARM64": "R_CALLARM64"}  # Go has one kind for both
_NO_LADDER: Final[Ladder] = ((-(1 << 31), (1 << 31) - 1, 0),)
_TEST_OPS: Final = (ops.ATBZ, ops.ATBNZ)
_CONDITIONAL: Final = 0x54000000  # B.cond; the other conditional branches have bit 24 as their sense
_COND_MASK: Final = 0xFF000000

# A literal: offset of its load in the Prog's bytes, size, value.
Literal = tuple[int, int, int]
# What `code` returns: the bytes, the form of a branch whose displacement is still to fill in, the kind of
# the relocation and its size, the literal.
Code = tuple[bytes, Form | None, str, int, Literal | None]


def words_of(f: Form, args: list[Addr]) -> list[int]:
    """The words of a machine row; a branch displacement is zero."""
    out: list[int] = []
    patterns = f.patterns
    for word, fields in f.words:
        for index, which, shift, mask, to in fields:
            a = args[index]
            if which == 0:
                word ^= (a.reg & 31) << to
            elif which == 1:
                word ^= (patterns[index].code(a) >> shift & mask) << to  # cond^ has its low bit set already
            else:
                word ^= (a.index & 31) << to
        out.append(word)
    return out


class Assembler:
    """An encoder with its options, and the encodings already made."""

    __slots__ = ("go_shapes", "_memo", "_by_kind")

    def __init__(self, go_shapes: bool) -> None:
        self.go_shapes: Final = go_shapes  # far branches and offsets byte for byte as Go's assembler makes them
        self._memo: dict[Any, Code] = {}
        self._by_kind: dict[int, list[Form]] = {}  # opcode, suffix and kinds of operands -> rows

    # -- one instruction -----------------------------------------------------------------------------

    def find_form(self, as_: int, args: list[Addr], scond: int) -> Form:
        """The first row that takes the operands; ValueError when there is none.

        Rows are sorted by the kinds of their operands once; after that only bounds are compared.
        """
        key = (1 << 12 | as_) << 2 | scond  # the leading bit tells how many operands follow
        for a in args:
            key = key << 6 | a.kind << 2 | (2 if type(a.sym) is LSym else 1 if a.index and a.kind == MEM else 0)
        forms = self._by_kind.get(key)
        if forms is None:
            forms = self._by_kind[key] = _candidates(as_, args, scond)
        for f in forms:
            for t, a in zip(f.patterns, args, strict=True):
                if t.simple:
                    if not (t.lowest <= a.reg <= t.highest and t.lo <= a.offset <= t.hi):
                        break
                elif not t.fits(a):
                    break
            else:
                return f
        raise ValueError(explain(as_, args, scond))

    def expand(self, as_: int, args: list[Addr], scond: int, out: list[tuple[Form, list[Addr]]]) -> Form:
        """Appends the machine rows of one instruction; the form it was found by."""
        f = self.find_form(as_, args, scond)
        if f.full is not None:
            last = args[-1]
            args = [*args[: f.missing], Addr(REG, last.reg), *args[f.missing :]]
            f = f.full
        for i, which, j, other in f.differ:
            one = args[i].index if which else args[i].reg
            if (one & 31) == ((args[j].index if other else args[j].reg) & 31) and one & 31 != 31:
                raise ValueError("constrained unpredictable behavior: the same register twice")
        if f.computed:
            found: list[Insn] = COMPUTED[f.computed](as_, args, f.argument, self.go_shapes)
            for sub, sub_args, sub_scond in found:
                self.expand(sub, sub_args, sub_scond, out)
        else:
            if len(f.words) > 1 and f.reloc and f.rw[0] == 1 and TMP in (args[0].reg, args[0].index):
                raise ValueError("R27 cannot be stored here: the address goes through it")
            out.append((f, args))
        return f

    def code(self, p: Prog) -> Code:
        """The bytes of one Prog; AsmError when no form takes its operands."""
        machine: list[tuple[Form, list[Addr]]] = []
        try:
            f = self.expand(p.as_, p.args, p.scond, machine)
        except ValueError as e:
            raise AsmError(p.pos, str(e)) from None
        branch: Form | None = None
        literal: Literal | None = None
        words: list[int] = []
        for form, args in machine:
            if form.branch:
                branch = form
            if form.pool:
                literal = (4 * len(words), form.pool, args[0].offset)
            words += words_of(form, args)
        reloc = _JUMP_TO_CALL.get(f.reloc, f.reloc) if self.go_shapes else f.reloc
        return b"".join([w.to_bytes(4, "little") for w in words]), branch, reloc, f.reloc_size, literal

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
        literals: list[tuple[int, Literal]] = []
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
            key = None
            if n == 3:
                a, b, c = args
                if (
                    b.kind == REG
                    and c.kind == REG
                    and (a.kind == REG or a.kind == CONST)
                    and not (b.index or c.index or p.scond)
                ):
                    key = (as_, a.kind, a.reg, a.offset, a.index, b.reg, c.reg)
            elif n == 2:
                a, b = args
                if type(b.sym) is Prog:
                    if a.kind == REG:
                        key = (as_, a.reg)
                elif a.sym is None and b.sym is None and a.kind <= MEM and b.kind <= MEM:
                    key = (as_, p.scond, a.kind, a.reg, a.offset, a.index, a.scale, b.kind, b.reg, b.offset, b.index,
                           b.scale)  # fmt: skip
            elif n == 1:
                if type(args[0].sym) is Prog:
                    key = as_
            if key is None and as_ not in _PSEUDO:
                if n and (type(args[-1].sym) is str or type(args[0].sym) is str):
                    _find_label(progs, p)
                key = _key(p)
            code = get(key)
            if code is None:
                if as_ in _PSEUDO:
                    p.size = 0
                    if as_ in _ALIGNS:
                        _check_align(p)
                        events.append(len(parts))
                        p.size = 1
                        pc += 1
                    add(b"")
                    continue
                code = memo[key] = self.code(p)
            chunk, branch, reloc, reloc_size, literal = code
            if branch is not None:
                events.append(len(parts))
                branches[len(parts)] = branch
            elif reloc:
                pending.append((p, reloc, reloc_size))
            if literal is not None:
                literals.append((len(parts), literal))
            size = len(chunk)
            add(chunk)
            p.size = size
            pc += size
        if events:
            self._layout(text, progs, parts, events, branches)
        if literals:
            _place_literals(progs, parts, literals)
        text.relocs = [_reloc(p, kind, size) for p, kind, size in pending]
        text.data = bytearray(b"".join(parts))
        text.size = len(text.data)

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
            target = _target(p)
            if id(target) not in known:
                raise AsmError(p.pos, "branch to an instruction of another function")
            sites.aligns.append(0)
            sites.limits.append(0)
            sites.dests.append(target.pc)
            sites.ladders.append(self._ladder(branches[i]))
        steps = settle(progs, events, sites)
        for k, i in enumerate(events):
            p = progs[i]
            if sites.aligns[k]:
                if p.size & 3:
                    raise AsmError(p.pos, "alignment after data of odd size")
                parts[i] = _NOP * (p.size // 4)
            else:
                distance = _target(p).pc - p.pc
                if p.as_ == ops.AADRP:  # pages; the function is taken to start a page
                    distance = (_target(p).pc & ~0xFFF) - (p.pc & ~0xFFF)
                parts[i] = self._branch_bytes(parts[i], branches[i], distance, steps[k])

    def _ladder(self, f: Form) -> Ladder:
        high = f.branch[0][3] if len(f.branch) == 1 else 0
        if f.as_ == ops.AADRP:
            return _PAGE_LADDER
        if len(f.branch) > 1:
            return _ADR_LADDER
        if high >> 20:
            return _JUMP_LADDER
        if f.as_ in _TEST_OPS:
            return _GO_TEST_LADDER if self.go_shapes else _TEST_LADDER
        return _GO_COND_LADDER if self.go_shapes else _COND_LADDER

    def _branch_bytes(self, chunk: bytes, f: Form, distance: int, step: int) -> bytes:
        """The bytes of a branch over `distance` in the form of that step of its ladder."""
        word = int.from_bytes(chunk, "little")
        if step == 0:
            return displace(word, f, distance).to_bytes(4, "little")
        out: tuple[int, ...]
        if self.go_shapes:
            out = (displace(word, f, 8), _B | 2, _B | (distance - 8 >> 2 & 0x3FFFFFF))
        else:
            inverse = word ^ (1 if word & _COND_MASK == _CONDITIONAL else 1 << 24)
            out = (displace(inverse, f, 8), _B | (distance - 4 >> 2 & 0x3FFFFFF))
        return b"".join([w.to_bytes(4, "little") for w in out])


def displace(word: int, f: Form, distance: int) -> int:
    """A branch with its displacement filled in."""
    for _, _, shift, mask, to in f.branch:
        word |= (distance >> shift & mask) << to
    return word


def _candidates(as_: int, args: list[Addr], scond: int) -> list[Form]:
    """The rows whose operands have these kinds."""
    out: list[Form] = []
    for f in forms_of(as_):
        if len(f.patterns) != len(args) or f.scond != scond:
            continue
        for t, a in zip(f.patterns, args, strict=True):
            symbol = type(a.sym) is LSym
            if t.kind >= SYMBOL and t.kind != INDEXED:
                if not symbol:
                    break
            elif symbol or (MEM if t.kind == INDEXED else t.kind) != a.kind or (t.kind == MEM and a.index):
                break
        else:
            out.append(f)
    return out


def _place_literals(progs: list[Prog], parts: list[bytes], literals: list[tuple[int, Literal]]) -> None:
    """Appends the literals and points their loads at them; equal ones are shared."""
    at = sum([len(x) for x in parts])
    tail = [_UNDEF]
    at += 4
    places: dict[tuple[int, int], int] = {}
    for i, (offset, size, value) in literals:
        place = places.get((size, value))
        if place is None:
            place = places[size, value] = at
            tail.append((value & (1 << 8 * size) - 1).to_bytes(size, "little"))
            at += size
        distance = place - progs[i].pc - offset
        if distance >= 1 << 20:
            raise AsmError(progs[i].pos, "the literal is too far away")
        chunk = parts[i]
        word = int.from_bytes(chunk[offset : offset + 4], "little") | (distance >> 2) << 5
        parts[i] = chunk[:offset] + word.to_bytes(4, "little") + chunk[offset + 4 :]
    parts += tail


def _target(p: Prog) -> Prog:
    """Where a branch goes: the last operand, of ADR the first."""
    target: Prog = p.args[-1].sym if type(p.args[-1].sym) is Prog else p.args[0].sym
    return target


def _key(p: Prog) -> Any:
    """What the encoding of a Prog depends on, except the Assembler's options.  Longer than the short keys
    of `assemble`, so that the two kinds never meet."""
    out: list[int] = [p.as_, p.scond, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1]
    for a in p.args:
        symbol = symbol_class(a)
        if symbol:
            out += (a.kind, symbol)
        elif a.kind == BRANCH:
            out += (BRANCH, 1 if type(a.sym) is Prog else 0)
        else:
            out += (a.kind, a.reg, a.offset, a.index, a.scale)
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
    a = p.args[-1] if type(p.args[-1].sym) is str else p.args[0]
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
    if n < 8 or n > 2048 or n & (n - 1):
        raise AsmError(p.pos, f"alignment must be a power of two from 8 to 2048, not {n}")
