"""`mochi explain`: every code that the compiler can print has a page, and the programs on it do what the page says."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "sema"))

from mochic.compile import LENIENT, CompileError, check, check_strict, lower, parse_file
from mochic.diag.codes import CODES
from mochic.diag.diagnostic import Diagnostic
from mochic.diag.pages import Page, explain, page
from mochic.driver import c_libraries, claim_functions
from mochic.options import Options
from mochic.source import SourceMap
from mochic.targets import TARGETS

ROOT = Path(__file__).parent.parent.parent
SOURCES = [p for p in sorted((ROOT / "mochic").rglob("*.py")) if p.name != "codes.py"]
PAGES = [p for c in CODES.names() if (p := page(c)) is not None]


def codes_of(source: bytes, folder: Path, strict: bool, link: str = "") -> list[str]:
    """The codes of the errors in a program."""
    sources = SourceMap()
    file = sources.add(str(folder / "t.mochi"), source)
    found: list[Diagnostic] = []
    try:
        if strict:
            check_strict(file)
        else:
            info = check(sources, parse_file(file, found), found)
            if link:
                opt = Options(link)
                libraries = c_libraries(info, opt, TARGETS[opt.target])
                claim_functions(libraries, lower(info, opt), opt, TARGETS[opt.target])
    except CompileError as e:
        assert all(d.help and 0 < d.lo <= d.hi for d in e.diagnostics)
        return [d.code for d in e.diagnostics]
    assert not found, found
    return []


def data(found: Page, text: str) -> bytes:
    if "bytes" in found.flags:
        return re.sub(rb"\\x(..)", lambda m: bytes([int(m[1], 16)]), text.encode())
    return text.encode()


@pytest.mark.parametrize("found", [p for p in PAGES if p.wrong], ids=lambda p: p.code)
def test_programs_of_a_page(found: Page, tmp_path: Path) -> None:
    (tmp_path / "shapes.mochi").write_text("export fun area(r: float): float { return r * r * 3.14 }\n")
    strict = "strict" in found.flags
    wrong = data(found, found.wrong)
    link = ""
    if "link" in found.flags:
        link = next((f for f in found.flags if "/" in f), "linux/amd64")
    assert codes_of(wrong, tmp_path, strict, link) == [found.code]
    assert found.right and codes_of(data(found, found.right), tmp_path, strict, link) == []
    if strict:  # else the page would say too little
        try:
            assert codes_of(wrong, tmp_path, False) != [found.code]
        except AssertionError:
            assert found.code in LENIENT  # warnings of the default mode
        assert codes_of(data(found, found.right), tmp_path, False) == []


def test_every_code_has_a_page() -> None:
    printed = {c for p in SOURCES for c in re.findall(r'"([PTM]\d{3})"', p.read_text())}
    assert printed == {p.code for p in PAGES if p.wrong}
    for found in PAGES:
        assert found.prose
        assert found.wrong or "Not reported by this compiler" in found.prose


def test_every_diagnostic_has_a_help_line() -> None:
    """The table's rows have one; whoever makes a Diagnostic without the table gives one."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Diagnostic":
                assert len(node.args) > 4 or any(k.arg == "help" for k in node.keywords), f"{path}:{node.lineno}"


def test_text() -> None:
    text = explain("t008 ")
    assert text is not None and text.startswith("T008: type mismatch: expected ..., got ...\n\nThe value cannot")
    assert '\nThis is refused:\n\n    let n: int = "8"\n' in text
    assert "With `mochi check --strict` this is refused:" in (explain("T054") or "")
    for code in CODES.names():
        assert explain(code)
    assert explain("T999") is None
    assert explain("a\n@T001") is None
