"""Where the conditions of a query are tested, and which of them are keys of hash joins.

Problem.  A query (docs/reference.md, 12) means nested loops over its sources with all of `where` tested in the
innermost.  Run as written it takes the product of the sources' sizes.  It is to run in time proportional to its
input and output instead, with the same rows in the same order, and nobody may be able to tell the difference:
an error or a side effect of a condition must happen exactly when the nested loops would have it happen.

Method.  The classic rewriting of relational algebra (Selinger et al., "Access path selection in a relational database
management system", SIGMOD 1979), restricted to what keeps the order of rows: the order of joins is never changed.
Each query variable is a *level*.  The conditions, split at `&&`, are handed out to levels:

* A condition is *total* when it can neither fail nor be observed: comparisons, fields of structs and maps, arithmetic
  on numbers, text functions on strings ...  It moves to the first level at which its variables exist.
* Any other condition stays where it stands: one of a join at that join's level, one of `where` at the last.  What
  stands behind it in the query does not overtake it, so it runs for the same rows as before.
* Conditions of `where` do not move past a right or outer join, which would take the rows that they remove for missing,
  and one that names the variable of a left join is tested behind the join, where that variable may be null.

At a level, `a == b` where one side names only the level's own variable and the other only earlier ones is a *key*: the
source is indexed by its side once, when the first row asks for it, and each row looks its matches up.  A comparison
that may fail but changes nothing (QUIET: a field of a value that may be no map) is taken too if it is the first test of
its level: nested loops evaluate both sides at least once for each row of either side, so what fails there fails here.
For a right join the roles are swapped: the rows so far are indexed, and the source looks them up.

What the query evaluates may change what conditions read (`Writes`: a call that assigns to a global).  Those conditions
stay as written.

Invariant.  `Step.tests` holds what must still be tested for a pair of rows that the index found, in the order of the
query; `Step.own` what the index left out rows by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mochic.sema.modules import Member
from mochic.sema.symbols import BuiltinRef, FunInfo, StructInfo, Var
from mochic.sema.types import BOOL, FLOAT, GROUP, INT, LIST, MAP, NIL, STR, STRUCT, find
from mochic.syntax import ast
from mochic.sema.tree import CODE_SLOTS, nodes

# How freely a condition may be moved
TOTAL: Final = 0  # never fails, changes nothing
QUIET: Final = 1  # may fail, changes nothing
LOUD: Final = 2

_NUMBER: Final = INT | FLOAT
_HOLDS_FIELDS: Final = STRUCT | MAP | NIL
_ITERABLE: Final = LIST | MAP | GROUP | NIL

# Builtins and methods that cannot fail on arguments of these kinds
_TOTAL_CALLS: Final[dict[str, tuple[int, ...]]] = {
    "len": (STR | LIST | MAP | GROUP | STRUCT | NIL,),
    "count": (LIST | GROUP | NIL,),
    "sum": (LIST | GROUP | NIL,),
    "avg": (LIST | GROUP | NIL,),
    "min": (LIST | GROUP | NIL,),
    "max": (LIST | GROUP | NIL,),
    "exists": (LIST | GROUP | NIL,),
    "first": (LIST | GROUP | NIL,),
    "str": (BOOL | INT | FLOAT | STR | NIL,),
    "string": (BOOL | INT | FLOAT | STR | NIL,),
    "abs": (_NUMBER,),
    "lower": (STR,),
    "upper": (STR,),
    "trim": (STR,),
    "contains": (STR, STR),
    "starts_with": (STR, STR),
    "indexOf": (STR, STR),
    "substring": (STR, INT, INT),
    "substr": (STR, INT, INT),
    "slice": (STR | LIST, INT, INT),
}  # fmt: skip

_DEPTH: Final = 4  # of calls followed into the program's own functions


def kinds(e: ast.Expr) -> int:
    return find(e.ty).kinds if e.ty is not None else 0


class Effects:
    """How freely an expression may be moved; `known` are variables that hold a map, a struct or null."""

    __slots__ = ("known", "depth")

    def __init__(self, known: set[Var] | None = None) -> None:
        self.known = known if known is not None else set()
        self.depth = 0

    def of(self, e: ast.Expr | None) -> int:
        if e is None:
            return TOTAL
        f = _RULES.get(type(e))
        return f(self, e) if f is not None else LOUD

    def all(self, *es: ast.Expr | None) -> int:
        worst = TOTAL
        for e in es:
            worst = max(worst, self.of(e))
            if worst == LOUD:
                break
        return worst

    def _literal(self, e: ast.Expr) -> int:
        return TOTAL

    def _ident(self, e: ast.Ident) -> int:
        return TOTAL if isinstance(e.ref, Var | FunInfo) else LOUD

    def _field(self, e: ast.Field) -> int:
        if isinstance(e.ref, Member):
            return TOTAL if e.ref.code == "const" else LOUD
        if e.ref is not None:
            return TOTAL if isinstance(e.ref, Var) else LOUD
        if isinstance(e.obj, ast.Ident) and e.obj.ref in self.known:
            return TOTAL
        k = kinds(e.obj)
        safe = k and not k & ~(_HOLDS_FIELDS | GROUP)
        return max(self.of(e.obj), TOTAL if safe else QUIET)

    def _index(self, e: ast.Index) -> int:
        safe = not kinds(e.obj) & ~(MAP | NIL)
        return max(self.all(e.obj, e.index), TOTAL if safe else QUIET)

    def _binary(self, e: ast.Binary) -> int:
        sides = self.all(e.left, e.right)
        op = e.op
        l, r = kinds(e.left), kinds(e.right)
        if op in ("==", "!=", "<", "<=", ">", ">=", "&&", "||", "??"):
            return sides
        if op == "in":
            safe = r in (LIST, MAP) or (l == STR and r == STR)
        elif op == "+" and kinds(e) == STR:
            safe = not (l | r) & ~(BOOL | INT | FLOAT | STR | NIL)
        elif op in ("+", "-", "*"):
            safe = not (l | r) & ~(_NUMBER | NIL)
        elif op in ("/", "%"):
            d = e.right
            safe = not l & ~(_NUMBER | NIL) and isinstance(d, ast.IntLit | ast.FloatLit) and float(d.value) != 0.0
        else:
            return LOUD
        return max(sides, TOTAL if safe else QUIET)

    def _unary(self, e: ast.Unary) -> int:
        safe = e.op == "!" or not kinds(e.operand) & ~(_NUMBER | NIL)
        return max(self.of(e.operand), TOTAL if safe else QUIET)

    def _if(self, e: ast.IfExpr) -> int:
        return self.all(e.cond, e.then, e.orelse)

    def _list(self, e: ast.ListLit) -> int:
        return self.all(*e.elems)

    def _call(self, e: ast.Call) -> int:
        fn = e.fn
        args = e.args
        if isinstance(e.ref, ast.Call):  # eval
            return LOUD
        if isinstance(fn, ast.Ident):
            if isinstance(fn.ref, FunInfo):
                return max(self.all(*args), self._function(fn.ref, len(args)))
            if not isinstance(fn.ref, BuiltinRef):
                return LOUD
            name = fn.ref.name
        elif isinstance(fn, ast.Field) and not isinstance(e.ref, FunInfo) and fn.name in ("contains", "starts_with"):
            name = fn.name
            args = [fn.obj, *args]
        else:
            return LOUD
        wants = _TOTAL_CALLS.get(name)
        if wants is None or len(wants) != len(args):
            return LOUD
        for a, k in zip(args, wants, strict=True):
            if kinds(a) & ~k:
                return LOUD
        return self.all(*args)

    def _function(self, f: FunInfo, nargs: int) -> int:
        """A function of the program without loops, whose statements are total."""
        if self.depth >= _DEPTH or nargs != len(f.params):
            return LOUD
        self.depth += 1
        outer, self.known = self.known, set()
        worst = self.of(f.expr) if f.expr is not None else self._block(f.body)
        self.known = outer
        self.depth -= 1
        return worst

    def _block(self, body: list[ast.Stmt] | None) -> int:
        worst = TOTAL
        for st in body or ():
            if isinstance(st, ast.Return):
                worst = max(worst, self.of(st.value))
            elif isinstance(st, ast.VarDecl):
                worst = max(worst, self.of(st.value))
            elif isinstance(st, ast.If):
                orelse = st.orelse
                other = self._block(orelse) if isinstance(orelse, list) else LOUD if orelse is not None else TOTAL
                worst = max(worst, self.of(st.cond), self._block(st.then), other)
            else:
                return LOUD
            if worst == LOUD:
                break
        return worst

    def _query(self, e: ast.Query) -> int:
        parts: list[ast.Expr | None] = []
        sources = [f.source for f in e.froms] + [j.source for j in e.joins]
        if any(kinds(s) & ~_ITERABLE for s in sources):
            return LOUD
        parts += sources
        parts += [j.on for j in e.joins]
        for n in (e.skip, e.take):
            if n is not None and kinds(n) != INT:
                return LOUD
        select = e.select
        if e.info.aggregate and isinstance(select, ast.Call):
            select = select.args[0]
        return self.all(*parts, e.where, *e.group_keys, e.having, e.sort, e.skip, e.take, select)


_RULES: Final[dict[type, Callable[[Effects, Any], int]]] = {
    ast.IntLit: Effects._literal,
    ast.FloatLit: Effects._literal,
    ast.StrLit: Effects._literal,
    ast.BoolLit: Effects._literal,
    ast.NoneLit: Effects._literal,
    ast.Ident: Effects._ident,
    ast.Field: Effects._field,
    ast.Index: Effects._index,
    ast.Binary: Effects._binary,
    ast.Unary: Effects._unary,
    ast.IfExpr: Effects._if,
    ast.ListLit: Effects._list,
    ast.Call: Effects._call,
    ast.Query: Effects._query,
}


class Step:
    """One level: a source and what happens to its rows.

    `side`: "from", "" (inner join), "left", "right" or "outer".  `keys`: pairs of the indexed side's and the asking
    side's expression.  `own`: conditions that the index is built under.  `tests`: what else makes a pair of rows match.
    `after`: conditions on the rows of a left, right or outer join, padded ones included.
    """

    __slots__ = ("var", "source", "side", "keys", "own", "tests", "after", "free", "keys_first")

    def __init__(self, var: Var, source: ast.Expr, side: str) -> None:
        self.var = var
        self.source = source
        self.side = side
        self.keys: list[tuple[ast.Expr, ast.Expr]] = []
        self.own: list[ast.Expr] = []
        self.tests: list[ast.Expr] = []
        self.after: list[ast.Expr] = []
        self.free = True  # the source names no query variable
        self.keys_first = False  # a key may fail: it is evaluated for all rows, before `own`

    @property
    def padded(self) -> bool:
        return self.side in ("left", "right", "outer")


class Planner:
    """Hands out the conditions of a query to its steps."""

    __slots__ = ("steps", "vars", "index", "floor", "blocked", "known", "writes")

    def __init__(self, e: ast.Query, structs: list[StructInfo]) -> None:
        self.vars: list[Var] = e.info.vars
        self.index = {v: i for i, v in enumerate(self.vars)}
        self.steps = [Step(v, f.source, "from") for v, f in zip(self.vars, e.froms, strict=False)]
        for v, j in zip(self.vars[len(e.froms) :], e.joins, strict=True):
            self.steps.append(Step(v, j.source, j.side or ""))
        self.floor = 0  # nothing that follows may be tested at an earlier level
        self.blocked = [False] * len(self.steps)  # something that is not total has been placed at the level
        self.known: set[Var] = set()
        sources = [c.source for c in e.froms[1:]] + [j.source for j in e.joins]
        ons = [j.on for j in e.joins]
        self.writes = Writes([e.select, e.sort, e.having, *e.group_keys, e.where, *ons, *sources], structs)
        for i, s in enumerate(self.steps):
            used = self.names(s.source)
            s.free = not used
            if used and (Effects().of(s.source) != TOTAL or kinds(s.source) & ~_ITERABLE):
                self.floor = max(self.floor, i)
            if i >= len(e.froms):
                self.place_join(i, e.joins[i - len(e.froms)].on)
        last = len(self.steps) - 1
        for c in conjuncts(e.where):
            self.place(c, last)

    def effect(self, c: ast.Expr, known: set[Var]) -> int:
        return LOUD if self.writes.touch(c) else Effects(known).of(c)

    def names(self, e: ast.Expr | None) -> set[int]:
        """The levels of the query variables that occur in the expression."""
        return {self.index[v] for v in variables(e) if v in self.index}

    def place_join(self, i: int, on: ast.Expr) -> None:
        step = self.steps[i]
        if not step.padded:
            for c in conjuncts(on):
                self.place(c, i)
            return
        # Which rows match is a matter of the join alone; the conditions behind it see the padded rows.
        swapped = step.side == "right"
        sides = (set(range(i)), {i}) if swapped else ({i}, set(range(i)))
        loud = False
        known: set[Var] = set()
        for c in conjuncts(on):
            effect = self.effect(c, known)
            if not loud and self.add_key(step, c, sides[0], sides[1], effect, known):
                continue
            if not loud and effect == TOTAL and self.own_test(c, sides[0]) and (step.free or swapped):
                step.own.append(c)
            else:
                step.tests.append(c)
                loud = loud or effect != TOTAL
        if loud or step.keys_first:
            self.floor = max(self.floor, i)
        if step.side in ("right", "outer"):
            self.floor = i

    def own_test(self, c: ast.Expr, side: set[int]) -> bool:
        used = self.names(c)
        return bool(used) and used <= side

    def place(self, c: ast.Expr, home: int) -> None:
        """Put a condition of an inner join or of `where` at its level."""
        effect = self.effect(c, self.known)
        used = self.names(c)
        at = max([self.floor, *used]) if effect == TOTAL else home
        step = self.steps[at]
        if step.padded:
            step.after.append(c)
        elif not self.blocked[at] and self.add_key(step, c, {at}, set(range(at)), effect, self.known):
            if step.keys_first:
                self.floor = max(self.floor, at)
            return
        elif not self.blocked[at] and at > 0 and effect == TOTAL and step.free and self.own_test(c, {at}):
            step.own.append(c)
            return
        else:
            step.tests.append(c)
        if effect != TOTAL:
            self.floor = max(self.floor, at)
            self.blocked[at] = True

    def add_key(self, step: Step, c: ast.Expr, inner: set[int], outer: set[int], effect: int, known: set[Var]) -> bool:
        """Take the condition as a key of the step's index, if it is one."""
        if not isinstance(c, ast.Binary) or c.op != "==" or effect == LOUD:
            return False
        if step.side != "right" and not step.free:
            return False
        if effect != TOTAL and (step.own or step.tests):
            return False
        for own, other in ((c.left, c.right), (c.right, c.left)):
            a, b = self.names(own), self.names(other)
            if a and b and a <= inner and b <= outer:
                step.keys.append((own, other))
                if effect != TOTAL:
                    step.keys_first = True
                    known |= {v for v in variables(c) if field_of(c.left, v) or field_of(c.right, v)}
                return True
        return False


class Writes:
    """What evaluating an expression may change: variables, fields by name, entries of lists and maps, or anything."""

    __slots__ = ("vars", "fields", "entries", "anything")

    def __init__(self, parts: list[ast.Expr | None], structs: list[StructInfo]) -> None:
        self.vars: set[Var] = set()
        self.fields: set[str] = set()
        self.entries = False
        self.anything = False
        seen: set[FunInfo] = set()
        todo: list[object] = [parts]
        while todo:
            for x in nodes(todo.pop()):
                if isinstance(x, ast.Assign):
                    self.assign(x.target)
                elif isinstance(x, ast.Emit):
                    self.anything = True
                elif isinstance(x, ast.Update):
                    todo.append(x.loop)
                elif isinstance(x, ast.Call):
                    for f in self.callees(x, structs):
                        if f not in seen:
                            seen.add(f)
                            todo.append(f.expr if f.expr is not None else f.body)

    def assign(self, target: ast.Expr) -> None:
        if isinstance(target, ast.Ident):
            if isinstance(target.ref, Var):
                self.vars.add(target.ref)
        elif isinstance(target, ast.Field):
            self.fields.add(target.name)
        else:
            self.entries = True

    def callees(self, e: ast.Call, structs: list[StructInfo]) -> list[FunInfo]:
        fn = e.fn
        f = fn.ref if isinstance(fn, ast.Ident) else e.ref
        if isinstance(f, FunInfo):
            return [f]
        if isinstance(f, Member | StructInfo | BuiltinRef):
            return []
        if isinstance(fn, ast.Field):
            methods: list[FunInfo] = [s.methods[fn.name] for s in structs if fn.name in s.methods]
            if methods or fn.name in _METHODS:
                return methods
        self.anything = True  # a function value
        return []

    def touch(self, e: ast.Expr) -> bool:
        """The expression may read something that changes."""
        if self.anything:
            return True
        for x in nodes(e):
            if isinstance(x, ast.Ident):
                if x.ref in self.vars:
                    return True
            elif isinstance(x, ast.Field):
                if x.name in self.fields or (self.entries and kinds(x.obj) & ~(STRUCT | NIL)):
                    return True
            elif self.entries and isinstance(x, ast.Index | ast.Call | ast.Query):
                return True
            elif (self.vars or self.fields) and isinstance(x, ast.Call) and not isinstance(x.ref, BuiltinRef):
                if not (isinstance(x.fn, ast.Ident) and isinstance(x.fn.ref, BuiltinRef)):
                    return True
        return False


_METHODS: Final = ("contains", "starts_with", "padStart", "keys", "values", "get")


def invariants(q: ast.Query, writes: Writes) -> list[ast.Expr]:
    """Parts of what runs for each row that have one value for all rows and are worth keeping: aggregates of queries
    that name no variable of this one, and `x in list` where the list is the same for all rows."""
    out: list[ast.Expr] = []
    dependent = [j.source for j in q.joins] + [f.source for f in q.froms[1:]]
    stack: list[object] = [q.where, q.select, q.sort, q.having, q.group_keys, [j.on for j in q.joins], dependent]
    while stack:
        x = stack.pop()
        if isinstance(x, list | tuple):
            stack.extend(x)
        elif isinstance(x, ast.FunExpr):
            continue  # another function
        elif isinstance(x, ast.Node):
            if isinstance(x, ast.Call | ast.Query) and _scalar_query(x) and _fixed(x, q, writes):
                out.append(x)
                continue
            if isinstance(x, ast.Binary) and x.op == "in" and kinds(x.right) == LIST and _fixed(x.right, q, writes):
                if not writes.entries and not isinstance(x.right, ast.ListLit):
                    out.append(x)
                    stack.append(x.left)
                    continue
            stack.extend([getattr(x, name, None) for name in CODE_SLOTS[type(x)]])
    return out


def _scalar_query(e: ast.Expr) -> bool:
    if kinds(e) & ~(NIL | BOOL | INT | FLOAT | STR):
        return False
    if isinstance(e, ast.Query):
        return bool(e.info.aggregate)
    return isinstance(e, ast.Call) and len(e.args) == 1 and isinstance(e.args[0], ast.Query)


def _fixed(e: ast.Expr, q: ast.Query, writes: Writes) -> bool:
    """Total, and the same whenever the query evaluates it."""
    if writes.touch(e) or Effects().of(e) != TOTAL:
        return False
    return not any(q.lo <= v.pos < q.hi and not e.lo <= v.pos < e.hi for v in variables(e))


def field_of(e: ast.Expr, v: Var) -> bool:
    """The expression is `v.f`: where it does not fail, v is a map, a struct or null."""
    return isinstance(e, ast.Field) and isinstance(e.obj, ast.Ident) and e.obj.ref is v


def conjuncts(e: ast.Expr | None) -> list[ast.Expr]:
    """The parts of `a && b && c`, in order."""
    out: list[ast.Expr] = []
    stack = [e]
    while stack:
        x = stack.pop()
        if isinstance(x, ast.Binary) and x.op == "&&":
            stack += (x.right, x.left)
        elif x is not None:
            out.append(x)
    return out


def variables(e: object) -> set[Var]:
    """The variables that occur in an expression."""
    return {x.ref for x in nodes(e) if isinstance(x, ast.Ident) and isinstance(x.ref, Var)}
