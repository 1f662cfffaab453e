"""Front end: the cases of tests/parse/*.test, round trips, hostile input, speed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from syntax_tools import check_spans, dump, parse_text, show

from mochic.diag.codes import CODES
from mochic.diag.diagnostic import Label, make
from mochic.diag.render import render, render_list
from mochic.syntax.printer import print_program

CASE_DIR = Path(__file__).parent.parent / "parse"


def load_cases() -> list[tuple[str, str, str]]:
    """(name, source, expected) of every case; the format is described in expressions.test."""
    cases = []
    for path in sorted(CASE_DIR.glob("*.test")):
        name = ""
        parts: list[list[str]] = []
        for line in [*path.read_text().split("\n"), "[end]"]:
            if line[:1] == "[" and line[-1:] == "]" and line[1:-1].isidentifier():
                if name:
                    source, expected = parts
                    cases.append((f"{path.stem}-{name}", "\n".join(source) + "\n", "\n".join(expected).strip()))
                name = line[1:-1]
                parts = [[]]
            elif line == "---":
                parts.append([])
            elif name:
                parts[-1].append(line)
    return cases


CASES = load_cases()


@pytest.mark.parametrize(("source", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_case(source: str, expected: str) -> None:
    program, diags, sources = parse_text(source)
    if diags:
        out = []
        for d in diags:
            _, line, col = sources.position(d.lo)
            out.append(f"{d.code} {line}:{col} {d.message}")
    else:
        out = [show(s) for s in program.body]
        check_spans(program, program.lo, program.hi)
        text = print_program(program)
        again, errors, _ = parse_text(text)
        assert not errors, text
        assert dump(again) == dump(program), text
        assert print_program(again) == text
    assert "\n".join(out) == expected


N = 100_000
DEEP = {
    "parentheses": "print(" + "(" * N + "1" + ")" * N + ")",
    "operators": "let x = " + "+".join(["a"] * N),
    "signs": "let x = " + "-" * N + "1",
    "selectors": "let x = a" + ".b" * N,
    "calls": "f" + "()" * N,
    "lists": "let x = " + "[" * N,
    "maps": "let x = " + "{a:" * N,
    "blocks": "if a {" * N,
    "else_if": "if a { f() }" + " else if b { f() }" * 20_000,
    "else_if_expr": "let x = if a { 1 }" + " else if b { 1 }" * 20_000,
    "types": "let x: " + "list<" * N + "int",
    "fun_types": "let x: " + "fun(" * N,
    "functions": "let f = " + "fun(x) => " * N + "1",
    "matches": "let f = " + "match x { a => {" * N,
    "ifs": "if " * N,
    "queries": "let x = " + "from a in " * N,
    "awaits": "let x = " + "await " * N + "f",
    "indexes": "let x = " + "a[" * N,
    "quotes": '"' * (N + 1),
    "comments": "/*" * N,
    "closers": "}" * N,
    "errors": "let = \n" * 20_000,
    "bad_characters": "@\n" * 20_000,
    "digits": "let x = " + "9" * N,
}


@pytest.mark.parametrize("source", DEEP.values(), ids=DEEP.keys())
def test_deep_input_is_a_diagnostic(source: str) -> None:
    _, diags, sources = parse_text(source)
    assert diags
    assert len(diags) <= 100
    for d in diags:
        render(d, sources)


def test_long_chains_within_the_limit() -> None:
    program, diags, _ = parse_text("let x = " + " + ".join(["a"] * 4000) + "\nlet y = a" + ".b" * 4000)
    assert not diags
    again, _, _ = parse_text(print_program(program))
    assert print_program(again) == print_program(program)


WORDS = (
    "let var fun if else then for while in match return from select where group by into type import extern test expect",
    'emit on as union all none true x y f ( ) [ ] { } , . .. : :- ? ?? = == != < > + - * ! => "s" 1 2.5 // # /* */ \n',
    "set omap try catch await when query fact rule load save to with fetch generate text stream agent intent model",
    "update export package join left sort order skip take distinct having é 😀 @ ' \\ \" 0x 1e",
)
PIECES = st.sampled_from(" ".join(WORDS).split(" "))


@settings(max_examples=300, deadline=None)
@given(st.lists(PIECES, max_size=40).map(" ".join))
def test_token_soup(source: str) -> None:
    program, diags, sources = parse_text(source)
    for d in diags:
        assert d.code in CODES
        render(d, sources)
    if not diags:
        again, errors, _ = parse_text(print_program(program))
        assert not [e for e in errors if e.code != "P065"], (source, print_program(program))
        assert dump(again) == dump(program), print_program(program)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    _, diags, sources = parse_text(data)
    render_list(diags, sources)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CASES), st.data())
def test_damaged_source(case: tuple[str, str, str], data: st.DataObject) -> None:
    source = case[1]
    at = data.draw(st.integers(0, max(0, len(source) - 1)))
    n = data.draw(st.integers(0, 5))
    _, diags, sources = parse_text(source[:at] + data.draw(st.text(max_size=2)) + source[at + n :])
    render_list(diags, sources)


def test_render_layout() -> None:
    _, diags, sources = parse_text("let a = 1\n\tlet x = 1 + * 2\n", "d/p.mochi")
    assert render(diags[0], sources) == (
        'error[P999]: d/p.mochi:2:14: unexpected token "*" (expected PostfixExpr)\n'
        "  --> d/p.mochi:2:14\n\n"
        "  2 | \tlet x = 1 + * 2\n"
        "    |              ^\n\n"
        "help:\n  Parse error occurred. Check syntax near this location."
    )


def test_render_list_and_labels() -> None:
    _, _, sources = parse_text("let a = b\n")
    d = make("T002", 9, 10, "b")
    d.labels.append(Label(1, 4, "declared here"))
    d.notes.append("and so on")
    text = render_list([d, make("T001", 1, 2, "{0}")], sources)
    first = "   1. error[T002]: undefined variable: b\n  --> t.mochi:1:9\n\n  1 | let a = b\n    |         ^\n"
    assert text.startswith(first)
    assert "note: declared here\n  --> t.mochi:1:1" in text
    assert "   2. error[T001]: assignment to undeclared variable: {0}\n" in text
    assert "  Declare `{0}` first using `let`." in text


def test_code_table() -> None:
    names = CODES.names()
    assert len(names) == len(set(names))
    for code in names:
        row = CODES[code]
        assert row.message and row.help, code
    assert "T001" in CODES
