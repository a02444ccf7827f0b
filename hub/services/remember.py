"""Remember one-time tokens, so that a replay after a restart is still a replay (TH11); and the hub's own facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hub.services.ports import Transaction


@dataclass(frozen=True, slots=True)
class OneTime:
    """A token that may be used once: its kind, a digest of it, and until when a replay must be known."""

    kind: str
    token: str
    until: datetime


def remember(tx: Transaction, items: Sequence[OneTime]) -> list[bool]:
    """Record tokens; False for one that was used before, in this batch or earlier."""
    known = tx.known_tokens([(item.kind, item.token) for item in items])
    fresh: dict[tuple[str, str], OneTime] = {}
    results = []
    for item in items:
        name = (item.kind, item.token)
        results.append(name not in known and name not in fresh)
        fresh.setdefault(name, item)
    new = [item for name, item in fresh.items() if name not in known]
    tx.insert("seen", [{"kind": item.kind, "token": item.token, "until": item.until} for item in new])
    return results


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the hub's own facts."""

    name: str
    value: str


def keep_facts(tx: Transaction, items: Sequence[Fact]) -> list[None]:
    """Write facts, replacing what they said before."""
    for item in items:
        tx.replace_fact(item.name, item.value)
    return [None for _ in items]
