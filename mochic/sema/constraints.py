"""Constraints of type inference whose outcome depends on the kinds of their operands.

Each class is one typing rule of docs/reference.md, 8; `run` may be called any number
of times as the operand kinds grow and only ever adds to the result.
"""

from __future__ import annotations

from mochic.sema.symbols import StructInfo
from mochic.sema.types import (
    BOOL, FLOAT, FUNC, GROUP, INT, LIST, MAP, NIL, RAT, STR, STRUCT, FunSig, Solver,
    Slot, find,
)  # fmt: skip


def arithmetic_kinds(op: str, l: int, r: int) -> int:
    """Scalar kinds of `l op r` for + - * / % (8.2); lists are handled by the caller."""
    k = 0
    if op == "+" and (l | r) & STR:
        k |= STR
        l &= ~STR
        r &= ~STR
        if not l or not r:
            return k
    if (l | r) & NIL:
        k |= NIL
    ln = l & (INT | FLOAT | BOOL | RAT)
    rn = r & (INT | FLOAT | BOOL | RAT)
    if ln and rn:
        if (ln | rn) & RAT:  # exact with every other number
            k |= RAT
            ln &= ~RAT
            rn &= ~RAT
            if not ln or not rn:
                return k
        if (ln & FLOAT) or (rn & FLOAT):
            k |= FLOAT
        if ln & ~FLOAT and rn & ~FLOAT:
            k |= INT
    return k


class ArithmeticConstraint:
    """res = l op r"""

    __slots__ = ("op", "l", "r", "res", "lists")

    def __init__(self, op: str, l: Slot, r: Slot, res: Slot) -> None:
        self.op = op
        self.l = l
        self.r = r
        self.res = res
        self.lists = False

    def run(self, s: Solver) -> None:
        l = find(self.l)
        r = find(self.r)
        if not l.kinds or not r.kinds:
            return
        s.grow(self.res, arithmetic_kinds(self.op, l.kinds, r.kinds))
        if self.op == "+" and not self.lists and l.kinds & LIST and r.kinds & LIST:
            self.lists = True
            s.flow(l, self.res, LIST)
            s.flow(r, self.res, LIST)


class NegationConstraint:
    """res = -x"""

    __slots__ = ("x", "res")

    def __init__(self, x: Slot, res: Slot) -> None:
        self.x = x
        self.res = res

    def run(self, s: Solver) -> None:
        k = find(self.x).kinds
        s.grow(self.res, k & (INT | FLOAT | NIL | RAT) | (INT if k & ~(INT | FLOAT | NIL | RAT) else 0))


def each_struct(bits: int, structs: list[StructInfo]) -> list[StructInfo]:
    """The struct types of a bitset."""
    out = []
    while bits:
        low = bits & -bits
        bits ^= low
        out.append(structs[low.bit_length() - 1])
    return out


class IndexConstraint:
    """res = obj[key]; a struct is indexed by field name, which may be any field's"""

    __slots__ = ("obj", "key", "res", "structs", "done", "seen")

    def __init__(self, obj: Slot, key: Slot, res: Slot, structs: list[StructInfo]) -> None:
        self.obj = obj
        self.key = key
        self.res = res
        self.structs = structs
        self.done = 0
        self.seen = 0

    def run(self, s: Solver) -> None:
        o = find(self.obj)
        new = o.structs & ~self.seen
        if new:
            self.seen |= new
            s.grow(self.res, NIL)
            for st in each_struct(new, self.structs):
                for f in st.fields.values():
                    s.flow(f, self.res)
        k = o.kinds & ~self.done
        if not k:
            return
        self.done |= k
        if k & LIST:
            s.flow(s.elem(self.obj), self.res)
        if k & STR:
            s.grow(self.res, STR)
        if k & MAP:
            s.flow(s.val(self.obj), self.res)
            s.grow(self.res, NIL)
        if k & GROUP:
            s.flow(s.elem(self.obj), self.res)
        if k & NIL:
            s.grow(self.res, NIL)


class StoreIndexConstraint:
    """obj[key] = value"""

    __slots__ = ("obj", "key", "val", "structs", "done", "seen")

    def __init__(self, obj: Slot, key: Slot, val: Slot, structs: list[StructInfo]) -> None:
        self.obj = obj
        self.key = key
        self.val = val
        self.structs = structs
        self.done = 0
        self.seen = 0

    def run(self, s: Solver) -> None:
        o = find(self.obj)
        new = o.structs & ~self.seen
        if new:
            self.seen |= new
            for st in each_struct(new, self.structs):
                for f in st.fields.values():
                    s.flow(self.val, f)
        k = o.kinds & ~self.done
        if not k:
            return
        self.done |= k
        if k & LIST:
            elem = s.elem(self.obj)
            s.flow(self.val, elem)
            s.attach(elem, GapConstraint(elem))
        if self.done & LIST and self.done & ~(LIST | NIL):
            s.grow(s.elem(self.obj), NIL)  # the dynamic path fills a gap with null
        if k & MAP:
            s.flow(self.key, s.key(self.obj))
            s.flow(self.val, s.val(self.obj))


class GapConstraint:
    """A store past the end of a list fills the gap with null, where that has a representation at no cost: in elements
    of several kinds, which are tags anyway (adr/list-gaps.md)."""

    __slots__ = ("elem",)

    def __init__(self, elem: Slot) -> None:
        self.elem = elem

    def run(self, s: Solver) -> None:
        k = find(self.elem).kinds
        if k & (k - 1) and not k & NIL:
            s.grow(self.elem, NIL)


class FieldConstraint:
    """res = obj.name; `structs` lists all struct types by id"""

    __slots__ = ("obj", "name", "res", "structs", "done", "seen")

    def __init__(self, obj: Slot, name: str, res: Slot, structs: list[StructInfo]) -> None:
        self.obj = obj
        self.name = name
        self.res = res
        self.structs = structs
        self.done = 0
        self.seen = 0

    def run(self, s: Solver) -> None:
        o = find(self.obj)
        new = o.structs & ~self.seen
        if new:
            self.seen |= new
            for st in each_struct(new, self.structs):
                f = st.fields.get(self.name)
                if f is not None:
                    s.flow(f, self.res)
                elif self.name in st.methods:
                    m = st.methods[self.name]
                    s.grow(self.res, FUNC)
                    bind_signature(s, self.res, [p.ty for p in m.params], m.ret)
                elif st.row:
                    # 12.5: a name that is no query variable is looked up in the variables' values.
                    s.grow(self.res, NIL)
                    for inner in st.fields.values():
                        c = FieldConstraint(inner, self.name, self.res, self.structs)
                        s.attach(inner, c)
                else:
                    s.grow(self.res, NIL)
        k = o.kinds & ~self.done
        if not k:
            return
        self.done |= k
        if k & MAP:
            s.grow(s.key(self.obj), STR)
            s.flow(s.val(self.obj), self.res)
            s.grow(self.res, NIL)
        if k & NIL:
            s.grow(self.res, NIL)
        if k & GROUP:
            if self.name == "key":
                s.flow(s.key(self.obj), self.res)
            elif self.name == "items":
                s.grow(self.res, LIST)
                s.unify(s.elem(self.res), s.elem(self.obj))
            elif self.name == "count":
                s.grow(self.res, INT)
            else:
                c2 = FieldConstraint(s.key(self.obj), self.name, self.res, self.structs)
                s.attach(s.key(self.obj), c2)
                s.grow(self.res, NIL)


class CastFieldConstraint:
    """res = what a cast of obj to a struct finds as field `name`; a cast without it fails"""

    __slots__ = ("obj", "name", "res", "structs", "done", "seen")

    def __init__(self, obj: Slot, name: str, res: Slot, structs: list[StructInfo]) -> None:
        self.obj = obj
        self.name = name
        self.res = res
        self.structs = structs
        self.done = False
        self.seen = 0

    def run(self, s: Solver) -> None:
        o = find(self.obj)
        new = o.structs & ~self.seen
        if new:
            self.seen |= new
            for st in each_struct(new, self.structs):
                f = st.fields.get(self.name)
                if f is not None:
                    s.flow(f, self.res)
        if o.kinds & MAP and not self.done:
            self.done = True
            s.flow(s.val(self.obj), self.res)


class StoreFieldConstraint:
    """obj.name = value"""

    __slots__ = ("obj", "name", "val", "structs", "done", "seen")

    def __init__(self, obj: Slot, name: str, val: Slot, structs: list[StructInfo]) -> None:
        self.obj = obj
        self.name = name
        self.val = val
        self.structs = structs
        self.done = 0
        self.seen = 0

    def run(self, s: Solver) -> None:
        o = find(self.obj)
        new = o.structs & ~self.seen
        if new:
            self.seen |= new
            for st in each_struct(new, self.structs):
                f = st.fields.get(self.name)
                if f is not None:
                    s.flow(self.val, f)
        k = o.kinds & ~self.done
        self.done |= k
        if k & MAP:
            s.grow(s.key(self.obj), STR)
            s.flow(self.val, s.val(self.obj))


class KeyConstraint:
    """dst gets the keys of a map as reading gives them: ints, and the texts that all others are stored as (7.2)."""

    __slots__ = ("dst", "key")

    def __init__(self, key: Slot, dst: Slot) -> None:
        self.key = key
        self.dst = dst

    def run(self, s: Solver) -> None:
        k = find(self.key).kinds
        s.grow(self.dst, k & (INT | STR) | (STR if k & ~(INT | STR) else 0))


class IterationConstraint:
    """for var in src"""

    __slots__ = ("src", "var", "done")

    def __init__(self, src: Slot, var: Slot) -> None:
        self.src = src
        self.var = var
        self.done = 0

    def run(self, s: Solver) -> None:
        k = find(self.src).kinds & ~self.done
        if not k:
            return
        self.done |= k
        if k & (LIST | GROUP):
            s.flow(s.elem(self.src), self.var)
        if k & MAP:
            s.attach(s.key(self.src), KeyConstraint(s.key(self.src), self.var))
        if k & (STR | STRUCT):  # characters; field names
            s.grow(self.var, STR)


class SliceConstraint:
    """res = obj[a:b]"""

    __slots__ = ("obj", "res", "done")

    def __init__(self, obj: Slot, res: Slot) -> None:
        self.obj = obj
        self.res = res
        self.done = False

    def run(self, s: Solver) -> None:
        k = find(self.obj).kinds
        s.grow(self.res, k & (STR | NIL))
        if k & LIST and not self.done:
            self.done = True
            s.flow(self.obj, self.res, LIST)


def bind_signature(s: Solver, t: Slot, params: list[Slot], ret: Slot) -> None:
    """The functions in t include one with these parameters and result."""
    sh = s.shape(t)
    if sh.sig is None:
        sh.sig = FunSig(list(params), ret)
        return
    sig = sh.sig
    for a, b in zip(sig.params, params, strict=False):
        s.unify(a, b)
    sig.fewest = min(sig.fewest, len(params))
    if len(params) > len(sig.params):
        sig.params.extend(params[len(sig.params) :])
    s.unify(sig.ret, ret)


class CallConstraint:
    """res = fn(args) through a function value.

    Fewer arguments than parameters make a function of the rest; how many parameters the values have is
    known only once functions flow in, so the rule runs when the callee's kinds grow.
    """

    __slots__ = ("fn", "args", "res", "arities")

    def __init__(self, fn: Slot, args: list[Slot], res: Slot) -> None:
        self.fn = fn
        self.args = args
        self.res = res
        self.arities = (-1, -1)

    def run(self, s: Solver) -> None:
        k = find(self.fn).kinds
        if k & NIL:
            s.grow(self.res, NIL)
        if not k & FUNC:
            return
        sig = s.shape(self.fn).sig
        if sig is None or self.arities == (sig.fewest, len(sig.params)):
            return
        if self.arities[0] < 0:
            s.calls.append(self)
        self.arities = (sig.fewest, len(sig.params))
        n = len(self.args)
        for a, p in zip(self.args, list(sig.params), strict=False):
            s.flow(a, p)
        if n < len(sig.params):
            s.grow(self.res, FUNC)
            bind_signature(s, self.res, sig.params[n:], sig.ret)
        if n >= sig.fewest:
            s.flow(sig.ret, self.res)


class ElementConstraint:
    """Elements of the list (or group) `src` flow to `dst`; `extra` kinds are added too (an empty list gives none)."""

    __slots__ = ("src", "dst", "extra", "done")

    def __init__(self, src: Slot, dst: Slot, extra: int = 0) -> None:
        self.src = src
        self.dst = dst
        self.extra = extra
        self.done = False

    def run(self, s: Solver) -> None:
        k = find(self.src).kinds
        if k & NIL and self.extra:
            s.grow(self.dst, self.extra)
        if k & (LIST | GROUP) and not self.done:
            self.done = True
            s.flow(s.elem(self.src), self.dst)
            s.grow(self.dst, self.extra)


class MatchNullConstraint:
    """A match gives null when no arm fits: add NIL to res if the subject can be something not covered."""

    __slots__ = ("subject", "res", "kinds", "structs")

    def __init__(self, subject: Slot, res: Slot, kinds: int, structs: int) -> None:
        self.subject = subject
        self.res = res
        self.kinds = kinds
        self.structs = structs

    def run(self, s: Solver) -> None:
        t = find(self.subject)
        if t.kinds & ~self.kinds & ~STRUCT or (t.kinds & STRUCT and t.structs & ~self.structs):
            s.grow(self.res, NIL)


class LogicConstraint:
    """res = l && r or l || r: the deciding operand itself; only bools give a plain bool."""

    __slots__ = ("l", "r", "res", "done")

    def __init__(self, l: Slot, r: Slot, res: Slot) -> None:
        self.l = l
        self.r = r
        self.res = res
        self.done = False

    def run(self, s: Solver) -> None:
        if not self.done:
            self.done = True
            s.flow(self.l, self.res)
            s.flow(self.r, self.res)
