"""`generate` with tools: a server in the part of a model that asks for calls of the program's functions."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from model_server import ModelServer, model_server
from test_run import WHY_NOT

from building import build_program, write_source

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
PROGRAM = """
type Place { name: string, at: { lat: float, lon: float? } }
var asked = 0
fun weather(place: Place, days: int, detail: bool?): string {
  asked = asked + 1
  return place.name + ":" + str(place.at.lat) + ":" + str(days)
}
fun total(xs: list<int>, names: map<string, int>) {
  var n = 0
  for x in xs { n = n + x }
  return { "sum": n, "names": len(names) }
}
let answer = generate text {
  prompt: "How is it?",
  model: input() + ":m1",
  tools: [weather { description: "The \\"weather\\"" }, total]
}
print(answer, asked)
"""
PROGRAM_FOR = {
    p: PROGRAM.replace('input() + ":m1"', f'"{p}:m1"') for p in ("openai", "ollama", "claude", "cohere", "echo")
}
AT = {
    "type": "object",
    "properties": {"lat": {"type": "number"}, "lon": {"type": ["number", "null"]}},
    "required": ["lat", "lon"],
}
PLACE = {"type": "object", "properties": {"name": {"type": "string"}, "at": AT}, "required": ["name", "at"]}
TOOLS = [
    {
        "name": "weather",
        "description": 'The "weather"',
        "parameters": {
            "type": "object",
            "properties": {"place": PLACE, "days": {"type": "integer"}, "detail": {"type": ["boolean", "null"]}},
            "required": ["place", "days", "detail"],
        },
    },
    {
        "name": "total",
        "description": "",
        "parameters": {
            "type": "object",
            "properties": {
                "xs": {"type": "array", "items": {"type": "integer"}},
                "names": {"type": "object", "additionalProperties": {"type": "integer"}},
            },
            "required": ["xs", "names"],
        },
    },
]
WEATHER = {"place": {"name": "Rome", "at": {"lat": 41.9, "lon": None}}, "days": 3}
TOTAL = {"xs": [1, 2, 3], "names": {"a": 1}}
# What the functions give, as the model is told.
RESULTS = ["Rome:41.9:3", '{"names":1,"sum":6}', "there is no such tool"]


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as s:
        yield s


def ask(provider: str, server: ModelServer, folder: object, answers: list[Any]) -> tuple[int, str, str]:
    server.expect(*[json.dumps(a).encode() for a in answers])
    exe = build_program(write_source(PROGRAM_FOR[provider], folder), "linux/amd64")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LLM_", "OPENAI_"))}
    env = {**clean, "LLM_DSN": f"http://127.0.0.1:{server.server_port}?api_key=k"}
    done = subprocess.run([exe], capture_output=True, timeout=20, env=env, check=False)
    return done.returncode, done.stdout.decode().rstrip("\n"), done.stderr.decode()


def test_openai(server: ModelServer, tmp_path: object) -> None:
    def call(name: str, arguments: Any) -> Any:
        return {"id": "c_" + name, "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}

    first = {"role": "assistant", "content": None, "tool_calls": [call("weather", WEATHER), call("total", TOTAL)]}
    second = {"role": "assistant", "content": "wait", "tool_calls": [call("other", {})]}
    last = {"role": "assistant", "content": "fine"}
    answers = [{"choices": [{"message": m}]} for m in (first, second, last)]
    assert ask("openai", server, tmp_path, answers) == (0, "fine 1", "")
    user = {"role": "user", "content": "How is it?"}
    told = [
        {"role": "tool", "tool_call_id": "c_" + name, "content": text}
        for name, text in zip(("weather", "total", "other"), RESULTS, strict=True)
    ]
    said = [[user], [user, first, told[0], told[1]], [user, first, told[0], told[1], second, told[2]]]
    assert [body["messages"] for _, _, body in server.seen] == said
    assert server.seen[0][2]["tools"] == [{"type": "function", "function": t} for t in TOOLS]
    assert server.seen[0][2]["model"] == "m1"


def test_ollama(server: ModelServer, tmp_path: object) -> None:
    calls = [{"function": {"name": "weather", "arguments": WEATHER}}]
    first = {"role": "assistant", "content": "", "tool_calls": calls}
    answers = [{"message": first}, {"message": {"role": "assistant", "content": "fine"}}]
    assert ask("ollama", server, tmp_path, answers) == (0, "fine 1", "")
    told = {"role": "tool", "tool_name": "weather", "content": RESULTS[0]}
    assert server.seen[1][2]["messages"][1:] == [first, told]


def test_claude(server: ModelServer, tmp_path: object) -> None:
    def call(name: str, arguments: Any) -> Any:
        return {"type": "tool_use", "id": "c_" + name, "name": name, "input": arguments}

    content = [{"type": "text", "text": "Let me see."}, call("weather", WEATHER), call("total", TOTAL)]
    answers = [{"content": content}, {"content": [{"type": "text", "text": "fine"}]}]
    assert ask("claude", server, tmp_path, answers) == (0, "fine 1", "")
    told = [
        {"type": "tool_result", "tool_use_id": "c_weather", "content": RESULTS[0]},
        {"type": "tool_result", "tool_use_id": "c_total", "content": RESULTS[1]},
    ]
    said = [{"role": "assistant", "content": content}, {"role": "user", "content": told}]
    assert server.seen[1][2]["messages"][1:] == said
    described = [{"input_schema" if k == "parameters" else k: v for k, v in t.items()} for t in TOOLS]
    assert server.seen[0][2]["tools"] == described


def test_without_model(server: ModelServer, tmp_path: object) -> None:
    assert ask("echo", server, tmp_path, []) == (0, "How is it? 0", "")


# provider, replies, message
BAD: list[tuple[str, Any, str]] = [
    ("cohere", {}, "tools are not supported with this provider"),
    ("openai", {"choices": [{"message": {"tool_calls": [{"function": {"name": 1}}]}}]}, "a call that cannot be read"),
    (
        "openai",
        {"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}}]},
        "invalid JSON",
    ),
    (
        "openai",
        {"choices": [{"message": {"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}}]},
        "asks for tools without an end",
    ),
    ("claude", {"content": 5}, "the reply has no result in it"),
    ("claude", {"content": []}, "the reply has no result in it"),
]


@pytest.mark.parametrize("case", BAD, ids=range(len(BAD)))
def test_bad_replies(case: tuple[str, Any, str], server: ModelServer, tmp_path: object) -> None:
    provider, answer, message = case
    status, out, err = ask(provider, server, tmp_path, [answer])
    assert (status, out) == (1, "")
    assert message in err.splitlines()[0]
