"""How the time of programs grows with their input.

    python tests/growth/measure.py [NAME [RUNS]]

builds NAME.mochi (default: queries, the figures of docs/queries.md) at -O2, runs it RUNS times (default 3) and prints
the least time of each of its parts as a table.  Such a program prints a line for each part and size:
name|size|microseconds|a result that must not be optimised away.  `test_growth.py` holds that none is quadratic.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.dirname(os.path.dirname(HERE))]

Times = dict[str, dict[int, int]]  # microseconds by name and size


def least_times(program: str, runs: int) -> Times:
    least: Times = {}
    for _ in range(runs):
        out = subprocess.run([program], capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            name, n, us, _ = line.split("|")
            row = least.setdefault(name, {})
            row[int(n)] = min(int(us), row.get(int(n), int(us)))
    return least


def main(name: str, runs: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        from building import build_program

        program = build_program(os.path.join(HERE, name + ".mochi"), out=os.path.join(folder, name))
        least = least_times(program, runs)
    sizes = sorted(next(iter(least.values())))
    print("| milliseconds | " + " | ".join(f"{n:,}" for n in sizes) + " |")
    print("|---" * (len(sizes) + 1) + "|")
    for part, row in least.items():
        print(f"| {part} | " + " | ".join(f"{row[n] / 1000:,.1f}" for n in sizes) + " |")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "queries", int(sys.argv[2]) if len(sys.argv) > 2 else 3)
