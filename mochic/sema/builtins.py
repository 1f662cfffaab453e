"""The builtin functions (docs/reference.md, 13): arity and result type.

`BUILTINS` maps a name to (fewest, most arguments, typing rule).  `lower.builtins` has the code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mochic.sema.constraints import (
    ArithmeticConstraint,
    CallConstraint,
    ElementConstraint,
    KeyConstraint,
    SliceConstraint,
)
from mochic.sema.types import (
    BOOL, BOOL_TY, FLOAT, FLOAT_TY, INT, INT_TY, LIST, MAP, NIL, NIL_TY, RAT, STR, STR_TY, STRUCT, Solver, Slot, find,
)  # fmt: skip

Rule = Callable[[Solver, list[Slot]], Slot]


def _int(s: Solver, a: list[Slot]) -> Slot:
    return INT_TY


def _float(s: Solver, a: list[Slot]) -> Slot:
    return FLOAT_TY


def _str(s: Solver, a: list[Slot]) -> Slot:
    return STR_TY


def _bool(s: Solver, a: list[Slot]) -> Slot:
    return BOOL_TY


def _nil(s: Solver, a: list[Slot]) -> Slot:
    return NIL_TY


def _first_arg(s: Solver, a: list[Slot]) -> Slot:
    return a[0] if a else NIL_TY


def _str_list(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    s.grow(s.elem(t), STR)
    return t


def _int_list(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    s.grow(s.elem(t), INT)
    return t


def _float_list(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    s.grow(s.elem(t), FLOAT)
    return t


def _data(s: Solver, a: list[Slot]) -> Slot:
    return data_type(s)


def data_type(s: Solver) -> Slot:
    """Anything a data file can hold."""
    t = s.new(NIL | BOOL | INT | FLOAT | STR | LIST | MAP)
    shape = s.shape(t)
    shape.elem = shape.val = t
    shape.key = s.new(STR)
    return t


def _append(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    s.flow(a[0], t, LIST)
    el = s.elem(t)
    s.flow(a[1], el)
    s.appended.append(el)
    return t


def _same_list(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    for x in a:
        s.flow(x, t, LIST)
    return t


def _collect(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    c = ElementConstraint(a[0], s.elem(t))
    s.attach(a[0], c)
    return t


def _first(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(NIL)
    c = ElementConstraint(a[0], t)
    s.attach(a[0], c)
    return t


class SumConstraint:
    """sum of numbers: int if all are ints, as in an empty list of floats, else float; non-numbers count 0"""

    __slots__ = ("src", "res", "watching")

    def __init__(self, src: Slot, res: Slot) -> None:
        self.src = src
        self.res = res
        self.watching = False

    def run(self, s: Solver) -> None:
        e = s.elem(self.src)
        if not self.watching:
            self.watching = True
            s.watch(e, self)
        s.grow(self.res, INT | find(e).kinds & (FLOAT | RAT))


def _sum(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(0)
    c = SumConstraint(a[0], t)
    s.attach(a[0], c)
    return t


class ExtremeConstraint:
    """The elements; where there may be none but null, the int 0.  `filled`: the list is a literal with elements."""

    __slots__ = ("src", "res", "filled", "watching")

    def __init__(self, src: Slot, res: Slot, filled: bool) -> None:
        self.src = src
        self.res = res
        self.filled = filled
        self.watching = False

    def run(self, s: Solver) -> None:
        e = s.elem(self.src)
        if not self.watching:
            self.watching = True
            s.watch(e, self)
            s.flow(e, self.res)
        if not self.filled or find(e).kinds & NIL:
            s.grow(self.res, INT)


def extreme_of(s: Solver, src: Slot, res: Slot, filled: bool) -> None:
    """min and max of a list; `filled`: see ExtremeConstraint."""
    c = ExtremeConstraint(src, res, filled)
    s.attach(src, c)


def _minmax(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(0)
    if len(a) == 1:
        extreme_of(s, a[0], t, False)
    else:
        for x in a:
            s.flow(x, t)
    return t


def _slice(s: Solver, a: list[Slot]) -> Slot:
    t = s.new()
    c = SliceConstraint(a[0], t)
    s.attach(a[0], c)
    return t


def _reverse(s: Solver, a: list[Slot]) -> Slot:
    return _slice(s, a)


def _keys(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    s.attach(s.key(a[0]), KeyConstraint(s.key(a[0]), s.elem(t)))
    return t


def _values(s: Solver, a: list[Slot]) -> Slot:
    t = s.new(LIST)
    s.flow(s.val(a[0]), s.elem(t))
    return t


class RoundingConstraint:
    """abs, round: the kind of the argument; a truth counts as the float 0 or 1"""

    __slots__ = ("src", "res")

    def __init__(self, src: Slot, res: Slot) -> None:
        self.src = src
        self.res = res

    def run(self, s: Solver) -> None:
        k = find(self.src).kinds
        s.grow(self.res, k & (INT | FLOAT | NIL) | (FLOAT if k & ~(INT | FLOAT | NIL) else 0))
        if k & RAT:
            s.grow(self.res, RAT | FLOAT)


def _numeric(s: Solver, a: list[Slot]) -> Slot:
    t = s.new()
    c = RoundingConstraint(a[0], t)
    s.attach(a[0], c)
    return t


def _round(s: Solver, a: list[Slot]) -> Slot:
    t = _numeric(s, a)
    if len(a) > 1:  # an int is a float at any number of digits but 0
        s.grow(t, FLOAT)
    return t


def _pow(s: Solver, a: list[Slot]) -> Slot:
    t = s.new()
    c = ArithmeticConstraint("*", a[0], a[1], t)
    s.watch(a[0], c)
    s.attach(a[1], c)
    return t


def _get(s: Solver, a: list[Slot]) -> Slot:
    t = s.new()
    s.flow(s.val(a[0]), t)
    if len(a) > 2:
        s.flow(a[2], t)
    else:
        s.grow(t, NIL)
    return t


def _reduce(s: Solver, a: list[Slot]) -> Slot:
    acc = s.new()
    s.flow(a[2], acc)
    item = s.new()
    elems = ElementConstraint(a[0], item)
    s.attach(a[0], elems)
    call = CallConstraint(a[1], [acc, item], acc)
    s.attach(a[1], call)
    return acc


MANY: Final = 1000  # arguments of what takes any number: all are alive at once

BUILTINS: Final[dict[str, tuple[int, int, Rule]]] = {
    "print": (0, MANY, _first_arg),
    "len": (1, 1, _int),
    "append": (2, 2, _append),
    "push": (2, 2, _append),
    "concat": (1, MANY, _same_list),
    "first": (1, 1, _first),
    "reverse": (1, 1, _reverse),
    "distinct": (1, 1, _same_list),
    "keys": (1, 1, _keys),
    "values": (1, 1, _values),
    "collect": (1, 1, _collect),
    "range": (1, 3, _int_list),
    "now": (0, 0, _int),
    "json": (1, 1, _first_arg),
    "to_json": (1, 1, _str),
    "str": (1, 1, _str),
    "string": (1, 1, _str),
    "int": (1, 1, _int),
    "float": (1, 1, _float),
    "parseIntStr": (1, 2, _int),
    "upper": (1, 1, _str),
    "lower": (1, 1, _str),
    "trim": (1, 1, _str),
    "contains": (2, 2, _bool),
    "split": (2, 2, _str_list),
    "join": (2, 2, _str),
    "substring": (3, 3, _slice),
    "substr": (3, 3, _slice),
    "slice": (3, 3, _slice),
    "padStart": (3, 3, _str),
    "indexOf": (2, 2, _int),
    "repeat": (2, 2, _str),
    "count": (1, 1, _int),
    "exists": (1, 1, _bool),
    "sum": (1, 1, _sum),
    "avg": (1, 1, _float),
    "min": (1, MANY, _minmax),
    "max": (1, MANY, _minmax),
    "round": (1, 2, _round),
    "abs": (1, 1, _numeric),
    "ceil": (1, 1, _float),
    "floor": (1, 1, _float),
    "sha256": (1, 1, _int_list),
    "input": (0, 0, _str),
    "pow": (2, 2, _pow),
    "mem": (0, 0, _int),
    "panic": (1, 2, _nil),
    "error": (1, 2, _nil),
    "from_json": (1, 1, _data),
    "#embedding": (2, 2, _float_list),
    "#generate": (2, 2, _str),
    "__try": (1, 1, _bool),
    "__caught": (0, 0, _int),
    "__caught_text": (0, 0, _str),
    "__chat_start": (3, 3, _data),
    "__chat_next": (1, 1, _data),
    "__chat_result": (3, 3, _nil),
    "__chat_text": (1, 1, _str),
    "reduce": (3, 3, _reduce),
    "sort": (1, 1, _same_list),
    "num": (1, 1, _int),
    "denom": (1, 1, _int),
    "readFile": (1, 1, _str),
    "lines": (1, 1, _str_list),
    "writeFile": (2, 2, _nil),
    "appendFile": (2, 2, _nil),
}

# Methods on values that are not struct methods: name -> (fewest, most arguments, typing rule on [receiver, *args])
METHODS: Final[dict[str, tuple[int, int, Rule]]] = {
    "contains": (1, 1, _bool),
    "starts_with": (1, 1, _bool),
    "padStart": (2, 2, _str),
    "keys": (0, 0, _keys),
    "values": (0, 0, _values),
    "get": (1, 2, _get),
}
OF_MAPS: Final = ("keys", "values", "get")  # any other name of a map is a function in it


def value_method(kinds: int, name: str) -> bool:
    """A call of this name on a value of these kinds means one of METHODS."""
    if name not in METHODS or kinds & STRUCT or (kinds == MAP and name not in OF_MAPS):
        return False
    return bool(kinds & (STR | LIST | MAP)) or name == "padStart"


def arguments_wanted(fewest: int, most: int, given: int) -> str:
    """How many arguments a builtin takes, as its error says it."""
    if fewest == most:
        return str(fewest)
    return f"{fewest} to {most}" if most < MANY or given > most else f"at least {fewest}"
