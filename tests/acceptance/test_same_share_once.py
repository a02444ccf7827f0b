"""One Idempotency-Key is one share: a thousand posts at once, after a restart, and for its own partner alone (R32)."""

from __future__ import annotations

import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from hub.sandbox.instance import CLIENT
from hub.sandbox.stage import Stage
from tests.acceptance.caller import Caller, as_json
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share

POSTS = 1_000


def test_a_thousand_posts_of_one_key_at_once_are_one_share(house: House) -> None:
    # given one share under one key, and a thousand requests, each with its own author's assertion
    body, key = as_json(a_share(HOUSING)), str(uuid.uuid4())
    heads = [house.cases.headers(body, key=key) for _ in range(POSTS)]
    before = house.rows("SELECT count(*) AS n FROM shares")[0]["n"]

    # when they are posted from sixty-four connections side by side
    def post(headers: dict[str, str]) -> httpx.Response:
        try:
            return house.cases.http.post("/v1/shares", content=body, headers=headers)
        except httpx.ReadError:  # the server closed the connection as idle in the moment of its next use
            return post(house.cases.headers(body, key=key))

    with ThreadPoolExecutor(64) as threads:
        replies = list(threads.map(post, heads))

    # then each is the same 202 byte for byte, or a 409 that says to wait; one share is kept, and one parcel arrives
    statuses = Counter(reply.status_code for reply in replies)
    assert set(statuses) <= {202, 409}
    assert statuses[202] >= 1
    assert len({reply.content for reply in replies if reply.status_code == 202}) == 1
    for reply in replies:
        if reply.status_code == 409:
            assert reply.json()["type"] == "/problems/idempotency-key-in-flight"
            assert reply.headers["retry-after"] == "1"
    assert house.rows("SELECT count(*) AS n FROM shares")[0]["n"] == before + 1
    receipt = next(reply.json() for reply in replies if reply.status_code == 202)
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    assert house.troupe.housing.effects(house.key_of(receipt, HOUSING)) == 1
    # and whoever was told to wait gets the first answer
    assert house.cases.post("/v1/shares", body, key=key).content == replies[_first(replies)].content


def _first(replies: list[httpx.Response]) -> int:
    return next(index for index, reply in enumerate(replies) if reply.status_code == 202)


def test_a_key_with_another_body_is_refused_and_keeps_the_first(house: House) -> None:
    # given a share that was taken
    key, share = str(uuid.uuid4()), a_share(HOUSING)
    first = house.cases.post("/v1/shares", share, key=key)
    assert first.status_code == 202
    # when the key comes with another share, or the same one in other bytes
    for other in (share | {"urgent": True}, as_json(share) + b"\n"):
        reply = house.cases.post("/v1/shares", other, key=key)
        # then it is refused, and the first stands
        assert reply.status_code == 422
        assert reply.json()["type"] == "/problems/idempotency-key-reused"
    assert house.cases.post("/v1/shares", share, key=key).content == first.content


def test_an_authors_assertion_works_once_whatever_the_key(house: House) -> None:
    # given a share that was taken with an assertion
    body = as_json(a_share(HOUSING))
    proof, key = house.cases.proof(body), str(uuid.uuid4())
    assert house.cases.post("/v1/shares", body, proof=proof, key=key).status_code == 202
    shares = house.rows("SELECT count(*) AS n FROM shares")
    # when the assertion comes again: under the same key, under another, and for a preview
    replies = [
        house.cases.post("/v1/shares", body, proof=proof, key=key),
        house.cases.post("/v1/shares", body, proof=proof),
        house.cases.post("/v1/shares/preview", body, proof=proof),
    ]
    # then it is a replay
    assert [reply.status_code for reply in replies] == [401, 401, 401]
    assert {reply.json()["type"] for reply in replies} == {"/problems/author-replayed"}
    assert house.rows("SELECT count(*) AS n FROM shares") == shares


def test_two_partners_may_use_the_same_key(house: House) -> None:
    # given one key in the hands of two partners
    key, share = str(uuid.uuid4()), a_share(HOUSING)
    # when each sends the same share under it
    ours = house.cases.send(share, key=key)
    theirs = house.other.send(share, key=key)
    # then they are two shares, and neither can read the other's
    assert ours["id"] != theirs["id"]
    assert ours["reference"] != theirs["reference"]
    assert house.other.get(f"/v1/shares/{ours['id']}").status_code == 404
    assert house.cases.get(f"/v1/shares/{theirs['id']}").status_code == 404
    assert house.cases.post(f"/v1/consents/{theirs['consent']}/withdraw", {}).status_code == 404


def test_a_key_is_known_after_the_hub_was_killed(stage: Stage) -> None:
    # given a share that a hub took, and a spent assertion
    cases = Caller(stage.hub.url, CLIENT, stage.cases._key)
    body, mine = as_json(a_share(HOUSING)), str(uuid.uuid4())
    proof = cases.proof(body)
    first = cases.post("/v1/shares", body, key=mine, proof=proof)
    assert first.status_code == 202, first.text
    # when the hub is killed and started again
    stage.hub.kill()
    stage.hub.start()
    # then the key gets the same bytes, another body is refused, and the assertion is still spent
    again: Any = cases.post("/v1/shares", body, key=mine)
    assert again.content == first.content
    assert cases.post("/v1/shares", a_share(HOUSING, urgent=True), key=mine).status_code == 422
    assert cases.post("/v1/shares", body, key=mine, proof=proof).json()["type"] == "/problems/author-replayed"
    until_true("it to arrive", lambda: cases.delivery(first.json()["id"], HOUSING)["state"] == "delivered")
    arrived = [e for e in stage.housing.entries() if first.json()["reference"].encode() in e.body and e.effect]
    assert len(arrived) == 1
    cases.http.close()
