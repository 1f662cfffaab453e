"""Streams, agents and logic in terms of the rest of the language (docs/reference.md, 16).

A stream is a struct type for its events and a list of handlers; `on` adds a closure to that list, `emit` makes the
event and calls all of them, in the order in which they were registered, before the program goes on.  An agent is a
struct type: its variables are the fields, its intents and handlers the methods, in which fields are variables; a
function makes an instance and registers its handlers.  Facts, rules and queries: see `logic`.  `generate` is a call
of the runtime with a map of parameters, in which the fields of the model come first.

Names that begin with `#` cannot clash with the user's.
"""

from __future__ import annotations

from mochic.diag.diagnostic import make
from mochic.sema import logic, tools as tool_calls
from mochic.sema.infer.context import Infer
from mochic.sema.infer.expressions import struct_literal
from mochic.sema.infer.imports import is_type
from mochic.sema.symbols import FunInfo
from mochic.sema.types import Slot
from mochic.syntax import ast
from mochic.syntax.parser import parse

_DECLARATIONS = (
    ast.StreamDecl, ast.AgentDecl, ast.ModelDecl, ast.FactDecl, ast.RuleDecl,
)  # fmt: skip


def expanded(inf: Infer, body: list[ast.Stmt]) -> list[ast.Stmt]:
    """The statements of a file's top level, declarations of streams, agents and logic replaced."""
    if not any(isinstance(st, _DECLARATIONS) for st in body):
        return body
    out: list[ast.Stmt] = []
    body = [st for st in body if is_sound(inf, st)]
    text = logic.program_text(body, inf.diags)
    for st in body:
        if isinstance(st, ast.FactDecl):
            inf.relations[logic.relation(st.pred)] = None
        elif isinstance(st, ast.RuleDecl):
            inf.relations[logic.relation(st.head)] = None
    if text:
        out += parsed(inf, text)
    for st in body:
        if isinstance(st, ast.StreamDecl):
            out += stream_code(inf, st)
        elif isinstance(st, ast.AgentDecl):
            out += agent_code(inf, st)
        elif isinstance(st, ast.ModelDecl):
            out += model_code(inf, st)
        elif isinstance(st, ast.FactDecl):
            added = make_call(st, logic.relation(st.pred) + "_fact", [ast.ListLit(st.lo, st.hi, st.pred.terms)])
            out.append(ast.ExprStmt(st.lo, st.hi, added))
        elif not isinstance(st, ast.RuleDecl):
            out.append(st)
    return out


def is_sound(inf: Infer, st: ast.Stmt) -> bool:
    """Not a fact with variables, which is reported."""
    return not isinstance(st, ast.FactDecl) or logic.check_fact(st, inf.diags)


def parsed(inf: Infer, text: str) -> list[ast.Stmt]:
    """Statements made by us; types mean in them what they mean here."""
    file = inf.info.sources.add("<made>", text.encode())
    inf.info.tables[file] = inf.types
    program, diags = parse(file)
    assert not diags, diags
    return program.body


# -- streams ----------------------------------------------------------------------------------------


def stream_code(inf: Infer, st: ast.StreamDecl) -> list[ast.Stmt]:
    inf.streams[st.name] = st
    lo, hi = st.lo, st.hi
    handlers = f"#on.{st.name}"
    event = ast.Ident(lo, hi, "#event")
    each: list[ast.Stmt] = [ast.ExprStmt(lo, hi, make_call(st, "#handler", [event]))]
    body: list[ast.Stmt] = [ast.For(lo, hi, "#handler", ast.Ident(lo, hi, handlers), None, each)]
    return [
        ast.TypeDecl(lo, hi, st.name, st.fields, [], None, None, ""),
        ast.VarDecl(lo, hi, handlers, None, ast.ListLit(lo, hi, []), True, ""),
        make_function(st, f"#emit.{st.name}", [ast.Param(lo, hi, "#event", None)], None, body),
    ]


def add_handler(at: ast.OnHandler, fn: ast.Expr) -> ast.Stmt:
    """fn is called for every event of the stream from here on."""
    lo, hi = at.lo, at.hi
    name = f"#on.{at.stream}"
    value = make_call(at, "append", [ast.Ident(lo, hi, name), fn])
    return ast.Assign(lo, hi, ast.Ident(lo, hi, name), value)


def known_stream(inf: Infer, at: ast.Node, name: str) -> bool:
    if name not in inf.streams:
        inf.diags.append(make("T031", at.lo, at.hi, name))
        return False
    return True


def on_code(inf: Infer, st: ast.OnHandler) -> list[ast.Stmt]:
    if not known_stream(inf, st, st.stream):
        return []
    params = [ast.Param(st.lo, st.hi, st.var, None)]
    return [add_handler(st, ast.FunExpr(st.lo, st.hi, [], params, None, None, st.body, None))]


def emit_code(inf: Infer, st: ast.Emit) -> list[ast.Stmt]:
    if not known_stream(inf, st, st.stream):
        return []
    types = {f.name: f.type for f in inf.streams[st.stream].fields}
    fields = []
    for f in st.fields:
        value = f.value
        if f.name in types:  # the fields' types convert
            value = ast.Cast(value.lo, value.hi, value, types[f.name], value.lo)
        fields.append(ast.FieldInit(f.lo, f.hi, f.name, value))
    event = ast.StructLit(st.lo, st.hi, st.stream, fields)
    return [ast.ExprStmt(st.lo, st.hi, make_call(st, f"#emit.{st.stream}", [event]))]


# -- agents -----------------------------------------------------------------------------------------


def agent_code(inf: Infer, st: ast.AgentDecl) -> list[ast.Stmt]:
    inf.agents[st.name] = st
    lo, hi = st.lo, st.hi
    fields: list[ast.FieldDecl] = []
    methods: list[ast.FunDecl] = []
    make_it: list[ast.Stmt] = []
    register: list[ast.Stmt] = []
    inits: list[ast.FieldInit] = []
    me = "#me"
    for x in st.body:
        if isinstance(x, ast.VarDecl):
            fields.append(ast.FieldDecl(x.lo, x.hi, x.name, x.type or any_type(x)))
            inits.append(ast.FieldInit(x.lo, x.hi, x.name, ast.Ident(x.lo, x.hi, x.name)))
            make_it.append(ast.VarDecl(x.lo, x.hi, x.name, x.type, x.value, True, ""))
        elif isinstance(x, ast.IntentDecl):
            methods.append(make_function(x, x.name, x.params, x.result, x.body))
        elif isinstance(x, ast.OnHandler):
            if known_stream(inf, x, x.stream):
                name = f"#on{len(methods)}"
                methods.append(make_function(x, name, [ast.Param(x.lo, x.hi, x.var, None)], None, x.body))
                method = ast.Field(x.lo, x.hi, ast.Ident(x.lo, x.hi, me), name, False, x.lo)
                event = ast.Ident(x.lo, x.hi, "#event")
                params = [ast.Param(x.lo, x.hi, "#event", None)]
                code = ast.Call(x.lo, x.hi, method, [event], x.lo)
                register.append(add_handler(x, ast.FunExpr(x.lo, x.hi, [], params, None, None, None, code)))
        else:
            make_it.append(x)
    make_it.append(ast.VarDecl(lo, hi, me, None, ast.StructLit(lo, hi, st.name, inits), False, ""))
    make_it += register
    make_it.append(ast.Return(lo, hi, ast.Ident(lo, hi, me)))
    return [
        ast.TypeDecl(lo, hi, st.name, fields, methods, None, None, ""),
        make_function(st, f"#new.{st.name}", [], None, make_it),
    ]


def struct_or_agent(inf: Infer, e: ast.StructLit) -> Slot:
    maker = f"#new.{e.name}"
    if e.name not in inf.agents or (inf.fun is not None and inf.fun.name == maker):
        return struct_literal(inf, e)
    for f in e.fields:
        inf.error("T026", f.lo, f.hi, f.name, e.name)
    made = make_call(e, maker, [])
    e.ref = made
    return inf.expr(made)


# -- logic ------------------------------------------------------------------------------------------


def logic_query(inf: Infer, e: ast.LogicQuery) -> Slot:
    text = logic.query_text(e.pred, logic.relation(e.pred) in inf.relations)
    st = parsed(inf, f"let q = {text}")[0]
    assert isinstance(st, ast.VarDecl) and st.value is not None
    outer = inf.scope
    inf.scope = inf.root
    t = inf.expr(st.value)
    inf.scope = outer
    e.code = st.value
    return t


# -- models -----------------------------------------------------------------------------------------

PROVIDERS = ("echo", "openai", "grok", "mistral", "chutes", "llamacpp", "ollama", "claude", "cohere", "gemini")


def model_code(inf: Infer, st: ast.ModelDecl) -> list[ast.Stmt]:
    """Its fields are evaluated where it stands, once."""
    inf.models[st.name] = st
    made: list[ast.Stmt] = []
    for f in st.fields:
        if not is_constant(f.value):
            name = f"__model_{st.name}_{f.name}"
            made.append(ast.VarDecl(f.lo, f.hi, name, None, f.value, False, ""))
            f.value = ast.Ident(f.value.lo, f.value.hi, name)
    return made


def generate(inf: Infer, e: ast.Generate) -> Slot:
    what = "text" if e.target == "embedding" else "prompt"
    params: dict[str, ast.Expr] = {}
    source = None
    for f in e.fields:
        if f.name == "model":
            use_model(inf, f.value, params)
    for f in e.fields:
        if f.name == what:
            source = f.value
        elif f.name != "model":
            params[f.name] = f.value
    if source is None:
        for v in params.values():
            inf.expr(v)
        inf.diags.append(make("T053", e.lo, e.hi, f"generate {e.target}", what))
        return Slot()
    provider = params.get("provider")
    if isinstance(provider, ast.StrLit) and provider.value not in PROVIDERS:
        inf.error("M008", provider.lo, provider.hi, provider.value, ", ".join(PROVIDERS))
    tools = tools_of(inf, params.pop("tools")) if e.target != "embedding" and "tools" in params else []
    entries: list[tuple[ast.Expr, ast.Expr]] = [(ast.StrLit(e.lo, e.lo, k), v) for k, v in params.items()]
    options = ast.Cast(e.lo, e.hi, ast.MapLit(e.lo, e.hi, entries), map_type(e), e.lo)
    inf.checks.append(("T008", source.lo, source.hi, ast.TypeName(e.lo, e.hi, "string"), inf.expr(source)))
    inf.info.network.fetches = True
    value: ast.Expr = make_call(e, "#embedding" if e.target == "embedding" else "#generate", [source, options])
    if tools:
        made = parsed(inf, tool_calls.loop_text(inf.info, tools))[0]
        assert isinstance(made, ast.VarDecl) and made.value is not None
        value = ast.Call(e.lo, e.hi, made.value, [source, options], e.lo)
    if e.target not in ("embedding", "text"):
        if not is_type(inf, e.target):
            inf.error("T025", e.lo, e.hi, e.target)
        value = ast.Cast(e.lo, e.hi, make_call(e, "from_json", [value]), ast.TypeName(e.lo, e.hi, e.target), e.lo)
    e.code = value
    return inf.expr(value)


def tools_of(inf: Infer, e: ast.Expr) -> list[tool_calls.Tool]:
    """`[f, g { description: "..." }]`: functions, and what to tell the model about them."""
    if not isinstance(e, ast.ListLit):
        inf.unsupported(e, "`tools` that are not written as a list")
        return []
    found = []
    for t in e.elems:
        name, text = "", ""
        if isinstance(t, ast.Ident):
            name = t.name
        elif isinstance(t, ast.StructLit):
            name = t.name
            for f in t.fields:
                if f.name != "description":
                    inf.error("T026", f.lo, f.hi, f.name, name)
                elif isinstance(f.value, ast.StrLit):
                    text = f.value.value
                else:
                    inf.unsupported(f.value, "a description that is not a literal")
        fun = inf.lookup(name) if name else None
        if isinstance(fun, FunInfo):
            found.append(tool_calls.Tool(name, text, fun))
        else:
            inf.error("T004", t.lo, t.hi, name or "this tool")
    return found


def use_model(inf: Infer, model: ast.Expr, params: dict[str, ast.Expr]) -> None:
    """The parameters that `model: m` stands for: a declared model, `provider:name`, or the name of a model."""
    if isinstance(model, ast.Ident) and model.name in inf.models:
        params.update({f.name: f.value for f in inf.models[model.name].fields})
    elif isinstance(model, ast.StrLit):
        head, colon, name = model.value.partition(":")
        if head in inf.models:
            params.update({f.name: f.value for f in inf.models[head].fields})
            if colon:
                params["name"] = ast.StrLit(model.lo, model.hi, name)
        elif colon:
            params["provider"] = ast.StrLit(model.lo, model.hi, head)  # known or not
            params["name"] = ast.StrLit(model.lo, model.hi, name)
        else:
            params["name"] = model
    else:
        params["name"] = model


# -- pieces of the tree -----------------------------------------------------------------------------


def any_type(at: ast.Node) -> ast.TypeRef:
    return ast.TypeName(at.lo, at.hi, "any")


def map_type(at: ast.Node) -> ast.TypeRef:
    return ast.TypeGeneric(at.lo, at.hi, "map", [ast.TypeName(at.lo, at.hi, "string"), any_type(at)])


def make_call(at: ast.Node, name: str, args: list[ast.Expr]) -> ast.Call:
    return ast.Call(at.lo, at.hi, ast.Ident(at.lo, at.hi, name), args, at.lo)


def make_function(
    at: ast.Node, name: str, params: list[ast.Param], result: ast.TypeRef | None, body: list[ast.Stmt]
) -> ast.FunDecl:
    return ast.FunDecl(at.lo, at.hi, name, at.lo, [], params, result, None, body, False, "")


def is_constant(e: ast.Expr) -> bool:
    """A literal, or a list of literals: the same wherever it stands."""
    if isinstance(e, ast.ListLit):
        return all(is_constant(x) for x in e.elems)
    return isinstance(e, (ast.StrLit, ast.IntLit, ast.FloatLit, ast.BoolLit))
