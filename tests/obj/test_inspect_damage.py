"""Damaged files end in one message and status 2, or are shown: never a traceback, a hang, a crash, or our own mistake.

MOCHI_INSPECT_FUZZ=5000 makes that many of them.
"""

from __future__ import annotations

import io
import os
import random
import subprocess
import sys

import pytest
from images import save
from inspected import LINUX, OTHERS, make_files

from mochic.inspect import Wanted, inspect_files

KINDS = [
    *[f"{t} {stage}" for t in (*LINUX, *OTHERS) for stage in ("obj", "exe")],
    *["bigobj", "archive gnu", "archive bsd", "archive coff", "import library", "wasm", "universal"],
]
CASES = max(1, int(os.environ.get("MOCHI_INSPECT_FUZZ", "210")) // len(KINDS))
CUTS = max(8, CASES // 4)
# A module is complete after the types, the imports and the code; an archive without the byte that fills it up, too.
WHOLE = {"wasm": (15, 24, -7), "import library": (-1,)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return make_files(str(tmp_path_factory.mktemp("damage")), "hello.mochi")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_mutated(kind: str, files: dict[str, str]) -> None:
    script = os.path.join(os.path.dirname(__file__), "inspect_cases.py")
    argv = [sys.executable, script, files[kind], "1", str(CASES)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    lines = done.stdout.strip().split("\n")
    assert (done.returncode, done.stderr, len(lines)) == (0, "", CASES), (lines[-1], done.stderr[-2000:])
    wrong = [line for line in lines if line.split()[1] not in ("0", "2") or "Traceback" in line]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_truncated(kind: str, files: dict[str, str], tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    """What is missing is told; WHOLE has the cuts that leave a whole file."""
    with open(files[kind], "rb") as fh:
        good = fh.read()
    rng = random.Random(7)
    places = {len(good) - 1, len(good) // 2, *[rng.randrange(9, len(good)) for _ in range(CUTS)]}
    for place in sorted(places - {at % len(good) for at in WHOLE.get(kind, ())}):
        path = save(tmp_path, "cut", good[:place])
        status = inspect_files([path], Wanted(code=False), io.StringIO())
        errors = capsys.readouterr().err
        assert status == 2 and errors.count("\n") == 1, (place, errors)
        assert "truncated" in errors or errors.endswith("is not an object file, archive or executable\n"), errors


@pytest.mark.parametrize(
    "content", [b"", b"h", b"hello", b"MZ", b"\x7fELF", b"\0asm", b"!<arch>\nxx", b"\xca\xfe\xba\xbe"]
)
def test_no_object(content: bytes, tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path, "x", content)
    assert inspect_files([path, path + ".missing"], Wanted(), io.StringIO()) == 2
    errors = capsys.readouterr().err.strip().split("\n")
    assert len(errors) == 2 and all(line.startswith("mochi inspect: ") for line in errors)
