"""Ten thousand shares at once: copies of one that a service has, with clocks that are all due."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.scenery import Scene, Store, delivered

#: What differs between the copies of a row, beside what it points at.
_OWN = {"reference", "key", "case", "receipt", "record_id"}


def crowd(scene: Scene, store: Store, number: int) -> None:
    """Make `number` shares of one delivery each, delivered and unanswered, by copying one that went all the way."""
    delivered(scene, store)
    of = {name: store.all(name)[-1] for name in ("shares", "consents", "deliveries")}
    clocks = [row for row in store.all("clocks") if row["state"] == "running"]
    made: dict[str, list[dict[str, Any]]] = {name: [] for name in (*of, "clocks")}
    for each in range(number):
        ids = {"share_id": uuid4().hex, "consent_id": uuid4().hex, "delivery_id": uuid4().hex}
        made["shares"].append(_copy(of["shares"], each, id=ids["share_id"]))
        made["consents"].append(_copy(of["consents"], each, id=ids["consent_id"], share_id=ids["share_id"]))
        of_delivery = {"share_id": ids["share_id"], "consent_id": ids["consent_id"]}
        made["deliveries"].append(_copy(of["deliveries"], each, id=ids["delivery_id"], **of_delivery))
        made["clocks"] += [{**row, "delivery_id": ids["delivery_id"]} for row in clocks]
    for table, new in made.items():
        store.run(lambda tx, _, table=table, new=new: [tx.insert(table, new)], None)


def _copy(row: dict[str, Any], number: int, **ids: str) -> dict[str, Any]:
    own = dict.fromkeys(_OWN & set(row), f"{number:08d}")
    return {**row, **own, **ids}
