"""Lowering a checked program to IR: the state shared by all functions.

What a function's callers need (its FuncSym) exists before its body does; asking for it queues the body, which
`lower_program` (program.py) makes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from mochic.ir.func import DataSym, Func, FuncSym, Module, Sig
from mochic.ir.ops import ALLOC, SYMADDR
from mochic.ir.types import F64, I32, INT, REF, TAG, VOID
from mochic.lower.appends import Appends
from mochic.layout import (
    E_BOOL, E_F64, E_I64, E_METHOD, E_NAME, E_TAG, ELEMENTS, K_CELL, K_CLOSURE, K_STRUCT, KEYS, Layout,
)  # fmt: skip
from mochic.lower.descs import LazyDesc, RuntimeData, make_bigint, make_desc, make_string
from mochic.lower.lateuse import LateUses
from mochic.sema.symbols import CFun, FunInfo, ProgramInfo, StructInfo, Var
from mochic.sema.types import INT as KINT
from mochic.ir.slots import IntSlot
from mochic.sema.types import BOOL, FLOAT, NIL, REFKINDS, Slot, find
from mochic.syntax import ast

_SINGLE_REFS = tuple(1 << i for i in range(10) if (1 << i) & REFKINDS)


def ir_type(t: Slot) -> int:
    """The IR type of a slot, from the kinds of values it holds."""
    k = find(t).kinds
    if k == KINT:
        return INT
    if k == FLOAT:
        return F64
    if k == BOOL:
        return I32
    if k & ~NIL in _SINGLE_REFS:
        return REF
    return TAG


def ret_type(t: Slot) -> int:
    """The IR type of a function result: nothing when it can only be null."""
    return VOID if not find(t).kinds & ~NIL else ir_type(t)


def environments(info: ProgramInfo) -> dict[FunInfo, bool]:
    """Which nested functions need a closure environment.

    A function that captures only names of functions without environment needs none itself; the largest
    such set is found by starting with none needing one and adding until stable.
    """
    need: dict[FunInfo, bool] = {}
    changed = True
    nested = [f for f in info.functions if f.captures]
    while changed:
        changed = False
        for f in nested:
            if need.get(f):
                continue
            for v in f.captures:
                if v is f.local_var:
                    continue
                if v.fun is None or need.get(v.fun):
                    need[f] = True
                    changed = True
                    break
    return need


class ModuleLower:
    """One program on its way to IR."""

    def __init__(self, info: ProgramInfo, layout: Layout) -> None:
        self.info = info
        self.layout = layout
        self.solver = info.solver
        self.module = Module(info.sources)
        self.queue: list[FunInfo] = []
        self.runtime_data = RuntimeData()
        self.strings: dict[str, DataSym] = {}
        self.texts: dict[DataSym, str] = {}  # the reverse
        self.bigints: dict[int, DataSym] = {}
        self.doubles: dict[int, DataSym] = {}
        self.constant_sizes: dict[ast.Expr, int] = {}  # see lower/constants.py
        self.globals: dict[Var, DataSym] = {}
        self.stubs: dict[Hashable, FuncSym] = {}
        self.closures: dict[FuncSym, DataSym] = {}
        self.pending: list[Callable[[], Func]] = []  # stub bodies to make
        self.list_descs: dict[Hashable, LazyDesc] = {}
        self.records: dict[tuple[bool, ...], DataSym] = {}
        self.names: dict[str, int] = {}
        self.appended = {find(t) for t in self.solver.appended}
        self.appends = Appends(info)
        self.late_uses = LateUses(self.appends)
        self.run_tests = True  # test blocks run in place
        self.c_symbols: dict[str, tuple[FuncSym, CFun]] = {}  # functions of C that the program calls
        self.c_process = False  # C's library is in the program: it ends the process and has output of its own
        self.tls = False  # the program fetches over https
        # C's arguments on the stack take only the room that they need (Apple's arm64).
        self.pack_stack_arguments = False
        self.test_mode = False  # one block per run, chosen from outside (`mochi test`)
        self.need_env = environments(info)

    # -- names and symbols ----------------------------------------------------------------------

    def unique(self, name: str) -> str:
        n = self.names.get(name, 0)
        self.names[name] = n + 1
        return name if n == 0 else f"{name}.{n}"

    def string(self, text: str) -> DataSym:
        d = self.strings.get(text)
        if d is None:
            d = make_string(self.layout, f"str.{len(self.strings)}", text, self.runtime_data["desc.string"])
            self.strings[text] = d
            self.texts[d] = text
            self.module.data.append(d)
        return d

    def bigint(self, n: int) -> DataSym:
        """The static object of an int constant that fits no small int."""
        d = self.bigints.get(n)
        if d is None:
            d = make_bigint(self.layout, f"int.{len(self.bigints)}", n, self.runtime_data["desc.bigint"])
            self.bigints[n] = d
            self.module.data.append(d)
        return d

    def double(self, bits: int) -> DataSym:
        """The static object of a float."""
        d = self.doubles.get(bits)
        if d is None:
            d = DataSym(f"float.{len(self.doubles)}", "rodata", self.layout.words(0) + self.layout.packed("Q", bits))
            d.items[0] = (self.runtime_data["desc.float"], 0)
            self.doubles[bits] = d
            self.module.data.append(d)
        return d

    def slot(self, t: Slot) -> IntSlot | None:
        """The int slot of a Slot that is represented as INT, else None."""
        t = find(t)
        if t.kinds != KINT or t.fixed:
            return None
        s: IntSlot = self.solver.slot_of(t)
        return s

    def global_sym(self, v: Var) -> DataSym:
        d = self.globals.get(v)
        if d is None:
            ty = ir_type(v.ty)
            slot = self.layout.slot
            d = DataSym(self.unique("mochi.var." + v.name), "bss", b"", slot, slot)
            d.size = slot
            if ty in (REF, TAG, INT):
                d.kind = "roots"
                d.data = bytes(slot)
            self.globals[v] = d
            self.module.data.append(d)
        return d

    def captures(self, f: FunInfo) -> list[Var]:
        """What f's closure holds, in order."""
        if not self.need_env.get(f):
            return []
        return [v for v in f.captures if v is not f.local_var and (v.fun is None or self.need_env.get(v.fun, False))]

    def fun_sym(self, f: FunInfo) -> FuncSym:
        """The symbol of a function; its body is queued on first use."""
        if f.sym is None:
            params = []
            slots: list[IntSlot | None] = []
            if f.struct is not None or self.need_env.get(f):
                params.append(REF)
                slots.append(None)
            for p in f.params:
                params.append(ir_type(p.ty))
                slots.append(self.slot(p.ty))
            main = f is self.info.main
            name = "mochi.main" if main else self.unique("mochi." + ("fn." if f.name == "main" else "") + f.name)
            ret = VOID if main else ret_type(f.ret)
            sym = FuncSym(name, params, ret)
            sym.slots = [*slots, self.slot(f.ret) if ret == INT else None]
            sym.display = f.name
            sym.pos = f.node.lo
            f.sym = sym
            self.queue.append(f)
        s: FuncSym = f.sym
        return s

    def sig(self, params: list[Slot], ret: Slot) -> Sig:
        """The type of an indirect call: closure, then the parameters."""
        r = ret_type(ret)
        s = Sig([REF, *[ir_type(p) for p in params]], r)
        s.slots = [None, *[self.slot(p) for p in params], self.slot(ret) if r == INT else None]
        return s

    # -- descriptors ----------------------------------------------------------------------------

    def elem_code(self, t: Slot) -> int:
        """E_* of values of this Slot; only valid after int representations are decided when it is an int."""
        ty = ir_type(t)
        if ty == INT:
            s = self.slot(t)
            return E_I64 if s is None or s.word else E_TAG
        return E_F64 if ty == F64 else E_BOOL if ty == I32 else E_TAG

    def list_desc(self, elem: Slot) -> DataSym:
        if ir_type(elem) != INT:
            return self.runtime_data["desc.list_" + ELEMENTS[self.elem_code(elem)]]
        key = find(elem)
        d = self.list_descs.get(key)
        if d is None:
            d = LazyDesc(lambda: self.runtime_data["desc.list_" + ELEMENTS[self.elem_code(key)]])
            self.list_descs[key] = d
        return d

    def key_code(self, key: Slot) -> int:
        """0 text, 1 word, 2 int tag."""
        if ir_type(key) != INT:
            return 0
        s = self.slot(key)
        return 1 if s is None or s.word else 2

    def map_desc(self, key: Slot, val: Slot) -> DataSym:
        k, v = find(key), find(val)
        if ir_type(k) != INT and ir_type(v) != INT:
            return self.runtime_data[f"desc.map_str_{ELEMENTS[self.elem_code(v)]}"]
        d = self.list_descs.get((k, v))
        if d is None:
            d = LazyDesc(lambda: self.runtime_data[f"desc.map_{KEYS[self.key_code(k)]}_{ELEMENTS[self.elem_code(v)]}"])
            self.list_descs[(k, v)] = d
        return d

    def cell_desc(self, t: Slot) -> DataSym:
        ty = ir_type(t)
        if ty in (REF, TAG):
            return self.runtime_data["desc.cell"]
        if ty == INT:
            return LazyDesc(lambda: self.runtime_data["desc.cell_raw" if self.elem_code(t) else "desc.cell"])
        return self.runtime_data["desc.cell_raw"]

    def traced(self, t: Slot) -> bool:
        return self.elem_code(t) == E_TAG

    def struct_desc(self, st: StructInfo) -> LazyDesc:
        if st.desc is None:
            st.desc = LazyDesc(lambda: self._make_struct_desc(st))
        d: LazyDesc = st.desc
        return d

    def struct_size(self, st: StructInfo) -> int:
        return self.layout.struct_fields + self.layout.slot * len(st.fields)

    def _make_struct_desc(self, st: StructInfo) -> DataSym:
        rows = [] if st.row else [("__name", 0, E_NAME)]
        for i, (n, t) in enumerate(st.fields.items()):
            rows.append((n, self.layout.struct_fields + self.layout.slot * i, self.elem_code(t)))
        rows += [(m, 0, E_METHOD) for m in st.methods]
        rows.sort(key=lambda r: r[0].encode("utf-8"))
        traced = [False, *[self.traced(t) for t in st.fields.values()]]
        made = make_desc(
            self.layout,
            self.unique("mochi.type." + st.name),
            K_STRUCT,
            0,
            self.struct_size(st),
            traced,
            self.string(st.name),
            [(self.string(n), off, c) for n, off, c in rows],
            len(st.fields),
        )
        self.module.data.extend(made)
        return made[-1]

    def closure_desc(self, name: str, arity: int, captured: list[tuple[Slot, bool]]) -> LazyDesc:
        """`captured`: type and whether it is a cell."""

        def make() -> DataSym:
            size = self.layout.closure_captured + self.layout.slot * len(captured)
            traced = [False, False, *[cell or self.traced(t) for t, cell in captured]]
            made = make_desc(self.layout, name + ".desc", K_CLOSURE, arity, size, traced, None, [], 0)
            self.module.data.extend(made)
            return made[-1]

        return LazyDesc(make)

    def record_desc(self, traced: list[bool]) -> DataSym:
        """The descriptor of an object that programs never see: a tag, then words of which some are traced."""
        key = tuple(traced)
        d = self.records.get(key)
        if d is None:
            name = self.unique("mochi.record") + ".desc"
            size = self.layout.cell_value + self.layout.slot * (len(traced) + 1)
            made = make_desc(self.layout, name, K_CELL, 0, size, [False, True, *traced], None, [], 0)
            self.module.data.extend(made)
            d = self.records[key] = made[-1]
        return d

    def static_closure(self, code: FuncSym, arity: int) -> DataSym:
        """A closure object without captures, in read-only data."""
        d = self.closures.get(code)
        if d is None:
            desc = self.closure_desc(code.name, arity, []).resolve()
            o = DataSym(code.name + ".closure", "rodata", bytes(self.layout.closure_captured))
            o.items[0] = (desc, 0)
            o.items[self.layout.closure_code] = (code, 0)
            self.module.data.append(o)
            self.closures[code] = d = o
        return d

    def singleton(self, st: StructInfo) -> DataSym:
        """The one value of a variant without fields."""
        if st.singleton is None:
            d = DataSym(self.unique("mochi.unit." + st.name), "rodata", bytes(self.struct_size(st)))
            d.items[0] = (self.struct_desc(st), 0)
            self.module.data.append(d)
            st.singleton = d
        o: DataSym = st.singleton
        return o

    # -- after the interval analysis ------------------------------------------------------------

    def resolve(self) -> None:
        """Replace lazy descriptors in code and data by their symbols (after int representations are known)."""
        for fn in self.module.funcs:
            for b in fn.blocks:
                for v in b.values:
                    if (v.op == SYMADDR or v.op == ALLOC) and type(v.sym) is LazyDesc:
                        v.sym = v.sym.resolve()
        for d in list(self.module.data):
            for off, (s, add) in d.items.items():
                if type(s) is LazyDesc:
                    d.items[off] = (s.resolve(), add)
