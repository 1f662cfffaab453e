"""Progs and Addrs as text, in the syntax the parser reads (virtual registers print as v0, v1, ...)."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from backend.obj.plist import Arch
from backend.obj.prog import (
    ADDR,
    BRANCH,
    CONST,
    FCONST,
    INDIR,
    MEM,
    NAME_AUTO,
    NAME_PARAM,
    NAME_STATIC,
    NONE,
    REG,
    SCONST,
    SPECIAL,
    TEXTSIZE,
    VREG,
    Addr,
    Prog,
)
from backend.obj.sym import LSym


def format_register(arch: Arch, reg: int) -> str:
    """The name of a register.

    >>> from backend import load_arch
    >>> arch = load_arch("amd64")
    >>> format_register(arch, 16), format_register(arch, VREG + 3)
    ('AX', 'v3')
    """
    if reg >= VREG:
        return f"v{reg - VREG}"
    return arch.reg_names.get(reg) or f"R?{reg}"


def format_addr(arch: Arch, a: Addr, labels: dict[int, str] | None = None) -> str:
    """An operand.  `labels` maps id(Prog) to the label of a branch target.

    >>> from backend import load_arch
    >>> arch = load_arch("amd64")
    >>> format_addr(arch, Addr(MEM, 16, 8, index=17, scale=4))
    '8(AX)(CX*4)'
    """
    kind = a.kind
    if arch.format_operand is not None:
        text = arch.format_operand(a)
        if text:
            return text
    if kind == REG:
        return format_register(arch, a.reg)
    if kind == CONST:
        return f"${a.offset}"
    if kind == MEM:
        return _memory(arch, a)
    if kind == ADDR:
        return "$" + _memory(arch, a)
    if kind == INDIR:
        return "*" + _memory(arch, a)
    if kind == BRANCH:
        return _branch(a, labels)
    if kind == FCONST:
        value = struct.unpack("<d", (a.offset & (1 << 64) - 1).to_bytes(8, "little"))[0]
        return f"$({value!r})"
    if kind == TEXTSIZE:
        return f"${a.offset}-{a.val or 0}"
    if kind == SCONST:
        text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in a.val)
        return f'$"{text}"'
    return "" if kind == NONE else f"?{kind}"


def _memory(arch: Arch, a: Addr) -> str:
    offset = f"{a.offset:+d}" if a.offset else ""
    if a.sym is not None:
        static = "<>" if a.name == NAME_STATIC else ""
        return f"{_name(a.sym)}{static}{offset}(SB)"
    if a.name == NAME_AUTO:
        return f"x{offset}(SP)"
    if a.name == NAME_PARAM:
        return f"a{offset or '+0'}(FP)"
    text = str(a.offset) if a.offset or not (a.reg or a.index) else ""
    if a.reg:
        text += f"({format_register(arch, a.reg)})"
    if a.index:
        text += f"({format_register(arch, a.index)}*{a.scale})"
    return text


def _name(sym: LSym) -> str:
    return sym.name.replace(".", "\u00b7")


def _branch(a: Addr, labels: dict[int, str] | None) -> str:
    target = a.sym
    if type(target) is Prog:
        if labels is not None and id(target) in labels:
            return labels[id(target)]
        return str(target.label) if target.label is not None else f"pc={target.pc}"
    if type(target) is LSym:
        return f"{_name(target)}(SB)"
    return str(target) if target is not None else f"{a.offset}(PC)"


def format_prog(arch: Arch, p: Prog, labels: dict[int, str] | None = None) -> str:
    """One instruction.

    >>> from backend import load_arch
    >>> arch = load_arch("amd64")
    >>> format_prog(arch, Prog(arch.ops["ADDQ"], [Addr(CONST, offset=1), Addr(REG, 19)]))
    'ADDQ\\t$1, BX'
    """
    name = arch.op_names[p.as_]
    if p.scond:
        name += next((f".{suffix}" for suffix, value in arch.suffixes.items() if value == p.scond), "")
    if not p.args:
        return name
    specials = arch.specials.get(p.as_)
    if specials is None:
        return name + "\t" + ", ".join([format_addr(arch, a, labels) for a in p.args])
    return name + "\t" + ", ".join([_special(a, specials) or format_addr(arch, a, labels) for a in p.args])


def _special(a: Addr, names: Mapping[str, int]) -> str:
    """The name of a SPECIAL operand, "" for any other."""
    return next((name for name, value in names.items() if value == a.offset), "") if a.kind == SPECIAL else ""


def format_function(arch: Arch, text: LSym, progs: list[Prog], pcs: bool = False) -> str:
    """A whole function, with labels made up for branch targets and addresses when `pcs`."""
    labels: dict[int, str] = {}
    targets = {id(a.sym) for p in progs for a in p.args if a.kind == BRANCH and type(a.sym) is Prog}
    for p in progs:
        if id(p) in targets:
            labels[id(p)] = str(p.label) if p.label is not None else f"L{len(labels) + 1}"
    out = [f"TEXT {_name(text)}(SB), $0"] if not progs or arch.op_names[progs[0].as_] != "TEXT" else []
    for p in progs:
        if id(p) in labels:
            out.append(f"{labels[id(p)]}:")
        line = format_prog(arch, p, labels)
        if arch.op_names[p.as_] == "TEXT":
            line = f"TEXT {_name(text)}(SB), {p.args[0].offset}, {format_addr(arch, p.args[1])}"
        else:
            line = "\t" + line
        out.append(f"{p.pc:06x}{line}" if pcs else line)
    return "\n".join(out) + "\n"
