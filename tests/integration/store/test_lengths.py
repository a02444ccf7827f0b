"""Whatever the rules let in fits its column: SQLite would keep it all, PostgreSQL answers for ever that it cannot."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from datetime import date
from enum import StrEnum
from typing import get_args

import pytest
from sqlalchemy import String

from hub.domain import barrier, check
from hub.domain.absence import Absence
from hub.domain.alert import AlertState
from hub.domain.answer import AnswerState
from hub.domain.barrier import NO_CODES, BarrierState, Cause
from hub.domain.clock import ClockState
from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.digest import Pace
from hub.domain.gate import PREFIX
from hub.domain.impersonal import WORDS
from hub.domain.ladder import CloseReason, Role
from hub.domain.notice import InboxState, NoticeState
from hub.domain.reference import make
from hub.domain.ring import RingKind, RingState
from hub.domain.win import TRAINING, WIN
from hub.security import passwords
from hub.services.legal_hold import REASONS
from hub.services.publish_month import WHY
from hub.services.session import Way
from hub.services.tallies import BLOCK, COHORT
from hub.store import tables
from tests.scenery import HOUSING, Scene, Store


def _of(members: type[StrEnum]) -> int:
    return max(len(member) for member in members)


#: What an instance's files may call something (`hub.config.Id`), what a host may say (`hub.host.wire`), and digests.
ID, REASON, DIGEST, UUID, DAY = 61, 80, 64, 36, len("2026-11-20")
#: Names that the hub's own code gives: topics, actions, sources, outcomes; each module's tests use every one of them.
_OWN = {
    "acknowledgements.source", "answers.source", "attempts.outcome", "audit_events.action", "facts.name",
    "checkpoints.at", "checkpoints.chain",
    "facts.value", "notices.channel", "notices.topic", "seen.kind", "shares.ask", "clocks.agreed_on",
}  # fmt: skip
#: What an operator's files say, who sees at once when it does not fit.
_OPERATORS = {"deliveries.address", "deliveries.mapping", "deliveries.content_type", "clocks.agreed_by"} | {
    f"lawful_bases.{column.name}"
    for column in tables.lawful_bases.columns
    if column.name not in {"consent_id", "notice", "at"}
}
_LONGEST = {
    "shares.reference": len(make(b"\xff" * 32)),
    "shares.config_digest": DIGEST,
    "shares.trusted_person": DIGEST,
    "shares.person": DIGEST,
    "trusted_people.trusted_person": DIGEST,
    "trusted_people.person": DIGEST,
    "trusted_people.seen": DIGEST,
    "shares.told": len("could_not"),
    "pauses.section": DIGEST,
    "deaths.person": DIGEST,
    "shares.legal_hold_by": ID,
    "shares.legal_hold_reason": max(map(len, REASONS)),
    "consents.agreement": DIGEST,
    "consents.need": DIGEST,
    "plan_versions.plan": DIGEST,
    "plan_versions.version": DIGEST,
    "consent_events.author": DIGEST,
    "lawful_bases.notice": 100,
    "connections.held_reason": REASON,
    "connections.id": ID,
    "clients.id": ID,
    "deliveries.kind": _of(DeliveryKind),
    "deliveries.answer_state": _of(AnswerState),
    "deliveries.key": UUID,
    "deliveries.case": UUID,
    "deliveries.parcel_sha256": DIGEST,
    "deliveries.receipt": DIGEST,
    "alerts.kind": len("undelivered"),
    "notices.pace": _of(Pace),
    "notices.digest_id": 32,
    "readers.person": ID,
    "outages.reader": ID,
    "outages.service_id": ID,
    "alerts.holder": ID,  # a person in the partnership's file
    "alerts.role": _of(Role),
    "alerts.taken_by": ID,
    "alerts.closed_by": ID,
    "alerts.closed_why": _of(CloseReason),
    "days_off.person": ID,
    "days_off.first": DAY,
    "days_off.last": DAY,
    "rings.kind": _of(RingKind),
    "rings.state": _of(RingState),
    "rings.author": DIGEST,
    "rings.recipient": ID,
    "gaps.need": 60,  # both by the patterns of `POST /v1/gaps`
    "gaps.area": 12,
    "notices.recipient": len("champion:") + ID,
    "inbox.message_id": DIGEST,
    "tallies.day": DAY,
    "tallies.what": max(map(len, (BLOCK, COHORT, WIN, TRAINING, *Cause))),
    "tallies.name": max(len(PREFIX) + ID, len("could_not_reach/") + max(map(len, NO_CODES))),
    "barriers.cause": _of(Cause),
    "barriers.name": 80,  # as `tallies.name`
    "barriers.state": _of(BarrierState),
    "barrier_moves.state": _of(BarrierState),
    "barrier_moves.reason": max(len(each) for every in barrier.REASONS.values() for each in every),
    "barrier_moves.words": WORDS,
    "barrier_moves.person": ID,
    "replies.key": DIGEST,
    "replies.body": DIGEST,
    "seen.token": DIGEST,
    "invites.token": DIGEST,
    "devices.token": DIGEST,
    "devices.code": DIGEST,
    "invites.address": 64 + len("@") + 253,  # an agreed mailbox, as `hub.sdk.transports.email` reads one
    "shares.cover": DIGEST,
    "trusted_people.cover": DIGEST,
    "absences.trusted_person": DIGEST,
    "absences.person": DIGEST,
    "absences.kind": _of(Absence),
    "absences.first": DAY,
    "absences.last": DAY,
    "rehearsals.mapping": 80,  # an operator's file names it, as `deliveries.mapping`
    "learned.month": len("2026-11"),
    "learned.why": max(map(len, WHY)),
    "learned.opens_on": DAY,
    "accounts.person": ID,
    "accounts.password": len(passwords.hash_of("kettle otter meadow")),
    "accounts.link": DIGEST,
    "sessions.token": DIGEST,
    "sessions.person": ID,
    "sessions.way": max(map(len, get_args(Way))),
    "guesses.kind": len("address"),
    "guesses.token": DIGEST,
    "audit_events.hash": DIGEST,
    "checkpoints.hash": DIGEST,
    "checkpoints.kid": 43,  # a key's thumbprint (RFC 7638)
    "checkpoints.signature": 86,  # Ed25519 in base64url
    "audit_events.actor": len("connection:") + ID,
    "deliveries.state": _of(DeliveryState),
    "consents.state": _of(ConsentState),
    "consent_events.state": _of(ConsentState),
    "answers.state": _of(AnswerState),
    "clocks.state": _of(ClockState),
    "alerts.state": _of(AlertState),
    "notices.state": _of(NoticeState),
    "inbox.state": _of(InboxState),
}


def longest(name: str) -> int | None:
    """Return the longest text that a column can be given; None for one that nobody has thought about."""
    column = name.partition(".")[2]
    if name in _LONGEST:
        return _LONGEST[name]
    if column in {"partner_id", "client_id", "service_id", "connection_id"}:
        return ID
    if column == "reason":
        return REASON
    if column in {"id", "after", "linked_to"} or column.endswith("_id"):
        return 32
    return 0 if name in _OWN | _OPERATORS else None


@pytest.mark.parametrize("table", sorted(tables.metadata.tables))
def test_every_text_column_holds_the_longest_it_can_be_given(table: str) -> None:
    for column in tables.metadata.tables[table].columns:
        if not isinstance(column.type, String):
            continue
        name = f"{table}.{column.name}"
        given = longest(name)
        assert given is not None, f"{name}: say what the longest is that it can be given, and where from"
        assert column.type.length is not None, name
        assert given <= column.type.length, name


def test_a_share_as_long_as_the_rules_allow_is_kept(scene: Scene, store: Store) -> None:
    # given the longest of everything that a sender writes, and the latest end
    share = scene.share
    longest_reference = "r" * 100
    consents = [
        replace(
            each,
            reference=f"{longest_reference[:-1]}{number}",
            agreed=replace(each.agreed, on=date(2026, 11, 18), notice="n" * 100),
            until=date(2036, 11, 18),
        )
        for number, each in enumerate(share.consents)
    ]
    long = replace(
        share,
        reference=longest_reference,
        trusted_person=replace(share.trusted_person, reference=longest_reference, name="t" * check.NAME),
        consents=consents,
    )
    assert check.faults(long) == ()
    scene = copy(scene)
    scene.share = long
    # when / then
    assert store.accept(scene.acceptance("long" * 50, services=[HOUSING]))
    assert store.only("deliveries")["state"] == "queued"
