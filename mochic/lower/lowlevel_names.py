"""Declarations of the low-level dialect (see lowlevel): constants, global variables, signatures."""

from __future__ import annotations

from typing import Final, NoReturn

from mochic.diag.diagnostic import Diagnostic
from mochic.ir.func import ASM, COLD, INLINE, NOGC, NORETURN, PURE, DataSym, FuncSym, Module
from mochic.ir.types import F64, I32, I64, PTR, REF, TAG, TRACED, TYPE_NAMES, VOID
from mochic.layout import Layout
from mochic.lower.descs import RuntimeData, make_string
from mochic.ir.rtabi import RUNTIME
from mochic.source import SourceMap
from mochic.syntax import ast

TYPES: Final[dict[str, int]] = {"int": I64, "float": F64, "bool": I32, "ptr": PTR, "ref": REF, "tag": TAG}
_ATTRIBUTES: Final[dict[str, int]] = {"@nogc": NOGC, "@noreturn": NORETURN | COLD, "@inline": INLINE, "@pure": PURE}


class Failure(Exception):
    def __init__(self, diag: Diagnostic) -> None:
        super().__init__()
        self.diag = diag


def fail(node: ast.Node, message: str) -> NoReturn:
    raise Failure(Diagnostic("", message, node.lo, node.hi, "docs/runtime.md describes the dialect."))


def name_type(name: int) -> str:
    for text, t in TYPES.items():
        if t == name:
            return text
    return TYPE_NAMES[name]


class Names:
    """What the names of the package mean: constants, global variables, functions; texts by content."""

    __slots__ = ("module", "diags", "consts", "vars", "funcs", "decls", "strings", "runtime_data", "checked", "layout")

    def __init__(self, sources: SourceMap, layout: Layout, checked: bool = False) -> None:
        self.layout = layout
        self.module = Module(sources)
        self.diags: list[Diagnostic] = []
        self.checked = checked
        self.consts: dict[str, int | float] = {"CHECKED": int(checked)}
        self.vars: dict[str, tuple[DataSym, int]] = {}
        self.funcs: dict[str, FuncSym] = {}
        self.decls: list[tuple[FuncSym, ast.FunDecl]] = []
        self.strings: dict[str, DataSym] = {}
        self.runtime_data = RuntimeData()

    def declare(self, stmt: ast.Stmt) -> None:
        if isinstance(stmt, ast.FunDecl):
            if stmt.name in self.funcs:
                fail(stmt, f"function {stmt.name} is defined twice")
            sym = self.signature(stmt, stmt.name, stmt.params, stmt.result, stmt.doc)
            self.funcs[stmt.name] = sym
            self.decls.append((sym, stmt))
        elif isinstance(stmt, ast.ExternDecl) and stmt.kind == "fun":
            assert stmt.params is not None
            sym = self.signature(stmt, stmt.name, stmt.params, stmt.type, stmt.doc)
            sym.flags |= ASM
            self.funcs[stmt.name] = sym
        elif isinstance(stmt, ast.VarDecl):
            if stmt.name in self.consts or stmt.name in self.vars:
                fail(stmt, f"{stmt.name} is defined twice")
            value = 0 if stmt.value is None else self.constant(stmt.value)
            if not stmt.mutable:
                self.consts[stmt.name] = value
                return
            if stmt.type is None:
                fail(stmt, "a global variable needs a type")
            t = self.type_of(stmt.type)
            if isinstance(value, float):
                fail(stmt, "a global float cannot be initialised")
            kind = "roots" if TRACED[t] else "data"
            d = DataSym("runtime." + stmt.name, kind, self.layout.packed("Q", value & (1 << 64) - 1))
            d.local = False
            self.module.data.append(d)
            self.vars[stmt.name] = (d, t)
        else:
            fail(stmt, "not allowed at the top level of the runtime")

    def signature(
        self, node: ast.Node, name: str, params: list[ast.Param], result: ast.TypeRef | None, doc: str
    ) -> FuncSym:
        types = []
        for p in params:
            if p.type is None:
                fail(p, "a parameter needs a type")
            types.append(self.type_of(p.type))
        ret = VOID if result is None else self.type_of(result)
        flags = 0
        for word in doc.split():
            flags |= _ATTRIBUTES.get(word, 0)
        known = RUNTIME.get(name)
        if known is not None:
            if known.params != types or known.ret != ret:
                fail(node, f"{name} does not have the signature of the table in rtabi")
            if known.flags & NOGC and not flags & NOGC:
                fail(node, f"{name} must be @nogc")
            flags = known.flags | (flags & INLINE)
        # A symbol of this compilation: the table's are those of programs, where the function has no body.
        sym = FuncSym("runtime." + name, types, ret, flags)
        sym.pos = node.lo
        return sym

    def type_of(self, t: ast.TypeRef) -> int:
        if isinstance(t, ast.TypeName) and t.name in TYPES:
            return TYPES[t.name]
        fail(t, "not a type of the runtime dialect")

    def constant(self, e: ast.Expr) -> int | float:
        """The value of a constant expression."""
        if isinstance(e, (ast.IntLit, ast.FloatLit)):
            return e.value
        if isinstance(e, ast.BoolLit):
            return int(e.value)
        if isinstance(e, ast.NoneLit):
            return 0
        if isinstance(e, ast.Ident) and e.name in self.consts:
            return self.consts[e.name]
        if isinstance(e, ast.Unary) and e.op == "-":
            return -self.constant(e.operand)
        if isinstance(e, ast.Binary) and e.op in ("+", "-", "*"):
            a, b = self.constant(e.left), self.constant(e.right)
            return a + b if e.op == "+" else a - b if e.op == "-" else a * b
        if isinstance(e, ast.Call) and isinstance(e.fn, ast.Ident) and e.fn.name == "shl":
            a, b = (self.constant(x) for x in e.args)
            if isinstance(a, int) and isinstance(b, int):
                return a << b
        fail(e, "not a constant")

    def string(self, text: str) -> DataSym:
        d = self.strings.get(text)
        if d is None:
            d = make_string(self.layout, f"runtime.str.{len(self.strings)}", text, self.runtime_data["desc.string"])
            self.strings[text] = d
            self.module.data.append(d)
        return d
