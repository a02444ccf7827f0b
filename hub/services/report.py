"""The report: a share as its trusted person's case system sees it, in plain words, with what the services said."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from hub.domain.absence import Presence, presence, reads, waiting_words
from hub.domain.answer import AnswerState, Level, bare_state, reached
from hub.domain.calendar import london_date
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.route import Directory, Service
from hub.domain.status import ShareStatus, status
from hub.domain.trusted_person import ONE_REPLIED, may_see
from hub.domain.wording import DIED_WORDS, FORGOTTEN_WORDS, Situation, heard, plain
from hub.services.hold_share import HELD_WORDS
from hub.services.keep_trusted_person import opened
from hub.services.pack import place, unpack
from hub.services.ports import DataKey, Row, Vault
from hub.services.receipt import tonight

NONE_REPLIED = "None of the services has replied yet."

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
    @property
    def authors(self) -> Collection[str]: ...
    @property
    def absences(self) -> Sequence[Row]: ...
    @property
    def cover(self) -> str: ...
    @property
    def cover_link(self) -> Row | None: ...


def report(  # noqa: PLR0913 - a share, and who reads it when
    record: ShareRows,
    directory: Directory,
    vault: Vault,
    now: datetime,
    groups: Collection[str] = (),
    reader: str = "",
    whose: str | None = None,
) -> dict[str, Any]:
    """Return a share with its deliveries and answers: who has it, since when, and who owns it (R35, R36).

    Whoever is in none of the groups that the person was told about reads only whether anybody replied (R02). What a
    service asks not to tell yet is for the share's author and the partner's lead; `reader` is a worker, as keyed hash.
    While its trusted person is not there, only `whose` reads it: theirs, or the cover that the person named (R07, R08).
    """
    share = record.share
    if share["data_key"] is None:
        return _forgotten(record, directory, trusted=_may_read_early(record, directory, vault, reader))
    data_key = vault.unwrap(share["data_key"])
    sender = unpack(data_key.open(share["sender"], place("shares", "sender", share["id"])))
    if not may_see(sender["can_see"], groups):
        return _outside(record, sender["reference"])
    there = presence_of(record, vault, now)
    if not reads(there, share["trusted_person"], whose):
        return _waiting(record, sender["reference"], there)
    pairs = [
        (DeliveryState(row["state"]), AnswerState(row["answer_state"]))
        for row in record.deliveries
        if row["kind"] == DeliveryKind.SHARE
    ]
    withdrawn, held = share["withdrawn_at"] is not None, share["held_since"] is not None
    told, trusted = share["told_at"] is not None, _may_read_early(record, directory, vault, reader)
    died = share["died_at"] is not None
    stands = status(pairs, ask=share["ask"], person_told=told, withdrawn=withdrawn, held=held)
    return {
        "id": share["id"],
        "reference": share["reference"],
        "your_reference": sender["reference"],
        "consent": record.consents[0]["record_id"],
        "status": ShareStatus.CLOSED if died else stands,
        "words": DIED_WORDS if died else HELD_WORDS if stands is ShareStatus.HELD else "",
        "person_told": share["told"],
        "sent_at": share["sent_at"].isoformat(timespec="seconds"),
        "deliveries": [_delivery(row, record, directory, data_key, now, trusted) for row in record.deliveries],
    }


def presence_of(record: ShareRows, vault: Vault, now: datetime) -> Presence:
    """Return whether its trusted person is there; a cover whose choice was marked as not safe is none (R04)."""
    unsafe = record.cover != "" and opened(record.cover_link, vault).not_safe
    return presence(record.absences, "" if unsafe else record.cover, london_date(now))


def _waiting(record: ShareRows, your_reference: str, there: Presence) -> dict[str, Any]:
    """Nothing of what came back but whether there is anything: it waits, and is passed to nobody in silence."""
    share = record.share
    words = waiting_words(there, answered=any(record.answers.values()))
    return {
        "id": share["id"],
        "reference": share["reference"],
        "your_reference": your_reference,
        "trusted_person": there.why,
        "words": DIED_WORDS if share["died_at"] is not None else words,
    }


def _may_read_early(record: ShareRows, directory: Directory, vault: Vault, reader: str) -> bool:
    """Tell whether a worker is the share's author or the lead that their organisation named."""
    partner = directory.partners.get(record.share["partner_id"])
    lead = vault.digest("author", f"{partner.id}|{partner.lead}") if partner and partner.lead else ""
    return reader != "" and (reader in record.authors or reader == lead)


def entry(share: Row, vault: Vault) -> dict[str, Any]:
    """Return a share as a list shows it: how to find it again, and nothing that was told or answered."""
    yours = None
    if share["data_key"] is not None:
        sender = vault.unwrap(share["data_key"]).open(share["sender"], place("shares", "sender", share["id"]))
        yours = unpack(sender)["reference"]
    sent_at = share["sent_at"].isoformat(timespec="seconds")
    return {"id": share["id"], "reference": share["reference"], "your_reference": yours, "sent_at": sent_at}


def _outside(record: ShareRows, your_reference: str) -> dict[str, Any]:
    """No service, owner, state or word of an answer: only that there is one."""
    share = record.share
    words = ONE_REPLIED if any(record.answers.values()) else NONE_REPLIED
    if share["died_at"] is not None:
        words = DIED_WORDS  # so that nobody goes on waiting, whatever group they are of (R69)
    return {"id": share["id"], "reference": share["reference"], "your_reference": your_reference, "words": words}


def _forgotten(record: ShareRows, directory: Directory, *, trusted: bool) -> dict[str, Any]:
    """What stays of a share once its story is gone: coded states and when it was sent (R59).

    Which groups might read its answers is forgotten with the story, and that there were some is not: then nobody but
    its author and the partner's lead reads who had it and what they said (R02).
    """
    share = record.share
    shown = record.deliveries if trusted or not share["restricted"] else ()
    return {
        "id": share["id"],
        "reference": share["reference"],
        "status": "closed",
        "forgotten": True,
        "words": FORGOTTEN_WORDS if share["died_at"] is None else DIED_WORDS,
        "sent_at": share["sent_at"].isoformat(timespec="seconds"),
        "deliveries": [_what_is_left(row, record, directory, trusted=trusted) for row in shown],
    }


def _what_is_left(row: Row, record: ShareRows, directory: Directory, *, trusted: bool) -> dict[str, Any]:
    service = directory.services.get(row["service_id"]) or _gone(row["service_id"])
    answer = AnswerState(row["answer_state"])
    bare = row["kind"] == DeliveryKind.SHARE and (_of_children(service) or (_is_early(row, record) and not trusted))
    return {
        "id": row["id"],
        "service": service.id,
        "name": service.name,
        "kind": row["kind"],
        "state": row["state"],
        "answer": bare_state(answer) if bare else answer,
    }


def _is_early(row: Row, record: ShareRows) -> bool:
    """Tell whether the newest answer is one that its service asks not to tell yet (R21)."""
    answers = record.answers.get(row["id"], ())
    return bool(answers) and bool(answers[-1]["do_not_tell_yet"])


def _of_children(service: Service) -> bool:
    """Of what a children's team says only that it has decided comes back, however long ago it was (R21)."""
    return service.agreement is not None and service.agreement.children


def _delivery(  # noqa: PLR0913 - what one delivery is shown by
    row: Row, record: ShareRows, directory: Directory, data_key: DataKey, now: datetime, trusted: bool
) -> dict[str, Any]:
    service = directory.services.get(row["service_id"]) or _gone(row["service_id"])
    answers = [_answer(each, data_key) for each in record.answers.get(row["id"], ())]
    latest = answers[-1] if answers else None
    bare = row["kind"] == DeliveryKind.SHARE and (_of_children(service) or (_is_early(row, record) and not trusted))
    if bare:
        answers, latest = [_only_the_state(each) for each in answers], None
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
        decided_only=bare,
        meets=record.share["ask"] == "meet",
        check_with_person=bool(latest and latest["check_with_person"]),
        answers_question=_answers_question(row, data_key),
        about_answer=_about_answer(row, data_key),
        challenge=service.challenge,
        question_answered=_question_answered(row, latest, record, data_key),
        today=london_date(now),
        died=record.share["died_at"] is not None,
        unchecked=directory.unchecked(service.id),
    )
    reply_by = due if situation.answer in _OWES_REPLY else None
    return {
        "id": row["id"],
        "service": service.id,
        "name": service.name,
        "kind": row["kind"],
        "state": row["state"],
        "answer": bare_state(situation.answer) if bare else row["answer_state"],
        "level": min(level, Level.L3).name if bare else level.name,
        "words": _words(situation, latest),
        "owner": latest["owner"] if latest else "",
        "since": _since(row, answers),
        "reply_by": reply_by.isoformat(timespec="seconds") if reply_by else None,
        **(tonight(service) if record.share["urgent"] and reply_by else {}),
        "overdue": overdue,
        "answers": answers,
    }


def _only_the_state(answer: Mapping[str, Any]) -> dict[str, Any]:
    """That there is an answer, and when: no owner, word, date or flag (R21)."""
    kept = {"state": bare_state(AnswerState(answer["state"])), "at": answer["at"], "source": answer["source"]}
    return {name: "" if isinstance(each, str) else type(each)() for name, each in answer.items()} | kept


def _answers_question(row: Row, data_key: DataKey) -> bool:
    """Tell an answer to a service's question from a copy of what was heard, which carries no section (R42, R64)."""
    return row["kind"] == DeliveryKind.REPLY and bool(_frame(row, data_key).get("carried"))


def _about_answer(row: Row, data_key: DataKey) -> bool:
    """Tell a note about the service's own answer from a copy of what was heard (R35)."""
    return row["kind"] == DeliveryKind.REPLY and "words" in _frame(row, data_key)["delivery"]


def _frame(row: Row, data_key: DataKey) -> dict[str, Any]:
    return unpack(data_key.open(row["frame"], place("deliveries", "frame", row["id"])))


def _question_answered(row: Row, latest: Mapping[str, Any] | None, record: ShareRows, data_key: DataKey) -> bool:
    if latest is None or row["answer_state"] != AnswerState.NEEDS_INFO:
        return False
    asked = datetime.fromisoformat(latest["at"])
    return any(
        each["linked_to"] == row["id"] and each["created_at"] >= asked and _answers_question(each, data_key)
        for each in record.deliveries
    )


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
        "next_date_missing": row["next_date_missing"],
        "check_with_person": row["check_with_person"],
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
