"""Diagnostics that need several files: what packages export, import cycles, packages in the strict mode.

`packages.txt` holds cases: `[name]` or `[name strict]`, files each behind a line `== path`, and behind `---` one line
for each error: `file:line:column: CODE message`.  MOCHI_BLESS=1 rewrites what is expected.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mochic.compile import CompileError, check, check_strict, parse_file
from mochic.diag.diagnostic import Diagnostic
from mochic.source import SourceMap

DATA = Path(__file__).parent / "packages.txt"
HEAD, *PARTS = ("\n" + DATA.read_text()).split("\n[")
CASES = [(p.split("]\n", 1)[0], *p.split("]\n", 1)[1].split("---\n")) for p in PARTS]


def diagnose(files: str, folder: Path, strict: bool) -> str:
    first = ""
    for part in files.split("== ")[1:]:
        name, text = part.split("\n", 1)
        first = first or name
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    sources = SourceMap()
    main = sources.add(str(folder / first), (folder / first).read_bytes())
    found: list[Diagnostic] = []
    try:
        if strict:
            check_strict(main, sources)
        else:
            check(sources, parse_file(main, found), found)
    except CompileError as e:
        found += e.diagnostics
    out = []
    for d in found:
        assert d.help
        f, line, col = sources.position(d.lo)
        out.append(f"{os.path.relpath(f.name, folder)}:{line}:{col}: {d.code} {d.message}\n")
    return "".join(out)


@pytest.mark.parametrize(("name", "files", "expected"), CASES, ids=[c[0] for c in CASES])
def test_case(name: str, files: str, expected: str, tmp_path: Path) -> None:
    got = diagnose(files, tmp_path, name.endswith(" strict"))
    if os.environ.get("MOCHI_BLESS") and got != expected.rstrip("\n") + "\n":
        old = f"[{name}]\n{files}---\n"
        text = DATA.read_text()
        at = text.index(old) + len(old)
        end = text.find("\n[", at)
        DATA.write_text(text[:at] + got + ("" if end < 0 else text[end:]))
    else:
        assert got == (expected.rstrip("\n") + "\n" if expected.strip() else "")
