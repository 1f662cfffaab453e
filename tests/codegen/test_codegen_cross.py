"""Random IR on the other CPUs behaves as interpreted: a batch of functions in one program, under the emulator.

cross.py has a command line for long runs.
"""

from __future__ import annotations

import os

import pytest

from cross import compare
from mochic.console import UserError
from mochic.link.linker import find_linker
from mochic.link.tools import LinkError
from mochic.link.runner import command_for
from mochic.targets import TARGETS

# target | level | instruction set | protection of branches | what the emulator needs for them | first seed
TABLE = """
linux/amd64   | 0 |          | none     |                                           | 0
linux/arm64   | 0 |          | none     |                                           | 0
linux/arm64   | 2 |          | none     |                                           | 1000
linux/arm64   | 2 |          | standard | -cpu max,pauth-impdef=on                  | 2000
linux/riscv64 | 0 |          | none     |                                           | 0
linux/riscv64 | 2 |          | none     |                                           | 1000
linux/riscv64 | 2 | rv64g    | none     |                                           | 2000
linux/riscv64 | 2 | rva22u64 | none     | -cpu rv64,zba=true,zbb=true,zbs=true      | 3000
"""
COUNT = 120
# Seeds that found something: bit tests, constants on edges, constants of ones between zeros.
FOUND = (557, 653, 220, 376, 605, 801)


@pytest.mark.slow
@pytest.mark.parametrize("row", [r for r in TABLE.split("\n") if r])
def test_machine_code_agrees_with_the_interpreter(row: str, tmp_path: os.PathLike[str]) -> None:
    target, level, march, protection, options, first = (c.strip() for c in row.split("|"))
    try:
        command_for(TARGETS[target])
        find_linker(TARGETS[target])
    except (UserError, LinkError) as e:
        pytest.skip(e.message)
    seeds = [*FOUND, *range(int(first), int(first) + COUNT)]
    ran, bad = compare(target, seeds, int(level), str(tmp_path), march, protection, options.split())
    assert not bad
    assert ran > COUNT * 9 // 10
