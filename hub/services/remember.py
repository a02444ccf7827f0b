"""Remember one-time tokens, so that a replay after a restart is still a replay (TH11); and the hub's own facts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from hub.services.ports import Transaction


@dataclass(frozen=True, slots=True)
class OneTime:
    """A token that may be used once: its kind, a digest of it, and until when a replay must be known."""

    kind: str
    token: str
    until: datetime


def remember(tx: Transaction, items: Sequence[OneTime]) -> list[bool]:
    """Record tokens; False for one that was used before, in this batch or earlier."""
    results = first_times(tx, items)
    keep_used(tx, [item for item, is_first in zip(items, results, strict=True) if is_first])
    return results


def first_times(tx: Transaction, items: Sequence[OneTime]) -> list[bool]:
    """Tell which tokens are new, in this batch and ever; nothing is recorded."""
    known = tx.known_tokens([(item.kind, item.token) for item in items])
    results = []
    for item in items:
        name = (item.kind, item.token)
        results.append(name not in known)
        known.add(name)
    return results


def all_first(tx: Transaction, items: Sequence[Sequence[OneTime]]) -> list[bool]:
    """Tell of which items every token is new, in this batch and ever; nothing is recorded."""
    found = iter(first_times(tx, [each for item in items for each in item]))
    return [all(list(islice(found, len(item)))) for item in items]


def keep_used(tx: Transaction, items: Sequence[OneTime]) -> None:
    """Record tokens as used."""
    tx.insert("seen", [{"kind": item.kind, "token": item.token, "until": item.until} for item in items])


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
