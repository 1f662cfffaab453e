"""Compares compiled Mochi with Go and C on the same programs.

Every program stands three times in a folder: mochi/NAME.mochi, go/NAME.go and c/NAME.c.  All are built; then each round
runs the three binaries of every program once, one after another, so that a busy moment of the machine hits all three.
Counted are user and system CPU time and the peak of resident memory.  A ratio is the median over the rounds of
the ratio within one round.  Every output must be that of the C program, or, without a C compiler, the expected one.

    python bench/compare.py [--only A,B] [--runs N] [--folder DIR] [--go PATH] [--cc PATH] [--mochi CMD] [--json FILE]

A compiler that is not there is left out with its columns.  The exit status is 1 if a build or an output was wrong.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
LANGUAGES = ("mochi", "go", "c")

# The kernel counts what a process had resident before `exec` as its own, also after vfork and posix_spawn.  A child
# of Python would thus never show less than Python's own memory, so a program this small starts the others.
LAUNCHER = r"""
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    pid_t child = fork();
    if (child == 0) {
        execv(argv[2], argv + 2);
        _exit(127);
    }
    int status = 0;
    struct rusage used;
    if (child < 0 || wait4(child, &status, 0, &used) < 0) return 2;
    FILE *report = fopen(argv[1], "w");
    if (!report) return 2;
    fprintf(report, "%d %ld %ld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
            used.ru_utime.tv_sec * 1000000L + used.ru_utime.tv_usec,
            used.ru_stime.tv_sec * 1000000L + used.ru_stime.tv_usec, used.ru_maxrss);
    return fclose(report) != 0;
}
"""


@dataclasses.dataclass(frozen=True)
class Run:
    """What one run of a binary took and printed."""

    status: int
    seconds: float
    megabytes: float
    output: bytes

    def figure(self, what: str) -> float:
        return self.seconds if what == "seconds" else self.megabytes


class Launcher:
    """Starts binaries and measures them; from C if a compiler is there."""

    def __init__(self, compiler: str | None, folder: str) -> None:
        self.folder = folder
        self.path = ""
        if compiler:
            source, out = os.path.join(folder, "launcher.c"), os.path.join(folder, "launcher")
            with open(source, "w", encoding="utf-8") as f:
                f.write(LAUNCHER)
            if not build([compiler, "-O1", "-o", out, source], out):
                self.path = out

    def run(self, binary: str) -> Run:
        out = os.path.join(self.folder, "output")
        with open(out, "wb") as f:
            status, micros, kilobytes = self.launched(binary, f.fileno()) if self.path else spawned(binary, f.fileno())
        with open(out, "rb") as f:
            return Run(status, max(micros, 1) / 1e6, kilobytes / 1024, f.read())

    def launched(self, binary: str, out: int) -> tuple[int, int, int]:
        report = os.path.join(self.folder, "report")
        command = [self.path, report, binary]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise SystemExit(f"compare: the launcher failed on {binary}")
        with open(report, encoding="ascii") as f:
            status, user, system, kilobytes = (int(word) for word in f.read().split())
        return status, user + system, kilobytes


def spawned(binary: str, out: int) -> tuple[int, int, int]:
    """A run without the launcher: status, microseconds, kilobytes; these are at least those of Python."""
    actions = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), (os.POSIX_SPAWN_DUP2, out, 1)]
    child = os.posix_spawn(binary, [binary], os.environ, file_actions=actions)
    _, status, used = os.wait4(child, 0)
    return os.waitstatus_to_exitcode(status), round((used.ru_utime + used.ru_stime) * 1e6), used.ru_maxrss


def build(command: list[str], out: str, **environment: str) -> str:
    """Run a compiler; what it said if it failed."""
    env = dict(os.environ, **environment)
    try:
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    except OSError as error:
        return str(error)
    if done.returncode == 0 and os.path.exists(out):
        return ""
    return (done.stderr + done.stdout).strip() or f"exit status {done.returncode}"


class Compilers:
    """The compilers that are there, by language."""

    def __init__(self, mochi: str, go: str, cc: str) -> None:
        self.paths = {"go": shutil.which(go), "c": shutil.which(cc)}
        self.mochi = shlex.split(mochi) if mochi else [sys.executable, "-m", "mochic"]
        # Our own command needs the project on the path; another one shall not see it.
        self.mochi_environment = {} if mochi else {"PYTHONPATH": ROOT}
        for language, name in (("go", go), ("c", cc)):
            if not self.paths[language]:
                print(f"compare: no {name} here, {language} is left out", file=sys.stderr)
        if not shutil.which(self.mochi[0]):
            print(f"compare: no {self.mochi[0]} here, mochi is left out", file=sys.stderr)
            self.mochi = []

    def languages(self) -> list[str]:
        return [language for language in LANGUAGES if (self.mochi if language == "mochi" else self.paths[language])]

    def build(self, language: str, source: str, out: str) -> str:
        """Build one program; what the compiler said if it failed."""
        if language == "mochi":
            return build([*self.mochi, "build", "-o", out, source], out, **self.mochi_environment)
        path = self.paths[language] or ""
        if language == "go":
            return build([path, "build", "-o", out, source], out)
        return build([path, "-O2", "-o", out, source, "-lm"], out)


def names_in(folder: str, only: str) -> list[str]:
    """The programs of a folder that shall run."""
    there = sorted(f.removesuffix(".mochi") for f in os.listdir(os.path.join(folder, "mochi")) if f.endswith(".mochi"))
    wanted = [name for name in only.split(",") if name]
    for name in wanted:
        if name not in there:
            raise SystemExit(f"compare: there is no program {name}; known are {', '.join(there)}")
    return wanted or there


def expected_output(folder: str, name: str) -> bytes | None:
    """What the program must print, if the folder says it."""
    try:
        with open(os.path.join(folder, "expected", name + ".out"), "rb") as f:
            return f.read()
    except OSError:
        return None


class Program:
    """One program: its binaries by language, and their runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.binaries: dict[str, str] = {}
        self.runs: dict[str, list[Run]] = {}

    def add_round(self, launcher: Launcher) -> None:
        for language, binary in self.binaries.items():
            self.runs.setdefault(language, []).append(launcher.run(binary))

    def complaints(self, expected: bytes | None) -> list[str]:
        """What is wrong with the outputs: each must be that of the C program, else the expected one, else Go's."""
        if "c" in self.runs:
            expected = self.runs["c"][0].output
        elif expected is None and "go" in self.runs:
            expected = self.runs["go"][0].output
        wrong = []
        for language, runs in self.runs.items():
            failed = [run.status for run in runs if run.status]
            if failed:
                wrong.append(f"{self.name}: the {language} program ended with status {failed[0]}")
            elif expected is not None and any(run.output != expected for run in runs):
                wrong.append(f"{self.name}: the {language} program printed something else")
        return wrong

    def middle(self, language: str, what: str) -> float | None:
        """The median of `seconds` or `megabytes`."""
        runs = self.runs.get(language)
        return statistics.median(run.figure(what) for run in runs) if runs else None

    def ratio(self, other: str, what: str) -> float | None:
        """The median of the ratios of Mochi to another language within each round."""
        mine, theirs = self.runs.get("mochi"), self.runs.get(other)
        if not mine or not theirs:
            return None
        return statistics.median(a.figure(what) / b.figure(what) for a, b in zip(mine, theirs, strict=True))

    def row(self) -> dict[str, float | None]:
        return {
            "seconds": self.middle("mochi", "seconds"),
            "to go": self.ratio("go", "seconds"),
            "to c": self.ratio("c", "seconds"),
            "peak MB": self.middle("mochi", "megabytes"),
            "MB to go": self.ratio("go", "megabytes"),
        }


def geometric_mean(values: Iterable[float | None]) -> float | None:
    logs = [math.log(value) for value in values if value]
    return math.exp(sum(logs) / len(logs)) if logs else None


def cell(value: float | None, form: str) -> str:
    return f"{'-':>10}" if value is None else f"{value:>10{form}}"


def print_table(rows: dict[str, dict[str, float | None]], means: dict[str, float | None]) -> None:
    print(f"{'program':<20}{'seconds':>10}{'to Go':>10}{'to C':>10}{'peak MB':>10}{'MB to Go':>10}")
    for name, row in [*rows.items(), ("geometric mean", means)]:
        cells = (cell(row.get(key), ".3f" if key == "seconds" else ".2f") for key in COLUMNS)
        print(f"{name:<20}" + "".join(cells))


COLUMNS = ("seconds", "to go", "to c", "peak MB", "MB to go")
RATIOS = ("to go", "to c", "MB to go")


def build_all(names: list[str], folder: str, compilers: Compilers, work: str) -> tuple[list[Program], int]:
    """Build every program; the programs and how many builds failed, which are shown."""
    programs, failures = [], 0
    for name in names:
        program = Program(name)
        for language in compilers.languages():
            source = os.path.join(folder, language, f"{name}.{language}")
            out = os.path.join(work, f"{name}.{language}.bin")
            said = compilers.build(language, source, out) if os.path.exists(source) else f"there is no {source}"
            if said:
                failures += 1
                print(f"compare: {name} does not build in {language}:\n{said}", file=sys.stderr)
            else:
                program.binaries[language] = out
        programs.append(program)
    return programs, failures


def check_memory(launcher: Launcher) -> float:
    """The megabytes that a program which does nothing seems to need; said if they come from somewhere else."""
    nothing = shutil.which("true")
    if not nothing:
        return 0.0
    floor = launcher.run(nothing).megabytes
    if floor > 4.0:
        print(f"compare: `true` seems to need {floor:.1f} MB, so peaks below that are not to be seen", file=sys.stderr)
    return floor


def main() -> int:
    parser = argparse.ArgumentParser(description="Compare compiled Mochi with Go and C on the same programs.")
    parser.add_argument("--only", default="", metavar="A,B", help="these programs only")
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="rounds (5)")
    parser.add_argument("--folder", default=HERE, metavar="DIR", help="has the folders mochi, go, c and expected")
    parser.add_argument("--go", default="go", metavar="PATH", help="the Go command")
    parser.add_argument("--cc", default="gcc", metavar="PATH", help="the C compiler")
    parser.add_argument("--mochi", default="", metavar="CMD", help="the Mochi command, instead of this project's")
    parser.add_argument("--json", default="", metavar="FILE", help="put the figures there, too")
    options = parser.parse_args()
    if options.runs < 1:
        parser.error("--runs needs at least 1")
    names = names_in(options.folder, options.only)
    compilers = Compilers(options.mochi, options.go, options.cc)
    with tempfile.TemporaryDirectory() as work:
        launcher = Launcher(compilers.paths["c"], work)
        floor = check_memory(launcher)
        programs, failures = build_all(names, options.folder, compilers, work)
        for _ in range(options.runs):
            for program in programs:
                program.add_round(launcher)
    rows = {program.name: program.row() for program in programs}
    means = {key: geometric_mean(row[key] for row in rows.values()) for key in RATIOS}
    print_table(rows, means)
    wrong = [text for program in programs for text in program.complaints(expected_output(options.folder, program.name))]
    for text in wrong:
        print("compare: " + text, file=sys.stderr)
    if options.json:
        figures = {"runs": options.runs, "floor MB": floor, "programs": rows, "means": means, "wrong": wrong}
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(figures, f, indent=2)
            f.write("\n")
    return 1 if failures or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
