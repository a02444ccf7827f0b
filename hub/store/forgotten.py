"""What is destroyed when a share is forgotten: one list of columns, from which the statements are made (R59).

A column that holds a person's words, a wrapped key, or what finds a person again must be named here; a test compares
the list with the tables.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BindParameter, Column, LargeBinary, Table, Update, bindparam, select, update

from hub.store import tables

_T = tables

#: Agreements stay, as keyed hashes: what was withdrawn stays withdrawn, whoever bears it again (R12). So do keys and
#: receipts, by which a late answer is known, and the digest of each parcel, by which an audit proves what went.
FORGOTTEN: tuple[Column[Any], ...] = (
    *(_T.shares.c.data_key, _T.shares.c.sender, _T.shares.c.person, _T.shares.c.trusted_person),
    _T.shares.c.cover,
    *(_T.deliveries.c.parcel, _T.deliveries.c.frame, _T.deliveries.c.sealed_receipt),
    *(_T.consents.c.terms, _T.answers.c.said),
    *(_T.inbox.c.data_key, _T.inbox.c.message),
    *(_T.replies.c.reply, _T.held_shares.c.body),
)

#: What belongs to no one share: who may speak for a person stays until its partner says otherwise, for a choice that
#: was marked as not safe must not be forgotten with the shares (R04).
OF_PARTNERS: tuple[Column[Any], ...] = (_T.trusted_people.c.data_key, _T.trusted_people.c.details)
#: Nor does what somebody signs in with: it ends with their account.
OF_ACCOUNTS: tuple[Column[Any], ...] = (_T.accounts.c.data_key, _T.accounts.c.secret)

_ids: BindParameter[str] = bindparam("ids", expanding=True)
_DELIVERIES = select(_T.deliveries.c.id).where(_T.deliveries.c.share_id.in_(_ids))


def emptied(table: Table) -> dict[str, Any]:
    """Return what stands in a table's forgotten columns afterwards: nothing, or nothing to be read."""
    return {column.name: _left(column) for column in FORGOTTEN if column.table is table}


def _left(column: Column[Any]) -> Any:
    if column.nullable:
        return None
    return b"" if isinstance(column.type, LargeBinary) else ""


def _of_shares(table: Table) -> Any:
    """The rows of a table that belong to the shares `ids`."""
    if table is _T.shares:
        return table.c.id.in_(_ids)
    return table.c.share_id.in_(_ids) if "share_id" in table.c else table.c.delivery_id.in_(_DELIVERIES)


def statements() -> tuple[Update, ...]:
    """Return the updates that empty every forgotten column of the shares `ids`."""
    named = {column.table.name: column.table for column in FORGOTTEN}
    return tuple(update(table).where(_of_shares(table)).values(emptied(table)) for table in named.values())
