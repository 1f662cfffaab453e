"""From one instruction to its words: form selection, expansion, branches, literals.

1. `Arm64Encoder.expand` finds the row of forms.tbl that takes the operands; a computed row is replaced by the
   instructions expand.py makes of it.
2. Branches start as one word and only grow (backend.obj.relax): a conditional branch out of reach becomes the inverse
   branch over a B.  With `go_shapes` it becomes what Go's assembler makes of it, three words: the branch to the third,
   a B over that, and a B to the target.
3. Literals (POOL, large offsets with `go_shapes`) follow the last instruction, behind a word that traps.

Invariants.  Registers and constants were checked by the form's patterns before any bit is written.
"""

from __future__ import annotations

from typing import Final

from backend.arm64 import ops, regs
from backend.arm64.classify import explain
from backend.arm64.expand import COMPUTED, Insn
from backend.arm64.forms import INDEXED, SYMBOL, Form, Forms
from backend.arm64.regs import TMP
from backend.obj.assemble import Branch, Encoder, Fixup, Literal
from backend.obj.ctx import AsmError
from backend.obj.prog import MEM, REG, Addr, Prog
from backend.obj.relax import Ladder
from backend.obj.sym import LSym

_MIN_ALIGN: Final = 8
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
_TEST_OPS: Final = (ops.ATBZ, ops.ATBNZ)
_CONDITIONAL: Final = 0x54000000  # B.cond; the other conditional branches have bit 24 as their sense
_COND_MASK: Final = 0xFF000000


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


class Arm64Encoder(Encoder):
    """The instructions of arm64."""

    __slots__ = ("go_shapes", "forms", "_by_kind")

    def __init__(self, go_shapes: bool = False) -> None:
        super().__init__("arm64", regs.WINDOW, _MIN_ALIGN)
        self.go_shapes: Final = go_shapes  # far branches and offsets byte for byte as Go's assembler makes them
        self.forms: Final = Forms()
        self._by_kind: dict[int, list[Form]] = {}  # opcode, suffix and kinds of operands -> rows

    def find_form(self, as_: int, args: list[Addr], scond: int) -> Form:
        """The first row that takes the operands; ValueError when there is none.

        Rows are sorted by the kinds of their operands once; after that only bounds are compared.
        """
        key = (1 << 24 | as_) << 2 | scond  # the leading bit tells how many operands follow
        for a in args:
            key = key << 6 | a.kind << 2 | (2 if type(a.sym) is LSym else 1 if a.index and a.kind == MEM else 0)
        forms = self._by_kind.get(key)
        if forms is None:
            forms = self._by_kind[key] = self._candidates(as_, args, scond)
        for f in forms:
            for t, a in zip(f.patterns, args, strict=True):
                if t.simple:
                    if not (t.lowest <= a.reg <= t.highest and t.lo <= a.offset <= t.hi):
                        break
                elif not t.fits(a):
                    break
            else:
                return f
        raise ValueError(explain(self.forms.forms_of(as_), args, scond))

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

    def _candidates(self, as_: int, args: list[Addr], scond: int) -> list[Form]:
        """The rows whose operands have these kinds."""
        out: list[Form] = []
        for f in self.forms.forms_of(as_):
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

    # -- what the assembler needs ----------------------------------------------------------------------

    def encode(self, p: Prog) -> tuple[bytes, Fixup | None]:
        machine: list[tuple[Form, list[Addr]]] = []
        f = self.expand(p.as_, p.args, p.scond, machine)
        branch: Form | None = None
        literal: Literal | None = None
        words: list[int] = []
        for form, args in machine:
            if form.branch:
                branch = form
            if form.pool:
                literal = (4 * len(words), form.pool, args[0].offset)
            words += words_of(form, args)
        chunk = b"".join([w.to_bytes(4, "little") for w in words])
        if branch is not None:
            return chunk, Fixup(_Branch(branch, self.go_shapes), literal=literal)
        reloc = _JUMP_TO_CALL.get(f.reloc, f.reloc) if self.go_shapes else f.reloc
        if reloc or literal is not None:
            return chunk, Fixup(None, reloc, 0, f.reloc_size, 0, literal)
        return chunk, None

    def padding(self, size: int) -> bytes:
        if size & 3:
            raise ValueError("alignment after data of odd size")
        return _NOP * (size // 4)

    def place_literals(self, progs: list[Prog], parts: list[bytes], literals: list[tuple[int, Literal]]) -> None:
        """Equal literals are shared."""
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


class _Branch(Branch):
    """A branch of one word, or ADR or ADRP of a place in the function."""

    __slots__ = ("form", "go_shapes")

    def __init__(self, form: Form, go_shapes: bool) -> None:
        super().__init__(_ladder(form, go_shapes))
        self.form = form
        self.go_shapes = go_shapes

    def patch(self, chunk: bytes, pc: int, target: int, step: int) -> bytes:
        f = self.form
        distance = target - pc
        if f.as_ == ops.AADRP:  # pages; the function is taken to start a page
            distance = (target & ~0xFFF) - (pc & ~0xFFF)
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


def _ladder(f: Form, go_shapes: bool) -> Ladder:
    high = f.branch[0][3] if len(f.branch) == 1 else 0
    if f.as_ == ops.AADRP:
        return _PAGE_LADDER
    if len(f.branch) > 1:
        return _ADR_LADDER
    if high >> 20:
        return _JUMP_LADDER
    if f.as_ in _TEST_OPS:
        return _GO_TEST_LADDER if go_shapes else _TEST_LADDER
    return _GO_COND_LADDER if go_shapes else _COND_LADDER


def displace(word: int, f: Form, distance: int) -> int:
    """A branch with its displacement filled in."""
    for _, _, shift, mask, to in f.branch:
        word |= (distance >> shift & mask) << to
    return word
