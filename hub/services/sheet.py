"""The sheet: what was told to whom and what came back, in words for the person, and how to take it back (R70)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from hub.domain import sheet_words as words
from hub.domain.answer import DECIDED_ONLY, AnswerState, bare_state
from hub.domain.calendar import london_date
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.forget import Forgetting, forget_on
from hub.domain.share import Category
from hub.domain.wording import day, has_it
from hub.services.pack import place, unpack
from hub.services.ports import DataKey, Row, Vault
from hub.services.report import ShareRows


def safer_sheet(reference: str) -> dict[str, Any]:
    """Return the sheet that tells whoever finds it nothing: the reference, and how to hear the rest."""
    return {"reference": reference, "title": words.SAFER_TITLE, "words": list(words.SAFER)}


def sheet(record: ShareRows, report: Mapping[str, Any], vault: Vault, policy: Forgetting) -> dict[str, Any]:
    """Return the sheet of a share from what its reader may see of it, which is its `report`: nothing else is told.

    `services` are those it went to, each with what it was told `about` and what came `back`.
    """
    share = record.share
    made = {"reference": share["reference"], "title": words.TITLE, "sent": _day(share["sent_at"])}
    if share["died_at"] is not None:
        return made | {"words": [words.DIED], "services": []}
    if share["data_key"] is None:
        return made | {"words": [words.FORGOTTEN], "services": _left(record, report)}
    data_key = vault.unwrap(share["data_key"])
    sender = unpack(data_key.open(share["sender"], place("shares", "sender", share["id"])))
    seen = report.get("deliveries")
    return made | {
        "words": _first(report),
        "services": [] if seen is None else _services(record, seen, data_key),
        "forgotten": _until(share, policy),
        "change_your_mind": words.change_your_mind("" if seen is None else sender["trusted_person"]),
        "safe_to_keep": words.SAFE_TO_KEEP,
    }


def _first(report: Mapping[str, Any]) -> list[str]:
    """What is so of the share as a whole."""
    if report.get("status") == "held":
        return [words.NOT_SENT]
    if "deliveries" not in report:
        return [report["words"]]
    return [words.ALL_TAKEN_BACK] if report["status"] == "withdrawn" else []


def _until(share: Row, policy: Forgetting) -> str:
    if share["legal_hold_since"] is not None:
        return words.KEPT_LONGER
    return words.forgotten_on(london_date(forget_on(share["sent_at"], share["final_at"], policy)))


def _left(record: ShareRows, report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of a forgotten share the services' names and their answers' states are left (R59)."""
    return [
        {"name": each["name"], "about": [], "back": [_stands(each, _answer(each, record.answers.get(each["id"], ())))]}
        for each in report["deliveries"]
        if each["kind"] == DeliveryKind.SHARE
    ]


def _answer(delivery: Mapping[str, Any], answers: Sequence[Row]) -> str:
    """The newest answer that the person may know of: one that waits to be told is as if it had not come (R21)."""
    may = [each for each in answers if not each["do_not_tell_yet"]]
    if len(may) == len(answers):
        return str(delivery["answer"])
    return bare_state(AnswerState(may[-1]["state"])) if may else AnswerState.AWAITED


def _services(record: ShareRows, seen: Sequence[Mapping[str, Any]], data_key: DataKey) -> list[dict[str, Any]]:
    frames = {row["id"]: row for row in record.deliveries}
    services: dict[str, dict[str, Any]] = {}
    for each in seen:
        one = services.setdefault(each["service"], {"name": each["name"], "about": [], "back": []})
        parts = _parts(frames[each["id"]], data_key) if each["state"] != DeliveryState.CANCELLED else []
        one["about"] += parts
        kept = record.answers.get(each["id"], ())
        one["back"] += _back(each, kept, answers_question=bool(parts), meets=record.share["ask"] == "meet")
    return list(services.values())


def _parts(row: Row, data_key: DataKey) -> list[dict[str, str]]:
    """What a delivery told; a request to stop, or a copy of what was heard, tells nothing of the story."""
    frame = unpack(data_key.open(row["frame"], place("deliveries", "frame", row["id"])))
    return [
        {
            "what": words.PARTS[Category(part["category"])],
            "said": words.said(part["by"], part["how"], date.fromisoformat(part["on"])) if "by" in part else "",
        }
        for part in frame.get("told", ())
    ]


def _back(delivery: Mapping[str, Any], kept: Sequence[Row], *, answers_question: bool, meets: bool) -> list[str]:
    """What came of one delivery, as far as the return clause let it (R13): no answer that waits to be told (R21)."""
    kind = DeliveryKind(delivery["kind"])
    may = [said for said, row in zip(delivery["answers"], kept, strict=True) if not row["do_not_tell_yet"]]
    answer = _answer(delivery, kept)
    if kind is DeliveryKind.PLEASE_STOP_USING:
        return [words.stopping(delivery["name"], DeliveryState(delivery["state"]), AnswerState(answer))]
    if kind is not DeliveryKind.SHARE:
        said = kind is not DeliveryKind.REPLY or answers_question  # the other replies are copies of what was heard
        return [words.LATER[kind]] if said and delivery["state"] != DeliveryState.CANCELLED else []
    return [_stands(delivery, answer), *(_details(may[-1], meets=meets) if may else ())]


def _stands(delivery: Mapping[str, Any], answer: str) -> str:
    if answer == DECIDED_ONLY:
        return words.DECIDED.format(it=delivery["name"])
    return words.stands(delivery["name"], DeliveryState(delivery["state"]), AnswerState(answer))


def _details(latest: Mapping[str, Any], *, meets: bool) -> list[str]:
    next_date = f"The date they gave is {_day(date.fromisoformat(latest['next_date']))}." if latest["next_date"] else ""
    lines = (
        ("{}", has_it(latest["owner"], meets=meets) if latest["owner"] else ""),
        ("Next: {}", latest["next_step"]),
        ("{}", next_date),
        ("Why: {}", latest["reason"]),
        ("They wrote: {}", latest["text"]),
    )
    return [line.format(said) for line, said in lines if said]


def _day(when: date | datetime) -> str:
    return day(when, year=True)
