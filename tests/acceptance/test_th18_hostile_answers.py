"""TH18: whatever a partner answers, by whichever way, does nothing but what an answer does; the next one is read."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance import hostile
from tests.acceptance.caller import as_json
from tests.acceptance.hostile import MARK, WORDS, Asked, answering, as_reply, bodies, reply, signed
from tests.acceptance.house import House, Troupe, open_house, replace_in, until_true
from tests.acceptance.paging import MAILBOX, TEAM, Browser, a_share_for_the_team, invited, with_a_team
from tests.acceptance.reading import page_of
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share, consent_of

#: Seconds that one corpus may take on a busy machine, and bytes by which it may make this process grow.
LONGEST, GROWTH = 60.0, 400_000_000
HUB = str(Path(sys.executable).with_name("hub"))
#: What a browser would obey, and what a terminal would.
_BROWSER = re.compile(r"<script|<img|\x22'|\x00", re.IGNORECASE)
_TERMINAL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class Elsewhere:
    """A partner whose replies are changed between one share and the next."""

    def __init__(self) -> None:
        self.says = reply(b"{}")
        self.honest = False

    def __call__(self, asked: Asked) -> bytes:
        if asked.path.endswith("/oauth/token"):
            return as_reply({"access_token": "t", "token_type": "Bearer", "expires_in": 300})
        if asked.method == "POST" and self.honest:
            return as_reply({"id": uuid.uuid4().hex, "receivedAt": "2026-11-20T15:00:00Z"}, status="201 Created")
        return self.says if asked.method == "POST" else as_reply({"referrals": [], "notes": []})


@pytest.fixture(scope="module")
def elsewhere() -> Elsewhere:
    return Elsewhere()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe, elsewhere: Elsewhere) -> Iterator[House]:
    """A hub with a team on a page, and with supported housing behind a server that sends what it likes."""
    with answering(elsewhere) as url:

        def edit(folder: Path) -> None:
            with_a_team(folder)
            replace_in(folder / "services" / "supported-housing.toml", troupe.supported.url, url)

        with open_house(tmp_path_factory.mktemp("hostile") / "instance", troupe, edit=edit) as opened:
            yield opened


@pytest.fixture(autouse=True)
def bounded(house: House, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Whatever a test throws at it, the hub goes on, in bounded time and memory, and its log holds no word of it."""
    began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert time.monotonic() - began < LONGEST
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < GROWTH
    assert httpx.get(f"{house.url}/readyz", timeout=5, trust_env=False).status_code == 200
    said = "".join(capfd.readouterr())
    assert MARK not in said
    assert "connector-error" not in said


def returning_all(*services: str) -> dict[str, Any]:
    """A share whose consents let everything that is said come back, so that everything is shown."""
    share = a_share(*services)
    for service in services:
        consent_of(share, service)["returns"] = ["state", "owner", "next_step", "reason", "text"]
    return share


def delivered(house: House, receipt: dict[str, Any], service: str) -> None:
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], service)["state"] == "delivered")


def answered(house: House, receipt: dict[str, Any], service: str, state: str) -> dict[str, Any]:
    """Wait for an answer, and return the delivery as the case system reads it."""

    def look() -> dict[str, Any] | None:
        found = house.cases.delivery(receipt["id"], service)
        return found if found["answer"] == state else None

    found: dict[str, Any] = until_true("the authentic answer", look)
    return found


def post_signed(house: House, body: bytes, content_type: str = "application/json") -> int:
    headers = signed(body, house.troupe.callback_secret, content_type)
    return httpx.post(
        f"{house.url}/v1/callbacks/{HOUSING}", content=body, headers=headers, timeout=30, trust_env=False
    ).status_code


def test_th18_a_signed_callback_that_is_no_answer_stops_nothing(house: House) -> None:
    # given a parcel that housing has
    receipt = house.cases.send(returning_all(HOUSING))
    delivered(house, receipt, HOUSING)
    key = house.key_of(receipt, HOUSING)
    # when everything that is no answer comes under a good signature, as JSON and as what it is not
    types = ("application/json", "text/html; charset=utf-7", "application/xml", "multipart/form-data", "a\tb")
    statuses = {
        name: post_signed(house, body, types[number % len(types)])
        for number, (name, body) in enumerate(bodies(key).items())
    }
    # then each is taken or refused, and an authentic answer that comes behind them is read
    assert {status for status in statuses.values() if status >= 500} == set()
    assert house.say(receipt, HOUSING, status="NOT_ACCEPTED", owner="Duty officer").status_code == 202
    answered(house, receipt, HOUSING, "declined")
    # and what could not be read is refused by name, none of it tried again for a fault of ours
    rows = house.rows("SELECT DISTINCT reason FROM inbox WHERE reason IS NOT NULL")
    assert {row["reason"] for row in rows} <= {"not-theirs", "unknown-delivery"}


def test_th18_words_are_only_ever_shown(house: House) -> None:
    # given parcels whose answers hold every word that does something somewhere
    receipt = house.cases.send(returning_all(HOUSING))
    delivered(house, receipt, HOUSING)
    for words in WORDS.values():
        said = {"status": "ACCEPTED", "owner": words, "outcomeNote": words, "nextStep": words, "outcomeReason": words}
        assert house.say(receipt, HOUSING, **said).status_code == 202
        assert house.say(receipt, HOUSING, status=words[:100]).status_code == 202
    house.say(receipt, HOUSING, status="NOT_ACCEPTED", owner="Duty officer")
    until_true(
        "all to be read", lambda: not house.rows("SELECT 1 FROM inbox WHERE state = 'pending' AND reason IS NULL")
    )
    house.settled_notices()
    # when they are shown: to the case system, on the person's sheet, in a terminal, by mail
    report = house.cases.get(f"/v1/shares/{receipt['id']}")
    page = page_of(house, receipt)
    shown = subprocess.run(
        [HUB, "trace", receipt["reference"], "--dir", str(house.folder)], capture_output=True, text=True, check=True
    )
    # then they stand there as text
    answers = report.json()["deliveries"][0]["answers"]
    assert len(answers) >= len(WORDS)
    assert any(MARK in each["owner"] for each in answers)
    assert report.headers["content-type"] == "application/json"
    assert report.headers["x-content-type-options"] == "nosniff"
    assert _BROWSER.search(page.text) is None
    assert "script-src" in page.headers["content-security-policy"] or "default-src 'none'" in page.headers[
        "content-security-policy"
    ]  # fmt: skip
    assert _TERMINAL.search(shown.stdout) is None
    assert MARK not in shown.stdout
    mails = [mail["raw"] for mail in house.mails(receipt)]
    assert [raw for raw in mails if MARK in raw or "evil.example" in raw] == []
    told = house.told(receipt, "delivery.answered")
    assert told
    assert MARK not in json.dumps(told)


def test_th18_a_fhir_message_that_is_no_answer_stops_nothing(house: House) -> None:
    # given a parcel that the treatment service has
    receipt = house.cases.send(returning_all(TREATMENT))
    delivered(house, receipt, TREATMENT)
    key = house.key_of(receipt, TREATMENT)

    def post(body: bytes) -> int:
        now, url = int(datetime.now(UTC).timestamp()), f"{house.url}/fhir/R4/$process-message"
        claims = {"iss": "treatment-trust", "aud": url, "iat": now, "exp": now + 200, "jti": str(uuid.uuid4())}
        headers = {
            "authorization": f"Bearer {house.troupe.made.receiver.sign(claims)}",
            "content-type": "application/fhir+json",
            "x-request-id": str(uuid.uuid4()),
        }
        return httpx.post(url, content=body, headers=headers, timeout=30, trust_env=False).status_code

    def message(status: Any, words: Any) -> bytes:
        header = {
            "resourceType": "MessageHeader",
            "eventCoding": {"code": "servicerequest-response"},
            "response": {"identifier": key, "code": "ok"},
        }
        referral = {"resourceType": "ServiceRequest", "status": status, "note": [{"text": words}]}
        referral |= {"performer": [{"display": words}], "reasonCode": [{"text": words}], "encounter": words}
        entries = [{"fullUrl": words, "resource": each} for each in (header, referral)]
        return as_json({"resourceType": "Bundle", "type": "message", "id": str(uuid.uuid4()), "entry": entries})

    # when bodies that are no answer come under a good proof, and answers whose every word does something, or is none
    odd = [message("active", words) for words in (*WORDS.values(), [["x"]] * 9, {"a": {}}, 7, None)]
    statuses = [post(body) for body in (*(body for name, body in bodies(key).items() if "xml" not in name), *odd)]
    # then none is a fault, and the authentic answer behind them is read
    assert [status for status in statuses if status >= 500] == []
    assert post(message("revoked", "Ring us.")) == 200
    assert post(message("completed", "Done.")) == 200
    found = answered(house, receipt, TREATMENT, "completed")
    assert any(MARK in each["text"] for each in found["answers"])
    assert _BROWSER.search(page_of(house, receipt).text) is None
    rows = house.rows("SELECT DISTINCT reason FROM inbox WHERE reason IS NOT NULL")
    assert {row["reason"] for row in rows} <= {"not-theirs", "unknown-delivery"}


HOSTILE_REPLIES = {
    "gzip bomb": reply(hostile.GZIP_BOMB, "content-encoding: gzip"),
    "gzip that is none": reply(b"{}", "content-encoding: gzip"),
    "another packing": reply(b"{}", "content-encoding: br"),
    "too large": reply(b" " * 3_000_000),
    "deep": reply(b"[" * 400_000),
    "a huge number": reply(b'{"id":' + b"9" * 400_000 + b"}"),
    "half a character": reply(b'{"id":"\\ud800\\u0000"}', status="201 Created"),
    "words": as_reply({"id": WORDS["colours"] + WORDS["script"]}, status="201 Created"),
    "other types": as_reply({"id": ["1"], "receivedAt": {}}),
    "a page": reply(WORDS["script"].encode(), content_type="text/html"),
    "a pickle": reply(hostile.PICKLE, content_type="application/python-pickle"),
    "entities": reply(hostile.XML["laughs"].encode(), content_type="application/xml"),
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200_000,
    "one header without end": b"HTTP/1.1 200 OK\r\nx: " + b"y" * 1_000_000,
    "no http": hostile.PICKLE * 100,
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 90\r\n\r\n{}",
    "cut short": b"HTTP/1.1 200 OK\r\ncontent-length: 90\r\n\r\n{",
    "bad chunks": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}",
    "elsewhere": reply(b"", "location: http://169.254.169.254/latest/meta-data", status="307 Temporary Redirect"),
    "wait for ever": reply(b"", f"retry-after: 1 Jan {'9' * 30} 00:00:00 GMT", status="503 Unavailable"),
}


def test_th18_a_reply_does_nothing_but_say_what_became_of_the_parcel(house: House, elsewhere: Elsewhere) -> None:
    # given a partner that answers each share with something else
    outcomes: dict[str, str] = {}
    for name, says in HOSTILE_REPLIES.items():
        elsewhere.says = says
        # when a share goes there
        receipt = house.cases.send(a_share(SUPPORTED))

        def settled(share: str = receipt["id"]) -> str | None:
            state = str(house.cases.delivery(share, SUPPORTED)["state"])
            return state if state not in {"queued", "sending"} else None

        outcomes[name] = until_true(f"an outcome of {name}", settled)
    # then nothing is believed but what holds a receipt, nothing is lost, and its host lives
    assert {name for name, state in outcomes.items() if state == "delivered"} <= {"half a character", "words"}
    assert set(outcomes.values()) <= {"delivered", "retrying", "in_doubt", "failed", "refused"}
    elsewhere.honest = True
    receipt = house.cases.send(a_share(SUPPORTED))
    delivered(house, receipt, SUPPORTED)
    reasons = house.rows("SELECT DISTINCT reason FROM deliveries WHERE reason IS NOT NULL")
    assert "connector-error" not in {row["reason"] for row in reasons}


@pytest.fixture
def browser(house: House) -> Iterator[Browser]:
    made = Browser(house.url)
    yield made
    made.http.close()


def test_th18_a_form_of_the_answer_page_is_words_and_no_more(house: House, browser: Browser) -> None:
    # given a team that opened its page
    share = a_share_for_the_team()
    consent_of(share, TEAM)["returns"] = ["state", "owner", "next_step", "reason", "text"]
    receipt = house.cases.send(share)
    link = invited(house, receipt)
    browser.enter(link)
    # when its form is sent with words that do something, far too many of them, and as what it is not
    for words in WORDS.values():
        seen = browser.say(link, "yes", owner=words[:20_000], words=words[:20_000])
        assert seen.status < 500
        assert _BROWSER.search(seen.reply.text) is None
    kinds = ("multipart/form-data; boundary=x", "application/json", "application/x-www-form-urlencoded", "a\tb")
    odd = [*bodies("k").values(), b"&".join([b"say=yes"] * 20_000), b"say=%ff%00%ed%a0%80", b"date-year=" + b"9" * 99]
    for number, body in enumerate(odd):
        headers = {"origin": house.url, "content-type": kinds[number % len(kinds)]}
        assert browser.http.post(f"{link}/say", content=body, headers=headers).status_code < 500
    for year in ("9" * 30, "9" * 9, "-1", "\u0661"):
        when = {"date-year": year, "date-month": "1", "date-day": "1"}
        assert browser.say(link, "yes", owner="Ade", **when).status < 500
    # then the page still takes the answer that is meant
    browser.say(link, "no", why="full", owner="Ade, duty desk", reason="full")
    found = house.cases.delivery(receipt["id"], TEAM)
    assert found["answers"]
    assert _BROWSER.search(page_of(house, receipt).text) is None
    house.settled_notices()
    assert [mail for mail in house.mails(receipt) if MARK in mail["raw"]] == []
    assert house.mails(receipt, MAILBOX)
