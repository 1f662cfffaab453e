"""Each class of the tree has its rule in both modes: a look-up in the tables needs no default."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from mochic.sema.infer import program as infer
from mochic.sema.strict import program as strict
from mochic.syntax import ast


@pytest.mark.parametrize(
    ("base", "table"),
    [
        (ast.Expr, infer.EXPRESSIONS),
        (ast.Stmt, infer.STATEMENTS),
        (ast.Expr, strict.EXPRESSIONS),
        (ast.Stmt, strict.STATEMENTS),
    ],
    ids=["infer-expressions", "infer-statements", "strict-expressions", "strict-statements"],
)
def test_every_class_has_a_rule(base: type, table: Mapping[type, object]) -> None:
    classes = {c for c in vars(ast).values() if isinstance(c, type) and issubclass(c, base)} - {base}
    assert set(table) == classes
