"""Before: what earlier shares say of a new one: when this was first asked, and whether its plan is old (R20, R33)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from hub.domain.answer import AnswerState
from hub.domain.errors import Forbidden, HubError, Malformed, Refusal
from hub.domain.share import Plan as PersonsPlan
from hub.services.ports import Vault

#: The topic of the e-mail to the sender's champion, from the second redirect on.
SENT_ON: Final = "share.sent_on"
_TELL_FROM = 2

NO_SUCH_REDIRECT = Refusal(
    "redirect-unknown",
    "We know of no team there that named someone else for them.",
    "Check which delivery it was. Leave this out if nobody sent them on.",
    pointer="/redirected_from",
)
TOO_OFTEN = Refusal(
    "redirect-limit",
    "They have been sent on too often.",
    "Ring your champion. Find together who will help, before they are sent on again.",
    pointer="/redirected_from",
)
PLAN_IS_OLD = (
    "There is a newer version of their plan. Look at it with them. The services are told that this one is old."
)

#: Every refusal this module names, for the list of problem types and the test of plain words.
REFUSALS = (NO_SUCH_REDIRECT, TOO_OFTEN)


@dataclass(frozen=True, slots=True)
class Before:
    """When this was first asked of any service, how often it was sent on since, and if its plan is an old version."""

    first_asked_at: datetime | None = None
    redirects: int = 0
    plan_stale: bool = False

    @property
    def champion_hears(self) -> bool:
        """Whether somebody should look at why nobody helps."""
        return self.redirects >= _TELL_FROM


NOTHING_BEFORE = Before()


def redirect_of(row: Mapping[str, Any] | None, person: str, most: int) -> Before | HubError:
    """Return what a new share keeps of the delivery that sent the person on: the date first asked, and how often.

    Whatever is not just that, another's delivery or person or another answer, is told alike (TH02).
    """
    if row is None or row["person"] != person or row["answer_state"] != AnswerState.REDIRECT_SUGGESTED:
        return Malformed(NO_SUCH_REDIRECT)
    number = (row["redirects"] or 0) + 1
    if number > most:
        return Forbidden(TOO_OFTEN)
    return Before(row["first_asked_at"] or row["sent_at"], number)


def plan_key(vault: Vault, partner_id: str, plan: PersonsPlan) -> tuple[str, str]:
    """Return the keyed hashes of a plan and of one version of it, as its partner names them."""
    return (
        vault.digest("plan", f"{partner_id}|{plan.reference}"),
        vault.digest("plan-version", f"{partner_id}|{plan.reference}|{plan.version}"),
    )


def redirect_row(share_id: str, before: Before) -> dict[str, Any]:
    """Return what is kept of a share that goes on from another: the next one after it counts on."""
    return {"share_id": share_id, "first_asked_at": before.first_asked_at, "number": before.redirects}


def version_row(vault: Vault, partner_id: str, plan: PersonsPlan | None, at: datetime) -> dict[str, Any] | None:
    """Return that a version of a plan was named, by keyed hashes."""
    if plan is None:
        return None
    key, version = plan_key(vault, partner_id, plan)
    return {"partner_id": partner_id, "plan": key, "version": version, "seen_at": at}


def is_stale(version: str, seen: Sequence[str]) -> bool:
    """Tell whether a version is an old one, by those that were `seen`, the one that was first seen last at first.

    A version is opaque: the newest is the one that came last, and one that nobody has named before is newer still.
    """
    return version in seen and version != seen[0]
