"""R21: of a children's team, and of what is not to be told yet, an alert shows that they have it or have decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.domain.alert import AlertKind
from hub.domain.alert_list import AlertLine, AlertView, ClockLine, TimelineEntry
from hub.domain.answer import AnswerState, Level
from hub.domain.ladder import Priority, Role
from hub.domain.mute_alert import is_muted, muted_line, muted_view
from hub.domain.route import Directory
from tests.scenery import HOUSING, SENDER, directory

AT = datetime(2026, 11, 23, 17, tzinfo=UTC)


def line(**changes: object) -> AlertLine:
    plain = AlertLine(
        id="a" * 32, reference="K7M-4QX", level=Level.L4, kind=AlertKind.SIGNPOSTED, priority=Priority.OTHER,
        state="open", due_at=AT, raised_at=AT, sent_at=AT, partner_id=SENDER, service_id=HOUSING, share_id="s",
        delivery_id="d", delivery_state="delivered", answer_state="declined", holder="c", role=Role.CHAMPION,
        held_since=AT, opened_at=None, taken_by=None, taken_at=None, snoozed_until=None, closed_at=None,
        closed_by=None, closed_why=None,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def of_children() -> Directory:
    plain = directory()
    service = plain.services[HOUSING]
    assert service.agreement is not None
    children = replace(service, agreement=replace(service.agreement, children=True))
    return replace(plain, services=dict(plain.services) | {HOUSING: children})


def test_r21_what_is_muted() -> None:
    assert not is_muted(line(), directory())
    assert is_muted(line(do_not_tell_yet=True), directory())
    assert is_muted(line(), of_children())
    assert is_muted(line(service_id="long-gone"), directory()), "it may have been a children's team"
    # a request to stop, and what else follows a share, hides nothing
    assert not is_muted(line(delivery_kind="please_stop_using"), of_children())


@pytest.mark.parametrize("answer", list(AnswerState))
def test_r21_every_decision_looks_the_same(answer: AnswerState) -> None:
    shown = muted_line(line(answer_state=answer))
    decided = answer not in {AnswerState.AWAITED, AnswerState.RECEIVED, AnswerState.NEEDS_INFO}
    waits = "awaited" if answer is AnswerState.AWAITED else "received"
    assert shown.answer_state == ("decided" if decided else waits)
    assert (shown.kind, shown.level) == (AlertKind.UNANSWERED, Level.L3)


def test_r21_the_timeline_and_the_clocks_tell_no_more() -> None:
    timeline = tuple(
        TimelineEntry(AT, action, "connection:housing", tuple(sorted(detail.items())))
        for action, detail in (
            ("delivery.answered", {"state": "declined", "source": "message", "usual": "True"}),
            ("door.closed", {"state": "could_not_reach", "service": HOUSING}),
            ("alert.raised", {"kind": "signposted", "level": "4", "holder": "c"}),
            ("alert.taken", {"level": "3"}),
        )
    )
    clocks = tuple(ClockLine(level, AT, "running", "x", "2026-11-02") for level in Level)
    shown = muted_view(AlertView(line(), 1, None, AT, clocks, timeline, b"", None))
    assert [each.action for each in shown.timeline] == ["delivery.answered", "alert.raised", "alert.taken"]
    told = " ".join(f"{name}={value}" for each in shown.timeline for name, value in each.detail)
    assert told == "source=message state=decided holder=c kind=unanswered level=3 level=3"
    assert [each.level for each in shown.clocks] == [Level.L0, Level.L1, Level.L2, Level.L3]
