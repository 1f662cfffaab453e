"""What lowers each class of the syntax tree."""

from __future__ import annotations

from typing import Final

from mochic.lower.access import e_field, e_index, e_slice
from mochic.lower.call import e_call
from mochic.lower.cast import e_cast
from mochic.lower.closures import e_fun
from mochic.lower.composites import e_list, e_map, e_struct
from mochic.lower.expr import e_binary, e_code, e_ident, e_if, e_unary
from mochic.ir.func import Value
from mochic.lower.fn import Dispatch, Fn
from mochic.lower.literals import e_literal
from mochic.lower.loops import s_break, s_continue, s_for, s_update, s_while
from mochic.lower.stmt import (
    s_assign, s_bench, s_code, s_expect, s_expr, s_fetch, s_fun, s_if, s_nothing, s_return, s_test, s_vardecl,
)  # fmt: skip
from mochic.syntax import ast

# What many programs do without is imported when a program has it: a build of a short program takes as long as its
# imports do.


def e_match(fn: Fn, e: ast.Match) -> Value:
    from mochic.lower.match import e_match as lower_match

    return lower_match(fn, e)


def e_query(fn: Fn, e: ast.Query) -> Value:
    from mochic.lower.query.select import e_query as lower_query

    return lower_query(fn, e)


def e_load(fn: Fn, e: ast.Load) -> Value:
    from mochic.lower.load import e_load as lower_load

    return lower_load(fn, e)


def e_save(fn: Fn, e: ast.Save) -> Value:
    from mochic.lower.save import e_save as lower_save

    return lower_save(fn, e)


def e_fetch(fn: Fn, e: ast.Fetch) -> Value:
    from mochic.lower.load import e_fetch as lower_fetch

    return lower_fetch(fn, e)


DISPATCH: Final = Dispatch(
    {
        ast.IntLit: e_literal,
        ast.FloatLit: e_literal,
        ast.StrLit: e_literal,
        ast.BoolLit: e_literal,
        ast.NoneLit: e_literal,
        ast.Ident: e_ident,
        ast.Binary: e_binary,
        ast.Unary: e_unary,
        ast.Index: e_index,
        ast.Slice: e_slice,
        ast.Field: e_field,
        ast.ListLit: e_list,
        ast.MapLit: e_map,
        ast.StructLit: e_struct,
        ast.IfExpr: e_if,
        ast.Match: e_match,
        ast.Cast: e_cast,
        ast.Call: e_call,
        ast.FunExpr: e_fun,
        ast.Query: e_query,
        ast.Load: e_load,
        ast.Save: e_save,
        ast.Fetch: e_fetch,
        ast.LogicQuery: e_code,
        ast.Interpolation: e_code,
        ast.SetLit: e_code,
        ast.Generate: e_code,
    },
    {
        ast.VarDecl: s_vardecl,
        ast.Assign: s_assign,
        ast.Return: s_return,
        ast.If: s_if,
        ast.While: s_while,
        ast.For: s_for,
        ast.Break: s_break,
        ast.Continue: s_continue,
        ast.ExprStmt: s_expr,
        ast.Expect: s_expect,
        ast.TestDecl: s_test,
        ast.BenchDecl: s_bench,
        ast.FunDecl: s_fun,
        ast.TypeDecl: s_nothing,
        ast.Update: s_update,
        ast.OnHandler: s_code,
        ast.Emit: s_code,
        ast.Try: s_code,
        ast.FetchStmt: s_fetch,
        ast.ImportDecl: s_nothing,
        ast.ExternDecl: s_nothing,
    },
)
