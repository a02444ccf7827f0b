"""Plan a share: decide, and make every parcel once, before anything is kept; preview shows it, submit commits it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.domain.calendar import WorkingCalendar
from hub.domain.delivery import DeliveryKind
from hub.domain.errors import HubError, MissingLeaf, Refusal
from hub.domain.override import NOT_TAKEN
from hub.domain.reference import make as make_reference
from hub.domain.route import Directory, Route
from hub.domain.share import Consent, Share
from hub.domain.trusted_person import NO_LINK, Link, as_chosen, must_wait
from hub.services.before import NOTHING_BEFORE, Before
from hub.services.carried import carried
from hub.services.decide import NOTHING_ENDED, Sender, Verdict, compose, decide
from hub.services.ports import Mappings, Vault
from hub.services.set_clocks import SetClock, reply_by, set_clocks


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of one submission, derived from who sent it and its Idempotency-Key, so that a re-run changes nothing."""

    share: str
    record: str
    reference: str
    _seed: bytes

    @property
    def seed(self) -> str:
        """What every other id comes from, to be sealed with a share that is decided again later."""
        return self._seed.hex()

    def of(self, what: str, service_id: str) -> UUID:
        """Return the id of a thing this submission makes for one service."""
        return UUID(bytes=hashlib.sha256(self._seed + f"{what}|{service_id}".encode()).digest()[:16], version=4)

    def consent(self, service_id: str) -> str:
        """Return the consent receipt id for one service: what is agreed there is known by it for good (R14)."""
        return self.of("consent", service_id).hex


def derive_ids(vault: Vault, partner_id: str, idempotency_key: str, salt: int = 0) -> Ids:
    """Derive a submission's ids with the hub's keyed hash: unguessable, yet the same on every re-run.

    `salt` counts how often the speakable reference that came out was taken (47 million exist).
    """
    seed = bytes.fromhex(vault.digest("submission", f"{partner_id}|{idempotency_key}|{salt}"))
    draw = hashlib.sha256(seed + b"reference").digest()
    ids = Ids("", "", make_reference(draw), seed)
    return Ids(ids.of("share", "").hex, ids.of("record", "").hex, ids.reference, seed)


@dataclass(frozen=True, slots=True)
class Planned:
    """One parcel as it would be delivered: its bytes are what preview shows and what the wire carries."""

    verdict: Verdict
    route: Route
    consent: Consent | None  #: none where it goes by the override policy (R23)
    delivery_id: str
    key: str
    case: str
    body: bytes
    content_type: str
    frame: Mapping[str, Any]  #: what the mapping saw beside the story, and which sections it carried
    clocks: tuple[SetClock, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything decided about a share before anything is kept: preview returns it, submit commits it."""

    share: Share
    sender: Sender
    ids: Ids
    sent_at: datetime
    parcels: tuple[Planned, ...]
    refused: tuple[Verdict, ...]
    decided_at: datetime
    link: Link = NO_LINK
    before: Before = NOTHING_BEFORE
    shadows: tuple[Planned, ...] = ()  #: what would go where nothing is sent (R75)

    @property
    def held(self) -> bool:
        """Whether it waits for the champion, with nothing delivered (R04)."""
        return must_wait(self.share, self.link)


def plan(  # noqa: PLR0913 - the inputs of the whole decision
    share: Share,
    sender: Sender,
    ids: Ids,
    directory: Directory,
    mappings: Mappings,
    now: datetime,
    calendar: WorkingCalendar,
    ended: Mapping[str, Refusal] = NOTHING_ENDED,
    link: Link = NO_LINK,
    sent_at: datetime | None = None,
    before: Before = NOTHING_BEFORE,
) -> Plan:
    """Decide and map once for every service; nothing is kept, so that preview equals delivery (R13).

    `ended` and `link` as in `decide`, `before` as in `compose`. Clocks run from `sent_at`, for a share that waited; for
    any other from `now`.
    """
    share, sent_at = as_chosen(share, link), sent_at or now
    parcels: list[Planned] = []
    refused: list[Verdict] = []
    for verdict in decide(share, sender, directory, now, ended, link):
        if verdict.refusals:
            refused.append(verdict)
            continue
        try:
            parcels.append(_map(share, verdict, sender, ids, directory, mappings, sent_at, calendar, before))
        except MissingLeaf as error:
            refused.append(replace(verdict, refusals=(_incomplete(share, verdict, error),)))
        except HubError as error:
            refused.append(replace(verdict, refusals=(error.refusal,)))
    live = tuple(each for each in parcels if not each.route.connection.shadow)
    shadows = tuple(each for each in parcels if each.route.connection.shadow)
    return Plan(share, sender, ids, sent_at, live, tuple(refused), now, link, before, shadows)


#: The connection would refuse it for ever: the worker can still make it shorter now.
TOO_LARGE = Refusal(
    type="parcel-too-large",
    title="This is too long for this service's system.",
    next_step="Make what they said shorter, or send this service fewer parts. Then send it again.",
)


def frame_of(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is kept beside a parcel: all that its mapping saw but the story, and which sections it carried."""
    return {name: part for name, part in view.items() if name != "section"} | carried(view["section"])


def _incomplete(share: Share, verdict: Verdict, error: MissingLeaf) -> Refusal:
    """What is missing is missing from what was agreed for this service, or is that they agreed at all (R23)."""
    if verdict.consent is None:
        return NOT_TAKEN
    return replace(error.refusal, pointer=f"/consents/{share.consents.index(verdict.consent)}/categories")


def _map(  # noqa: PLR0913 - the inputs of one parcel
    share: Share,
    verdict: Verdict,
    sender: Sender,
    ids: Ids,
    directory: Directory,
    mappings: Mappings,
    sent_at: datetime,
    calendar: WorkingCalendar,
    before: Before,
) -> Planned:
    """Run the mapping, once; raises `HubError` where what may go is not what it needs, or weighs too much."""
    route = verdict.route
    assert route is not None
    key, case = str(ids.of("key", verdict.service_id)), str(ids.of("case", verdict.service_id))
    clocks = set_clocks(
        share.ask, DeliveryKind.SHARE, sent_at, share.urgent, route, directory, calendar,
        safety=share.at_risk_now, like_a_hand=share.like_a_hand,
    )  # fmt: skip
    view = compose(share, verdict, sender, ids.reference, key, case, sent_at, reply_by(clocks), before)
    mapper = mappings[route.connection.mapping]
    parcel = mapper.run(view)
    if len(parcel) > route.connection.body_bytes:
        raise HubError(TOO_LARGE)
    if verdict.override is not None and verdict.override.basis.encode() not in parcel:
        raise HubError(NOT_TAKEN)  # whoever reads it must see that nobody gave a yes (R23)
    return Planned(
        verdict=verdict,
        route=route,
        consent=verdict.consent,
        delivery_id=ids.of("delivery", verdict.service_id).hex,
        key=key,
        case=case,
        body=parcel,
        content_type=mapper.content_type,
        frame=frame_of(view),
        clocks=clocks,
    )
