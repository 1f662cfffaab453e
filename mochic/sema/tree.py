"""The tree as several stages look at it: walks over all of its nodes, and questions that need no types.

The parser fills most slots of a node; what a node means is filled in later (`FILLED`) and is no part of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mochic.syntax import ast

AGGREGATES: Final = ("sum", "avg", "min", "max", "count")  # of which a query makes one value

MEANING: Final = frozenset(("ty", "ref", "info", "sym"))  # what it is
# What inference made of it, in terms of the rest of the language.
MADE: Final = frozenset(("code", "decl", "loop", "row"))
FILLED: Final = MEANING | MADE
_SPAN: Final = frozenset(("lo", "hi"))


def _slots(without: frozenset[str]) -> dict[type, tuple[str, ...]]:
    """By class of nodes: its slots but for some, the class's own first."""
    return {
        cls: tuple(x for c in cls.__mro__ for x in getattr(c, "__slots__", ()) if x not in without)
        for cls in vars(ast).values()
        if isinstance(cls, type) and issubclass(cls, ast.Node)
    }


PART_SLOTS: Final = _slots(FILLED | _SPAN)  # what the parser filled
CODE_SLOTS: Final = _slots(MEANING | _SPAN)  # and what inference made of it


def nodes(root: object) -> Iterator[ast.Node]:
    """All nodes of a piece of syntax, with what inference made of them; `root` is a node, or a list of such."""
    stack = [root]
    while stack:
        x = stack.pop()
        if isinstance(x, ast.Node):
            yield x
            stack.extend([getattr(x, name, None) for name in CODE_SLOTS[type(x)]])
        elif isinstance(x, list | tuple):
            stack.extend(x)


def parts(node: ast.Node) -> list[ast.Node]:
    """The nodes directly below one."""
    out: list[ast.Node] = []
    for name in PART_SLOTS[type(node)]:
        work = [getattr(node, name)]
        while work:
            v = work.pop()
            if isinstance(v, ast.Node):
                out.append(v)
            elif isinstance(v, (list, tuple)):
                work += v
    return out


def copy_tree(n: Any) -> Any:
    """A copy of a part of the tree, without what inference has written into it.  Type references are shared."""
    if isinstance(n, list):
        return [copy_tree(x) for x in n]
    if isinstance(n, tuple):
        return tuple(copy_tree(x) for x in n)
    if not isinstance(n, ast.Node) or isinstance(n, ast.TypeRef):
        return n
    cls = type(n)
    out = cls.__new__(cls)
    out.lo = n.lo
    out.hi = n.hi
    for x in PART_SLOTS[cls]:
        setattr(out, x, copy_tree(getattr(n, x, None)))
    for x in FILLED:
        if hasattr(cls, x):
            setattr(out, x, None)
    return out


def scalar_aggregate(e: ast.Query) -> tuple[str, ast.Expr] | None:
    """`sum` and x of `select sum(x)`, which makes one value of all rows; None for any other query."""
    call = e.select
    if e.group_var is not None or not isinstance(call, ast.Call) or not isinstance(call.fn, ast.Ident):
        return None
    if call.fn.name not in AGGREGATES or len(call.args) != 1 or isinstance(call.args[0], ast.Query):
        return None
    return call.fn.name, call.args[0]


def is_none(e: ast.Expr) -> bool:
    return isinstance(e, ast.NoneLit) or (isinstance(e, ast.Ident) and e.name in ("null", "nil") and e.ref is None)


def inner_types(ref: ast.TypeRef) -> list[ast.TypeRef]:
    """The types of which values of a type are made: elements, entries, fields; a function is made of nothing."""
    if isinstance(ref, ast.TypeOpt):
        return [ref.inner]
    if isinstance(ref, ast.TypeGeneric):
        return ref.args
    if isinstance(ref, ast.TypeStruct):
        return [f.type for f in ref.fields]
    return []


def key_name(k: ast.Expr, i: int) -> str:
    """The entry name of a group key among several (docs/reference.md, 12.3)."""
    if isinstance(k, ast.Field):
        return k.name
    if isinstance(k, ast.Ident):
        return k.name
    return f"k{i + 1}"


def listed(e: ast.Call) -> list[ast.Expr] | None:
    """The elements in `min([a, b])` and `max([a, b, c])`."""
    if len(e.args) == 1 and isinstance(e.fn, ast.Ident) and e.fn.name in ("min", "max"):
        only = e.args[0]
        if isinstance(only, ast.ListLit) and only.elems:
            return only.elems
    return None
