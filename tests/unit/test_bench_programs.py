"""The programs that bench/compare.py builds: each stands in three languages, and the Mochi one prints what C prints."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from building import build_program
from ours import ROOT

BENCH = Path(ROOT) / "bench"
NAMES = sorted(path.stem for path in (BENCH / "mochi").glob("*.mochi"))


def test_every_program_stands_in_three_languages() -> None:
    for folder, ending in (("go", "go"), ("c", "c"), ("expected", "out")):
        assert sorted(path.stem for path in (BENCH / folder).glob("*")) == NAMES, folder
        assert all(path.suffix == "." + ending for path in (BENCH / folder).glob("*")), folder


@pytest.mark.parametrize("name", NAMES)
def test_program_says_what_it_does_and_has_expected_output(name: str) -> None:
    for language in ("mochi", "go", "c"):
        assert (BENCH / language / f"{name}.{language}").read_text(encoding="utf-8").startswith("// ")
    assert (BENCH / "expected" / f"{name}.out").read_text(encoding="utf-8").endswith("\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_compiled_program_prints_what_is_expected(name: str, tmp_path: Path) -> None:
    exe = build_program(BENCH / "mochi" / f"{name}.mochi", out=os.fspath(tmp_path / name))
    done = subprocess.run([exe], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == (BENCH / "expected" / f"{name}.out").read_text(encoding="utf-8")
