"""The syntax tree: one slotted class for each production of the grammar (docs/reference.md, 2).

Positions.  `lo` and `hi` are *global* positions: one integer space over all source files of a
compilation, as in Go's token.Pos.  `mochic.source.SourceMap` turns a position into file, line and
column; nothing else in the compiler needs to know which file a node came from.  `hi` is exclusive.

Types.  Expressions and declarations have a slot `ty` that the checker fills (a `sema.types` node);
the parser leaves it None.  Classes are written by hand because a slotted class costs a third of a
frozen dataclass to create and an eighth to import, and the parser makes millions.
"""

from __future__ import annotations

from typing import Any


class Node:
    __slots__ = ("lo", "hi")
    lo: int
    hi: int


# ---------------------------------------------------------------------------------------------
# Type references


class TypeRef(Node):
    __slots__ = ()


class TypeName(TypeRef):
    """`int`, `Person`, `T`."""

    __slots__ = ("name",)

    def __init__(self, lo: int, hi: int, name: str) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name


class TypeGeneric(TypeRef):
    """`list<int>`, `map<string, int>`."""

    __slots__ = ("name", "args")

    def __init__(self, lo: int, hi: int, name: str, args: list[TypeRef]) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.args = args


class TypeFun(TypeRef):
    """`fun(int, int): int`; result None means unit."""

    __slots__ = ("params", "result")

    def __init__(self, lo: int, hi: int, params: list[TypeRef], result: TypeRef | None) -> None:
        self.lo = lo
        self.hi = hi
        self.params = params
        self.result = result


class TypeStruct(TypeRef):
    """`{name: string, age: int}`.

    `info`: of a type that something is cast to, what comes into each field (set by inference)."""

    __slots__ = ("fields", "info")

    def __init__(self, lo: int, hi: int, fields: list[FieldDecl]) -> None:
        self.lo = lo
        self.hi = hi
        self.fields = fields
        self.info: Any = None


class TypeOpt(TypeRef):
    """`T?`."""

    __slots__ = ("inner",)

    def __init__(self, lo: int, hi: int, inner: TypeRef) -> None:
        self.lo = lo
        self.hi = hi
        self.inner = inner


class FieldDecl(Node):
    """`name: Type` in a struct, variant, stream or anonymous struct type."""

    __slots__ = ("name", "type")

    def __init__(self, lo: int, hi: int, name: str, type: TypeRef) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.type = type


# ---------------------------------------------------------------------------------------------
# Expressions


class Expr(Node):
    __slots__ = ("ty",)
    ty: Any


class IntLit(Expr):
    __slots__ = ("value",)

    def __init__(self, lo: int, hi: int, value: int) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.value = value


class FloatLit(Expr):
    __slots__ = ("value",)

    def __init__(self, lo: int, hi: int, value: float) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.value = value


class StrLit(Expr):
    """A string literal, or a bare identifier used as the key of a map entry."""

    __slots__ = ("value",)

    def __init__(self, lo: int, hi: int, value: str) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.value = value


class Interpolation(StrLit):
    """A string literal with `{name}` in it, which stands for the value of a variable if there is one of the name.

    `code`, set by inference: the expression that it means."""

    __slots__ = ("code",)

    def __init__(self, lo: int, hi: int, value: str) -> None:
        super().__init__(lo, hi, value)
        self.code: Expr | None = None


class BoolLit(Expr):
    __slots__ = ("value",)

    def __init__(self, lo: int, hi: int, value: bool) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.value = value


class NoneLit(Expr):
    __slots__ = ()

    def __init__(self, lo: int, hi: int) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None


class Ident(Expr):
    """A name; `ref` is the symbol that the checker resolved it to."""

    __slots__ = ("name", "ref")

    def __init__(self, lo: int, hi: int, name: str) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.name = name
        self.ref: Any = None


class Binary(Expr):
    """`left op right`; op is the source text (`+`, `==`, `in`, `??`, `union`, `union all`, ...)."""

    __slots__ = ("op", "left", "right", "op_lo")

    def __init__(self, lo: int, hi: int, op: str, left: Expr, right: Expr, op_lo: int) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.op = op
        self.left = left
        self.right = right
        self.op_lo = op_lo


class Unary(Expr):
    """`-x`, `!x`."""

    __slots__ = ("op", "operand")

    def __init__(self, lo: int, hi: int, op: str, operand: Expr) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.op = op
        self.operand = operand


class Call(Expr):
    """`fn(args)`; `paren_lo` is the position of the `(`."""

    __slots__ = ("fn", "args", "paren_lo", "ref")

    def __init__(self, lo: int, hi: int, fn: Expr, args: list[Expr], paren_lo: int) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.fn = fn
        self.args = args
        self.paren_lo = paren_lo
        self.ref: Any = None


class Index(Expr):
    """`obj[index]`; `safe` for `obj?[index]`; `op_lo` is the position of the bracket."""

    __slots__ = ("obj", "index", "safe", "op_lo")

    def __init__(self, lo: int, hi: int, obj: Expr, index: Expr, safe: bool, op_lo: int) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.obj = obj
        self.index = index
        self.safe = safe
        self.op_lo = op_lo


class Slice(Expr):
    """`obj[start:end:step]`, each part optional."""

    __slots__ = ("obj", "start", "end", "step", "op_lo")

    def __init__(
        self, lo: int, hi: int, obj: Expr, start: Expr | None, end: Expr | None, step: Expr | None, op_lo: int
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.obj = obj
        self.start = start
        self.end = end
        self.step = step
        self.op_lo = op_lo


class Field(Expr):
    """`obj.name`; `safe` for `obj?.name`; `ref` may name an import member or a variant."""

    __slots__ = ("obj", "name", "safe", "name_lo", "ref")

    def __init__(self, lo: int, hi: int, obj: Expr, name: str, safe: bool, name_lo: int) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.obj = obj
        self.name = name
        self.safe = safe
        self.name_lo = name_lo
        self.ref: Any = None


class Cast(Expr):
    """`expr as type`; `op_lo` is the position of `as`."""

    __slots__ = ("expr", "type", "op_lo")

    def __init__(self, lo: int, hi: int, expr: Expr, type: TypeRef, op_lo: int) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.expr = expr
        self.type = type
        self.op_lo = op_lo


class ListLit(Expr):
    __slots__ = ("elems",)

    def __init__(self, lo: int, hi: int, elems: list[Expr]) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.elems = elems


class MapLit(Expr):
    """`{k: v, ...}`; a bare identifier key has already become a StrLit."""

    __slots__ = ("entries",)

    def __init__(self, lo: int, hi: int, entries: list[tuple[Expr, Expr]]) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.entries = entries


class SetLit(Expr):
    """`set{a, b}` (newer upstream).  `code`, set by inference: the expression that it means."""

    __slots__ = ("elems", "code")

    def __init__(self, lo: int, hi: int, elems: list[Expr]) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.elems = elems
        self.code: Expr | None = None


class OMapLit(Expr):
    """`omap{"k": v, ...}`, a map that keeps insertion order (newer upstream)."""

    __slots__ = ("entries",)

    def __init__(self, lo: int, hi: int, entries: list[tuple[Expr, Expr]]) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.entries = entries


class Async(Expr):
    """`async e` and, with `wait`, `await e` (newer upstream)."""

    __slots__ = ("expr", "wait")

    def __init__(self, lo: int, hi: int, expr: Expr, wait: bool) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.expr = expr
        self.wait = wait


class FieldInit(Node):
    """`name: value` in a struct literal, emit or generate; value None never occurs."""

    __slots__ = ("name", "value")

    def __init__(self, lo: int, hi: int, name: str, value: Expr) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.value = value


class StructLit(Expr):
    __slots__ = ("name", "fields", "ref")

    def __init__(self, lo: int, hi: int, name: str, fields: list[FieldInit]) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.name = name
        self.fields = fields
        self.ref: Any = None


class IfExpr(Expr):
    """`if c { a } else { b }` or `if c then a else b`; orelse may be missing."""

    __slots__ = ("cond", "then", "orelse")

    def __init__(self, lo: int, hi: int, cond: Expr, then: Expr, orelse: Expr | None) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.cond = cond
        self.then = then
        self.orelse = orelse


class Param(Node):
    __slots__ = ("name", "type", "sym")

    def __init__(self, lo: int, hi: int, name: str, type: TypeRef | None) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.type = type
        self.sym: Any = None


class FunExpr(Expr):
    """`fun(x: int): int => e` or with a block; exactly one of `body` and `expr` is set."""

    __slots__ = ("tparams", "params", "result", "effects", "body", "expr", "info")

    def __init__(
        self,
        lo: int,
        hi: int,
        tparams: list[str],
        params: list[Param],
        result: TypeRef | None,
        effects: list[str] | None,
        body: list[Stmt] | None,
        expr: Expr | None,
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.tparams = tparams
        self.params = params
        self.result = result
        self.effects = effects
        self.body = body
        self.expr = expr
        self.info: Any = None


class MatchCase(Node):
    """`pattern [when guard] => expr | block`; patterns are expressions of a restricted shape (3.2)."""

    __slots__ = ("pattern", "guard", "expr", "body", "info")

    def __init__(
        self, lo: int, hi: int, pattern: Expr, guard: Expr | None, expr: Expr | None, body: list[Stmt] | None
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.pattern = pattern
        self.guard = guard
        self.expr = expr
        self.body = body
        self.info: Any = None


class Match(Expr):
    __slots__ = ("subject", "cases")

    def __init__(self, lo: int, hi: int, subject: Expr, cases: list[MatchCase]) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.subject = subject
        self.cases = cases


class FromClause(Node):
    """`from var in source`."""

    __slots__ = ("var", "source", "sym")

    def __init__(self, lo: int, hi: int, var: str, source: Expr) -> None:
        self.lo = lo
        self.hi = hi
        self.var = var
        self.source = source
        self.sym: Any = None


class JoinClause(Node):
    """`[side] join var in source on cond`; side is "", "left", "right" or "outer"."""

    __slots__ = ("side", "var", "source", "on", "sym")

    def __init__(self, lo: int, hi: int, side: str, var: str, source: Expr, on: Expr) -> None:
        self.lo = lo
        self.hi = hi
        self.side = side
        self.var = var
        self.source = source
        self.on = on
        self.sym: Any = None


class Query(Expr):
    __slots__ = (
        "froms",
        "joins",
        "where",
        "group_keys",
        "group_var",
        "having",
        "sort",
        "skip",
        "take",
        "select",
        "distinct",
        "info",
    )

    def __init__(
        self,
        lo: int,
        hi: int,
        froms: list[FromClause],
        joins: list[JoinClause],
        where: Expr | None,
        group_keys: list[Expr],
        group_var: str | None,
        having: Expr | None,
        sort: Expr | None,
        skip: Expr | None,
        take: Expr | None,
        select: Expr,
        distinct: bool,
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.froms = froms
        self.joins = joins
        self.where = where
        self.group_keys = group_keys
        self.group_var = group_var
        self.having = having
        self.sort = sort
        self.skip = skip
        self.take = take
        self.select = select
        self.distinct = distinct
        self.info: Any = None


class Pred(Node):
    """`name(t1, ...)` of fact, rule and query; a term is an Ident, StrLit or IntLit.

    `negated` marks `not name(...)` in the body of a rule (newer upstream).
    """

    __slots__ = ("name", "terms", "negated")

    def __init__(self, lo: int, hi: int, name: str, terms: list[Expr], negated: bool = False) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.terms = terms
        self.negated = negated


class LogicQuery(Expr):
    __slots__ = ("pred", "code")

    def __init__(self, lo: int, hi: int, pred: Pred) -> None:
        self.code: Expr | None = None
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.pred = pred


class Generate(Expr):
    """`generate text { prompt: ... }`."""

    __slots__ = ("target", "fields", "code")

    def __init__(self, lo: int, hi: int, target: str, fields: list[FieldInit]) -> None:
        self.code: Expr | None = None
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.target = target
        self.fields = fields


class Fetch(Expr):
    __slots__ = ("url", "options")

    def __init__(self, lo: int, hi: int, url: Expr, options: Expr | None) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.url = url
        self.options = options


class Load(Expr):
    """`row` is the type of a row before its cast, set by inference."""

    __slots__ = ("path", "type", "options", "row")

    def __init__(self, lo: int, hi: int, path: str | None, type: TypeRef, options: Expr | None) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.path = path
        self.type = type
        self.options = options
        self.row: Any = None


class Save(Expr):
    __slots__ = ("source", "path", "options")

    def __init__(self, lo: int, hi: int, source: Expr, path: str | None, options: Expr | None) -> None:
        self.lo = lo
        self.hi = hi
        self.ty = None
        self.source = source
        self.path = path
        self.options = options


# ---------------------------------------------------------------------------------------------
# Statements


class Stmt(Node):
    __slots__ = ()


class VarDecl(Stmt):
    """`let name: type = value`, `var ...`; `sym` is the variable that the checker made."""

    __slots__ = ("name", "type", "value", "mutable", "doc", "sym", "export")

    def __init__(
        self, lo: int, hi: int, name: str, type: TypeRef | None, value: Expr | None, mutable: bool, doc: str
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.type = type
        self.value = value
        self.mutable = mutable
        self.doc = doc
        self.sym: Any = None
        self.export = False


class Assign(Stmt):
    """`target = value`; target is an Ident, or Index and Field nodes ending in one."""

    __slots__ = ("target", "value")

    def __init__(self, lo: int, hi: int, target: Expr, value: Expr) -> None:
        self.lo = lo
        self.hi = hi
        self.target = target
        self.value = value


class FunDecl(Stmt):
    __slots__ = ("name", "tparams", "params", "result", "effects", "body", "export", "doc", "info", "name_lo")

    def __init__(
        self,
        lo: int,
        hi: int,
        name: str,
        name_lo: int,
        tparams: list[str],
        params: list[Param],
        result: TypeRef | None,
        effects: list[str] | None,
        body: list[Stmt],
        export: bool,
        doc: str,
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.name_lo = name_lo
        self.tparams = tparams
        self.params = params
        self.result = result
        self.effects = effects
        self.body = body
        self.export = export
        self.doc = doc
        self.info: Any = None


class Return(Stmt):
    __slots__ = ("value",)

    def __init__(self, lo: int, hi: int, value: Expr | None) -> None:
        self.lo = lo
        self.hi = hi
        self.value = value


class If(Stmt):
    """`orelse` is a list of statements; `else if` is a list of one If."""

    __slots__ = ("cond", "then", "orelse")

    def __init__(self, lo: int, hi: int, cond: Expr, then: list[Stmt], orelse: list[Stmt] | None) -> None:
        self.lo = lo
        self.hi = hi
        self.cond = cond
        self.then = then
        self.orelse = orelse


class While(Stmt):
    __slots__ = ("cond", "body")

    def __init__(self, lo: int, hi: int, cond: Expr, body: list[Stmt]) -> None:
        self.lo = lo
        self.hi = hi
        self.cond = cond
        self.body = body


class For(Stmt):
    """`for var in source` or, with `end`, `for var in source..end`."""

    __slots__ = ("var", "source", "end", "body", "sym")

    def __init__(self, lo: int, hi: int, var: str, source: Expr, end: Expr | None, body: list[Stmt]) -> None:
        self.lo = lo
        self.hi = hi
        self.var = var
        self.source = source
        self.end = end
        self.body = body
        self.sym: Any = None


class Try(Stmt):
    """`try { body } catch var, message { handler }`: newer upstream's, with an optional `, message` of ours; `code`:
    what the checker made of it."""

    __slots__ = ("body", "var", "message", "handler", "code")

    def __init__(self, lo: int, hi: int, body: list[Stmt], var: str, message: str, handler: list[Stmt]) -> None:
        self.lo = lo
        self.hi = hi
        self.body = body
        self.var = var
        self.message = message
        self.handler = handler
        self.code: list[Stmt] = []


class Break(Stmt):
    __slots__ = ()

    def __init__(self, lo: int, hi: int) -> None:
        self.lo = lo
        self.hi = hi


class Continue(Stmt):
    __slots__ = ()

    def __init__(self, lo: int, hi: int) -> None:
        self.lo = lo
        self.hi = hi


class ExprStmt(Stmt):
    __slots__ = ("expr",)

    def __init__(self, lo: int, hi: int, expr: Expr) -> None:
        self.lo = lo
        self.hi = hi
        self.expr = expr


class Expect(Stmt):
    __slots__ = ("expr",)

    def __init__(self, lo: int, hi: int, expr: Expr) -> None:
        self.lo = lo
        self.hi = hi
        self.expr = expr


class TestDecl(Stmt):
    __slots__ = ("name", "body")

    def __init__(self, lo: int, hi: int, name: str, body: list[Stmt]) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.body = body


class BenchDecl(Stmt):
    __slots__ = ("name", "body")

    def __init__(self, lo: int, hi: int, name: str, body: list[Stmt]) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.body = body


class TypeDecl(Stmt):
    """One of: struct (`fields`, `methods`), union (`variants`), alias (`alias`)."""

    __slots__ = ("name", "fields", "methods", "variants", "alias", "doc", "info", "export")

    def __init__(
        self,
        lo: int,
        hi: int,
        name: str,
        fields: list[FieldDecl] | None,
        methods: list[FunDecl],
        variants: list[Variant] | None,
        alias: TypeRef | None,
        doc: str,
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.fields = fields
        self.methods = methods
        self.variants = variants
        self.alias = alias
        self.doc = doc
        self.info: Any = None
        self.export = False


class Variant(Node):
    __slots__ = ("name", "fields")

    def __init__(self, lo: int, hi: int, name: str, fields: list[FieldDecl]) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.fields = fields


class ImportDecl(Stmt):
    """`import [lang] "path" [as alias] [auto]`; lang "" means a Mochi package.

    `effects` is the list after `!` (newer upstream), None when there is none.
    """

    __slots__ = ("lang", "path", "alias", "auto", "effects")

    def __init__(
        self,
        lo: int,
        hi: int,
        lang: str,
        path: str,
        alias: str | None,
        auto: bool,
        effects: list[str] | None = None,
    ) -> None:
        self.effects = effects
        self.lo = lo
        self.hi = hi
        self.lang = lang
        self.path = path
        self.alias = alias
        self.auto = auto

    @property
    def name(self) -> str:
        """What the program calls the module: its alias, else the last part of the path."""
        return self.alias or self.path.rstrip("/").rsplit("/", 1)[-1].split(".")[0]


class ExternDecl(Stmt):
    """kind is "type", "var", "fun" or "object"; name is dotted; lang is set by `extern go fun` (newer upstream)."""

    __slots__ = ("kind", "name", "params", "type", "lang", "doc", "info")

    def __init__(
        self,
        lo: int,
        hi: int,
        kind: str,
        name: str,
        params: list[Param] | None,
        type: TypeRef | None,
        lang: str = "",
        doc: str = "",
    ) -> None:
        self.lang = lang
        self.doc = doc
        self.lo = lo
        self.hi = hi
        self.kind = kind
        self.name = name
        self.params = params
        self.type = type
        self.info: Any = None


class FactDecl(Stmt):
    __slots__ = ("pred",)

    def __init__(self, lo: int, hi: int, pred: Pred) -> None:
        self.lo = lo
        self.hi = hi
        self.pred = pred


class RuleDecl(Stmt):
    """`rule head :- body`; a body entry is a Pred or a pair of names that must differ."""

    __slots__ = ("head", "body")

    def __init__(self, lo: int, hi: int, head: Pred, body: list[Pred | tuple[str, str]]) -> None:
        self.lo = lo
        self.hi = hi
        self.head = head
        self.body = body


class StreamDecl(Stmt):
    __slots__ = ("name", "fields")

    def __init__(self, lo: int, hi: int, name: str, fields: list[FieldDecl]) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.fields = fields


class ModelDecl(Stmt):
    __slots__ = ("name", "fields")

    def __init__(self, lo: int, hi: int, name: str, fields: list[FieldInit]) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.fields = fields


class OnHandler(Stmt):
    __slots__ = ("stream", "var", "body", "code")

    def __init__(self, lo: int, hi: int, stream: str, var: str, body: list[Stmt]) -> None:
        self.code: list[Stmt] = []
        self.lo = lo
        self.hi = hi
        self.stream = stream
        self.var = var
        self.body = body


class Emit(Stmt):
    __slots__ = ("stream", "fields", "code")

    def __init__(self, lo: int, hi: int, stream: str, fields: list[FieldInit]) -> None:
        self.code: list[Stmt] = []
        self.lo = lo
        self.hi = hi
        self.stream = stream
        self.fields = fields


class IntentDecl(Stmt):
    __slots__ = ("name", "params", "result", "body")

    def __init__(
        self, lo: int, hi: int, name: str, params: list[Param], result: TypeRef | None, body: list[Stmt]
    ) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.params = params
        self.result = result
        self.body = body


class AgentDecl(Stmt):
    __slots__ = ("name", "body")

    def __init__(self, lo: int, hi: int, name: str, body: list[Stmt]) -> None:
        self.lo = lo
        self.hi = hi
        self.name = name
        self.body = body


class FetchStmt(Stmt):
    __slots__ = ("url", "target", "options", "decl")

    def __init__(self, lo: int, hi: int, url: Expr, target: str, options: Expr | None) -> None:
        self.lo = lo
        self.hi = hi
        self.url = url
        self.target = target
        self.options = options
        self.decl: VarDecl | None = None


class Update(Stmt):
    """`loop` is what it means (`sema.infer.data`)."""

    __slots__ = ("target", "sets", "where", "loop")

    def __init__(self, lo: int, hi: int, target: str, sets: MapLit, where: Expr | None) -> None:
        self.lo = lo
        self.hi = hi
        self.target = target
        self.sets = sets
        self.where = where
        self.loop: For | None = None


class Program(Node):
    """One source file.  `qualified`: its mentions of types of packages, such as `lib.T`."""

    __slots__ = ("package", "body", "qualified")

    def __init__(self, lo: int, hi: int, package: str | None, body: list[Stmt]) -> None:
        self.lo = lo
        self.hi = hi
        self.package = package
        self.body = body
        self.qualified: list[TypeName] = []
