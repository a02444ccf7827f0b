"""Subject access: all that the hub holds of one share, with what is about somebody else kept apart (R67, UK GDPR 15).

Nothing here is for the person to be handed unread: the partner that sent it decides what of the part that is kept apart
may be told. What a service asks not to tell yet is in neither part.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from hub.domain.delivery import DeliveryKind
from hub.domain.errors import HubError
from hub.domain.share import Category
from hub.services.pack import place, unpack
from hub.services.ports import DataKey, Mappings, Row, Vault
from hub.services.report import ShareRows

_THEIRS: Final = Category.ABOUT_SOMEONE_ELSE
#: What is said first: to the worker who answers the request.
LOOK_FIRST: Final = (
    "Read this before you give it to anyone.",
    "What is about somebody else stands apart. Ask whoever leads on information in your team what of it you may tell.",
    "What a service wrote down itself is that service's to give. Tell the person that they can ask it too.",
)


def subject_access(record: ShareRows, report: Mapping[str, Any], vault: Vault, mappings: Mappings) -> dict[str, Any]:
    """Return a share in two parts, as far as its reader may see it, which is its `report`.

    `about_the_person` has what was agreed for each service, each document as that service got it but for what is about
    somebody else, and what came back. `about_somebody_else` has the rest: those sections, why they were ticked, and any
    document that nothing could be taken out of. Of a share that is forgotten, waits, or was somebody's who has died,
    both are empty and `words` say why.
    """
    share = record.share
    made = {"reference": share["reference"], "sent_at": report.get("sent_at"), "look_first": list(LOOK_FIRST)}
    empty: dict[str, Any] = {"about_the_person": {}, "about_somebody_else": []}
    if report.get("words") or share["data_key"] is None:
        return made | {"words": [report["words"]]} | empty
    opened = _Opened(vault.unwrap(share["data_key"]), mappings)
    sent = [opened.sent(row) for row in record.deliveries]
    agreed = [opened.agreed(row) for row in record.consents]
    theirs = [apart for _, apart in (*sent, *agreed) if apart]
    person = {
        "your_reference": report["your_reference"],
        "agreed": [each for each, _ in agreed],
        "sent": [each for each, _ in sent if each],
        "came_back": list(_came_back(record, report["deliveries"])),
    }
    return made | {"words": [], "about_the_person": person, "about_somebody_else": theirs}


class _Opened:
    """What a share's own key opens, each in two: what is the person's, and what is about somebody else."""

    def __init__(self, data_key: DataKey, mappings: Mappings) -> None:
        self._data_key, self._mappings = data_key, mappings

    def agreed(self, row: Row) -> tuple[dict[str, Any], dict[str, Any]]:
        """What was agreed for one service; why somebody else's story was ticked says something of them."""
        shown = {"service": row["service_id"], "state": row["state"]}
        if row["terms"] is None:
            return shown | {"terms": None}, {}
        terms = unpack(self._data_key.open(row["terms"], place("consents", "terms", row["id"])))
        ticked = dict(terms.pop("ticked", {}))
        why = ticked.pop(str(_THEIRS), "")
        apart = {"service": row["service_id"], "ticked_because": why} if why else {}
        return shown | {"terms": terms | {"ticked": ticked}}, apart

    def sent(self, row: Row) -> tuple[dict[str, Any], dict[str, Any]]:
        """One document, in whatever state it is; what tells nothing of the story is none."""
        frame = unpack(self._data_key.open(row["frame"], place("deliveries", "frame", row["id"])))
        if not frame.get("carried"):
            return {}, {}
        parcel = self._data_key.open(row["parcel"], place("deliveries", "parcel", row["id"]))
        shown = {
            "service": row["service_id"],
            "delivery": row["id"],
            "kind": row["kind"],
            "state": row["state"],
            "content_type": row["content_type"],
        }
        story = frame.pop("story", {})
        if not any(part["category"] == _THEIRS for part in frame["told"]):
            return shown | {"told": frame["told"], "document": _readable(parcel)}, {}
        told = [part for part in frame["told"] if part["category"] != _THEIRS]
        apart = {"service": row["service_id"], "delivery": row["id"], "sections": story.get(str(_THEIRS), [])}
        without = self._without(row, frame, story)
        if without is None:  # nothing can be taken out of it, so the whole is kept apart
            return shown | {"told": told, "document": None}, apart | {"document": _readable(parcel)}
        return shown | {"told": told, "document": _readable(without)}, apart

    def _without(self, row: Row, frame: Mapping[str, Any], story: Mapping[str, Any]) -> bytes | None:
        """The document made again by the same mapping, as if what is about somebody else had never been told.

        None where that cannot be done: what followed for a worker who is not named was made of other words (R11).
        """
        if not story or (row["kind"] != DeliveryKind.SHARE and frame["trusted_person"].get("unnamed")):
            return None
        sections = {category: those for category, those in story.items() if category != _THEIRS}
        try:
            return self._mappings[row["mapping"]].run({**frame, "section": sections})
        except (HubError, LookupError):
            return None


def _came_back(record: ShareRows, deliveries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each service said, as far as the return clause let it; what waits to be told is as if it had not come."""
    found = []
    for each in deliveries:
        kept = record.answers.get(each["id"], ())
        may = [said for said, row in zip(each["answers"], kept, strict=True) if not row["do_not_tell_yet"]]
        if may:
            found.append({"service": each["service"], "delivery": each["id"], "answers": may})
    return found


def _readable(document: bytes) -> str | dict[str, str]:
    """A document as text, or in Base64 where it is none."""
    try:
        return document.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": b64encode(document).decode("ascii")}
