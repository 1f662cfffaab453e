"""What the language has got since the reference snapshot, in words of the older language (docs/reference.md, 20.3).

The default mode takes it, rewritten here into the older language: a set literal is a list without repetitions,
`"{name}"` a sum of texts.  The strict mode refuses it (M006).
"""

from __future__ import annotations

from mochic.sema.infer.calls import BUILTIN_REFS, call_builtin
from mochic.sema.infer.context import Infer
from mochic.sema.symbols import Var
from mochic.sema.types import Slot
from mochic.syntax import ast
from mochic.syntax.tokens import INTERPOLATED


def interpolation(inf: Infer, e: ast.Interpolation) -> Slot:
    """`"{name}"`: the text of a variable, if there is one of the name; else the braces mean themselves."""
    parts: list[ast.Expr] = []
    at = 0
    for m in INTERPOLATED.finditer(e.value):
        if isinstance(inf.lookup(m[1]), Var | tuple):
            parts += [ast.StrLit(e.lo, e.hi, e.value[at : m.start()]), ast.Ident(e.lo, e.hi, m[1])]
            at = m.end()
    parts.append(ast.StrLit(e.lo, e.hi, e.value[at:]))
    code = parts[0]
    for part in parts[1:]:
        code = ast.Binary(e.lo, e.hi, "+", code, part, e.lo)
    e.code = code
    return inf.expr(code)


def set_literal(inf: Infer, e: ast.SetLit) -> Slot:
    fn = ast.Ident(e.lo, e.lo, "distinct")
    fn.ref = BUILTIN_REFS[fn.name]
    code = ast.Call(e.lo, e.hi, fn, [ast.ListLit(e.lo, e.hi, e.elems)], e.lo)
    t = call_builtin(inf, code, "distinct")
    code.ty = t
    e.code = code
    return t
