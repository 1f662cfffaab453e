"""Syntax tree to canonical source text: `--emit=ast`, and half of the property `parse(print(tree)) == tree`.

Newlines mean nothing in Mochi, so the text must not rely on them: an expression that could take what follows it
(`fun(x) => e`, queries, casts before `<`, ...) gets parentheses wherever something may follow.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from mochic.syntax import ast

_PREC: Final[dict[str, int]] = {
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

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.indent = 0

    def line(self, text: str) -> None:
        self.lines.append("  " * self.indent + text)

    # -- expressions

    def expr(self, e: ast.Expr, prec: int = 0) -> str:
        """Text of e, in parentheses if it binds looser than `prec`."""
        if isinstance(e, ast.Binary):
            return self.binary(e, prec)
        t = type(e)
        text = _EXPR[t](self, e)
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
            own = _PREC[node.op]
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

    def number(self, e: Any) -> str:
        return repr(e.value)

    def string(self, e: Any) -> str:
        return quote_string(e.value)

    def boolean(self, e: Any) -> str:
        return "true" if e.value else "false"

    def none(self, e: Any) -> str:
        return "none"

    def ident(self, e: Any) -> str:
        return str(e.name)

    def unary(self, e: Any) -> str:
        return str(e.op) + self.expr(e.operand, _UNARY)

    def postfix(self, e: Any) -> str:
        """A chain of calls, indexes and selectors, by a loop for the same reason as in `binary`."""
        tail: list[str] = []
        while True:
            if isinstance(e, ast.Call):
                tail.append(f"({self.exprs(e.args)})")
                e = e.fn
            elif isinstance(e, ast.Index):
                tail.append(f"{'?' if e.safe else ''}[{self.expr(e.index)}]")
                e = e.obj
            elif isinstance(e, ast.Slice):
                parts = [self.expr(x) if x is not None else "" for x in (e.start, e.end, e.step)]
                tail.append(f"[{parts[0]}:{parts[1]}]" if e.step is None else f"[{parts[0]}:{parts[1]}:{parts[2]}]")
                e = e.obj
            elif isinstance(e, ast.Field):
                tail.append(f"{'?' if e.safe else ''}.{e.name}")
                e = e.obj
            else:
                tail.append(self.expr(e, _POSTFIX))
                tail.reverse()
                return "".join(tail)

    def cast(self, e: Any) -> str:
        return f"{self.expr(e.expr, _POSTFIX)} as {print_type(e.type)}"

    def list_lit(self, e: Any) -> str:
        return f"[{self.exprs(e.elems)}]"

    def set_lit(self, e: Any) -> str:
        return "set{" + self.exprs(e.elems) + "}"

    def map_lit(self, e: Any) -> str:
        return "{" + self.entries(e.entries) + "}"

    def omap_lit(self, e: Any) -> str:
        return "omap{" + self.entries(e.entries) + "}"

    def struct_lit(self, e: Any) -> str:
        return f"{e.name} {{{self.inits(e.fields)}}}"

    def asynchronous(self, e: Any) -> str:
        word = "await" if e.wait else "async"
        return f"{word} {self.expr(e.expr)}"

    def if_expr(self, e: Any) -> str:
        out = []
        while True:
            out.append(f"if {self.head(e.cond)} {{ {self.expr(e.then)} }}")
            if e.orelse is None:
                break
            if type(e.orelse) is not ast.IfExpr:
                out.append(f"{{ {self.expr(e.orelse)} }}")
                break
            e = e.orelse
        return " else ".join(out)

    def fun_expr(self, e: Any) -> str:
        head = "fun" + _header(e.tparams, e.params, e.result, e.effects)
        if e.body is None:
            return f"{head} => {self.expr(e.expr)}"
        return f"{head} {self.block(e.body)}"

    def match(self, e: Any) -> str:
        out = [f"match {self.head(e.subject)} {{"]
        self.indent += 1
        for case in e.cases:
            text = "  " * self.indent + self.expr(case.pattern)
            if case.guard is not None:
                text += f" when {self.expr(case.guard)}"
            if case.body is not None:
                value = self.block(case.body)
            else:
                value = self.expr(case.expr)
                if value.startswith("{") and not isinstance(case.expr, ast.MapLit):
                    value = f"({value})"
            out.append(f"{text} => {value}")
        self.indent -= 1
        out.append("  " * self.indent + "}")
        return "\n".join(out)

    def query(self, e: Any) -> str:
        out = [f"from {f.var} in {self.expr(f.source, 1)}" for f in e.froms]
        for j in e.joins:
            side = j.side + " " if j.side else ""
            out.append(f"{side}join {j.var} in {self.expr(j.source, 1)} on {self.expr(j.on, 1)}")
        if e.where is not None:
            out.append(f"where {self.expr(e.where, 1)}")
        if e.group_var is not None:
            keys = ", ".join([self.expr(k, 1) for k in e.group_keys])
            out.append(f"group by {keys} into {e.group_var}")
        for word, clause in (("having", e.having), ("sort by", e.sort), ("skip", e.skip), ("take", e.take)):
            if clause is not None:
                out.append(f"{word} {self.expr(clause, 1)}")
        out.append(f"select {'distinct ' if e.distinct else ''}{self.expr(e.select, 1)}")
        return " ".join(out)

    def logic_query(self, e: Any) -> str:
        return f"query {_pred(e.pred)}"

    def generate(self, e: Any) -> str:
        return f"generate {e.target} {{ {self.inits(e.fields)} }}"

    def options(self, e: ast.Expr | None) -> str:
        return "" if e is None else f" with {self.expr(e, 1)}"

    def fetch(self, e: Any) -> str:
        return f"fetch {self.expr(e.url, 1)}{self.options(e.options)}"

    def load(self, e: Any) -> str:
        path = "" if e.path is None else quote_string(e.path) + " "
        return f"load {path}as {print_type(e.type)}{self.options(e.options)}"

    def save(self, e: Any) -> str:
        path = "" if e.path is None else " to " + quote_string(e.path)
        return f"save {self.expr(e.source, 1)}{path}{self.options(e.options)}"

    # -- statements

    def block(self, body: list[ast.Stmt]) -> str:
        """`{ ... }` as text that goes on the current line."""
        if not body:
            return "{}"
        inner = Printer()
        inner.indent = self.indent + 1
        inner.stmts(body)
        return "{\n" + "\n".join(inner.lines) + "\n" + "  " * self.indent + "}"

    def stmts(self, body: list[ast.Stmt]) -> None:
        for s in body:
            doc = getattr(s, "doc", "")
            if doc:
                for text in doc.split("\n"):
                    self.line(f"/// {text}".rstrip())
            self.line(_STMT[type(s)](self, s))

    def var_decl(self, s: Any) -> str:
        text = f"{'export ' if s.export else ''}{'var' if s.mutable else 'let'} {s.name}"
        if s.type is not None:
            text += f": {print_type(s.type)}"
        return text if s.value is None else f"{text} = {self.expr(s.value)}"

    def assign(self, s: Any) -> str:
        return f"{self.expr(s.target)} = {self.expr(s.value)}"

    def fun_decl(self, s: Any) -> str:
        head = _header(s.tparams, s.params, s.result, s.effects)
        return f"{'export ' if s.export else ''}fun {s.name}{head} {self.block(s.body)}"

    def returning(self, s: Any) -> str:
        return "return" if s.value is None else f"return {self.expr(s.value)}"

    def if_stmt(self, s: Any) -> str:
        out = []
        while True:
            out.append(f"if {self.head(s.cond)} {self.block(s.then)}")
            if s.orelse is None:
                break
            if len(s.orelse) != 1 or type(s.orelse[0]) is not ast.If:
                out.append(self.block(s.orelse))
                break
            s = s.orelse[0]
        return " else ".join(out)

    def while_stmt(self, s: Any) -> str:
        return f"while {self.head(s.cond)} {self.block(s.body)}"

    def for_stmt(self, s: Any) -> str:
        end = "" if s.end is None else f"..{self.head(s.end)}"
        return f"for {s.var} in {self.head(s.source)}{end} {self.block(s.body)}"

    def try_stmt(self, s: Any) -> str:
        names = f"{s.var}, {s.message}" if s.message else s.var
        return f"try {self.block(s.body)} catch {names} {self.block(s.handler)}"

    def break_stmt(self, s: Any) -> str:
        return "break"

    def continue_stmt(self, s: Any) -> str:
        return "continue"

    def expr_stmt(self, s: Any) -> str:
        e = s.expr
        if isinstance(e, ast.IfExpr):
            # With braces it would be the statement, and a leading parenthesis could call the line above.
            text = f"if {self.head(e.cond)} then {self.expr(e.then, 1)}"
            return text if e.orelse is None else f"{text} else {self.expr(e.orelse, 1)}"
        return self.expr(e)

    def expect(self, s: Any) -> str:
        return f"expect {self.expr(s.expr)}"

    def test(self, s: Any) -> str:
        return f"test {quote_string(s.name)} {self.block(s.body)}"

    def bench(self, s: Any) -> str:
        return f"bench {quote_string(s.name)} {self.block(s.body)}"

    def type_decl(self, s: Any) -> str:
        head = f"{'export ' if s.export else ''}type {s.name}"
        if s.alias is not None:
            return f"{head} = {print_type(s.alias)}"
        if s.variants is not None:
            out = []
            for v in s.variants:
                fields = ", ".join(map(_field, v.fields))
                out.append(f"{v.name}({fields})" if fields else v.name if len(s.variants) > 1 else v.name + " {}")
            return f"{head} = {' | '.join(out)}"
        inner = Printer()
        inner.indent = self.indent + 1
        for f in s.fields:
            inner.line(_field(f))
        inner.stmts(s.methods)
        return f"{head} {{\n" + "\n".join(inner.lines) + "\n" + "  " * self.indent + "}"

    def import_decl(self, s: Any) -> str:
        text = f"import {s.lang + ' ' if s.lang else ''}{quote_string(s.path)}"
        if s.alias is not None:
            text += f" as {s.alias}"
        if s.auto:
            text += " auto"
        if s.effects:
            text += f" ! {', '.join(s.effects)}"
        return text

    def extern(self, s: Any) -> str:
        text = f"extern {s.lang + ' ' if s.lang else ''}{s.kind} {s.name}"
        if s.kind == "fun":
            text += f"({_params(s.params)})"
        return text if s.type is None else f"{text}: {print_type(s.type)}"

    def fact(self, s: Any) -> str:
        return f"fact {_pred(s.pred)}"

    def rule(self, s: Any) -> str:
        body = [_pred(c) if isinstance(c, ast.Pred) else f"{c[0]} != {c[1]}" for c in s.body]
        return f"rule {_pred(s.head)} :- {', '.join(body)}"

    def stream(self, s: Any) -> str:
        return f"stream {s.name} {{ {' '.join(map(_field, s.fields))} }}"

    def model(self, s: Any) -> str:
        return f"model {s.name} {{ {self.inits(s.fields, ' ')} }}"

    def on_handler(self, s: Any) -> str:
        return f"on {s.stream} as {s.var} {self.block(s.body)}"

    def emit(self, s: Any) -> str:
        return f"emit {s.stream} {{ {self.inits(s.fields)} }}"

    def intent(self, s: Any) -> str:
        return f"intent {s.name}{_header([], s.params, s.result, None)} {self.block(s.body)}"

    def agent(self, s: Any) -> str:
        return f"agent {s.name} {self.block(s.body)}"

    def fetch_stmt(self, s: Any) -> str:
        return f"fetch {self.expr(s.url, 1)} into {s.target}{self.options(s.options)}"

    def update(self, s: Any) -> str:
        where = "" if s.where is None else f" where {self.expr(s.where)}"
        return f"update {s.target} set {self.expr(s.sets)}{where}"


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

_EXPR: Final[dict[type[ast.Expr], Callable[[Printer, Any], str]]] = {
    ast.IntLit: Printer.number,
    ast.FloatLit: Printer.number,
    ast.StrLit: Printer.string,
    ast.Interpolation: Printer.string,
    ast.BoolLit: Printer.boolean,
    ast.NoneLit: Printer.none,
    ast.Ident: Printer.ident,
    ast.Unary: Printer.unary,
    ast.Call: Printer.postfix,
    ast.Index: Printer.postfix,
    ast.Slice: Printer.postfix,
    ast.Field: Printer.postfix,
    ast.Cast: Printer.cast,
    ast.ListLit: Printer.list_lit,
    ast.SetLit: Printer.set_lit,
    ast.MapLit: Printer.map_lit,
    ast.OMapLit: Printer.omap_lit,
    ast.StructLit: Printer.struct_lit,
    ast.Async: Printer.asynchronous,
    ast.IfExpr: Printer.if_expr,
    ast.FunExpr: Printer.fun_expr,
    ast.Match: Printer.match,
    ast.Query: Printer.query,
    ast.LogicQuery: Printer.logic_query,
    ast.Generate: Printer.generate,
    ast.Fetch: Printer.fetch,
    ast.Load: Printer.load,
    ast.Save: Printer.save,
}

_STMT: Final[dict[type[ast.Stmt], Callable[[Printer, Any], str]]] = {
    ast.VarDecl: Printer.var_decl,
    ast.Assign: Printer.assign,
    ast.FunDecl: Printer.fun_decl,
    ast.Return: Printer.returning,
    ast.If: Printer.if_stmt,
    ast.While: Printer.while_stmt,
    ast.For: Printer.for_stmt,
    ast.Try: Printer.try_stmt,
    ast.Break: Printer.break_stmt,
    ast.Continue: Printer.continue_stmt,
    ast.ExprStmt: Printer.expr_stmt,
    ast.Expect: Printer.expect,
    ast.TestDecl: Printer.test,
    ast.BenchDecl: Printer.bench,
    ast.TypeDecl: Printer.type_decl,
    ast.ImportDecl: Printer.import_decl,
    ast.ExternDecl: Printer.extern,
    ast.FactDecl: Printer.fact,
    ast.RuleDecl: Printer.rule,
    ast.StreamDecl: Printer.stream,
    ast.ModelDecl: Printer.model,
    ast.OnHandler: Printer.on_handler,
    ast.Emit: Printer.emit,
    ast.IntentDecl: Printer.intent,
    ast.AgentDecl: Printer.agent,
    ast.FetchStmt: Printer.fetch_stmt,
    ast.Update: Printer.update,
}
