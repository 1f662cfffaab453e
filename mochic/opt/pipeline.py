"""The optimisation passes in order.

`PASSES` is the pipeline; `BEFORE` states what must come before what, and why, and is checked when the module
is loaded, so that a reordering that breaks a reason cannot go unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Func, Module
from mochic.ir.verify import verify
from mochic.layout import LITTLE_64, Layout
from mochic.opt import cases, chars, choose, dce, gvn, inline, jumpthread, memory, peel, reload, split, tail

# (name, lowest -O level); a pass "after" others runs when one of them has changed something.
PASSES: list[tuple[str, int]] = [
    ("gvn", 1),
    ("jumpthread", 1),
    ("dce", 1),
    ("tail", 2),
    ("inline", 2),
    ("chars", 2),
    ("gvn-after-inline-chars", 2),
    ("jumpthread-after-inline-chars", 2),
    ("peel", 2),
    ("gvn-after-peel", 2),
    ("jumpthread-after-peel", 2),
    ("reload", 2),
    ("split", 2),
    ("gvn-after-reload-split", 2),
    ("jumpthread-after-reload-split", 2),
    ("cases", 2),
    ("choose", 2),
    ("jumpthread-after-choose", 2),
    ("gvn-after-choose", 2),
    ("dce-last", 1),
]

# Up to here a function is small and general; what comes behind shapes its loops.
INLINED = "jumpthread-after-inline-chars"

BEFORE: list[tuple[str, str, str]] = [
    ("gvn", "inline", "sizes that decide about inlining are those of simplified code"),
    ("dce", "inline", "dead values would count"),
    ("tail", "inline", "copies of a function in itself would hide that it is a loop"),
    ("inline", "chars", "what is done to a string parameter is done to a character"),
    ("chars", "gvn-after-inline-chars", "comparisons that are left without characters fold"),
    ("inline", "gvn-after-inline-chars", "arguments become known"),
    ("jumpthread-after-inline-chars", "peel", "loops are found in their final shape"),
    ("peel", "gvn-after-peel", "peeling only copies: value numbering is what removes"),
    ("gvn-after-peel", "reload", "only what merges lose is left to it"),
    ("reload", "gvn-after-reload-split", "lengths that are kept decide checks"),
    ("jumpthread-after-peel", "split", "copies would make loops too large to be peeled"),
    ("split", "gvn-after-reload-split", "splitting only copies: value numbering folds the conditions"),
    ("gvn-after-reload-split", "cases", "what a failed comparison tells of the value is lost in a switch"),
    ("gvn-after-reload-split", "choose", "a condition that decides a branch says nothing about a choice"),
    ("jumpthread-after-inline-chars", "dce-last", "threading leaves unused parameters"),
]


def _check_order() -> None:
    at = {name: i for i, (name, _) in enumerate(PASSES)}
    for a, b, why in BEFORE:
        if at[a] >= at[b]:
            raise AssertionError(f"pass {a} must come before {b}: {why}")


_check_order()


def run_pipeline(
    module: Module, level: int, check: bool = False, typed: bool = True, layout: Layout = LITTLE_64
) -> None:
    """Optimise all functions, callees first.  `typed`: see `gvn`; `check`: verify after every pass."""
    if level == 0:
        return
    inliner = inline.Inliner(module, typed)  # the runtime is part of every program and stays small
    last = [name for name, _ in PASSES].index(INLINED)
    later: list[Func] = []
    for fn in inline.callees_first(module):
        _run_passes(fn, PASSES[: last + 1], inliner, level, check, typed, layout)
        if typed and level >= 2 and inliner.moves(fn):
            later.append(fn)  # its copy in the caller gets the rest
        else:
            _run_passes(fn, PASSES[last + 1 :], inliner, level, check, typed, layout)
        if typed:
            memory.summarize(fn)
        inliner.done(fn)
    called = inline.count_sites(module) if later else {}
    for fn in later:
        if called.get(fn.sym):
            _run_passes(fn, PASSES[last + 1 :], inliner, level, check, typed, layout)


def _run_passes(
    fn: Func,
    passes: list[tuple[str, int]],
    inliner: inline.Inliner,
    level: int,
    check: bool,
    typed: bool,
    layout: Layout,
) -> None:
    changed: dict[str, bool] = {}
    for name, lowest in passes:
        kind, _, before = name.partition("-after-")
        if lowest > level or (before and not any(changed.get(x) for x in before.split("-"))):
            continue
        if kind == "inline":
            changed[name] = inline.run(fn, inliner)
        elif kind == "chars":
            changed[name] = typed and chars.run(fn, layout)
        else:
            changed[name] = _RUN[kind.partition("-")[0]](fn, typed)
        if check:
            verify(fn, False)


_RUN: dict[str, Callable[[Func, bool], bool]] = {
    "gvn": gvn.run,
    "jumpthread": lambda fn, typed: jumpthread.run(fn),
    "dce": lambda fn, typed: dce.run(fn),
    "peel": peel.run,
    "reload": reload.run,
    "cases": cases.run,
    "choose": choose.run,
    "tail": tail.run,
    "split": lambda fn, typed: split.run(fn),
}
