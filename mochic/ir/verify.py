"""The IR verifier.

`verify(fn)` checks every invariant that `ir.func` and `ir.ops` state: shape of blocks and edges,
argument counts, the types of each op, that ids are unique and that definitions dominate uses.  A
violation is a bug of the pass that ran last, so it raises AssertionError with the function printed
and the error under the line it is about.

The type rules are a table of signatures per op, in the notation

    add   i32 i32 -> i32 | i64 i64 -> i64 | ptr i64 -> ptr

where `|` separates alternatives.  Ops whose signature depends on a symbol (calls, returns) have a
function instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.ir import cfg
from mochic.ir.func import Block, DataSym, Func, FuncSym, Module, Sig, Value
from mochic.ir.ops import (
    ALLOC, ALLOCA, BRIF, CALL, CALLI, FCONST, ICONST, JUMP, OP_ARITY, OP_BY_NAME, OP_NAMES, PARAM, RET, SWITCH,
    SYMADDR, TERM_NAMES, TOINT, TRAP,
)  # fmt: skip
from mochic.ir.printer import block_head, params_text, sig_text, term_text, value_text
from mochic.ir.types import I32, I64, INT, TYPE_BY_NAME, TYPE_NAMES, VOID

# `a` in the table stands for the address types, `x` for anything that fits a register, `w` for what a
# cast keeps, `n` for a shift count.
_CLASSES: Final = {
    "a": ("ptr", "ref", "tag"),
    "n": ("i32", "i64"),
    "w": ("i64", "ptr", "ref", "tag"),
    "x": ("i32", "i64", "f64", "ptr", "ref", "tag", "int"),
    "s": ("i32", "i64"),
}
_SIGNATURES: Final = """
iconst   -> i32 | -> i64 | -> ptr | -> ref | -> tag | -> int
fconst   -> f64
symaddr  -> ptr | -> ref | -> tag
add      i32 i32 -> i32 | i64 i64 -> i64 | int int -> int | a i64 -> ptr
sub      i32 i32 -> i32 | i64 i64 -> i64 | int int -> int | a i64 -> ptr | a a -> i64
mul      i32 i32 -> i32 | i64 i64 -> i64 | int int -> int
sdiv     i32 i32 -> i32 | i64 i64 -> i64 | int int -> int
srem     i32 i32 -> i32 | i64 i64 -> i64 | int int -> int
udiv     i32 i32 -> i32 | i64 i64 -> i64
urem     i32 i32 -> i32 | i64 i64 -> i64
neg      i32 -> i32 | i64 -> i64 | int -> int
and      i32 i32 -> i32 | i64 i64 -> i64 | int int -> int
or       i32 i32 -> i32 | i64 i64 -> i64 | int int -> int
xor      i32 i32 -> i32 | i64 i64 -> i64 | int int -> int
not      i32 -> i32 | i64 -> i64 | int -> int
shl      i32 n -> i32 | i64 n -> i64
shr      i32 n -> i32 | i64 n -> i64
sar      i32 n -> i32 | i64 n -> i64
umulh    i64 i64 -> i64
clz      i64 -> i64
ctz      i64 -> i64
popcnt   i64 -> i64
addov    i64 i64 -> i32
subov    i64 i64 -> i32
mulov    i64 i64 -> i32
eq       i32 i32 -> i32 | i64 i64 -> i32 | ptr ptr -> i32 | ref ref -> i32 | tag tag -> i32 | int int -> i32
ne       i32 i32 -> i32 | i64 i64 -> i32 | ptr ptr -> i32 | ref ref -> i32 | tag tag -> i32 | int int -> i32
slt      i32 i32 -> i32 | i64 i64 -> i32 | int int -> i32
sle      i32 i32 -> i32 | i64 i64 -> i32 | int int -> i32
ult      i32 i32 -> i32 | i64 i64 -> i32 | ptr ptr -> i32
ule      i32 i32 -> i32 | i64 i64 -> i32 | ptr ptr -> i32
feq      f64 f64 -> i32
fne      f64 f64 -> i32
flt      f64 f64 -> i32
fle      f64 f64 -> i32
fadd     f64 f64 -> f64
fsub     f64 f64 -> f64
fmul     f64 f64 -> f64
fdiv     f64 f64 -> f64
fneg     f64 -> f64
fabs     f64 -> f64
fsqrt    f64 -> f64
i2f      i64 -> f64
f2i      f64 -> i64
fbits    f64 -> i64
bitsf    i64 -> f64
sext32   i32 -> i64
zext32   i32 -> i64
trunc32  i64 -> i32
cast     w w
select   i32 i32 i32 -> i32 | i32 i64 i64 -> i64 | i32 f64 f64 -> f64 | i32 ptr ptr -> ptr | i32 ref ref -> ref | i32 tag tag -> tag | i32 int int -> int
ld       a x
ld8u     a s
ld8s     a s
ld16u    a s
ld16s    a s
ld32u    a s
ld32s    a s
st       a x -> void
st8      a s -> void
st16     a s -> void
st32     a s -> void
alloca   -> ptr
alloc    -> ref
toint    i64 -> int
fromint  int -> i64
totag    int -> tag
untag    tag -> int
int2f    int -> f64
f2int    f64 -> int
mapfind  ref int -> ptr
mapslot  ref int -> ptr
feed     -> void | int -> void
mapfind  ref int -> ptr
mapslot  ref int -> ptr
"""  # noqa: E501


def _expand(words: list[str]) -> list[tuple[int, ...]]:
    """All tuples of types that a row of types and classes stands for."""
    out: list[tuple[int, ...]] = [()]
    for w in words:
        names = _CLASSES.get(w, (w,))
        out = [(*t, TYPE_BY_NAME[n]) for t in out for n in names]
    return out


def _build() -> list[frozenset[tuple[int, ...]] | None]:
    table: list[frozenset[tuple[int, ...]] | None] = [None] * len(OP_NAMES)
    for line in _SIGNATURES.strip().splitlines():
        name, _, rest = line.partition(" ")
        rows: list[tuple[int, ...]] = []
        for alt in rest.split("|"):
            # Without an arrow the last word is the result (it may be a class).
            rows += _expand(alt.replace("->", " ").split())
        table[OP_BY_NAME[name]] = frozenset(rows)
    return table


# Per op: the allowed (argument types..., result type).
SIGNATURES: Final = _build()


class _Checker:
    __slots__ = ("fn", "errors", "where", "ints")

    def __init__(self, fn: Func, ints: bool) -> None:
        self.fn = fn
        self.ints = ints
        # (block, value or None for the terminator, or the block for its head) -> messages
        self.errors: dict[int, list[str]] = {}
        self.where = 0

    def err(self, message: str) -> None:
        self.errors.setdefault(self.where, []).append(message)

    # -- what a value looks like on its own

    def check_value(self, v: Value) -> None:
        op = v.op
        if not 0 <= op < len(OP_NAMES):
            self.err(f"op {op} does not exist")
            return
        arity = OP_ARITY[op]
        if arity >= 0 and len(v.args) != arity:
            self.err(f"{OP_NAMES[op]} takes {arity} arguments, has {len(v.args)}")
            return
        if op == CALL:
            if not isinstance(v.sym, FuncSym):
                self.err("call without a FuncSym")
            else:
                self.check_call(v.args, v.type, v.sym.params, v.sym.ret, v.sym.flags)
        elif op == CALLI:
            if not v.args or v.args[0].type != TYPE_BY_NAME["ptr"]:
                self.err("calli needs a ptr first")
            elif isinstance(v.sym, Sig):
                self.check_call(v.args[1:], v.type, v.sym.params, v.sym.ret, v.sym.flags)
            elif v.sym is not None:
                self.err("the sym of calli is None or a Sig")
        else:
            allowed = SIGNATURES[op]
            have = tuple([a.type for a in v.args] + [v.type])
            if allowed is None or have not in allowed:
                types = " ".join(TYPE_NAMES[t] for t in have[:-1])
                self.err(f"{OP_NAMES[op]} does not take ({types}) -> {TYPE_NAMES[have[-1]]}")
        if not self.ints and (v.type == INT or any(a.type == INT for a in v.args)):
            self.err("int is not allowed after opt.intrep")
        check = _EXTRA.get(op)
        if check is not None:
            message = check(v)
            if message:
                self.err(message)

    def check_call(self, args: list[Value], ret: int, params: list[int], want: int, flags: int) -> None:
        have = [a.type for a in args]
        if have != params or ret != want:
            self.err(f"callee is {sig_text(params, want, flags)}, the call is {sig_text(have, ret, 0)}")

    # -- terminators and edges

    def check_term(self, b: Block) -> None:
        term = b.term
        if not 0 <= term < len(TERM_NAMES):
            self.err(f"terminator {term} does not exist")
            return
        nsuccs = {JUMP: 1, BRIF: 2, RET: 0, TRAP: 0}.get(term, len(b.cases) + 1)
        if len(b.succs) != nsuccs:
            self.err(f"{TERM_NAMES[term]} has {len(b.succs)} successors instead of {nsuccs}")
        if len(b.sargs) != len(b.succs):
            self.err(f"{len(b.sargs)} lists of edge arguments for {len(b.succs)} edges")
        want = [t.type for t in b.targs]
        if term == BRIF and want != [I32]:
            self.err("brif takes one i32")
        elif term == SWITCH:
            if want != [I64]:
                self.err("switch takes one i64")
            if len(set(b.cases)) != len(b.cases):
                self.err("a case occurs twice")
        elif term == RET:
            ret = self.fn.sym.ret
            if want != ([] if ret == VOID else [ret]):
                self.err(f"the function returns {TYPE_NAMES[ret]}")
        elif term in (JUMP, TRAP) and want:
            self.err(f"{TERM_NAMES[term]} takes no argument")
        for i, s in enumerate(b.succs):
            args = b.sargs[i] if i < len(b.sargs) else []
            if [a.type for a in args] != [p.type for p in s.params]:
                types = ", ".join(TYPE_NAMES[a.type] for a in args)
                self.err(f"edge {i} passes ({types}) to {s!r}{params_text(s.params)}")
            if s is self.fn.blocks[0]:
                self.err("an edge leads to the entry block")

    # -- the whole function

    def run(self) -> None:
        fn = self.fn
        if not fn.blocks:
            self.err("no blocks")
            return
        known = bytearray(fn.nblocks)
        for b in fn.blocks:
            self.where = id(b)
            if not 0 <= b.id < fn.nblocks or known[b.id]:
                self.err(f"block id {b.id} is out of range or not unique")
                return
            known[b.id] = 1
        self.where = id(fn.blocks[0])
        if [p.type for p in fn.params] != fn.sym.params:
            self.err(f"parameters differ from the symbol's {sig_text(fn.sym.params, fn.sym.ret, 0)}")
        places: dict[int, Value] = {}
        for b in fn.blocks:
            self.where = id(b)
            for p in b.params:
                if p.op != PARAM:
                    self.err(f"{p!r} is no parameter")
                self.declare(places, p)
            for v in b.values:
                self.where = id(v)
                self.declare(places, v)
                self.check_value(v)
            self.where = id(b.targs)
            for s in b.succs:
                if not (0 <= s.id < fn.nblocks and known[s.id]):
                    self.err(f"{s!r} is not a block of this function")
                    return
            self.check_term(b)
        self.check_dominance(places)

    def declare(self, places: dict[int, Value], v: Value) -> None:
        if not 0 <= v.id < self.fn.nvalues or v.id in places:
            self.err(f"id of {v!r} is out of range or not unique")
        places[v.id] = v
        if not self.ints and v.type == INT:
            self.err("int is not allowed after opt.intrep")
        if v.op == PARAM and not VOID < v.type <= INT:
            self.err(f"{v!r} has no type")

    def check_dominance(self, places: dict[int, Value]) -> None:
        """Walk the dominator tree with the set of values defined so far (a bitset)."""
        fn = self.fn
        saved = [b.preds for b in fn.blocks]
        cfg.compute_preds(fn)
        dom = cfg.DomTree(fn)
        for b, preds in zip(fn.blocks, saved, strict=True):
            b.preds = preds  # a verifier leaves no trace
        stack: list[tuple[Block, int]] = [(fn.blocks[0], 0)]
        while stack:
            b, live = stack.pop()
            for p in b.params:
                live |= 1 << p.id
            for v in b.values:
                self.where = id(v)
                self.check_uses(v.args, live, places)
                live |= 1 << v.id
            self.where = id(b.targs)
            self.check_uses(b.targs, live, places)
            for args in b.sargs:
                self.check_uses(args, live, places)
            stack.extend((c, live) for c in dom.children[b.id])

    def check_uses(self, args: list[Value], live: int, places: dict[int, Value]) -> None:
        for a in args:
            if places.get(a.id) is not a:
                self.err(f"{a!r} is not defined in this function")
            elif not live >> a.id & 1:
                self.err(f"{a!r} is used where its definition does not dominate")
            elif a.type == VOID:
                self.err(f"{a!r} has no value")

    def report(self) -> str:
        fn = self.fn
        sym = fn.sym
        out = [f"fun @{sym.name}{params_text(fn.blocks[0].params if fn.blocks else [])} {TYPE_NAMES[sym.ret]} {{"]
        pending = dict(self.errors)
        first = next(iter(pending.values()))[0]

        def add(line: str, key: int) -> None:
            out.append(line)
            out.extend("^^^ " + m for m in pending.pop(key, ()))

        for i, b in enumerate(fn.blocks):
            add(block_head(b, i == 0), id(b))
            for v in b.values:
                add("    " + value_text(v), id(v))
            add("    " + term_text(b), id(b.targs))
        out.append("}")
        for messages in pending.values():
            out.extend("^^^ " + m for m in messages)
        return f"IR of @{sym.name} is invalid: {first}\n" + "\n".join(out)


def _check_iconst(v: Value) -> str:
    bits = {I32: 32, INT: 0}.get(v.type, 64)
    if bits and not -(1 << (bits - 1)) <= v.imm < 1 << bits:
        return f"constant does not fit {TYPE_NAMES[v.type]}"
    return ""


def _check_symaddr(v: Value) -> str:
    return "" if isinstance(v.sym, FuncSym | DataSym) else "symaddr without a symbol"


def _check_alloca(v: Value) -> str:
    return "" if v.imm > 0 else "size is not positive"


def _check_alloc(v: Value) -> str:
    return "" if v.imm > 0 and isinstance(v.sym, FuncSym | DataSym | None) else "bad size or descriptor"


def _check_fconst(v: Value) -> str:
    return "" if -(1 << 63) <= v.imm < 1 << 64 else "more than 64 bits"


def _check_toint(v: Value) -> str:
    return "" if v.sym is None or (len(v.sym) == 2 and v.sym[0] <= v.sym[1]) else "bad range"


_EXTRA: Final[dict[int, Callable[[Value], str]]] = {
    ICONST: _check_iconst,
    FCONST: _check_fconst,
    SYMADDR: _check_symaddr,
    ALLOCA: _check_alloca,
    ALLOC: _check_alloc,
    TOINT: _check_toint,
}


def verify(fn: Func, ints: bool = True) -> None:
    """Raise AssertionError, with the function printed, unless `fn` is well formed.

    ints: are INT values allowed (False once opt.intrep has run).
    """
    c = _Checker(fn, ints)
    c.run()
    if c.errors:
        raise AssertionError(c.report())


def verify_module(m: Module, ints: bool = True) -> None:
    """Verify every function."""
    for fn in m.funcs:
        verify(fn, ints)
