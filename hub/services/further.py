"""Further: decide what follows a share, for each service anew: a later fact, a correction, an answer to a question."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

from hub.domain.answer import AnswerState
from hub.domain.consent import ABSENT, ConsentState, ended
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.errors import Conflict, Fault, HubError, Malformed, Refusal
from hub.domain.minimise import View
from hub.domain.route import Directory
from hub.domain.share import Consent, Section
from hub.domain.trusted_person import NO_LINK, Link, as_chosen
from hub.services.decide import Sender, Verdict, by_category, decide
from hub.services.follow_up import FollowUp, FollowUps, Wanted
from hub.services.pack import place, unpack
from hub.services.plan import TOO_LARGE
from hub.services.ports import DataKey, Row, Vault
from hub.services.terms import grant, retold

#: It never got there, and is not coming: what follows it would speak of something they do not have.
_LOST = frozenset({DeliveryState.CANCELLED, DeliveryState.DEAD_LETTERED})

NOT_THERE = Refusal(
    "share-not-there",
    "This service does not have the share that this belongs to.",
    "Ring them, or send them a new share.",
)
FORGOTTEN = Refusal("share-forgotten", "We have forgotten this share.", "Send a new share.")
NO_QUESTION = Refusal(
    "no-open-question",
    "This service has no question that waits for you, or you have answered it.",
    "Read the share again. To tell them something new, send an addendum.",
)
PAUSED = "is being checked with the person: send it as a correction when it is right"
_NOBODY_HAS_IT = "is no part that went to any service"


class ShareRecord(Protocol):
    """A share's rows as the store reads them."""

    @property
    def share(self) -> Row: ...
    @property
    def consents(self) -> Sequence[Row]: ...
    @property
    def deliveries(self) -> Sequence[Row]: ...
    @property
    def answers(self) -> Mapping[str, Sequence[Row]]: ...


@dataclass(frozen=True, slots=True)
class Further:
    """What is told after a share: new sections, what they relate to, which statement they put right.

    `checking` says that the corrected statement is being checked with the person (R40). `delivery` is the one whose
    question this answers, and `also` the services that may see the answer beside it (R42). `plan_stale` says that the
    person's plan which the share names has a newer version (R20).
    """

    kind: DeliveryKind
    sections: Sequence[Section] = ()
    relates_to: str = ""
    corrects: str = ""
    checking: bool = False
    delivery: str = ""
    also: Sequence[str] = ()
    plan_stale: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """What one service gets: the follow-up, and what of it stays behind."""

    service_id: str
    made: FollowUp
    view: View | None


@dataclass(frozen=True)
class Telling:
    """A share as it stands, opened: what each service was sent, and what it was agreed that it may see."""

    record: ShareRecord
    vault: Vault

    @cached_property
    def data_key(self) -> DataKey:
        """The share's key; raises `Conflict` once it is forgotten."""
        if self.record.share["data_key"] is None:
            raise Conflict(FORGOTTEN)
        return self.vault.unwrap(self.record.share["data_key"])

    @cached_property
    def kept(self) -> Mapping[str, Any]:
        """The sender's own reference, and the share's head."""
        share = self.record.share
        return unpack(self.data_key.open(share["sender"], place("shares", "sender", share["id"])))

    @cached_property
    def carried(self) -> Mapping[str, frozenset[str]]:
        """The ids of the sections that each delivery carries, by delivery."""
        return {
            row["id"]: frozenset(
                unpack(self.data_key.open(row["frame"], place("deliveries", "frame", row["id"]))).get("carried", ())
            )
            for row in self.record.deliveries
        }

    @cached_property
    def consents(self) -> Mapping[str, Row]:
        """The newest consent row of each service."""
        return {row["service_id"]: row for row in self.record.consents}

    def grant(self, service_id: str) -> Consent | None:
        """Return what the person agreed for one service, as it was given; None where they agreed to nothing."""
        row = self.consents[service_id]
        if row["terms"] is None:
            return None
        return grant(unpack(self.data_key.open(row["terms"], place("consents", "terms", row["id"]))))

    @cached_property
    def originals(self) -> Mapping[str, Row]:
        """What was first shared with each service, as follow-ups are made from it."""
        share = self.record.share
        return {
            row["service_id"]: {**row, **{name: share[name] for name in ("ask", "urgent", "data_key")}}
            for row in self.record.deliveries
            if row["kind"] == DeliveryKind.SHARE
        }

    def last(self, service_id: str) -> str:
        """Return the newest delivery to a service: what follows goes behind it."""
        return str([row["id"] for row in self.record.deliveries if row["service_id"] == service_id][-1])

    def holders(self, section_id: str, *, lost: bool = False) -> tuple[str, ...]:
        """Return every service that got a section, is getting it, or may have; or for which it was `lost` (R41)."""
        return tuple(
            dict.fromkeys(
                row["service_id"]
                for row in self.record.deliveries
                if section_id in self.carried[row["id"]]
                and (DeliveryState(row["state"]) in _LOST and not row["may_have_left"]) is lost
            )
        )


@dataclass(frozen=True, slots=True)
class FurtherPlan:
    """Everything decided about what follows, before anything is kept: preview shows it and the commit keeps it.

    `ring` are services that only a call can tell. `states` are the consents as they stood; `question` is the delivery
    whose question this answers.
    """

    further: Further
    telling: Telling
    sender: Sender
    business: datetime
    parts: tuple[Part, ...] = ()
    refused: tuple[Verdict, ...] = ()
    ring: tuple[str, ...] = ()
    states: Mapping[str, str] = field(default_factory=dict)
    link: Link = NO_LINK


@dataclass(frozen=True, slots=True)
class Furthers:
    """Plans what follows a share; `follow_ups` makes each parcel by the way the share itself went."""

    follow_ups: FollowUps
    directory: Directory
    vault: Vault

    def plan(  # noqa: PLR0913 - what a decision needs
        self,
        record: ShareRecord,
        further: Further,
        sender: Sender,
        seed: str,
        business: datetime,
        wall: datetime,
        paused: frozenset[str] = frozenset(),
        link: Link = NO_LINK,
    ) -> FurtherPlan:
        """Decide and map for every service that this concerns; nothing is kept.

        Consent, gates and minimisation are judged now, on the terms that were agreed at first. Raises `Conflict` and
        `Malformed` where it concerns nobody. A correction goes to every holder: where consent no longer reaches, it
        says only "do not rely on this" (R15, R41). `seed` makes the ids of this request, the same on every re-run.
        `link` is what is known of the choice now (R05, R11); whether it still stands is judged at the commit.
        """
        telling = Telling(record, self.vault)
        _refuse_paused(further, paused)
        one = _One(self, telling, further, sender, seed, business, wall, replace(link, until=None))
        parts: list[Part] = []
        refused: list[Verdict] = []
        ring: list[str] = []
        for service_id in _concerns(telling, further):
            verdict, made = one.decide(service_id)
            if verdict is not None and verdict.refusals:
                refused.append(verdict)
            if made is not None:
                parts.append(Part(service_id, made, verdict.view if verdict else None))
            elif verdict is None or not verdict.refusals or further.kind is DeliveryKind.CORRECTION:
                ring.append(service_id)
        if not parts and not ring:  # what never got there may not be sent again as it was: that it is wrong is kept
            lost = telling.holders(further.corrects, lost=True) if further.corrects else ()
            refused += [Verdict(each, (NOT_THERE,), self.directory.route(each)) for each in lost]
        states = {row["id"]: row["state"] for row in record.consents}
        return FurtherPlan(further, telling, sender, business, tuple(parts), tuple(refused), tuple(ring), states, link)


def _refuse_paused(further: Further, paused: frozenset[str]) -> None:
    """What is being checked with the person goes in no later delivery, until it is corrected (R40)."""
    if further.kind is DeliveryKind.CORRECTION:
        paused -= {further.corrects}
    found = [index for index, section in enumerate(further.sections) if section.id in paused]
    if found:
        refusal = Refusal("section-paused", "Part of this is being checked.", "Check it with the person first.")
        raise Malformed(refusal, tuple(Fault(f"/sections/{index}", PAUSED) for index in found))


def _concerns(telling: Telling, further: Further) -> tuple[str, ...]:
    """Return the services that this may go to, before anything is decided; raises where there is none."""
    if further.kind is DeliveryKind.ADDENDUM:
        return tuple(telling.originals)
    if further.kind is DeliveryKind.CORRECTION:
        holders = telling.holders(further.corrects)
        if not holders and not telling.holders(further.corrects, lost=True):
            refusal = Refusal("nobody-has-it", "No service got this part.", "Check which part is to be put right.")
            raise Malformed(refusal, (Fault("/corrects", _NOBODY_HAS_IT),))
        return holders
    asking = open_question(telling.record, further.delivery)
    others = [each for each in telling.originals if each in further.also and each != asking["service_id"]]
    return (asking["service_id"], *others)


def open_question(record: ShareRecord, delivery_id: str) -> Row:
    """Return the delivery whose question waits; raises `Conflict` where nobody asks anything (R42)."""
    for row in record.deliveries:
        if row["id"] == delivery_id and row["answer_state"] == AnswerState.NEEDS_INFO:
            return row
    raise Conflict(NO_QUESTION)


def question_id(record: ShareRecord, delivery_id: str) -> str:
    """Return the id of the newest question of a delivery: it is answered once."""
    asked = [each for each in record.answers.get(delivery_id, ()) if each["state"] == AnswerState.NEEDS_INFO]
    return str(asked[-1]["id"]) if asked else ""


@dataclass(frozen=True, slots=True)
class _One:
    """The same telling, decided for one service after another."""

    of: Furthers
    telling: Telling
    further: Further
    sender: Sender
    seed: str
    business: datetime
    wall: datetime
    link: Link

    def decide(self, service_id: str) -> tuple[Verdict | None, FollowUp | None]:
        """Return what was decided for a service, and what it gets; no verdict where nothing new was to be shown."""
        original = self.telling.originals[service_id]
        correcting = self.further.kind is DeliveryKind.CORRECTION
        if not correcting and DeliveryState(original["state"]) in _LOST:
            route = self.of.directory.route(service_id)
            return Verdict(service_id, (NOT_THERE,), route), None
        verdict = self._verdict(service_id) if self.further.sections else None
        shown = verdict is not None and not verdict.refusals
        if not shown and not correcting:
            return verdict, None
        made = self._make(service_id, original, verdict if shown else None)
        if shown and made is not None and self._too_large(service_id, made):
            verdict = replace(verdict, refusals=(TOO_LARGE,)) if verdict else None
            return verdict, self._make(service_id, original, None) if correcting else None
        return verdict, made

    def _verdict(self, service_id: str) -> Verdict:
        """Consent and gates as they stand now, under the terms as they were given."""
        consent = self.telling.grant(service_id)
        if consent is None:  # it went without one, by the override policy, which lets nothing follow (R23)
            return Verdict(service_id, (ABSENT,), self.of.directory.route(service_id))
        row = self.telling.consents[service_id]
        over = ended(ConsentState(row["state"]), row["ends_at"], self.business)
        share = replace(retold(self.telling.kept, [consent], list(self.further.sections)), services=[service_id])
        share, known = as_chosen(share, self.link), {service_id: over} if over else {}
        (verdict,) = decide(share, self.sender, self.of.directory, self.business, known, self.link)
        return replace(verdict, refusals=_unpointed(verdict.refusals))

    def _make(self, service_id: str, original: Row, verdict: Verdict | None) -> FollowUp | None:
        further = self.further
        asked = original["id"] == further.delivery
        kind = DeliveryKind.ADDENDUM if further.kind is DeliveryKind.REPLY and not asked else further.kind
        seed = f"question|{question_id(self.telling.record, original['id'])}" if asked else self.seed
        view = verdict.view if verdict else None
        return self.of.follow_ups.make(
            Wanted(
                original,
                kind,
                seed,
                self.telling.last(service_id),
                self.business,
                self.wall,
                f"client:{self.sender.client_id}",
                sections=by_category(view) if view else {},
                about=self._about(service_id),
                unnamed=self.link.withhold_author,
            )
        )

    def _about(self, service_id: str) -> dict[str, Any]:
        """What is said of the delivery itself: a section is named only to a service that knows it."""
        known = {each for row in self.telling.record.deliveries if row["service_id"] == service_id
                 for each in self.telling.carried[row["id"]]}  # fmt: skip
        about = {"note": "being_checked" if self.further.checking else "do_not_rely"} if self.further.corrects else {}
        named = {"relates_to": self.further.relates_to, "corrects": self.further.corrects}
        old = {"plan_stale": True} if self.further.plan_stale else {}
        return old | about | {name: each for name, each in named.items() if each and each in known}

    def _too_large(self, service_id: str, made: FollowUp) -> bool:
        route = self.of.directory.route(service_id)
        return route is not None and len(made.body) > route.connection.body_bytes


def _unpointed(refusals: Iterable[Refusal]) -> tuple[Refusal, ...]:
    """What was agreed stands in the share, and is no place in what was sent now."""
    return tuple(
        replace(each, pointer="") if each.pointer.startswith(("/consents", "/services")) else each for each in refusals
    )


class ConsentMoved(HubError):
    """What was agreed changed while this was decided: decide it again."""

    def __init__(self) -> None:
        super().__init__(Refusal("consent-moved", "What was agreed has just changed.", "Send it again.", origin="hub"))
