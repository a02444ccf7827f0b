"""TH20: where a service's entry is unapproved, unsigned, changed or stale, what is for it waits, and people know."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub import config
from hub.domain.calendar import london_date
from hub.domain.entry import LONGEST, Approval, EntryFault, Seen, fault
from hub.entries import Entries, approval_of, approve_all, digest_of, path_of
from hub.security.approvals import write_approval
from hub.security.keys import KeyRing, generate
from hub.services.now import SystemNow
from tests.acceptance.house import House, Troupe, open_house, replace_in, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share

TODAY = date(2026, 11, 20)
WAITS = (
    "Housing does not have this yet. We are making sure that it is still the right team. This is safe with us. "
    "If it cannot wait, ask your champion."
)


@pytest.fixture(scope="module")
def unsure(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub whose housing entry nobody approved; its two other services were."""

    def edit(folder: Path) -> None:
        path_of(folder, HOUSING).unlink()

    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("unsure") / "instance"
        yield stack.enter_context(open_house(folder, troupe, edit=edit, approves=False))


def approve(house: House, **changes: Any) -> None:
    """Let two people approve the housing team's entry as it is now."""
    configuration, ring = config.load(house.folder), KeyRing.load(house.folder / "keys")
    (entry,) = [each for each in configuration.services if each.id == HOUSING]
    said = Approval(
        HOUSING, digest_of(configuration, entry), ("champion-council", "operator"), TODAY, Seen.RANG, TODAY + LONGEST
    )
    write_approval(path_of(house.folder, HOUSING), replace(said, **changes), ring)


def sent(house: House, receipt: dict[str, Any], service: str = HOUSING) -> int:
    """How many parcels of one share were ever claimed for a service."""
    key = house.key_of(receipt, service)
    found = house.rows("SELECT attempt FROM deliveries WHERE key = :key", key=key)
    return int(found[0]["attempt"])


def test_th20_an_unapproved_entry_is_held_and_all_who_can_help_are_told(unsure: House) -> None:
    # given a share for a team that nobody approved, and for one that two people did
    path_of(unsure.folder, HOUSING).unlink(missing_ok=True)
    unsure.rounds(2)
    receipt = unsure.cases.send(a_share(HOUSING, TREATMENT))
    # then the sender is told at once, in plain words with a next step, and not the number of what may be another team
    said = {each["service"]: each for each in receipt["deliveries"]}
    assert (said[HOUSING]["state"], said[HOUSING]["words"]) == ("held", WAITS)
    assert said[TREATMENT]["state"] == "queued"
    # and the other one goes, while this one waits, and is read so
    until_true("treatment", lambda: unsure.cases.delivery(receipt["id"], TREATMENT)["state"] == "delivered")
    read = unsure.cases.delivery(receipt["id"], HOUSING)
    assert (read["state"], read["words"]) == ("held", WAITS)
    assert sent(unsure, receipt) == 0
    # and the operator and the champion of the team's own organisation know, once each, by e-mail without a story
    unsure.settled_notices()
    mails = [each for each in unsure.troupe.mails() if each["subject"] == "Is this still the right team?"]
    assert {"operator@hub.example", "champion@council.example"} <= {each["to"][0] for each in mails}
    assert "`hub directory approve` with its id." in " ".join(mails[0]["text"].split())
    assert not [each for each in mails if "housing" in each["text"].lower()]
    told = unsure.rows("SELECT recipient FROM notices WHERE topic = 'entry_held'")
    assert {each["recipient"] for each in told} == {"champion:city-council", "operator"}
    # when one person approves it, then it still waits
    approve(unsure, approved_by=("operator",))
    unsure.rounds(2)
    assert unsure.cases.delivery(receipt["id"], HOUSING)["state"] == "held"
    # and when another one has too, then it goes, without a restart
    approve(unsure)
    until_true("housing", lambda: unsure.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")


@pytest.mark.parametrize(
    "wrong",
    [
        {"last_day": TODAY - timedelta(days=1)},
        {"seen_on": TODAY - LONGEST - timedelta(days=1), "last_day": TODAY + timedelta(days=900)},
        {"digest": "0" * 64},
        {"approved_by": ("operator", "operator")},
        {"service": SUPPORTED},
    ],
    ids=["past its last day", "no proof of life in a year", "another entry", "one person twice", "another service"],
)
def test_th20_an_entry_that_is_stale_or_not_the_one_approved_is_held(unsure: House, wrong: dict[str, Any]) -> None:
    # given an approval with one thing wrong, when a share is sent there, then nothing begins to go, in any round
    approve(unsure, **wrong)
    unsure.rounds(2)
    receipt = unsure.cases.send(a_share(HOUSING))
    unsure.rounds(2)
    assert unsure.cases.delivery(receipt["id"], HOUSING)["state"] == "held"
    assert sent(unsure, receipt) == 0
    # and once it was put right it goes
    approve(unsure)
    until_true("it to go", lambda: unsure.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")


@pytest.mark.parametrize("how", ["changed by hand", "another hub's key", "no signature", "no JSON"])
def test_th20_an_approval_that_this_hub_did_not_sign_counts_for_nothing(
    unsure: House, tmp_path: Path, how: str
) -> None:
    # given an approval that somebody wrote past the hub
    approve(unsure)
    path = path_of(unsure.folder, HOUSING)
    good = path.read_bytes()
    document = json.loads(good)
    if how == "another hub's key":
        approved = approval_of(config.load(unsure.folder), HOUSING, KeyRing.load(unsure.folder / "keys"))
        assert approved is not None
        write_approval(path, approved, generate(tmp_path / "keys"))
    else:
        changed = {"changed by hand": document | {"approved_by": ["operator", "coordinator"]}, "no JSON": "{"}
        unsigned = {name: value for name, value in document.items() if name != "signature"}
        path.write_text(json.dumps(changed.get(how, unsigned)) if how != "no JSON" else "{", encoding="utf-8")
    # when a share is sent there, then it is held
    unsure.rounds(2)
    receipt = unsure.cases.send(a_share(HOUSING))
    unsure.rounds(2)
    assert (unsure.cases.delivery(receipt["id"], HOUSING)["state"], sent(unsure, receipt)) == ("held", 0)
    held = unsure.rows("SELECT held_reason FROM connections WHERE id = :id", id=HOUSING)
    assert held[0]["held_reason"] == "entry-unsigned"
    # and with the true one it goes
    path.write_bytes(good)
    until_true("it to go", lambda: unsure.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")


def test_th20_nothing_goes_after_the_last_day_though_the_hub_ran_on(unsure: House) -> None:
    # given an entry on its last day, and a share that went
    approve(unsure, last_day=TODAY)
    unsure.rounds(2)
    now = unsure.hub.now.business()
    first = unsure.cases.send(a_share(HOUSING))
    until_true("it to go", lambda: unsure.cases.delivery(first["id"], HOUSING)["state"] == "delivered")
    try:
        # when that day ends, then the next share waits, also where nobody has come round to hold it
        unsure.at(now + timedelta(days=1))
        second = unsure.cases.send(a_share(HOUSING))
        unsure.rounds(2)
        assert (unsure.cases.delivery(second["id"], HOUSING)["state"], sent(unsure, second)) == ("held", 0)
    finally:
        unsure.at(now)
    until_true("it to go", lambda: unsure.cases.delivery(second["id"], HOUSING)["state"] == "delivered")


def test_th20_a_changed_address_has_to_be_approved_anew(new_house: Callable[..., House]) -> None:
    # given a hub whose services were approved, and one of which is then said to be reached elsewhere
    house = new_house()
    house.close()
    replace_in(house.folder / "services" / f"{HOUSING}.toml", 'name = "Housing"', 'name = "Homes"')
    house.approves = False
    # when it starts again, then nothing goes there
    house.open()
    receipt = house.cases.send(a_share(HOUSING))
    house.rounds(2)
    assert (house.cases.delivery(receipt["id"], HOUSING)["state"], sent(house, receipt)) == ("held", 0)


def test_th20_a_courier_looks_before_each_claim_whatever_the_rows_say(tmp_path: Path, unsure: House) -> None:
    # given approved entries, as a courier asks for them
    configuration, now = config.load(unsure.folder), SystemNow(unsure.hub.now.offset)
    entries = Entries(configuration, unsure.hub.keys, now)
    approve(unsure)
    assert entries.may_send(HOUSING)
    assert london_date(now.business()) == TODAY
    # when the day is past, or the file is gone, then it may not send, without any round in between
    approve(unsure, last_day=TODAY - timedelta(days=1))
    assert not entries.may_send(HOUSING)
    path_of(unsure.folder, HOUSING).unlink()
    assert not entries.may_send(HOUSING)
    approve_all(unsure.folder, TODAY)
    assert entries.may_send(HOUSING)


def test_th20_each_fault_has_its_own_name() -> None:
    good = Approval("a", "d", ("x", "y"), TODAY, Seen.MET, TODAY)
    assert fault("a", "d", good, TODAY) is None
    assert fault("a", "d", None, TODAY) is EntryFault.UNAPPROVED
    assert fault("a", "e", good, TODAY) is EntryFault.CHANGED
    assert fault("a", "d", replace(good, approved_by=("x",)), TODAY) is EntryFault.ONE_APPROVAL
    assert fault("a", "d", good, TODAY + timedelta(days=1)) is EntryFault.EXPIRED
