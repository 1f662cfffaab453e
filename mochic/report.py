"""`mochi targets`, `mochi explain`, `mochi doctor`: what there is, what it means, what is missing."""

from __future__ import annotations

import platform
import shutil
import sys

from mochic.driver import EXIT_ERRORS, EXIT_OK, EXIT_TOOL, UserError
from mochic.link.linker import LinkError, find_linker
from mochic.targets import TARGETS


def _linker_of(name: str) -> str:
    try:
        found = find_linker(TARGETS[name])
    except LinkError:
        return "not found"
    return " ".join(found.argv)


def print_targets() -> int:
    print(f"{'target':<18}{'format':<8}{'abi':<10}{'status':<9}{'linker':<34}runner")
    for name, t in TARGETS.items():
        runner = t.runner or "host"
        if runner not in ("host", "none"):
            have = shutil.which(runner) or shutil.which(runner + "-static")
            runner = have or f"{runner} (not found)"
        print(f"{name:<18}{t.format:<8}{t.abi:<10}{t.status:<9}{_linker_of(name):<34}{runner}")
    return EXIT_OK


def explain_code(code: str) -> int:
    from mochic.diag.codes import CODES

    if code.upper() not in CODES:
        raise UserError(f"mochi: no diagnostic has the code `{code}`", EXIT_ERRORS)
    row = CODES[code.upper()]
    message = row.message
    for i in range(8):
        message = message.replace("{" + str(i) + "}", "...")
    print(f"{row.code}: {message}\n")
    print(row.explain)
    if row.help:
        print(f"\nhelp: {row.help}")
    return EXIT_OK


def doctor_report() -> int:
    """Exit status 0 when programs can be built and run here, 3 when something is missing."""
    bad = 0
    print(f"python    {platform.python_version()} ({sys.executable})")
    linker = _linker_of("linux/amd64")
    if linker == "not found":
        bad += 1
        print("linker    missing: pip install ziglang   or   apt-get install lld")
    else:
        print(f"linker    {linker}")
    host = f"{sys.platform}/{platform.machine()}"
    if sys.platform == "linux" and platform.machine() == "x86_64":
        print(f"host      {host}: programs for linux/amd64 run here")
    else:
        print(f"host      {host}: programs for linux/amd64 are built here but need that system to run")
    from mochic.link.runtime_lib import cache_dir

    print(f"cache     {cache_dir()}")
    return EXIT_TOOL if bad else EXIT_OK
