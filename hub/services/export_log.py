"""Write the audit log down for those who check it elsewhere: JSON Lines, each exactly as it is hashed and signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub.domain.audit import canonical, event
from hub.domain.audit_check import FORM
from hub.services.ports import Row


def export_log(
    chain: str, keys: list[dict[str, Any]], events: Iterable[Row], checkpoints: Iterable[Row]
) -> Iterator[bytes]:
    """Yield the lines of a log: what log it is, then each checkpoint after the last event that it is of."""
    yield canonical({"log": {"chain": chain, "form": FORM, "keys": keys}})
    waiting = iter(checkpoints)
    checkpoint = next(waiting, None)
    for row in events:
        # What is missing from the database is missing from the file, and is found by whoever checks it.
        while checkpoint is not None and checkpoint["position"] < row["position"]:
            yield canonical({"checkpoint": dict(checkpoint)})
            checkpoint = next(waiting, None)
        yield canonical({"event": event(row, row["position"]), "hash": row["hash"]})
    while checkpoint is not None:
        yield canonical({"checkpoint": dict(checkpoint)})
        checkpoint = next(waiting, None)
