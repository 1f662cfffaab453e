"""Statements.  Each rule tells whether control can reach the statement's end."""

from __future__ import annotations

from mochic.diag.diagnostic import Diagnostic
from mochic.sema import trycatch
from mochic.sema.constraints import IterationConstraint, StoreFieldConstraint, StoreIndexConstraint
from mochic.sema.infer.annotations import note_callable, zero_value
from mochic.sema.infer.bodies import block, function_body, inner_block
from mochic.sema.infer.calls import callee
from mochic.sema.infer.context import Infer
from mochic.sema.infer.data import update_loop
from mochic.sema.infer.expansion import emit_code, on_code
from mochic.sema.infer.imports import exported
from mochic.sema.infer.narrowing import drop_assigned, facts, has_break, with_facts
from mochic.sema.symbols import BuiltinRef, ImportInfo, Scope, Var
from mochic.sema.types import INT, NIL, Slot
from mochic.syntax import ast


_CONSTANTS = (ast.IntLit, ast.FloatLit, ast.StrLit, ast.BoolLit)  # of which a `let` may be a name

# -- variables --------------------------------------------------------------------------------------


def variable_declaration(inf: Infer, st: ast.VarDecl) -> bool:
    t = None
    if st.value is not None:
        t = inf.expr(st.value)
    top = inf.scope is inf.root
    if top:
        v = inf.root.names.get(st.name)
        if not isinstance(v, Var) or (v.declared and not v.global_):
            v = inf.new_var(st.name, Slot(), st.mutable, None, "var" if st.mutable else "let", st.lo)
            note_callable(inf, v, st)
            inf.info.globals.append(v)
            inf.root.names[st.name] = v
        elif v.declared:
            v.writes += 1
            v.const = None
        v.mutable = st.mutable
    else:
        v = inf.new_var(st.name, Slot(), st.mutable, inf.fun, "var" if st.mutable else "let", st.lo)
        note_callable(inf, v, st)
        inf.scope.names[st.name] = v
    first = not v.declared
    v.declared = True
    v.pos = st.lo
    st.sym = v
    if st.type is not None:
        v.decl = st.type
        inf.seeds.append((v.ty, st.type))
    if t is not None:
        inf.solver.flow(t, v.ty)
        if st.type is not None:
            inf.checks.append(("T008", st.lo, st.hi, st.type, t))
        if not st.mutable and first and type(st.value) in _CONSTANTS and not v.writes:
            v.const = st.value
    elif st.type is not None:
        zero_value(inf, v.ty, st.type)
    else:
        inf.error("T000", st.lo, st.hi)
    inf.narrow.pop(v, None)
    return True


def assignment(inf: Infer, st: ast.Assign) -> bool:
    target = st.target
    s = inf.solver
    if isinstance(target, ast.Ident):
        t = inf.expr(st.value)
        sym = inf.lookup(target.name)
        if isinstance(sym, Var):
            target.ref = sym
            inf.use_var(sym)
            target.ty = sym.ty
            if sym.kind == "let" and not sym.mutable:
                inf.error("T024", st.lo, st.hi, target.name)
            sym.writes += 1
            sym.const = None
            s.flow(t, sym.ty)
            if sym.decl is not None:
                inf.checks.append(("T009", st.lo, st.hi, (sym.decl, target.name), t))
            inf.narrow.pop(sym, None)
            if (
                isinstance(st.value, ast.Call)
                and isinstance(st.value.fn, ast.Ident)
                and st.value.fn.name in ("append", "push")
            ):
                sym.appended = True
        elif isinstance(sym, tuple):  # a field, inside a method
            si, name = sym
            target.ref = sym
            target.ty = si.fields[name]
            s.flow(t, si.fields[name])
        elif sym is None:
            inf.error("T001", st.lo, st.hi, target.name)
        else:
            inf.error("T024", st.lo, st.hi, target.name)
        return True
    if isinstance(target, ast.Field) and isinstance(target.obj, ast.Ident):
        imp = inf.lookup(target.obj.name)
        if isinstance(imp, ImportInfo):
            assign_member(inf, st, target, imp)
            return True
    if isinstance(target, ast.Index):
        obj = inf.expr(target.obj)
        key = inf.expr(target.index)
        t = inf.expr(st.value)
        target.ty = t
        c = StoreIndexConstraint(obj, key, t, inf.info.structs)
        s.attach(obj, c)
        inf.checks.append(("store", st.lo, st.hi, target, obj))
    elif isinstance(target, ast.Field):
        obj = inf.expr(target.obj)
        t = inf.expr(st.value)
        target.ty = t
        f = StoreFieldConstraint(obj, target.name, t, inf.info.structs)
        s.attach(obj, f)
        inf.checks.append(("field", target.name_lo, st.hi, target.name, obj))
    else:
        inf.expr(st.value)
        inf.error("P999", st.lo, st.hi, "this expression cannot be assigned to")
    return True


def assign_member(inf: Infer, st: ast.Assign, target: ast.Field, imp: ImportInfo) -> None:
    """`lib.v = value`: a package's exported `var`."""
    t = inf.expr(st.value)
    inf.expr(target)
    v = exported(imp, target.name)
    if isinstance(v, Var) and v.mutable:
        v.writes += 1
        inf.solver.flow(t, v.ty)
        if v.decl is not None:
            inf.checks.append(("T009", st.lo, st.hi, (v.decl, target.name), t))
    elif v is not None:
        text = f"cannot assign to `{imp.alias}.{target.name}` (immutable)"
        help = "Only what a package declares with `export var` can be assigned to from outside."
        inf.diags.append(Diagnostic("M003", text, st.lo, st.hi, help))


# -- control ----------------------------------------------------------------------------------------


def return_statement(inf: Infer, st: ast.Return) -> bool:
    f = inf.fun
    assert f is not None
    if st.value is not None:
        t = inf.expr(st.value)
        if f is not inf.info.main:
            inf.solver.flow(t, f.ret)
            if f.decl_ret is not None:
                inf.checks.append(("T010", st.lo, st.hi, f.decl_ret, t))
    elif f is not inf.info.main:
        inf.solver.grow(f.ret, NIL)
    return False


def if_statement(inf: Infer, st: ast.If) -> bool:
    inf.expr(st.cond)
    yes, no = facts(inf, st.cond)
    before = inf.narrow
    inf.narrow = with_facts(inf, before, yes)
    falls = inner_block(inf, st.then)
    after_then = inf.narrow
    inf.narrow = with_facts(inf, before, no)
    falls2 = True
    if st.orelse is not None:
        falls2 = inner_block(inf, st.orelse)
    after_else = inf.narrow
    if not falls:
        inf.narrow = after_else
    elif not falls2:
        inf.narrow = after_then
    else:
        inf.narrow = {v: t for v, t in after_then.items() if after_else.get(v) is t}
    return falls or falls2


def while_loop(inf: Infer, st: ast.While) -> bool:
    drop_assigned(inf, st.body)
    inf.expr(st.cond)
    yes, no = facts(inf, st.cond)
    before = inf.narrow
    inf.narrow = with_facts(inf, before, yes)
    inf.loops += 1
    inner_block(inf, st.body)
    inf.loops -= 1
    inf.narrow = before if has_break(st.body) else with_facts(inf, before, no)
    return not (isinstance(st.cond, ast.BoolLit) and st.cond.value and not has_break(st.body))


def for_loop(inf: Infer, st: ast.For) -> bool:
    src = inf.expr(st.source)
    s = inf.solver
    if st.end is not None:
        end = inf.expr(st.end)
        v = inf.new_var(st.var, Slot(), True, inf.fun, "loop", st.lo)
        s.grow(v.ty, INT)
        inf.checks.append(("T023", st.lo, st.hi, src, end))
    else:
        v = inf.new_var(st.var, Slot(), True, inf.fun, "loop", st.lo)
        c = IterationConstraint(src, v.ty)
        s.attach(src, c)
        inf.checks.append(("T022", st.lo, st.hi, None, src))
    v.declared = True
    st.sym = v
    drop_assigned(inf, st.body)
    before = dict(inf.narrow)
    inf.scope = Scope(inf.scope, inf.fun)
    inf.scope.names[st.var] = v
    inf.loops += 1
    inner_block(inf, st.body)
    inf.loops -= 1
    parent = inf.scope.parent
    assert parent is not None
    inf.scope = parent
    inf.narrow = before
    return True


def jump(inf: Infer, st: ast.Stmt) -> bool:
    if not inf.loops:
        inf.error("T045", st.lo, st.hi, "break" if isinstance(st, ast.Break) else "continue")
    return False


def try_statement(inf: Infer, st: ast.Try) -> bool:
    made = trycatch.desugar(st, inf.tries, lambda fn: does_not_return(inf, fn))
    inf.tries = made.last + 1
    st.code = made.code
    drop_assigned(inf, st.body)
    falls = inner_block(inf, st.code)
    drop_assigned(inf, st.body)
    return falls


def does_not_return(inf: Infer, fn: ast.Ident) -> bool:
    """A call of it does not return."""
    return fn.name in trycatch.ENDS and isinstance(callee(inf, fn), BuiltinRef)


# -- the others -------------------------------------------------------------------------------------


def expression_statement(inf: Infer, st: ast.ExprStmt) -> bool:
    inf.expr(st.expr)
    e = st.expr
    if isinstance(e, ast.Call) and isinstance(e.fn, ast.Ident) and isinstance(e.fn.ref, BuiltinRef):
        return e.fn.ref.name not in trycatch.ENDS
    return True


def expect_statement(inf: Infer, st: ast.Expect) -> bool:
    inf.expr(st.expr)
    return True


def test_block(inf: Infer, st: ast.TestDecl | ast.BenchDecl) -> bool:
    outer = dict(inf.narrow)
    inner_block(inf, st.body)
    inf.narrow = outer
    return True


def nested_function(inf: Infer, st: ast.FunDecl) -> bool:
    if inf.scope is not inf.root:
        f = st.info
        function_body(inf, f)
        v = f.local_var
        v.declared = True
    return True


def update_statement(inf: Infer, st: ast.Update) -> bool:
    st.loop = update_loop(inf, st)
    return for_loop(inf, st.loop)


def fetch_statement(inf: Infer, st: ast.FetchStmt) -> bool:
    value = ast.Fetch(st.lo, st.hi, st.url, st.options)
    st.decl = ast.VarDecl(st.lo, st.hi, st.target, None, value, True, "")
    return variable_declaration(inf, st.decl)


def on_handler(inf: Infer, st: ast.OnHandler) -> bool:
    st.code = on_code(inf, st)
    return block(inf, st.code)


def emit_statement(inf: Infer, st: ast.Emit) -> bool:
    st.code = emit_code(inf, st)
    return block(inf, st.code)


def nothing(inf: Infer, st: ast.Stmt) -> bool:
    return True


_TOP_LEVEL = {
    ast.FactDecl: "facts",
    ast.RuleDecl: "rules",
    ast.StreamDecl: "streams",
    ast.ModelDecl: "models",
    ast.AgentDecl: "agents",
    ast.IntentDecl: "intents",
}


def only_at_top_level(inf: Infer, st: ast.Stmt) -> bool:
    """What `expansion` has replaced at top level stands somewhere else."""
    inf.error("M007", st.lo, st.hi, _TOP_LEVEL[type(st)])
    return True
