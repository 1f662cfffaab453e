"""The rule compiler, and that its output in the tree is current."""

from __future__ import annotations

from pathlib import Path

import pytest

import mochic.codegen
from backend.x86.ops import OPS
from mochic.codegen.rulec import RuleError, compile_rules, rules_source

ROOT = Path(mochic.codegen.__file__).parent / "targets"
TARGETS = sorted(p.parent.name for p in ROOT.glob("*/isel.rules"))


@pytest.mark.parametrize("target", TARGETS)
def test_generated_rules_are_current(target: str) -> None:
    assert rules_source(target) == (ROOT / target / "rules.py").read_text()


RULES = (ROOT / "amd64/isel.rules").read_text()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("(add i64 x (iconst c)) && c > 5 => FROB x, v/x", "no instruction"),
        ("(frob i64 x y) => ADDQ y, v/x", "no op frob"),
        ("(add i65 x y) => ADDQ y, v/x", "no type i65"),
        ("(add i64 x (iconst c)) && c > 5 => ADDQ z, v/x", "not bound"),
        ("(add i64 x y", "no `=>`"),
        ("(add i64 x y => ADDQ y, v/x", "malformed"),
        ("(add i64 x y) => ADDQ y, v/x", "never reached"),
    ],
)
def test_mistakes_are_found(rule: str, message: str) -> None:
    with pytest.raises(RuleError) as e:
        compile_rules(rule + "\n" + RULES, "amd64", OPS)
    assert message in str(e.value)


def test_every_op_needs_a_final_rule() -> None:
    text = RULES.replace("(fsqrt f64 x)", "(fsqrt f64 (fconst c))")
    with pytest.raises(RuleError) as e:
        compile_rules(text, "amd64", OPS)
    assert "no final unconditional rule" in str(e.value)
