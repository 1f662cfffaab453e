"""Go-syntax assembly text to LSyms.

Statements end at a newline or `;`.  A statement is `label:`, a directive (TEXT, GLOBL, DATA) or an
opcode with operands.  Operands, in Go's grammar:

    R            register                    $expr        constant
    off(R)       memory                      $(1.5)       float constant
    off(R)(I*n)  memory with index           $"text"      bytes (DATA only)
    sym+off(SB)  symbol                      $sym(SB)     its address
    x-8(SP)      local, x+8(FP)  argument    *mem         indirect call
    label, n(PC) branch target

Constants are expressions (asmlex.py).  A middle dot in a name is a period, a division slash a slash; a
leading dot takes the package's name.

Every error is an AsmError whose `pos` is `line << 12 | column`.
"""

from __future__ import annotations

import struct
from typing import Final

from backend.obj.asmlex import Expressions, position, unquote
from backend.obj.ctx import AsmError, Ctx
from backend.obj.plist import Arch, assemble_function
from backend.obj.prog import (
    ADDR,
    BRANCH,
    CONST,
    FCONST,
    INDIR,
    MEM,
    NAME_AUTO,
    NAME_EXTERN,
    NAME_PARAM,
    NAME_STATIC,
    REG,
    SCONST,
    SPECIAL,
    TEXTSIZE,
    Addr,
    Prog,
)
from backend.obj.sym import A_DUPOK, A_HIDDEN, A_UNDEF, SBSS, SDATA, SRODATA, STLSBSS, LSym, Reloc
from backend.obj.portable import ANOP, APCALIGN, APCALIGNMAX, ATEXT

# Symbol flags (Go's textflag.h).
FLAGS: Final = {
    "NOPROF": 1, "DUPOK": 2, "NOSPLIT": 4, "RODATA": 8, "NOPTR": 16, "WRAPPER": 32, "NEEDCTXT": 64, "LOCAL": 128,
    "TLSBSS": 256, "NOFRAME": 512, "REFLECTMETHOD": 1024, "TOPFRAME": 2048,
}  # fmt: skip
F_DUPOK: Final = 2
F_RODATA: Final = 8
F_LOCAL: Final = 128
F_TLSBSS: Final = 256

_INFINITY: Final = float("inf")
_MASK64: Final = (1 << 64) - 1
MAX_DATA: Final = 1 << 26  # initialised bytes per symbol: a typing error should not fill the memory


class Parser(Expressions):
    """One file under assembly.  After `run`, `symbols` holds what it defined, in order."""

    __slots__ = (
        "arch",
        "ctx",
        "package",
        "toks",
        "i",
        "symbols",
        "text",
        "progs",
        "label",
        "labels",
        "data_end",
        "bad",
    )

    def __init__(self, arch: Arch, ctx: Ctx, source: str, package: str = "") -> None:
        super().__init__(source)
        self.arch = arch
        self.ctx = ctx
        self.package = package
        self.symbols: list[LSym] = []
        self.text: LSym | None = None
        self.progs: list[Prog] = []
        self.label: list[str] = []  # labels waiting for the next instruction
        self.labels: dict[str, Prog] = {}
        self.data_end: dict[LSym, int] = {}  # symbols with DATA that wait for their GLOBL
        self.bad = False

    # -- statements ----------------------------------------------------------------------------------

    def run(self) -> None:
        """Parses and assembles everything; errors end up in ctx.errors."""
        toks = self.toks
        while self.i < len(toks):
            try:
                self.statement()
            except (AsmError, RecursionError) as e:
                if not isinstance(e, AsmError):
                    e = AsmError(toks[self.i][2], "expression is nested too deeply")
                self.ctx.errors.append(e)
                self.bad = True
                while toks[self.i][0] != ";":
                    self.i += 1
                self.i += 1
        self.end_text()

    def statement(self) -> None:
        kind, word, pos = self.toks[self.i]
        if kind == ";":
            self.i += 1
            return
        if kind == "#":
            self.preprocessor_line()
            return
        if kind != "name":
            raise AsmError(pos, f"expected an instruction, found {word}")
        if self.toks[self.i + 1][0] == ":":
            self.i += 2
            self.define_label(word, pos)
            return
        self.i += 1
        if word == "TEXT":
            self.parse_text(pos)
        elif word == "GLOBL":
            self.parse_globl(pos)
        elif word == "DATA":
            self.parse_data(pos)
        elif word == "END":
            self.i = len(self.toks) - 1
        else:
            self.instruction(word, pos)
        kind, word, pos = self.toks[self.i]
        if kind != ";":
            raise AsmError(pos, f"unexpected {word} after the operands")
        self.i += 1

    def preprocessor_line(self) -> None:
        """`#include "textflag.h"` is understood (its names are known); there is no preprocessor."""
        toks = self.toks
        name, pos = toks[self.i + 1][1], toks[self.i][2]
        if name != "include" or toks[self.i + 2][1] != '"textflag.h"':
            raise AsmError(pos, "preprocessor directives are not supported")
        self.i += 3

    def define_label(self, name: str, pos: int) -> None:
        if self.text is None:
            raise AsmError(pos, f"label {name} outside a function")
        if name in self.labels or name in self.label:
            raise AsmError(pos, f"label {name} defined twice")
        self.label.append(name)

    def instruction(self, word: str, pos: int) -> None:
        as_ = self.arch.ops.get(word)
        scond = 0
        if as_ is None:
            base, _, suffix = word.rpartition(".")
            as_ = self.arch.ops.get(base)
            scond = self.arch.suffixes.get(suffix, 0)
            if as_ is None or not scond:
                raise AsmError(pos, f"unrecognized instruction {word}")
        if self.text is None:
            raise AsmError(pos, f"{word} outside a function")
        args: list[Addr] = []
        toks = self.toks
        if toks[self.i][0] != ";":
            while True:
                args.append(self.operand())
                if toks[self.i][0] != ",":
                    break
                self.i += 1
        p = Prog(as_, args, pos)
        p.scond = scond
        names = self.arch.specials.get(as_)
        if names is not None:
            for a in args:
                if a.kind == BRANCH and type(a.sym) is str and a.sym in names:
                    a.kind, a.offset, a.sym = SPECIAL, names[a.sym], None
        if toks[self.i][0] != ";":
            raise AsmError(toks[self.i][2], f"unexpected {toks[self.i][1]} after the operands")
        if (as_ == APCALIGN and len(args) != 1) or (as_ == APCALIGNMAX and len(args) != 2):
            raise AsmError(pos, f"{word} takes {'one operand' if as_ == APCALIGN else 'two operands'}")
        for name in self.label:
            self.labels[name] = p
        self.label.clear()
        self.progs.append(p)

    def end_text(self) -> None:
        """Assembles the function that is open."""
        text = self.text
        if text is None:
            return
        progs = self.progs
        if self.label:
            p = Prog(ANOP, [], self.toks[-1][2])
            for name in self.label:
                self.labels[name] = p
            self.label.clear()
            progs.append(p)
        if not self.bad:  # a label that an error swallowed would only lead to more messages
            complete = True
            for p in progs:
                for a in p.args:
                    if a.kind == BRANCH and type(a.sym) is str:
                        target = self.labels.get(a.sym)
                        if target is None:
                            self.ctx.errors.append(AsmError(p.pos, f"undefined label {a.sym}"))
                            complete = False
                        a.sym = target
            if complete:
                assemble_function(self.arch, self.ctx, text, progs)
        self.bad = False
        self.text = None
        self.progs = []
        self.labels = {}

    def parse_text(self, pos: int) -> None:
        self.end_text()
        s, offset = self.symbol_operand()
        if offset:
            raise AsmError(pos, "TEXT symbol with an offset")
        self.expect(",")
        flags = self.flags() if self.toks[self.i][0] != "$" else 0
        size, args = 0, 0
        if self.toks[self.i][0] == ",":
            self.i += 1
        if self.toks[self.i][0] == "$":
            self.i += 1
            negative = self.toks[self.i][0] == "-"
            if negative:
                self.i += 1
            size = self.number()
            if negative:
                size = -size
            if self.toks[self.i][0] == "-":
                self.i += 1
                args = self.number()
        if not s.attrs & A_UNDEF:
            raise AsmError(pos, f"symbol {s.name} redeclared")
        self.define(s, 0, flags)
        self.text = s
        tail = Addr(TEXTSIZE, offset=size)
        tail.val = args
        self.progs = [Prog(ATEXT, [Addr(CONST, offset=flags), tail], pos)]

    def define(self, s: LSym, kind: int, flags: int) -> None:
        s.kind = kind
        s.attrs &= ~A_UNDEF
        if flags & F_DUPOK:
            s.attrs |= A_DUPOK
        if flags & F_LOCAL:
            s.attrs |= A_HIDDEN
        if s not in self.symbols:
            self.symbols.append(s)

    def parse_globl(self, pos: int) -> None:
        known = len(self.ctx.syms) + len(self.ctx.statics)
        s, offset = self.symbol_operand()
        used = len(self.ctx.syms) + len(self.ctx.statics) == known and s not in self.data_end
        self.expect(",")
        flags = self.flags() if self.toks[self.i][0] != "$" else 0
        if self.toks[self.i][0] == ",":
            self.i += 1
        self.expect("$")
        size = self.expression()
        if offset or size < 0 or size >= 1 << 31:
            raise AsmError(pos, "bad size or offset in GLOBL")
        if s in self.symbols and s not in self.data_end:
            raise AsmError(pos, f"symbol {s.name} redeclared")
        if size < len(s.data):
            raise AsmError(pos, f"size of {s.name} is smaller than its DATA")
        if flags & F_TLSBSS:
            if used and s.kind != STLSBSS:  # the instructions before took it for an ordinary symbol
                raise AsmError(pos, f"thread-local symbol {s.name} must be declared before its first use")
            kind = STLSBSS
        elif flags & F_RODATA:
            kind = SRODATA
        else:
            kind = SDATA if s.data else SBSS
        if kind in (SDATA, SRODATA):
            if size > MAX_DATA:
                raise AsmError(pos, f"{s.name} is larger than {MAX_DATA} bytes")
            s.data += bytes(size - len(s.data))
        self.define(s, kind, flags)
        self.data_end.pop(s, None)
        s.size = size
        s.align = 1
        while s.align < min(size, 16):
            s.align *= 2

    def parse_data(self, pos: int) -> None:
        s, offset = self.symbol_operand()
        self.expect("/")
        width = self.number()
        if width not in (1, 2, 4, 8):
            raise AsmError(pos, "DATA width must be 1, 2, 4 or 8")
        self.expect(",")
        a = self.operand()
        if offset < len(s.data):
            raise AsmError(pos, f"DATA for {s.name} goes back or overlaps")
        if not 0 <= offset < MAX_DATA:
            raise AsmError(pos, f"bad offset {offset} in DATA")
        s.data += bytes(offset - len(s.data))
        order = "big" if self.arch.big_endian else "little"
        if a.kind == CONST:
            s.data += (a.offset & (1 << 8 * width) - 1).to_bytes(width, "big" if order == "big" else "little")
        elif a.kind == FCONST and width >= 4:
            value = struct.unpack("<d", (a.offset & _MASK64).to_bytes(8, "little"))[0]
            try:
                s.data += struct.pack((">" if order == "big" else "<") + ("f" if width == 4 else "d"), value)
            except OverflowError:
                raise AsmError(pos, "constant does not fit in a 32-bit float") from None
        elif a.kind == SCONST:
            data: bytes = a.val
            if len(data) > width:
                raise AsmError(pos, "string is longer than the DATA width")
            s.data += data + bytes(width - len(data))
        elif a.kind == ADDR and a.sym is not None and a.reg == 0 and width == self.arch.ptr_size:
            s.relocs.append(Reloc(offset, width, "R_ADDR", a.sym, a.offset))
            s.data += bytes(width)
        else:
            raise AsmError(pos, "bad value in DATA")
        self.data_end[s] = offset + width

    # -- operands ------------------------------------------------------------------------------------

    def flags(self) -> int:
        """Symbol flags: names and numbers joined with | or +."""
        value = 0
        while True:
            kind, word, pos = self.toks[self.i]
            if kind == "name":
                if word not in FLAGS:
                    raise AsmError(pos, f"unknown symbol flag {word}")
                value |= FLAGS[word]
                self.i += 1
            elif kind == "(":
                value |= self.factor()
            else:
                value |= self.number()
            if self.toks[self.i][0] not in ("|", "+"):
                return value
            self.i += 1

    def operand(self) -> Addr:
        kind, word, pos = self.toks[self.i]
        if kind == "$":
            self.i += 1
            return self.immediate()
        if self.arch.parse_operand is not None:
            found: Addr | None = self.arch.parse_operand(self)
            if found is not None:
                return found
        if kind == "*":
            self.i += 1
            a = self.operand()
            if a.kind != MEM:
                raise AsmError(pos, "* needs a memory operand")
            a.kind = INDIR
            return a
        if kind == "name":
            reg = self.arch.regs.get(word)
            if reg is not None and self.toks[self.i + 1][0] != "(":
                self.i += 1
                return Addr(REG, reg)
            return self.named()
        if kind == "[":
            return self.register_list()
        return self.memory()

    def register_list(self) -> Addr:
        pos = self.toks[self.i][2]
        raise AsmError(pos, "register lists need an AVX-512 instruction")

    def immediate(self) -> Addr:
        kind, word, pos = self.toks[self.i]
        if kind == "str":
            self.i += 1
            a = Addr(SCONST)
            a.val = unquote(word, pos).encode("utf-8", "surrogateescape")
            return a
        if kind == "name" and word not in self.arch.regs:
            a = self.named()
            if a.kind != MEM:
                raise AsmError(pos, f"${word} is not an address")
            a.kind = ADDR
            return a
        save = self.i
        negative = False
        depth = 0
        while self.toks[self.i][0] in ("(", "-", "+"):
            if self.toks[self.i][0] == "(":
                depth += 1
            elif self.toks[self.i][0] == "-":
                negative = not negative
            self.i += 1
        if self.toks[self.i][0] == "float":
            value = float(self.toks[self.i][1])
            if value in (_INFINITY, -_INFINITY):
                raise AsmError(pos, f"constant {self.toks[self.i][1]} does not fit in a float")
            self.i += 1
            for _ in range(depth):
                self.expect(")")
            bits = int.from_bytes(struct.pack("<d", -value if negative else value), "little")
            return Addr(FCONST, offset=bits)
        self.i = save
        if kind == "(" and self._register_follows():
            a = self.memory()
            a.kind = ADDR
            return a
        value_int = self.expression()
        if self.toks[self.i][0] == "(":
            a = self.memory(value_int)
            a.kind = ADDR
            return a
        return Addr(CONST, offset=value_int)

    def _register_follows(self) -> bool:
        kind, word, _ = self.toks[self.i + 1]
        return kind == "name" and (word in self.arch.regs or word in ("SB", "FP", "PC"))

    def named(self) -> Addr:
        """name, name+off(SB), name<>(SB), name-8(SP), name+8(FP)."""
        _, word, pos = self.toks[self.i]
        self.i += 1
        static = False
        toks = self.toks
        if toks[self.i][0] == "<":
            if toks[self.i + 1][0] == ">":
                static = True
                self.i += 2
            elif toks[self.i + 1][0] == "name" and toks[self.i + 2][0] == ">":
                abi = toks[self.i + 1][1]
                if abi not in ("ABIInternal", "ABI0"):
                    raise AsmError(toks[self.i][2], f"malformed ABI selector {abi}")
                self.i += 3
        offset = 0
        if toks[self.i][0] in ("+", "-"):
            offset = self.expression()
        if toks[self.i][0] != "(":
            if static or offset:
                raise AsmError(pos, f"{word} needs (SB), (FP) or (SP)")
            return Addr(BRANCH, sym=word)
        self.i += 1
        base = self.expect("name")
        self.expect(")")
        name = self.full_name(word)
        if base == "SB":
            a = Addr(MEM, offset=offset, name=NAME_STATIC if static else NAME_EXTERN, sym=self.ctx.lookup(name, static))
        elif base == "SP":
            a = Addr(MEM, offset=offset, name=NAME_AUTO)
        elif base == "FP":
            a = Addr(MEM, offset=offset, name=NAME_PARAM)
        else:
            raise AsmError(pos, f"a name is relative to SB, SP or FP, not {base}")
        if toks[self.i][0] == "(":
            self.index(a)
        return a

    def full_name(self, word: str) -> str:
        name = word.replace("\u00b7", ".").replace("\u2215", "/")
        return self.package + name if name[0] == "." and self.package else name.removeprefix(".")

    def symbol_operand(self) -> tuple[LSym, int]:
        kind, word, pos = self.toks[self.i]
        if kind != "name":
            raise AsmError(pos, f"expected a symbol, found {'end of line' if kind == ';' else word}")
        a = self.named()
        if a.kind != MEM or a.sym is None:
            raise AsmError(pos, "expected a symbol relative to SB")
        return a.sym, a.offset

    def memory(self, offset: int | None = None) -> Addr:
        """off(R), off(R)(I*n), (I*n), n(PC)."""
        toks = self.toks
        pos = toks[self.i][2]
        if offset is None:
            offset = 0
            if not (toks[self.i][0] == "(" and self._register_follows()):
                offset = self.expression()
        if toks[self.i][0] != "(":
            raise AsmError(pos, "expected an operand")
        a = Addr(MEM, offset=offset)
        if toks[self.i + 1][1] == "PC" and toks[self.i + 2][0] == ")":
            self.i += 3
            a = Addr(BRANCH, offset=offset)
            a.val = "pc"
            return a
        if toks[self.i + 2][0] != "*":
            _, word, pos = toks[self.i + 1]
            reg = self.arch.regs.get(word)
            if reg is None:
                raise AsmError(pos, f"{word} is not a register")
            self.i += 2
            self.expect(")")
            a.reg = reg
        if toks[self.i][0] == "(":
            self.index(a)
        return a

    def index(self, a: Addr) -> None:
        if self.arch.parse_index is not None:
            self.arch.parse_index(self, a)
            return
        self.expect("(")
        word, pos = self.toks[self.i][1], self.toks[self.i][2]
        self.expect("name")
        reg = self.arch.regs.get(word)
        if reg is None:
            raise AsmError(pos, f"{word} is not a register")
        a.index, a.scale = reg, 1
        if self.toks[self.i][0] == "*":
            self.i += 1
            a.scale = self.number()
        self.expect(")")


def parse_assembly(arch: Arch, ctx: Ctx, source: str, package: str = "") -> list[LSym]:
    """Assembles a file.  The result lists the defined symbols and constants; errors are in ctx.errors.

    >>> from backend import load_arch
    >>> [s.data.hex() for s in parse_assembly(load_arch("amd64"), Ctx(), "TEXT f(SB), NOSPLIT, $0\\n RET\\n")]
    ['c3']
    """
    try:
        parser = Parser(arch, ctx, source, package)
    except AsmError as e:
        ctx.errors.append(e)
        return []
    parser.run()
    for s in () if ctx.errors else parser.data_end:
        ctx.errors.append(AsmError(1 << 12 | 1, f"DATA for {s.name} without GLOBL"))
    ctx.errors.sort(key=_by_position)
    return parser.symbols + list(ctx.constants.values())


def _by_position(e: AsmError) -> int:
    return e.pos


__all__ = ["Parser", "parse_assembly", "position"]
