"""`try { ... } catch e { ... }` (newer upstream) in terms of the rest of the language and two builtins.

The body becomes a closure, since the way back from an error is a jump past any number of activations: as the body
shares its variables with the function through cells, nothing that the handler sees was in a register.  `__try(f)` calls
f and tells whether an error ended it, `__caught()` is the code of that error and `__caught_text()` its message
(runtime/try.mochi).

`return`, `break` and `continue` that leave the body leave the closure first and say so in a variable; `value` is a
list, so that it has the type of the result alone:

    var exit = 0
    var value = []
    if __try(fun() { ... value = [x]; exit = 1; return ... }) { let e = __caught(); handler }
    else { if exit == 1 { return value[0] } if exit == 2 { break } ... }

Where the body cannot end otherwise the last of these has no condition, so that the function is not taken for one that
may end without a result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mochic.sema.tree import PART_SLOTS, copy_tree
from mochic.syntax import ast

RETURN: Final = 1
BREAK: Final = 2
CONTINUE: Final = 3


class _Body:
    """Copies the statements of one body; `exits` are the ways out, each with the first statement that takes it."""

    __slots__ = ("exit", "value", "exits", "last", "ends")

    def __init__(self, number: int, ends: Callable[[ast.Ident], bool]) -> None:
        self.ends = ends
        self.exit = f"__exit{number}"
        self.value = f"__value{number}"
        self.exits: dict[int, ast.Stmt] = {}
        self.last = number  # the numbers up to here are taken

    def leave(self, st: ast.Stmt, how: int, value: ast.Expr | None) -> list[ast.Stmt]:
        lo, hi = st.lo, st.hi
        self.exits.setdefault(how, st)
        out: list[ast.Stmt] = []
        if how == RETURN:
            kept = value if value is not None else ast.NoneLit(lo, hi)
            out.append(ast.Assign(lo, hi, ast.Ident(lo, hi, self.value), ast.ListLit(lo, hi, [kept])))
        out.append(ast.Assign(lo, hi, ast.Ident(lo, hi, self.exit), ast.IntLit(lo, hi, how)))
        out.append(ast.Return(lo, hi, None))
        return out

    def block(self, body: list[ast.Stmt], in_loop: bool) -> list[ast.Stmt]:
        out: list[ast.Stmt] = []
        for st in body:
            out += self.statement(st, in_loop)
        return out

    def statement(self, st: ast.Stmt, in_loop: bool) -> list[ast.Stmt]:
        if blocks_of_matches(st):
            st = copy_tree(st)
            for case in blocks_of_matches(st):
                case.body = self.block(case.body or [], in_loop)
        if isinstance(st, ast.Return):
            return self.leave(st, RETURN, st.value)
        if isinstance(st, ast.Break | ast.Continue):
            return [st] if in_loop else self.leave(st, BREAK if isinstance(st, ast.Break) else CONTINUE, None)
        if isinstance(st, ast.If):
            orelse = None if st.orelse is None else self.block(st.orelse, in_loop)
            return [ast.If(st.lo, st.hi, st.cond, self.block(st.then, in_loop), orelse)]
        if isinstance(st, ast.While):
            return [ast.While(st.lo, st.hi, st.cond, self.block(st.body, True))]
        if isinstance(st, ast.For):
            return [ast.For(st.lo, st.hi, st.var, st.source, st.end, self.block(st.body, True))]
        if isinstance(st, ast.Try):
            inner = desugar(st, self.last + 1, self.ends)
            self.last = inner.last
            return self.block(inner.code, in_loop)
        return [st]


def blocks_of_matches(st: ast.Stmt) -> list[ast.MatchCase]:
    """The cases with a block in the expressions of a statement; not those of the blocks and functions inside it."""
    out: list[ast.MatchCase] = []
    todo: list[Any] = [st]
    while todo:
        n = todo.pop()
        if isinstance(n, list | tuple):
            todo.extend(n)
        elif isinstance(n, ast.MatchCase) and n.body is not None:
            out.append(n)
        elif isinstance(n, ast.Node) and not isinstance(n, ast.FunExpr | ast.FunDecl | ast.TypeRef):
            skipped = _BLOCKS if isinstance(n, ast.If | ast.While | ast.For | ast.Try) else ()
            todo.extend(getattr(n, x, None) for x in PART_SLOTS[type(n)] if x not in skipped)
    return out


_BLOCKS: Final = ("then", "orelse", "body", "handler")


class Desugared:
    __slots__ = ("code", "last")

    def __init__(self, code: list[ast.Stmt], last: int) -> None:
        self.code = code
        self.last = last


# Builtins that do not return.
ENDS: Final = ("panic", "error")


def falls(body: list[ast.Stmt], ends: Callable[[ast.Ident], bool]) -> bool:
    """Whether control may reach the end of a body; `ends` tells whether a name stands for one of ENDS."""
    for st in body:
        if isinstance(st, ast.Return | ast.Break | ast.Continue):
            return False
        if isinstance(st, ast.If) and st.orelse is not None and not falls(st.then, ends) and not falls(st.orelse, ends):
            return False
        if isinstance(st, ast.Try) and not falls(st.body, ends) and not falls(st.handler, ends):
            return False
        if isinstance(st, ast.ExprStmt) and isinstance(st.expr, ast.Call):
            fn = st.expr.fn
            if isinstance(fn, ast.Ident) and ends(fn):
                return False
    return True


def desugar(st: ast.Try, number: int, ends: Callable[[ast.Ident], bool]) -> Desugared:
    """The statements that a `try` stands for; `number` and the numbers after it make names that are not used yet."""
    lo, hi = st.lo, st.hi
    b = _Body(number, ends)
    body = b.block(st.body, False)
    code: list[ast.Stmt] = []
    if b.exits:
        code.append(ast.VarDecl(lo, hi, b.exit, None, ast.IntLit(lo, hi, 0), True, ""))
    if RETURN in b.exits:
        code.append(ast.VarDecl(lo, hi, b.value, None, ast.ListLit(lo, hi, []), True, ""))
    after: list[ast.Stmt] = []
    for i, (how, first) in enumerate(b.exits.items()):
        leave: ast.Stmt = first
        if isinstance(first, ast.Return):
            at: ast.Node = first if first.value is None else first.value
            kept = ast.Ident(at.lo, at.hi, b.value)
            value = ast.Index(at.lo, at.hi, kept, ast.IntLit(at.lo, at.hi, 0), False, at.lo)
            leave = ast.Return(first.lo, first.hi, value)
        if i == len(b.exits) - 1 and not falls(st.body, ends):
            after.append(leave)
        else:
            test = ast.Binary(lo, hi, "==", ast.Ident(lo, hi, b.exit), ast.IntLit(lo, hi, how), lo)
            after.append(ast.If(lo, hi, test, [leave], None))
    closure = ast.FunExpr(lo, hi, [], [], None, None, body, None)
    failed = ast.Call(lo, hi, ast.Ident(lo, hi, "__try"), [closure], lo)
    caught = ast.Call(lo, hi, ast.Ident(lo, hi, "__caught"), [], lo)
    handler: list[ast.Stmt] = [ast.VarDecl(lo, hi, st.var, None, caught, False, "")]
    if st.message:
        text = ast.Call(lo, hi, ast.Ident(lo, hi, "__caught_text"), [], lo)
        handler.append(ast.VarDecl(lo, hi, st.message, None, text, False, ""))
    handler += st.handler
    code.append(ast.If(lo, hi, failed, handler, after or None))
    return Desugared(code, b.last)
