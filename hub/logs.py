"""What the hub writes to its log: one JSON line an event, allow-listed keys only, ids and codes only (TH22)."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any, BinaryIO, cast

import orjson
import structlog

#: The only keys that reach a log line; whatever else is bound is counted and dropped.
ALLOWED_KEYS = frozenset(
    {
        *("event", "level", "at", "error", "reason", "why", "where", "logger", "dropped", "version", "profile"),
        *("share", "delivery", "consent", "service", "connection", "plugin", "connector", "client", "partner"),
        *("alert", "notice", "queue", "verb", "state", "outcome", "attempt", "topic", "channel"),
        *("request", "method", "route", "status", "ms", "seconds", "count", "bytes"),
        *("pid", "held", "in_flight", "doubted", "cancelled", "isolation", "host", "port"),
    }
)
#: Ids, codes and type names have no spaces: a sentence in an allowed key is somebody's words, and is withheld; so are
#: an e-mail address, and digits alone that are as long as a telephone or NHS number.
_CODE = re.compile(r"(?!\+?\d{9,}$)[\w.:/{}-]{1,120}", re.ASCII)
#: Letters, digits and one dot or more: the stable names that events have.
_EVENT = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
WITHHELD = "withheld"


def allow_listed(_logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Keep allowed keys whose values are codes, ids or numbers; an exception leaves its type only, never its text."""
    error = event.pop("exc_info", None)
    kept = {key: code_or_withheld(value) for key, value in event.items() if key in ALLOWED_KEYS}
    if dropped := len(event) - len(kept):
        kept["dropped"] = dropped
    if not _EVENT.fullmatch(str(event.get("event", ""))):
        kept["event"] = WITHHELD
    if error:
        kept.setdefault("error", _type_name(error))
    return kept


def code_or_withheld(value: object) -> object:
    """Return a number, a code or an id as it is; anything that could be somebody's words as `withheld`."""
    if value is None or isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if _CODE.fullmatch(text) else WITHHELD


def _type_name(error: object) -> str:
    current = sys.exc_info()[1] if error is True else error[1] if isinstance(error, tuple) else error
    return type(current).__name__


class LibraryLines(logging.Handler):
    """Passes on that a library said something, and where; its words may hold anything, so they stay out."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line of our own for a library's record."""
        structlog.get_logger().log(
            record.levelno,
            "library.said",
            logger=record.name,
            where=f"{record.module}:{record.lineno}",
            **({"exc_info": record.exc_info} if record.exc_info else {}),
        )


class Unfailing:
    """A stream whose failures stay its own: a full disk must not stop the hub at the line that tells of it."""

    def __init__(self, stream: BinaryIO | None) -> None:
        self._given = stream

    @property
    def _stream(self) -> BinaryIO:
        return self._given or sys.stderr.buffer

    def write(self, line: bytes) -> int:
        """Write a line, or lose it."""
        with suppress(OSError, ValueError):
            return self._stream.write(line)
        return 0

    def flush(self) -> None:
        """Hand on what was written, now or at a later line."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure(stream: BinaryIO | None = None) -> None:
    """Send the hub's events, and that libraries warned, to a stream as JSON lines (default: standard error)."""
    configure_events(stream)
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.addHandler(LibraryLines())
    root.setLevel(logging.WARNING)
    logging.captureWarnings(capture=True)


def configure_events(stream: BinaryIO | None = None, level: int = logging.INFO) -> None:
    """Send the hub's own events of a level and above to a stream, and leave libraries' logging as it is."""
    unfailing = cast(BinaryIO, Unfailing(stream))
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            allow_listed,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.BytesLogger(unfailing),
        cache_logger_on_first_use=False,  # so that a later configuration holds for loggers made before it
    )


def _to_json(event: Mapping[str, Any], **_: object) -> bytes:
    return orjson.dumps(event)
