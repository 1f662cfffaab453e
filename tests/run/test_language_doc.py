"""The programs of docs/language.md print what stands behind them."""

from __future__ import annotations

import os
import subprocess

import pytest
from test_run import WHY_NOT

from building import build_program

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def cases() -> list[tuple[str, str, str]]:
    """(heading, program, output) of each section."""
    with open(os.path.join(ROOT, "docs", "language.md"), encoding="utf-8") as f:
        sections = f.read().split("\n## ")[1:]
    out = []
    for s in sections:
        program = s.partition("```mochi\n")[2].partition("```")[0]
        output = s.partition("```text\n")[2].partition("```")[0]
        if program:
            out.append((s.partition("\n")[0], program, output))
    return out


@pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
@pytest.mark.parametrize("case", cases(), ids=lambda c: c[0])
def test_section(case: tuple[str, str, str], tmp_path: os.PathLike[str]) -> None:
    _, program, output = case
    source = os.path.join(tmp_path, "example.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(program)
    run = subprocess.run(
        [build_program(source, verify=True)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (run.stdout, run.stderr, run.returncode) == (output, "", 0)
