"""Foreign modules that are compiled natively (mochi-language.md section 15).

A member is an IR op or runtime function on doubles, or a constant; the same under the spellings of all
host languages (`math.sqrt`, `math.Sqrt`, `Math.sqrt`).
"""

from __future__ import annotations

from typing import Final

from mochic.sema.symbols import ImportInfo
from mochic.sema.types import FLOAT_TY, INT_TY, Ty


class Member:
    """`code`: "const" with `value`, or the name of the operation that lowering emits; `nargs` its arity."""

    __slots__ = ("name", "nargs", "code", "value", "result")

    def __init__(self, name: str, nargs: int, code: str, value: float = 0.0, result: Ty = FLOAT_TY) -> None:
        self.name = name
        self.nargs = nargs
        self.code = code
        self.value = value
        self.result = result


_MATH: Final = {
    m.name: m
    for m in (
        Member("sqrt", 1, "sqrt"),
        Member("fabs", 1, "fabs"),
        Member("abs", 1, "fabs"),
        Member("floor", 1, "f64_floor"),
        Member("ceil", 1, "f64_ceil"),
        Member("pow", 2, "f64_pow"),
        Member("fmod", 2, "f64_rem"),
        Member("sin", 1, "f64_sin"),
        Member("cos", 1, "f64_cos"),
        Member("tan", 1, "f64_tan"),
        Member("asin", 1, "f64_asin"),
        Member("acos", 1, "f64_acos"),
        Member("atan", 1, "f64_atan"),
        Member("sinh", 1, "f64_sinh"),
        Member("cosh", 1, "f64_cosh"),
        Member("tanh", 1, "f64_tanh"),
        Member("exp", 1, "f64_exp"),
        Member("log", 1, "f64_log"),
        Member("log2", 1, "f64_log2"),
        Member("log10", 1, "f64_log10"),
        Member("cbrt", 1, "f64_cbrt"),
        Member("degrees", 1, "f64_degrees"),
        Member("radians", 1, "f64_radians"),
        Member("atan2", 2, "f64_atan2"),
        Member("hypot", 2, "f64_hypot"),
        Member("pi", 0, "const", 3.141592653589793),
        Member("e", 0, "const", 2.718281828459045),
        Member("tau", 0, "const", 6.283185307179586),
    )
}
_TESTPKG: Final = {
    m.name: m
    for m in (
        Member("pi", 0, "const", 3.14),
        Member("answer", 0, "const", 42.0, INT_TY),
        Member("add", 2, "add", 0.0, INT_TY),
    )
}
_MODULES: Final = {
    "math": _MATH,
    "mochi/runtime/ffi/go/testpkg": _TESTPKG,
}


def module_member(imp: ImportInfo, name: str) -> Member | None:
    """The member of a module by its name in any host language's spelling, or None."""
    members = _MODULES.get(imp.path)
    if members is None:
        return None
    return members.get(name.lower())
