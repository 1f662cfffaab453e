"""Control flow: predecessors, orders, dominators, loops, edges.

Dominators are computed by the iteration of Cooper, Harvey and Kennedy, "A Simple, Fast Dominance
Algorithm" (2001), over reverse postorder.  Side tables are lists indexed by block id; None or -1
stands for blocks that cannot be reached.
"""

from __future__ import annotations

from mochic.ir.func import Block, Func
from mochic.ir.ops import JUMP


def compute_preds(fn: Func) -> None:
    """Fill `Block.preds`: one entry per edge, so that a block may occur twice."""
    blocks = fn.blocks
    for b in blocks:
        b.preds = []
    for b in blocks:
        for s in b.succs:
            s.preds.append(b)


def reverse_postorder(fn: Func) -> list[Block]:
    """The reachable blocks, the entry first.  Each stands before its successors, except along back edges.

    The last successor is visited first, so that the first successor of a branch directly follows
    it wherever possible: the order doubles as a first layout.
    """
    seen = bytearray(fn.nblocks)
    post: list[Block] = []
    entry = fn.blocks[0]
    seen[entry.id] = 1
    stack: list[tuple[Block, int]] = [(entry, len(entry.succs))]
    while stack:
        b, i = stack.pop()
        while i:
            i -= 1
            s = b.succs[i]
            if not seen[s.id]:
                seen[s.id] = 1
                stack.append((b, i))
                b = s
                i = len(s.succs)
        post.append(b)
    post.reverse()
    return post


def remove_unreachable(fn: Func) -> bool:
    """Drop blocks that no path from the entry reaches; tell whether there were any."""
    seen = bytearray(fn.nblocks)
    work = [fn.blocks[0]]
    seen[work[0].id] = 1
    count = 1
    while work:
        for s in work.pop().succs:
            if not seen[s.id]:
                seen[s.id] = 1
                count += 1
                work.append(s)
    if count == len(fn.blocks):
        return False
    fn.blocks = [b for b in fn.blocks if seen[b.id]]
    return True


def _dominators(preds: list[list[int]]) -> list[int]:
    """The immediate dominator of each block, all as positions in reverse postorder.

    A block's is the nearest common ancestor, in the tree so far, of its predecessors; one pass is enough where loops
    have one entry (Cooper, Harvey & Kennedy 2001), and the second finds nothing to change.  `far` are ancestors at such
    distances that the common one is found in logarithmic time (Myers 1983): where the arms of a long `match` meet, the
    way up is long from each of them.
    """
    n = len(preds)
    dom = [-1] * n
    dom[0] = 0
    depth = [0] * n
    far = [0] * n
    exact = True  # `far` are ancestors in the tree as it is
    first = True
    changed = True
    while changed:
        changed = False
        for i in range(1, n):
            new = -1
            for p in preds[i]:
                if dom[p] < 0:
                    continue
                if new < 0:
                    new = p
                    continue
                while p != new:
                    if p < new:
                        p, new = new, p
                    up = far[p]
                    p = up if exact and up >= new else dom[p]
            if first:
                dom[i] = new
                depth[i] = depth[new] + 1
                up = far[new]
                far[i] = far[up] if depth[new] - depth[up] == depth[up] - depth[far[up]] else new
            elif dom[i] != new:
                dom[i] = new
                exact = False
                changed = True
        if first:
            first = False
            changed = True
    return dom


class DomTree:
    """Dominators of the reachable blocks.

    `order` is reverse postorder; `idom[id]` the immediate dominator (the entry's is itself, None
    when unreachable); `children[id]` the blocks immediately dominated, in order.
    """

    __slots__ = ("order", "index", "idom", "children", "_pre", "_post")

    def __init__(self, fn: Func) -> None:
        """Needs `compute_preds`."""
        order = reverse_postorder(fn)
        n = fn.nblocks
        index = [-1] * n
        for i, b in enumerate(order):
            index[b.id] = i
        preds = [[index[p.id] for p in b.preds if index[p.id] >= 0] for b in order]
        dom = _dominators(preds)
        self.order = order
        self.index = index
        self.idom: list[Block | None] = [None] * n
        self.children: list[list[Block]] = [[] for _ in range(n)]
        for i, b in enumerate(order):
            d = order[dom[i]]
            self.idom[b.id] = d
            if i:
                self.children[d.id].append(b)
        self._pre: list[int] = []
        self._post: list[int] = []

    def _number(self) -> None:
        """Enter/leave numbers of a walk of the tree: dominance becomes two comparisons.  Made when first asked for."""
        root = self.order[0]
        n = len(self.index)
        self._pre = [0] * n
        self._post = [-1] * n
        clock = 0
        stack: list[tuple[Block, bool]] = [(root, False)]
        while stack:
            b, done = stack.pop()
            if done:
                self._post[b.id] = clock
            else:
                self._pre[b.id] = clock
                stack.append((b, True))
                stack.extend((c, False) for c in reversed(self.children[b.id]))
            clock += 1

    def dominates(self, a: Block, b: Block) -> bool:
        """Does every path from the entry to `b` pass through `a`?  A block dominates itself."""
        if not self._pre:
            self._number()
        return self._pre[a.id] <= self._pre[b.id] and self._post[b.id] <= self._post[a.id]


class Loop:
    """A natural loop.  `body` is a bitset of block ids with the header; `parent` the loop around it."""

    __slots__ = ("header", "body", "parent", "depth", "latches")

    def __init__(self, header: Block) -> None:
        self.header = header
        self.body = 1 << header.id
        self.parent: Loop | None = None
        self.depth = 1
        self.latches: list[Block] = []


def find_loops(fn: Func, dom: DomTree) -> list[Loop]:
    """Natural loops, outer before inner; also sets `Block.depth`.  Needs `compute_preds`.

    Inner headers come later in reverse postorder, so going backwards every block is claimed by its
    innermost loop first, and an outer loop steps over an inner one from its header: each block is
    walked once per loop nest, not once per loop (Havlak's scheme without the irreducible case: an
    edge whose target does not dominate its source closes no natural loop and is left alone).
    """
    inner: list[Loop | None] = [None] * fn.nblocks  # innermost loop of each block
    loops: list[Loop] = []
    index = dom.index
    idom = dom.idom
    for h in reversed(dom.order):
        at_h = index[h.id]
        latches = []
        for p in h.preds:
            if index[p.id] >= at_h:  # a retreating edge: does h dominate p?
                d: Block = p
                while index[d.id] > at_h:
                    d = idom[d.id] or h
                if d is h:
                    latches.append(p)
        if not latches:
            continue
        loop = Loop(h)
        loop.latches = latches
        work = list(latches)
        while work:
            b = work.pop()
            at = inner[b.id]
            if at is None:
                if b is h:
                    continue
                inner[b.id] = loop
                loop.body |= 1 << b.id
            else:
                while at.parent is not None:
                    at = at.parent
                if at is loop:
                    continue
                at.parent = loop
                loop.body |= at.body
                b = at.header
            work.extend(p for p in b.preds if index[p.id] >= 0)
        inner[h.id] = loop
        loops.append(loop)
    loops.reverse()
    for loop in loops:
        if loop.parent is not None:
            loop.depth = loop.parent.depth + 1
    for b in fn.blocks:
        at = inner[b.id]
        b.depth = at.depth if at is not None else 0
    return loops


def analyse(fn: Func) -> tuple[DomTree, list[Loop]]:
    """Predecessors, dominators and loops in one call."""
    compute_preds(fn)
    dom = DomTree(fn)
    return dom, find_loops(fn, dom)


def split_critical_edges(fn: Func) -> bool:
    """Put an empty block on every edge from a block with several successors to one with several
    predecessors, where the edge has arguments or not.  Needs `compute_preds`, keeps it true."""
    added: list[Block] = []
    for b in fn.blocks:
        succs = b.succs
        if len(succs) < 2:
            continue
        for i, s in enumerate(succs):
            if len(s.preds) < 2:
                continue
            e = Block(fn.nblocks)
            fn.nblocks += 1
            e.term = JUMP
            e.succs = [s]
            e.sargs = [b.sargs[i]]
            e.cold = s.cold
            e.pos = b.pos
            e.depth = min(b.depth, s.depth)
            e.preds = [b]
            succs[i] = e
            b.sargs[i] = []
            s.preds[s.preds.index(b)] = e
            added.append(e)
    fn.blocks.extend(added)
    return bool(added)
