"""`fetch` and `generate` over https, against servers in this process with certificates made for the occasion.

The authority of the certificates is known to programs through SSL_CERT_FILE only.  Whatever is wrong with a
certificate, the program must not speak to the server.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

import pytest
import test_fetch
from test_run import HOST, WHY_NOT

from building import build_program, write_source
from mochic import driver
from mochic.link.tools import which
from mochic.options import Options

if TYPE_CHECKING:
    from conftest import Figures

LIMIT: Final = 20
PROGRAM: Final = """
import go "os" as os auto
let url = os.Args[1]
if len(os.Args) > 2 {
  let headers = { "Authorization": "secret" }
  print(to_json(fetch url with { method: "POST", body: { n: 1 }, headers: headers, timeout: 2.0 }))
} else {
  print(to_json(fetch url))
}
"""
GENERATE: Final = """
print(generate text { prompt: "hello" })
"""


def reason() -> str:
    if WHY_NOT:
        return WHY_NOT
    if not HOST.startswith("linux/"):
        return "programs for this system have no TLS"
    if not which("openssl"):
        return "certificates are made with openssl"
    places = ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu")
    if not any(os.path.exists(os.path.join(d, "libssl.so.3")) for d in places):
        return "https needs libssl.so.3"
    return ""


REASON: Final = reason()


@pytest.fixture(autouse=True)
def needed(figures: Figures) -> None:
    if REASON:
        figures.left_out[REASON] += 1
        pytest.skip(REASON)


class Certificates:
    """An authority, and certificates with keys by name, as files of a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.authority("ca")
        self.authority("stranger")
        self.make("good", "ca", "DNS:localhost,IP:127.0.0.1")
        self.make("other", "ca", "DNS:other.example")
        self.make("unknown", "stranger", "DNS:localhost,IP:127.0.0.1")
        self.make("old", "ca", "DNS:localhost,IP:127.0.0.1", "0")

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, cwd=self.folder, capture_output=True)

    def authority(self, name: str) -> None:
        self.openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
            "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem",
        )  # fmt: skip

    def make(self, name: str, by: str, hosts: str, days: str = "2") -> None:
        self.openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
            "-keyout", f"{name}.key", "-out", f"{name}.csr",
        )  # fmt: skip
        with open(self.path(f"{name}.ext"), "w", encoding="ascii") as f:
            f.write(f"subjectAltName={hosts}\n")
        self.openssl(
            "x509", "-req", "-in", f"{name}.csr", "-CA", f"{by}.pem", "-CAkey", f"{by}.key", "-CAcreateserial",
            "-days", days, "-extfile", f"{name}.ext", "-out", f"{name}.pem",
        )  # fmt: skip


class Handler(test_fetch.Handler):
    def anything(self) -> None:
        server: Any = self.server
        server.seen.append(self.path)
        if self.path == "/cut":
            # No length, and no farewell of TLS: what came may not be all.
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"a": 1}')
            self.wfile.flush()
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            os.close(self.connection.detach())
            self.close_connection = True
        elif self.path == "/farewell":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"[true, null]")
            self.wfile.flush()
            self.connection.unwrap()  # type: ignore[attr-defined]
            self.close_connection = True
        elif self.path == "/down":
            self.reply(302, b"", Location=server.plain + "/echo")
        elif self.path.endswith("/chat/completions"):
            self.rfile.read(int(self.headers["Content-Length"]))
            answer = {"choices": [{"message": {"role": "assistant", "content": "over TLS"}}]}
            self.reply(200, json.dumps(answer).encode())
        else:
            super().anything()

    do_GET = do_POST = anything


class Server(ThreadingHTTPServer):
    seen: list[str]
    plain: str

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Programs that do not like a certificate close the connection."""


class Redirect(test_fetch.Handler):
    target = ""

    def anything(self) -> None:
        if self.path == "/echo":
            super().anything()
        else:
            self.reply(307, b"", Location=self.target + "/echo")

    do_GET = do_POST = anything


def serve(handler: Any, certificate: str = "", **limits: Any) -> Server:
    s = Server(("127.0.0.1", 0), handler)
    s.seen = []
    s.plain = ""
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate + ".pem", certificate + ".key")
        for name, value in limits.items():
            setattr(context, name, value)
        s.socket = context.wrap_socket(s.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    return s


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if REASON:
        pytest.skip(REASON)
    return Certificates(str(tmp_path_factory.mktemp("certificates")))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Server]:
    s = serve(Handler, certificates.path("good"))
    plain = serve(Redirect)
    Redirect.target = f"https://localhost:{s.server_port}"
    s.plain = f"http://localhost:{plain.server_port}"
    yield s
    for x in (s, plain):
        x.shutdown()
        x.server_close()


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> str:
    if REASON:
        pytest.skip(REASON)
    return build_program(write_source(PROGRAM, tmp_path_factory.mktemp("https")), https="yes", verify=True)


def run(program: str, certificates: Certificates, *arguments: str, **env: str) -> tuple[int, str, str]:
    known = {"SSL_CERT_FILE": certificates.path("ca.pem"), "SSL_CERT_DIR": certificates.path("none")}
    done = subprocess.run(
        [program, *arguments], capture_output=True, env={**os.environ, **known, **env}, timeout=LIMIT, check=False
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("stress", ["", "1"])
def test_good(host: str, stress: str, server: Server, program: str, certificates: Certificates) -> None:
    url = f"https://{host}:{server.server_port}/echo"
    env = {"MOCHI_GC_STRESS": stress} if stress else {}
    status, out, err = run(program, certificates, url, "post", **env)
    assert (status, err) == (0, "")
    answer = json.loads(out)
    assert (answer["method"], answer["body"], answer["headers"]["Authorization"]) == ("POST", '{"n":1}', "secret")
    for path, length in (("/big", 100_000), ("/farewell", 2), ("/chunked", 1)):
        status, out, err = run(program, certificates, f"https://{host}:{server.server_port}{path}")
        assert (status, err) == (0, "") and len(json.loads(out)) == length


@pytest.mark.parametrize(
    ("certificate", "host", "message"),
    [
        ("other", "localhost", "ostname mismatch"),
        ("other", "127.0.0.1", "IP address mismatch"),
        ("unknown", "localhost", "unable to get local issuer certificate"),
        ("old", "localhost", "certificate has expired"),
    ],
)
def test_bad_certificates(certificate: str, host: str, message: str, program: str, certificates: Certificates) -> None:
    s = serve(Handler, certificates.path(certificate))
    status, out, err = run(program, certificates, f"https://{host}:{s.server_port}/echo", "post")
    assert (status, out) == (1, "")
    assert "the server's certificate is not accepted: " in err and message in err.splitlines()[0]
    assert s.seen == []
    s.shutdown()
    s.server_close()


def test_without_authority(server: Server, program: str, certificates: Certificates) -> None:
    before = len(server.seen)
    url = f"https://localhost:{server.server_port}/echo"
    status, out, err = run(program, certificates, url, SSL_CERT_FILE=certificates.path("none"))
    assert (status, out) == (1, "") and "the server's certificate is not accepted" in err
    assert len(server.seen) == before


def test_redirects(server: Server, program: str, certificates: Certificates) -> None:
    """Into TLS and out of it; credentials stay behind in both."""
    for url in (server.plain + "/away", f"https://localhost:{server.server_port}/down"):
        status, out, err = run(program, certificates, url, "post")
        assert (status, err) == (0, "")
        answer = json.loads(out)
        assert answer["path"] == "/echo" and "Authorization" not in answer["headers"]


def test_cut_short(server: Server, program: str, certificates: Certificates) -> None:
    status, out, err = run(program, certificates, f"https://localhost:{server.server_port}/cut")
    assert (status, out) == (1, "")
    assert "TLS: " in err or "reset" in err


def test_old_protocol(program: str, certificates: Certificates) -> None:
    with pytest.warns(DeprecationWarning):
        s = serve(
            Handler,
            certificates.path("good"),
            minimum_version=ssl.TLSVersion.TLSv1,
            maximum_version=ssl.TLSVersion.TLSv1_1,
        )
    status, out, err = run(program, certificates, f"https://localhost:{s.server_port}/echo")
    assert (status, out) == (1, "") and "TLS: " in err
    s.shutdown()
    s.server_close()


def test_not_tls(server: Server, program: str, certificates: Certificates) -> None:
    url = server.plain.replace("http:", "https:") + "/echo"
    status, out, err = run(program, certificates, url)
    assert (status, out) == (1, "") and "TLS: " in err


def test_silence(program: str, certificates: Certificates) -> None:
    """A server that accepts and says nothing: the timeout ends the wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://localhost:{listener.getsockname()[1]}/echo"
        status, out, err = run(program, certificates, url, "post")
    assert (status, out) == (1, "") and "timed out" in err


def test_generate(server: Server, certificates: Certificates, tmp_path: os.PathLike[str]) -> None:
    exe = build_program(write_source(GENERATE, tmp_path), https="yes", verify=True)
    dsn = f"https://localhost:{server.server_port}/v1?api_key=k"
    assert run(exe, certificates, LLM_PROVIDER="openai", LLM_DSN=dsn) == (0, "over TLS\n", "")


def needs_library(exe: str) -> bool:
    with open(exe, "rb") as f:
        return b"libssl.so.3\0" in f.read()


def test_choice(tmp_path: os.PathLike[str], certificates: Certificates) -> None:
    """The library comes in where a text of the program is an https URL, or when it is asked for."""

    def built(text: str, https: str) -> str:
        return build_program(write_source(text, tmp_path), https=https, verify=True)

    indirect = 'let place = "https://localhost:1"\nprint(fetch place + "/")\n'
    unknown = PROGRAM
    assert needs_library(built(indirect, "auto"))
    assert not needs_library(built(indirect, "no"))
    exe = built(unknown, "auto")
    assert not needs_library(exe)
    status, out, err = run(exe, certificates, "https://localhost:1/")
    assert (status, out) == (1, "") and "--https=yes" in err.splitlines()[0]
    assert needs_library(built(unknown, "yes"))
    assert not needs_library(built('print("https://example.com/")\n', "auto"))
    assert not needs_library(built("print(1)\n", "yes"))


@pytest.mark.parametrize(
    ("target", "https"), [("windows/amd64", "auto"), ("darwin/arm64", "auto"), ("linux/amd64", "no")]
)
def test_refusal(target: str, https: str, tmp_path: os.PathLike[str], capsys: pytest.CaptureFixture[str]) -> None:
    path = os.path.join(str(tmp_path), "t.mochi")
    with open(path, "w", encoding="utf-8") as f:
        f.write('let x = fetch "https://localhost/"\n')
    opt = Options(target)
    opt.out = os.path.join(str(tmp_path), "t")
    opt.https = https
    assert driver.guarded(lambda: driver.build(path, opt)) == 1
    err = capsys.readouterr().err
    assert "error[M014]" in err and "t.mochi:1:15" in err
