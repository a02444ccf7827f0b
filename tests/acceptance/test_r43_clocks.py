"""R43: response clocks end to end: whose window applies, who agreed it, working days, bank holidays, clock changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.house import House, append_to, replace_in
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, told_on


def _clocks(table: str, agreed_by: str, agreed_on: str, **windows: str) -> str:
    kinds = "".join(f"\n[{table}.{kind}]\n{lines}\n" for kind, lines in windows.items())
    return f'\n[{table}]\nagreed_by = "{agreed_by}"\nagreed_on = {agreed_on}\n{kinds}'


def _layers(folder: Path) -> None:
    """Four layers that disagree: the partnership's, the manifest's, two connections' and one route's."""
    partnership = folder / "partnerships" / "demo.toml"
    board = _clocks(
        "clocks",
        "Partnership board",
        "2026-05-01",
        standard="L2 = { working_hours = 1 }\nL3 = { working_days = 7 }\nL4 = { working_days = 20 }",
    )
    replace_in(partnership, '\n[[partners]]\nid = "riverside"', f'{board}\n[[partners]]\nid = "riverside"')
    for service in (HOUSING, SUPPORTED):
        of_connection = _clocks(
            "connection.clocks", "Housing managers", "2026-06-02", standard="L3 = { working_days = 4 }"
        )
        append_to(folder / "services" / f"{service}.toml", of_connection)
    of_route = _clocks("clocks", "Riverside and Housing", "2026-07-03", standard="L3 = { working_days = 2 }")
    append_to(folder / "services" / f"{HOUSING}.toml", of_route)


def clocks_of(house: House, receipt: dict[str, Any], service: str) -> dict[int, tuple[str, str, str]]:
    """Each rung's clock: when it is due (UTC), who agreed it, and when."""
    found = house.rows(
        "SELECT level, clocks.due_at AS due_at, agreed_by, agreed_on FROM clocks "
        "JOIN deliveries ON deliveries.id = delivery_id WHERE share_id = :share AND service_id = :service",
        share=receipt["id"],
        service=service,
    )
    return {row["level"]: (_instant(row["due_at"]), row["agreed_by"], row["agreed_on"]) for row in found}


def _instant(kept: Any) -> str:
    """The store keeps instants as microseconds or text: say them as UTC minutes."""
    moment = (
        datetime.fromtimestamp(kept / 1_000_000, UTC) if isinstance(kept, int) else datetime.fromisoformat(str(kept))
    )
    return moment.strftime("%Y-%m-%d %H:%M")


def test_r43_the_route_goes_before_connection_manifest_and_partnership(new_house: Callable[..., House]) -> None:
    # given four layers that set different windows, and a share sent on Friday 20 November 2026 at 15:00
    house = new_house(edit=_layers)
    # when it goes to three services
    receipt = house.cases.send(a_share(HOUSING, SUPPORTED, TREATMENT))
    # then each rung has the window of the first layer that names it, with who agreed it and when
    housing, supported, treatment = (clocks_of(house, receipt, each) for each in (HOUSING, SUPPORTED, TREATMENT))
    assert housing[3] == ("2026-11-24 17:00", "Riverside and Housing", "2026-07-03")
    assert supported[3] == ("2026-11-26 17:00", "Housing managers", "2026-06-02")
    assert treatment[3] == ("2026-12-01 17:00", "Partnership board", "2026-05-01")
    assert housing[2] == ("2026-11-23 17:00", "manifest of housing", "2026-11-01")
    assert treatment[2] == ("2026-11-20 16:00", "Partnership board", "2026-05-01")
    assert {each[4] for each in (housing, supported, treatment)} == {
        ("2026-12-18 17:00", "Partnership board", "2026-05-01")
    }
    assert treatment[1] == ("2026-11-20 15:15", "shipped default", "2026-01-01")
    # and the sender is told the decision's
    told = {each["service"]: each["reply_by"] for each in receipt["deliveries"]}
    assert told[HOUSING] == "2026-11-24T17:00:00+00:00"
    assert told[TREATMENT] == "2026-12-01T17:00:00+00:00"


SHIPPED = [
    # sent; L1 (15 min), the sender's notice (4 working hours), L2 (1 working day) and L3 (3): the shipped windows
    pytest.param(
        "2026-12-24T15:00+00:00",
        ("2026-12-24 15:15", "2026-12-29 11:00", "2026-12-29 17:00", "2026-12-31 17:00"),
        id="christmas-on-a-friday-and-boxing-day-on-a-monday",
    ),
    pytest.param(
        "2027-03-25T15:00+00:00",
        ("2027-03-25 15:15", "2027-03-30 10:00", "2027-03-30 16:00", "2027-04-01 16:00"),
        id="easter-and-the-clocks-go-forward-between",
    ),
    pytest.param(
        "2026-10-23T15:00+01:00",
        ("2026-10-23 14:15", "2026-10-26 11:00", "2026-10-26 17:00", "2026-10-28 17:00"),
        id="the-clocks-go-back-over-the-weekend",
    ),
    pytest.param(
        "2026-11-20T17:00+00:00",
        ("2026-11-20 17:15", "2026-11-23 13:00", "2026-11-24 17:00", "2026-11-26 17:00"),
        id="after-closing-counts-from-the-next-working-day",
    ),
]


@pytest.mark.parametrize(("sent", "expected"), SHIPPED)
def test_r43_working_days_know_bank_holidays_and_both_clock_changes(
    house: House, sent: str, expected: tuple[str, ...]
) -> None:
    # given business time just before a holiday or a change of the clocks
    at = datetime.fromisoformat(sent)
    house.at(at)
    # when a share agreed that day is sent
    share = told_on(a_share(TREATMENT), at.date(), date(2027, 6, 30))
    receipt = house.cases.send(share)
    # then every rung is due on the right working day, at the hour that London's clocks then show
    clocks = clocks_of(house, receipt, TREATMENT)
    assert tuple(clocks[level][0] for level in (1, 0, 2, 3)) == expected


@pytest.mark.parametrize(
    ("sent", "first_rung", "notice"),
    [
        ("2026-10-25T00:50+00:00", "2026-10-25 01:05", "2026-10-25 01:20"),
        ("2027-03-28T00:50+00:00", "2027-03-28 01:05", "2027-03-28 01:20"),
    ],
)
def test_r43_minutes_run_evenly_through_the_night_of_a_clock_change(
    house: House, sent: str, first_rung: str, notice: str
) -> None:
    # given ten minutes before the clocks change
    at = datetime.fromisoformat(sent)
    house.at(at)
    # when an urgent share is sent
    share = told_on(a_share(TREATMENT, urgent=True), date(2026, 10, 20), date(2027, 6, 30))
    clocks = clocks_of(house, house.cases.send(share), TREATMENT)
    # then fifteen minutes are fifteen minutes, and thirty are thirty
    assert (clocks[1][0], clocks[0][0]) == (first_rung, notice)


def test_r43_an_urgent_share_is_due_by_its_own_window_and_says_who_agreed_that(
    new_house: Callable[..., House],
) -> None:
    # given a board that agreed three working hours where it is urgent
    def urgent(folder: Path) -> None:
        partnership = folder / "partnerships" / "demo.toml"
        board = _clocks("clocks", "Partnership board", "2026-05-01", urgent="L3 = { working_hours = 3 }")
        replace_in(partnership, '\n[[partners]]\nid = "riverside"', f'{board}\n[[partners]]\nid = "riverside"')

    house = new_house(edit=urgent)
    # when an urgent share goes at 15:00 on a Friday
    receipt = house.cases.send(a_share(TREATMENT, urgent=True))
    # then it is due at 10:00 on Monday, by the board's word
    assert clocks_of(house, receipt, TREATMENT)[3] == ("2026-11-23 10:00", "Partnership board", "2026-05-01")


def test_r43_only_a_receipt_is_due_of_what_is_just_to_know(house: House) -> None:
    # given an ordinary Friday
    house.at(datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    # when a share asks for nothing but that it is known
    receipt = house.cases.send(a_share(TREATMENT, ask="know"))
    # then no decision is owed, and the reply is due when the receipt is
    assert set(clocks_of(house, receipt, TREATMENT)) == {0, 1, 2}
    assert receipt["deliveries"][0]["reply_by"] == "2026-11-23T17:00:00+00:00"


def test_r43_the_shipped_windows_of_what_is_urgent_and_of_the_outcome(house: House) -> None:
    # given a Friday at 15:00 and a service that nobody agreed windows for
    house.at(datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    # when an urgent share and another go there
    urgent = clocks_of(house, house.cases.send(a_share(TREATMENT, urgent=True)), TREATMENT)
    other = clocks_of(house, house.cases.send(a_share(TREATMENT)), TREATMENT)
    # then a decision is due after one working day where it is urgent, and three where it is not; the outcome after ten
    assert urgent[3] == ("2026-11-23 17:00", "shipped default", "2026-01-01")
    assert (other[3][0], other[4][0], urgent[4][0]) == ("2026-11-25 17:00", "2026-12-04 17:00", "2026-12-04 17:00")


def test_r43_where_someone_is_at_risk_hours_run_through_the_weekend(house: House) -> None:
    # given a Friday at 15:00
    house.at(datetime(2026, 11, 20, 15, 0, tzinfo=UTC))
    # when a share says that someone is at risk now
    clocks = clocks_of(house, house.cases.send(a_share(TREATMENT, at_risk_now=True)), TREATMENT)
    # then its decision is due a day later, by the clock
    assert clocks[3] == ("2026-11-21 15:00", "shipped default", "2026-01-01")


def test_r43_a_day_on_which_a_partner_or_the_partnership_is_shut_is_no_working_day(
    new_house: Callable[..., House],
) -> None:
    # given a trust that is shut on Monday 23 November, and a partnership that is shut on the Tuesday
    def shut(folder: Path) -> None:
        partnership = folder / "partnerships" / "demo.toml"
        replace_in(partnership, 'ods = "RXX01"', 'ods = "RXX01"\nclosures = [2026-11-23]')
        text = partnership.read_text(encoding="utf-8")
        partnership.write_text(f"closures = [2026-11-24]\n{text}", encoding="utf-8")

    house = new_house(edit=shut)
    # when a share goes to the trust on Friday, and one to the council
    receipt = house.cases.send(a_share(TREATMENT, SUPPORTED))
    # then the trust's clock passes over both days, and the council's over one
    assert clocks_of(house, receipt, TREATMENT)[2][0] == "2026-11-25 17:00"
    assert clocks_of(house, receipt, SUPPORTED)[2][0] == "2026-11-23 17:00"
    assert clocks_of(house, receipt, SUPPORTED)[3][0] == "2026-11-30 17:00"


def test_r43_what_is_needed_tonight_shows_a_number_to_ring(house: House) -> None:
    # when an urgent share goes, and one that is not
    receipt, other = (house.cases.send(a_share(TREATMENT, urgent=urgent)) for urgent in (True, False))
    # then the receipt says whom to ring, and so does the share until they answer
    words = "If this cannot wait for their answer, ring County Treatment on 01223 000300."
    assert receipt["deliveries"][0]["tonight"] == {"phone": "01223 000300", "words": words}
    assert house.cases.delivery(receipt["id"], TREATMENT)["tonight"]["words"] == words
    assert "tonight" not in other["deliveries"][0]
