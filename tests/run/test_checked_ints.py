"""`-int=checked`: ints are 64-bit words, and what leaves them is a run-time error, wherever it comes from.

Also the stack trace's lines of source, which are there when the file is.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from building import build_program, write_source
from selecting import slow_unless

FITS = """\
fun power(n: int): int { if n < 2 { return 1 } return n * power(n - 1) }
let most = 9223372036854775807
print(power(20), most, -most - 1, most / -1, (-most - 1) % -1)
let xs = [most, 1]
let m = {"a": most}
print(xs, m["a"], sum([1, 2]), most > 5, most as float, 4e18 as int)
var h = 1
for i in 0..1000 { h = (h * 31 + i) % 1000000007 }
print(h)
"""
OUTPUT = """\
2432902008176640000 9223372036854775807 -9223372036854775808 -9223372036854775807 0
[9223372036854775807, 1] 9223372036854775807 3 true 9.223372036854776e+18 4000000000000000000
"""
LEAVES = {
    "add": "fun f(x: int): int { return x + 1 }\nprint(f(9223372036854775807))",
    "constants": "print(9223372036854775807 + 1)",
    "product": "fun f(n: int): int { if n < 2 { return 1 } return n * f(n - 1) }\nprint(f(21))",
    "minus": "fun f(x: int): int { return -x }\nprint(f(-9223372036854775807 - 1))",
    "quotient": "fun f(x: int, y: int): int { return x / y }\nprint(f(-9223372036854775807 - 1, -1))",
    "builtin": "print(sum([9223372036854775807, 1]))",
    "power": "var xs = [1]\nxs[0] = pow(2, 64)\nprint(xs)",
    "cast": "print(1e30 as int)",
    "dynamic": "var a: any = 9223372036854775807\na = [a, 1.5]\nlet b = a[0] + 1\nprint((b as int) - 1)",
}


def run(text: str, folder: Path, level: int, mode: str = "checked") -> subprocess.CompletedProcess[str]:
    exe = build_program(write_source(text, folder, "p.mochi"), level=level, ints=mode, verify=True)
    return subprocess.run([exe], capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize("level", slow_unless(lambda level: level != 1, [0, 1, 2]))
def test_what_fits(level: int, tmp_path: Path) -> None:
    r = run(FITS, tmp_path, level)
    assert r.stdout.startswith(OUTPUT) and r.returncode == 0
    assert r.stdout == run(FITS, tmp_path, level, "exact").stdout


@pytest.mark.parametrize("level", [0, 2])
@pytest.mark.parametrize("name", LEAVES)
def test_what_leaves(name: str, level: int, tmp_path: Path) -> None:
    r = run(LEAVES[name], tmp_path, level)
    assert (r.returncode, r.stdout) == (1, "")
    assert r.stderr.startswith("integer overflow\ncall graph: main")


def test_lines_of_source(tmp_path: Path) -> None:
    text = "fun f(x: int): int {\n  return 10 / x  // no guard\n}\n\tprint(f(0))\n"
    r = run(text, tmp_path, 0)
    assert r.stderr == (
        "division by zero\ncall graph: main -> f\nstack trace:\n"
        "  f at p.mochi:2\n    return 10 / x  // no guard\n  main at p.mochi:4\n    print(f(0))\n"
    )
