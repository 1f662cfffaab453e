"""Literals as IR constants."""

from __future__ import annotations

from mochic.ir.floats import float_bits
from mochic.ir.func import Value
from mochic.ir.ops import FCONST, ICONST
from mochic.ir.types import F64, I32, INT
from mochic.lower.fn import Fn
from mochic.syntax import ast


def e_literal(fn: Fn, e: ast.Expr) -> Value:
    if isinstance(e, ast.IntLit):
        return fn.b.emit(ICONST, INT, [], e.value)
    if isinstance(e, ast.FloatLit):
        return fn.b.emit(FCONST, F64, [], float_bits(e.value))
    if isinstance(e, ast.StrLit):
        return fn.str_const(e.value)
    if isinstance(e, ast.BoolLit):
        return fn.b.emit(ICONST, I32, [], int(e.value))
    return fn.nil()
