"""R62: no place leaves for anybody, abuse known or not, but to a service that may know where they are."""

from __future__ import annotations

from typing import Any

from tests.acceptance.house import House, until_true
from tests.acceptance.previewing import SAID, preview, section
from tests.acceptance.telling import HOUSING, TREATMENT, a_share

#: A place by the name of its field, or by its value under any name.
PLACES: dict[str, Any] = {
    "address": "zq-one",
    "postcode": "zq-two",
    "hostel_name": "zq-three",
    "workplace": "zq-four",
    "latitude": "zq-five",
    "note": "zq-six CB1 2AB",
    "notes": ["zq-seven", "52.20531, 0.12178"],
    "remark": "zq-eight 01632 960001",
}


def placed() -> dict[str, Any]:
    share = a_share(HOUSING, TREATMENT)
    for consent in share["consents"]:
        consent["categories"] = sorted({*consent["categories"], "identity", "location"})
    for each in share["sections"]:
        if each["category"] in {"identity", "contact", "housing"}:
            each["fields"] |= PLACES
    share["sections"].append(section("location", text="zq-nine", fields={"place": "zq-ten"}, said=SAID))
    return share


def test_r62_no_place_leaves_unless_that_service_may_know(looking: House) -> None:
    # given places in fields, values, lists and a section of their own
    share = placed()
    shown = preview(looking, share)
    # then none is in any parcel, and each is named as withheld where the service would else have seen its section
    for service in (HOUSING, TREATMENT):
        assert "zq-" not in shown.text(service)
        assert {f"/sections/0/fields/{name}" for name in PLACES} <= set(shown.withheld(service))


def test_r62_the_name_of_a_place_that_is_trusted_is_a_place(looking: House) -> None:
    # given a place as the trusted person
    share = a_share(HOUSING, TREATMENT)
    share["trusted_person"]["name"] = "zq-place, front desk"
    shown = preview(looking, share)
    # then its role stands for it, with the organisation that sends
    for service in (HOUSING, TREATMENT):
        assert "zq-place" not in shown.text(service)
        assert "Front desk, Riverside day centre" in shown.text(service)
    # and a service that may know where they are is told its name
    share["consents"][0]["location_ok"] = True
    shown = preview(looking, share)
    assert "zq-place, front desk" in shown.text(HOUSING)
    assert "zq-place" not in shown.text(TREATMENT)


def test_r62_a_postcode_or_number_in_words_never_leaves_and_is_told_by_its_place(looking: House) -> None:
    # given words that were checked, and that hold a postcode all the same
    share = a_share(HOUSING)
    share["sections"].append(section("goal", text="A flat by zq-words CB1 2AB.", said=SAID, words_checked=True))
    pointer = f"/sections/{len(share['sections']) - 1}/text"
    # then the service is refused, and gets it only where it may know
    assert preview(looking, share).refused(HOUSING) == [("place-in-words", pointer)]
    share["consents"][0]["location_ok"] = True
    assert "zq-words CB1 2AB" in preview(looking, share).text(HOUSING)


def test_r62_nothing_travels_as_a_file_so_no_file_has_a_name(house: House) -> None:
    # given a share that is delivered
    receipt = house.cases.send(a_share(HOUSING, TREATMENT))
    ledgers = {HOUSING: house.troupe.housing, TREATMENT: house.troupe.health}
    for service, ledger in ledgers.items():
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")
        key = house.key_of(receipt, service)
        (entry,) = [each for each in ledger.entries() if each.key == key]
        # then it went as one document, with no attachment and no name of a file
        headers = {name.lower(): value for name, value in dict(entry.headers).items()}
        assert "json" in headers["content-type"]
        assert "content-disposition" not in headers
        assert b"multipart" not in entry.body
        assert b"Attachment" not in entry.body
        assert b"filename" not in entry.body.lower()
