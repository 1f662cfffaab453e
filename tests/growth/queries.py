"""How the time of queries grows with their tables: the figures of docs/queries.md.

    python tests/growth/queries.py [RUNS]

builds queries.mochi at -O2, runs it RUNS times (default 3) and prints the least time of each query as a table.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(os.path.dirname(HERE)))


def main(runs: int) -> None:
    from mochic import driver
    from mochic.options import Options
    from mochic.targets import host_target

    least: dict[str, dict[int, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        opt = Options(host_target())
        opt.out = os.path.join(folder, "queries")
        if driver.build(os.path.join(HERE, "queries.mochi"), opt):
            sys.exit(1)
        for _ in range(runs):
            out = subprocess.run([opt.out], capture_output=True, text=True, check=True).stdout
            for line in out.splitlines():
                name, n, us, _ = line.split("|")
                row = least.setdefault(name, {})
                row[int(n)] = min(int(us), row.get(int(n), int(us)))
    sizes = sorted(next(iter(least.values())))
    print("| milliseconds | " + " | ".join(f"{n:,}" for n in sizes) + " |")
    print("|---" * (len(sizes) + 1) + "|")
    for name, row in least.items():
        print(f"| {name} | " + " | ".join(f"{row[n] / 1000:,.1f}" for n in sizes) + " |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
