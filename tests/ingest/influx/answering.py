"""Servers that answer as a test says, where no real one can be brought to."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answering = Callable[[BaseHTTPRequestHandler], None]


class _Server(ThreadingHTTPServer):
    """Says nothing of clients that go away, or do not like its certificate."""

    def handle_error(self, *_: Any) -> None:
        pass


@contextmanager
def answering(answer: Answering, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """The address of a server that answers GET and POST like this."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 10

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            answer(self)

        do_POST = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def saying(body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Answering:
    """The same to everybody."""

    def answer(asked: BaseHTTPRequestHandler) -> None:
        asked.send_response(status)
        for name, value in (headers or {}).items():
            asked.send_header(name, value)
        if status != 204:
            asked.send_header("Content-Length", str(len(body)))
        asked.end_headers()
        if status != 204:
            asked.wfile.write(body)

    return answer


def by_path(pages: Mapping[str, Answering]) -> Answering:
    """By the beginning of what is asked for; 404 elsewhere."""

    def answer(asked: BaseHTTPRequestHandler) -> None:
        for path, one in pages.items():
            if asked.path.startswith(path):
                one(asked)
                return
        saying(b"404 page not found\n", 404)(asked)

    return answer
