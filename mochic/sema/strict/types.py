"""Types of the strict checker and the relations between them (docs/reference.md, 4 and 5.2).

The default mode infers which values can occur and refuses only what cannot work; the strict mode is a classical
checker with declared types, and has a small type language of its own.  Types are values: two structural types that
print the same are the same.  Struct and union types are made once per declaration, so they may be recursive; they
are compared by name.
"""

from __future__ import annotations

from typing import Final

ANY_K: Final = 0
INT_K: Final = 1
INT64_K: Final = 2
BIGINT_K: Final = 3
BIGRAT_K: Final = 4
FLOAT_K: Final = 5
STRING_K: Final = 6
BOOL_K: Final = 7
UNIT_K: Final = 8
LIST_K: Final = 9
MAP_K: Final = 10
OPT_K: Final = 11
FUN_K: Final = 12
GROUP_K: Final = 13
STRUCT_K: Final = 14
UNION_K: Final = 15
VAR_K: Final = 16

LABELS: Final = ("io", "fs", "net", "time", "meta")
EFFECT: Final = {label: 1 << i for i, label in enumerate(LABELS)}


class SType:
    """One type.  `args`: element of list, option and group; key and value of map; parameters and result of function.

    `fields` and `methods` are those of a struct, `variants` those of a union, `effects` a set of bits of a function.
    """

    __slots__ = ("kind", "name", "args", "fields", "methods", "variants", "effects", "tparams")

    def __init__(self, kind: int, name: str = "", args: tuple[SType, ...] = ()) -> None:
        self.kind = kind
        self.name = name
        self.args = args
        self.fields: dict[str, SType] = {}
        self.methods: dict[str, SType] = {}
        self.variants: dict[str, SType] = {}
        self.effects = 0
        self.tparams: tuple[str, ...] = ()


ANY: Final = SType(ANY_K, "any")
INT: Final = SType(INT_K, "int")
INT64: Final = SType(INT64_K, "int64")
BIGINT: Final = SType(BIGINT_K, "bigint")
BIGRAT: Final = SType(BIGRAT_K, "bigrat")
FLOAT: Final = SType(FLOAT_K, "float")
STRING: Final = SType(STRING_K, "string")
BOOL: Final = SType(BOOL_K, "bool")
UNIT: Final = SType(UNIT_K, "unit")
PRIMITIVES: Final = {t.name: t for t in (ANY, INT, INT64, BIGINT, BIGRAT, FLOAT, STRING, BOOL, UNIT)}


def list_of(t: SType) -> SType:
    return SType(LIST_K, "", (t,))


def map_of(k: SType, v: SType) -> SType:
    return SType(MAP_K, "", (k, v))


def opt_of(t: SType) -> SType:
    return t if t.kind == OPT_K else SType(OPT_K, "", (t,))


def fun_of(params: list[SType], result: SType, effects: int = 0) -> SType:
    t = SType(FUN_K, "", (*params, result))
    t.effects = effects
    return t


NONE: Final = opt_of(ANY)


def effects_text(effects: int) -> str:
    """A set of effects as diagnostics name it."""
    return ", ".join(label for label in LABELS if effects & EFFECT[label]) or "pure"


def text(t: SType) -> str:
    """A type as diagnostics print it."""
    k = t.kind
    if k == LIST_K:
        return f"[{text(t.args[0])}]"
    if k == MAP_K:
        return f"{{{text(t.args[0])}: {text(t.args[1])}}}"
    if k == OPT_K:
        return f"option[{text(t.args[0])}]"
    if k == FUN_K:
        params = ", ".join(text(p) for p in t.args[:-1])
        result = "" if t.args[-1].kind == UNIT_K else ": " + text(t.args[-1])
        return f"fun({params}){result}" + (f" ! {effects_text(t.effects)}" if t.effects else "")
    if k == GROUP_K:
        return "group"
    if k == STRUCT_K and not t.name:
        return "{" + ", ".join(f"{n}: {text(f)}" for n, f in t.fields.items()) + "}"
    return t.name


def is_numeric(t: SType) -> bool:
    return INT_K <= t.kind <= FLOAT_K


def erased(t: SType) -> SType:
    """A generic function as a value: what its type parameters stand for is open."""
    if t.kind == VAR_K:
        return ANY
    out = SType(t.kind, t.name, tuple(erased(a) for a in t.args)) if t.args else t
    out.effects = t.effects
    return out


# For each expected numeric type the types that it takes.
_TAKES: Final = {
    INT_K: (INT_K, INT64_K, BIGINT_K),
    INT64_K: (INT64_K, INT_K),
    BIGINT_K: (BIGINT_K, INT_K, INT64_K),
    BIGRAT_K: (INT_K, INT64_K, BIGINT_K, BIGRAT_K, FLOAT_K),
    FLOAT_K: (FLOAT_K,),
}


def unify(want: SType, got: SType) -> bool:
    """Whether the types fit each other; `any` fits everything, also inside."""
    if want is got or want.kind == ANY_K or got.kind == ANY_K:
        return True
    w, g = want.kind, got.kind
    if w in _TAKES:
        return g in _TAKES[w]
    if w == VAR_K or g == VAR_K:
        return w == g and want.name == got.name
    if w == UNION_K and g == STRUCT_K:
        return want.variants.get(got.name) is got
    if w == STRUCT_K and g == UNION_K:
        return got.variants.get(want.name) is want
    if w != g:
        return False
    if w == STRUCT_K:
        # Each declared type has exactly one SType; another package may use its name for something else.
        return (
            not want.name
            and not got.name
            and want.fields.keys() == got.fields.keys()
            and all(unify(t, got.fields[n]) for n, t in want.fields.items())
        )
    if w == UNION_K:
        return False
    return len(want.args) == len(got.args) and all(map(unify, want.args, got.args))


def fits(want: SType, got: SType) -> bool:
    """Unifiable, or a `T` for a `T?`."""
    if unify(want, got):
        return True
    return want.kind == OPT_K and got.kind != OPT_K and unify(want.args[0], got)


def same(a: SType, b: SType) -> bool:
    """Exactly the same type, as two names of one list need it."""
    if a is b:
        return True
    if a.kind != b.kind or a.name != b.name or len(a.args) != len(b.args):
        return False
    if a.kind == STRUCT_K and not a.name:
        return a.fields.keys() == b.fields.keys() and all(same(t, b.fields[n]) for n, t in a.fields.items())
    return all(map(same, a.args, b.args))


def arithmetic(l: SType, r: SType) -> SType | None:
    """The type of a sum, difference, product, quotient or remainder of numbers."""
    if not (is_numeric(l) and is_numeric(r)):
        return None
    if l.kind == FLOAT_K or r.kind == FLOAT_K:
        exact = BIGINT_K in (l.kind, r.kind) or BIGRAT_K in (l.kind, r.kind)
        return BIGRAT if exact else FLOAT
    return l if l.kind >= r.kind else r


def is_ordered(t: SType) -> bool:
    if t.kind == LIST_K:
        return is_ordered(t.args[0])
    return t.kind in (ANY_K, STRING_K, BOOL_K) or is_numeric(t)


def is_hashable(t: SType, depth: int = 0) -> bool:
    if t.kind in (FUN_K, GROUP_K):
        return False
    if depth > 8:
        return True
    inner = list(t.args) + list(t.fields.values())
    return all(is_hashable(a, depth + 1) for a in inner)


def may_cast(t: SType, to: SType) -> bool:
    """Which `as` the strict mode allows (5.4)."""
    if ANY_K in (t.kind, to.kind) or VAR_K in (t.kind, to.kind) or same(t, to):
        return True
    if is_numeric(t) and is_numeric(to):
        return True
    if t.kind == UNION_K and to.kind == STRUCT_K:
        return to.name in t.variants
    if to.kind == UNION_K and t.kind == STRUCT_K:
        return t.name in to.variants
    if t.kind == MAP_K:
        return to.kind in (STRUCT_K, UNION_K) or (to.kind == MAP_K and unify(to, t))
    return t.kind == to.kind and t.kind in (LIST_K, OPT_K) and may_cast(t.args[0], to.args[0])
