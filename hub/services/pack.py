"""Pack small documents: how a dictionary becomes the bytes that are sealed, and where each lives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def place(table: str, column: str, row_id: str) -> str:
    """Return the associated data that binds ciphertext to its place."""
    return f"{table}|{column}|{row_id}"


def pack(document: Mapping[str, Any]) -> bytes:
    """Return a document as UTF-8 JSON, ready to be sealed."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def unpack(plain: bytes) -> dict[str, Any]:
    """Return the document that `pack` made."""
    document: dict[str, Any] = json.loads(plain)
    return document
