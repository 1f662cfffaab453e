"""Whole-program interval analysis of exact integers.

Problem.  A Mochi int is unbounded.  A value that provably stays within 64 bits can be a machine word;
all others pay for a tag and a path to bigints.  Proving it for parameters, results, fields and list
elements needs the whole program.

Method.  A sparse graph: one node per INT value of the SSA form and one per int slot (Cousot & Cousot
1977; Bodik, Gupta & Sarkar, "ABCD", PLDI 2000, for the branch-sensitive renaming).  Where a branch
tests a value, the values on both sides get a *pi* node that holds the intersection with the condition;
a walk over the dominator tree resolves each use to the newest pi node.  Intervals grow from the bottom
with widening at a few thresholds, then shrink again by recomputing each node twice (narrowing).

Counters.  `i = i + 1` has no finite interval, yet no counter overflows in the life of a machine.  A
strongly connected component of unbounded nodes whose internal edges are only copies and additions of
at most STEP per round, fed from outside by values within 62 bits, is a counter: its interval is capped at
62 bits and its additions are checked (a run-time error that would take centuries to see).

Invariants.  Node intervals over-approximate every run.  A slot's node has an edge from every store.
"""

from __future__ import annotations

from math import isqrt
from typing import Final

from mochic.ir.cfg import DomTree, compute_preds
from mochic.ir.func import Block, Func, Module, Value
from mochic.ir.ops import (
    ADD, BRIF, CALL, CALLI, EQ, F2INT, FEED, FROMINT, ICONST, INT2F, LD, MAPFIND, MAPSLOT, MUL, NE, NEG, RET, SDIV,
    SLE, SLT, SREM, ST, SUB, TOINT, TOTAG, UNTAG,
)  # fmt: skip
from mochic.ir.types import INT
from mochic.ir.slots import IntSlot

INF: Final = 1 << 200
W_MAX: Final = (1 << 63) - 1
W_MIN: Final = -(1 << 63)
S_MAX: Final = (1 << 62) - 1  # small ints of a tag
S_MIN: Final = -(1 << 62)
STEP: Final = 1024
COUNTER: Final = 1 << 61
# Finite bounds end here, well below INF: bounds beyond it would make intervals look empty, and INF minus or
# divided by one of them would look like a word.
_FAR: Final = 1 << 100
_UP: Final = (0, 255, 1 << 16, 1 << 31, 1 << 40, 1 << 61, W_MAX, INF)

# Node kinds
N_FIXED: Final = 0  # interval given
N_PHI: Final = 1
N_ADD: Final = 2
N_SUB: Final = 3
N_MUL: Final = 4
N_NEG: Final = 5
N_DIV: Final = 6
N_REM: Final = 7
N_SQUARE: Final = 8  # of one value; two values of one node may differ
N_LT: Final = 9  # pi: args (x, y): x where x < y
N_LE: Final = 10
N_GT: Final = 11
N_GE: Final = 12
N_EQ: Final = 13
N_NE: Final = 14
N_SQLE: Final = 15  # pi: x where x * x <= y

_ARITH: Final = {ADD: N_ADD, SUB: N_SUB, MUL: N_MUL, NEG: N_NEG, SDIV: N_DIV, SREM: N_REM}
_NEGATED: Final = {N_LT: N_GE, N_LE: N_GT, N_GT: N_LE, N_GE: N_LT, N_EQ: N_NE, N_NE: N_EQ}
_SWAPPED: Final = {N_LT: N_GT, N_LE: N_GE, N_GT: N_LT, N_GE: N_LE, N_EQ: N_EQ, N_NE: N_NE}
_CMP: Final = {SLT: N_LT, SLE: N_LE, EQ: N_EQ, NE: N_NE}


class Ranges:
    """The graph and its solution.

    `uses[v.id]` of a function's table holds the nodes of the INT operands of a value, in order;
    `edges[b.id]` the nodes of the INT arguments of a block's edges; `terms[b.id]` of its terminator.
    """

    __slots__ = ("kind", "args", "outs", "lo", "hi", "cap_lo", "cap_hi", "tables", "counters", "_slot_nodes")

    def __init__(self) -> None:
        self.kind: list[int] = []
        self.args: list[list[int]] = []
        self.outs: list[list[int]] = []
        self.lo: list[int] = []
        self.hi: list[int] = []
        self.cap_lo: dict[int, int] = {}
        self.cap_hi: dict[int, int] = {}
        self.tables: dict[Func, Table] = {}
        self.counters: set[int] = set()

    def node(self, kind: int, args: list[int], lo: int = INF, hi: int = -INF) -> int:
        n = len(self.kind)
        self.kind.append(kind)
        self.args.append(args)
        self.outs.append([])
        self.lo.append(lo)
        self.hi.append(hi)
        for a in args:
            self.outs[a].append(n)
        return n

    def slot_node(self, s: IntSlot) -> int:
        if s.node < 0:
            s.node = self.node(N_PHI, [])
        return s.node

    def feed(self, phi: int, a: int) -> None:
        if phi != a:
            self.args[phi].append(a)
            self.outs[a].append(phi)


class Table:
    """Nodes of one function: per value id, per use."""

    __slots__ = ("of", "uses", "edges", "terms")

    def __init__(self, nvalues: int, nblocks: int) -> None:
        self.of: list[int] = [-1] * nvalues
        self.uses: dict[int, list[int]] = {}
        self.edges: dict[int, list[list[int]]] = {}
        self.terms: dict[int, int] = {}


def build(module: Module) -> Ranges:
    r = Ranges()
    for fn in module.funcs:
        _build_func(r, fn)
    return r


def _build_func(r: Ranges, fn: Func) -> None:
    t = Table(fn.nvalues, fn.nblocks)
    r.tables[fn] = t
    of = t.of
    node = r.node
    slots = fn.sym.slots
    for p, s in zip(fn.params, slots, strict=False):
        if p.type == INT:
            of[p.id] = r.slot_node(s)
    blocks = fn.blocks
    any_int = any(p.type == INT for p in fn.params)
    for b in blocks:
        for p in b.params:
            if p.type == INT and of[p.id] < 0:
                of[p.id] = node(N_PHI, [])
                any_int = True
    if not any_int and not any(v.type == INT or _int_args(v) for b in blocks for v in b.values):
        return
    compute_preds(fn)
    dom = DomTree(fn)
    npreds = [0] * fn.nblocks
    for b in blocks:
        for s2 in b.succs:
            npreds[s2.id] += 1
    ret_slot = slots[-1] if slots and fn.sym.ret == INT else None
    # Walk of the dominator tree; `cur` maps a value id to its newest pi node, `undo` restores it.
    cur: dict[int, int] = {}
    work: list[tuple[Block | None, list[tuple[int, int]]]] = [(fn.blocks[0], [])]
    while work:
        b0, undo = work.pop()
        if b0 is None:
            for vid, old in reversed(undo):  # `b > b` refines b twice
                if old < 0:
                    del cur[vid]
                else:
                    cur[vid] = old
            continue
        b = b0
        undo = []
        ip = dom.idom[b.id]
        if npreds[b.id] == 1 and ip is not None and ip.term == BRIF and ip is not b:
            facts = _facts(r, t, ip, cur, 0 if ip.succs[0] is b else 1)
            for vid, n in facts:
                undo.append((vid, cur.get(vid, -1)))
                cur[vid] = n
        _values(r, t, b, cur)
        if b.term == RET and b.targs and b.targs[0].type == INT:
            a = b.targs[0]
            t.terms[b.id] = n = cur.get(a.id, of[a.id])
            assert ret_slot is not None
            r.feed(r.slot_node(ret_slot), n)
        if b.succs:
            t.edges[b.id] = [_edge(r, t, b, i, cur, npreds) for i in range(len(b.succs))]
        if undo:
            work.append((None, undo))
        for c in dom.children[b.id]:
            work.append((c, []))


def _values(r: Ranges, t: Table, b: Block, cur: dict[int, int]) -> None:
    """The nodes of a block's values, and what its stores and calls feed; `cur` has the newest nodes of values."""
    of = t.of
    node = r.node
    for v in b.values:
        op = v.op
        if v.type == INT:
            if op == ICONST:
                of[v.id] = node(N_FIXED, [], v.imm, v.imm)
                continue
            if op in _ARITH:
                ns = [cur.get(a.id, of[a.id]) for a in v.args]
                t.uses[v.id] = ns
                of[v.id] = node(N_SQUARE if op == MUL and v.args[0] is v.args[1] else _ARITH[op], ns)
                continue
            if op == TOINT:
                rng = v.sym or (W_MIN, W_MAX)
                of[v.id] = node(N_FIXED, [], rng[0], rng[1])
                continue
            if op == LD:
                of[v.id] = r.slot_node(v.sym) if v.sym is not None else node(N_FIXED, [], -INF, INF)
                continue
            if op == CALL or op == CALLI:
                of[v.id] = r.slot_node(v.sym.slots[-1])
            elif op == UNTAG or op == F2INT:
                of[v.id] = node(N_FIXED, [], -INF, INF)
                continue
            else:
                raise AssertionError(v)
        if op == FEED:
            dst, src = v.sym
            if v.args:
                a = v.args[0]
                n = cur.get(a.id, of[a.id])
                t.uses[v.id] = [n]
            else:
                n = r.slot_node(src) if src is not None else node(N_FIXED, [], -INF, INF)
            r.feed(r.slot_node(dst), n)
            continue
        if op in _INT_USERS:
            ns = []
            for a in v.args:
                if a.type == INT:
                    ns.append(cur.get(a.id, of[a.id]))
            if ns:
                t.uses[v.id] = ns
                if op == ST:
                    r.feed(r.slot_node(v.sym), ns[0])
                elif op == MAPSLOT:
                    r.feed(r.slot_node(v.sym), ns[0])
                elif op == CALL or op == CALLI:
                    ss = [s for s in v.sym.slots[: len(v.sym.params)] if s is not None]
                    for s, n in zip(ss, ns, strict=True):
                        r.feed(r.slot_node(s), n)


def _edge(r: Ranges, t: Table, b: Block, i: int, cur: dict[int, int], npreds: list[int]) -> list[int]:
    """The nodes of the ints that block b gives its successor i, whose parameters they feed."""
    row: list[int] = []
    to = b.succs[i]
    args = b.sargs[i]
    local = cur
    if b.term == BRIF and npreds[to.id] > 1 and any(a.type == INT for a in args):
        facts = _facts(r, t, b, cur, i)
        if facts:
            local = dict(cur)
            local.update(facts)
    for a, p in zip(args, to.params, strict=True):
        if a.type == INT:
            n = local.get(a.id, t.of[a.id])
            row.append(n)
            r.feed(t.of[p.id], n)
    return row


def _int_args(v: Value) -> bool:
    return any(a.type == INT for a in v.args)


_INT_USERS: Final = frozenset((SLT, SLE, EQ, NE, TOTAG, FROMINT, INT2F, ST, CALL, CALLI, MAPFIND, MAPSLOT))


def _facts(r: Ranges, t: Table, b: Block, cur: dict[int, int], side: int) -> list[tuple[int, int]]:
    """Pi nodes that hold on one edge of a branch."""
    c = b.targs[0]
    if c.op not in _CMP or c.args[0].type != INT:
        return []
    rel = _CMP[c.op]
    if side == 1:
        rel = _NEGATED[rel]
    x, y = c.args
    of = t.of
    if of[x.id] < 0 or of[y.id] < 0:
        return []
    nx = cur.get(x.id, of[x.id])
    ny = cur.get(y.id, of[y.id])
    out = []
    if x.op != ICONST:
        out.append((x.id, r.node(rel, [nx, ny])))
        if x.op == MUL and x.args[0] is x.args[1] and rel in (N_LT, N_LE):
            a = x.args[0]
            out.append((a.id, r.node(N_SQLE, [cur.get(a.id, of[a.id]), ny])))
    if y.op != ICONST:
        out.append((y.id, r.node(_SWAPPED[rel], [ny, nx])))
    return out


# ---------------------------------------------------------------------------------------------
# Solving


def solve(r: Ranges) -> None:
    _ascend(r, list(range(len(r.kind))))
    for _ in range(3):
        if not _find_counters(r):
            break
        _ascend(r, _reset(r))
    for _ in range(2):
        _narrow(r)


def _mul_bounds(al: int, ah: int, bl: int, bh: int) -> tuple[int, int]:
    p = (al * bl, al * bh, ah * bl, ah * bh)
    return min(p), max(p)


def _transfer(r: Ranges, n: int) -> tuple[int, int]:
    """The interval of a node from its arguments; (INF, -INF) is empty."""
    k = r.kind[n]
    lo, hi = r.lo, r.hi
    args = r.args[n]
    if k == N_PHI:
        a, b = INF, -INF
        for x in args:
            if lo[x] < a:
                a = lo[x]
            if hi[x] > b:
                b = hi[x]
        return a, b
    x = args[0]
    al, ah = lo[x], hi[x]
    if al > ah:
        return INF, -INF
    if k == N_NEG:
        return -ah, -al
    y = args[1]
    bl, bh = lo[y], hi[y]
    if bl > bh:
        return INF, -INF
    if k == N_ADD:
        a, b = al + bl, ah + bh
    elif k == N_SUB:
        a, b = al - bh, ah - bl
    elif k == N_LT:
        a, b = al, min(ah, bh - 1)
    elif k == N_LE:
        a, b = al, min(ah, bh)
    elif k == N_GT:
        a, b = max(al, bl + 1), ah
    elif k == N_GE:
        a, b = max(al, bl), ah
    elif k == N_EQ:
        a, b = max(al, bl), min(ah, bh)
    elif k == N_NE:
        a, b = al, ah
        if bl == bh:
            if a == bl:
                a += 1
            if b == bl:
                b -= 1
    elif k == N_MUL:
        a, b = _mul_bounds(al, ah, bl, bh)
    elif k == N_SQUARE:
        a, b = (0 if al <= 0 <= ah else min(al * al, ah * ah)), max(al * al, ah * ah)
    elif k == N_DIV:
        # The quotient is largest in magnitude for the divisor closest to zero; a zero divisor is an error.
        m = max(abs(al), abs(ah))
        d = 1 if bl <= 0 <= bh else min(abs(bl), abs(bh))
        m //= d
        a = 0 if al >= 0 and bl >= 0 else -m
        b = 0 if ah <= 0 and bl >= 0 else m
    elif k == N_REM:
        m = max(abs(bl), abs(bh)) - 1
        if m < 0:
            m = 0
        a = 0 if al >= 0 else max(-m, al)
        b = 0 if ah <= 0 else min(m, ah)
    elif k == N_SQLE:
        if bh < 0:
            return INF, -INF
        m = isqrt(bh) if bh < INF else INF
        a, b = max(al, -m), min(ah, m)
    else:
        raise AssertionError(k)
    if a > b:
        return INF, -INF
    return min(max(a, -INF), _FAR), max(min(b, INF), -_FAR)


def _ascend(r: Ranges, start: list[int]) -> None:
    kind, lo, hi, outs = r.kind, r.lo, r.hi, r.outs
    cap_lo, cap_hi = r.cap_lo, r.cap_hi
    visits = [0] * len(kind)
    queued = bytearray(len(kind))
    work = [n for n in reversed(start) if kind[n] != N_FIXED]
    for n in work:
        queued[n] = 1
    while work:
        n = work.pop()
        queued[n] = 0
        a, b = _transfer(r, n)
        if a > b:
            continue
        if n in cap_hi:
            a = max(a, cap_lo[n])
            b = min(b, cap_hi[n])
        if a >= lo[n] and b <= hi[n]:
            continue
        if lo[n] <= hi[n]:
            visits[n] += 1
            if visits[n] > 2 and kind[n] == N_PHI:
                if b > hi[n]:
                    b = next(t for t in _UP if t >= b)
                if a < lo[n]:
                    a = -next(t for t in _UP if t >= -a)
                if n in cap_hi:
                    a = max(a, cap_lo[n])
                    b = min(b, cap_hi[n])
            a = min(a, lo[n])
            b = max(b, hi[n])
        lo[n] = a
        hi[n] = b
        for o in outs[n]:
            # A union that contains everything stays as it is: no long list is walked again for each of its elements.
            if not queued[o] and not (kind[o] == N_PHI and lo[o] <= a and b <= hi[o]):
                queued[o] = 1
                work.append(o)


def _narrow(r: Ranges) -> None:
    """Recompute every node once; intervals may only shrink."""
    kind, lo, hi = r.kind, r.lo, r.hi
    for n in range(len(kind)):
        if kind[n] == N_FIXED or lo[n] > hi[n]:
            continue
        a, b = _transfer(r, n)
        if a > b:
            continue
        if n in r.cap_hi:
            a = max(a, r.cap_lo[n])
            b = min(b, r.cap_hi[n])
        if a > lo[n]:
            lo[n] = a
        if b < hi[n]:
            hi[n] = b


def _unbounded(r: Ranges, n: int) -> bool:
    return r.lo[n] < -COUNTER or r.hi[n] > COUNTER


def _find_counters(r: Ranges) -> bool:
    """Cap the components that only count (see the module's text); tell whether there were new ones."""
    kind, args, lo, hi = r.kind, r.args, r.lo, r.hi
    cand = [n for n in range(len(kind)) if kind[n] != N_FIXED and n not in r.cap_hi and _unbounded(r, n)]
    inside = bytearray(len(kind))
    for n in cand:
        inside[n] = 1
    # A pi node carries the value of its first argument only; the second is a bound.
    carried = {n: args[n][:1] if kind[n] >= N_LT else args[n] for n in cand}
    found = False
    for comp in _components(cand, carried, inside):
        members = set(comp)
        if len(comp) == 1 and comp[0] not in carried[comp[0]]:
            continue
        step_lo = step_hi = 0
        in_lo, in_hi = INF, -INF
        ok = True
        for n in comp:
            k = kind[n]
            if k == N_PHI:
                for x in args[n]:
                    if x not in members and lo[x] <= hi[x]:
                        in_lo = min(in_lo, lo[x])
                        in_hi = max(in_hi, hi[x])
            elif k == N_ADD or k == N_SUB:
                x, y = args[n]
                if x in members and y in members:
                    ok = False
                    break
                if y in members and k == N_SUB:
                    ok = False
                    break
                z = y if x in members else x
                if lo[z] > hi[z]:
                    continue
                dl, dh = (lo[z], hi[z]) if k == N_ADD else (-hi[z], -lo[z])
                if dl < -STEP or dh > STEP:
                    ok = False
                    break
                step_lo = min(step_lo, dl)
                step_hi = max(step_hi, dh)
            elif k < N_LT:
                ok = False
                break
        if not ok or in_lo < -COUNTER or in_hi > COUNTER:
            continue
        found = True
        a = -2 * COUNTER if step_lo < 0 else (in_lo if in_lo < INF else 0)
        b = 2 * COUNTER - 1 if step_hi > 0 else (in_hi if in_hi > -INF else 0)
        for n in comp:
            r.cap_lo[n] = min(a, 0) if step_lo < 0 else a
            r.cap_hi[n] = b
            if kind[n] == N_ADD or kind[n] == N_SUB:
                r.counters.add(n)
    return found


def _reset(r: Ranges) -> list[int]:
    """Back to the bottom for every node that was unbounded, to be solved again under the new caps."""
    kind, lo, hi = r.kind, r.lo, r.hi
    out = []
    for n in range(len(kind)):
        if kind[n] != N_FIXED and (_unbounded(r, n) or n in r.cap_hi):
            lo[n] = INF
            hi[n] = -INF
            out.append(n)
    return out


def _components(nodes: list[int], args: dict[int, list[int]], inside: bytearray) -> list[list[int]]:
    """Strongly connected components (Tarjan 1972, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    on: set[int] = set()
    stack: list[int] = []
    out = []
    for root in nodes:
        if root in index:
            continue
        work = [(root, 0)]
        while work:
            n, i = work.pop()
            if i == 0:
                index[n] = low[n] = len(index)
                stack.append(n)
                on.add(n)
            a = args[n]
            descended = False
            while i < len(a):
                x = a[i]
                i += 1
                if not inside[x]:
                    continue
                if x not in index:
                    work.append((n, i))
                    work.append((x, 0))
                    descended = True
                    break
                if x in on and index[x] < low[n]:
                    low[n] = index[x]
            if descended:
                continue
            if low[n] == index[n]:
                comp = []
                while True:
                    x = stack.pop()
                    on.discard(x)
                    comp.append(x)
                    if x == n:
                        break
                out.append(comp)
            if work:
                p = work[-1][0]
                if low[n] < low[p]:
                    low[p] = low[n]
    return out


def trivial(r: Ranges) -> None:
    """No analysis (-O0): everything but constants and word-sized conversions is unbounded."""
    for n in range(len(r.kind)):
        if r.kind[n] != N_FIXED:
            r.lo[n] = -INF
            r.hi[n] = INF


def clamp(r: Ranges) -> set[int]:
    """Every value is a word.  The result is the nodes whose values may not be: there a check is needed."""
    out = set()
    for n in range(len(r.kind)):
        if r.lo[n] <= r.hi[n] and (r.lo[n] < W_MIN or r.hi[n] > W_MAX):
            r.lo[n] = min(max(r.lo[n], W_MIN), W_MAX)
            r.hi[n] = max(min(r.hi[n], W_MAX), W_MIN)
            out.add(n)
    return out


__all__ = ["Ranges", "S_MAX", "S_MIN", "Table", "W_MAX", "W_MIN", "build", "clamp", "solve", "trivial"]
