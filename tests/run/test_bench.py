"""`bench` blocks run in place, once, and report as an indented JSON object (docs/reference.md, 17)."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from building import build_program, write_source


PROGRAM = """\
let n = 1000
var total = 0
bench "sum \\"of\\" n" {
  let step = 1
  for i in 0..n { total = total + i * step }
  print("inside", total)
}
print("after", total)
bench "nothing" {}
"""


@pytest.mark.parametrize("level", [0, 2])
def test_report(level: int, tmp_path: Path) -> None:
    exe = build_program(write_source(PROGRAM, tmp_path), level=level, verify=True)
    text = subprocess.run([exe], capture_output=True, text=True, check=True).stdout
    assert text.startswith("inside 499500\n{\n") and "\n}\nafter 499500\n{\n" in text
    first, rest = text.removeprefix("inside 499500\n").split("after 499500\n")
    for report, name in ((first, 'sum "of" n'), (rest, "nothing")):
        found = json.loads(report)
        assert list(found) == ["duration_us", "memory_bytes", "name"]
        assert found["name"] == name
        assert isinstance(found["duration_us"], int) and isinstance(found["memory_bytes"], int)
        assert report == json.dumps(found, indent=2) + "\n"
