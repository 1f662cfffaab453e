"""Effects of functions (docs/reference.md, 5.7).

What a function can do is the union over its body: builtins with effects, statements that read or write, functions
that it calls and functions that it passes on.  Recursion makes this a fixpoint over the call graph; sets are bits, so
a few rounds over the functions are enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mochic.sema.strict.types import EFFECT
from mochic.sema.tree import parts
from mochic.syntax import ast

BUILTIN_EFFECTS: Final = {
    "print": EFFECT["io"], "json": EFFECT["io"], "input": EFFECT["io"], "now": EFFECT["time"], "eval": EFFECT["meta"],
    "readFile": EFFECT["fs"], "writeFile": EFFECT["fs"], "appendFile": EFFECT["fs"], "lines": EFFECT["fs"],
    "loadCSV": EFFECT["fs"], "saveCSV": EFFECT["fs"],
}  # fmt: skip
_NODE_EFFECTS: Final[dict[type, int]] = {
    ast.Load: EFFECT["fs"], ast.Save: EFFECT["fs"], ast.Fetch: EFFECT["net"], ast.FetchStmt: EFFECT["net"],
    ast.Generate: EFFECT["net"],
}  # fmt: skip


class Uses:
    """What the body of a function does itself (`own`) and which names it calls or passes on."""

    __slots__ = ("own", "names")

    def __init__(self, roots: Sequence[ast.Node]) -> None:
        self.own = 0
        self.names: dict[str, None] = {}
        local: dict[str, list[ast.Node]] = {}
        work = list(roots)
        while work:
            n = work.pop()
            t = type(n)
            self.own |= _NODE_EFFECTS.get(t, 0)
            if isinstance(n, ast.Call):
                if isinstance(n.fn, ast.Ident):
                    self.names[n.fn.name] = None
                    work += local.pop(n.fn.name, ())
                elif isinstance(n.fn, ast.FunExpr):
                    work += body_of(n.fn)
                else:
                    work.append(n.fn)
                for a in n.args:
                    if isinstance(a, ast.Ident):
                        self.names[a.name] = None
                        work += local.pop(a.name, ())
                    elif isinstance(a, ast.FunExpr):
                        work += body_of(a)
                    else:
                        work.append(a)
            elif isinstance(n, ast.FunDecl):
                if n.name in self.names:
                    work += n.body
                else:
                    local[n.name] = list(n.body)
            elif isinstance(n, ast.VarDecl) and isinstance(n.value, ast.FunExpr):
                if n.name in self.names:
                    work += body_of(n.value)
                else:
                    local[n.name] = body_of(n.value)
            elif not isinstance(n, ast.FunExpr):
                work += parts(n)


def body_of(f: ast.FunExpr) -> list[ast.Node]:
    """The statements or the expression of a function."""
    if f.body is not None:
        return list(f.body)
    assert f.expr is not None
    return [f.expr]


def function_effects(functions: list[ast.FunDecl]) -> tuple[dict[str, int], dict[str, int]]:
    """(effects that count for callers, effects of the body) of each top-level function by name.

    An annotation is the contract: callers see it in place of what the body does.
    """
    uses = {f.name: Uses(f.body) for f in functions}
    declared: dict[str, int] = {}
    for f in functions:
        if f.effects is not None:
            declared[f.name] = sum(EFFECT.get(label, 0) for label in dict.fromkeys(f.effects))
    seen = {name: declared.get(name, 0) for name in uses}
    body = dict.fromkeys(uses, 0)
    changed = True
    while changed:
        changed = False
        for name, u in uses.items():
            now = u.own
            for other in u.names:
                now |= seen[other] if other in seen else BUILTIN_EFFECTS.get(other, 0)
            if now != body[name]:
                body[name] = now
                changed = True
                if name not in declared:
                    seen[name] = now
    return seen, body


def effects_of(roots: Sequence[ast.Node], known: dict[str, int]) -> int:
    """Effects of a piece of a program, given those of functions by name."""
    u = Uses(roots)
    found = u.own
    for name in u.names:
        found |= known[name] if name in known else BUILTIN_EFFECTS.get(name, 0)
    return found
