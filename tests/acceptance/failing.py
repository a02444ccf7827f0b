"""Real failures to order: a table that takes no rows, and a partner that answers 500 with what it was sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from hub.store.engine import open_engine, sqlite_url


@contextmanager
def unwritable(file: Path, table: str) -> Iterator[None]:
    """Let a SQLite database refuse every new row of a table until the block ends, in the midst of a transaction."""
    engine = open_engine(sqlite_url(file))
    refusing = f"CREATE TRIGGER refusing BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'refused'); END"
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql(refusing)
        yield
        with engine.begin() as connection:
            connection.exec_driver_sql("DROP TRIGGER refusing")
    finally:
        engine.dispose()


@contextmanager
def echoing(url: str) -> Iterator[list[bytes]]:
    """Serve an address with a partner that answers everything with 500 and what it was sent, headers too."""
    echoed: list[bytes] = []

    class Echo(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            echoed.append(body)
            self.send_response(500, "Sorry")
            self.send_header("content-length", str(len(body)))
            self.send_header("x-echo", body[:200].hex())
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST  # noqa: N815 - the names that the library calls

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    host, _, port = url.removeprefix("http://").partition(":")
    server = ThreadingHTTPServer((host, int(port)), Echo)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield echoed
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
