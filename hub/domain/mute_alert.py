"""What of an alert may be shown where its service's answer may not: that they have it, or have decided (R21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from hub.domain.alert import AlertKind
from hub.domain.alert_list import AlertLine, AlertView, TimelineEntry
from hub.domain.answer import AnswerState, Level, bare_state
from hub.domain.delivery import DeliveryKind
from hub.domain.route import Directory

#: Details that say what was answered.
_SAYS: Final = frozenset({"reason", "usual"})


def is_muted(line: AlertLine, directory: Directory) -> bool:
    """Tell whether nobody who follows up may read what was answered: of a children's team, or what is not to be told.

    A service that left the configuration is taken for a children's team: it may have been one.
    """
    if line.delivery_kind != DeliveryKind.SHARE:
        return False
    service = directory.services.get(line.service_id)
    children = service is None or (service.agreement is not None and service.agreement.children)
    return children or line.do_not_tell_yet


def muted_line(line: AlertLine) -> AlertLine:
    """Return an alert as a list may show it: its answer bare, and no rung above the decision."""
    kind = AlertKind.UNANSWERED if line.kind is AlertKind.SIGNPOSTED else line.kind
    answer = bare_state(AnswerState(line.answer_state))
    return replace(line, kind=kind, level=min(line.level, Level.L3), answer_state=answer)


def muted_view(view: AlertView) -> AlertView:
    """Return an alert as its screen may show it."""
    return replace(
        view,
        line=muted_line(view.line),
        clocks=tuple(each for each in view.clocks if each.level <= Level.L3),
        timeline=tuple(_entries(view.timeline)),
    )


def _entries(timeline: tuple[TimelineEntry, ...]) -> Iterator[TimelineEntry]:
    for entry in timeline:
        said = dict(entry.detail)
        if entry.action == "door.closed":
            continue
        if entry.action == "delivery.answered":
            said = {name: each for name, each in said.items() if name not in _SAYS}
            said["state"] = bare_state(AnswerState(said["state"]))
        if said.get("kind") == AlertKind.SIGNPOSTED:
            said["kind"] = str(AlertKind.UNANSWERED)
        if "level" in said:
            said["level"] = str(min(int(said["level"]), int(Level.L3)))
        yield replace(entry, detail=tuple(sorted(said.items())))
