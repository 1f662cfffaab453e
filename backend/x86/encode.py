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

from typing import Any, Final

from backend.obj.ctx import AsmError
from backend.obj.prog import ADDR, BRANCH, CONST, MEM, REG, Addr, Prog
from backend.obj.relax import Sites, settle
from backend.obj.sym import LSym, Reloc
from backend.obj.table import AFUNCDATA, ANOP, APCALIGN, APCALIGNMAX, APCDATA, ATEXT
from backend.x86 import regs
from backend.x86.classify import C_HIGH, PATTERNS, REG_CLASS
from backend.x86.forms import DIGIT_R, Form, find_form, forms_of, operand_rw, parse_form
from backend.x86.ops import NAMES, OPS

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
            elif REG_CLASS[a.reg] == C_HIGH and (
                rex or any(args[j].kind == REG and args[j].reg in _LOW_BYTES for j in f.bytes_)
            ):
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


# Reach of the branch forms (backend.obj.relax).
_REL32: Final = (-(1 << 31), (1 << 31) - 1)
_NEAR_ONLY: Final = ((*_REL32, 0),)
_SHORT_ONLY: Final = ((-128, 127, 0),)


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
            if not -(1 << 31) <= a.offset < 1 << 31:  # a remembered encoding was not classified again
                raise AsmError(p.pos, "offset too large")
            # The processor counts from the end of the instruction, S + A - P from the field: the
            # distance between the two goes into the addend.
            kind = "R_CALL" if a.kind == BRANCH or (NAMES[p.as_] in _JUMPS and a.kind == MEM) else "R_PCREL"
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
            if as_ in (APCALIGN, APCALIGNMAX):
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
        if p.as_ in (APCALIGN, APCALIGNMAX):
            align = p.args[0].offset
            text.align = max(text.align, align)
            sites.aligns.append(align)
            sites.limits.append(p.args[1].offset if len(p.args) > 1 else align)
            sites.dests.append(p.pc)
            sites.ladders.append(_NEAR_ONLY)
            continue
        target = p.args[0].sym
        if id(target) not in known:
            raise AsmError(p.pos, "branch to an instruction of another function")
        short, near = _BRANCHES[p.as_]
        sites.aligns.append(0)
        sites.limits.append(0)
        sites.dests.append(target.pc)
        if short is None:
            sites.ladders.append(_NEAR_ONLY)
        elif near is None:
            sites.ladders.append(_SHORT_ONLY)
        else:
            sites.ladders.append((*_SHORT_ONLY, (*_REL32, len(near) + 4 - p.size)))
    steps = settle(progs, events, sites)
    for k, i in enumerate(events):
        p = progs[i]
        if sites.aligns[k]:
            parts[i] = nops(p.size)
            continue
        d = p.args[0].sym.pc - p.pc - p.size
        short, near = _BRANCHES[p.as_]
        if steps[k] or short is None:
            assert near is not None
            parts[i] = near + (d & 0xFFFFFFFF).to_bytes(4, "little")
        else:
            parts[i] = short + (d & 0xFF).to_bytes(1, "little")


__all__ = ["assemble", "encode_form", "encode_prog", "find_form", "forms_of", "nops", "operand_rw", "parse_form"]
