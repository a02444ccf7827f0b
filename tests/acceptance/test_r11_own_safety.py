"""R11: where a worker's name is withheld, every service gets a role; and the worker is told whom to talk to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.continuing import call, delivered, section
from tests.acceptance.house import House, until_true
from tests.acceptance.refusals import heard
from tests.acceptance.telling import HOUSING, TREATMENT, a_share
from tests.acceptance.trusting import keep_link

NAME, ROLE, ADVISER = "Zyxel Quillfeather", "Outreach team", "Zyxel Quillfeather"


def named() -> dict[str, Any]:
    """A share in which the worker's own name stands wherever the schema has a place for it."""
    share = a_share(HOUSING, TREATMENT)
    share["trusted_person"] |= {
        "reference": "tp-worker",
        "kind": "person",
        "name": NAME,
        "contact": {"role": ROLE, "email": "outreach@daycentre.example", "phone": "01223 000000"},
    }
    share["choice"]["discussed_with"] = ADVISER
    for part in share["sections"]:
        if part.get("said"):
            part["said"] |= {"by": NAME, "how": "observed"}
    for consent in share["consents"]:
        consent["location_ok"] = True
    return share


def arrived(house: House, receipt: dict[str, Any]) -> list[bytes]:
    """What both services were sent of a share."""
    entries = [*house.troupe.housing.entries(), *house.troupe.health.entries()]
    return [each.body for each in entries if receipt["reference"].encode() in each.body]


@pytest.mark.parametrize("by_link", [False, True])
def test_r11_no_parcel_holds_a_worker_s_name_only_the_role(house: House, by_link: bool) -> None:
    # given a share whose worker, or whose partner's system, asks that workers stay unnamed
    share = named()
    if by_link:
        keep_link(house.cases, share, withhold_author=True)
    else:
        share |= {"withhold_author": True, "person": {"reference": "P-by-share"}}
    previewed = house.cases.post("/v1/shares/preview", share)
    receipt = house.cases.send(share)
    for service in (HOUSING, TREATMENT):
        until_true(
            "it to arrive", lambda each=service: house.cases.delivery(receipt["id"], each)["state"] == "delivered"
        )
    # when the worker also writes down what housing said to them, of which housing gets a copy
    delivery = house.cases.delivery(receipt["id"], HOUSING)["id"]
    house.cases.post(f"/v1/deliveries/{delivery}/heard", heard(told_to=NAME)).raise_for_status()
    copied = lambda: any(each["kind"] == "reply" for each in house.cases.read(receipt["id"])["deliveries"])  # noqa: E731
    until_true("the copy", copied)
    house.settled()
    # then both got the share, housing its copy, and nobody the name
    bodies = arrived(house, receipt)
    assert len(bodies) >= 3
    assert all(NAME.encode() not in body and b"Quillfeather" not in body for body in bodies)
    assert NAME not in previewed.text
    assert all(ROLE.encode() in body for body in bodies[:2])


def test_r11_the_name_goes_where_nobody_asked_to_withhold_it(house: House) -> None:
    # given the same share without the wish: the test above looks for a name that would have been there
    receipt = house.cases.send(named() | {"person": {"reference": "P-named"}})
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    assert any(NAME.encode() in body for body in arrived(house, receipt))


def test_r11_the_receipt_says_whom_the_worker_can_talk_to(house: House) -> None:
    receipt = house.cases.send(a_share(HOUSING))
    assert receipt["support"] == {
        "words": "If this is hard, or you do not feel safe, talk to your champion, Ashley.",
        "name": "Ashley",
        "email": "champion@daycentre.example",
    }


def test_r11_what_follows_names_no_worker_from_when_that_is_asked(house: House) -> None:
    # given a share that went with its worker's name, who observes something more
    share = named() | {"person": {"reference": "P-asked-later"}}
    receipt = delivered(house, share, HOUSING, TREATMENT)
    seen = section("s60", "goal", "They came in smiling.") | {
        "said": {"by": NAME, "how": "observed", "on": "2026-11-18"}
    }
    before = call(house, receipt, "addenda/preview", 200, sections=[seen])
    assert NAME in str(before["deliveries"])
    # when the partner's system says that workers stay unnamed from now on
    keep_link(house.cases, share, withhold_author=True)
    # then what follows says the role instead
    shown = call(house, receipt, "addenda/preview", 200, sections=[seen])
    assert shown["deliveries"]
    assert NAME not in str(shown)
    assert ROLE in str(shown["deliveries"])
    # and so do the copy of what is heard, and the request to stop using it
    had = arrived(house, receipt)
    delivery = house.cases.delivery(receipt["id"], HOUSING)["id"]
    house.cases.post(f"/v1/deliveries/{delivery}/heard", heard(told_to="the duty worker")).raise_for_status()
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {"services": []}).raise_for_status()
    until_true("both to arrive", lambda: len(arrived(house, receipt)) >= len(had) + 2)
    house.settled()
    assert NAME.encode() not in b"".join(each for each in arrived(house, receipt) if each not in had)
