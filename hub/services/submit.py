"""Submit: seal a planned share into rows, and keep many of them in one commit."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hub.domain.consent import ConsentState
from hub.domain.delivery import DeliveryEvent, DeliveryState, move
from hub.domain.errors import Conflict, HubError, Unauthenticated
from hub.domain.route import Directory
from hub.services.before import redirect_row, version_row
from hub.services.death import DIED
from hub.services.decide import Verdict
from hub.services.hold_share import HELD, held_rows, share_event
from hub.services.keep_trusted_person import LinkChanged, LinkKey, link_key_of, seen_of
from hub.services.look_together import Unsure, tell_champion, unsure
from hub.services.override_rows import add_override, override_events, override_notices
from hub.services.pack import pack, place
from hub.services.plan import Plan, Planned
from hub.services.ports import DataKey, Row, Transaction, Vault, audited
from hub.services.refusals import REPLAYED, TAKEN, AgreementEnded, ReferenceTaken, nothing_may_go, reused
from hub.services.rehearse import keep_rehearsals, rehearsal_rows
from hub.services.remember import OneTime, all_first, keep_used
from hub.services.sent_before import needs, sent_before
from hub.services.share_rows import add_consent, add_delivery, basis_row, share_row
from hub.services.supersede import Superseding, agreements, replaced, supersede, why_not
from hub.services.tallies import tallies
from hub.services.who_hears import who_hears


@dataclass(frozen=True, slots=True)
class Acceptance:
    """A plan with its rows sealed, ready for the commit; `partner_id`, `key` and `body` are the Idempotency-Key's."""

    plan: Plan
    partner_id: str
    key: str
    body: str
    data_key: DataKey
    receipt: dict[str, Any]
    once: OneTime
    rows: dict[str, list[dict[str, Any]]]
    link: LinkKey
    asked: Mapping[str, str]  #: for each service that gets a parcel, the need that it is for
    agreed: Mapping[str, str]  #: the agreement that it goes under
    replaced: Mapping[str, str]  #: and the earlier one that this takes the place of
    by: Superseding
    unsure: Unsure | None
    version: Row | None  #: of the person's plan, which it names
    second: OneTime | None = None  #: of another worker's assertion, where an override goes by it (R23)

    @property
    def proofs(self) -> tuple[OneTime, ...]:
        """Every assertion that this uses up."""
        return (self.once,) if self.second is None else (self.once, self.second)


@dataclass(frozen=True, slots=True)
class Kept:
    """The reply kept for a repeated request: sealed, with the wrapped key of its share."""

    share_id: str
    reply: bytes
    data_key: bytes | None  #: gone once the share is forgotten


def prepare(  # noqa: PLR0913 - the inputs of one commit
    planned: Plan,
    vault: Vault,
    directory: Directory,
    wall: datetime,
    idempotency_key: str,
    body_sha256: str,
    receipt: dict[str, Any],
    once: OneTime,
    raw: bytes = b"",
) -> Acceptance:
    """Seal a plan into rows; raises `Forbidden` when no service passed, with the first reason as its own (R12).

    `raw` is the request's body: it is what a share is kept as while it waits for the champion (R04).
    """
    data_key = vault.new_data_key()
    made = seal(planned, vault, wall, data_key, idempotency_key, body_sha256, receipt, once)
    made.rows["shares"] = [share_row(planned, directory, data_key, made.link)]
    made.rows["notices"] = who_hears(planned, directory, wall)
    if planned.before.first_asked_at is not None:
        made.rows["redirects"] = [redirect_row(planned.ids.share, planned.before)]
    if planned.held:
        made.rows.update(held_rows(planned, data_key, directory, wall, raw))
    if told := override_notices(planned, directory, wall):
        made.rows["notices"] = [*made.rows.get("notices", []), *(dict(each) for each in told)]
    action = HELD if planned.held else "share.accepted"
    made.rows["audit_events"].insert(0, share_event(action, planned, directory, made.by.author))
    return made


def seal(  # noqa: PLR0913 - as `prepare`, for a share that may be there already
    planned: Plan,
    vault: Vault,
    wall: datetime,
    data_key: DataKey,
    idempotency_key: str,
    body_sha256: str,
    receipt: dict[str, Any],
    once: OneTime,
) -> Acceptance:
    """Seal what was decided for each service; of a share that waits nothing is delivered and no clock runs (R04).

    Raises `NothingMayGo` when no service passed.
    """
    if not planned.parcels:
        raise nothing_may_go(planned.refused)
    share, sender = planned.share, planned.sender
    partner_id = sender.partner.id
    actor = f"client:{sender.client_id}"
    author = vault.digest("author", f"{partner_id}|{sender.author}")
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in _DECIDED}
    agreed = agreements(vault, partner_id, share)
    link = link_key_of(vault, partner_id, share)
    asked = needs(vault, link, share)
    for parcel in planned.parcels:
        service_id = parcel.route.service.id
        if (grant := parcel.verdict.override) is not None:
            add_override(rows, planned, parcel, grant, vault, author)
        else:
            _add_given(rows, planned, parcel, (agreed[service_id], asked[service_id]), data_key, author)
        if not planned.held:
            add_delivery(rows, planned, parcel, data_key, wall, actor)
    for verdict in planned.refused:
        rows["audit_events"].append(_audit_refusal(planned, verdict, actor))
        if (said := verdict.consent) is not None and said.answer == "no":
            add_consent(
                *(rows, planned, replace(said, facts={}), ConsentState.REFUSED),
                *((agreed[said.service], asked[said.service]), data_key, author),
            )
    rows["audit_events"].extend(dict(event) for event in override_events(planned, vault, planned.ids.share))
    goes = {parcel.route.service.id for parcel in planned.parcels}
    return Acceptance(
        planned,
        partner_id,
        vault.digest("idempotency", f"{partner_id}|{idempotency_key}"),
        vault.digest("body", body_sha256),
        data_key,
        receipt,
        once,
        rows,
        link,
        {parcel.route.service.id: asked[parcel.route.service.id] for parcel in planned.parcels if parcel.consent},
        {service_id: each for service_id, each in agreed.items() if service_id in goes},
        {service_id: each for service_id, each in replaced(vault, partner_id, share).items() if service_id in goes},
        Superseding(sender.client_id, author, planned.decided_at, wall),
        unsure(planned, vault, wall),
        version_row(vault, partner_id, share.plan, planned.decided_at),
    )


def _add_given(  # noqa: PLR0913 - as `add_consent`
    rows: dict[str, list[dict[str, Any]]],
    planned: Plan,
    parcel: Planned,
    bears: tuple[str, str],
    data_key: DataKey,
    author: str,
) -> None:
    """Add a consent that something goes under, with the basis for it; what no gate asked for is not kept (R30)."""
    assert parcel.consent is not None
    kept = replace(parcel.consent, facts=dict(parcel.frame["consent"]["facts"]))
    children = parcel.route.agreement.children
    add_consent(rows, planned, kept, ConsentState.GIVEN, bears, data_key, author, children=children)
    rows["lawful_bases"].append(basis_row(parcel, planned.ids.consent(parcel.route.service.id), planned.decided_at))


def accept(tx: Transaction, items: Sequence[Acceptance]) -> list[Acceptance | Kept | HubError]:
    """Keep many acceptances in one transaction; a repeated key answers what it answered before, or is refused.

    Nothing that a caller has been promised is lost: the caller replies only after the commit.
    """
    return [result for run in _runs(items) for result in _accept_run(tx, run)]


def _runs(items: Sequence[Acceptance]) -> Iterator[Sequence[Acceptance]]:
    """One that replaces an earlier agreement goes by itself: what came before it in the same batch is kept by then."""
    run: list[Acceptance] = []
    for item in items:
        if item.replaced:
            yield from (run, [item])
            run = []
        else:
            run.append(item)
    yield run


def _accept_run(tx: Transaction, items: Sequence[Acceptance]) -> list[Acceptance | Kept | HubError]:
    if not items:
        return []
    # First of all, as a withdrawal does: a claim passes over what is locked.
    to_replace = tx.lock_agreements([each for item in items for each in item.replaced.values()])
    known = {row["agreement"] for row in to_replace}
    # Before the replies are looked at: what another process has just kept is then found there, and is no second asking.
    standing = tx.open_needs([each for item in items for each in item.asked.values()])
    # In this order: a twin that another process commits in between is then found by its key, not by its reference.
    taken = tx.taken_references([item.plan.ids.reference for item in items])
    kept = tx.kept_replies([(item.partner_id, item.key) for item in items])
    held = tx.held_connections()
    dead = tx.known_deaths([(item.partner_id, item.rows["shares"][0]["person"]) for item in items])
    over = tx.ended_agreements([each for item in items for each in item.agreed.values()])
    links = tx.links([item.link for item in items])
    results: list[Acceptance | Kept | HubError] = []
    tables: dict[str, list[Row]] = {}
    first: dict[tuple[str, str], Acceptance] = {}
    used: list[OneTime] = []
    for item, is_first in zip(items, all_first(tx, [item.proofs for item in items]), strict=True):
        if not is_first:
            results.append(Unauthenticated(REPLAYED))
            continue
        used.extend(item.proofs)
        earlier, twin = kept.get((item.partner_id, item.key)), first.get((item.partner_id, item.key))
        if earlier is not None:
            same = earlier["body"] == item.body
            results.append(Kept(earlier["share_id"], earlier["reply"], earlier["data_key"]) if same else reused())
        elif twin is not None:
            results.append(twin if twin.body == item.body else reused())
        elif (barred := _barred(item, dead, taken)) is not None:
            results.append(barred)
            # The same request comes again with another reference: its author's assertion is still good.
            del used[-len(item.proofs) :]
        elif refusals := {
            **sent_before(item.asked, standing, item.replaced),
            **why_not(item.agreed, item.replaced, over, known),
        }:
            results.append(AgreementEnded(refusals))
            del used[-len(item.proofs) :]  # as above
        elif (link := changed_link(links.get(item.link), item)) is not None:
            results.append(link)
            del used[-len(item.proofs) :]  # as above
        else:
            if item.replaced:
                supersede(tx, to_replace, item.by)
            first[item.partner_id, item.key] = item
            taken.add(item.plan.ids.reference)
            standing |= _now_open(item)
            _gather(tables, item, held)
            results.append(item)
    keep_used(tx, used)
    keep(tx, tables, first.values())
    return results


def _now_open(item: Acceptance) -> dict[str, str]:
    """A share that waits for its champion has asked nobody for anything yet."""
    return {} if item.plan.held else dict.fromkeys(item.asked.values(), item.plan.ids.share)


#: What is kept of a share and its services, in the order of what refers to what.
_DECIDED = ("consents", "consent_events", "lawful_bases", "deliveries", "clocks", "audit_events")
_KEPT = ("shares", "redirects", *_DECIDED, "held_shares", "notices", "replies")


def keep(tx: Transaction, tables: Mapping[str, Sequence[Row]], accepted: Iterable[Acceptance]) -> None:
    """Insert what was sealed, and say what is due."""
    for name in _KEPT:
        if tables.get(name):
            tx.insert(name, tables[name])
    for item in accepted:
        if item.unsure is not None:
            tell_champion(tx, item.unsure, item.plan.ids.share)
        if not item.plan.held:
            keep_rehearsals(tx, list(rehearsal_rows(item.plan)))
    for row in tables.get("deliveries", ()):
        tx.nudge(row["connection_id"], [row["id"]])
    if tables.get("notices"):
        tx.nudge_notices()
    tx.tally([each for item in accepted for each in tallies(item.plan)])
    tx.see_versions([item.version for item in accepted if item.version is not None])


def changed_link(row: Row | None, item: Acceptance) -> LinkChanged | None:
    """Tell when what is known of the choice is not what the share was planned with."""
    return None if seen_of(row) == item.plan.link.seen else LinkChanged(row)


def _barred(item: Acceptance, dead: set[tuple[str, str]], taken: set[str]) -> HubError | None:
    """Nothing goes of somebody who has died (R69), and no two shares bear one reference."""
    if (item.partner_id, item.rows["shares"][0]["person"]) in dead:
        return Conflict(DIED)
    return ReferenceTaken(TAKEN) if item.plan.ids.reference in taken else None


def _gather(tables: dict[str, list[Row]], item: Acceptance, held: set[str]) -> None:
    for name, rows in item.rows.items():
        tables.setdefault(name, []).extend(rows)
    queue_as_connections_stand(item, held)
    tables.setdefault("replies", []).append(reply_row(item))


def queue_as_connections_stand(item: Acceptance, held: Collection[str]) -> None:
    """Let what is for a held connection wait with it; said both ways, for a re-run may find the connection mended.

    What the receipt says waits does so, also where nobody has come round to hold its connection yet (TH20).
    """
    waits = {each["id"] for each in item.receipt["deliveries"] if each["state"] == DeliveryState.HELD}
    for row in item.rows["deliveries"]:
        on_hold = row["connection_id"] in held or row["id"] in waits
        row["state"] = move(None, DeliveryEvent.ACCEPTED_ON_HOLD if on_hold else DeliveryEvent.ACCEPTED)


def reply_row(item: Acceptance) -> dict[str, Any]:
    """Return the reply as it is kept, so that the same request gets the very same answer again."""
    share_id = item.plan.ids.share
    return {
        "partner_id": item.partner_id,
        "key": item.key,
        "body": item.body,
        "share_id": share_id,
        "created_at": item.plan.decided_at,
        "reply": item.data_key.seal(pack(item.receipt), place("replies", "reply", share_id)),
    }


@dataclass(frozen=True, slots=True)
class Refused:
    """A plan of which nothing may go, and whom to tell where someone may not have been able to decide.

    `asked` says who asked for an override (R23).
    """

    plan: Plan
    unsure: Unsure | None
    asked: Sequence[Row] = ()


def refuse(tx: Transaction, items: Sequence[Refused]) -> list[None]:
    """Record shares of which nothing may go: one audit event for each service, and no payload (R12)."""
    rows = [
        _audit_refusal(item.plan, verdict, f"client:{item.plan.sender.client_id}", share=False)
        for item in items
        for verdict in item.plan.refused
    ]
    tx.insert("audit_events", [*rows, *(event for item in items for event in item.asked)])
    for item in items:
        if item.unsure is not None:
            tell_champion(tx, item.unsure, None)
        keep_rehearsals(tx, list(rehearsal_rows(item.plan)))
    tx.tally([each for item in items for each in tallies(item.plan)])
    return [None for _ in items]


def _audit_refusal(planned: Plan, verdict: Verdict, actor: str, *, share: bool = True) -> dict[str, Any]:
    known = verdict.service_id if verdict.route is not None else "unknown"
    detail = {"service": known, "refusals": [refusal.type for refusal in verdict.refusals]}
    return audited(planned.sent_at, "delivery.refused", actor, planned.ids.share if share else None, None, detail)
