"""Show consents: one record as its sender may export it, with every field that ISO/IEC TS 27560 asks for (R14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol

from hub.domain.consent import ConsentState
from hub.domain.forget import Forgetting, forget_on
from hub.domain.route import Directory, Partner, Service
from hub.services.pack import place, unpack
from hub.services.ports import DataKey, Row, Vault

SCHEMA: Final = "ISO/IEC TS 27560:2023"
#: Notices and everything that the hub says are in it.
_LANGUAGE: Final = "en"
_SIDES: Final = ("sender", "receiver")
_ARTICLES: Final = ("article_6", "article_9", "article_10")


class ConsentRows(Protocol):
    """A record's rows as the store reads them."""

    @property
    def share(self) -> Row: ...
    @property
    def consents(self) -> Sequence[Row]: ...
    @property
    def events(self) -> Mapping[str, Sequence[Row]]: ...
    @property
    def bases(self) -> Mapping[str, Row]: ...


def show_consents(record: ConsentRows, directory: Directory, vault: Vault, policy: Forgetting) -> dict[str, Any]:
    """Return a record: whose it is as a keyed hash, who the parties are, and each consent with its terms and events.

    Terms are None once the share is forgotten: when, for whom and on what basis is all that is left (R59). What went
    without a consent stands apart, under `overrides`, and only where there is any (R23).
    """
    share = record.share
    data_key = vault.unwrap(share["data_key"]) if share["data_key"] is not None else None
    record_id = record.consents[0]["record_id"]
    without = [row for row in record.consents if _basis_code(row, record)]
    return {
        "schema": SCHEMA,
        "record": record_id,
        "share": share["id"],
        "reference": share["reference"],
        "person": share["person"],
        "language": _LANGUAGE,
        "jurisdiction": directory.country,
        "kept_in": directory.country,
        "kept_until": _written(forget_on(share["sent_at"], share["final_at"], policy)),
        "withdraw": f"POST /v1/consents/{record_id}/withdraw",
        "parties": list(_parties(record, directory)),
        "consents": [_consent(row, record, directory, data_key) for row in record.consents if row not in without],
        **({"overrides": [_override(row, record, directory) for row in without]} if without else {}),
    }


def _basis_code(row: Row, record: ConsentRows) -> str:
    """The code of the override policy that it went by; empty for a consent."""
    return (record.bases.get(row["id"]) or {"override": None})["override"] or ""


def _override(row: Row, record: ConsentRows, directory: Directory) -> dict[str, Any]:
    """What went without a consent: whatever became of it, it is never shown as one."""
    shown = _consent(row, record, directory, None)
    events = [{name: each[name] for name in ("state", "at", "by", "client")} for each in shown.pop("events")]
    del shown["terms"]
    return shown | {"override": _basis_code(row, record), "events": events}


def _parties(record: ConsentRows, directory: Directory) -> Iterator[dict[str, Any]]:
    sender = directory.partners.get(record.share["partner_id"])
    if sender is not None:
        contact = {"email": sender.champion.email, "phone": ""}
        yield _party(sender, "controller") | {"services": [], "contact": contact}
    for row in record.consents:
        service = directory.services.get(row["service_id"])
        if service is not None:
            yield _party(directory.partners[service.partner], "recipient") | {
                "services": [service.id],
                "contact": {"email": service.email, "phone": service.phone},
            }


def _party(partner: Partner, role: str) -> dict[str, Any]:
    return {"id": partner.id, "name": partner.name, "role": role, "type": partner.kind, "address": partner.address}


def _consent(row: Row, record: ConsentRows, directory: Directory, data_key: DataKey | None) -> dict[str, Any]:
    service = directory.services.get(row["service_id"])
    return {
        "id": row["id"],
        "service": row["service_id"],
        "name": service.name if service else row["service_id"],
        "recipient": service.partner if service else "",
        "state": row["state"],
        "ends_at": _written(row["ends_at"]),
        "terms": _terms(row, data_key),
        "basis": _basis(record.bases.get(row["id"]), service),
        "events": [_event(each, row) for each in record.events.get(row["id"], ())],
    }


def _terms(row: Row, data_key: DataKey | None) -> dict[str, Any] | None:
    if data_key is None or row["terms"] is None:
        return None
    return unpack(data_key.open(row["terms"], place("consents", "terms", row["id"])))


def _basis(row: Row | None, service: Service | None) -> dict[str, Any] | None:
    """Return the second record (R14); a no has none, for nothing is done under it."""
    if row is None:
        return None
    codes = {side: {article: row[f"{side}_{article}"] for article in _ARTICLES} for side in _SIDES}
    duties = service.agreement.duties if service and service.agreement else ""
    return {name: row[name] for name in ("agreement", "assessment", "notice")} | codes | {"duties": duties}


def _event(event: Row, consent: Row) -> dict[str, Any]:
    """`by` is a keyed hash of who recorded it, empty where time itself did; `valid_until` is of what was given."""
    given = event["state"] == ConsentState.GIVEN
    return {
        "state": event["state"],
        "type": "explicit",
        "at": _written(event["at"]),
        "valid_until": _written(consent["ends_at"]) if given else None,
        "by": event["author"],
        "client": event["client_id"],
    }


def _written(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
