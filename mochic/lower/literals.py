"""Literals as IR constants."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochic.ir.func import Value
from mochic.ir.ops import FCONST, ICONST
from mochic.ir.types import F64, I32, INT
from mochic.syntax import ast

if TYPE_CHECKING:
    from mochic.lower.base import Base


def float_bits(x: float) -> int:
    bits: int = struct.unpack("<Q", struct.pack("<d", x))[0]
    return bits


def literal(fl: Base, e: ast.Expr) -> Value:
    if isinstance(e, ast.IntLit):
        return fl.b.emit(ICONST, INT, [], e.value)
    if isinstance(e, ast.FloatLit):
        return fl.b.emit(FCONST, F64, [], float_bits(e.value))
    if isinstance(e, ast.StrLit):
        return fl.str_const(e.value)
    if isinstance(e, ast.BoolLit):
        return fl.b.emit(ICONST, I32, [], int(e.value))
    return fl.nil()
