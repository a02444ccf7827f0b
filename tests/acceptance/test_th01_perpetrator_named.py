"""TH01: where the person who harms was named as trusted, nothing goes, and no reply tells that it was found out."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.acceptance.house import House
from tests.acceptance.telling import HOUSING, a_share
from tests.acceptance.trusting import keep_link, release, unsaid

#: What is random in every receipt, and drawn alike: ids, speakable references, and the newest checkpoint of the log.
_DRAWN = re.compile(r'"(?:[0-9a-f]{32}|[0-9A-Z]{3}-[0-9A-Z]{3})"')


def marked(house: House, reference: str) -> dict[str, Any]:
    """A share by a trusted person whom the partner's system marked as not safe."""
    share = a_share(HOUSING)
    share["trusted_person"]["reference"] = reference
    keep_link(house.cases, share, not_safe=True)
    return share


def bare(reply: Any) -> tuple[int, list[tuple[str, str]], str]:
    """What a reply says beside what is drawn: status, headers, and its bytes with each draw as long as it is."""
    body = reply.json()
    body.pop("checkpoint", None)
    headers = [(name, value) for name, value in reply.headers.items() if name not in ("date", "content-length")]
    said = json.dumps(body)
    return reply.status_code, headers, _DRAWN.sub(lambda found: f'"{"x" * (len(found.group()) - 2)}"', said)


@pytest.mark.parametrize("path", ["/v1/shares", "/v1/shares/preview"])
def test_th01_a_choice_that_is_not_safe_is_answered_like_a_missing_statement(house: House, path: str) -> None:
    # given a share by one who was marked, and the same by one who only forgot the statement
    found_out, forgotten = marked(house, "tp-harms"), unsaid(a_share(HOUSING))
    # when both are sent, then the bytes are equal
    assert bare(house.cases.post(path, found_out)) == bare(house.cases.post(path, forgotten))


def test_th01_nor_does_reading_it_withdrawing_it_or_a_repeat_tell(house: House) -> None:
    found_out, forgotten = marked(house, "tp-harms-2"), unsaid(a_share(HOUSING))
    receipts = [house.cases.send(share, key=f"key-{n}") for n, share in enumerate((found_out, forgotten))]
    again = [house.cases.post("/v1/shares", share, key=f"key-{n}") for n, share in enumerate((found_out, forgotten))]
    assert [each.json() for each in again] == receipts
    reads = [house.cases.get(f"/v1/shares/{each['id']}") for each in receipts]
    for read in reads:
        assert read.json()["status"] == "held"
    without_time = [re.sub(r'"sent_at": "[^"]+"', "", bare(each)[2]) for each in reads]
    assert without_time[0] == without_time[1]
    taken_back = [house.cases.post(f"/v1/consents/{each['consent']}/withdraw", {}) for each in receipts]
    assert bare(taken_back[0]) == bare(taken_back[1])


def test_th01_whatever_they_try_nothing_is_sent(house: House) -> None:
    # given one who was marked, who sends, says that it was looked at, and sends again for other people
    share = marked(house, "tp-harms-3")
    receipts = [house.cases.send(share) for _ in range(3)]
    for receipt in receipts:
        assert release(house.cases, receipt["id"]).json()["status"] == "held"
    house.rounds()
    # then nothing of it has a delivery, and no service has heard of it
    for receipt in receipts:
        assert house.rows("SELECT 1 FROM deliveries WHERE share_id = :id", id=receipt["id"]) == []
        entries = house.troupe.housing.entries()
        assert not [each for each in entries if receipt["reference"].encode() in each.body]


def test_th01_no_audit_event_or_notice_of_the_case_system_says_why_it_waits(house: House) -> None:
    receipt = house.cases.send(marked(house, "tp-harms-4"))
    house.settled_notices()
    events = house.rows("SELECT action, detail FROM audit_events WHERE share_id = :id", id=receipt["id"])
    assert {each["action"] for each in events} == {"share.held", "notice.sent"}
    assert "safe" not in str(events)
    assert house.told(receipt) == []
