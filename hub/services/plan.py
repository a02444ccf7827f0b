"""Plan a share: decide, and make every parcel once, before anything is kept; preview shows it, submit commits it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from hub.domain.calendar import WorkingCalendar
from hub.domain.delivery import DeliveryKind
from hub.domain.errors import HubError, MissingLeaf, Refusal
from hub.domain.reference import make as make_reference
from hub.domain.route import Directory, Route
from hub.domain.share import Consent, Share
from hub.services.decide import Sender, Verdict, compose, decide
from hub.services.ports import Mappings, Vault
from hub.services.set_clocks import SetClock, reply_by, set_clocks


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of one submission, derived from who sent it and its Idempotency-Key, so that a re-run changes nothing."""

    share: str
    record: str
    reference: str
    _seed: bytes

    def of(self, what: str, service_id: str) -> UUID:
        """Return the id of a thing this submission makes for one service."""
        return UUID(bytes=hashlib.sha256(self._seed + f"{what}|{service_id}".encode()).digest()[:16], version=4)


def derive_ids(vault: Vault, partner_id: str, idempotency_key: str, salt: int = 0) -> Ids:
    """Derive a submission's ids with the hub's keyed hash: unguessable, yet the same on every re-run.

    `salt` counts how often the speakable reference that came out was taken (47 million exist).
    """
    seed = bytes.fromhex(vault.digest("submission", f"{partner_id}|{idempotency_key}|{salt}"))
    draw = hashlib.sha256(seed + b"reference").digest()
    ids = Ids("", "", make_reference(draw), seed)
    return Ids(ids.of("share", "").hex, ids.of("record", "").hex, ids.reference, seed)


def agreements(vault: Vault, partner_id: str, share: Share) -> dict[str, str]:
    """Return for each service a keyed hash of what the person agreed, by the reference its sender gave it (R12)."""
    return {
        consent.service: vault.digest(
            "agreement", "|".join((partner_id, share.person.reference, consent.reference, consent.service))
        )
        for consent in share.consents
    }


@dataclass(frozen=True, slots=True)
class Planned:
    """One parcel as it would be delivered: its bytes are what preview shows and what the wire carries."""

    verdict: Verdict
    route: Route
    consent: Consent
    delivery_id: str
    key: str
    case: str
    body: bytes
    content_type: str
    frame: Mapping[str, Any]  #: what the mapping saw beside the story
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


def plan(  # noqa: PLR0913 - the inputs of the whole decision
    share: Share,
    sender: Sender,
    ids: Ids,
    directory: Directory,
    mappings: Mappings,
    now: datetime,
    calendar: WorkingCalendar,
    withdrawn: Collection[str] = (),
) -> Plan:
    """Decide and map once for every service; nothing is kept, so that preview equals delivery (R13).

    `withdrawn` as in `decide`.
    """
    parcels: list[Planned] = []
    refused: list[Verdict] = []
    for verdict in decide(share, directory, now, withdrawn):
        if verdict.refusals:
            refused.append(verdict)
            continue
        try:
            parcels.append(_map(share, verdict, sender, ids, directory, mappings, now, calendar))
        except MissingLeaf as error:
            refused.append(replace(verdict, refusals=(replace(error.refusal, pointer=_where(share, verdict)),)))
        except HubError as error:
            refused.append(replace(verdict, refusals=(error.refusal,)))
    return Plan(share, sender, ids, now, tuple(parcels), tuple(refused))


#: The connection would refuse it for ever: the worker can still make it shorter now.
TOO_LARGE = Refusal(
    type="parcel-too-large",
    title="This is too long for this service's system.",
    next_step="Make what they said shorter, or send this service fewer parts. Then send it again.",
)


def _where(share: Share, verdict: Verdict) -> str:
    """What is missing is missing from what was agreed for this service."""
    assert verdict.consent is not None
    return f"/consents/{share.consents.index(verdict.consent)}/categories"


def _map(  # noqa: PLR0913 - the inputs of one parcel
    share: Share,
    verdict: Verdict,
    sender: Sender,
    ids: Ids,
    directory: Directory,
    mappings: Mappings,
    now: datetime,
    calendar: WorkingCalendar,
) -> Planned:
    """Run the mapping, once; raises `HubError` where consent does not reach what it needs, or it weighs too much."""
    route, consent = verdict.route, verdict.consent
    assert route is not None
    assert consent is not None
    key, case = str(ids.of("key", verdict.service_id)), str(ids.of("case", verdict.service_id))
    clocks = set_clocks(share.ask, DeliveryKind.SHARE, now, share.urgent, route, directory, calendar)
    view = compose(share, verdict, sender, ids.reference, key, case, now, reply_by(clocks))
    mapper = mappings[route.connection.mapping]
    parcel = mapper.run(view)
    if len(parcel) > route.connection.body_bytes:
        raise HubError(TOO_LARGE)
    return Planned(
        verdict=verdict,
        route=route,
        consent=consent,
        delivery_id=ids.of("delivery", verdict.service_id).hex,
        key=key,
        case=case,
        body=parcel,
        content_type=mapper.content_type,
        frame={name: part for name, part in view.items() if name != "section"},
        clocks=clocks,
    )
