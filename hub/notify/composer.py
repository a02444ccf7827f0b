"""The composer: from a notice's ids to the mail or webhook sent; neither ever holds a name, need or place (R45)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hub.domain.route import Champion, Directory
from hub.notify import words
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
        share, alert = context["share"], context["alert"]
        if share is None:
            return words.connection_held(notice["connection_id"] or "")
        if notice["topic"] == "heard_copy":
            return words.heard_copy(share["reference"])
        waited = self.now.business() - share["sent_at"]
        link = f"{self.public_url.rstrip('/')}/alerts/{alert['id'] if alert else share['id']}"
        not_there = notice["topic"] in {"alert.undelivered", "dead_lettered"}
        return words.alert("not_delivered" if not_there else "no_answer", share["reference"], _positive(waited), link)


def _positive(waited: timedelta) -> timedelta:
    return max(waited, timedelta(0))
