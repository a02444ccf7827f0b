"""R36: an answer reaches the case system by signed webhook within a minute, and a poll says the same."""

from __future__ import annotations

import time

from standardwebhooks import Webhook

from hub.sandbox.stage import Stage, wait_for
from hub.sdk.testing.ledger import Entry
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, told_strings


def _told(stage: Stage, share_id: str) -> list[Entry]:
    return [
        entry
        for entry in stage.webhooks.entries()
        if share_id.encode() in entry.body and b'"delivery.answered"' in entry.body
    ]


def test_r36_the_webhook_comes_within_a_minute_and_the_poll_says_the_same(stage: Stage) -> None:
    # given a share under the case system's own reference
    share = a_share(HOUSING, TREATMENT, reference="JO-2026-77/b")
    receipt = stage.cases.send(share)
    wait_for(
        "treatment to have it",
        lambda: (
            {each["service"]: each["state"] for each in stage.cases.read(receipt["id"])["deliveries"]}[TREATMENT]
            == "delivered"
        ),
    )
    key = next(e.key for e in stage.health.entries() if receipt["reference"].encode() in e.body)

    # when both services answer, one by callback and one by FHIR message
    said_at = time.time()
    stage.health.say(key=key, decision="accepted", owner="Intake team")
    entries = wait_for("both webhooks", lambda: len(_told(stage, receipt["id"])) >= 2 and _told(stage, receipt["id"]))

    # then the official library verifies each, with the secret that was agreed and within the minute
    secret = (stage.folder / "instance" / "secrets" / "webhook").read_text(encoding="utf-8")
    bodies = [Webhook(secret).verify(entry.body, entry.headers) for entry in entries]
    assert max(entry.at for entry in entries) - said_at < 60
    # and it names the sender's own reference, and nothing that anyone told
    assert {body["data"]["your_reference"] for body in bodies} == {"JO-2026-77/b"}
    assert not [text for text in told_strings(share) for entry in entries if text.encode() in entry.body]
    # and whoever polls sees the same answer, once each
    report = stage.cases.read(receipt["id"])
    assert report["your_reference"] == "JO-2026-77/b"
    polled = {
        each["service"]: (each["id"], each["state"], each["answer"])
        for each in report["deliveries"]
        if each["kind"] == "share"  # a service that is told what its answer lacks gets that as a parcel of its own
    }
    pushed = {
        body["data"]["service"]: (body["data"]["delivery"], body["data"]["state"], body["data"]["answer"])
        for body in bodies
    }
    assert pushed == polled
    assert polled[HOUSING][2] == polled[TREATMENT][2] == "accepted"


def test_r36_a_case_system_that_is_away_gets_the_answer_when_it_returns_under_one_id(stage: Stage) -> None:
    # given a case system that is down while the answer comes
    stage.webhooks.stop()
    try:
        receipt = stage.cases.send(a_share(HOUSING))
        wait_for("the answer", lambda: stage.cases.read(receipt["id"])["deliveries"][0]["answer"] == "accepted")
    finally:
        # when it returns
        stage.webhooks.start()
    # then it is told, and however often it is told, it is under one id
    entries = wait_for("the webhook", lambda: _told(stage, receipt["id"]), seconds=60)
    assert len({entry.key for entry in entries}) == 1
