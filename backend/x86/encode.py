"""From Progs to bytes: form selection, ModRM/SIB/REX, immediates, relocation fields, layout.

Problem.  A compiler in Python makes some 15 instructions per source line and has a few microseconds
for each.  Method, in three layers:

1. A form (row of forms.tbl) is parsed when its mnemonic is first used, and found by the opcode and
   the fine classes of the operands; the choice is cached (`find_form`).
2. `encode_form` writes the bytes of a form: prefixes, REX, opcode, ModRM, SIB, displacement,
   immediates (SDM 2A, chapter 2).  One function serves each ModRM shape (none, register, memory).
3. Whole encodings are remembered by operand values: code repeats itself, and MOVQ AX, BX is the same
   three bytes wherever it stands.  Only branches and symbol displacements differ from place to
   place, and their bytes are filled in or relocated afterwards.

Invariants.  A remembered encoding depends on nothing but the key; a symbol operand is remembered
with a zero field and gets its Reloc each time.  Offsets in relocations are final only after layout:
they are recorded relative to their Prog.  Branches start in their short form and only grow
(backend.obj.relax).
"""

from __future__ import annotations

import os
from typing import Any, Final

from backend.obj.ctx import AsmError
from backend.obj.prog import ADDR, BRANCH, CONST, MEM, REG, Addr, Prog
from backend.obj.relax import Sites, relax
from backend.obj.sym import LSym, Reloc
from backend.obj.table import AFUNCDATA, ANOP, APCALIGN, APCALIGNMAX, APCDATA, ATEXT, index_lines
from backend.x86 import regs
from backend.x86.classify import C_BAD, C_HIGH, C_MEMSYM, C_MEMWIDE, C_SYM, PATTERNS, REG_CLASS, classify, explain
from backend.x86.ops import NAMES, OPS

NO_OPERAND: Final = -1
DIGIT_R: Final = 8  # /r: the register field holds an operand
DIGIT_RR: Final = 9  # /rr: one register in both fields


class Form:
    """A parsed row.  `rm`, `reg`, `plus` are operand indexes (or NO_OPERAND); `imms` pairs of operand
    index and byte count; `rw` has per operand 1 read, 2 written, 3 both; `implicit` the same for
    registers the instruction touches without naming them."""

    __slots__ = (
        "masks", "prefix", "rex", "opcode", "digit", "rm", "reg", "plus", "imms", "bytes_", "short", "near", "rel",
        "rw", "implicit", "text",
    )  # fmt: skip

    def __init__(self, text: str) -> None:
        self.text = text
        self.masks: list[int] = []
        self.prefix = b""
        self.rex = 0
        self.opcode = b""
        self.digit = -1
        self.rm = NO_OPERAND
        self.reg = NO_OPERAND
        self.plus = NO_OPERAND
        self.imms: list[tuple[int, int]] = []
        self.bytes_: list[int] = []  # operands used as byte registers
        self.short: bytes | None = None  # opcode of the rel8 form
        self.near: bytes | None = None  # opcode of the rel32 form
        self.rel = NO_OPERAND
        self.rw: list[int] = []
        self.implicit: list[tuple[int, int]] = []


_IMM_SIZE: Final = {"ib": 1, "iw": 2, "id": 4, "iq": 8}
_PREFIXES: Final = ("66", "67", "F2", "F3")
_SPECIAL_REG: Final = ("sreg", "cr", "dr")


def _mark(word: str) -> tuple[str, int]:
    """Splits `r64!` into the pattern and its access: 1 read, 2 written, 3 both."""
    if word.endswith("!"):
        return word[:-1], 3
    if word.endswith("="):
        return word[:-1], 2
    return word, 1


def parse_form(line: str) -> Form:
    """Parses one row of forms.tbl; raises ValueError when it is not well-formed.

    >>> parse_form("ADDQ  $i8, r/m64!  | REX.W 83 /0 ib").imms
    [(0, 1)]
    """
    head, _, encoding = line.partition("|")
    f = Form(" ".join(head.split()))
    words = head.split(None, 1)
    operands = words[1].strip() if len(words) > 1 else ""
    if operands.endswith("}"):
        operands, _, inner = operands[:-1].partition("{")
        for word in inner.split():
            name, access = _mark(word)
            f.implicit.append((regs.REGS[name], access))
    patterns: list[str] = []
    for word in operands.split(","):
        word = word.strip()
        if word:
            pattern, access = _mark(word)
            if pattern not in PATTERNS:
                raise ValueError(f"unknown operand {pattern}: {line}")
            patterns.append(pattern)
            f.masks.append(PATTERNS[pattern])
            f.rw.append(access)
    f.bytes_ = [i for i, p in enumerate(patterns) if p in ("r8", "r/m8")]
    constants = [i for i, p in enumerate(patterns) if p[0] == "$" and p != "$&m"]
    for i, p in enumerate(patterns):
        if p in ("rel", "sym"):
            f.rel = i
    short, _, near = encoding.partition(";")
    f.short, f.near = _branch_opcode(short), _branch_opcode(near)
    if f.short is None and f.near is None:
        _parse_opcode(f, encoding.split(), patterns, constants, line)
    elif f.near is None and short.split()[-1] == "cd":
        f.short, f.near = None, f.short
    return f


def _branch_opcode(encoding: str) -> bytes | None:
    words = encoding.split()
    if words and words[-1] in ("cb", "cd"):
        return bytes(int(w, 16) for w in words[:-1])
    return None


def _parse_opcode(f: Form, words: list[str], patterns: list[str], constants: list[int], line: str) -> None:
    opcode = bytearray()
    while words and (words[0] in _PREFIXES or words[0] == "REX.W"):
        word = words[0]
        if word == "REX.W":
            f.rex = 0x48
        elif len(words) == 1:
            break  # a prefix as a statement of its own (REP)
        else:
            f.prefix += bytes((int(word, 16),))
        del words[0]
    n_imm = 0
    for word in words:
        if word in _IMM_SIZE:
            f.imms.append((constants[n_imm], _IMM_SIZE[word]))
            n_imm += 1
        elif word == "/r":
            f.digit = DIGIT_R
        elif word == "/rr":
            f.digit = DIGIT_RR
        elif word[0] == "/":
            f.digit = int(word[1])
        elif word.endswith(("+r", "+i")):
            opcode.append(int(word[:-2], 16))
            f.plus = next(i for i, p in enumerate(patterns) if p in ("r8", "r16", "r32", "r64", "st"))
        else:
            opcode.append(int(word, 16))
    f.opcode = bytes(opcode)
    if f.digit >= 0:
        _place_modrm(f, patterns)
    named = [i for i in constants if patterns[i] != "$1"]
    if len(named) != len(f.imms):
        raise ValueError(f"immediates do not match: {line}")


def _place_modrm(f: Form, patterns: list[str]) -> None:
    """Which operand is in ModRM.rm and which in ModRM.reg (SDM 2A 3.1.1.3).  A memory-capable operand
    is rm; a control or segment register is reg; between two plain registers the source is rm."""
    fixed = ("AL", "AX", "CL", "X0", "F0", "FS", "GS")
    named = [i for i, p in enumerate(patterns) if p not in fixed and (p[0] != "$" or p == "$&m")]
    memory = [i for i in named if "m" in patterns[i].replace("mm", "")]
    special = [i for i in named if patterns[i] in _SPECIAL_REG]
    if memory:
        f.rm = memory[0]
    elif special:
        f.rm = next(i for i in named if i not in special)
    else:
        f.rm = named[0]
    if f.digit == DIGIT_R:
        f.reg = next(i for i in named if i != f.rm)
    elif f.digit == DIGIT_RR:
        f.reg = f.rm


# ---------------------------------------------------------------------------------------------------
# Form selection


def _load() -> dict[str, list[str]]:
    with open(os.path.join(os.path.dirname(__file__), "forms.tbl"), encoding="utf-8") as fh:
        return index_lines(fh.read())


_LINES: Final[dict[str, list[str]]] = _load()
_FORMS: Final[list[list[Form] | None]] = [None] * len(NAMES)
_CHOICE: Final[dict[int, Form]] = {}


def forms_of(as_: int) -> list[Form]:
    """The rows of an opcode, in table order."""
    forms = _FORMS[as_]
    if forms is None:
        forms = _FORMS[as_] = [parse_form(line) for line in _LINES.get(NAMES[as_], ())]
    return forms


def find_form(as_: int, args: list[Addr]) -> Form:
    """The first row whose patterns take these operands; raises ValueError with a message if none does."""
    key = as_
    classes: list[int] = []
    for a in args:
        c = classify(a)
        if c == C_BAD:
            raise ValueError(explain(a) or "invalid instruction")
        key = key << 6 | c
        classes.append(c)
    key = key << 4 | len(args)
    form = _CHOICE.get(key)
    if form is None:
        n = len(classes)
        for form in forms_of(as_):
            if len(form.masks) == n:
                for mask, c in zip(form.masks, classes, strict=True):
                    if not mask >> c & 1:
                        break
                else:
                    _CHOICE[key] = form
                    return form
        raise ValueError(_refusal(as_, classes))
    return form


def _refusal(as_: int, classes: list[int]) -> str:
    if C_MEMWIDE in classes:
        return "offset too large"
    if classes == [C_SYM] or classes == [C_MEMSYM]:
        rel = PATTERNS["rel"]
        if any(f.masks == [rel] for f in forms_of(as_)):
            return "this branch cannot reach a symbol"
    return "invalid instruction"


def operand_rw(as_: int, args: list[Addr]) -> tuple[list[int], list[tuple[int, int]]]:
    """What an instruction reads and writes: per operand 1 read, 2 written, 3 both, and the same for
    implicit registers.  Memory operands always read their base and index.

    >>> from backend.x86.ops import AMULQ
    >>> operand_rw(AMULQ, [Addr(REG, regs.BX)])
    ([1], [(16, 3), (18, 2)])
    """
    form = find_form(as_, args)
    return form.rw, form.implicit


# ---------------------------------------------------------------------------------------------------
# Bytes of one instruction

_SCALE: Final = {1: 0x00, 2: 0x40, 4: 0x80, 8: 0xC0}
_LOW_BYTES: Final = (regs.SP, regs.BP, regs.SI, regs.DI, regs.SPB, regs.BPB, regs.SIB, regs.DIB)

# What encode_form returns: the bytes, and when a symbol is involved the offset of its 4-byte field
# (else -1).
Code = tuple[bytes, int]


def encode_form(f: Form, args: list[Addr]) -> Code:
    """The bytes of one instruction in a given form."""
    rex = f.rex
    field = -1
    body = b""
    rm = f.rm
    if rm >= 0:
        a = args[rm]
        digit = f.digit
        if digit >= DIGIT_R:
            digit = args[f.reg].reg & 15
            if digit >= 8:
                rex |= 0x44
                digit &= 7
        if a.kind == REG:
            n = a.reg & 15
            if n >= 8:
                rex |= 0x41
            body = bytes((0xC0 | digit << 3 | n & 7,))
        elif a.sym is not None:  # RIP-relative: mod 0, rm 5 (SDM 2A 2.2.1.6)
            body = bytes((digit << 3 | 5, 0, 0, 0, 0))
            field = 1
        else:
            body, extra = encode_memory(a, digit)
            rex |= extra
    opcode = f.opcode
    if f.plus >= 0:
        n = args[f.plus].reg & 15
        if n >= 8:
            rex |= 0x41
        opcode = opcode[:-1] + bytes((opcode[-1] + (n & 7),))
    for i in f.bytes_:
        a = args[i]
        if a.kind == REG:
            if a.reg in _LOW_BYTES:
                rex |= 0x40
            elif REG_CLASS[a.reg] == C_HIGH:
                if rex or any(args[j].kind == REG and args[j].reg in _LOW_BYTES for j in f.bytes_):
                    raise ValueError("high byte register cannot be encoded in an instruction that needs REX")
    if rex:
        head = f.prefix + bytes((rex,)) + opcode
    else:
        head = f.prefix + opcode
    if field >= 0:
        field += len(head)
    code = head + body
    for i, size in f.imms:
        code += (args[i].offset & (1 << 8 * size) - 1).to_bytes(size, "little")
    return code, field


def encode_memory(a: Addr, digit: int) -> tuple[bytes, int]:
    """ModRM, SIB and displacement of a register-based address, and its REX bits (SDM 2A 2.1.5)."""
    disp = a.offset
    base, index = a.reg, a.index
    rex = 0
    digit <<= 3
    if base == 0:  # no base: SIB with base 5 and a 32-bit displacement
        if index == 0:
            sib = 0x25
        else:
            n = index & 15
            if n >= 8:
                rex = 0x42
            sib = _SCALE[a.scale] | (n & 7) << 3 | 5
        return bytes((digit | 4, sib)) + (disp & 0xFFFFFFFF).to_bytes(4, "little"), rex
    b = base & 15
    if b >= 8:
        rex = 0x41
        b &= 7
    if disp == 0 and b != 5:  # BP and R13 as base need a displacement
        mod = 0
        tail = b""
    elif -128 <= disp <= 127:
        mod = 0x40
        tail = bytes((disp & 0xFF,))
    else:
        mod = 0x80
        tail = (disp & 0xFFFFFFFF).to_bytes(4, "little")
    if index == 0:
        if b != 4:
            return bytes((mod | digit | b,)) + tail, rex
        return bytes((mod | digit | 4, 0x24)) + tail, rex  # SP and R12 as base need a SIB
    n = index & 15
    if n >= 8:
        rex |= 0x42
    return bytes((mod | digit | 4, _SCALE[a.scale] | (n & 7) << 3 | b)) + tail, rex


# ---------------------------------------------------------------------------------------------------
# Bytes of a function

_MEMO: Final[dict[Any, Code]] = {}
_MEMO_LIMIT: Final = 1 << 17
_SILENT: Final = frozenset((ATEXT, ANOP, APCDATA, AFUNCDATA))
_CALL: Final = OPS["CALL"]
# Branch opcodes: as_ -> (short opcode bytes or None, near opcode bytes or None).
_BRANCHES: Final[dict[int, tuple[bytes | None, bytes | None]]] = {}
_NOPS: Final = tuple(
    bytes.fromhex(h)
    for h in (
        "", "90", "6690", "0f1f00", "0f1f4000", "0f1f440000", "660f1f440000", "0f1f8000000000", "0f1f840000000000",
        "660f1f840000000000",
    )
)  # fmt: skip  # SDM 2B NOP, table 4-12


def nops(n: int) -> bytes:
    """n bytes of padding in as few instructions as the SDM recommends."""
    return _NOPS[9] * (n // 9) + _NOPS[n % 9]


def _branch(as_: int) -> tuple[bytes | None, bytes | None]:
    entry = _BRANCHES.get(as_)
    if entry is None:
        entry = (None, None)
        for f in forms_of(as_):
            if f.masks == [PATTERNS["rel"]]:
                entry = (f.short, f.near)
        _BRANCHES[as_] = entry
    return entry


def encode_prog(p: Prog) -> Code:
    """The bytes of one non-branch instruction; AsmError when no form takes its operands."""
    try:
        form = find_form(p.as_, p.args)
        if form.rel >= 0:
            near = form.near
            if near is None:
                raise ValueError("this branch cannot reach a symbol")
            return near + b"\0\0\0\0", len(near)
        return encode_form(form, p.args)
    except ValueError as e:
        raise AsmError(p.pos, str(e)) from None


def _reloc(p: Prog, field: int, size: int) -> Reloc | None:
    """The relocation for the symbol operand of p whose field starts at `field`."""
    for a in p.args:
        sym = a.sym
        if sym is not None:
            # The processor counts from the end of the instruction, S + A - P from the field: the
            # distance between the two goes into the addend.
            kind = "R_CALL" if a.kind == BRANCH or NAMES[p.as_] in _JUMPS and a.kind == MEM else "R_PCREL"
            return Reloc(field, 4, kind, sym, a.offset - (size - field))
    return None


_JUMPS: Final = frozenset(n for n in NAMES if n[0] == "J" or n in ("CALL", "RET", "XBEGIN"))


def assemble(text: LSym, progs: list[Prog]) -> None:
    """Encodes a function: fills text.data and text.relocs, and pc and size of every Prog.

    Branch targets are BRANCH operands naming a Prog of the list, or an LSym (an R_CALL relocation).
    Raises AsmError for the first instruction that has no encoding.
    """
    parts: list[bytes] = []
    add = parts.append
    pc = 0
    pending: list[tuple[Prog, int, Reloc]] = []
    events: list[int] = []  # indexes in parts/progs of branches and alignments
    memo = _MEMO
    if len(memo) > _MEMO_LIMIT:
        memo.clear()
    get = memo.get
    branch_of = _BRANCHES
    key: Any
    for p in progs:
        args = p.args
        as_ = p.as_
        p.pc = pc
        n = len(args)
        if n == 2:
            a, b = args
            ka = a.kind
            kb = b.kind
            if ka == REG:
                if kb == REG:
                    key = (as_, a.reg, b.reg)
                elif kb == MEM:
                    if b.sym is None:
                        key = (as_, a.reg, b.offset, b.reg, b.index, b.scale)
                    else:
                        key = (as_, a.reg, b.reg, b.index, MEM)
                else:
                    key = (as_, ka, a.reg, kb, b.offset, b.sym is None, b.reg)
            elif ka == MEM:
                if a.sym is None:
                    key = (as_, a.reg, a.offset, a.index, a.scale, kb, b.reg, b.offset)
                else:
                    key = (as_, a.reg, a.index, kb, b.reg, b.offset, b.index, b.scale, b.sym is None)
            elif ka == CONST:
                if kb == REG:
                    key = (as_, a.offset, b.reg, CONST)
                elif b.sym is None:
                    key = (as_, a.offset, kb, b.reg, b.offset, b.index, b.scale, CONST, CONST)
                else:
                    key = (as_, a.offset, kb, b.reg, b.index, b.scale, CONST, CONST, CONST, CONST)
            elif a.sym is not None and ka == ADDR and kb == REG:
                key = (as_, ka, b.reg, a.reg + a.index, ADDR)
            else:
                key = None
            code = get(key) if key is not None else None
        elif n == 1:
            a = args[0]
            if a.kind == BRANCH:
                target = a.sym
                if type(target) is str:
                    a.sym = target = _label(progs, p, target)
                if type(target) is Prog:
                    entry = branch_of.get(as_) or _branch(as_)
                    short, near = entry
                    op = short if short is not None else near
                    if op is None:
                        raise AsmError(p.pos, "invalid instruction")
                    events.append(len(parts))
                    add(op)
                    p.size = size = len(op) + (1 if short is not None else 4)
                    pc += size
                    continue
                key = (as_, BRANCH)
            elif a.sym is None:
                key = (as_, a.kind, a.reg, a.offset, a.index, a.scale, 0)
            else:
                key = (as_, a.kind, a.reg, a.index)
            code = get(key)
        else:
            if as_ in _SILENT:
                add(b"")
                p.size = 0
                continue
            if n == 0:
                key = as_
            else:
                key = tuple([(a.kind, a.reg, a.offset, a.index, a.scale, a.sym is None) for a in args])
                key = (as_, key)
            code = get(key)
        if code is None:
            if as_ in _SILENT:
                add(b"")
                p.size = 0
                continue
            if as_ == APCALIGN or as_ == APCALIGNMAX:
                _check_align(p)
                events.append(len(parts))
                add(b"")
                p.size = 1
                pc += 1
                continue
            code = encode_prog(p)
            if key is not None:
                memo[key] = code
        chunk, field = code
        size = len(chunk)
        add(chunk)
        p.size = size
        pc += size
        if field >= 0:
            r = _reloc(p, field, size)
            if r is not None:
                pending.append((p, field, r))
    if events:
        _layout(text, progs, parts, events)
    relocs: list[Reloc] = []
    for p, field, r in pending:
        r.off = p.pc + field
        relocs.append(r)
    text.relocs = relocs
    text.data = bytearray(b"".join(parts))
    text.size = len(text.data)


def _label(progs: list[Prog], p: Prog, name: str) -> Prog:
    """The instruction a label of this function stands at."""
    for q in progs:
        if q.label == name:
            return q
    raise AsmError(p.pos, f"undefined label {name}")


def _check_align(p: Prog) -> None:
    for a in p.args:
        if a.kind != CONST:
            raise AsmError(p.pos, "alignment must be a constant")
    n = p.args[0].offset
    if n < 8 or n > 2048 or n & (n - 1):
        raise AsmError(p.pos, f"alignment must be a power of two from 8 to 2048, not {n}")


def _layout(text: LSym, progs: list[Prog], parts: list[bytes], events: list[int]) -> None:
    """Sizes branches and alignments, then gives every Prog its final address."""
    sites = Sites()
    known = set(map(id, progs))
    for i in events:
        p = progs[i]
        sites.pcs.append(p.pc)
        sites.sizes.append(p.size)
        if p.as_ == APCALIGN or p.as_ == APCALIGNMAX:
            align = p.args[0].offset
            text.align = max(text.align, align)
            sites.aligns.append(align)
            sites.limits.append(p.args[1].offset if len(p.args) > 1 else align)
            sites.dests.append(p.pc)
            sites.growth.append(0)
            continue
        target = p.args[0].sym
        if id(target) not in known:
            raise AsmError(p.pos, "branch to an instruction of another function")
        short, near = _BRANCHES[p.as_]
        sites.aligns.append(0)
        sites.limits.append(0)
        sites.dests.append(target.pc)
        sites.growth.append(
            len(near) + 4 - p.size if short is not None and near is not None else 0 if short is not None else -1
        )
    # A branch that has only the long form (CALL) always reaches: its displacement is not limited here.
    lo, hi = -128, 127
    free = [i for i in range(len(events)) if sites.growth[i] < 0]
    for i in free:
        sites.growth[i] = 0
        sites.dests[i] = sites.pcs[i]
    try:
        long, shifts = relax(sites, lo, hi)
    except AsmError as e:
        raise AsmError(progs[events[e.pos]].pos, e.message) from None
    if shifts[-1] or any(sites.aligns):
        shift = 0
        k = 0
        n = len(events)
        following = events[0]
        for i, p in enumerate(progs):
            p.pc += shift
            if i == following:
                k += 1
                p.size += shifts[k] - shift
                shift = shifts[k]
                following = events[k] if k < n else -1
    for k, i in enumerate(events):
        p = progs[i]
        if sites.aligns[k]:
            parts[i] = nops(p.size)
            continue
        d = p.args[0].sym.pc - p.pc - p.size
        short, near = _BRANCHES[p.as_]
        if long[k] or short is None:
            assert near is not None
            parts[i] = near + (d & 0xFFFFFFFF).to_bytes(4, "little")
        else:
            parts[i] = short + (d & 0xFF).to_bytes(1, "little")


__all__ = ["assemble", "encode_form", "encode_prog", "find_form", "forms_of", "nops", "operand_rw"]
