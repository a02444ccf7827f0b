"""The counting afterwards: what was promised, what the hub's rows say, and what the partners' own ledgers say."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from hub.domain.delivery import MOVES, DeliveryState
from tests.chaos.town import HOUSING, PARTNER, TREATMENT, Town

_S = DeliveryState
_STEPS = {(start, end) for (start, _), end in MOVES.items() if start is not None}

KEPT = "SELECT key, share_id FROM replies"
UNDER_WAY = (
    "SELECT (SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending', 'retrying', 'in_doubt'))"
    " + (SELECT count(*) FROM notices WHERE state IN ('queued', 'sending', 'retrying'))"
    " + (SELECT count(*) FROM inbox WHERE state = 'pending') AS n"
)


def drained(town: Town) -> bool:
    """Tell whether nothing waits or moves any more."""
    return bool(town.rows(UNDER_WAY)[0]["n"] == 0)


def digest(town: Town, key: str) -> str:
    """Return what an Idempotency-Key is kept as."""
    return town.vault.digest("idempotency", f"{PARTNER}|{key}")


def lost_or_doubled_shares(town: Town, receipts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compare what senders were promised with what is kept: every key has its one share, and there is no other."""
    kept = {row["key"]: row["share_id"] for row in town.rows(KEPT)}
    promised = {digest(town, key): receipt["id"] for key, receipt in receipts.items()}
    shares = {row["id"] for row in town.rows("SELECT id FROM shares")}
    # What a service is told of its own answer goes as a parcel of its own, and is not the share.
    deliveries = Counter(row["share_id"] for row in town.rows("SELECT share_id FROM deliveries WHERE kind = 'share'"))
    wrong = {
        "lost": [share for key, share in promised.items() if kept.get(key) != share],
        "never promised": sorted(set(kept) - set(promised)),
        "shares of no key": sorted(shares ^ set(kept.values())),
        "shares without both deliveries": [share for share in shares if deliveries[share] != 2],
    }
    return {name: found for name, found in wrong.items() if found}


def lost_or_doubled_effects(town: Town) -> dict[str, Any]:
    """Compare deliveries with the partners' ledgers: each delivered one is there once, and nothing else is."""
    rows = town.rows(
        "SELECT d.id, d.connection_id, d.key, d.state, s.reference FROM deliveries d JOIN shares s ON s.id = d.share_id"
    )
    wrong: dict[str, Any] = {}
    for name in (HOUSING, TREATMENT):
        effects = town.ledger(name).effects()
        keys = Counter(entry.key for entry in effects)
        # Counted by the speakable reference too, so that one share under two keys would be seen.
        told = Counter(filter(None, (_reference(entry.body) for entry in effects)))
        owed = {row["key"]: row for row in rows if row["connection_id"] == name}
        delivered = {key for key, row in owed.items() if row["state"] == _S.DELIVERED}
        wrong |= {
            f"{name}: delivered and not there": sorted(delivered - set(keys)),
            f"{name}: there and not owed": sorted(set(keys) - set(owed)),
            f"{name}: twice": [key for key, times in (keys + told).items() if times > 1],
        }
    return {name: found for name, found in wrong.items() if found}


def _reference(body: bytes) -> str:
    document = json.loads(body)
    if "referralKey" in document:
        return ""  # a note about an answer to the share, not the share
    found = document.get("referenceNumber")
    return str(found) if found else f"bundle {document['id']}"


def illegal_walks(town: Town) -> dict[str, list[str]]:
    """Follow each delivery's audit events through the table of moves; return those that leave it."""
    events: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in town.rows("SELECT * FROM audit_events WHERE delivery_id IS NOT NULL ORDER BY id"):
        events[row["delivery_id"]].append(row | {"detail": json.loads(row["detail"])})
    wrong = {}
    for row in town.rows("SELECT id, state FROM deliveries"):
        states = list(_states(events[row["id"]]))
        steps = pairwise(states)
        if not states or any(step not in _STEPS and step[0] is not step[1] for step in steps):
            wrong[row["id"]] = [str(state) for state in states]
        elif states[-1] != row["state"]:
            wrong[row["id"]] = [str(state) for state in states] + [f"but is {row['state']}"]
    return wrong


def _states(events: Iterable[dict[str, Any]]) -> Iterable[DeliveryState]:
    for event in events:
        match event["action"]:
            case "delivery.accepted":
                yield _S.QUEUED
            case "delivery.claimed":
                yield _S.SENDING
            case "delivery.lease_expired":
                yield _S.IN_DOUBT
            case "delivery.settled" | "delivery.proved":
                yield _S(event["detail"]["state"])
            case "delivery.cancelled":
                yield _S.CANCELLED


def lost_answers(town: Town, name: str, taken: dict[str, str]) -> dict[str, Any]:
    """Find answers that the hub took with a 2xx and that are not with their delivery, or are there twice.

    The council sends the same message again under the same id; the trust's tool makes a new message of each try, which
    may then be a second answer in its own right.
    """
    unread = town.rows("SELECT id, state, reason FROM inbox WHERE state <> 'read'")
    found = town.rows("SELECT d.key FROM answers a JOIN deliveries d ON d.id = a.delivery_id")
    answers = Counter(row["key"] for row in found)
    wrong: dict[str, Any] = {key: answers[key] for key in taken.values() if answers[key] < 1}
    if name == HOUSING:
        wrong |= {key: answers[key] for key in taken.values() if answers[key] > 1}
    return wrong | {row["id"]: row["reason"] for row in unread}


def untold_answers(town: Town) -> dict[str, Any]:
    """Compare the case system's webhooks with the answers: each is told under one id, however often it was sent."""
    owed = {
        row["id"]: row["delivery_id"]
        for row in town.rows("SELECT id, delivery_id FROM notices WHERE channel = 'webhook'")
    }
    told = {entry.key: json.loads(entry.body)["data"] for entry in town.ledger("cases").effects()}
    answered = [row["delivery_id"] for row in town.rows("SELECT delivery_id FROM answers")]
    wrong = {
        "untold": sorted(set(owed) - set(told)),
        "told of nothing": sorted(set(told) - set(owed)),
        "about another delivery": [key for key, data in told.items() if owed.get(key) != data.get("delivery")],
        "answered, and no webhook": sorted(set(answered) - {data.get("delivery") for data in told.values()}),
    }
    return {name: found for name, found in wrong.items() if found}


def repeated_alerts(town: Town) -> list[dict[str, Any]]:
    """Return alerts raised twice, and champions' notices that one alert raised twice."""
    return town.rows(
        "SELECT delivery_id, level, kind FROM alerts GROUP BY delivery_id, level, kind HAVING count(*) > 1"
    ) + town.rows(
        "SELECT alert_id, recipient FROM notices WHERE alert_id IS NOT NULL AND channel = 'email'"
        " GROUP BY alert_id, recipient HAVING count(*) > 1"
    )
