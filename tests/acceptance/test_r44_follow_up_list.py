"""R44, R45: the follow-up list shows what waits, late and safety first, to whom it concerns, by reference alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from hub.domain.reference import spoken
from tests.acceptance.following_up import (
    CHAMPION,
    COUNCIL,
    LATE,
    MANAGER,
    SENT,
    Late,
    act,
    at_console,
    late,
    rows_of,
    text_of,
    with_a_ladder,
)
from tests.acceptance.house import House, Troupe, open_house, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share

LIST = "/console/follow-up"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub with a whole ladder, shared by this module."""
    with open_house(tmp_path_factory.mktemp("listed") / "instance", troupe, edit=with_a_ladder) as opened:
        yield opened


@pytest.fixture
def alert(house: House) -> Late:
    """A share that nobody opened in time."""
    return late(house)


def test_r44_r45_a_row_is_a_reference_and_plain_words(house: House, alert: Late) -> None:
    # when a champion looks at what waits
    page = at_console(house).get(LIST)
    # then each row says its reference, which service, how late, who has it and what comes next
    row = rows_of(page)[alert.receipt["reference"]]
    assert row == (
        f"{alert.receipt['reference']} Supported housing from Riverside day centre 1 minute late "
        "You (champion): not opened yet Say that you have it"
    )
    # and it leads to the alert
    assert f'href="{alert.path}"' in page.text
    # and what was shown is written down
    read = house.rows("SELECT detail FROM audit_events WHERE action = 'alerts.listed' ORDER BY id DESC LIMIT 1")
    assert alert.id in str(read[0]["detail"])


def test_r44_i_ve_got_this_is_seen_by_both_champions_in_their_lists(house: House, alert: Late) -> None:
    assert act(at_console(house), alert, "take").status_code == 303
    ours = rows_of(at_console(house).get(LIST))[alert.receipt["reference"]]
    theirs = rows_of(at_console(house, COUNCIL).get(LIST))[alert.receipt["reference"]]
    assert ours.endswith("You (champion): on it Ask the service again, or ring them")
    assert theirs.endswith("Ashley (champion): on it Ask your team to answer")


def test_th12_nobody_sees_what_is_not_theirs(house: House, alert: Late) -> None:
    reference = alert.receipt["reference"]
    shown = {who: reference in rows_of(at_console(house, who).get(LIST)) for who in _EVERYONE}
    assert shown == _EVERYONE


#: Who follows up for the sender, or answers for the service's organisation, and who does neither.
_EVERYONE = {CHAMPION: True, COUNCIL: True, "coordinator": True, MANAGER: True, "champion-trust": False,
             "champion-harbour": False}  # fmt: skip


def test_r44_safety_first_then_urgent_then_the_longest_late(new_house: Callable[..., House]) -> None:
    # given one that is late, one that is late since later, an urgent one and one about safety
    house = new_house(edit=with_a_ladder)
    sent = {}
    for name, changes in (
        ("first", {}),
        ("second", {}),
        ("urgent", {"urgent": True}),
        ("safety", {"at_risk_now": True}),
    ):
        house.at(SENT + timedelta(minutes=len(sent)))
        sent[name] = house.cases.send(a_share(SUPPORTED, **changes))["reference"]
    house.at(LATE + timedelta(days=3))
    ashley = at_console(house)
    until_true("all of them", lambda: len(rows_of(ashley.get(LIST))) == 4)
    # then they stand in that order, and each says so
    rows = rows_of(ashley.get(LIST))
    assert list(rows)[:2] == [sent["safety"], sent["urgent"]]
    assert set(list(rows)[2:]) == {sent["first"], sent["second"]}
    assert "Safety" in rows[sent["safety"]]
    assert "Urgent" in rows[sent["urgent"]]
    assert "4 alerts: 1 about safety, 1 urgent, 2 others." in text_of(ashley.get(LIST))


@pytest.mark.parametrize(
    ("query", "is_there"),
    [
        ("?whose=mine", True),
        ("?whose=unclaimed", True),
        ("?late=unopened", True),
        ("?late=unanswered", False),
        ("?late=undelivered", False),
        (f"?service={SUPPORTED}", True),
        (f"?service={HOUSING}", False),
        ("?show=closed", False),
        ("?show=snoozed", False),
        # a word that is none of ours narrows nothing, nor does what is no place in the list
        ("?late=nonsense&service=none&show=everything", True),
        ("?after=1.2.3", True),
        ("?after=0.99999999999999999999999.00000000000000000000000000000000", True),
    ],
)
def test_r44_the_filter_is_in_the_address(house: House, alert: Late, query: str, *, is_there: bool) -> None:
    found = rows_of(at_console(house).get(LIST + query))
    assert (alert.receipt["reference"] in found) is is_there


def test_r44_what_somebody_is_on_is_no_longer_unclaimed(house: House, alert: Late) -> None:
    ashley = at_console(house)
    act(ashley, alert, "take")
    assert alert.receipt["reference"] not in rows_of(ashley.get(f"{LIST}?whose=unclaimed"))
    assert alert.receipt["reference"] in rows_of(ashley.get(f"{LIST}?whose=mine"))


def test_r44_what_was_put_off_or_closed_is_in_a_list_of_its_own(house: House) -> None:
    ashley, off, shut = at_console(house), late(house), late(house)
    act(ashley, off, "snooze", snooze_until_day="25", snooze_until_month="11", snooze_until_year="2026",
        snooze_reason="meeting_arranged")  # fmt: skip
    act(ashley, shut, "close", close_reason="raised_in_error")
    assert not {off.receipt["reference"], shut.receipt["reference"]} & set(rows_of(ashley.get(LIST)))
    assert (
        "Put off until Wednesday 25 November" in rows_of(ashley.get(f"{LIST}?show=snoozed"))[off.receipt["reference"]]
    )
    closed = rows_of(ashley.get(f"{LIST}?show=closed"))[shut.receipt["reference"]]
    assert "Closed on Monday 23 November" in closed
    assert "Ashley closed it: it was a mistake." in text_of(ashley.get(shut.path))


def test_r44_a_list_with_nothing_in_it_says_so(new_house: Callable[..., House]) -> None:
    house = new_house()
    ashley = at_console(house)
    assert "Nothing waits for you." in text_of(ashley.get(LIST))
    assert "There is nothing here." in text_of(ashley.get(f"{LIST}?show=closed"))
    assert "There is nothing like this." in text_of(ashley.get(f"{LIST}?whose=mine"))


def test_r74_the_list_and_the_alert_show_the_sender_s_own_reference(house: House, alert: Late) -> None:
    reference = alert.receipt["reference"]
    ashley = at_console(house)
    assert reference in rows_of(ashley.get(LIST))
    page = text_of(ashley.get(alert.path))
    assert f"{reference} Say: {spoken(reference)}" in page


@pytest.mark.parametrize("muted", [True, False])
def test_r21_what_is_not_to_be_told_yet_is_muted(house: House, *, muted: bool) -> None:
    # given a service that has started, and may have asked not to tell yet; and says nothing more for weeks
    alert = late(house, HOUSING)
    house.say(alert.receipt, HOUSING, status="NOT_ACCEPTED", outcomeReason="NO_LOCAL_CONNECTION", doNotTellYet=muted)
    until_true("the answer", lambda: alert.row["state"] == "closed")
    ashley = at_console(house)
    words = text_of(ashley.get(alert.path))
    # then the screen says what was answered, or that it is decided, and nothing else of it
    assert ("What this service answers is shown to nobody here." in words) is muted
    assert ("The service has decided its next step" in words) is muted
    assert ("The service said no" in words) is not muted
    # and no door is named that would tell it
    assert ("declined" in words or "local connection" in words) is False
