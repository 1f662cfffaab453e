"""`mochi targets`, `mochi explain`, `mochi doctor`: what there is, what it means, what is missing."""

from __future__ import annotations

import platform
import sys

from mochic.console import EXIT_ERRORS, EXIT_OK, EXIT_TOOL, UserError
from mochic.link.linker import find_linker
from mochic.link.tools import LinkError
from mochic.link.runner import find_runner, runner_hint
from mochic.targets import DEFAULT_TARGET, TARGETS, host_target


def _linker_of(name: str) -> str:
    try:
        found = find_linker(TARGETS[name])
    except LinkError:
        return "not found"
    return " ".join(found.argv)


def print_targets() -> int:
    print(f"{'target':<18}{'format':<8}{'abi':<10}{'status':<9}{'linker':<34}runner")
    for name, t in TARGETS.items():
        runner = t.runner or "none"
        if name == host_target():
            runner = "host"
        elif t.runner:
            runner = find_runner(t) or f"{runner} (not found)"
        print(f"{name:<18}{t.format:<8}{t.abi:<10}{t.status:<9}{_linker_of(name):<34}{runner}")
    return EXIT_OK


def explain_code(code: str) -> int:
    from mochic.diag.pages import explain

    text = explain(code)
    if text is None:
        raise UserError(f"mochi: no diagnostic has the code `{code}`", EXIT_ERRORS)
    sys.stdout.write(text)
    return EXIT_OK


def doctor_report() -> int:
    """Exit status 0 when programs can be built here for the default target, 3 when something is missing for that."""
    from mochic import cache

    bad = 0
    here = host_target()
    print(f"python          {platform.python_version()} ({sys.executable})")
    print(f"host            {here}")
    print(f"cache           {cache.folder()}")
    for name, t in TARGETS.items():
        if not t.ready:
            continue
        linker = _linker_of(name)
        if linker == "not found":
            bad += name == DEFAULT_TARGET
            linker = "no linker: pip install ziglang   or   apt-get install lld"
        else:
            linker = f"linked by {linker}"
        if name == here:
            runner = "run here"
        else:
            found = find_runner(t)
            runner = f"run by {found}" if found else f"cannot be run here: {runner_hint(t)}"
        print(f"{name:<16}{linker}; {runner}")
    return EXIT_TOOL if bad else EXIT_OK


def clean_cache() -> int:
    """`mochi clean`."""
    from mochic import cache

    freed = cache.clean()
    print(f"{cache.folder()}: {freed / 1e6:.1f} MB freed")
    return EXIT_OK
