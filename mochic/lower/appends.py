"""What a piece of code may append to in place.

`xs = append(xs, v)` extends the list object when the variable, field or element is its only owner.  A value that is
being *held* while other code runs (an argument, the source of a loop, the left operand of `+`) is one more reference
to the list, which no flag shows.  This analysis answers whether the code that runs meanwhile could extend the held
list; `aliasing.py` protects only those that it could.

The answer is given per element type.  Lists that can be the same object share an element type (inference unifies what
meets), so the type tells lists apart.  An append counts in one of two ways:

* The target is a global, a variable shared by closures, a field or an element: the list is anybody's.  These appends
  are collected per function and carried to its callers until nothing changes.  A call of an unknown function counts as
  a call of every function.
* The target is a variable of one activation.  A list without the aliased flag that such a variable owns has no other
  owner, so only the variable itself can be held while the append runs.  These appends matter inside their function
  alone.

Beside appends, stores into elements are collected.  A loop has its own length and reads one element after the other:
an append in place is hidden from it unless a store follows that should have gone to the longer list alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from mochic.sema.modules import Member
from mochic.sema.symbols import BuiltinRef, FunInfo, ProgramInfo, StructInfo, Var
from mochic.sema.types import FUNC, LIST, MAP, NIL, STR, STRUCT, Slot, find
from mochic.syntax import ast
from mochic.sema.tree import PART_SLOTS

Code = ast.Node | list[ast.Stmt] | FunInfo | None  # that runs

# Where inference took a statement or expression apart, what it made stands for it.
_STANDS_FOR = ("code", "loop", "decl")


def own_append(st: ast.Assign) -> ast.Call | None:
    """The call in `x = append(x, v)`, whose list the assignment gives up."""
    value = st.value
    if (
        isinstance(value, ast.Call)
        and isinstance(value.fn, ast.Ident)
        and isinstance(value.fn.ref, BuiltinRef)
        and value.fn.ref.name in ("append", "push")
        and same_target(st.target, value.args[0])
    ):
        return value
    return None


def same_target(a: ast.Expr, b: ast.Expr) -> bool:
    """Two expressions denote the same variable, element or field, with indexes free of effects."""
    if isinstance(a, ast.Ident):
        return isinstance(b, ast.Ident) and a.name == b.name and a.ref == b.ref  # a field of `self` is a pair
    if isinstance(a, ast.Field):
        return isinstance(b, ast.Field) and a.name == b.name and same_target(a.obj, b.obj)
    if isinstance(a, ast.Index):
        return isinstance(b, ast.Index) and same_target(a.obj, b.obj) and same_index(a.index, b.index)
    return False


def same_index(a: ast.Expr, b: ast.Expr) -> bool:
    if isinstance(a, ast.IntLit) and isinstance(b, ast.IntLit):
        return a.value == b.value
    if isinstance(a, ast.StrLit) and isinstance(b, ast.StrLit):
        return a.value == b.value
    if isinstance(a, ast.Binary) and isinstance(b, ast.Binary):
        return a.op == b.op and same_index(a.left, b.left) and same_index(a.right, b.right)
    return same_target(a, b)


def local(v: Var) -> bool:
    """The variable belongs to one activation: no other function sees a write to it."""
    return not v.global_ and not v.boxed


# What happens to a list: it gets longer in place, or an element is replaced.
APPEND: Final = 0
STORE: Final = 1
Effect = tuple[int, Slot]  # one of these, the element type


class Region:
    """What some code does itself: to anybody's lists (`effects`) and to lists of variables of the activation (`locals`,
    appends only), and what it calls."""

    __slots__ = ("effects", "locals", "functions", "unknown")

    def __init__(self) -> None:
        self.effects: set[Effect] = set()
        self.locals: dict[Var, Slot] = {}
        self.functions: set[FunInfo] = set()
        self.unknown = False  # calls a function that is not known here


class Appends:
    """The appends of a whole program; functions are looked at when the first question comes."""

    __slots__ = ("info", "_effects", "_all")

    def __init__(self, info: ProgramInfo) -> None:
        self.info = info
        self._effects: dict[FunInfo, set[Effect]] | None = None
        self._all: set[Effect] = set()

    def of(self, code: Iterable[Code]) -> Region:
        """What the code does, with all that it calls."""
        region = Region()
        for c in code:
            if isinstance(c, FunInfo):
                region.functions.add(c)
            else:
                self._walk(c, region)
        if region.unknown or region.functions:
            effects = self._solved()
            if region.unknown:
                region.effects |= self._all
            for f in region.functions:
                region.effects |= effects.get(f, set())
        return region

    def _solved(self) -> dict[FunInfo, set[Effect]]:
        if self._effects is not None:
            return self._effects
        effects: dict[FunInfo, set[Effect]] = {}
        callers: dict[FunInfo, list[FunInfo]] = {}
        unknown = []
        for f in self.info.functions:
            region = Region()
            for part in (f.expr, *(f.body or ())):
                self._walk(part, region)
            effects[f] = region.effects
            self._all |= region.effects
            if region.unknown:
                unknown.append(f)
            for g in region.functions:
                callers.setdefault(g, []).append(f)
        for f in unknown:
            effects[f] = set(self._all)
        todo = [f for f, own in effects.items() if own]
        while todo:
            f = todo.pop()
            for g in callers.get(f, ()):
                if not effects[f] <= effects[g]:
                    effects[g] |= effects[f]
                    todo.append(g)
        self._effects = effects
        return effects

    # -- one piece of code ----------------------------------------------------------------------

    def _walk(self, root: object, region: Region) -> None:
        for n in self._nodes(root):
            if isinstance(n, ast.Assign):
                self._assign(n, region)
            elif isinstance(n, ast.Call):
                self._call(n, region)

    def mentions(self, root: object, v: Var) -> bool:
        """The code names the variable; functions inside it are not looked into."""
        return any(isinstance(n, ast.Ident) and n.ref is v for n in self._nodes(root))

    def _assign(self, st: ast.Assign, region: Region) -> None:
        target = st.target
        if isinstance(target, ast.Index):
            stored = self._elem(target.obj.ty)
            if stored is not None:
                region.effects.add((STORE, stored))
        call = own_append(st)
        elem = self._elem(call.args[0].ty) if call is not None else None
        if elem is None:
            return
        if isinstance(target, ast.Ident) and isinstance(target.ref, Var) and local(target.ref):
            region.locals[target.ref] = elem
        else:
            region.effects.add((APPEND, elem))

    def _elem(self, t: Slot | None) -> Slot | None:
        """The element type of what may be a list."""
        return find(self.info.solver.elem(t)) if t is not None and find(t).kinds & LIST else None

    def _call(self, e: ast.Call, region: Region) -> None:
        fn = e.fn
        ref = fn.ref if isinstance(fn, ast.Ident) else e.ref
        if isinstance(ref, FunInfo):
            region.functions.add(ref)
        elif isinstance(ref, BuiltinRef):
            if any(a.ty is not None and find(a.ty).kinds & FUNC for a in e.args):
                region.unknown = True
        elif isinstance(ref, StructInfo | Member | ast.Call):
            pass
        elif isinstance(fn, ast.Field) and fn.obj.ty is not None:
            self._method(fn, region)
        else:
            region.unknown = True

    def _method(self, fn: ast.Field, region: Region) -> None:
        t = find(fn.obj.ty)
        if t.kinds & STRUCT:
            for st in self.info.structs:
                if t.structs & st.bit:
                    method = st.methods.get(fn.name)
                    if method is not None:
                        region.functions.add(method)
                    else:
                        region.unknown = True
        if t.kinds & ~(STRUCT | STR | LIST | NIL) and not (
            t.kinds & MAP and fn.name in ("keys", "values", "get", "contains")
        ):
            region.unknown = True

    def _nodes(self, root: object) -> Iterator[ast.Node]:
        """What runs when the code runs."""
        todo = [root]
        while todo:
            n = todo.pop()
            if isinstance(n, list | tuple):
                todo.extend(n)
                continue
            if not isinstance(n, ast.Node) or isinstance(n, ast.TypeRef | ast.FunExpr | ast.FunDecl):
                continue
            yield n
            if isinstance(n, ast.Call | ast.StructLit) and isinstance(n.ref, ast.Call):  # eval, an agent
                todo.append(n.ref)
                continue
            made = next((x for s in _STANDS_FOR if (x := getattr(n, s, None)) is not None), None)
            todo.extend([made] if made is not None else [getattr(n, s, None) for s in PART_SLOTS[type(n)]])
