"""R66: every delivery carries the lines on how to keep it safe, and who must not see it."""

from __future__ import annotations

import json
from typing import Any

from hub.domain.share import HandlingLine
from hub.domain.wording import HANDLING_WORDS
from tests.acceptance.house import House, until_true
from tests.acceptance.previewing import SAID, preview, section
from tests.acceptance.telling import HOUSING, TREATMENT, a_share


def test_r66_every_line_and_every_kept_out_worker_is_in_each_parcel(looking: House) -> None:
    # given a share with every line there is, and a worker who must not see it
    share = a_share(HOUSING, TREATMENT, handling=[str(each) for each in HandlingLine], keep_from=["zq-worker"])
    shown = preview(looking, share)
    # then each service's document says all of it
    for service in (HOUSING, TREATMENT):
        text = shown.text(service)
        assert [words for words in HANDLING_WORDS.values() if words not in text] == []
        assert "zq-worker" in text
    assert shown.parcel(TREATMENT)["meta"]["security"][0]["code"] == "NOPAT"


def test_r66_a_share_that_says_nothing_of_it_still_carries_the_lines_for_everyone(looking: House) -> None:
    share = a_share(HOUSING)
    share.pop("handling", None)
    assert preview(looking, share).parcel(HOUSING)["handling"] == [
        HANDLING_WORDS[HandlingLine.HIDE_FROM_ONLINE_RECORD],
        HANDLING_WORDS[HandlingLine.DO_NOT_DISCLOSE_TO_HOUSEHOLD],
    ]


def test_r66_a_request_to_stop_carries_them_too(house: House) -> None:
    # given a share that arrived and was then withdrawn
    receipt = house.cases.send(a_share(HOUSING, keep_from=["zq-worker"]))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}).raise_for_status()

    def stop() -> dict[str, Any] | None:
        bodies = [json.loads(each.body) for each in house.troupe.housing.entries() if each.body.startswith(b"{")]
        mine = [each for each in bodies if each.get("referenceNumber") == receipt["reference"]]
        return next((each for each in mine if each["status"] == "WITHDRAWN"), None)

    # when the request to stop arrives, then it says how to keep it safe, and from whom
    found = until_true("the request to stop", stop)
    assert found["handling"]
    assert found["keepFrom"] == ["zq-worker"]


def test_r66_sections_about_abuse_reach_nobody_who_is_not_set_up_for_them(looking: House) -> None:
    share = a_share(HOUSING, TREATMENT)
    for consent in share["consents"]:
        consent["categories"] += ["domestic_abuse", "safety"]
    share["sections"] += [section(each, text="zq-abuse", said=SAID) for each in ("domestic_abuse", "safety")]
    shown = preview(looking, share)
    for service in (HOUSING, TREATMENT):
        assert "zq-abuse" not in shown.text(service)
