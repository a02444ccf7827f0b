"""The statements of a transaction that concern trusted people who are away or leave, and their cover (R07, R08)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, and_, bindparam, or_, select, tuple_, update

from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.store import tables
from hub.store.columns import Instant
from hub.store.fetch import Row, row, rows

_B, _S, _D, _A, _T = tables.absences, tables.shares, tables.deliveries, tables.alerts, tables.trusted_people


class AbsenceStatements:
    """An absence is a trusted person's, for one person or (with none) for all who chose them."""

    _connection: Connection

    def keep_absence(self, new: Row) -> None:
        """Write one down, in place of what was said before; what was offered of the same day is not offered again."""
        before = row(self._connection, _ONE, _names(new))
        self.drop_absence(new["partner_id"], new["trusted_person"], new["person"], new["kind"])
        offered = before["offered_at"] if before is not None and before["first"] == new["first"] else None
        self._connection.execute(_B.insert(), {**new, "offered_at": offered})

    def drop_absence(self, partner_id: str, trusted_person: str, person: str, kind: str) -> bool:
        """Forget one; tells whether there was any."""
        values = {"partner": partner_id, "whose": trusted_person, "who": person, "what": kind}
        return bool(self._connection.execute(_DROP, values).rowcount)

    def past_absences(self, day: str, limit: int) -> list[Row]:
        """Take those whose last day is past."""
        return rows(self._connection, _PAST, {"day": day, "limit": limit})

    def leaving(self, day: str, limit: int) -> list[Row]:
        """Take those who leave by a day, and of whom nobody was told yet."""
        return rows(self._connection, _LEAVING, {"day": day, "limit": limit})

    def mark_offered(self, leaving: Row, at: datetime) -> None:
        """Note that their handover was offered."""
        self._connection.execute(_OFFERED, {**_names(leaving), "at": at})

    def open_shares_of(self, absence: Row) -> list[Row]:
        """Return the shares of whom this absence is that are not closed, the oldest first."""
        return rows(self._connection, _OPEN, _names(absence))

    def of_absent(self, day: str, limit: int) -> list[Row]:
        """Return deliveries of open shares whose trusted person is not there, where no champion was told of that."""
        return rows(self._connection, _ABSENT, {"day": day, "limit": limit})

    def lock_own(self, share_id: str, partner_id: str) -> Row | None:
        """Take one of a partner's own shares."""
        return row(self._connection, _LOCK, {"share": share_id, "partner": partner_id})

    def set_cover(self, share_id: str, cover: str) -> None:
        """Write down whom the person named for one share."""
        self._connection.execute(_COVER, {"b_id": share_id, "whom": cover})

    def hand_over(self, share_id: str, trusted_person: str) -> None:
        """Give a share to whom the person named next."""
        self._connection.execute(_HAND_OVER, {"b_id": share_id, "whom": trusted_person})

    def set_link_cover(self, key: tuple[str, str, str], cover: str | None) -> None:
        """Write down whom a person named for everything of theirs."""
        partner_id, trusted_person, person = key
        values = {"partner": partner_id, "b_tp": trusted_person, "b_person": person, "whom": cover}
        self._connection.execute(_LINK_COVER, values)


def _names(absence: Row) -> dict[str, Any]:
    return {
        "partner": absence["partner_id"],
        "whose": absence["trusted_person"],
        "who": absence["person"],
        "what": absence["kind"],
    }


_THIS = (
    _B.c.partner_id == bindparam("partner"),
    _B.c.trusted_person == bindparam("whose"),
    _B.c.person == bindparam("who"),
    _B.c.kind == bindparam("what"),
)
_ONE = select(_B).where(*_THIS)
_DROP = _B.delete().where(*_THIS)
_ORDER = (_B.c.partner_id, _B.c.trusted_person, _B.c.person, _B.c.kind)
_limit: BindParameter[int] = bindparam("limit")
_PAST = select(_B).where(_B.c.kind == "away", _B.c.last < bindparam("day")).order_by(*_ORDER).limit(_limit)
_LEAVING = (
    select(_B)
    .where(_B.c.kind == "left", _B.c.offered_at.is_(None), _B.c.first <= bindparam("day"))
    .order_by(*_ORDER)
    .limit(_limit)
)
_OFFERED = update(_B).where(*_THIS).values(offered_at=bindparam("at", type_=Instant()))
#: Neither forgotten, withdrawn, of somebody who died, nor closed: whatever is left is somebody's to see through.
IS_OPEN = and_(_S.c.data_key.is_not(None), _S.c.withdrawn_at.is_(None), _S.c.died_at.is_(None), _S.c.told_at.is_(None))
_OPEN = (
    select(_S.c.id, _S.c.client_id, _S.c.partner_id)
    .where(
        _S.c.partner_id == bindparam("partner"),
        _S.c.trusted_person == bindparam("whose"),
        or_(bindparam("who") == "", _S.c.person == bindparam("who")),
        IS_OPEN,
    )
    .order_by(_S.c.sent_at, _S.c.id)
)
_THEIRS = and_(
    _B.c.partner_id == _S.c.partner_id,
    _B.c.trusted_person == _S.c.trusted_person,
    or_(_B.c.person == "", _B.c.person == _S.c.person),
)
_every = tables.deliveries.alias("every")
_TOLD_OF = (
    select(_A.c.id)
    .join(_every, _every.c.id == _A.c.delivery_id)
    .where(_every.c.share_id == _S.c.id, _A.c.kind == _B.c.kind)
    .exists()
)
_LINK_HAS_COVER = (
    select(_T.c.id)
    .where(
        _T.c.partner_id == _S.c.partner_id,
        _T.c.trusted_person == _S.c.trusted_person,
        _T.c.person == _S.c.person,
        _T.c.cover.is_not(None),
    )
    .exists()
)
_ABSENT = (
    select(
        _D.c.id.label("delivery_id"), _D.c.share_id, _D.c.service_id, _S.c.partner_id, _S.c.client_id, _S.c.urgent,
        _S.c.safety, _B.c.kind, _B.c.first,
    )
    .select_from(_B)
    .join(_S, _THEIRS)
    .join(_D, _D.c.share_id == _S.c.id)
    .where(
        _B.c.first <= bindparam("day"),
        or_(_B.c.last.is_(None), _B.c.last >= bindparam("day")),
        IS_OPEN,
        _D.c.kind == DeliveryKind.SHARE,
        _D.c.state != DeliveryState.CANCELLED,
        or_(_B.c.kind == "left", and_(_S.c.cover.is_(None), ~_LINK_HAS_COVER)),
        ~_TOLD_OF,
    )
    .order_by(_S.c.sent_at, _D.c.created_at, _D.c.id)
    .limit(_limit)
)  # fmt: skip
_LOCK = (
    select(_S.c.id, _S.c.partner_id, _S.c.trusted_person, _S.c.person, _S.c.data_key, _S.c.died_at, _S.c.cover)
    .where(_S.c.id == bindparam("share"), _S.c.partner_id == bindparam("partner"))
    .with_for_update()
)
_COVER = update(_S).where(_S.c.id == bindparam("b_id")).values(cover=bindparam("whom"))
_HAND_OVER = update(_S).where(_S.c.id == bindparam("b_id")).values(trusted_person=bindparam("whom"), cover=None)
_LINK_COVER = (
    update(_T)
    .where(
        _T.c.partner_id == bindparam("partner"),
        _T.c.trusted_person == bindparam("b_tp"),
        _T.c.person == bindparam("b_person"),
    )
    .values(cover=bindparam("whom"))
)
#: Of whole trusted people: what one person said of an end stands in their own link.
LAST_DAYS = select(_B.c.partner_id, _B.c.trusted_person, _B.c.first).where(
    _B.c.kind == "left",
    _B.c.person == "",
    tuple_(_B.c.partner_id, _B.c.trusted_person).in_(bindparam("pairs", expanding=True)),
)
