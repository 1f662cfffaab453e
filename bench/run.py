"""`make bench`: how fast compiled programs run and how fast they compile.

Prints two tables.  The first has the programs of this folder: size of the stripped binary, time to build, best
processor time of three runs.  The second has the figures that have a budget: start to end of `mochi build` for hello
with warm and cold caches, lines a second on a generated program, size of hello.  A figure over its budget is marked,
and with --check the exit status is 1 then.

    python bench/run.py [--check] [--only NAME] [--lines N]
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
HELLO = os.path.join(ROOT, "examples", "hello.mochi")

# Figure -> (budget, unit, whether more is better)
BUDGETS: dict[str, tuple[float, str, bool]] = {
    "hello, warm caches": (0.35, "s", False),
    "hello, cold caches": (10.0, "s", False),
    "hello, stripped": (20.0, "KB", False),
    "compile rate at -O2": (1500.0, "lines/s", True),
}


def mochi(*args: str, cache: str = "") -> float:
    """Run the command; seconds from start to end."""
    env = dict(os.environ, PYTHONPATH=ROOT)
    if cache:
        env["MOCHI_CACHE"] = cache
    start = time.perf_counter()
    subprocess.run([sys.executable, "-m", "mochic", *args], env=env, check=True)
    return time.perf_counter() - start


def cpu_time(exe: str, expected: str) -> float:
    """Processor seconds of one run, whose output must be right."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([exe], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.stdout != expected:
        raise SystemExit(f"{exe} printed {done.stdout!r}, expected {expected!r}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def programs(only: str, folder: str) -> None:
    print(f"{'program':<16}{'size':>10}{'build':>10}{'run':>10}")
    for name in sorted(f[:-6] for f in os.listdir(HERE) if f.endswith(".mochi")):
        if only and only != name:
            continue
        exe = os.path.join(folder, name)
        took = mochi("build", "--strip", "-o", exe, os.path.join(HERE, name + ".mochi"))
        with open(os.path.join(HERE, name + ".out"), encoding="utf-8") as f:
            expected = f.read()
        best = min(cpu_time(exe, expected) for _ in range(3))
        print(f"{name:<16}{os.path.getsize(exe) / 1000:>7.1f} KB{took:>8.2f} s{best:>8.3f} s")


# One unit of the generated program: what ordinary code does, about twenty lines.
UNIT = """
type Item{n} {{ id: int, name: string, score: float }}

fun make{n}(count: int): list<Item{n}> {{
  var items: list<Item{n}> = []
  for i in 0..count {{
    items = append(items, Item{n} {{ id: i * {n} % 17, name: "item" + str(i), score: i * 0.5 }})
  }}
  return items
}}

fun best{n}(items: list<Item{n}>, limit: float): string {{
  var found = ""
  var top = 0.0
  for it in items {{
    if it.score > top && it.score < limit && it.id % 3 != 1 {{
      top = it.score
      found = it.name
    }}
  }}
  return found
}}

fun count{n}(items: list<Item{n}>): map<string, int> {{
  var seen: map<string, int> = {{}}
  for it in items {{
    let key = "k" + str(it.id)
    seen[key] = (seen[key] ?? 0) + 1
  }}
  return seen
}}

let items{n} = make{n}({n} % 7 + 5)
print(best{n}(items{n}, 100.0), len(count{n}(items{n})))
"""


def generated(lines: int) -> str:
    per_unit = UNIT.count("\n")
    return "".join(UNIT.format(n=n) for n in range(1, max(lines // per_unit, 1) + 1))


def figures(lines: int, folder: str) -> bool:
    """Print the figures with a budget; whether all are within theirs."""
    cache = os.path.join(folder, "cache")
    exe = os.path.join(folder, "hello")
    got = {"hello, cold caches": mochi("build", "--strip", "-o", exe, HELLO, cache=cache)}
    got["hello, warm caches"] = min(mochi("build", "--strip", "-o", exe, HELLO, cache=cache) for _ in range(5))
    got["hello, stripped"] = os.path.getsize(exe) / 1000
    text = generated(lines)
    source = os.path.join(folder, "generated.mochi")
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    took = min(mochi("build", "-o", os.path.join(folder, "generated"), source, cache=cache) for _ in range(2))
    got["compile rate at -O2"] = text.count("\n") / took
    print(f"\n{'figure':<24}{'measured':>16}{'budget':>16}")
    kept = True
    for name, (budget, unit, more) in BUDGETS.items():
        value = got[name]
        missed = value < budget if more else value > budget
        kept = kept and not missed
        measured = f"{value:.2f} {unit}"
        print(f"{name:<24}{measured:>16}{f'{budget:g} {unit}':>16}{'  over' if missed else ''}")
    return kept


def main() -> int:
    p = argparse.ArgumentParser(description="Time compiled programs and the compiler.")
    p.add_argument("--check", action="store_true", help="exit with status 1 when a budget is missed")
    p.add_argument("--only", default="", metavar="NAME", help="one program only, no other figures")
    p.add_argument("--lines", type=int, default=10_000, help="size of the generated program")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        programs(args.only, folder)
        kept = bool(args.only) or figures(args.lines, folder)
    return 1 if args.check and not kept else 0


if __name__ == "__main__":
    sys.exit(main())
