"""Type inference of what the language has got since the reference snapshot (mochi-language.md 20.3; see `infer`).

The default mode takes it, rewritten here into the older language: a set literal is a list without repetitions,
`"{name}"` a sum of texts.  The strict mode refuses it (M006).
"""

from __future__ import annotations

from mochic.sema.infer_call import BUILTIN_REFS
from mochic.sema.infer_data import DataInfer
from mochic.sema.infer_expr import EXPRS
from mochic.sema.symbols import Var
from mochic.sema.types import Ty
from mochic.syntax import ast
from mochic.syntax.tokens import INTERPOLATED


class NewerInfer(DataInfer):
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


EXPRS[ast.Interpolation] = NewerInfer.e_interpolation
EXPRS[ast.SetLit] = NewerInfer.e_set
