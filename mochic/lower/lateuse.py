"""Whether a function looks at a parameter after it may have appended to the list that was passed.

    fun step(work: list<int>, i: int) { if work[i] > 3 { queue = append(queue, i) } }

`step(queue, i)` may extend the list in place: when it does, nobody looks at `work` any more.  Without this, each such
call would copy the queue.  The answer is on the safe side: a loop, and any statement that both appends and mentions the
parameter, counts as a look afterwards, but for `x = append(x, value)`, whose value is evaluated first.

A parameter that closures capture, or that the function itself appends to, is marked when the function is entered
(program.py), and what stores it marks it too; so only the parameter's own mentions matter.
"""

from __future__ import annotations

from mochic.lower.appends import APPEND, Appends, own_append
from mochic.sema.symbols import FunInfo, Var
from mochic.sema.types import Slot
from mochic.syntax import ast


class LateUses:
    __slots__ = ("appends", "_known")

    def __init__(self, appends: Appends) -> None:
        self.appends = appends
        self._known: dict[tuple[Var, Slot], bool] = {}

    def of(self, f: FunInfo, p: Var, elem: Slot) -> bool:
        """`elem`: the element type of the list that is passed for p."""
        if p.appended or p.captured:
            return False
        known = self._known.get((p, elem))
        if known is None:
            walk = _Walk(self.appends, p, elem)
            if f.body is not None:
                known = walk.block(f.body)
            else:
                known = f.expr is None or (walk.appends(f.expr) and walk.mentions(f.expr))
            self._known[(p, elem)] = known
        return known


class _Walk:
    """One function, one parameter; `done`: an append may have happened."""

    __slots__ = ("effects", "p", "elem", "done")

    def __init__(self, effects: Appends, p: Var, elem: Slot) -> None:
        self.effects = effects
        self.p = p
        self.elem = elem
        self.done = False

    def appends(self, n: ast.Node | list[ast.Stmt] | None) -> bool:
        code = n if isinstance(n, list) else [n]
        return (APPEND, self.elem) in self.effects.of(code).effects

    def mentions(self, n: ast.Node | list[ast.Stmt] | None) -> bool:
        return self.effects.mentions(n, self.p)

    def block(self, body: list[ast.Stmt]) -> bool:
        """The parameter is looked at late in these statements."""
        return any(self.statement(st) for st in body)

    def statement(self, st: ast.Stmt) -> bool:
        if isinstance(st, ast.If):
            if self.plain(st.cond):
                return True
            before = self.done
            late = self.block(st.then)
            after, self.done = self.done, before
            late = late or self.block(st.orelse or [])
            self.done = self.done or after
            return late
        if isinstance(st, ast.Assign):
            call = own_append(st)
            if call is not None and not self.appends(call.args[1]) and not self.appends(st.target):
                late = self.done and self.mentions(st)
                self.done = self.done or self.appends(st)
                return late
        return self.plain(st)

    def plain(self, n: ast.Node) -> bool:
        """A piece of code whose order is not looked into."""
        effect = self.appends(n)
        late = (self.done or effect) and self.mentions(n)
        self.done = self.done or effect
        return late
