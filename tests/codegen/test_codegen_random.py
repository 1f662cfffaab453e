"""Random IR functions behave the same interpreted and compiled, with the allocation checker on."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from differ import compare
from native import available
from randir import random_module
from mochic.codegen.compile import compile_func
from mochic.codegen.context import Context
from mochic.codegen.targets import load_target
from mochic.ir.interp import InterpError
from mochic.ir.parser import parse_module
from mochic.ir.printer import print_module
from mochic.opt.pipeline import run_pipeline


@pytest.mark.skipif(not available(), reason="runs amd64 code in this process")
@settings(max_examples=150, deadline=None)
@given(st.integers(0, 1 << 40))
@example(385762925781)  # a divisor that leaves AX right before the division
def test_machine_code_agrees_with_the_interpreter(seed: int) -> None:
    with suppress(InterpError):  # too many steps
        compare(seed)


@pytest.mark.slow
@pytest.mark.skipif(not available(), reason="runs amd64 code in this process")
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 1 << 40))
def test_optimised_code_agrees_with_the_interpreter(seed: int) -> None:
    with suppress(InterpError):
        compare(seed, lambda m: run_pipeline(m, 2, check=True, typed=False))


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1 << 40))
def test_allocation_is_valid_and_text_round_trips(seed: int) -> None:
    m = random_module(seed)
    text = print_module(m)
    assert print_module(parse_module(text)) == text
    ctx = Context(load_target("amd64"))
    ctx.check = True
    compile_func(m.funcs[0], ctx)
