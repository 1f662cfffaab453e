"""The runtime dialect: lowering cases run by the IR interpreter, and the runtime's own functions against Python."""

from __future__ import annotations

import math
import os
import struct
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mochic.ir.func import NOGC, Module
from mochic.ir.interp import Machine
from mochic.ir.verify import verify
from mochic.link.runtime_lib import runtime_texts
from mochic.layout import LITTLE_64
from mochic.lower.descs import runtime_descs
from mochic.lower.lowlevel import RuntimeLower
from mochic.ir.rtabi import RUNTIME
from mochic.source import SourceMap
from mochic.syntax.parser import parse
from mochic.targets import TARGETS

HERE = os.path.dirname(os.path.abspath(__file__))
M64 = (1 << 64) - 1


def load_cases() -> list[tuple[str, str, list[str]]]:
    out = []
    with open(os.path.join(HERE, "..", "lower", "lowlevel.test"), encoding="utf-8") as f:
        text = f.read()
    for block in ("\n" + text).split("\n[")[1:]:
        name, _, rest = block.partition("]\n")
        source, _, expected = rest.partition("\n---\n")
        out.append((name, source, expected.strip().split("\n")))
    return out


CASES = load_cases()


@pytest.mark.parametrize(("source", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_case(source: str, expected: list[str]) -> None:
    sources = SourceMap()
    program, errors = parse(sources.add("case.mochi", source.encode()))
    assert not errors
    module, diags = RuntimeLower(sources, LITTLE_64).run([program])
    if diags:
        assert [d.message for d in diags] == expected
        return
    for fn in module.funcs:
        verify(fn)
    for line in expected:
        call, _, want = line.partition(" = ")
        name, _, args = call.partition("(")
        values = [float(a) if "." in a else int(a) for a in args.rstrip(")").split(", ") if a]
        got = Machine(module).call("runtime." + name, values)
        assert str(got) == want, line


CHECKED = """\
var seen: int = 0
/// @unchecked
fun check_access(p: ptr, n: int) { seen = seen * 100 + load8(p, 0) * 10 + n }
/// @unchecked
fun check_range(p: ptr, n: int) { seen = seen * 100 + load8(p, 0) * 10 + n }
fun copy(to: ptr, from: ptr, n: int) { }
fun f(): int {
  let p = alloca(16)
  store8(p, 0, 7)
  store32(p, 4, 1)
  copy(p + 4, p, 3)
  let x = loadbool(p, 4)
  if CHECKED { return seen }
  return 0
}
"""


def test_checked_runtime() -> None:
    """Every access of the dialect is told to the checks: its address and how many bytes."""
    for name, checked, want in (
        ("case.mochi", True, 104137314),
        ("case.mochi", False, 0),
        ("gc.mochi", True, 0),
    ):
        sources = SourceMap()
        program, _ = parse(sources.add(name, CHECKED.encode()))
        module, diags = RuntimeLower(sources, LITTLE_64, checked).run([program])
        assert not diags
        assert Machine(module).call("runtime.f", []) == want, name


@cache
def runtime_module() -> Module:
    sources = SourceMap()
    programs = []
    for name, text in runtime_texts(TARGETS["linux/amd64"]):
        program, errors = parse(sources.add(name, text))
        assert not errors, errors
        programs.append(program)
    module, diags = RuntimeLower(sources, LITTLE_64).run(programs)
    assert not diags, diags
    module.data.extend(runtime_descs(LITTLE_64))
    # The interpreter has memory of its own.
    module.funcs = [fn for fn in module.funcs if fn.sym.name not in _EXTERNS]
    return module


def _alloc(m: Machine, a: list[Any]) -> int:
    at = m.allocate(a[1])
    m.store(at, 8, a[0])
    return at


def _limbs(m: Machine, p: int, n: int) -> int:
    return sum(m.load(p + 8 * i, 8) % (1 << 64) << 64 * i for i in range(n))


def _write_limbs(m: Machine, to: int, n: int, value: int) -> int:
    """Store n limbs of a number; what is left over is the carry, or the borrow of one below zero."""
    for i in range(n):
        m.store(to + 8 * i, 8, value >> 64 * i & (1 << 64) - 1)
    return abs(value >> 64 * n)


_EXTERNS: dict[str, Any] = {
    "runtime.mag_add_limbs": lambda m, a: _write_limbs(m, a[0], a[3], _limbs(m, a[1], a[3]) + _limbs(m, a[2], a[3])),
    "runtime.mag_sub_limbs": lambda m, a: _write_limbs(m, a[0], a[3], _limbs(m, a[1], a[3]) - _limbs(m, a[2], a[3])),
    "runtime.mag_add_product": lambda m, a: _write_limbs(
        m, a[0], a[2], _limbs(m, a[0], a[2]) + _limbs(m, a[1], a[2]) * (a[3] % (1 << 64))
    ),
    "runtime.mag_sub_product": lambda m, a: _write_limbs(
        m, a[0], a[2], _limbs(m, a[0], a[2]) - _limbs(m, a[1], a[2]) * (a[3] % (1 << 64))
    ),
    "runtime.alloc": _alloc,
    "runtime.alloc_dirty": _alloc,
    "runtime.os_env": lambda m, a: 0,
    "runtime.os_random": lambda m, a: [m.store(a[0] + 8 * i, 8, 0x9E3779B97F4A7C15 >> i) for i in range(a[1] // 8)],
    "runtime.os_map": lambda m, a: m.allocate(a[0]),
    "runtime.zero_words": lambda m, a: [m.store(a[0] + 8 * i, 8, 0) for i in range(a[1])],
    "runtime.copy_bytes": lambda m, a: [m.store(a[0] + i, 1, m.load(a[1] + i, 1)) for i in range(a[2])],
}


class Runtime:
    """The runtime's functions with Python values."""

    def __init__(self) -> None:
        self.m = Machine(runtime_module(), _EXTERNS, steps=50_000_000)

    def call(self, name: str, *args: Any) -> Any:
        return self.m.call("runtime." + name, list(args))

    def string(self, text: str) -> int:
        data = text.encode()
        p = self.m.allocate(len(data) + 8)
        for i, byte in enumerate(data):
            self.m.store(p + i, 1, byte)
        at: int = self.call("str_from", p, len(data))
        return at

    def text(self, s: int) -> str:
        n = self.m.load(s + 8, 4)
        data = bytes(self.m.load(s + 16 + i, 1) for i in range(n))
        text = data.decode()
        assert self.m.load(s + 12, 4) == len(text)
        assert not any(self.m.load(s + 16 + i, 1) for i in range(n, -(-n // 8) * 8))
        return text

    def int(self, n: int) -> Any:
        return self.call("parse_int", self.string(str(n)), 0, len(str(n)), 10)

    def of_int(self, tag: int) -> int:
        return int(self.text(self.call("str_of_int", tag)))


def test_table_is_complete() -> None:
    module = runtime_module()
    flags = {fn.sym.name: fn.sym.flags for fn in module.funcs}
    for name, sym in RUNTIME.items():
        if sym.name not in _EXTERNS:
            assert sym.name in flags, name
            assert not sym.flags & NOGC or flags[sym.name] & NOGC, name
    for fn in module.funcs:
        verify(fn)


# Numbers near the borders of limbs and tags.
BIG = st.one_of(
    st.integers(-(1 << 200), 1 << 200),
    st.builds(
        lambda b, d: (1 << b) + d, st.sampled_from([31, 32, 61, 62, 63, 64, 95, 96, 127, 128]), st.integers(-2, 2)
    ),
    st.integers(-10, 10),
)


def trunc_div(a: int, b: int) -> int:
    q = abs(a) // abs(b)
    return q if (a < 0) == (b < 0) else -q


@settings(max_examples=60, deadline=None)
@given(BIG, BIG, st.booleans())
def test_exact_ints(a: int, b: int, flip: bool) -> None:
    if flip:
        a = -a
    rt = Runtime()
    x, y = rt.int(a), rt.int(b)
    assert rt.of_int(x) == a
    assert rt.of_int(rt.call("int_add", x, y)) == a + b
    assert rt.of_int(rt.call("int_sub", x, y)) == a - b
    assert rt.of_int(rt.call("int_mul", x, y)) == a * b
    assert rt.of_int(rt.call("int_neg", x)) == -a
    assert rt.call("int_cmp", x, y) == (a > b) - (a < b)
    assert rt.call("int_sat", x) == max(-(1 << 63), min((1 << 63) - 1, a))
    assert rt.call("int_to_f64", x) == float(a)
    if b:
        assert rt.of_int(rt.call("int_div", x, y)) == trunc_div(a, b)
        assert rt.of_int(rt.call("int_rem", x, y)) == a - b * trunc_div(a, b)
    # One representation per value: equal ints are equal words or equal bigints.
    again = rt.call("int_sub", rt.call("int_add", x, y), y)
    assert again == x if abs(a) < 1 << 61 else rt.call("int_eq", again, x) == 1


def digits_of(f: float) -> tuple[str, str, int]:
    sign, digits, exponent = Decimal(repr(f)).as_tuple()
    s = "".join(map(str, digits)).lstrip("0") or "0"
    x = int(exponent) + len(s) - 1
    return ("-" if sign else "", s.rstrip("0") or "0", x)


def positional(s: str, x: int) -> str:
    if x < 0:
        return "0." + "0" * (-x - 1) + s
    return s + "0" * (x + 1 - len(s)) if len(s) <= x + 1 else s[: x + 1] + "." + s[x + 1 :]


def form_g(f: float) -> str:
    sign, s, x = digits_of(f)
    if not f:
        return sign + "0"
    if x < -4 or x > 5:
        return f"{sign}{s[0]}{'.' + s[1:] if len(s) > 1 else ''}e{'-' if x < 0 else '+'}{abs(x):02d}"
    return sign + positional(s, x)


FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.builds(lambda n, d: n / 10**d, st.integers(-(10**9), 10**9), st.integers(0, 9)),
    st.builds(lambda e: 2.0**e, st.integers(-1074, 1023)),
)


@settings(max_examples=60, deadline=None)
@given(FLOATS)
def test_float_text(f: float) -> None:
    rt = Runtime()
    text = rt.text(rt.call("str_of_f64", f))
    assert text == form_g(f)
    back = rt.call("parse_float", rt.string(text))
    assert struct.pack("<d", back) == struct.pack("<d", f)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**30), st.integers(-340, 310))
def test_float_parsing_is_correctly_rounded(digits: int, exponent: int) -> None:
    text = f"{digits}e{exponent}"
    rt = Runtime()
    assert rt.call("parse_float", rt.string(text)) == float(text)


def test_float_parsing_hard_cases() -> None:
    rt = Runtime()
    for text in (
        "9007199254740993",
        "2.2250738585072011e-308",
        "4.9e-324",
        "2.4703282292062327e-324",
        "2.4703282292062328e-324",
        "1.7976931348623158e308",
        "1.7976931348623159e308",
        "0.000000000000000000000000000000000000000000000001",
        "1" * 400 + "e-390",
        "8.5e-1",
    ):
        assert rt.call("parse_float", rt.string(text)) == float(text), text
    for text in ("", "-", ".", "1e", "1x", "0x1", " 1", "1 ", "--1"):
        assert math.isnan(rt.call("parse_float", rt.string(text))), text


@settings(max_examples=40, deadline=None)
@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_fmod(x: float, y: float) -> None:
    if y:
        got = Runtime().call("f64_rem", x, y)
        assert struct.pack("<d", got) == struct.pack("<d", math.fmod(x, y))


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 50.0), st.floats(-20.0, 20.0))
def test_pow_is_close(x: float, y: float) -> None:
    got = Runtime().call("f64_pow", x, y)
    assert math.isclose(got, x**y, rel_tol=1e-13)


@settings(max_examples=40, deadline=None)
@given(st.text("aé😀z0 ", max_size=20), st.integers(-25, 25), st.integers(-25, 25))
def test_strings(text: str, a: int, b: int) -> None:
    rt = Runtime()
    s = rt.string(text)
    n = len(text)
    assert rt.text(s) == text
    lo = max(0, min(n, a + n if a < 0 else a))
    hi = max(lo, min(n, b + n if b < 0 else b))
    assert rt.text(rt.call("str_slice", s, a, b)) == text[lo:hi]
    assert rt.text(rt.call("str_reverse", s)) == text[::-1]
    assert rt.text(rt.call("str_trim", s)) == text.strip()
    assert rt.text(rt.call("str_upper", s)) == text.upper()
    assert rt.text(rt.call("str_concat3", s, rt.string("x"), s)) == text + "x" + text
    if -n <= a < n:
        assert rt.text(rt.call("str_index", s, a)) == text[a]
    part = text[lo:hi]
    assert rt.call("str_index_of", s, rt.string(part)) == text.find(part)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-1000, 1000), max_size=60))
def test_maps_and_sorting(keys: list[int]) -> None:
    rt = Runtime()
    m = rt.call("map_new", rt.m.addresses["runtime.desc.map_i64_i64"], 0)
    t = rt.call("map_new", rt.m.addresses["runtime.desc.map_str_i64"], 0)
    for i, k in enumerate(keys):
        rt.m.store(rt.call("map_slot_i64", m, k), 8, i)
        rt.m.store(rt.call("map_slot_str", t, rt.string(str(k))), 8, i)
    want = {k: i for i, k in enumerate(keys)}
    for k, i in want.items():
        assert rt.m.load(rt.call("map_find_i64", m, k), 8) == i
        assert rt.m.load(rt.call("map_find_str", t, rt.string(str(k))), 8) == i
    assert rt.call("map_find_i64", m, 5000) == 0
    assert rt.text(rt.call("str_of_tag", rt.call("map_order", m))) == "[" + " ".join(map(str, sorted(want))) + "]"
    by_text = sorted(map(str, want))
    assert rt.text(rt.call("str_of_tag", rt.call("map_order", t))) == "[" + " ".join(by_text) + "]"
    assert rt.text(rt.call("to_json", m)) == "{" + ",".join(f'"{k}":{want[int(k)]}' for k in by_text) + "}"


FUNCTIONS = {
    "sin": (math.sin, 1e300, 1),
    "cos": (math.cos, 1e300, 1),
    "tan": (math.tan, 1e10, 2),
    "atan": (math.atan, 1e300, 1),
    "exp": (math.exp, 700.0, 1),
    "log": (math.log, 1e300, 1),
    "log2": (math.log2, 1e300, 1),
    "log10": (math.log10, 1e300, 1),
    "asin": (math.asin, 1.0, 2),
    "acos": (math.acos, 1.0, 2),
    "sinh": (math.sinh, 700.0, 3),
    "cosh": (math.cosh, 700.0, 3),
    "tanh": (math.tanh, 30.0, 4),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_elementary_functions(name: str, data: st.DataObject) -> None:
    fn, limit, ulps = FUNCTIONS[name]
    x = data.draw(st.one_of(st.floats(-limit, limit), st.floats(-min(limit, 8.0), min(limit, 8.0))))
    if name.startswith("log"):
        x = abs(x) or 1.0
    got, want = Runtime().call("f64_" + name, x), fn(x)
    assert abs(got - want) <= ulps * math.ulp(want), x


def test_atan2_quadrants() -> None:
    rt = Runtime()
    values = (0.0, -0.0, 1.0, -1.0, 3.5, math.inf, -math.inf)
    for y in values:
        for x in values:
            got, want = rt.call("f64_atan2", y, x), math.atan2(y, x)
            assert abs(got - want) <= math.ulp(want), (y, x)
            assert math.copysign(1.0, got) == math.copysign(1.0, want), (y, x)
    for k in range(-300, 300, 7):
        assert rt.call("f64_log10", float(f"1e{k}")) == k
    for k in (1, 2, 3, 10, 999, 12345):
        assert abs(rt.call("f64_cbrt", float(k**3)) - k) <= 2 * math.ulp(k)
        assert rt.call("f64_hypot", 3.0 * k, -4.0 * k) == 5.0 * k
