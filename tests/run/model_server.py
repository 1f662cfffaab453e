"""A model provider for tests of `generate`: keeps what it is asked and answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ModelServer(ThreadingHTTPServer):
    seen: list[tuple[str, dict[str, str], Any]]  # path, headers, JSON of each request
    answers: list[bytes]  # one for each request; the last one for all further ones
    status: int

    def expect(self, *answers: bytes, status: int = 200) -> None:
        """Forget what was asked; from now on answer this."""
        self.seen, self.answers, self.status = [], list(answers), status


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, ModelServer)
        size = int(self.headers["Content-Length"])
        server.seen.append((self.path, dict(self.headers), json.loads(self.rfile.read(size))))
        body = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        self.send_response(server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def model_server() -> Iterator[ModelServer]:
    s = ModelServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=s.serve_forever, daemon=True).start()
    yield s
    s.shutdown()
    s.server_close()
