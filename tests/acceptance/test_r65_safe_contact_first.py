"""R65: a way to make contact goes only where it is safe, and what is safe stands before it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acceptance.house import House
from tests.acceptance.previewing import Shown, preview, section
from tests.acceptance.telling import HOUSING, TREATMENT, a_share

NUMBER, EMAIL = "07700 900999", "zq@mail.example"


def told(looking: House, **fields: Any) -> tuple[Shown, str]:
    """What two services would see of one contact section, and where that section stands."""
    share = a_share(HOUSING, TREATMENT)
    share["sections"] = [each for each in share["sections"] if each["category"] != "contact"]
    share["sections"].append(section("contact", fields=fields))
    return preview(looking, share), f"/sections/{len(share['sections']) - 1}/fields"


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"safe_to_call": "yes", "leave_message": "no", "text_ok": "no"}, None),
        ({"safe_to_call": True, "leave_message": False, "text_ok": False}, None),
        ({"safe_to_call": "no", "leave_message": "no", "text_ok": "yes"}, None),
        ({"safe_to_call": "no", "leave_message": "no", "text_ok": "no"}, "not_safe"),
        ({"safe_to_call": "yes", "leave_message": "unknown", "text_ok": "no"}, "safe_contact_unknown"),
        ({"safe_to_call": "yes"}, "safe_contact_unknown"),
        ({}, "safe_contact_unknown"),
    ],
)
def test_r65_a_number_goes_only_where_it_is_safe_to_use(looking: House, said: dict[str, Any], why: str | None) -> None:
    shown, at = told(
        looking, phone=NUMBER, email=EMAIL, not_safe_to_talk_to=["zq-brother"], times="zq-mornings", **said
    )
    for service in (HOUSING, TREATMENT):
        # given a number, when it is safe it is there, and else it is withheld and the trusted person stands for it
        text = shown.text(service)
        assert (NUMBER in text) == (why is None), service
        assert shown.withheld(service).get(f"{at}/phone") == why
        assert "01223 000000" in text
        # and an address that nobody called safe never goes, and who it is not safe to talk to always does
        assert EMAIL not in text
        assert shown.withheld(service)[f"{at}/email"] == "safe_contact_unknown"
        assert "zq-brother" in text
        assert "zq-mornings" in text
        # and what is safe stands before any way to make contact, and before the name
        if why is None:
            assert text.index("zq-brother") < text.index(NUMBER)
        assert text.index("zq-brother") < text.index("Sam Rivers")


def test_r65_a_way_that_nobody_knows_is_no_safe_way(looking: House) -> None:
    shown, at = told(looking, pager="zq-pager", safe_to_call="yes", text_ok="yes", email_ok="yes", post_ok="yes")
    for service in (HOUSING, TREATMENT):
        assert "zq-pager" not in shown.text(service)
        assert shown.withheld(service) | {f"{at}/pager": "safe_contact_unknown"} == shown.withheld(service)


def test_r65_what_a_housing_system_sends_by_itself_is_switched_off(looking: House) -> None:
    shown, _ = told(looking, phone=NUMBER, safe_to_call="no", leave_message="no", text_ok="yes")
    assert shown.parcel(HOUSING)["contact"]["sendAutomaticMessages"] is False
