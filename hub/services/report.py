"""The report: a share as its trusted person's case system sees it, in plain words, with what the services said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from hub.domain.answer import AnswerState, Level, reached
from hub.domain.calendar import london_date
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.route import Directory, Service
from hub.domain.status import status
from hub.domain.wording import Situation, heard, plain
from hub.services.pack import place, unpack
from hub.services.ports import DataKey, Row, Vault

#: Later clocks are for what comes of it: by then the service owes no reply.
_OWES_REPLY = frozenset({AnswerState.AWAITED, AnswerState.RECEIVED})


class ShareRows(Protocol):
    """A share's rows as the store reads them: sealed where they are sealed at rest."""

    @property
    def share(self) -> Row: ...
    @property
    def consents(self) -> Sequence[Row]: ...
    @property
    def deliveries(self) -> Sequence[Row]: ...
    @property
    def answers(self) -> Mapping[str, Sequence[Row]]: ...
    @property
    def clocks(self) -> Mapping[str, Sequence[Row]]: ...
    @property
    def levels(self) -> Mapping[str, Sequence[Row]]: ...


def report(record: ShareRows, directory: Directory, vault: Vault, now: datetime) -> dict[str, Any]:
    """Return a share with its deliveries and answers: who has it, since when, and who owns it (R35, R36)."""
    share = record.share
    if share["data_key"] is None:
        return {"id": share["id"], "reference": share["reference"], "status": "closed", "forgotten": True}
    data_key = vault.unwrap(share["data_key"])
    sender = unpack(data_key.open(share["sender"], place("shares", "sender", share["id"])))
    pairs = [
        (DeliveryState(row["state"]), AnswerState(row["answer_state"]))
        for row in record.deliveries
        if row["kind"] == DeliveryKind.SHARE
    ]
    return {
        "id": share["id"],
        "reference": share["reference"],
        "your_reference": sender["reference"],
        "consent": record.consents[0]["record_id"],
        "status": status(pairs, ask=share["ask"], withdrawn=share["withdrawn_at"] is not None),
        "sent_at": share["sent_at"].isoformat(timespec="seconds"),
        "deliveries": [_delivery(row, record, directory, data_key, now) for row in record.deliveries],
    }


def _delivery(row: Row, record: ShareRows, directory: Directory, data_key: DataKey, now: datetime) -> dict[str, Any]:
    service = directory.services.get(row["service_id"]) or _gone(row["service_id"])
    answers = [_answer(each, data_key) for each in record.answers.get(row["id"], ())]
    latest = answers[-1] if answers else None
    level = reached(Level(each["level"]) for each in record.levels.get(row["id"], ()))
    due, overdue = _due(record.clocks.get(row["id"], ()), level, now)
    situation = Situation(
        service=service.name,
        delivery=DeliveryState(row["state"]),
        answer=AnswerState(row["answer_state"]),
        owner=service.owner,
        named=(latest or {}).get("owner") or "",
        due=due,
        overdue=overdue,
        next_date=date.fromisoformat(latest["next_date"]) if latest and latest["next_date"] else None,
        phone=service.phone,
        kind=DeliveryKind(row["kind"]),
        today=london_date(now),
    )
    reply_by = due if situation.answer in _OWES_REPLY else None
    return {
        "id": row["id"],
        "service": service.id,
        "name": service.name,
        "kind": row["kind"],
        "state": row["state"],
        "answer": row["answer_state"],
        "level": level.name,
        "words": _words(situation, latest),
        "owner": latest["owner"] if latest else "",
        "since": _since(row, answers),
        "reply_by": reply_by.isoformat(timespec="seconds") if reply_by else None,
        "overdue": overdue,
        "answers": answers,
    }


def _words(situation: Situation, latest: Mapping[str, Any] | None) -> str:
    told = latest["told"] if latest else {}
    line = ""
    if told:
        on = date.fromisoformat(told["on"])
        line = heard(told["to"], told["how"], on, told.get("by") or "", situation.today)
    return f"{plain(situation)} {line}".strip()


def _since(row: Row, answers: Sequence[Mapping[str, Any]]) -> str:
    if answers:
        return str(answers[-1]["at"])
    instant: datetime = row["delivered_at"] or row["created_at"]
    return instant.isoformat(timespec="seconds")


def _answer(row: Row, data_key: DataKey) -> dict[str, Any]:
    said = unpack(data_key.open(row["said"], place("answers", "said", row["id"])))
    return {
        "state": row["state"],
        "at": row["at"].isoformat(timespec="seconds"),
        "source": row["source"],
        "usual": row["usual"],
        "owner_missing": row["owner_missing"],
        "reason_missing": row["reason_missing"],
        "held_back": row["held_back"],
        **said,
    }


def _due(clocks: Sequence[Row], level: Level, now: datetime) -> tuple[datetime | None, bool]:
    """The service's reply is due at the decision's clock (L3), or at the receipt's where that is all that was asked.

    A rung that was reached late is reached: only those above `level` can be overdue.
    """
    open_clocks = [row for row in clocks if row["state"] != "stopped" and row["level"] > max(level, Level.L1)]
    if not open_clocks:
        return None, False
    overdue = any(_is_late(row, now) for row in open_clocks)
    if level is Level.L0:
        # It has not arrived, and the trusted person is owed that news by its own clock (R44).
        overdue = overdue or any(_is_late(row, now) for row in clocks if row["level"] == Level.L0)
    decision = [row["due_at"] for row in open_clocks if row["level"] == Level.L3]
    due: datetime = (decision or [row["due_at"] for row in open_clocks])[0]
    return due, overdue


def _is_late(clock: Row, now: datetime) -> bool:
    return bool(clock["state"] == "passed" or (clock["state"] == "running" and clock["due_at"] <= now))


def _gone(service_id: str) -> Service:
    """A service that left the configuration is still named by its id."""
    return Service(service_id, service_id, "", "", "", ())
