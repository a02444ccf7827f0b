"""The composer: from a notice's ids to the mail or webhook sent; neither ever holds a name, need or place (R45)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.domain.alert import AlertKind
from hub.domain.delivery import DeliveryState
from hub.domain.route import Champion, Directory
from hub.notify import operator_words, words
from hub.notify.mail import Mail
from hub.notify.notifier import Composed
from hub.notify.webhook import Subscription, ThinNotice
from hub.notify.words import Words
from hub.services.now import Now
from hub.services.pack import place, unpack
from hub.services.ports import Row, Vault

Context = Mapping[str, Row | None]


@dataclass(frozen=True, slots=True)
class Composer:
    """Composes notices; `read` fetches what a notice speaks of, `subscriptions` are by client id."""

    directory: Directory
    vault: Vault
    public_url: str
    subscriptions: Mapping[str, Subscription]
    read: Callable[[Row], Awaitable[Context]]
    now: Now

    async def __call__(self, notice: Row) -> Composed:
        """Return what to send for one notice."""
        context = await self.read(notice)
        if notice["channel"] == "webhook":
            return self._webhook(notice, context)
        return self._mail(notice, context)

    def _webhook(self, notice: Row, context: Context) -> Composed:
        subscription = self.subscriptions.get(notice["recipient"])
        share, delivery = context["share"], context["delivery"]
        if subscription is None or share is None or share["data_key"] is None:
            return Composed()
        data_key = self.vault.unwrap(share["data_key"])
        sender = unpack(data_key.open(share["sender"], place("shares", "sender", share["id"])))
        data: dict[str, Any] = {
            "share": share["id"],
            "reference": share["reference"],
            "your_reference": sender["reference"],
        }
        if delivery is not None:
            data |= {"delivery": delivery["id"], "state": delivery["state"], "answer": delivery["answer_state"]}
            if notice["alert_id"] is None:
                data["service"] = delivery["service_id"]  # an alert names no service: the case system looks it up (R45)
        created = notice["created_at"].isoformat(timespec="seconds")
        body = json.dumps({"type": notice["topic"], "timestamp": created, "data": data}, ensure_ascii=False)
        return Composed(webhook=ThinNotice(notice["id"], body.encode()), subscription=subscription)

    def _mail(self, notice: Row, context: Context) -> Composed:
        to = self._address(notice["recipient"])
        if not to:
            return Composed()
        composed = self._words(notice, context)
        return Composed(mail=Mail(notice["id"], to, composed.subject, composed.text, notice["created_at"]))

    def _address(self, recipient: str) -> str:
        if recipient.startswith("service:"):
            service = self.directory.services.get(recipient.removeprefix("service:"))
            return service.email if service else ""
        return next((each.email for each in self._people() if each.id == recipient), "")

    def _people(self) -> list[Champion]:
        return [self.directory.operator, *(partner.champion for partner in self.directory.partners.values())]

    def _words(self, notice: Row, context: Context) -> Words:
        share, delivery = context["share"], context["delivery"]
        if (told := operator_words.of(notice, share)) is not None:
            return told
        if notice["topic"] == "message_refused":
            return words.message_refused(notice["connection_id"] or "")
        if share is None:
            held = context["connection"] or {"held_reason": "", "held_since": None}
            return words.connection_held(notice["connection_id"] or "", held["held_reason"] or "", held["held_since"])
        reference = share["reference"]
        if notice["topic"] == "heard_copy":
            return words.heard_copy(reference)
        # What follows a share waits from when it was made, not from when the share was sent.
        waited = _positive(self.now.business() - (delivery["created_at"] if delivery else share["sent_at"]))
        if notice["topic"] == "dead_lettered":
            return words.stopped(reference, waited)
        link = f"{self.public_url.rstrip('/')}/alerts/{notice['alert_id']}"
        return words.alert(_kind(notice, delivery), reference, waited, link)


def _kind(notice: Row, delivery: Row | None) -> words.AlertKind:
    if notice["topic"] != f"alert.{AlertKind.UNDELIVERED}":
        return "no_answer"
    state = delivery["state"] if delivery else None
    if state == DeliveryState.DEAD_LETTERED:
        return "given_up"
    return "in_doubt" if state == DeliveryState.IN_DOUBT else "not_there"


def _positive(waited: timedelta) -> timedelta:
    return max(waited, timedelta(0))
