"""Syntax tree to canonical source text: `--emit=ast`, and half of the property `parse(print(tree)) == tree`.

Newlines mean nothing in Mochi, so the text must not rely on them: an expression that could take what follows it
(`fun(x) => e`, queries, casts before `<`, ...) gets parentheses wherever something may follow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from mochic.syntax import ast

_PRECEDENCE: Final[dict[str, int]] = {
    "union": 1,
    "union all": 1,
    "except": 1,
    "intersect": 1,
    "??": 2,
    "||": 3,
    "&&": 4,
    "==": 5,
    "!=": 5,
    "in": 5,
    "<": 6,
    "<=": 6,
    ">": 6,
    ">=": 6,
    "+": 7,
    "-": 7,
    "*": 8,
    "/": 8,
    "%": 8,
}
_UNARY: Final = 9
_POSTFIX: Final = 10

# How tightly a node holds together; what is missing is as tight as a postfix chain.
_STRENGTH: Final[dict[type[ast.Expr], int]] = {
    ast.Unary: _UNARY,
    ast.Cast: 0,
    ast.IfExpr: 0,
    ast.FunExpr: 0,
    ast.Query: 0,
    ast.LogicQuery: 0,
    ast.Fetch: 0,
    ast.Load: 0,
    ast.Save: 0,
    ast.Async: 0,
}

_ESCAPES: Final[dict[str, str]] = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def print_program(program: ast.Program) -> str:
    """The whole file; ends in a newline unless it is empty."""
    p = Printer()
    if program.package is not None:
        p.line(f"package {program.package}")
    p.stmts(program.body)
    return "".join(line + "\n" for line in p.lines)


def print_expr(e: ast.Expr) -> str:
    """One expression on one line (function bodies and match cases excepted)."""
    return Printer().expr(e)


def print_type(t: ast.TypeRef) -> str:
    """A type reference as written."""
    if isinstance(t, ast.TypeName):
        return t.name
    if isinstance(t, ast.TypeGeneric):
        return f"{t.name}<{', '.join(map(print_type, t.args))}>"
    if isinstance(t, ast.TypeFun):
        text = f"fun({', '.join(map(print_type, t.params))})"
        return text if t.result is None else f"{text}: {print_type(t.result)}"
    if isinstance(t, ast.TypeStruct):
        return "{" + ", ".join(map(_field, t.fields)) + "}"
    assert isinstance(t, ast.TypeOpt)
    return print_type(t.inner) + "?"


def quote_string(text: str) -> str:
    """A string literal with this value."""
    out = []
    for c in text:
        e = _ESCAPES.get(c)
        if e is not None:
            out.append(e)
        elif c < " " or c == "\x7f":
            out.append(f"\\x{ord(c):02x}")
        else:
            out.append(c)
    return '"' + "".join(out) + '"'


def _field(f: ast.FieldDecl) -> str:
    return f"{f.name}: {print_type(f.type)}"


def _params(params: list[ast.Param]) -> str:
    return ", ".join(p.name if p.type is None else f"{p.name}: {print_type(p.type)}" for p in params)


def _header(tparams: list[str], params: list[ast.Param], result: ast.TypeRef | None, effects: list[str] | None) -> str:
    text = f"<{', '.join(tparams)}>" if tparams else ""
    text += f"({_params(params)})"
    if result is not None:
        text += f": {print_type(result)}"
    if effects:
        text += f" ! {', '.join(effects)}"
    return text


def _pred(p: ast.Pred) -> str:
    terms = ", ".join(print_expr(t) for t in p.terms)
    return f"{'not ' if p.negated else ''}{p.name}({terms})"


class Printer:
    """Collects lines; blocks inside expressions are joined to the line that they begin on."""

    __slots__ = ("lines", "indent")

    def __init__(self, indent: int = 0) -> None:
        self.lines: list[str] = []
        self.indent = indent

    def line(self, text: str) -> None:
        self.lines.append("  " * self.indent + text)

    # -- expressions

    def expr(self, e: ast.Expr, prec: int = 0) -> str:
        """Text of e, in parentheses if it binds looser than `prec`."""
        if isinstance(e, ast.Binary):
            return self.binary(e, prec)
        t = type(e)
        text = _EXPRESSIONS[t](self, e)
        own = _STRENGTH.get(t, _POSTFIX)
        if t is ast.FunExpr and e.body is not None:  # type: ignore[attr-defined]
            own = _POSTFIX
        return text if own >= prec else f"({text})"

    def binary(self, e: ast.Binary, prec: int) -> str:
        # Down the left spine by a loop: chains may be thousands of operators long.
        tail: list[str] = []
        opened = 0  # parentheses around a left part of the chain open at the very beginning
        node: ast.Expr = e
        limit = prec
        while isinstance(node, ast.Binary):
            own = _PRECEDENCE[node.op]
            if own < limit:
                tail.append(")")
                opened += 1
            tail.append(f" {node.op} {self.expr(node.right, own + 1)}")
            limit = own
            node = node.left
        tail.append(self.expr(node, max(limit, 1)))
        tail.reverse()
        return "(" * opened + "".join(tail)

    def exprs(self, es: list[ast.Expr]) -> str:
        return ", ".join([self.expr(e) for e in es])

    def entries(self, entries: list[tuple[ast.Expr, ast.Expr]]) -> str:
        out = []
        for key, value in entries:
            k = self.expr(key)
            if not isinstance(key, (ast.StrLit, ast.IntLit)):
                k = f"({k})"
            out.append(f"{k}: {self.expr(value)}")
        return ", ".join(out)

    def inits(self, fields: list[ast.FieldInit], comma: str = ", ") -> str:
        return comma.join([f"{f.name}: {self.expr(f.value)}" for f in fields])

    def head(self, e: ast.Expr) -> str:
        """The head of a statement: what ends in `{}` would look like the body."""
        text = self.expr(e)
        return f"({text})" if "{" in text else text

    def options(self, e: ast.Expr | None) -> str:
        return "" if e is None else f" with {self.expr(e, 1)}"

    # -- statements

    def block(self, body: list[ast.Stmt]) -> str:
        """`{ ... }` as text that goes on the current line."""
        if not body:
            return "{}"
        inner = Printer(self.indent + 1)
        inner.stmts(body)
        return "{\n" + "\n".join(inner.lines) + "\n" + "  " * self.indent + "}"

    def stmts(self, body: Sequence[ast.Stmt]) -> None:
        for s in body:
            doc = getattr(s, "doc", "")
            if doc:
                for text in doc.split("\n"):
                    self.line(f"/// {text}".rstrip())
            self.line(_STATEMENTS[type(s)](self, s))


# -- expressions


def number(printer: Printer, e: ast.IntLit | ast.FloatLit) -> str:
    return repr(e.value)


def string(printer: Printer, e: ast.StrLit) -> str:
    return quote_string(e.value)


def boolean(printer: Printer, e: ast.BoolLit) -> str:
    return "true" if e.value else "false"


def none(printer: Printer, e: ast.NoneLit) -> str:
    return "none"


def identifier(printer: Printer, e: ast.Ident) -> str:
    return e.name


def unary(printer: Printer, e: ast.Unary) -> str:
    return e.op + printer.expr(e.operand, _UNARY)


def postfix(printer: Printer, e: ast.Expr) -> str:
    """A chain of calls, indexes and selectors, by a loop for the same reason as in `binary`."""
    tail: list[str] = []
    while True:
        if isinstance(e, ast.Call):
            tail.append(f"({printer.exprs(e.args)})")
            e = e.fn
        elif isinstance(e, ast.Index):
            tail.append(f"{'?' if e.safe else ''}[{printer.expr(e.index)}]")
            e = e.obj
        elif isinstance(e, ast.Slice):
            parts = [printer.expr(x) if x is not None else "" for x in (e.start, e.end, e.step)]
            tail.append(f"[{parts[0]}:{parts[1]}]" if e.step is None else f"[{parts[0]}:{parts[1]}:{parts[2]}]")
            e = e.obj
        elif isinstance(e, ast.Field):
            tail.append(f"{'?' if e.safe else ''}.{e.name}")
            e = e.obj
        else:
            tail.append(printer.expr(e, _POSTFIX))
            tail.reverse()
            return "".join(tail)


def cast(printer: Printer, e: ast.Cast) -> str:
    return f"{printer.expr(e.expr, _POSTFIX)} as {print_type(e.type)}"


def list_lit(printer: Printer, e: ast.ListLit) -> str:
    return f"[{printer.exprs(e.elems)}]"


def set_lit(printer: Printer, e: ast.SetLit) -> str:
    return "set{" + printer.exprs(e.elems) + "}"


def map_lit(printer: Printer, e: ast.MapLit) -> str:
    return "{" + printer.entries(e.entries) + "}"


def omap_lit(printer: Printer, e: ast.OMapLit) -> str:
    return "omap{" + printer.entries(e.entries) + "}"


def struct_lit(printer: Printer, e: ast.StructLit) -> str:
    return f"{e.name} {{{printer.inits(e.fields)}}}"


def asynchronous(printer: Printer, e: ast.Async) -> str:
    word = "await" if e.wait else "async"
    return f"{word} {printer.expr(e.expr)}"


def if_expr(printer: Printer, e: ast.IfExpr) -> str:
    out = []
    while True:
        out.append(f"if {printer.head(e.cond)} {{ {printer.expr(e.then)} }}")
        if e.orelse is None:
            break
        if type(e.orelse) is not ast.IfExpr:
            out.append(f"{{ {printer.expr(e.orelse)} }}")
            break
        e = e.orelse
    return " else ".join(out)


def fun_expr(printer: Printer, e: ast.FunExpr) -> str:
    head = "fun" + _header(e.tparams, e.params, e.result, e.effects)
    if e.body is not None:
        return f"{head} {printer.block(e.body)}"
    assert e.expr is not None
    return f"{head} => {printer.expr(e.expr)}"


def match_expr(printer: Printer, e: ast.Match) -> str:
    out = [f"match {printer.head(e.subject)} {{"]
    printer.indent += 1
    for case in e.cases:
        text = "  " * printer.indent + printer.expr(case.pattern)
        if case.guard is not None:
            text += f" when {printer.expr(case.guard)}"
        if case.body is not None:
            value = printer.block(case.body)
        else:
            assert case.expr is not None
            value = printer.expr(case.expr)
            if value.startswith("{") and not isinstance(case.expr, ast.MapLit):
                value = f"({value})"
        out.append(f"{text} => {value}")
    printer.indent -= 1
    out.append("  " * printer.indent + "}")
    return "\n".join(out)


def query(printer: Printer, e: ast.Query) -> str:
    out = [f"from {f.var} in {printer.expr(f.source, 1)}" for f in e.froms]
    for j in e.joins:
        side = j.side + " " if j.side else ""
        out.append(f"{side}join {j.var} in {printer.expr(j.source, 1)} on {printer.expr(j.on, 1)}")
    if e.where is not None:
        out.append(f"where {printer.expr(e.where, 1)}")
    if e.group_var is not None:
        keys = ", ".join([printer.expr(k, 1) for k in e.group_keys])
        out.append(f"group by {keys} into {e.group_var}")
    for word, clause in (("having", e.having), ("sort by", e.sort), ("skip", e.skip), ("take", e.take)):
        if clause is not None:
            out.append(f"{word} {printer.expr(clause, 1)}")
    out.append(f"select {'distinct ' if e.distinct else ''}{printer.expr(e.select, 1)}")
    return " ".join(out)


def logic_query(printer: Printer, e: ast.LogicQuery) -> str:
    return f"query {_pred(e.pred)}"


def generate(printer: Printer, e: ast.Generate) -> str:
    return f"generate {e.target} {{ {printer.inits(e.fields)} }}"


def fetch(printer: Printer, e: ast.Fetch) -> str:
    return f"fetch {printer.expr(e.url, 1)}{printer.options(e.options)}"


def load(printer: Printer, e: ast.Load) -> str:
    path = "" if e.path is None else quote_string(e.path) + " "
    return f"load {path}as {print_type(e.type)}{printer.options(e.options)}"


def save(printer: Printer, e: ast.Save) -> str:
    path = "" if e.path is None else " to " + quote_string(e.path)
    return f"save {printer.expr(e.source, 1)}{path}{printer.options(e.options)}"


_EXPRESSIONS: Final[dict[type[ast.Expr], Callable[[Printer, Any], str]]] = {
    ast.IntLit: number,
    ast.FloatLit: number,
    ast.StrLit: string,
    ast.Interpolation: string,
    ast.BoolLit: boolean,
    ast.NoneLit: none,
    ast.Ident: identifier,
    ast.Unary: unary,
    ast.Call: postfix,
    ast.Index: postfix,
    ast.Slice: postfix,
    ast.Field: postfix,
    ast.Cast: cast,
    ast.ListLit: list_lit,
    ast.SetLit: set_lit,
    ast.MapLit: map_lit,
    ast.OMapLit: omap_lit,
    ast.StructLit: struct_lit,
    ast.Async: asynchronous,
    ast.IfExpr: if_expr,
    ast.FunExpr: fun_expr,
    ast.Match: match_expr,
    ast.Query: query,
    ast.LogicQuery: logic_query,
    ast.Generate: generate,
    ast.Fetch: fetch,
    ast.Load: load,
    ast.Save: save,
}


# -- statements


def var_decl(printer: Printer, s: ast.VarDecl) -> str:
    text = f"{'export ' if s.export else ''}{'var' if s.mutable else 'let'} {s.name}"
    if s.type is not None:
        text += f": {print_type(s.type)}"
    return text if s.value is None else f"{text} = {printer.expr(s.value)}"


def assignment(printer: Printer, s: ast.Assign) -> str:
    return f"{printer.expr(s.target)} = {printer.expr(s.value)}"


def fun_decl(printer: Printer, s: ast.FunDecl) -> str:
    head = _header(s.tparams, s.params, s.result, s.effects)
    return f"{'export ' if s.export else ''}fun {s.name}{head} {printer.block(s.body)}"


def return_stmt(printer: Printer, s: ast.Return) -> str:
    return "return" if s.value is None else f"return {printer.expr(s.value)}"


def if_stmt(printer: Printer, s: ast.If) -> str:
    out = []
    while True:
        out.append(f"if {printer.head(s.cond)} {printer.block(s.then)}")
        if s.orelse is None:
            break
        if len(s.orelse) != 1 or type(s.orelse[0]) is not ast.If:
            out.append(printer.block(s.orelse))
            break
        s = s.orelse[0]
    return " else ".join(out)


def while_stmt(printer: Printer, s: ast.While) -> str:
    return f"while {printer.head(s.cond)} {printer.block(s.body)}"


def for_stmt(printer: Printer, s: ast.For) -> str:
    end = "" if s.end is None else f"..{printer.head(s.end)}"
    return f"for {s.var} in {printer.head(s.source)}{end} {printer.block(s.body)}"


def try_stmt(printer: Printer, s: ast.Try) -> str:
    names = f"{s.var}, {s.message}" if s.message else s.var
    return f"try {printer.block(s.body)} catch {names} {printer.block(s.handler)}"


def break_stmt(printer: Printer, s: ast.Break) -> str:
    return "break"


def continue_stmt(printer: Printer, s: ast.Continue) -> str:
    return "continue"


def expr_stmt(printer: Printer, s: ast.ExprStmt) -> str:
    e = s.expr
    if isinstance(e, ast.IfExpr):
        # With braces it would be the statement, and a leading parenthesis could call the line above.
        text = f"if {printer.head(e.cond)} then {printer.expr(e.then, 1)}"
        return text if e.orelse is None else f"{text} else {printer.expr(e.orelse, 1)}"
    return printer.expr(e)


def expect_stmt(printer: Printer, s: ast.Expect) -> str:
    return f"expect {printer.expr(s.expr)}"


def test_decl(printer: Printer, s: ast.TestDecl) -> str:
    return f"test {quote_string(s.name)} {printer.block(s.body)}"


def bench_decl(printer: Printer, s: ast.BenchDecl) -> str:
    return f"bench {quote_string(s.name)} {printer.block(s.body)}"


def type_decl(printer: Printer, s: ast.TypeDecl) -> str:
    head = f"{'export ' if s.export else ''}type {s.name}"
    if s.alias is not None:
        return f"{head} = {print_type(s.alias)}"
    if s.variants is not None:
        out = []
        for v in s.variants:
            fields = ", ".join(map(_field, v.fields))
            out.append(f"{v.name}({fields})" if fields else v.name if len(s.variants) > 1 else v.name + " {}")
        return f"{head} = {' | '.join(out)}"
    inner = Printer(printer.indent + 1)
    for f in s.fields or ():
        inner.line(_field(f))
    inner.stmts(s.methods)
    return f"{head} {{\n" + "\n".join(inner.lines) + "\n" + "  " * printer.indent + "}"


def import_decl(printer: Printer, s: ast.ImportDecl) -> str:
    text = f"import {s.lang + ' ' if s.lang else ''}{quote_string(s.path)}"
    if s.alias is not None:
        text += f" as {s.alias}"
    if s.auto:
        text += " auto"
    if s.effects:
        text += f" ! {', '.join(s.effects)}"
    return text


def extern_decl(printer: Printer, s: ast.ExternDecl) -> str:
    text = f"extern {s.lang + ' ' if s.lang else ''}{s.kind} {s.name}"
    if s.kind == "fun":
        text += f"({_params(s.params or [])})"
    return text if s.type is None else f"{text}: {print_type(s.type)}"


def fact_decl(printer: Printer, s: ast.FactDecl) -> str:
    return f"fact {_pred(s.pred)}"


def rule_decl(printer: Printer, s: ast.RuleDecl) -> str:
    body = [_pred(c) if isinstance(c, ast.Pred) else f"{c[0]} != {c[1]}" for c in s.body]
    return f"rule {_pred(s.head)} :- {', '.join(body)}"


def stream_decl(printer: Printer, s: ast.StreamDecl) -> str:
    return f"stream {s.name} {{ {' '.join(map(_field, s.fields))} }}"


def model_decl(printer: Printer, s: ast.ModelDecl) -> str:
    return f"model {s.name} {{ {printer.inits(s.fields, ' ')} }}"


def on_handler(printer: Printer, s: ast.OnHandler) -> str:
    return f"on {s.stream} as {s.var} {printer.block(s.body)}"


def emit_stmt(printer: Printer, s: ast.Emit) -> str:
    return f"emit {s.stream} {{ {printer.inits(s.fields)} }}"


def intent_decl(printer: Printer, s: ast.IntentDecl) -> str:
    return f"intent {s.name}{_header([], s.params, s.result, None)} {printer.block(s.body)}"


def agent_decl(printer: Printer, s: ast.AgentDecl) -> str:
    return f"agent {s.name} {printer.block(s.body)}"


def fetch_stmt(printer: Printer, s: ast.FetchStmt) -> str:
    return f"fetch {printer.expr(s.url, 1)} into {s.target}{printer.options(s.options)}"


def update_stmt(printer: Printer, s: ast.Update) -> str:
    where = "" if s.where is None else f" where {printer.expr(s.where)}"
    return f"update {s.target} set {printer.expr(s.sets)}{where}"


_STATEMENTS: Final[dict[type[ast.Stmt], Callable[[Printer, Any], str]]] = {
    ast.VarDecl: var_decl,
    ast.Assign: assignment,
    ast.FunDecl: fun_decl,
    ast.Return: return_stmt,
    ast.If: if_stmt,
    ast.While: while_stmt,
    ast.For: for_stmt,
    ast.Try: try_stmt,
    ast.Break: break_stmt,
    ast.Continue: continue_stmt,
    ast.ExprStmt: expr_stmt,
    ast.Expect: expect_stmt,
    ast.TestDecl: test_decl,
    ast.BenchDecl: bench_decl,
    ast.TypeDecl: type_decl,
    ast.ImportDecl: import_decl,
    ast.ExternDecl: extern_decl,
    ast.FactDecl: fact_decl,
    ast.RuleDecl: rule_decl,
    ast.StreamDecl: stream_decl,
    ast.ModelDecl: model_decl,
    ast.OnHandler: on_handler,
    ast.Emit: emit_stmt,
    ast.IntentDecl: intent_decl,
    ast.AgentDecl: agent_decl,
    ast.FetchStmt: fetch_stmt,
    ast.Update: update_stmt,
}
