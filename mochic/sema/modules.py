"""Foreign modules that are compiled natively (docs/reference.md, 15).

A member is an IR op or runtime function, or a constant; the same under the spellings of all host languages
(`math.sqrt`, `math.Sqrt`, `Math.sqrt`).  Whole modules are written in Mochi, below mochic/runtime/lib (`packages`).
"""

from __future__ import annotations

from typing import Final

from mochic.sema.symbols import ImportInfo
from mochic.sema.types import FLOAT_TY, INT_TY, LIST, NIL_TY, STR, STR_TY, Solver, Slot


NATIVE: Final = "mochi/native"  # only the library's own files import it


class Member:
    """`code`: "const" with `value`, or the name of the operation that lowering emits.

    `kinds` has a letter per argument: `f` a double, or one of `lower.builtins`.  The result `STRINGS` is a new list of
    strings.
    """

    __slots__ = ("name", "kinds", "code", "value", "result")

    def __init__(self, name: str, kinds: str, code: str, value: float = 0.0, result: Slot = FLOAT_TY) -> None:
        self.name = name
        self.kinds = kinds
        self.code = code
        self.value = value
        self.result = result

    def result_type(self, s: Solver) -> Slot:
        """The type of one use."""
        if self.result is not STRINGS:
            return self.result
        t = s.new(LIST)
        s.grow(s.elem(t), STR)
        return t


STRINGS: Final = Slot(LIST)

_MATH: Final = {
    m.name: m
    for m in (
        Member("sqrt", "f", "sqrt"),
        Member("fabs", "f", "fabs"),
        Member("abs", "f", "fabs"),
        Member("floor", "f", "f64_floor"),
        Member("ceil", "f", "f64_ceil"),
        Member("pow", "ff", "f64_pow"),
        Member("fmod", "ff", "f64_rem"),
        Member("sin", "f", "f64_sin"),
        Member("cos", "f", "f64_cos"),
        Member("tan", "f", "f64_tan"),
        Member("asin", "f", "f64_asin"),
        Member("acos", "f", "f64_acos"),
        Member("atan", "f", "f64_atan"),
        Member("sinh", "f", "f64_sinh"),
        Member("cosh", "f", "f64_cosh"),
        Member("tanh", "f", "f64_tanh"),
        Member("exp", "f", "f64_exp"),
        Member("log", "f", "f64_log"),
        Member("log2", "f", "f64_log2"),
        Member("log10", "f", "f64_log10"),
        Member("cbrt", "f", "f64_cbrt"),
        Member("degrees", "f", "f64_degrees"),
        Member("radians", "f", "f64_radians"),
        Member("atan2", "ff", "f64_atan2"),
        Member("hypot", "ff", "f64_hypot"),
        Member("pi", "", "const", 3.141592653589793),
        Member("e", "", "const", 2.718281828459045),
        Member("tau", "", "const", 6.283185307179586),
    )
}
_TESTPKG: Final = {
    m.name: m
    for m in (
        Member("pi", "", "const", 3.14),
        Member("answer", "", "const", 42.0, INT_TY),
        Member("add", "ii", "add", 0.0, INT_TY),
        Member("md5hex", "s", "md5_hex", 0.0, STR_TY),
    )
}
# What the library's own modules build on: parts of the runtime that no builtin shows.
_NATIVE: Final = {
    m.name: m
    for m in (
        Member("environment", "s", "env_value", 0.0, STR_TY),
        Member("environ", "", "environ", 0.0, STRINGS),
        Member("arguments", "", "arguments", 0.0, STRINGS),
        Member("exit", "i", "exit_code", 0.0, NIL_TY),
        Member("byte_length", "s", "byte_length", 0.0, INT_TY),
        Member("byte_offset", "si", "byte_offset", 0.0, INT_TY),
        Member("replace", "sss", "str_replace", 0.0, STR_TY),
        Member("url_escape", "ss", "url_escape", 0.0, STR_TY),
        Member("url_unescape", "si", "url_unescape", 0.0, STR_TY),
        Member("quote", "s", "str_quoted", 0.0, STR_TY),
        Member("to_base", "ii", "int_text", 0.0, STR_TY),
        Member("parse_float", "s", "f64_of_text", 0.0, FLOAT_TY),
        Member("infinity", "", "const", 1e999),
    )
}
_MODULES: Final = {
    "math": _MATH,
    "Math": _MATH,
    NATIVE: _NATIVE,
    "mochi/runtime/ffi/go/testpkg": _TESTPKG,
}


# What files of JavaScript and TypeScript are called after their module, in a folder or at a URL.
_SCRIPTS: Final = (".ts", ".mts", ".js", ".mjs")


def module_path(lang: str, path: str) -> str:
    """The name under which a module is known here: one for all ways to write `Math` in TypeScript."""
    if lang == "typescript":
        last = path.rsplit("/", 1)[-1].split("?", 1)[0]
        for ending in _SCRIPTS:
            last = last.removesuffix(ending)
        if last.lower() == "math":
            return "Math"
    return path


def module_member(imp: ImportInfo, name: str) -> Member | None:
    """The member of a module by its name in any host language's spelling, or None."""
    members = _MODULES.get(imp.path)
    if members is None:
        return None
    return members.get(name.lower())


def module_names(imp: ImportInfo) -> list[str]:
    """The names of a module's native members, as its language spells them."""
    members = _MODULES.get(imp.path, {})
    return [n.capitalize() if imp.lang == "go" else n for n in members]


def native_modules(lang: str) -> list[str]:
    """The modules of a language that have native members."""
    return [m for m in ("math", "mochi/runtime/ffi/go/testpkg") if lang == "go" or "/" not in m]
