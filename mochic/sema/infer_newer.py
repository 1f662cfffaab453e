"""Type inference of what the language has got since the reference snapshot (mochi-language.md 20.3; see `infer`).

The default mode takes it, rewritten here into the older language: a set literal is a list without repetitions,
`"{name}"` a sum of texts.  The strict mode refuses it (M006).

The body of a `try` becomes a closure that the runtime calls (runtime/catch.mochi).  What would leave the body by
`return`, `break` or `continue` notes that and returns from the closure; behind the call it is done:

    try { if c { return x } f() } catch e { g(e) }

    var how = 0
    var value = none
    if try(fun() { if c { value = x  how = 1  return } f() }) { let e = code()  g(e) }
    else if how == 1 { return value }
"""

from __future__ import annotations

from typing import Any

from mochic.sema.infer_call import BUILTIN_REFS
from mochic.sema.infer_data import DataInfer
from mochic.sema.infer_expr import EXPRS
from mochic.sema.specialise import copy_tree
from mochic.sema.symbols import Var
from mochic.sema.types import Ty
from mochic.syntax import ast
from mochic.syntax.tokens import INTERPOLATED


class NewerInfer(DataInfer):
    tries: int

    def e_interpolation(self, e: ast.Interpolation) -> Ty:
        """`"{name}"`: the text of a variable, if there is one of the name; else the braces mean themselves."""
        parts: list[ast.Expr] = []
        at = 0
        for m in INTERPOLATED.finditer(e.value):
            if isinstance(self.lookup(m[1], e), Var | tuple):
                parts += [ast.StrLit(e.lo, e.hi, e.value[at : m.start()]), ast.Ident(e.lo, e.hi, m[1])]
                at = m.end()
        parts.append(ast.StrLit(e.lo, e.hi, e.value[at:]))
        code = parts[0]
        for part in parts[1:]:
            code = ast.Binary(e.lo, e.hi, "+", code, part, e.lo)
        e.code = code
        return self.expr(code)

    def e_set(self, e: ast.SetLit) -> Ty:
        fn = ast.Ident(e.lo, e.lo, "distinct")
        fn.ref = BUILTIN_REFS[fn.name]
        code = ast.Call(e.lo, e.hi, fn, [ast.ListLit(e.lo, e.hi, e.elems)], e.lo)
        t = self.call_builtin(code, "distinct")
        code.ty = t
        e.code = code
        return t

    def try_code(self, st: ast.Try) -> list[ast.Stmt]:
        """The statements that a `try` stands for."""
        lo, hi = st.lo, st.hi
        self.tries += 1
        how, value = f"#how{self.tries}", f"#value{self.tries}"
        ways: dict[str, None] = {}
        body = leaving(copy_tree(st.body), how, value, ways, False)
        out: list[ast.Stmt] = []
        after: list[ast.Stmt] | None = None
        if ways:
            out.append(ast.VarDecl(lo, lo, how, None, ast.IntLit(lo, lo, 0), True, ""))
        if "return" in ways:
            out.append(ast.VarDecl(lo, lo, value, None, ast.NoneLit(lo, lo), True, ""))
        for way in ways:
            test = ast.Binary(lo, lo, "==", ast.Ident(lo, lo, how), ast.IntLit(lo, lo, _WAYS[way]), lo)
            leave: ast.Stmt = ast.Return(lo, lo, ast.Ident(lo, lo, value))
            if way != "return":
                leave = ast.Break(lo, lo) if way == "break" else ast.Continue(lo, lo)
            after = [ast.If(lo, lo, test, [leave], after)]
        fn = ast.FunExpr(lo, hi, [], [], None, None, body, None)
        failed = self.runtime_call(lo, hi, "#try", [fn])
        code = ast.VarDecl(lo, lo, st.var, None, self.runtime_call(lo, lo, "#code", []), True, "")
        out.append(ast.If(lo, hi, failed, [code, *st.handler], after))
        return out

    def runtime_call(self, lo: int, hi: int, name: str, args: list[ast.Expr]) -> ast.Call:
        return ast.Call(lo, hi, ast.Ident(lo, lo, name), args, lo)


_WAYS = {"return": 1, "break": 2, "continue": 3}


def leaving(body: list[ast.Stmt], how: str, value: str, ways: dict[str, None], loop: bool) -> list[ast.Stmt]:
    """The body of a `try` with what leaves it changed into a return from its closure; `ways`: what was found."""
    out: list[ast.Stmt] = []
    for st in body:
        way = ""
        for case in blocks_of_matches(st):
            case.body = leaving(case.body or [], how, value, ways, loop)
        if isinstance(st, ast.Return):
            way = "return"
            if st.value is not None:
                out.append(ast.Assign(st.lo, st.hi, ast.Ident(st.lo, st.lo, value), st.value))
        elif isinstance(st, ast.Break | ast.Continue) and not loop:
            way = "break" if isinstance(st, ast.Break) else "continue"
        if way:
            ways[way] = None
            number = ast.IntLit(st.lo, st.lo, _WAYS[way])
            out.append(ast.Assign(st.lo, st.hi, ast.Ident(st.lo, st.lo, how), number))
            out.append(ast.Return(st.lo, st.hi, None))
        elif isinstance(st, ast.If):
            then = leaving(st.then, how, value, ways, loop)
            orelse = None if st.orelse is None else leaving(st.orelse, how, value, ways, loop)
            out.append(ast.If(st.lo, st.hi, st.cond, then, orelse))
        elif isinstance(st, ast.While):
            out.append(ast.While(st.lo, st.hi, st.cond, leaving(st.body, how, value, ways, True)))
        elif isinstance(st, ast.For):
            inner = leaving(st.body, how, value, ways, True)
            out.append(ast.For(st.lo, st.hi, st.var, st.source, st.end, inner))
        elif isinstance(st, ast.Try):
            inner = leaving(st.body, how, value, ways, loop)
            out.append(ast.Try(st.lo, st.hi, inner, st.var, leaving(st.handler, how, value, ways, loop)))
        else:
            out.append(st)
    return out


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
            slots = [x for c in type(n).__mro__ for x in getattr(c, "__slots__", ()) if x not in skipped]
            todo.extend(getattr(n, x, None) for x in slots)
    return out


_BLOCKS = ("then", "orelse", "body", "handler")


def falls_through(body: list[ast.Stmt]) -> bool:
    """Whether control may reach the end, from the last statement's form."""
    if not body:
        return True
    st = body[-1]
    if isinstance(st, ast.If):
        return st.orelse is None or falls_through(st.then) or falls_through(st.orelse)
    if isinstance(st, ast.Try):
        return falls_through(st.body) or falls_through(st.handler)
    return not isinstance(st, ast.Return | ast.Break | ast.Continue)


EXPRS[ast.Interpolation] = NewerInfer.e_interpolation
EXPRS[ast.SetLit] = NewerInfer.e_set
