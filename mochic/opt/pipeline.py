"""The optimisation passes in order.

`PASSES` is the pipeline; `BEFORE` states what must come before what, and why, and is checked when the module
is loaded, so that a reordering that breaks a reason cannot go unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable

from mochic.ir.func import Func, Module
from mochic.ir.verify import verify
from mochic.opt import dce, gvn, inline, jumpthread, memory, peel, split

# (name, lowest -O level)
PASSES: list[tuple[str, int]] = [
    ("gvn", 1),
    ("jumpthread", 1),
    ("dce", 1),
    ("inline", 2),
    ("gvn-after-inline", 2),
    ("jumpthread-after-inline", 2),
    ("peel", 2),
    ("gvn-after-peel", 2),
    ("jumpthread-after-peel", 2),
    ("split", 2),
    ("gvn-after-split", 2),
    ("jumpthread-after-split", 2),
    ("dce-last", 1),
]

BEFORE: list[tuple[str, str, str]] = [
    ("gvn", "inline", "sizes that decide about inlining are those of simplified code"),
    ("dce", "inline", "dead values would count"),
    ("inline", "gvn-after-inline", "arguments become known"),
    ("jumpthread-after-inline", "peel", "loops are found in their final shape"),
    ("peel", "gvn-after-peel", "peeling only copies: value numbering is what removes"),
    ("jumpthread-after-peel", "split", "copies would make loops too large to be peeled"),
    ("split", "gvn-after-split", "splitting only copies: value numbering folds the conditions"),
    ("jumpthread-after-inline", "dce-last", "threading leaves unused parameters"),
]


def _check_order() -> None:
    at = {name: i for i, (name, _) in enumerate(PASSES)}
    for a, b, why in BEFORE:
        if at[a] >= at[b]:
            raise AssertionError(f"pass {a} must come before {b}: {why}")


_check_order()


def run_pipeline(module: Module, level: int, check: bool = False, typed: bool = True) -> None:
    """Optimise all functions, callees first.  `typed`: see `gvn`; `check`: verify after every pass."""
    if level == 0:
        return
    candidates: dict[Func, bool] = {}
    for fn in inline.callees_first(module):
        inlined = False
        peeled = False
        parted = False
        for name, lowest in PASSES:
            if lowest > level or (name.endswith("-after-inline") and not inlined):
                continue
            if name.endswith("-after-peel") and not peeled:
                continue
            if name.endswith("-after-split") and not parted:
                continue
            if name == "inline":
                inlined = inline.run(fn, candidates, module.inlined)
            elif name == "peel":
                peeled = peel.run(fn, typed)
            elif name == "split":
                parted = split.run(fn)
            else:
                _RUN[name.split("-")[0]](fn, typed)
            if check:
                verify(fn, False)
        if typed:
            memory.summarize(fn)
        candidates[fn] = level >= 2 and inline.inlinable(fn)


_RUN: dict[str, Callable[[Func, bool], bool]] = {
    "gvn": gvn.run,
    "jumpthread": lambda fn, typed: jumpthread.run(fn),
    "dce": lambda fn, typed: dce.run(fn),
}
