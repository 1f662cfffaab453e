"""`generate` against a server that speaks as the providers do: its requests, and what becomes of the replies."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from model_server import ModelServer, model_server
from test_run import WHY_NOT

from building import build_program

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)
PROGRAM = """
model warm { provider: "PROVIDER" name: "m1" temperature: 0.5 stop: ["END"] }
type Point { x: int, y: float }
let prompt = input()
if prompt == "embed" {
  print(generate embedding { text: "hi", model: "PROVIDER:e1", normalize: true })
} else if prompt == "struct" {
  print(generate Point { prompt: prompt })
} else if prompt == "warm" {
  print(generate text { prompt: prompt, model: warm, max_tokens: 7, top_p: 1.0 })
} else {
  print(generate text { prompt: prompt })
}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as s:
        yield s


def reply(provider: str, text: str) -> Any:
    """How each provider says a text."""
    if provider == "ollama":
        return {"message": {"role": "assistant", "content": text}}
    if provider == "claude":
        return {"content": [{"type": "text", "text": text}]}
    if provider == "cohere":
        return {"text": text}
    if provider == "gemini":
        return {"candidates": [{"content": {"parts": [{"text": text}]}}]}
    return {"choices": [{"message": {"role": "assistant", "content": text}}]}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"": str(tmp_path_factory.mktemp("generate"))}


def ask(programs: dict[str, str], provider: str, prompt: str, **env: str) -> tuple[int, str, str]:
    exe = programs.get(provider)
    if exe is None:
        folder = os.path.join(programs[""], provider)
        os.mkdir(folder)
        source = os.path.join(folder, "program.mochi")
        with open(source, "w", encoding="utf-8") as f:
            f.write(PROGRAM.replace("PROVIDER", provider))
        exe = programs[provider] = build_program(source, "linux/amd64")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("LLM_", "OPENAI_"))}
    done = subprocess.run(
        [exe], input=prompt.encode(), capture_output=True, timeout=20, env={**clean, **env}, check=False
    )
    return done.returncode, done.stdout.decode().rstrip("\n"), done.stderr.decode()


MESSAGES = [{"role": "user", "content": "warm"}]
WARM = {"temperature": 0.5, "max_tokens": 7, "top_p": 1.0}
OPEN = {"model": "m1", "messages": MESSAGES, "stop": ["END"], **WARM}
BEARER = ("Authorization", "Bearer k1")
OPTIONS = {"temperature": 0.5, "num_predict": 7, "top_p": 1.0, "stop": ["END"]}
GEMINI = {"temperature": 0.5, "maxOutputTokens": 7, "topP": 1.0, "stopSequences": ["END"]}
# provider, query of the DSN, path asked, a header, the request
Chat = tuple[str, str, str, tuple[str, str | None], Any]
CHATS: list[Chat] = [
    ("openai", "?api_key=k1", "/b/chat/completions", BEARER, OPEN),
    ("grok", "?api_key=k1", "/b/chat/completions", BEARER, OPEN),
    ("mistral", "?api_key=k1", "/b/chat/completions", BEARER, OPEN),
    ("chutes", "?api_token=k1", "/b/chat/completions", BEARER, OPEN),
    ("llamacpp", "", "/b/chat/completions", ("Authorization", None), OPEN),
    (
        "ollama",
        "",
        "/b/chat",
        ("Authorization", None),
        {"model": "m1", "messages": MESSAGES, "stream": False, "options": OPTIONS},
    ),
    (
        "claude",
        "?api_key=k1&version=v2",
        "/b/messages",
        ("anthropic-version", "v2"),
        {"model": "m1", "messages": MESSAGES, "stop_sequences": ["END"], **WARM},
    ),
    (
        "cohere",
        "?api_key=k1",
        "/b/chat",
        BEARER,
        {
            "model": "m1",
            "message": "warm",
            "p": 1.0,
            "temperature": 0.5,
            "max_tokens": 7,
            "stop_sequences": ["END"],
        },
    ),
    (
        "gemini",
        "?api_key=k1",
        "/b/m1:generateContent?key=k1",
        ("Authorization", None),
        {"contents": [{"role": "user", "parts": [{"text": "warm"}]}], "generationConfig": GEMINI},
    ),
]


def dsn(server: ModelServer, query: str = "") -> str:
    return f"http://127.0.0.1:{server.server_port}/b{query}"


@pytest.mark.parametrize("case", CHATS, ids=lambda c: c[0])
def test_chat(case: Chat, server: ModelServer, programs: dict[str, str]) -> None:
    provider, query, path, (header, value), request = case
    server.expect(json.dumps(reply(provider, 'héllo "you"')).encode())
    assert ask(programs, provider, "warm", LLM_DSN=dsn(server, query)) == (0, 'héllo "you"', "")
    asked, headers, body = server.seen[0]
    assert (asked, headers.get(header), body) == (path, value, request)


def test_environment(server: ModelServer, programs: dict[str, str]) -> None:
    """Provider, place and model from the environment; a struct from the reply."""
    server.expect(json.dumps(reply("openai", '{"x": 3, "y": 4}')).encode())
    env = {"LLM_PROVIDER": "openai", "LLM_DSN": dsn(server), "LLM_MODEL": "m9", "OPENAI_API_KEY": "k2"}
    status, out, err = ask(programs, "openai", "struct", **env)
    assert (status, out, err) == (0, '{"__name": "Point", "x": 3, "y": 4.0}', "")
    _, headers, body = server.seen[0]
    assert headers["Authorization"] == "Bearer k2"
    assert body == {"model": "m9", "messages": [{"role": "user", "content": "struct"}]}


def test_echo_without_environment(programs: dict[str, str]) -> None:
    assert ask(programs, "openai", "as it was") == (0, "as it was", "")


@pytest.mark.parametrize(
    ("provider", "answer", "path"),
    [
        ("openai", {"data": [{"embedding": [3, 4.0]}]}, "/b/embeddings"),
        ("ollama", {"embeddings": [[3, 4.0]]}, "/b/embed"),
    ],
)
def test_embedding(provider: str, answer: Any, path: str, server: ModelServer, programs: dict[str, str]) -> None:
    server.expect(json.dumps(answer).encode())
    status, out, err = ask(programs, provider, "embed", LLM_DSN=dsn(server, "?api_key=k"))
    assert (status, out, err) == (0, "[0.6, 0.8]", "")
    asked, _, body = server.seen[0]
    assert (asked, body) == (path, {"model": "e1", "input": "hi"})


# status and body of the reply, message
BAD = [
    (401, b'{"error": "no such key"}', 'the server answered with the status 401: {"error": "no such key"}'),
    (200, b"<html>", "invalid JSON"),
    (200, b"[]", "the reply has no result in it"),
    (200, b'{"choices": []}', "the reply has no result in it"),
    (200, b'{"choices": [{"message": {"content": 5}}]}', "the reply has no result in it"),
    (500, b"\xff" * 1000, "the server answered with the status 500"),
]


@pytest.mark.parametrize("case", BAD, ids=range(len(BAD)))
def test_bad_replies(case: tuple[int, bytes, str], server: ModelServer, programs: dict[str, str]) -> None:
    status, answer, message = case
    server.expect(answer, status=status)
    status, out, err = ask(programs, "openai", "warm", LLM_DSN=dsn(server, "?api_key=secret1"))
    assert (status, out) == (1, "")
    assert message in err.splitlines()[0]
    assert "secret1" not in err


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"LLM_PROVIDER": "nobody"}, "unknown provider: nobody"),
        ({"LLM_PROVIDER": "openai"}, "the DSN has no api_key"),
        ({"LLM_PROVIDER": "openai", "OPENAI_API_KEY": "k"}, "https needs TLS"),
        ({"LLM_PROVIDER": "chutes"}, "the DSN must name the service"),
        ({"LLM_PROVIDER": "ollama", "LLM_DSN": "ftp://x"}, "the DSN must be an http URL"),
        ({"LLM_PROVIDER": "ollama", "LLM_DSN": "http://127.0.0.1:1"}, "connection refused"),
    ],
)
def test_bad_environment(env: dict[str, str], message: str, programs: dict[str, str]) -> None:
    status, out, err = ask(programs, "openai", "plain", **env)
    assert (status, out) == (1, "")
    assert message in err.splitlines()[0]
