"""Pack small documents: how a dictionary becomes the bytes that are sealed, and where each lives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson


def place(table: str, column: str, row_id: str) -> str:
    """Return the associated data that binds ciphertext to its place."""
    return f"{table}|{column}|{row_id}"


def pack(document: Mapping[str, Any]) -> bytes:
    """Return a document as UTF-8 JSON, ready to be sealed."""
    return orjson.dumps(document)


def unpack(plain: bytes) -> dict[str, Any]:
    """Return the document that `pack` made."""
    document: dict[str, Any] = orjson.loads(plain)
    return document
