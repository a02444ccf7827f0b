"""The consents of one record as its sender may export them: states, events, bases; looked up within its partner."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, bindparam, select

from hub.store import tables
from hub.store.fetch import Row, row, rows

_S, _C, _E, _B = tables.shares, tables.consents, tables.consent_events, tables.lawful_bases

_CONSENTS = select(_C).where(_C.c.record_id == bindparam("record")).order_by(_C.c.service_id)
_SHARE = select(_S).where(_S.c.id == bindparam("share"), _S.c.partner_id == bindparam("partner"))
_EVENTS = select(_E).join(_C, _C.c.id == _E.c.consent_id).where(_C.c.record_id == bindparam("record")).order_by(_E.c.id)
_BASES = select(_B).join(_C, _C.c.id == _B.c.consent_id).where(_C.c.record_id == bindparam("record"))


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """A record's rows, its terms still sealed; events by consent in the order they came, bases by consent."""

    share: Row
    consents: list[Row]
    events: dict[str, list[Row]]
    bases: dict[str, Row]


def read_consents(engine: Engine, record_id: str, partner_id: str) -> ConsentRecord | None:
    """Return one partner's record; None for another's exactly as for none (TH02)."""
    with engine.connect() as connection:
        of_record = {"record": record_id}
        consents = rows(connection, _CONSENTS, of_record)
        if not consents:
            return None
        share = row(connection, _SHARE, {"share": consents[0]["share_id"], "partner": partner_id})
        if share is None:
            return None
        events: dict[str, list[Row]] = {}
        for each in rows(connection, _EVENTS, of_record):
            events.setdefault(each["consent_id"], []).append(each)
        bases = {each["consent_id"]: each for each in rows(connection, _BASES, of_record)}
        return ConsentRecord(share, consents, events, bases)
