"""Errors that only the solved types show (default mode).

The default mode accepts everything that can mean something at run time: a diagnostic needs kinds that
are known and cannot agree.  `any`-typed values, null, and ints in place of floats always pass.
"""

from __future__ import annotations

from typing import Any

from mochic.diag.diagnostic import Diagnostic, make
from mochic.sema.builtins import METHODS, arguments_wanted, value_method
from mochic.sema.infer.context import Infer
from mochic.sema.symbols import ProgramInfo
from mochic.sema.types import (
    ANYKIND, BOOL, FLOAT, FUNC, GROUP, INT, KIND_NAMES, LIST, MAP, NIL, NUMERIC, STR, STRUCT, Slot, find,
)  # fmt: skip
from mochic.syntax import ast


def type_text(info: ProgramInfo, t: Slot, depth: int = 0) -> str:
    """An inferred type as in diagnostics; mixtures are `any`."""
    t = find(t)
    if depth > 4:
        return "any"
    names = []
    s = info.solver
    for i, name in enumerate(KIND_NAMES):
        bit = 1 << i
        if not t.kinds & bit:
            continue
        if bit == STRUCT:
            names += [st.name for st in info.structs if t.structs & st.bit]
        elif bit == LIST:
            names.append(f"[{type_text(info, s.elem(t), depth + 1)}]")
        elif bit == MAP:
            names.append(f"{{{type_text(info, s.key(t), depth + 1)}: {type_text(info, s.val(t), depth + 1)}}}")
        else:
            names.append(name)
    return names[0] if len(names) == 1 else "any"


class Checker:
    def __init__(self, inf: Infer) -> None:
        self.inf = inf
        self.diags: list[Diagnostic] = []
        self.structs = inf.info.structs

    # -- text -----------------------------------------------------------------------------------

    def declared(self, ref: ast.TypeRef, depth: int = 0) -> tuple[int, int]:
        """(kinds, structs) that a declared type admits; ANYKIND when it says nothing."""
        inf = self.inf
        if depth > 16:
            return ANYKIND, -1
        if isinstance(ref, ast.TypeOpt):
            k, s = self.declared(ref.inner, depth + 1)
            return k | NIL, s
        if isinstance(ref, ast.TypeName):
            name = ref.name
            if name in _SCALARS:
                return _SCALARS[name], 0
            table = inf.info.table(ref)
            alias = table.alias(name)
            if alias is not None:
                return self.declared(alias, depth + 1)
            st = table.struct(name)
            if st is not None and st.union is None:
                return STRUCT, st.bit
            u = table.union(name)
            if u is not None:
                return STRUCT, u.bits
            return ANYKIND, -1
        if isinstance(ref, ast.TypeGeneric):
            if ref.name == "list":
                return LIST | GROUP, 0
            if ref.name == "map":
                return MAP | STRUCT, -1
            return ANYKIND, -1
        if isinstance(ref, ast.TypeFun):
            return FUNC, 0
        return ANYKIND, -1

    def type_text(self, ref: ast.TypeRef) -> str:
        if isinstance(ref, ast.TypeName):
            return ref.name
        if isinstance(ref, ast.TypeOpt):
            return f"option[{self.type_text(ref.inner)}]"
        if isinstance(ref, ast.TypeGeneric):
            if ref.name == "list" and ref.args:
                return f"[{self.type_text(ref.args[0])}]"
            if ref.name == "map" and len(ref.args) == 2:
                return f"{{{self.type_text(ref.args[0])}: {self.type_text(ref.args[1])}}}"
            return ref.name
        if isinstance(ref, ast.TypeFun):
            res = f": {self.type_text(ref.result)}" if ref.result is not None else ""
            return f"fun({', '.join(self.type_text(p) for p in ref.params)}){res}"
        return "struct"

    def text(self, t: Slot) -> str:
        return type_text(self.inf.info, t)

    # -- rules ----------------------------------------------------------------------------------

    def error(self, code: str, lo: int, hi: int, *args: object) -> None:
        self.diags.append(make(code, lo, hi, *args))

    def mismatch(self, ref: ast.TypeRef, t: Slot) -> bool:
        """No value of t can be meant by the declared type."""
        k = find(t).kinds
        if not k or k & NIL:
            return False
        allowed, structs = self.declared(ref)
        if allowed & NUMERIC:
            allowed |= NUMERIC
        both = k & allowed
        if not both:
            return True
        return both == STRUCT and structs != -1 and not find(t).structs & structs

    def run(self) -> list[Diagnostic]:
        for row in self.inf.checks:
            rule = _RULES.get(row[0])
            if rule is not None:
                rule(self, *row)
        self.diags.sort(key=lambda d: d.lo)
        return self.diags

    def r_declared(self, code: str, lo: int, hi: int, ref: ast.TypeRef, t: Slot) -> None:
        if self.mismatch(ref, t):
            self.error(code, lo, hi, self.type_text(ref), self.text(t))

    def r_assign(self, code: str, lo: int, hi: int, what: tuple[ast.TypeRef, str], t: Slot) -> None:
        if self.mismatch(what[0], t):
            self.error(code, lo, hi, self.text(t), what[1], self.type_text(what[0]))

    def r_argument(self, code: str, lo: int, at: tuple[int, int], ref: ast.TypeRef, t: Slot) -> None:
        if self.mismatch(ref, t):
            self.error(code, lo, at[0], at[1], self.type_text(ref), self.text(t))

    def r_operator(self, code: str, lo: int, op: str, l: Slot, r: Slot) -> None:
        lk, rk = find(l).kinds, find(r).kinds
        if not lk or not rk or (lk | rk) & NIL:
            return
        if (op == "+" and (lk | rk) & STR) or (lk & NUMERIC and rk & NUMERIC):
            return
        if op == "+" and lk & LIST and rk & LIST:
            return
        self.error(code, lo, lo + 1, op, self.text(l), self.text(r))

    def r_index(self, code: str, lo: int, hi: int, key: Slot, obj: Slot) -> None:
        k = find(obj).kinds
        if k and not k & (LIST | MAP | STR | STRUCT | GROUP | NIL):
            self.error("T018", lo, hi, self.text(obj))
        elif k in (LIST, STR):
            kk = find(key).kinds
            if kk and not kk & (INT | NIL | FLOAT):
                self.error("T015", lo, hi)

    def r_store(self, code: str, lo: int, hi: int, target: ast.Index, obj: Slot) -> None:
        k = find(obj).kinds
        if k and not k & (LIST | MAP | STRUCT | NIL):
            self.error("T018", lo, hi, self.text(obj))
        elif k == LIST:
            kk = find(target.index.ty).kinds
            if kk and not kk & (INT | NIL | FLOAT):
                self.error("T015", target.op_lo, hi)

    def r_iter(self, code: str, lo: int, hi: int, none: None, t: Slot) -> None:
        k = find(t).kinds
        if k and not k & (LIST | MAP | STR | GROUP | NIL):
            self.error("T022", lo, hi, self.text(t))

    def r_url(self, code: str, lo: int, hi: int, none: None, t: Slot) -> None:
        k = find(t).kinds
        if k and not k & STR:
            self.error(code, lo, hi)

    def r_options(self, code: str, lo: int, hi: int, what: str, t: Slot) -> None:
        k = find(t).kinds
        if k and not k & (MAP | STRUCT | NIL):
            d = make(code, lo, hi)
            if what != "fetch":
                d.message = f"{what} options must be a map"
                d.help = 'Pass a map like `{ format: "json" }` after `with`.'
            self.diags.append(d)

    def r_range(self, code: str, lo: int, hi: int, a: Slot, b: Slot) -> None:
        for t in (a, b):
            k = find(t).kinds
            if k and not k & (INT | NIL | FLOAT):
                self.error("T023", lo, hi)
                return

    def r_call(self, code: str, lo: int, e: ast.Call, none: None, t: Slot) -> None:
        k = find(t).kinds
        if k and not k & (FUNC | NIL):
            name = e.fn.name if isinstance(e.fn, ast.Ident) else ""
            self.error("T004", lo, e.hi, name)

    def r_field(self, code: str, lo: int, hi: int, name: str, t: Slot) -> None:
        t = find(t)
        if not t.kinds or t.kinds & (NIL | MAP | GROUP):
            return
        if not t.kinds & STRUCT:
            self.error("T027", lo, hi, self.text(t))
        elif t.kinds == STRUCT:
            sts = [s for s in self.structs if t.structs & s.bit]
            if not any(s.row or name in s.fields or name in s.methods for s in sts):
                self.error("T026", lo, hi, name, self.text(t))

    def r_method(self, code: str, lo: int, e: ast.Call, name: str, t: Slot) -> None:
        t = find(t)
        if value_method(t.kinds, name):
            fewest, most, _ = METHODS[name]
            if not fewest <= len(e.args) <= most:
                want = arguments_wanted(fewest, most, len(e.args))
                self.error("T039", e.lo, e.hi, name, want, len(e.args))
                return
        if not t.kinds or t.kinds & (NIL | MAP | GROUP):
            return
        if (t.kinds & (STR | LIST) and name in METHODS) or (t.kinds & (NUMERIC | BOOL) and name == "padStart"):
            return
        if t.kinds & STRUCT:
            sts = [s for s in self.structs if t.structs & s.bit]
            if any(name in s.fields or name in s.methods for s in sts):
                return
            self.error("T026", lo, e.hi, name, self.text(t))
        else:
            self.error("T027", lo, e.hi, self.text(t))


def check_solved(inf: Infer) -> list[Diagnostic]:
    """All diagnostics of the solved program, by position."""
    return Checker(inf).run()


_SCALARS = {
    "int": INT, "int64": INT, "bigint": INT, "float": FLOAT | INT, "string": STR, "bool": BOOL, "unit": NIL,
    "bigrat": NUMERIC,
}  # fmt: skip

_RULES: dict[str, Any] = {
    "T008": Checker.r_declared,
    "T009": Checker.r_assign,
    "T010": Checker.r_declared,
    "T007": Checker.r_argument,
    "T020": Checker.r_operator,
    "T018": Checker.r_index,
    "store": Checker.r_store,
    "field": Checker.r_field,
    "T022": Checker.r_iter,
    "T023": Checker.r_range,
    "T004": Checker.r_call,
    "T028": Checker.r_url,
    "T029": Checker.r_options,
    "T026": Checker.r_field,
    "method": Checker.r_method,
}
