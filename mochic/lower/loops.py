"""Lowering of loops."""

from __future__ import annotations

from mochic.ir.func import Block, Value
from mochic.ir.ops import ADD, EQ, LD32U, READONLY, SLT, ULT
from mochic.ir.types import I32, I64, INT, REF
from mochic.lower.aliasing import count_holder, extends, mark_aliased, may_disturb
from mochic.lower.chars import char_and_next
from mochic.lower.control import branch
from mochic.lower.fn import Fn
from mochic.lower.module import ir_type
from mochic.lower.objects import elem_ty, element_address, list_len, load_element
from mochic.sema.symbols import Var
from mochic.sema.types import GROUP, LIST, MAP, NIL, STR, STR_TY, Slot, find
from mochic.syntax import ast
from mochic.sema.tree import CODE_SLOTS


def s_while(fn: Fn, st: ast.While) -> None:
    b = fn.b
    head, body, done = fn.new_block(), fn.new_block(), fn.new_block()
    b.jump(head)
    b.at(head)
    if isinstance(st.cond, ast.BoolLit) and st.cond.value:
        b.jump(body)
    else:
        branch(fn, st.cond, body, done)
    b.start(body)
    loop_statements(fn, st.body, head, done, st.lo)
    b.seal(head)
    b.start(done)


def s_for(fn: Fn, st: ast.For) -> None:
    if st.end is not None:
        for_range(fn, st)
    elif isinstance(st.source, ast.Load) and not returns(st.body):
        for_loaded(fn, st, st.source)
    else:
        for_each(fn, st)


def s_update(fn: Fn, st: ast.Update) -> None:
    assert st.loop is not None
    s_for(fn, st.loop)


def for_range(fn: Fn, st: ast.For) -> None:
    """The test is at the bottom: `if a < b { do { body; i = i + 1 } while i < b }`."""
    b = fn.b
    v: Var = st.sym
    assert st.end is not None
    lo = fn.int_of(fn.expr(st.source))
    hi = fn.int_of(fn.expr(st.end))
    body, step, done = fn.new_block(), fn.new_block(), fn.new_block()
    same_ty = ir_type(v.ty) == INT
    b.write(("#i", st), lo)
    b.brif(b.emit(SLT, I32, [lo, hi]), body, done, 1)
    b.at(body)
    i = b.read(("#i", st), INT)
    fn.declare_var(v, i if same_ty else fn.convert(i, ir_type(v.ty)))
    loop_statements(fn, st.body, step, done)
    b.start(step)
    if b.reachable:
        b.pos = st.lo
        if v.writes:
            # The variable is the counter: assigning to it moves the loop.
            cur = fn.read_var(v, ir_type(v.ty))
            cur = cur if cur.type == INT else fn.int_of(cur)
        else:
            cur = b.read(("#i", st), INT)
        nxt = b.emit(ADD, INT, [cur, fn.int_const(1)])
        b.write(("#i", st), nxt)
        b.brif(b.emit(SLT, I32, [nxt, hi]), body, done, 1)
    b.seal(body)
    b.start(done)


def for_each(fn: Fn, st: ast.For) -> None:
    b = fn.b
    t = st.source.ty
    k = find(t).kinds
    src = fn.expr(st.source)
    b.pos = st.lo
    v: Var = st.sym
    done = end = fn.new_block()
    if src.type == REF and k & NIL and k & ~NIL in (LIST, MAP, STR):
        some = fn.new_block()
        b.brif(fn.is_nil(src), done, some, -1)
        b.start(some)
        k &= ~NIL
    held = may_disturb(fn, st.source, st.body)
    if held:
        end = fn.new_block()
        begin_holding(fn, ("#source", st), src, t)
    if src.type == REF and k == GROUP:
        src, k = fn.load(REF, src, fn.layout.group_items), LIST
    if src.type == REF and k == STR:
        for_chars(fn, st, v, src, end)
    elif src.type == REF and k == LIST:
        for_list(fn, st, v, src, elem_ty(fn, t), end)
    elif src.type == REF and k == MAP:
        keys = fn.call_runtime("map_order", src)
        for_list(fn, st, v, keys, fn.m.solver.key(t), end, map_keys=True)
    else:
        lst = fn.call_runtime("dyn_iter", fn.tag(src))
        for_list(fn, st, v, lst, None, end)
    if held:
        b.start(end)
        end_holding(fn)
        b.jump(done)
    b.start(done)


def begin_holding(fn: Fn, var: object, v: Value, t: Slot) -> None:
    """The loop that begins here holds the list v."""
    count_holder(fn, v, t, True)
    fn.b.write(var, v)
    fn.running.append((var, v.type, t))


def end_holding(fn: Fn) -> None:
    var, ty, t = fn.running.pop()
    count_holder(fn, fn.b.read(var, ty), t, False)


def for_loaded(fn: Fn, st: ast.For, e: ast.Load) -> None:
    """Rows as they are read; the way out of the loop closes the file."""
    from mochic.lower.load import next_row, open_load

    b = fn.b
    v: Var = st.sym
    reader = open_load(fn, e)
    head, done = fn.new_block(), fn.new_block()
    b.jump(head)
    b.at(head)
    x = next_row(fn, e, reader, done)
    fn.declare_var(v, fn.convert(x, ir_type(v.ty)))
    loop_statements(fn, st.body, head, done)
    b.seal(head)
    b.start(done)
    fn.call_runtime("load_close", reader)


def returns(body: list[ast.Stmt]) -> bool:
    """A statement of the body leaves the function."""
    stack: list[object] = [body]
    while stack:
        x = stack.pop()
        if isinstance(x, ast.Return):
            return True
        if isinstance(x, list):
            stack.extend(x)
        elif isinstance(x, ast.Node) and not isinstance(x, ast.FunDecl | ast.FunExpr):
            stack.extend([getattr(x, name, None) for name in CODE_SLOTS[type(x)]])
    return False


def for_list(fn: Fn, st: ast.For, v: Var, lst: Value, elem: Slot | None, done: Block, map_keys: bool = False) -> None:
    """Length taken once, elements read live by index; lists never shrink, so no bounds check."""
    b = fn.b
    n = list_len(fn, lst)
    body, step = fn.new_block(), fn.new_block()
    b.write(("#n", st), fn.i64(0))
    b.brif(b.emit(EQ, I32, [n, fn.i64(0)]), done, body, -1)
    b.at(body)
    i = b.read(("#n", st), I64)
    if elem is None:
        x = fn.call_runtime("list_get_raw", lst, i)
    elif map_keys and ir_type(elem) != INT:
        x = fn.load(REF, element_address(fn, lst, i, REF), fn.layout.array_data)  # text keys, whatever was stored
        elem = STR_TY
    else:
        x = load_element(fn, lst, i, elem)
    t: Slot = elem_ty(fn, st.source.ty) if elem is None else elem
    held = False
    if v.appended or v.captured:
        mark_aliased(fn, x, t)
    else:
        held = extends(fn, t, st.body)
    leave = done
    if held:
        leave = fn.new_block()
        begin_holding(fn, ("#element", st), x, t)
    fn.declare_var(v, fn.convert(x, ir_type(v.ty)))
    loop_body(fn, st, step, leave)
    if held:
        holding = fn.running[-1]
        end_holding(fn)
    if b.reachable:
        nxt = b.emit(ADD, I64, [b.read(("#n", st), I64), fn.i64(1)])
        b.write(("#n", st), nxt)
        b.brif(b.emit(ULT, I32, [nxt, n]), body, done, 1)
    b.seal(body)
    if held:
        b.start(leave)
        fn.running.append(holding)
        end_holding(fn)
        b.jump(done)


def for_chars(fn: Fn, st: ast.For, v: Var, s: Value, done: Block) -> None:
    b = fn.b
    n = b.emit(LD32U, I64, [s], fn.layout.string_length, READONLY)
    body, step = fn.new_block(), fn.new_block()
    b.write(("#n", st), fn.i64(0))
    b.brif(b.emit(EQ, I32, [n, fn.i64(0)]), done, body, -1)
    b.at(body)
    at = b.read(("#n", st), I64)
    c, nxt = char_and_next(fn, s, at)
    b.write(("#next", st), nxt)
    fn.declare_var(v, fn.convert(c, ir_type(v.ty)))
    loop_body(fn, st, step, done)
    if b.reachable:
        nxt = b.read(("#next", st), I64)
        b.write(("#n", st), nxt)
        b.brif(b.emit(ULT, I32, [nxt, n]), body, done, 1)
    b.seal(body)


def loop_statements(fn: Fn, body: list[ast.Stmt], again: Block, done: Block, pos: int = 0) -> None:
    """The statements of a loop, whose end leads to `again`; `pos`: where that jump stands, if not where they end."""
    fn.loops.append((again, done))
    fn.block(body)
    fn.loops.pop()
    if fn.b.reachable:
        fn.b.pos = pos or fn.b.pos
        fn.b.jump(again)


def loop_body(fn: Fn, st: ast.For, step: Block, done: Block) -> None:
    b = fn.b
    loop_statements(fn, st.body, step, done)
    b.start(step)
    b.pos = st.lo


def s_break(fn: Fn, st: ast.Break) -> None:
    fn.b.jump(fn.loops[-1][1])


def s_continue(fn: Fn, st: ast.Continue) -> None:
    fn.b.jump(fn.loops[-1][0])
