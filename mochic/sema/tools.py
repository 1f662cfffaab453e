"""Tools of `generate`: functions that the model may have called (docs/reference.md, 16).

The call of the runtime becomes a loop, made as text and parsed like the user's: ask the model; while it wants a tool,
call the function with the arguments that the model gave, cast to the types of the parameters, and say what came of it.
The model learns of a tool its name, its description, and a JSON schema of its parameters made from their types.
"""

from __future__ import annotations

from typing import Any, Final

from mochic.sema.logic import constant
from mochic.sema.symbols import FunInfo, ProgramInfo
from mochic.syntax import ast
from mochic.syntax.printer import print_type

SCALARS: Final = {
    "int": "integer", "int64": "integer", "bigint": "integer", "float": "number", "bigrat": "number",
    "string": "string", "bool": "boolean",
}  # fmt: skip
MAX_DEPTH: Final = 8  # of a type that contains itself


class Tool:
    __slots__ = ("name", "text", "fun")

    def __init__(self, name: str, text: str, fun: FunInfo) -> None:
        self.name = name
        self.text = text  # what it is good for, in the words of the program
        self.fun = fun


def schema(info: ProgramInfo, ref: ast.TypeRef | None, depth: int = 0) -> dict[str, Any]:
    """The JSON schema of the values that a declared type admits; what JSON cannot say is left open."""
    if isinstance(ref, ast.TypeOpt):
        inner = schema(info, ref.inner, depth)
        return {**inner, "type": [inner["type"], "null"]} if "type" in inner else {}
    if ref is None or depth > MAX_DEPTH:
        return {}
    ref = info.resolve_alias(ref)
    depth += 1
    if isinstance(ref, ast.TypeName):
        if ref.name in SCALARS:
            return {"type": SCALARS[ref.name]}
        st = info.struct_named(ref)
        return {} if st is None else members(info, list(st.decls.items()), depth)
    if isinstance(ref, ast.TypeStruct):
        return members(info, [(f.name, f.type) for f in ref.fields], depth)
    if isinstance(ref, ast.TypeGeneric) and ref.name == "list":
        return {"type": "array", "items": schema(info, ref.args[0], depth)}
    if isinstance(ref, ast.TypeGeneric) and ref.name == "map":
        return {"type": "object", "additionalProperties": schema(info, ref.args[-1], depth)}
    return {}


def members(info: ProgramInfo, fields: list[tuple[str, ast.TypeRef | None]], depth: int = 0) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {name: schema(info, ref, depth) for name, ref in fields},
        "required": [name for name, _ in fields],  # a cast wants all of them, none or not
    }


def loop_text(info: ProgramInfo, tools: list[Tool]) -> str:
    """The declaration of a function of prompt and parameters that answers with the help of the tools."""
    import json  # only for programs with tools

    described = []
    calls = []
    for t in tools:
        params = [(p.name, p.decl) for p in t.fun.params]
        described.append({"name": t.name, "description": t.text, "parameters": members(info, params)})
        args = []
        for name, ref in params:
            arg = f'__given["{name}"]'
            args.append(arg if ref is None else f"({arg} as {print_type(ref)})")
        calls.append(f'if __want["name"] == "{t.name}" {{ __result = {t.name}({", ".join(args)}) }} else ')
    text = constant(ast.StrLit(0, 0, json.dumps(described)))
    return f"""
let __tools = fun(__prompt: string, __options: map<string, any>): string {{
  let __chat = __chat_start(__prompt, __options, from_json({text}))
  var __want = __chat_next(__chat)
  while __want != null {{
    let __given = __want["arguments"]
    var __result: any = null
    {"".join(calls)}{{ __result = "there is no such tool" }}
    __chat_result(__chat, __want, __result)
    __want = __chat_next(__chat)
  }}
  return __chat_text(__chat)
}}
"""
