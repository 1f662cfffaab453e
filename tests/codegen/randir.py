"""Random IR functions that terminate and do nothing undefined, for comparing interpreter, passes and machine code."""

from __future__ import annotations

from random import Random

from mochic.ir.builder import Builder
from mochic.ir.func import COLD, NOGC, DataSym, Func, FuncSym, Module, Value
from mochic.ir.ops import (
    ADD, ADDOV, ALLOCA, AND, CALL, CALLI, CAST, CLZ, CTZ, EQ, FABS, FADD, FBITS, FCONST, FDIV, FEQ, FLE, FLT,
    FMUL, FNE,
    FNEG, FSQRT, FSUB, F2I, I2F, LD, LD8S, LD8U, LD16S, LD16U, LD32S, LD32U, MUL, MULOV, NE, NEG, NOT, OR, POPCNT, SAR,
    SDIV, SELECT, SEXT32, SHL, SHR, SLE, SLT, SREM, ST, ST8, ST16, ST32, SUB, SUBOV, SYMADDR, TRUNC32, UDIV, ULE, ULT,
    UMULH, UREM, XOR, ZEXT32,
)  # fmt: skip
from mochic.ir.types import F64, I32, I64, PTR, REF, TAG, VOID

TYPES = (I64, I64, I64, I64, I32, F64, F64, REF, TAG, PTR)
INTERESTING = (
    0, 1, 2, 3, 5, 7, 8, 10, 16, 100, 255, 256, 1000, 4096, 65535, 1 << 20, (1 << 31) - 1, 1 << 31, 1 << 32,
    (1 << 63) - 1, -(1 << 63), -1, -2, -3, -7, -8, -128, -(1 << 31), -(1 << 31) - 1, 0x5555555555555555,
)  # fmt: skip
DOUBLES = (0.0, -0.0, 1.0, -1.5, 3.25, 1e300, -1e-300, 123456789.0)
MEMORY = 256


def bits_of(x: float) -> int:
    import struct

    return int.from_bytes(struct.pack("<d", x), "little")


class Generator:
    """One function over mutable variables; see `random_module`."""

    def __init__(self, rng: Random, name: str, externs: list[FuncSym], memory: DataSym, objects: DataSym) -> None:
        self.rng = rng
        self.externs = externs
        self.memory = memory
        self.objects = objects
        nparams = rng.randrange(0, 10)
        params = [rng.choice((I64, I64, F64, I32)) for _ in range(nparams)]
        self.fn = Func(FuncSym(name, params, I64))
        self.b = Builder(self.fn)
        self.vars: list[tuple[int, int]] = []  # (key, type)
        self.budget = rng.choice((8, 20, 60))
        self.local: Value | None = None
        for i, t in enumerate(params):
            p = self.fn.new_param(self.fn.blocks[0], t)
            self.b.write(i, p)
            self.vars.append((i, t))

    def const(self, t: int) -> Value:
        rng = self.rng
        if t == F64:
            return self.b.emit(FCONST, F64, [], bits_of(rng.choice(DOUBLES)))
        if t == REF or t == TAG:
            # A traced value: an object, nil, or for a tag a small int.
            if t == TAG and rng.random() < 0.3:
                return self.b.iconst(TAG, 2 * rng.randrange(100) + 1)
            if rng.random() < 0.2:
                return self.b.iconst(t, 0)
            p = self.b.emit(SYMADDR, REF, [], 64 * rng.randrange(4), self.objects)
            return p if t == REF else self.b.emit(CAST, TAG, [p])
        if t == PTR:
            if rng.random() < 0.5:
                r = self.read(REF)
                if r is not None:
                    return self.b.emit(ADD, PTR, [r, self.b.iconst(I64, 8 * rng.randrange(4))])
            return self.b.emit(SYMADDR, PTR, [], 8 * rng.randrange(8), self.memory)
        x = rng.choice(INTERESTING) if rng.random() < 0.7 else rng.randrange(-(1 << 40), 1 << 40)
        if t == I32:
            x = ((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)
        return self.b.iconst(t, x)

    def read(self, t: int) -> Value | None:
        some = [k for k, u in self.vars if u == t]
        return self.b.read(self.rng.choice(some), t) if some else None

    def value(self, t: int, depth: int = 0) -> Value:
        rng = self.rng
        r = rng.random()
        if depth > 3 or r < 0.35:
            v = self.read(t)
            if v is not None:
                return v
        if depth > 3 or r < 0.45:
            return self.const(t)
        return self.expr(t, depth + 1)

    def address(self, depth: int) -> tuple[Value, int]:
        """An address in the memory datum or the alloca, with room for 8 bytes behind base + offset."""
        rng = self.rng
        b = self.b
        if self.local is not None and rng.random() < 0.4:
            base = self.local
            size = 64
        else:
            base = b.emit(SYMADDR, PTR, [], 0, self.memory)
            size = MEMORY
        off = rng.randrange(0, size // 2 - 8)
        if rng.random() < 0.6:
            index = b.emit(AND, I64, [self.value(I64, depth), b.iconst(I64, size // 16 - 1)])
            k = rng.randrange(4)
            if k:
                index = b.emit(SHL, I64, [index, b.iconst(I64, k)])
            base = b.emit(ADD, PTR, [base, index])
            off = min(off, max(0, size - 8 - (size // 16) * 8))
        if rng.random() < 0.3:
            base = self.detour(base)
        return base, off

    def detour(self, base: Value) -> Value:
        """The same address, by way of one that is far away: constants in addresses are taken modulo 2^64."""
        rng = self.rng
        b = self.b
        r = rng.random()
        if r < 0.3:  # an index that is 0 once scaled
            k = rng.randrange(1, 4)
            return b.emit(ADD, PTR, [base, b.emit(SHL, I64, [b.iconst(I64, 1 << (64 - k)), b.iconst(I64, k)])])
        far = rng.choice(INTERESTING) // 2 + rng.randrange(-16, 16)
        if r < 0.6:
            return b.emit(SUB, PTR, [b.emit(ADD, PTR, [base, b.iconst(I64, far)]), b.iconst(I64, far)])
        return b.emit(ADD, PTR, [b.emit(ADD, PTR, [base, b.iconst(I64, far)]), b.iconst(I64, -far)])

    def boolean(self, depth: int) -> Value:
        rng = self.rng
        r = rng.random()
        b = self.b
        if r < 0.5:
            t = rng.choice((I64, I32))
            return b.emit(rng.choice((EQ, NE, SLT, SLE, ULT, ULE)), I32, [self.value(t, depth), self.value(t, depth)])
        if r < 0.7:
            return b.emit(rng.choice((FEQ, FNE, FLT, FLE)), I32, [self.value(F64, depth), self.value(F64, depth)])
        if r < 0.8:
            x, y = self.value(I64, depth), self.value(I64, depth)
            return b.emit(rng.choice((ADDOV, SUBOV, MULOV)), I32, [x, y])
        if r < 0.9:
            c = self.boolean(depth + 1) if depth < 4 else self.const(I32)
            return b.emit(rng.choice((EQ, NE)), I32, [c, b.iconst(I32, 0)])
        t = rng.choice((I64, I32))
        x = b.emit(AND, t, [self.value(t, depth), self.value(t, depth)])
        return b.emit(rng.choice((EQ, NE)), I32, [x, b.iconst(t, 0)])

    def expr(self, t: int, depth: int) -> Value:
        rng = self.rng
        b = self.b

        def val(u: int) -> Value:
            return self.value(u, depth)

        r = rng.random()
        if r < 0.08:
            return b.emit(SELECT, t, [self.boolean(depth), val(t), val(t)])
        if t == F64:
            if r < 0.15:
                return b.emit(I2F, F64, [val(I64)])
            if r < 0.2:
                base, off = self.address(depth)
                raw = b.emit(LD, F64, [base], off)
                return b.emit(SELECT, F64, [b.emit(FEQ, I32, [raw, raw]), raw, self.const(F64)])
            if r < 0.3:
                return b.emit(rng.choice((FNEG, FABS)), F64, [val(F64)])
            if r < 0.35:
                return b.emit(FSQRT, F64, [b.emit(FABS, F64, [val(F64)])])
            return b.emit(rng.choice((FADD, FSUB, FMUL, FDIV)), F64, [val(F64), val(F64)])
        if t == I32:
            if r < 0.2:
                return self.boolean(depth)
            if r < 0.3:
                return b.emit(TRUNC32, I32, [val(I64)])
            if r < 0.4:
                base, off = self.address(depth)
                return b.emit(rng.choice((LD, LD8U, LD8S, LD16U, LD16S)), I32, [base], off)
        if t in (REF, TAG):
            if r < 0.4:
                return b.emit(CAST, t, [val(REF if t == TAG else t)])
            return self.const(t)
        if t == PTR:
            p = self.const(PTR)
            return b.emit(ADD, PTR, [p, b.iconst(I64, 8 * rng.randrange(4))])
        if t == I64:
            if r < 0.12:
                return b.emit(rng.choice((SEXT32, ZEXT32)), I64, [val(I32)])
            if r < 0.18:
                base, off = self.address(depth)
                return b.emit(rng.choice((LD, LD8U, LD8S, LD16U, LD16S, LD32U, LD32S)), I64, [base], off)
            if r < 0.22:
                x = val(F64)  # out of range the result is unspecified (docs/ir.md)
                fits = b.emit(FLT, I32, [b.emit(FABS, F64, [x]), b.emit(FCONST, F64, [], bits_of(2.0**63))])
                return b.emit(F2I, I64, [b.emit(SELECT, F64, [fits, x, b.emit(FCONST, F64, [], bits_of(3.25))])])
            if r < 0.25:
                x = val(F64)
                return b.emit(SELECT, I64, [b.emit(FEQ, I32, [x, x]), b.emit(FBITS, I64, [x]), b.iconst(I64, 1)])
            if r < 0.3:
                return b.emit(rng.choice((CLZ, CTZ, POPCNT)), I64, [val(I64)])
            if r < 0.33:
                return b.emit(UMULH, I64, [val(I64), val(I64)])
            if r < 0.37:
                p = self.read(PTR)
                if p is not None:
                    return b.emit(LD, I64, [p])
            if r < 0.4:
                x, y = val(I64), val(I64)
                s = b.emit(rng.choice((ADD, SUB, MUL)), I64, [x, y])
                return s
        if r < 0.5:
            op = rng.choice((SDIV, SREM, UDIV, UREM))
            if rng.random() < 0.6:
                c = rng.choice([x for x in INTERESTING if x])
                if t == I32:
                    c = ((c + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) or 3
                d = b.iconst(t, c)
            else:
                d = b.emit(OR, t, [val(t), b.iconst(t, 1)])
            x = val(t)
            q = b.emit(op, t, [x, d])
            if rng.random() < 0.3:
                other = {SDIV: SREM, SREM: SDIV, UDIV: UREM, UREM: UDIV}[op]
                return b.emit(XOR, t, [q, b.emit(other, t, [x, d])])
            return q
        if r < 0.6:
            n = self.const(t) if rng.random() < 0.5 else val(t)
            return b.emit(rng.choice((SHL, SHR, SAR)), t, [val(t), n])
        if r < 0.65:
            return b.emit(rng.choice((NEG, NOT)), t, [val(t)])
        y = self.const(t) if rng.random() < 0.4 else val(t)
        return b.emit(rng.choice((ADD, ADD, SUB, MUL, AND, OR, XOR)), t, [val(t), y])

    # -- statements

    def assign(self, t: int, v: Value) -> None:
        key = len(self.vars)
        if self.rng.random() < 0.5:
            some = [k for k, u in self.vars if u == t and k >= 0]
            if some:
                self.b.write(self.rng.choice(some), v)
                return
        self.vars.append((key, t))
        self.b.write(key, v)

    def call(self) -> None:
        rng = self.rng
        sym = rng.choice(self.externs)
        args = [self.value(t, 2) for t in sym.params]
        b = self.b
        if rng.random() < 0.2:
            r = b.emit(CALLI, sym.ret, [b.emit(SYMADDR, PTR, [], 0, sym), *args])
        else:
            r = b.emit(CALL, sym.ret, args, 0, sym)
        if sym.ret != VOID:
            self.assign(sym.ret, r)

    def overflow_branch(self) -> None:
        """The checked arithmetic of the front end: op, test, cold path."""
        b = self.b
        rng = self.rng
        x, y = self.value(I64, 2), self.value(I64, 2)
        op, test = rng.choice(((ADD, ADDOV), (SUB, SUBOV), (MUL, MULOV)))
        s = b.emit(op, I64, [x, y])
        o = b.emit(test, I32, [x, y])
        cold, rest = b.block(cold=rng.random() < 0.5), b.block()
        key = len(self.vars)
        self.vars.append((key, I64))
        b.write(key, s)
        b.brif(o, cold, rest, -1)
        b.start(cold)
        b.write(key, self.value(I64, 2))
        if rng.random() < 0.3:
            self.call()
            self.vars = self.vars[: key + 1]
        b.jump(rest)
        b.start(rest)

    def statement(self, depth: int) -> None:
        rng = self.rng
        b = self.b
        self.budget -= 1
        r = rng.random()
        if r < 0.5 or depth > 3:
            t = rng.choice(TYPES)
            self.assign(t, self.value(t))
        elif r < 0.6:
            base, off = self.address(1)
            t = rng.choice((I64, I32, F64))
            if t == I64 and rng.random() < 0.4:
                old = b.emit(LD, I64, [base], off)
                v = b.emit(rng.choice((ADD, SUB, AND, OR, XOR)), I64, [old, self.value(I64, 2)])
                b.emit(ST, VOID, [base, v], off)
            elif t == F64:
                x = self.value(t, 1)  # which NaN it is may differ
                x = b.emit(SELECT, F64, [b.emit(FEQ, I32, [x, x]), x, self.const(F64)])
                b.emit(ST, VOID, [base, x], off)
            else:
                b.emit(rng.choice((ST, ST8, ST16, ST32)), VOID, [base, self.value(t, 1)], off)
        elif r < 0.68:
            self.call()
        elif r < 0.73:
            self.overflow_branch()
        elif r < 0.85:
            then, rest = b.block(cold=rng.random() < 0.15), b.block()
            known = len(self.vars)
            orelse = b.block() if rng.random() < 0.5 else rest
            b.brif(self.boolean(1), then, orelse, rng.choice((-1, 0, 0, 1)))
            b.start(then)
            self.body(depth + 1)
            self.vars = self.vars[:known]
            b.jump(rest)
            if orelse is not rest:
                b.start(orelse)
                self.body(depth + 1)
                self.vars = self.vars[:known]
                b.jump(rest)
            b.start(rest)
        elif r < 0.9:
            self.switch(depth)
        else:
            self.loop(depth)

    def switch(self, depth: int) -> None:
        rng = self.rng
        b = self.b
        x = b.emit(AND, I64, [self.value(I64, 1), b.iconst(I64, 15)])
        n = rng.randrange(1, 9)
        cases = sorted(rng.sample(range(0, 16) if rng.random() < 0.7 else range(-1000, 1000), n))
        rest = b.block()
        targets = [b.block() for _ in cases]
        default = b.block()
        known = len(self.vars)
        b.switch(x, cases, targets, default)
        for t in [*targets, default]:
            b.start(t)
            if rng.random() < 0.7:
                self.body(depth + 2)
            self.vars = self.vars[:known]
            b.jump(rest)
        b.start(rest)

    def loop(self, depth: int) -> None:
        rng = self.rng
        b = self.b
        counter = ("loop", self.budget, depth)
        b.write(counter, b.iconst(I64, 0))
        known = len(self.vars)
        limit = rng.randrange(0, 6)
        if rng.random() < 0.7:  # test at the top
            head, body, rest = b.block(), b.block(), b.block()
            b.jump(head)
            b.at(head)
            i = b.read(counter, I64)
            b.brif(b.emit(SLT, I32, [i, b.iconst(I64, limit)]), body, rest)
            b.start(body)
            self.body(depth + 1)
            self.vars = self.vars[:known]
            b.write(counter, b.emit(ADD, I64, [b.read(counter, I64), b.iconst(I64, 1)]))
            b.jump(head)
            b.seal(head)
            b.start(rest)
        else:
            body, rest = b.block(), b.block()
            b.jump(body)
            b.at(body)
            self.body(depth + 1)
            self.vars = self.vars[:known]
            i = b.emit(ADD, I64, [b.read(counter, I64), b.iconst(I64, 1)])
            b.write(counter, i)
            b.brif(b.emit(SLT, I32, [i, b.iconst(I64, limit)]), body, rest)
            b.seal(body)
            b.start(rest)

    def body(self, depth: int) -> None:
        for _ in range(self.rng.randrange(1, 5)):
            if self.budget <= 0:
                break
            self.statement(depth)

    def run(self) -> Func:
        b = self.b
        rng = self.rng
        if rng.random() < 0.4:
            self.local = b.emit(ALLOCA, PTR, [], 64)
            for i in range(8):
                b.emit(ST, VOID, [self.local, b.iconst(I64, i)], 8 * i)
        for _ in range(rng.choice((0, 0, 1, 1, 2))):  # early returns: shrink-wrapping
            early, rest = b.block(), b.block()
            b.brif(self.boolean(2), early, rest, rng.choice((-1, 0, 1)))
            b.start(early)
            if rng.random() < 0.3:
                self.call()
            b.ret(self.value(I64))
            b.start(rest)
        while self.budget > 0:
            self.statement(0)
        h = b.iconst(I64, 17)
        for k, t in self.vars:
            v = b.read(k, t)
            if t == F64:
                x = b.emit(FBITS, I64, [v])
                v = b.emit(SELECT, I64, [b.emit(FEQ, I32, [v, v]), x, b.iconst(I64, 99)])
            elif t == I32:
                v = b.emit(SEXT32, I64, [v])
            elif t == PTR:
                v = b.emit(LD, I64, [v])
            elif t in (REF, TAG):
                at = b.emit(SYMADDR, REF, [], 0, self.objects)
                w = b.emit(CAST, PTR, [v])
                # Addresses differ between interpreter and machine: only whether it is the first object counts.
                v = b.emit(SEXT32, I64, [b.emit(EQ, I32, [w, b.emit(CAST, PTR, [at])])])
            h = b.emit(ADD, I64, [b.emit(MUL, I64, [h, b.iconst(I64, 31)]), v])
        b.ret(h)
        return b.finish()


def random_module(seed: int) -> Module:
    """A module with a function `f`, a memory datum and externs `e0`... (see `EXTERNS`)."""
    rng = Random(seed)
    memory = DataSym("mem", "data", bytes(rng.randrange(256) for _ in range(MEMORY)), 16)
    objects = DataSym("obj", "data", bytes(rng.randrange(256) for _ in range(512)), 16)
    m = Module()
    m.data = [memory, objects]
    m.funcs = [Generator(rng, "f", list(EXTERNS), memory, objects).run()]
    return m


EXTERNS = (
    FuncSym("e0", [I64, I64], I64),
    FuncSym("e1", [I64, F64, I64, F64], F64, NOGC),
    FuncSym("e2", [REF, I64], REF),
    FuncSym("e3", [], VOID, COLD),
    FuncSym("e4", [I64] * 9 + [F64] * 10, I64),
)


def random_args(seed: int, params: list[int]) -> list[int | float]:
    rng = Random(seed)
    out: list[int | float] = []
    for t in params:
        x = rng.choice(INTERESTING)
        if t == F64:
            out.append(rng.choice(DOUBLES))
        else:
            out.append(((x + (1 << 31)) & 0xFFFFFFFF) - (1 << 31) if t == I32 else x)
    return out
