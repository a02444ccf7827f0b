"""One share as its sender sees it: what went where, what was answered, what is due; looked up within its partner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BindParameter, Connection, Engine, bindparam, select

from hub.store import tables
from hub.store.fetch import Row, row, rows
from hub.store.statements import KNOWN_AGREEMENTS, ended_agreements, open_needs

_S, _D, _C, _A, _K, _L, _H = (
    tables.shares,
    tables.deliveries,
    tables.consents,
    tables.answers,
    tables.clocks,
    tables.acknowledgements,
    tables.attempts,
)
_ids: BindParameter[str] = bindparam("ids", expanding=True)

_SHARE = select(_S).where(_S.c.id == bindparam("share"), _S.c.partner_id == bindparam("partner"))
_DELIVERIES = (
    select(_D)
    .where(_D.c.share_id == bindparam("share"))
    .order_by(_D.c.linked_to.is_not(None), _D.c.created_at, _D.c.id)  # what was shared before what follows it
)
_CONSENTS = select(_C).where(_C.c.share_id == bindparam("share")).order_by(_C.c.id)
_ANSWERS = select(_A).where(_A.c.delivery_id.in_(_ids)).order_by(_A.c.at, _A.c.id)
_CLOCKS = select(_K).where(_K.c.delivery_id.in_(_ids)).order_by(_K.c.level)
_AUTHORS = (
    select(tables.consent_events.c.author)
    .join(_C, _C.c.id == tables.consent_events.c.consent_id)
    .where(_C.c.share_id == bindparam("share"), tables.consent_events.c.author != "")
    .distinct()
)
_LEVELS = select(_L).where(_L.c.delivery_id.in_(_ids)).order_by(_L.c.id)
_ATTEMPTS = select(_H).where(_H.c.delivery_id.in_(_ids)).order_by(_H.c.id)


_B, _T = tables.absences, tables.trusted_people
#: Of a share's trusted person, for this person or for all.
ABSENCES = select(_B).where(
    _B.c.partner_id == bindparam("partner"),
    _B.c.trusted_person == bindparam("whose"),
    _B.c.person.in_(["", bindparam("who")]),
)
_OF_LINK = (
    _T.c.partner_id == bindparam("partner"),
    _T.c.trusted_person == bindparam("whose"),
    _T.c.person == bindparam("who"),
)
_LINK_COVER = select(_T.c.cover).where(*_OF_LINK)
_COVER_LINK = select(_T).where(*_OF_LINK)


@dataclass(frozen=True, slots=True)
class ShareRecord:
    """A share's rows, still sealed where they are sealed at rest."""

    share: Row
    consents: list[Row]
    deliveries: list[Row]
    answers: dict[str, list[Row]]
    clocks: dict[str, list[Row]]
    levels: dict[str, list[Row]]
    authors: frozenset[str] = frozenset()
    absences: Sequence[Row] = ()  #: of its trusted person
    cover: str = ""  #: whom the person named, as a keyed hash
    cover_link: Row | None = None


def read_share(engine: Engine, share_id: str, partner_id: str) -> ShareRecord | None:
    """Return a share of one partner; None for another's exactly as for none (TH02)."""
    with engine.connect() as connection:
        share = row(connection, _SHARE, {"share": share_id, "partner": partner_id})
        return None if share is None else _record(connection, share)


def _record(connection: Connection, share: Row) -> ShareRecord:
    of_share = {"share": share["id"]}
    deliveries = rows(connection, _DELIVERIES, of_share)
    ids = {"ids": [each["id"] for each in deliveries]}
    return ShareRecord(
        share,
        rows(connection, _CONSENTS, of_share),
        deliveries,
        _grouped(rows(connection, _ANSWERS, ids)),
        _grouped(rows(connection, _CLOCKS, ids)),
        _grouped(rows(connection, _LEVELS, ids)),
        frozenset(connection.scalars(_AUTHORS, of_share)),
        *_not_there(connection, share),
    )


def _not_there(connection: Connection, share: Row) -> tuple[list[Row], str, Row | None]:
    """Return when its trusted person is not there, and whom the person named instead: for this share, or for all."""
    names = {"partner": share["partner_id"], "whose": share["trusted_person"], "who": share["person"]}
    absences = rows(connection, ABSENCES, names)
    if not absences:
        return absences, "", None
    cover = share["cover"] or connection.scalar(_LINK_COVER, names) or ""
    return absences, cover, row(connection, _COVER_LINK, {**names, "whose": cover}) if cover else None


def _grouped(found: list[Row]) -> dict[str, list[Row]]:
    groups: dict[str, list[Row]] = {}
    for each in found:
        groups.setdefault(each["delivery_id"], []).append(each)
    return groups


_BY_REFERENCE = select(
    _S.c.id,
    _S.c.reference,
    _S.c.sent_at,
    _S.c.withdrawn_at,
    _S.c.final_at,
    _S.c.legal_hold_since,
    _S.c.legal_hold_by,
    _S.c.legal_hold_reason,
    _S.c.data_key.is_(None).label("is_forgotten"),
).where((_S.c.reference == bindparam("which")) | (_S.c.id == bindparam("which")))
_EVENTS = (
    select(tables.audit_events)
    .where(tables.audit_events.c.share_id == bindparam("share"))
    .order_by(tables.audit_events.c.id)
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Why a share stands where it does: its states, attempts and audit events, ids and codes only (no story)."""

    share: Row
    deliveries: list[Row]
    attempts: list[Row]
    events: list[Row]


def trace(engine: Engine, which: str) -> Trace | None:
    """Return the trace of a share by id, speakable reference, or the id of one of its deliveries."""
    with engine.connect() as connection:
        share = row(connection, _BY_REFERENCE, {"which": which})
        if share is None:
            delivery = row(connection, select(_D.c.share_id).where(_D.c.id == bindparam("which")), {"which": which})
            if delivery is None:
                return None
            share = row(connection, _BY_REFERENCE, {"which": delivery["share_id"]})
        if share is None:
            return None
        shown = select(
            _D.c.id, _D.c.service_id, _D.c.connection_id, _D.c.kind, _D.c.state, _D.c.answer_state, _D.c.attempt,
            _D.c.due_at, _D.c.reason, _D.c.delivered_at,
        ).where(_D.c.share_id == bindparam("share"))  # fmt: skip
        deliveries = rows(connection, shown, {"share": share["id"]})
        attempts = rows(connection, _ATTEMPTS, {"ids": [each["id"] for each in deliveries]})
        return Trace(share, deliveries, attempts, rows(connection, _EVENTS, {"share": share["id"]}))


_OWNERS = select(_D.c.connection_id).where(
    _D.c.connection_id.in_(_ids),
    (_D.c.key == bindparam("key")) | (_D.c.receipt == bindparam("receipt")),
)


def owners(engine: Engine, connection_ids: list[str], key: str, receipt: str) -> set[str]:
    """Return those of these connections with a delivery by that key, or by that keyed hash of a receipt."""
    with engine.connect() as connection:
        return set(connection.scalars(_OWNERS, {"ids": connection_ids, "key": key, "receipt": receipt}))


_REPLY = (
    select(tables.replies, _S.c.data_key)
    .join(_S, _S.c.id == tables.replies.c.share_id)
    .where(
        tables.replies.c.partner_id == bindparam("partner"),
        tables.replies.c.key == bindparam("key"),
        tables.replies.c.body == bindparam("body"),
    )
)


def kept_reply(engine: Engine, partner_id: str, key: str, body: str) -> Row | None:
    """Return the reply kept for a partner's key and body, by their keyed hashes."""
    with engine.connect() as connection:
        return row(connection, _REPLY, {"partner": partner_id, "key": key, "body": body})


def earlier_agreements(
    engine: Engine, agreed: list[str], replaced: list[str], needs: list[str]
) -> tuple[dict[str, str], set[str], dict[str, str]]:
    """Return the state of those agreements that ended, of those to be replaced the ones that there are, and open needs.

    Of each need that an open share asks for there is that share's id.
    """
    with engine.connect() as connection:
        known = set(connection.scalars(KNOWN_AGREEMENTS, {"agreements": replaced})) if replaced else set()
        return ended_agreements(connection, agreed), known, open_needs(connection, needs)
