"""Reads the text that `ir.printer` writes: for tests and for looking into a pass by hand.

A function's ids are those of the text; values without a result get fresh ones.  Malformed text
raises IRSyntaxError with the line number.  Grammar in docs/ir.md.
"""

from __future__ import annotations


from mochic.ir.floats import float_bits
from mochic.ir.func import Block, DataSym, Func, FuncSym, Module, Sig, Value
from mochic.ir.ops import (
    ALLOC, ALLOCA, BRIF, CALL, CALLI, FCONST, ICONST, IS_LOAD, IS_STORE, JUMP, OP_BY_NAME, RET, SWITCH, SYMADDR,
    TERM_NAMES, TOINT, TRAP,
)  # fmt: skip
from mochic.ir.printer import FLAG_NAMES
from mochic.ir.types import TYPE_BY_NAME, VOID

_PUNCT = "(),:=[]{}!"
_FLAGS = {name: bit for bit, name in FLAG_NAMES}
_TERMS = {name: i for i, name in enumerate(TERM_NAMES)}


class IRSyntaxError(Exception):
    """The text is not IR.  `line` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line


def _words(line: str) -> list[str]:
    """Split into words and punctuation; `+8` and `-8` behind a name are words of their own."""
    out: list[str] = []
    i = 0
    n = len(line)
    while i < n:
        c = line[i]
        if c in " \t":
            i += 1
            continue
        if c in _PUNCT:
            out.append(c)
            i += 1
            continue
        start = i
        symbol = c == "@"  # a symbol's name may hold any character but these
        i += 1
        while i < n and line[i] not in " \t" + _PUNCT:
            if not symbol and line[i] in "+-" and not (line[i - 1] in "eE" and line[start] in "-.0123456789"):
                break
            if symbol and line[i] in "+-" and line[i + 1 : i + 2].isdigit():
                break
            i += 1
        out.append(line[start:i])
    return out


class _Pending:
    """A line of a body, kept until all values of the function are known."""

    __slots__ = ("line", "words", "block", "value")

    def __init__(self, line: int, words: list[str], block: Block, value: Value | None) -> None:
        self.line = line
        self.words = words
        self.block = block
        self.value = value


class Parser:
    """Reads one module.  `module.funcs` and `module.data` are in the order of the text."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.at = 0
        self.words: list[str] = []
        self.i = 0
        self.module = Module()
        self.funcs: dict[str, FuncSym] = {}
        self.data: dict[str, DataSym] = {}
        self.values: dict[int, Value] = {}
        self.blocks: dict[int, Block] = {}

    def fail(self, message: str) -> IRSyntaxError:
        return IRSyntaxError(self.at, message)

    # -- words

    def next(self) -> str:
        if self.i >= len(self.words):
            raise self.fail("unexpected end of line")
        w = self.words[self.i]
        self.i += 1
        return w

    def peek(self) -> str:
        return self.words[self.i] if self.i < len(self.words) else ""

    def accept(self, word: str) -> bool:
        if self.peek() == word:
            self.i += 1
            return True
        return False

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.fail(f"expected `{word}`, found `{self.peek()}`")

    def end(self) -> None:
        if self.i < len(self.words):
            raise self.fail(f"unexpected `{self.peek()}`")

    def integer(self) -> int:
        w = self.next()
        try:
            return int(w, 0)
        except ValueError:
            raise self.fail(f"`{w}` is no integer") from None

    def type(self) -> int:
        w = self.next()
        if w not in TYPE_BY_NAME:
            raise self.fail(f"`{w}` is no type")
        return TYPE_BY_NAME[w]

    def offset(self) -> int:
        w = self.peek()
        return self.integer() if w[:1] in ("+", "-") else 0

    def symbol_name(self) -> str:
        w = self.next()
        if w[0] != "@" or len(w) < 2:
            raise self.fail(f"expected @symbol, found `{w}`")
        return w[1:]

    def sig(self) -> tuple[list[int], int, int]:
        self.expect("(")
        params: list[int] = []
        while not self.accept(")"):
            if params:
                self.expect(",")
            params.append(self.type())
        ret = self.type() if self.peek() in TYPE_BY_NAME else VOID
        return params, ret, self.flags()

    def flags(self) -> int:
        flags = 0
        while self.peek() in _FLAGS:
            flags |= _FLAGS[self.next()]
        return flags

    # -- the module

    def parse(self) -> Module:
        """Declarations first, so that bodies may refer to what follows them."""
        heads: list[tuple[int, FuncSym]] = []
        for n, line in enumerate(self.lines, 1):
            self.at = n
            word = line.split(None, 1)[0] if line.strip() else ""
            if word not in ("fun", "extern", "data"):
                continue
            self.words = _words(line.partition(";")[0])
            self.i = 1
            if word == "data":
                self.declare_data()
            else:
                sym = self.declare_func(word == "fun")
                if word == "fun":
                    heads.append((n, sym))
        self.link_data()
        covered = 0
        for n, sym in heads:
            self.check_gap(covered, n - 1)
            self.at = n
            covered = self.body(sym)
        self.check_gap(covered, len(self.lines))
        return self.module

    def check_gap(self, lo: int, hi: int) -> None:
        for n in range(lo, hi):
            line = self.lines[n].partition(";")[0].split(None, 1)
            if line and line[0] not in ("data", "extern"):
                raise IRSyntaxError(n + 1, f"unexpected `{line[0]}` outside a function")

    def declare_func(self, named: bool) -> FuncSym:
        name = self.symbol_name()
        if name in self.funcs:
            raise self.fail(f"@{name} is declared twice")
        if named:
            words = self.words
            lo = self.i
            hi = words.index(")") if ")" in words else len(words)
            # Drop the parameters' names: `(v0 i64, v1 ref)` declares (i64, ref).
            self.words = words[:lo] + [w for w in words[lo:hi] if w[0] != "v"] + words[hi:]
        params, ret, flags = self.sig()
        if named:
            self.expect("{")
        self.end()
        sym = FuncSym(name, params, ret, flags)
        self.funcs[name] = sym
        return sym

    def declare_data(self) -> None:
        name = self.symbol_name()
        if name in self.data:
            raise self.fail(f"@{name} is declared twice")
        d = DataSym(name, self.next(), None)
        self.data[name] = d
        self.module.data.append(d)
        if not self.accept("extern"):
            self.expect("align")
            d.align = self.integer()
            self.expect("size")
            d.size = self.integer()
            d.local = not self.accept("global")
            if self.accept("="):
                try:
                    d.data = bytes.fromhex(self.next())
                except ValueError:
                    raise self.fail("bad hexadecimal bytes") from None
            else:
                d.data = b"" if d.kind == "bss" else bytes(d.size)

    def link_data(self) -> None:
        for n, line in enumerate(self.lines, 1):
            if not line.startswith("data"):
                continue
            self.at = n
            self.words = _words(line.partition(";")[0])
            self.i = 1
            d = self.data[self.symbol_name()]
            while self.i < len(self.words):
                if not self.accept("{"):
                    self.i += 1
                    continue
                off = self.integer()
                self.expect(":")
                sym = self.symbol()
                d.items[off] = (sym, self.offset())
                self.expect("}")

    def symbol(self) -> FuncSym | DataSym:
        name = self.symbol_name()
        sym = self.funcs.get(name) or self.data.get(name)
        if sym is None:
            raise self.fail(f"@{name} is not declared")
        return sym

    # -- a function

    def body(self, sym: FuncSym) -> int:
        fn = Func(sym)
        self.module.funcs.append(fn)
        self.values = {}
        self.blocks = {}
        start = self.at
        self.words = _words(self.lines[start - 1].partition(";")[0])
        self.i = 2
        params = self.params()
        pending: list[_Pending] = []
        b: Block | None = None
        closed = True
        n = start
        while True:
            if n >= len(self.lines):
                raise self.fail(f"@{sym.name} has no end")
            self.at = n = n + 1
            text, _, comment = self.lines[n - 1].partition(";")
            self.words = words = _words(text)
            self.i = 0
            if not words:
                continue
            if words == ["}"]:
                break
            if words[0][0] == "b" and words[0][1:].isdigit():
                if b is not None and not closed:
                    raise self.fail(f"{b!r} has no terminator")
                b = self.block_head(fn, params)
                b.cold = "cold" in comment.split()
                closed = False
                continue
            if b is None or closed:
                raise self.fail("expected a block")
            if words[0] in _TERMS:
                closed = True
                hints = comment.split()
                b.hint = 1 if "likely" in hints else -1 if "unlikely" in hints else 0
                pending.append(_Pending(n, words, b, None))
            else:
                v = self.value_head()
                b.values.append(v)
                pending.append(_Pending(n, words[self.i :], b, v))
        if b is None or not closed:
            raise self.fail("the last block has no terminator")
        fn.nblocks = max(self.blocks) + 1
        fn.nvalues = max(self.values, default=-1) + 1
        for p in pending:
            self.at = p.line
            self.words = p.words
            self.i = 0
            if p.value is None:
                self.term(p.block)
            else:
                if p.value.id < 0:
                    p.value.id = fn.nvalues
                    fn.nvalues += 1
                self.operands(p.value)
                if self.accept("!"):
                    p.value.pos = self.integer()
            self.end()
        return n

    def define(self, op: int, type: int, name: str) -> Value:
        if name[0] != "v" or not name[1:].isdigit():
            raise self.fail(f"`{name}` is no value")
        id = int(name[1:])
        if id in self.values:
            raise self.fail(f"{name} is defined twice")
        v = Value(id, op, type, [], 0, None, 0)
        self.values[id] = v
        return v

    def params(self) -> list[Value]:
        out: list[Value] = []
        if self.accept("("):
            while not self.accept(")"):
                if out:
                    self.expect(",")
                name = self.next()
                out.append(self.define(-1, self.type(), name))
        return out

    def block_head(self, fn: Func, params: list[Value]) -> Block:
        id = int(self.next()[1:])
        if id in self.blocks:
            raise self.fail(f"b{id} is defined twice")
        b = Block(id)
        b.params = self.params()
        self.expect(":")
        self.end()
        if not fn.blocks:
            if b.params:
                raise self.fail("the entry's parameters are the function's")
            b.params = params
        fn.blocks.append(b)
        self.blocks[id] = b
        return b

    def value_head(self) -> Value:
        if len(self.words) > 2 and self.words[2] == "=":
            name = self.next()
            v = self.define(0, self.type(), name)
            self.i += 1
        else:
            v = Value(-1, 0, VOID, [], 0, None, 0)
        op = self.next()
        if op not in OP_BY_NAME:
            raise self.fail(f"`{op}` is no operation")
        v.op = OP_BY_NAME[op]
        return v

    def value(self) -> Value:
        w = self.next()
        v = self.values.get(int(w[1:])) if w[0] == "v" and w[1:].isdigit() else None
        if v is None:
            raise self.fail(f"`{w}` is not defined")
        return v

    def value_list(self) -> list[Value]:
        out: list[Value] = []
        self.expect("(")
        while not self.accept(")"):
            if out:
                self.expect(",")
            out.append(self.value())
        return out

    def float_bits(self) -> int:
        w = self.next()
        try:
            if w[:2] == "0x":
                return int(w, 16)
            return float_bits(float(w))
        except ValueError:
            raise self.fail(f"`{w}` is no number") from None

    def operands(self, v: Value) -> None:
        op = v.op
        if op == ICONST or op == ALLOCA:
            v.imm = self.integer()
        elif op == FCONST:
            v.imm = self.float_bits()
        elif op == SYMADDR:
            v.sym = self.symbol()
            v.imm = self.offset()
        elif op == ALLOC:
            v.imm = self.integer()
            if self.peek()[:1] == "@":
                v.sym = self.symbol()
        elif op == CALL:
            v.sym = self.symbol()
            v.args = self.value_list()
        elif op == CALLI:
            v.args = [self.value()]
            v.args += self.value_list()
            if self.accept(":"):
                v.sym = Sig(*self.sig())
        elif IS_LOAD[op] or IS_STORE[op]:
            v.args = [self.value()]
            v.imm = self.offset()
            if IS_STORE[op]:
                self.expect(",")
                v.args.append(self.value())
            if self.accept("["):
                v.sym = self.next()
                self.expect("]")
        else:
            while self.peek() and self.peek() not in ("[", "!"):
                if v.args:
                    self.expect(",")
                v.args.append(self.value())
            if op == TOINT and self.accept("["):
                lo = self.integer()
                self.expect(",")
                v.sym = (lo, self.integer())
                self.expect("]")

    def edge(self, b: Block) -> None:
        w = self.next()
        to = self.blocks.get(int(w[1:])) if w[0] == "b" and w[1:].isdigit() else None
        if to is None:
            raise self.fail(f"`{w}` is no block")
        b.succs.append(to)
        b.sargs.append(self.value_list() if self.peek() == "(" else [])

    def term(self, b: Block) -> None:
        b.term = term = _TERMS[self.next()]
        if term == JUMP:
            self.edge(b)
        elif term == BRIF:
            b.targs = [self.value()]
            self.expect(",")
            self.edge(b)
            self.expect(",")
            self.edge(b)
        elif term == SWITCH:
            b.targs = [self.value()]
            while self.accept(","):
                if self.peek()[:1] != "b":
                    b.cases.append(self.integer())
                    self.expect(":")
                self.edge(b)
        elif term == RET and self.peek():
            b.targs = [self.value()]
        assert term in (JUMP, BRIF, SWITCH, RET, TRAP)


def parse_module(text: str) -> Module:
    """Read a module.  Example: parse_module('fun @one() i64 {\\nb0:\\n v0 i64 = iconst 1\\n ret v0\\n}')."""
    return Parser(text).parse()


def parse_func(text: str) -> Func:
    """Read a text with one function and return it."""
    return parse_module(text).funcs[-1]
