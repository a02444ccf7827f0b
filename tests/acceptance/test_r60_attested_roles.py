"""R60: worker and role come signed from the partner and are kept as attested by it; certificates are kept nowhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.security.assertions import ClientKey, author_assertion
from tests.acceptance.continuing import call, delivered, section
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share


def events(house: House, share_id: str) -> dict[str, dict[str, Any]]:
    """What the log says of a share, by action."""
    found = house.rows("SELECT action, at, detail FROM audit_events WHERE share_id = :id", id=share_id)
    details = ((each["action"], each["detail"]) for each in found)
    return {action: json.loads(detail) if isinstance(detail, str) else detail for action, detail in details}


def test_r60_each_act_is_kept_as_attested_by_the_partner(house: House) -> None:
    # given a worker whom the day centre attests
    share = a_share(HOUSING)
    house.cases.post("/v1/shares/preview", share, key="one-act")
    receipt = house.cases.send(share, key="one-act")
    house.settled()
    (delivery,) = receipt["deliveries"]
    heard = {"state": "accepted", "how": "phone", "on": "2026-11-16", "told_to": "Jo at the front desk"}
    assert house.cases.post(f"/v1/deliveries/{delivery['id']}/heard", heard).status_code == 201
    proof = {"author-assertion": house.cases.proof(b"")}
    headers = {"authorization": f"Bearer {house.cases.token()}", **proof}
    assert house.cases.http.get(f"/v1/shares/{receipt['id']}", headers=headers).status_code == 200
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {"services": []})
    # when the log is read
    kept = events(house, receipt["id"])
    # then each act says by whom, as a keyed hash, in which role, and who says so
    acts = [
        kept[each]
        for each in ("share.previewed", "share.accepted", "delivery.heard", "share.read", "consent.withdrawn")
    ]
    assert {(each["role"], each["attested_by"]) for each in acts} == {("key-worker", "riverside")}
    assert len({each["author"] for each in acts}) == 1
    assert len(acts[0]["author"]) == 64
    # and nowhere who that is
    assert house.cases.worker not in json.dumps(kept)


def test_r60_what_follows_is_kept_as_attested_too(new_house: Callable[..., House]) -> None:
    # given a share that arrived
    house = new_house()
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    # when its worker adds to it, puts it on hold while they check, corrects it, and says how it ended
    call(house, receipt, "addenda", sections=[section("s70", "goal", "A quiet room.")])
    fixed = section("s6", "housing", "Since May.")
    call(house, receipt, "pauses", section="s6")
    call(house, receipt, "corrections", corrects="s6", sections=[fixed])
    house.say(receipt, HOUSING, status="ACCEPTED")
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    call(house, receipt, "person-told", 200, told="yes", on="2026-11-18")
    call(house, receipt, "death", 200)
    # then each of these says by whom, in which role, and who says so
    kept = events(house, receipt["id"])
    acts = ("share.accepted", "share.addendum", "share.paused", "share.correction", "person.told", "person.died")
    assert len({(kept[each]["author"], kept[each]["role"], kept[each]["attested_by"]) for each in acts}) == 1
    assert house.cases.worker not in json.dumps(kept)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ("no assertion", "author-missing"),
        ("unsigned", "author-untrusted"),
        ("signed by the worker", "author-untrusted"),
        ("without a role", "author-untrusted"),
        ("a certificate for a role", "author-role"),
        ("a sentence for a role", "author-role"),
    ],
)
def test_r60_a_role_that_the_partner_does_not_attest_is_refused(house: House, how: str, problem: str) -> None:
    # given a worker who claims a role themselves, or a certificate in its place
    raw = json.dumps(a_share(HOUSING)).encode()
    before = house.settled()
    # when it is sent
    reply = house.cases.post("/v1/shares", raw, proof=_proof(house, raw, how))
    # then it is refused, with a next step, and nothing of it is kept
    assert (reply.status_code, reply.json()["type"]) == (401, f"/problems/{problem}")
    assert reply.json()["next_step"]
    assert "001234567890" not in reply.text
    assert house.settled() == before


def _proof(house: House, raw: bytes, how: str) -> str:
    cases, now = house.cases, house.hub.now.wall()

    def made(role: str, key: ClientKey = cases.key) -> str:
        return author_assertion(cases.client_id, cases.url, key, now, subject="worker-7", role=role, body=raw)

    header, claims, _signature = made("key worker").split(".")
    roles = {"a certificate for a role": "DBS 001234567890", "a sentence for a role": "I am, I swear, a manager."}
    return {
        "no assertion": "",
        "unsigned": f"{header}.{claims}.",
        "signed by the worker": made("key worker", ClientKey.generate()),
        "without a role": made(""),
    }.get(how) or ("" if how == "no assertion" else made(roles[how]))


def test_r60_a_share_has_no_place_for_a_role_or_certificate_of_its_worker(house: House) -> None:
    for name in ("author", "role", "dbs_certificate"):
        reply = house.cases.post("/v1/shares", a_share(HOUSING) | {name: "key worker"})
        assert (reply.status_code, reply.json()["type"]) == (422, "/problems/body-malformed")


def test_r60_every_read_is_known_and_a_refused_one_too(house: House) -> None:
    # given a share of ours
    receipt = house.cases.send(a_share(HOUSING))
    # when we read it, and another partner asks for it, and for one that is not there
    ours = house.cases.get(f"/v1/shares/{receipt['id']}")
    theirs = house.other.get(f"/v1/shares/{receipt['id']}")
    nobodys = house.other.get(f"/v1/shares/{'0' * 32}")
    # then both of theirs look the same, and all three are written down
    assert (ours.status_code, theirs.status_code, nobodys.status_code) == (200, 404, 404)
    assert theirs.content == nobodys.content
    found = house.rows(
        "SELECT action, actor FROM audit_events WHERE share_id = :id AND action LIKE 'share.read%'", id=receipt["id"]
    )
    assert [(each["action"], each["actor"]) for each in found] == [
        ("share.read", "client:riverside-cases"),
        ("share.read_refused", "client:harbour-cases"),
    ]
    assert house.rows("SELECT 1 FROM audit_events WHERE share_id = :id", id="0" * 32)
