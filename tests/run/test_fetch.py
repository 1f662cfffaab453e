"""`fetch` over http against a server in this process: methods, bodies, redirects, chunks, slowness and garbage.

Whatever a server does, the program ends in time, with the value or with a run-time error that names the URL.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import test_desktop
from test_run import EMULATED, READY, REASONS
from test_targets import need

from building import build_program
from selecting import here, slow_unless
from mochic.link.runner import command_for, find_runner
from mochic.targets import TARGETS

if TYPE_CHECKING:
    from conftest import Figures

LINUX = [t for t in READY if t.startswith("linux/")]
LIMIT = 20  # seconds that no program may take


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def anything(self) -> None:
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        if path.startswith("/moved/"):
            status = int(path[7:])
            self.reply(status, b"", Location="/echo?moved=1")
        elif path == "/relative/one":
            self.reply(302, b"", Location="two")
        elif path == "/round":
            self.reply(302, b"", Location="/round")
        elif path == "/secure":
            self.reply(302, b"", Location="https://127.0.0.1/")
        elif path == "/capitals":
            self.reply(302, b"", Location="HTTPS://127.0.0.1/")
        elif path == "/shout":
            self.reply(302, b"", Location=f"HTTP://127.0.0.1:{self.server.server_port}/echo")  # type: ignore[attr-defined]
        elif path == "/away":
            self.reply(302, b"", Location=f"http://localhost:{self.server.server_port}/echo")  # type: ignore[attr-defined]
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (b'{"a": [1,', b" 2]", b"}"):
                self.wfile.write(b"%X;x=y\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\nTrailer: 1\r\n\r\n")
        elif path == "/close":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[true, null]")
            self.close_connection = True
        elif path == "/big":
            self.reply(200, json.dumps(list(range(100_000))).encode())
        elif path == "/raw":
            self.reply(200, b'["\xc3\xa9\xf0", "\xe2\x82z", {"\xed\xa0\x80": 1}]')
        elif path == "/rawheader":
            self.reply(302, b"", Location="/echo?caf\xe9")
        elif path == "/empty":
            self.reply(204, b"")
        elif path == "/html":
            self.reply(404, b"<p>not here</p>")
        elif path == "/json404":
            self.reply(404, b'{"error": "not here"}')
        elif path == "/slow":
            time.sleep(3)
            self.reply(200, b"1")
        else:
            names = ("Authorization", "Content-Type", "X-One", "Host")
            headers = {k: self.headers[k] for k in names if self.headers[k] is not None}
            if path != "/host":
                headers.pop("Host", None)
            answer = {"method": self.command, "path": path, "query": query, "body": body, "headers": headers}
            self.reply(200, json.dumps(answer).encode())

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = anything


class Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Programs that gave up waiting have closed their connections."""


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    s = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield s.server_port
    s.shutdown()
    s.server_close()


# The program takes the URL and a number from its command line: one build serves every case.
PROGRAM = """
import go "os" as os auto
let url = os.Args[1]
let which = os.Args[2]
if which == "post" {
  print(to_json(fetch url with { method: "POST", body: { name: "Ann", list: [1, 2.5, null] } }))
} else if which == "options" {
  let q: map<string, any> = { "b c": 1, "a": "x&y=\\u00e9" }
  let h = { "X-One": "two", "Authorization": "secret" }
  print(to_json(fetch url with { method: "PUT", headers: h, query: q, timeout: 10 }))
} else if which == "timeout" {
  print(fetch url with { timeout: 0.3 })
} else if which == "max" {
  print(fetch url with { max_bytes: 1000 })
} else if which == "enough" {
  print(to_json(fetch url with { max_bytes: 1000000 }))
} else if which == "header" {
  print(fetch url with { headers: { "X-One": "a\\r\\nX-Two: b" } })
} else if which == "length" {
  fetch url into rows
  print(len(rows), rows[99999])
} else if which == "get" {
  print(to_json(fetch url))
} else {
  print(to_json(fetch url with { method: which }))
}
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], list[str]]:
    built: dict[str, list[str]] = {}

    def get(target: str) -> list[str]:
        if target not in built:
            need(target)
            folder = tmp_path_factory.mktemp("fetch")
            path = folder / "program.mochi"
            path.write_text(PROGRAM, encoding="utf-8")
            exe = build_program(path, target)
            built[target] = [*command_for(TARGETS[target]), exe]
        return built[target]

    return get


def call(program: list[str], url: str, which: str = "get") -> tuple[int, str, str]:
    env = {**os.environ, **EMULATED}
    done = subprocess.run([*program, url, which], capture_output=True, timeout=LIMIT, env=env, check=False)
    return done.returncode, done.stdout.decode().rstrip("\n"), done.stderr.decode()


def echoed(method: str, path: str, query: str = "", body: str = "", **headers: str) -> dict[str, Any]:
    names = {k.replace("_", "-"): v for k, v in headers.items()}
    return {"method": method, "path": path, "query": query, "body": body, "headers": names}


JSON = "application/json"
POSTED = '{"list":[1,2.5,null],"name":"Ann"}'
# path, what to do, value of the output
VALUES: list[tuple[str, str, Any]] = [
    ("/echo", "get", echoed("GET", "/echo")),
    ("", "get", echoed("GET", "/")),
    ("?x=1", "get", echoed("GET", "/", "x=1")),
    ("/a b?c=d#e", "get", echoed("GET", "/a%20b", "c=d")),
    ("/é", "get", echoed("GET", "/%C3%A9")),
    ("/echo", "DELETE", echoed("DELETE", "/echo")),
    ("/echo", "PATCH", echoed("PATCH", "/echo")),
    ("/echo", "OPTIONS", echoed("OPTIONS", "/echo")),
    ("/echo", "HEAD", None),
    ("/empty", "get", None),
    ("/echo", "post", echoed("POST", "/echo", "", POSTED, Content_Type=JSON)),
    ("/moved/302", "post", echoed("GET", "/echo", "moved=1")),
    ("/moved/303", "post", echoed("GET", "/echo", "moved=1")),
    ("/moved/307", "post", echoed("POST", "/echo", "moved=1", POSTED, Content_Type=JSON)),
    ("/moved/308", "post", echoed("POST", "/echo", "moved=1", POSTED, Content_Type=JSON)),
    ("/relative/one", "get", echoed("GET", "/relative/two")),
    (
        "/echo?z=0#f",
        "options",
        echoed("PUT", "/echo", "z=0&a=x%26y%3D%C3%A9&b+c=1", X_One="two", Authorization="secret"),
    ),
    ("/away", "options", echoed("GET", "/echo", X_One="two")),
    ("/chunked", "get", {"a": [1, 2]}),
    ("/close", "get", [True, None]),
    ("/shout", "get", echoed("GET", "/echo")),
    ("/big", "enough", list(range(100_000))),
    ("/json404", "get", {"error": "not here"}),
    # Bytes that are not UTF-8 are one U+FFFD each, in bodies and in headers.
    ("/raw", "get", ["é\ufffd", "\ufffd\ufffdz", {"\ufffd\ufffd\ufffd": 1}]),
    ("/rawheader", "get", echoed("GET", "/echo", "caf%EF%BF%BD")),
]
# path, what to do, part of the message
ERRORS = [
    ("/slow", "timeout", "timed out"),
    ("/big", "max", "the response is larger than 1000 bytes"),
    ("/capitals", "get", "https needs TLS"),
    ("/round", "get", "too many redirects"),
    ("/secure", "get", "https needs TLS"),
    ("/html", "get", "the server answered with the status 404"),
    ("/echo", "header", "the header is not valid"),
    ("/echo", "GE T", "the method is not valid"),
]
# URL, part of the message
BAD_URLS = [
    ("http://", "the URL names no host"),
    ("http:", "the URL names no host"),
    ("HTTP://", "the URL names no host"),
    ("hTTp:///x", "the URL names no host"),
    ("HTTPS://127.0.0.1/", "https needs TLS"),
    ("Http://127.0.0.1:1/", "connection refused"),
    ("ftp://127.0.0.1/x", "the scheme must be http, https or file"),
    ("javascript://x", "the scheme must be http, https or file"),
    ("git+ssh://x/y", "the scheme must be http, https or file"),
    ("http://:80/", "the URL names no host"),
    ("http://127.0.0.1:0/", "the port is not valid"),
    ("http://127.0.0.1:70000/", "the port is not valid"),
    ("http://127.0.0.1:99999999999999999999/", "the port is not valid"),
    ("http://127.0.0.1:x/", "the port is not valid"),
    ("http://[::1]/", "IPv6 addresses are not supported"),
    ("http://a b/", "the host's name is not valid"),
    ("http://a..b/", "the host's name is not valid"),
    ("http://" + "a" * 64 + ".example/", "the host's name is not valid"),
    ("https://127.0.0.1/", "https needs TLS"),
    ("http://127.0.0.1:1/", "connection refused"),
]
# What a server sends before it closes the connection, part of the message
OK = b"HTTP/1.1 200 OK\r\n"
GARBAGE = [
    (b"", "closed the connection"),
    (b"\x00\xff\x00\n\n", "not valid HTTP"),
    (b"HTTP/1.1 2x0 OK\r\n\r\n", "not valid HTTP"),
    (b"HTTP/1.1 200", "closed the connection"),
    (OK, "closed the connection"),
    (OK + b"no colon\r\n\r\n", "a header without a colon"),
    (OK + b"X: " + b"y" * 100_000, "a line is too long"),
    (OK + b"X: y\r\n" * 2000, "too many headers"),
    (OK + b"Content-Length: -1\r\n\r\n1", "Content-Length"),
    (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n1", "Content-Length"),
    (OK + b"Content-Length: 10\r\n\r\n[1,", "closed the connection"),
    (OK + b"Content-Length: 99999999999\r\n\r\n[1,", "larger than 268435456 bytes"),
    (OK + b"Content-Length: 3\r\n\r\n[1,", "invalid JSON"),
    (OK + b"Content-Length: 0\r\n\r\n", "invalid JSON"),
    (OK + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b", "unknown content encoding"),
    (OK + b"Transfer-Encoding: magic\r\n\r\n1", "unknown transfer encoding"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "the size of a chunk"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\n", "the size of a chunk"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n7FFFFFFFFFFF\r\n1", "larger than 268435456 bytes"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n12", "closed the connection"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n1xx", "a chunk does not end"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" * 5, "closed the connection"),
    (b"HTTP/1.1 100 Continue\r\n\r\n" * 6, "only announces"),
    (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "only announces"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1;" + b"x" * 70_000, "a line is too long"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n" + (b"1;" + b"x" * 900 + b"\r\n1\r\n") * 20, "more is said about"),
    (OK + b"Location: x\r\n" * 900 + (b"X: " + b"y" * 60_000 + b"\r\n") * 200, "too many headers"),
    (b"HTTP/1.1 302 Found\r\nLocation: mailto:x\r\n\r\n", "redirected to mailto:x"),
    (OK + b"\r\n\xff\xfe", "invalid JSON"),
]


def check_value(program: list[str], server: int, case: tuple[str, str, Any]) -> None:
    path, which, value = case
    status, out, err = call(program, f"http://127.0.0.1:{server}{path}", which)
    assert (status, err) == (0, "")
    assert json.loads(out) == value


def check_error(program: list[str], url: str, which: str, message: str) -> None:
    status, out, err = call(program, url, which)
    assert (status, out) == (1, ""), err
    assert url.partition("#")[0] in err.splitlines()[0], err
    assert message in err.splitlines()[0]


@pytest.mark.parametrize("case", VALUES, ids=lambda c: f"{c[0]}-{c[1]}")
def test_values(case: tuple[str, str, Any], server: int, programs: Callable[[str], list[str]]) -> None:
    check_value(programs("linux/amd64"), server, case)


@pytest.mark.parametrize("case", ERRORS, ids=lambda c: f"{c[0]}-{c[1]}")
def test_errors(case: tuple[str, str, str], server: int, programs: Callable[[str], list[str]]) -> None:
    path, which, message = case
    check_error(programs("linux/amd64"), f"http://127.0.0.1:{server}{path}", which, message)


@pytest.mark.parametrize("case", BAD_URLS, ids=lambda c: c[0][:40])
def test_bad_urls(case: tuple[str, str], programs: Callable[[str], list[str]]) -> None:
    check_error(programs("linux/amd64"), case[0], "get", case[1])


@pytest.fixture(scope="module")
def raw() -> Iterator[tuple[int, list[bytes]]]:
    """A server that answers every connection with the bytes in the list."""
    answer: list[bytes] = [b""]
    s = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                c, _ = s.accept()
            except OSError:
                return
            with c:
                try:
                    c.recv(65536)
                    c.sendall(answer[0])
                    c.shutdown(socket.SHUT_WR)
                    c.recv(1)
                except OSError:
                    pass

    threading.Thread(target=serve, daemon=True).start()
    yield s.getsockname()[1], answer
    s.close()


@pytest.mark.parametrize("case", range(len(GARBAGE)))
def test_garbage(case: int, raw: tuple[int, list[bytes]], programs: Callable[[str], list[str]]) -> None:
    port, answer = raw
    answer[0] = GARBAGE[case][0]
    check_error(programs("linux/amd64"), f"http://127.0.0.1:{port}/", "get", GARBAGE[case][1])


# What a server sends first, what it then sends for ever, part of the message
ENDLESS = [
    (b"", b"HTTP/1.1 100 Continue\r\n\r\n", "only announces"),
    (b"HTTP/1.1 ", b"1", "a line is too long"),
    (OK, b"X: y\r\n", "too many headers"),
    (OK + b"X: ", b"y", "a line is too long"),
    (OK + b"\r\n", b" " * 65536, "larger than 268435456 bytes"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000, "a line is too long"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1;%b\r\n1\r\n" % (b"x" * 500), "more is said about"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"10000\r\n%b\r\n" % (b" " * 65536), "larger than 268435456 bytes"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0", "a line is too long"),
]


@pytest.mark.parametrize("case", range(len(ENDLESS)))
def test_endless_responses(case: int, programs: Callable[[str], list[str]]) -> None:
    first, again, message = ENDLESS[case]
    with socket.create_server(("127.0.0.1", 0)) as s:

        def serve() -> None:
            c, _ = s.accept()
            with c, contextlib.suppress(OSError):  # until the program has had enough
                c.recv(65536)
                c.sendall(first)
                while True:
                    c.sendall(again)

        threading.Thread(target=serve, daemon=True).start()
        check_error(programs("linux/amd64"), f"http://127.0.0.1:{s.getsockname()[1]}/", "get", message)


def test_large_response(server: int, programs: Callable[[str], list[str]]) -> None:
    assert call(programs("linux/amd64"), f"http://localhost:{server}/big", "length") == (0, "100000 99999", "")


def test_user_in_url(server: int, programs: Callable[[str], list[str]]) -> None:
    status, out, err = call(programs("linux/amd64"), f"http://us%65r:pa:ss@127.0.0.1:{server}/echo")
    assert (status, err) == (0, "")
    assert json.loads(out)["headers"]["Authorization"] == "Basic dXNlcjpwYTpzcw=="


@pytest.mark.parametrize("target", slow_unless(here, [t for t in LINUX if t != "linux/amd64"]))
def test_other_machines(target: str, server: int, programs: Callable[[str], list[str]]) -> None:
    if REASONS.get(target):
        pytest.skip(REASONS[target])
    program = programs(target)
    for case in VALUES:
        if case[1] in ("post", "options") or case[0] in ("/chunked", "/close"):
            check_value(program, server, case)
    check_error(program, f"http://127.0.0.1:{server}/slow", "timeout", "timed out")
    check_error(program, "http://127.0.0.1:1/", "get", "connection refused")


# -- names of hosts

NAMESERVER = "127.0.53.1"


def dns_reply(query: bytes, answers: list[bytes], code: int = 0) -> bytes:
    head = query[:2] + bytes((0x81, 0x80 | code)) + query[4:6] + len(answers).to_bytes(2, "big") + bytes(4)
    return head + query[12:] + b"".join(answers)


def record(kind: int, data: bytes, name: bytes = b"\xc0\x0c") -> bytes:
    return name + kind.to_bytes(2, "big") + b"\0\1\0\0\0\x3c" + len(data).to_bytes(2, "big") + data


HOME = record(1, bytes((127, 0, 0, 1)))
# name of the host -> how its question is answered
ZONE: dict[str, Callable[[bytes], list[bytes]]] = {
    "plain.test": lambda q: [dns_reply(q, [HOME])],
    "alias.test": lambda q: [dns_reply(q, [record(5, b"\5plain\4test\0"), record(28, bytes(16)), HOME])],
    "spelt.test": lambda q: [dns_reply(q, [record(1, bytes((127, 0, 0, 1)), b"\5spelt\4test\0")])],
    "forged.test": lambda q: [bytes((q[0] ^ 1,)) + dns_reply(q, [HOME])[1:], b"", b"x", dns_reply(q, [HOME])],
    "missing.test": lambda q: [dns_reply(q, [], 3)],
    "empty.test": lambda q: [dns_reply(q, [])],
    "cut.test": lambda q: [dns_reply(q, [HOME])[:-2]],
    "wild.test": lambda q: [dns_reply(q, [b"\x3f" * 40, b"\xc0"])],
    "failing.test": lambda q: [dns_reply(q, [], 2)],
}


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The command in front of one that sees our name server: the first of the two it is told of does not exist."""
    folder = tmp_path_factory.mktemp("names")
    (folder / "resolv.conf").write_text(f"# none\nsearch test\nnameserver 127.0.53.9\nnameserver {NAMESERVER} # us\n")
    (folder / "hosts").write_text("# none\n127.0.0.9 other\n127.0.0.1\tbox.local  Home.Local # home\n")
    mounts = "".join(f"mount --bind '{folder / name}' /etc/{name} && " for name in ("resolv.conf", "hosts"))
    command = ["unshare", "-m", "sh", "-c", mounts + 'exec "$@"', "sh"]
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        s.bind((NAMESERVER, 53))
        subprocess.run([*command, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        s.close()
        pytest.skip("needs a mount namespace and port 53")

    def serve() -> None:
        while True:
            try:
                query, asker = s.recvfrom(1500)
            except OSError:
                return
            at, labels = 12, []
            while query[at]:
                labels.append(query[at + 1 : at + 1 + query[at]].decode())
                at += 1 + query[at]
            for reply in ZONE[".".join(labels)](query):
                s.sendto(reply, asker)

    threading.Thread(target=serve, daemon=True).start()
    yield command
    s.close()


@pytest.mark.parametrize("host", ["plain.test", "plain.test.", "alias.test", "spelt.test", "forged.test", "home.local"])
def test_names(host: str, names: list[str], server: int, programs: Callable[[str], list[str]]) -> None:
    status, out, err = call([*names, *programs("linux/amd64")], f"http://{host}:{server}/host")
    assert (status, err) == (0, "")
    assert json.loads(out)["headers"] == {"Host": f"{host}:{server}"}


@pytest.mark.parametrize("host", ["missing.test", "empty.test", "cut.test", "wild.test", "failing.test"])
def test_bad_names(host: str, names: list[str], programs: Callable[[str], list[str]]) -> None:
    message = "no such host" if host in ("missing.test", "empty.test") else "no answer about the host"
    check_error([*names, *programs("linux/amd64")], f"http://{host}/", "get", message)


# -- macOS and Windows: the same client, other sockets

DESKTOP = [t for t in test_desktop.SELECTED if t.startswith("darwin/") or find_runner(TARGETS[t])]
DESKTOP_VALUES = [VALUES[i] for i in (0, 4)] + [v for v in VALUES if v[0] in ("/moved/307", "/chunked", "/close")]


@pytest.fixture(scope="module")
def desktop(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., tuple[int, str, str]]:
    built: dict[str, str] = {}
    folder = tmp_path_factory.mktemp("desktop")
    env = {**os.environ, **test_desktop.ENVIRONMENT, "WINEPREFIX": str(folder / "wine"), "WINEDEBUG": "-all"}

    def call(target: str, url: str, which: str = "get") -> tuple[int, str, str]:
        if target not in built:
            path = folder / "program.mochi"
            path.write_text(PROGRAM, encoding="utf-8")
            place = folder / target.replace("/", "-")
            place.mkdir()
            built[target] = build_program(path, target, out=place / "program")
            if find_runner(TARGETS[target]):
                test_desktop.execute(target, built[target], folder, env, (url, which))  # Wine's first start
        return test_desktop.execute(target, built[target], folder, env, (url, which))

    return call


@pytest.mark.slow
@pytest.mark.parametrize("target", DESKTOP)
def test_desktop_sockets(
    target: str, server: int, desktop: Callable[..., tuple[int, str, str]], figures: Figures
) -> None:
    if test_desktop.REASONS[target]:
        figures.left_out[test_desktop.REASONS[target]] += 1
        pytest.skip(test_desktop.REASONS[target])
    here = f"http://localhost:{server}"
    for path, which, value in DESKTOP_VALUES:
        status, out, err = desktop(target, here + path, which)
        assert (status, err) == (0, ""), path
        assert json.loads(out) == value
    assert desktop(target, here + "/big", "length") == (0, "100000 99999\n", "")
    for url, which, message in (
        (here + "/slow", "timeout", "timed out"),
        (here + "/secure", "get", "https needs TLS"),
        ("http://127.0.0.1:1/", "get", "connection refused"),
        ("http://surely.invalid/", "get", "no such host: surely.invalid"),
    ):
        status, out, err = desktop(target, url, which)
        assert (status, out) == (1, "") and message in err.splitlines()[0], err
    figures.program("fetch", target, "O2")
