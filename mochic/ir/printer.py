"""IR as text, in the form `ir.parser` reads back.

    fun @gcd(v0 i64, v1 i64) i64 {
    b0:
        jump b1(v0, v1)
    b1(v2 i64, v3 i64):
        v4 i64 = iconst 0
        v5 i32 = eq v3, v4
        brif v5, b3, b2 ; unlikely
    ...
    }

A value is `NAME TYPE = OP OPERANDS`; the type is that of the result.  Operands are the arguments,
then what the op keeps in `imm` and `sym`: a constant, `+offset` behind an address, `@symbol`.
Text after `;` is a comment, except the words `likely`, `unlikely` and `cold`.
docs/ir.md has the grammar.
"""

from __future__ import annotations

from mochic.ir.floats import float_of
from mochic.ir.func import (
    ASM, COLD, FIXED, INLINE, INSERT, LOOKUP, NOGC, NORETURN, NOWRITE, PURE, Block, DataSym, Func, FuncSym, Module, Sig,
    Value,
)  # fmt: skip
from mochic.ir.ops import (
    ALLOC, ALLOCA, BRIF, CALL, CALLI, FCONST, ICONST, IS_LOAD, IS_STORE, JUMP, OP_NAMES, RET, SWITCH, SYMADDR, TOINT,
    TRAP,
)  # fmt: skip
from mochic.ir.types import TYPE_NAMES, VOID

FLAG_NAMES = (
    (NOGC, "nogc"), (NORETURN, "noreturn"), (PURE, "pure"), (COLD, "cold"), (ASM, "asm"), (INLINE, "inline"),
    (NOWRITE, "nowrite"), (FIXED, "fixed"), (LOOKUP, "lookup"), (INSERT, "insert"),
)  # fmt: skip


def float_text(bits: int) -> str:
    """A double as text that names exactly these bits: its shortest decimal form, or `0x...` for NaNs."""
    x = float_of(bits)
    if x != x:
        return f"0x{bits & (1 << 64) - 1:016x}"
    return repr(x)


def offset_text(imm: int) -> str:
    if imm > 0:
        return f"+{imm}"
    return str(imm) if imm else ""


def flags_text(flags: int) -> str:
    return "".join(" " + name for bit, name in FLAG_NAMES if flags & bit)


def sig_text(params: list[int], ret: int, flags: int) -> str:
    text = "(" + ", ".join(TYPE_NAMES[t] for t in params) + ")"
    if ret != VOID:
        text += " " + TYPE_NAMES[ret]
    return text + flags_text(flags)


def operand_text(v: Value) -> str:
    """Everything behind the op's name."""
    op = v.op
    args = v.args
    if op == ICONST:
        return str(v.imm)
    if op == FCONST:
        return float_text(v.imm)
    if op == SYMADDR:
        return f"@{v.sym.name}{offset_text(v.imm)}"
    if op == ALLOCA:
        return str(v.imm)
    if op == ALLOC:
        return f"{v.imm} @{v.sym.name}" if v.sym is not None else str(v.imm)
    if op == CALL:
        return f"@{v.sym.name}({', '.join(map(repr, args))})"
    if op == CALLI:
        text = f"{args[0]!r}({', '.join(map(repr, args[1:]))})"
        if isinstance(v.sym, Sig):
            text += " : " + sig_text(v.sym.params, v.sym.ret, v.sym.flags)
        return text
    if op >= 0 and (IS_LOAD[op] or IS_STORE[op]):
        text = repr(args[0]) + offset_text(v.imm)
        if IS_STORE[op]:
            text += f", {args[1]!r}"
        return text if v.sym is None else f"{text} [{v.sym}]"
    text = ", ".join(map(repr, args))
    if op == TOINT and v.sym is not None:
        text += f" [{v.sym[0]}, {v.sym[1]}]"
    return text


def value_text(v: Value, positions: bool = False) -> str:
    """`v4 i64 = add v1, v2`, or `st v1+8, v2` when there is no result."""
    name = OP_NAMES[v.op] if v.op >= 0 else "param"
    text = f"{name} {operand_text(v)}".rstrip()
    if v.type != VOID:
        text = f"{v!r} {TYPE_NAMES[v.type]} = {text}"
    return f"{text} !{v.pos}" if positions and v.pos else text


def params_text(params: list[Value]) -> str:
    return "(" + ", ".join(f"{p!r} {TYPE_NAMES[p.type]}" for p in params) + ")"


def edge_text(b: Block, i: int) -> str:
    args = b.sargs[i] if i < len(b.sargs) else []
    to = repr(b.succs[i]) if i < len(b.succs) else "?"
    return f"{to}({', '.join(map(repr, args))})" if args else to


def term_text(b: Block) -> str:
    """The terminator of a block."""
    term = b.term
    if term == JUMP:
        return "jump " + edge_text(b, 0)
    if term == BRIF:
        hint = " ; likely" if b.hint > 0 else " ; unlikely" if b.hint < 0 else ""
        return f"brif {b.targs[0]!r}, {edge_text(b, 0)}, {edge_text(b, 1)}{hint}"
    if term == SWITCH:
        cases = "".join(f"{c}: {edge_text(b, i)}, " for i, c in enumerate(b.cases))
        return f"switch {b.targs[0]!r}, {cases}{edge_text(b, len(b.succs) - 1)}"
    if term == RET:
        return "ret " + repr(b.targs[0]) if b.targs else "ret"
    if term == TRAP:
        return "trap"
    return f"?{term}"


def block_head(b: Block, entry: bool = False) -> str:
    head = repr(b)
    if b.params and not entry:
        head += params_text(b.params)
    return head + (":  ; cold" if b.cold else ":")


def print_func(fn: Func, positions: bool = False) -> str:
    """The text of a function, ending in a newline."""
    sym = fn.sym
    ret = "" if sym.ret == VOID else " " + TYPE_NAMES[sym.ret]
    params = fn.blocks[0].params if fn.blocks else []
    out = [f"fun @{sym.name}{params_text(params)}{ret}{flags_text(sym.flags)} {{"]
    for i, b in enumerate(fn.blocks):
        out.append(block_head(b, i == 0))
        out.extend("    " + value_text(v, positions) for v in b.values)
        out.append("    " + term_text(b))
    out.append("}\n")
    return "\n".join(out)


def data_text(d: DataSym) -> str:
    """`data @name rodata align 8 size 16 = 00 01 ... ; references as `{8: @sym+4}`."""
    if d.data is None:
        return f"data @{d.name} {d.kind} extern"
    text = f"data @{d.name} {d.kind} align {d.align} size {d.size}"
    if not d.local:
        text += " global"
    if d.data:
        text += " = " + bytes(d.data).hex()
    for off in sorted(d.items):
        sym, add = d.items[off]
        text += f" {{{off}: @{sym.name}{offset_text(add)}}}"
    return text


def extern_text(sym: FuncSym) -> str:
    return f"extern @{sym.name}{sig_text(sym.params, sym.ret, sym.flags)}"


def print_module(m: Module) -> str:
    """All data and functions; what is used but not defined comes first."""
    defined: dict[str, FuncSym | DataSym] = {fn.sym.name: fn.sym for fn in m.funcs}
    for d in m.data:
        defined[d.name] = d
    used: dict[str, FuncSym | DataSym] = {}
    refs = [v.sym for fn in m.funcs for b in fn.blocks for v in b.values if v.sym is not None]
    refs += [sym for d in m.data for sym, _ in d.items.values()]
    for sym in refs:
        if isinstance(sym, FuncSym | DataSym) and sym.name not in defined:
            used[sym.name] = sym
    parts = [extern_text(s) if isinstance(s, FuncSym) else f"data @{s.name} {s.kind} extern" for s in used.values()]
    parts += [data_text(d) for d in m.data]
    head = "\n".join(parts) + "\n\n" if parts else ""
    return head + "\n".join(print_func(fn) for fn in m.funcs)
