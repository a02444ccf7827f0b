"""The composer: from a notice's ids to the mail or webhook sent; neither ever holds a name, need or place (R45)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hub.domain.absence import presence
from hub.domain.alert import AlertKind
from hub.domain.answer import AnswerState, bare_state
from hub.domain.answer_note import ABOUT_ANSWER, about
from hub.domain.calendar import london_date
from hub.domain.delivery import DeliveryState
from hub.domain.route import Directory
from hub.domain.trusted_person import ONE_REPLIED
from hub.notify import alert_words, digest_words, entry_words, operator_words, words
from hub.notify.drop import Drop
from hub.notify.inviter import answer_link
from hub.notify.mail import Mail
from hub.notify.notifier import Composed
from hub.notify.webhook import Subscription, ThinNotice
from hub.notify.words import Words
from hub.services.before import SENT_ON
from hub.services.helped import THANKS
from hub.services.hold_entries import ENTRY_HELD
from hub.services.hold_share import HELD, NOT_SAFE
from hub.services.now import Now
from hub.services.override_rows import OVERRIDE_USED
from hub.services.pack import place, unpack
from hub.services.ports import Row, Vault
from hub.services.remind_held import STILL_HELD
from hub.services.tell import (
    ANSWERED,
    DIGESTS,
    INVITE,
    LAST_DIGEST,
    LOOK_TOGETHER,
    OPERATOR,
    OUTAGE_ENDED,
    RING_IN_PRIVATE,
)
from hub.services.tell_absent import HANDOVER
from hub.services.tell_service import asked_of, lacks
from hub.services.who_hears import CONVENE

Context = Mapping[str, Row | None]


async def _none(_notice: Row) -> Mapping[str, Any]:
    """What a mail for many holds where none is made."""
    return {"total": 0}


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes notices; `read` fetches what a notice speaks of, `subscriptions` are by client id.

    `read_many` fetches what went together; `fewer` gives the address where a reader chooses one mail a day, or nothing.
    """

    directory: Directory
    vault: Vault
    public_url: str
    subscriptions: Mapping[str, Subscription | Drop]
    read: Callable[[Row], Awaitable[Context]]
    now: Now
    read_many: Callable[[Row], Awaitable[Mapping[str, Any]]] = _none
    fewer: Callable[[str], str] = lambda _reader: ""

    async def __call__(self, notice: Row) -> Composed:
        """Return what to send for one notice."""
        if notice["topic"] in DIGESTS:
            return self._many(notice, await self.read_many(notice))
        context = await self.read(notice)
        if notice["channel"] == "webhook":
            return self._webhook(notice, context)
        return self._mail(notice, context)

    def _webhook(self, notice: Row, context: Context) -> Composed:
        subscription = self.subscriptions.get(notice["recipient"])
        if subscription is not None and notice["ring_id"] is not None:
            return _thin(notice, subscription, {"ring": notice["ring_id"]})
        share, delivery = context["share"], context["delivery"]
        if subscription is None or share is None:
            return Composed()
        data: dict[str, Any] = {"share": share["id"], "reference": share["reference"]}
        restricted = share["restricted"]
        if share["data_key"] is not None:  # of what was forgotten, ids and states are all that can be told
            data_key = self.vault.unwrap(share["data_key"])
            sender = unpack(data_key.open(share["sender"], place("shares", "sender", share["id"])))
            data["your_reference"], restricted = sender["reference"], bool(sender["can_see"])
        waits = notice["topic"] == ANSWERED and self._is_absent(context)
        if restricted or waits:
            # The case system is more than the group that the person was told about (R02), or nobody is there (R07).
            data |= {"words": ONE_REPLIED} if notice["topic"] == ANSWERED else {}
        elif delivery is not None:
            data |= {"delivery": delivery["id"], "state": delivery["state"], "answer": self._answer(delivery)}
            if notice["service_id"] is not None:
                data["offered"] = notice["service_id"]  # one that may help instead, whoever has the share
            if notice["alert_id"] is None:
                data["service"] = delivery["service_id"]  # an alert names no service: the case system looks it up (R45)
        return replace(_thin(notice, subscription, data), waits=waits)

    def _is_absent(self, context: Context) -> bool:
        kept = context.get("absences") or {}
        return presence(kept.get("rows", ()), "", london_date(self.now.business())).why is not None

    def _answer(self, delivery: Row) -> str:
        """A children's team, or one that asks not to tell yet, has decided: what, is not said here (R21)."""
        state = AnswerState(delivery["answer_state"])
        return bare_state(state) if self._is_muted(delivery) else str(state)

    def _is_muted(self, delivery: Row) -> bool:
        service = self.directory.services.get(delivery["service_id"])
        children = service is not None and service.agreement is not None and service.agreement.children
        return bool(children or delivery["do_not_tell_yet"])

    def _mail(self, notice: Row, context: Context) -> Composed:
        if notice["topic"] == INVITE:
            return self._invite(notice, context["invite"], context["share"])
        return self._to(notice, self._said(notice, context))

    def _to(self, notice: Row, said: Words) -> Composed:
        """Return the mail for whoever the notice is for; nothing where nobody is there."""
        to = self._address(notice["recipient"])
        if not to:
            return Composed()
        fewer = self.fewer(notice["recipient"])
        return Composed(mail=Mail(notice["id"], to, said.subject, said.text, notice["created_at"], fewer))

    def _said(self, notice: Row, context: Context) -> Words:
        ring_id = notice["ring_id"]
        if notice["topic"] == ABOUT_ANSWER and context["share"] is not None:
            return words.about_answer(context["share"]["reference"], _about(context["answer"]))
        if notice["topic"] == THANKS:
            return words.thanks()
        if ring_id is not None:
            return words.ring(notice["topic"], ring_link(self.public_url, self.vault, ring_id))
        return self._words(notice, context)

    def _many(self, notice: Row, held: Mapping[str, Any]) -> Composed:
        """One mail for what became due for a reader together; one that holds a single notice says what that says."""
        listed = _LISTED_HERE
        if notice["recipient"] != OPERATOR:
            listed = f"All of them are in your list: {self.public_url.rstrip('/')}/console/follow-up"
        if notice["topic"] == OUTAGE_ENDED:
            return self._to(notice, digest_words.outage_ended(held["outage"], listed))
        if not held["total"]:
            return Composed()  # what it held was cancelled since
        said = [self._said(each, context) for each, context in held["first"]]
        last = notice["topic"] == LAST_DIGEST
        if held["total"] == 1 and not last:
            return self._to(notice, said[0])
        lines = [(each.subject, _link_in(each.text)) for each in said]
        not_there = held["not_there"] > 0
        return self._to(notice, digest_words.digest(lines, held["total"], listed, not_there=not_there, last=last))

    def _invite(self, notice: Row, invite: Row | None, share: Row | None) -> Composed:
        """A new link goes to the mailbox that the first one went to, and to no other."""
        if invite is None or share is None:
            return Composed()
        link = answer_link(self.public_url, self.vault, invite["delivery_id"], invite["number"])
        said = words.invite(share["reference"], invite["expires_at"], link)
        return Composed(mail=Mail(notice["id"], invite["address"], said.subject, said.text, notice["created_at"]))

    @staticmethod
    def _of_connection(notice: Row, held: Row) -> Words:
        match notice["topic"]:
            case "message_refused":
                return words.message_refused()
            case _ if notice["topic"] == ENTRY_HELD:
                return entry_words.entry_held(held["held_reason"] or "")
            case _:
                return words.connection_held(held["held_since"])

    def _address(self, recipient: str) -> str:
        if recipient.startswith("service:"):
            service = self.directory.services.get(recipient.removeprefix("service:"))
            return service.email if service else ""
        if recipient.startswith("champion:"):
            partner = self.directory.partners.get(recipient.removeprefix("champion:"))
            return partner.champion.email if partner else ""
        return next((each.email for each in self.directory.people() if each.id == recipient), "")

    def _words(self, notice: Row, context: Context) -> Words:
        share, delivery = context["share"], context["delivery"]
        if (told := operator_words.of(notice, share)) is not None:
            return told
        if (by_reference := _BY_REFERENCE.get(notice["topic"])) is not None:
            return by_reference(share["reference"] if share else "")
        if share is None:
            return self._of_connection(notice, context["connection"] or {"held_reason": "", "held_since": None})
        reference = share["reference"]
        # What follows a share waits from when it was made, not from when the share was sent.
        waited = _positive(self.now.business() - (delivery["created_at"] if delivery else share["sent_at"]))
        if notice["topic"] == "dead_lettered":
            return words.stopped(reference, waited)
        link = f"{self.public_url.rstrip('/')}/alerts/{notice['alert_id']}"
        hides = notice["topic"] == _SIGNPOSTED and delivery is not None and self._is_muted(delivery)
        told = None if hides else alert_words.of(notice["topic"], reference, waited, link)
        told = told or words.alert(_kind(notice, delivery), reference, waited, link)
        to_operator = notice["recipient"] == self.directory.operator.id
        return operator_words.without_link(told, link, reference) if to_operator else told


#: Says by itself what was answered.
_SIGNPOSTED = f"alert.{AlertKind.SIGNPOSTED}"
#: Mails of which nothing varies but the reference.
_BY_REFERENCE = {
    "heard_copy": words.heard_copy,
    HELD: words.look_first,
    STILL_HELD: words.still_held,
    NOT_SAFE: words.not_safe,
    OVERRIDE_USED: words.override_used,
    CONVENE: words.convene,
    HANDOVER: words.handover,
    SENT_ON: words.sent_on,
    "death": words.death,
    LOOK_TOGETHER: words.look_together,
    RING_IN_PRIVATE: words.ring_in_private,
}


def _thin(notice: Row, subscription: Subscription | Drop, data: Mapping[str, Any]) -> Composed:
    created = notice["created_at"].isoformat(timespec="seconds")
    body = json.dumps({"type": notice["topic"], "timestamp": created, "data": data}, ensure_ascii=False)
    return Composed(webhook=ThinNotice(notice["id"], body.encode()), subscription=subscription)


def ring_link(public_url: str, vault: Vault, ring_id: str) -> str:
    """Return the link of a request to be rung, which its asker, who knows its id, cannot guess."""
    return f"{public_url.rstrip('/')}/rings/{ring_id}/{vault.digest('ring', ring_id)[:32]}"


def _link_in(text: str) -> str:
    """The address that stands in a paragraph of its own, if there is one."""
    return next((each for each in text.split("\n\n") if each.startswith(("https://", "http://"))), "")


#: Where the operator sees all of it.
_LISTED_HERE = "To see all of them: `hub alerts ls`."


def _about(answer: Row | None) -> str:
    if answer is None:
        return about((), ())
    return about(asked_of(answer["kind"], lacks(answer), answer["returns"]), answer["held_back"])


def _kind(notice: Row, delivery: Row | None) -> words.AlertKind:
    if notice["topic"] != f"alert.{AlertKind.UNDELIVERED}":
        return "no_answer"
    state = delivery["state"] if delivery else None
    if state == DeliveryState.DEAD_LETTERED:
        return "given_up"
    return "in_doubt" if state == DeliveryState.IN_DOUBT else "not_there"


def _positive(waited: timedelta) -> timedelta:
    return max(waited, timedelta(0))
