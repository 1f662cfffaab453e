"""The IR's text form, verifier, interpreter and control-flow analyses."""

from __future__ import annotations

import pytest

from mochic.ir import cfg
from mochic.ir.interp import InterpError, Machine
from mochic.ir.parser import IRSyntaxError, parse_func, parse_module
from mochic.ir.printer import print_func, print_module
from mochic.ir.verify import verify, verify_module

MODULE = """\
extern @print(i64, ref) nogc
data @d rodata align 8 size 16 = 00112233445566778899aabbccddeeff {0: @gcd} {8: @d+4}
data @e data extern
data @z bss align 16 size 64 global

fun @gcd(v0 i64, v1 i64) i64 {
b0:
    jump b1(v0, v1)
b1(v2 i64, v3 i64):
    v4 i64 = iconst 0
    v5 i32 = eq v3, v4
    brif v5, b3, b2 ; unlikely
b2:
    v6 i64 = srem v2, v3
    jump b1(v3, v6)
b3:  ; cold
    ret v2
}

fun @ops(v0 ref) f64 noreturn cold {
b0:
    v7 f64 = fconst 1.5
    v8 f64 = fconst -1e-300
    v1 f64 = fconst 0x7ff8000000000001
    v9 ptr = symaddr @d+8
    st v9-8, v7 [lst]
    v10 i64 = ld8u v9
    v11 ref = alloc 32 @d
    call @print(v10, v11)
    v12 i64 = calli v9(v10) : (i64) i64 nogc
    v13 int = toint v12 [-3, 5]
    v14 ptr = alloca 16
    switch v10, -1: b1, 5: b2(v7), b1
b1:
    trap
b2(v15 f64):
    ret v15
}
"""


def test_text_round_trip() -> None:
    m = parse_module(MODULE)
    verify_module(m)
    assert print_module(m) == MODULE


def test_interpreter_runs_a_loop() -> None:
    assert Machine(parse_module(MODULE)).call("gcd", [48, 36]) == 12


ONE = "fun @f(v0 i64) i64 {{\nb0:\n{}\n ret v1\n}}"


@pytest.mark.parametrize(
    ("body", "arg", "want"),
    [
        ("v1 i64 = add v0, v0", 2**62, -(2**63)),
        ("v1 i64 = sdiv v0, v2", -7, -3),
        ("v1 i64 = srem v0, v2", -7, -1),
        ("v1 i64 = udiv v0, v2", -2, 2**63 - 1),
        ("v1 i64 = shr v0, v2", -1, 2**62 - 1),
        ("v1 i64 = clz v0", 1, 63),
        ("v1 i64 = ctz v0", 0, 64),
        ("v1 i64 = umulh v0, v0", -1, -2),
        ("v1 i64 = popcnt v0", -1, 64),
    ],
)
def test_interpreter_ops(body: str, arg: int, want: int) -> None:
    m = parse_module(ONE.format(" v2 i64 = iconst 2\n " + body))
    assert Machine(m).call("f", [arg]) == want


def test_interpreter_memory_and_externs() -> None:
    m = parse_module(
        """
extern @g(i64) i64
data @x data align 8 size 8 = 0500000000000000
fun @f(v0 i64) i64 {
b0:
  v1 ptr = symaddr @x
  v2 i64 = ld v1
  v3 i64 = add v2, v0
  st v1, v3
  v4 ptr = symaddr @g
  v5 i64 = ld v1
  v6 i64 = calli v4(v5)
  ret v6
}"""
    )
    assert Machine(m, {"g": lambda _, a: a[0] * 10}).call("f", [2]) == 70
    with pytest.raises(InterpError):
        Machine(m).call("f", [2])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fun @f(v0 i64) i64 {\nb0:\n v1 i32 = add v0, v0\n ret v0\n}", "add does not take (i64 i64) -> i32"),
        ("fun @f(v0 i32) i64 {\nb0:\n ret v0\n}", "returns i64"),
        ("fun @f() {\nb0:\n jump b1\nb1:\n v1 i64 = neg v2\n v2 i64 = iconst 1\n ret\n}", "does not dominate"),
        ("fun @f() {\nb0:\n jump b0\n}", "leads to the entry"),
        ("fun @f() {\nb0:\n jump b1\nb1(v0 i64):\n ret\n}", "edge 0 passes () to b1(v0 i64)"),
        ("fun @f() i32 {\nb0:\n v0 i32 = iconst 4294967296\n ret v0\n}", "does not fit i32"),
    ],
)
def test_verifier_finds(text: str, message: str) -> None:
    fn = parse_func(text)
    with pytest.raises(AssertionError) as e:
        verify(fn)
    assert message in str(e.value) and "^^^" in str(e.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("fun @f() {\nb0:\n v0 i64 = frob v1\n ret\n}", 3),
        ("fun @f() {\nb0:\n v0 i64 = neg v1\n ret\n}", 3),
        ("fun @f() {\nb0:\n jump b7\n}", 3),
        ("fun @f( {\nb0:\n ret\n}", 1),
        ("fun @f() {\nb0:\n ret", 3),
        ("hello", 1),
        ("fun @f() {\nb0:\n call @g()\n ret\n}", 3),
    ],
)
def test_parser_errors(text: str, line: int) -> None:
    with pytest.raises(IRSyntaxError) as e:
        parse_module(text)
    assert e.value.line == line


NEST = """
fun @f(v0 i32) {
b0:
  jump b1
b1:
  jump b2
b2:
  brif v0, b2, b3
b3:
  brif v0, b1, b4
b4:
  ret
b5:
  jump b4
}"""


def test_loops_and_dominators() -> None:
    fn = parse_func(NEST)
    dom, loops = cfg.analyse(fn)
    assert [b.depth for b in fn.blocks] == [0, 1, 2, 1, 0, 0]
    assert [lp.header.id for lp in loops] == [1, 2] and loops[1].parent is loops[0]
    b = fn.blocks
    assert dom.dominates(b[1], b[4]) and not dom.dominates(b[4], b[1])
    assert cfg.remove_unreachable(fn) and len(fn.blocks) == 5
    cfg.compute_preds(fn)
    assert cfg.split_critical_edges(fn)
    verify(fn)
    for b1 in fn.blocks:
        assert len(b1.succs) < 2 or all(len(s.preds) < 2 for s in b1.succs)
    assert "jump b2" in print_func(fn)
