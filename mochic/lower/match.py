"""Lowering of `match` (mochi-language.md 11.4).

Arms are tried in order.  A variant pattern compares the descriptor; a pattern that must match binds without a test, and
the last arm of an exhaustive match over variants needs none either.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mochic.ir.func import Block, Value
from mochic.ir.ops import AND, CAST, EQ
from mochic.ir.types import I32, I64, PTR, REF, TAG
from mochic.lower.cast import Casts
from mochic.lower.module import ir_type
from mochic.sema.symbols import StructInfo, Var
from mochic.sema.types import NIL, STRUCT, Ty, find
from mochic.syntax import ast


class Matches(Casts):
    def e_match(self, e: ast.Match) -> Value:
        b = self.b
        want = ir_type(e.ty)
        subj = self.expr(e.subject)
        if self.may_extend(e.subject, [c.guard for c in e.cases]):
            self.mark(subj, e.subject.ty)
        done = self.new_block()
        reached_end = True
        for i, c in enumerate(e.cases):
            nxt = self.new_block()
            last = i == len(e.cases) - 1 and self.exhaustive(e)
            arm = (c.guard, c.expr, c.body)
            if c.guard is None and self.irrefutable(c.pattern):
                self.bind(c.pattern, subj, arm)
                reached_end = False
            else:
                self.test_pattern(c.pattern, subj, e.subject.ty, None if last and c.guard is None else nxt)
                self.bind_fields(c.pattern, subj, arm)
                if c.guard is not None:
                    ok = self.new_block()
                    self.branch(c.guard, ok, nxt)
                    b.start(ok)
                elif last:
                    reached_end = False
            if c.body is not None:
                self.case_block(c.body, want)
            else:
                assert c.expr is not None
                v = self.expr(c.expr)
                if b.reachable:
                    b.write("#match", self.convert(v, want))
            b.jump(done)
            b.start(nxt)
            if not reached_end:
                break
        if reached_end:
            b.write("#match", self.convert(self.nil(), want))
            b.jump(done)
        else:
            b.trap()
        b.start(done)
        return b.read("#match", want)

    def case_block(self, body: list[ast.Stmt], want: int) -> None:
        last = body[-1] if body else None
        b = self.b
        if isinstance(last, ast.ExprStmt):
            self.block(body[:-1])
            v = self.expr(last.expr)
        else:
            self.block(body)
            v = self.nil()
        if b.reachable:
            b.write("#match", self.convert(v, want))

    def exhaustive(self, e: ast.Match) -> bool:
        """Unguarded variant arms cover everything the subject can be."""
        t = find(e.subject.ty)
        if t.kinds != STRUCT:
            return False
        left = t.structs
        for c in e.cases:
            p = c.pattern
            if c.guard is None and isinstance(p, ast.Ident | ast.Call) and isinstance(p.ref, StructInfo):
                if isinstance(p, ast.Ident) or all(self.irrefutable(a) for a in p.args):
                    left &= ~p.ref.bit
        return left == 0

    def irrefutable(self, p: ast.Expr) -> bool:
        return isinstance(p, ast.Ident) and not isinstance(p.ref, StructInfo)

    def bind(self, p: ast.Expr, v: Value, arm: Sequence[Any]) -> None:
        if isinstance(p, ast.Ident) and isinstance(p.ref, Var):
            if p.ref.appended or p.ref.captured or self.extends_any(p.ty, arm):
                self.mark(v, p.ty)
            self.declare_var(p.ref, self.convert(v, ir_type(p.ref.ty)))

    def bind_fields(self, p: ast.Expr, v: Value, arm: Sequence[Any]) -> None:
        """Bind the identifiers of a pattern that has matched."""
        if isinstance(p, ast.Call) and isinstance(p.ref, StructInfo):
            obj = self.convert(self.referable(v), REF)
            for a, name in zip(p.args, p.ref.fields, strict=False):
                if isinstance(a, ast.Ident) and a.name == "_":
                    continue
                fv = self.load_field(obj, p.ref, name)
                self.bind_fields(a, fv, arm)
        elif self.irrefutable(p):
            self.bind(p, v, arm)

    def test_pattern(self, p: ast.Expr, v: Value, t: Ty, no: Block | None) -> None:
        """Fall through when p matches v, else go to `no`; None: it is known to match."""
        b = self.b
        ref = p.ref if isinstance(p, ast.Ident | ast.Call) else None
        if self.irrefutable(p):
            return
        if isinstance(ref, StructInfo):
            v = self.referable(v)
            if no is not None:
                obj = v
                if v.type == TAG:
                    obj = self.check_ref(v, no)
                elif find(t).kinds & NIL:
                    some = self.new_block()
                    b.brif(self.is_nil(v), no, some)
                    b.start(some)
                desc = self.ld(PTR, obj, 0)
                yes = self.new_block()
                b.brif(b.emit(EQ, I32, [desc, self.sym(self.m.struct_desc(ref))]), yes, no)
                b.start(yes)
            if isinstance(p, ast.Call):
                obj = self.convert(v, REF)
                for a, (name, ft) in zip(p.args, ref.fields.items(), strict=False):
                    if not self.irrefutable(a):
                        self.test_pattern(a, self.load_field(obj, ref, name), ft, no)
            return
        if no is None:
            return
        yes = self.new_block()
        if isinstance(p, ast.NoneLit):
            c = self.is_nil(v) if v.type in (REF, TAG) else self.bool_const(False)
        else:
            c = self.equal(v, self.expr(p), find(t).kinds, find(p.ty).kinds)
        b.brif(c, yes, no)
        b.start(yes)

    def referable(self, v: Value) -> Value:
        """A number or truth as a tag: it matches no variant, but the code of the arm is made all the same."""
        return v if v.type in (REF, TAG) else self.tag(v)

    def check_ref(self, v: Value, no: Block) -> Value:
        """A TAG that is a reference, else go to `no`."""
        b = self.b
        low = b.emit(AND, I64, [b.emit(CAST, I64, [v]), self.i64(7)])
        a, c = self.new_block(), self.new_block()
        b.brif(b.emit(EQ, I32, [low, self.i64(0)]), a, no)
        b.start(a)
        b.brif(self.is_nil(v), no, c)
        b.start(c)
        return b.emit(CAST, REF, [v])

    # provided by the other parts
    def branch(self, e: ast.Expr, yes: Block, no: Block, hint: int = 0) -> None:
        raise AssertionError

    def equal(self, l: Value, r: Value, lk: int, rk: int) -> Value:
        raise AssertionError

    def block(self, body: list[ast.Stmt]) -> None:
        raise AssertionError
