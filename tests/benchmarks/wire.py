"""Just enough HTTP/1.1 to keep a load's own cost small: whole messages out of a byte stream, on a kept connection."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Message:
    """One request or reply: its first line, its header block (names in lower case, values as sent) and its body."""

    start: bytes
    headers: dict[bytes, bytes]
    body: bytes


class Stream:
    """Collects bytes and gives back whole messages; only bodies with a Content-Length are understood."""

    def __init__(self) -> None:
        self._kept = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Add bytes that arrived, and yield every message that is now whole."""
        self._kept += data
        while (head := self._kept.find(_END)) >= 0:
            start, *lines = self._kept[:head].split(b"\r\n")
            headers = dict(_header(line) for line in lines)
            if b"transfer-encoding" in headers:
                raise ValueError("only bodies with a Content-Length are understood")
            end = head + len(_END) + int(headers.get(b"content-length", b"0"))
            if len(self._kept) < end:
                return
            body = self._kept[head + len(_END) : end]
            self._kept = self._kept[end:]
            yield Message(start, headers, body)


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.lower(), value.strip()


def request(method: str, path: str, host: str, headers: dict[str, str], body: bytes) -> bytes:
    """Return the bytes of a request on a kept connection."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + _END + body


def reply(status: int, body: bytes) -> bytes:
    """Return the bytes of a JSON reply."""
    return b"HTTP/1.1 %d -\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )
