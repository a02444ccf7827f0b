"""R73: a partner that cannot be called fetches exactly its own parcels, with the same ladder and clocks as a push."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.api import pull
from hub.config import ConfigurationError, load
from hub.correspondents import served_by
from hub.security.assertions import ClientKey
from tests.acceptance.caller import Caller
from tests.acceptance.house import House, append_to, open_house, replace_in, until_true
from tests.acceptance.refusals import refused
from tests.acceptance.telling import HOUSING, TREATMENT, a_share

SUPPORTED = "supported-housing"
KEY = ClientKey.generate()


def _edit(folder: Path) -> None:
    """Let the council's housing team fetch, with a client of its own; supported housing is sent to as before."""
    service = folder / "services" / f"{HOUSING}.toml"
    text = service.read_text(encoding="utf-8")
    head = text[: text.index("allow_addresses")].replace('"duty-to-refer"\n', '"duty-to-refer-pull"\n')
    service.write_text(head.replace('gates = ["duty-to-refer-pull"]', 'gates = ["duty-to-refer"]'), encoding="utf-8")
    append_to(
        folder / "partnerships" / "demo.toml",
        f"""
[[clients]]
id = "council-system"
partner = "city-council"
jwks = "keys-of-partners/council.jwks.json"
scopes = ["pull"]
serves = ["{HOUSING}"]
""",
    )
    (folder / "keys-of-partners" / "council.jwks.json").write_text(KEY.jwks(), encoding="utf-8")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, troupe: Any) -> Iterator[tuple[House, Caller]]:
    with open_house(tmp_path_factory.mktemp("pull") / "instance", troupe, edit=_edit) as house:
        council = Caller(house.url, "council-system", KEY)
        yield house, council
        council.http.close()


def fetch(council: Caller, service: str = HOUSING, **query: Any) -> list[dict[str, Any]]:
    """Fetch what is due."""
    reply = council.http.get(
        "/v1/deliveries",
        params={"service": service} | query,
        headers={"authorization": f"Bearer {council.token()}"},
    )
    found: list[dict[str, Any]] = reply.raise_for_status().json()["deliveries"]
    return found


def levels(house: House, share: str, service: str) -> set[int]:
    """The rungs for which a delivery has clocks."""
    found = house.rows(
        "SELECT level FROM clocks WHERE delivery_id = (SELECT id FROM deliveries WHERE share_id = :share"
        " AND service_id = :service)",
        share=share,
        service=service,
    )
    return {row["level"] for row in found}


def test_r73_a_partner_gets_exactly_its_own_parcels_and_says_that_it_has_them(town: tuple[House, Caller]) -> None:
    # given a share for a team that fetches, and for two that are sent to
    house, council = town
    receipt = house.cases.send(a_share(HOUSING, SUPPORTED, TREATMENT))
    # when its system fetches
    (parcel,) = fetch(council)
    # then that is its own parcel byte for byte, as the preview's rules made it, and a second look finds nothing
    assert parcel["key"] == house.key_of(receipt, HOUSING)
    document = json.loads(base64.b64decode(parcel["content"]))
    assert document["referenceNumber"] == receipt["reference"]
    assert (parcel["kind"], parcel["attempt"]) == ("share", 1)
    assert fetch(council) == []
    # and nothing is proved before it says that it has it
    assert house.cases.delivery(receipt["id"], HOUSING)["state"] == "sending"
    about = f"/v1/deliveries/{parcel['id']}"
    for _ in range(2):  # a system that lost the reply says it again
        reply = council.post(f"{about}/acknowledge", {"attempt": 1, "receipt": "H-77"})
        assert (reply.status_code, reply.json()["level"]) == (200, "L1")
    assert house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered"
    # and every fetch stands in the audit log, committed before it was shown
    read = house.rows("SELECT actor, action FROM audit_events WHERE delivery_id = :id", id=parcel["id"])
    assert {"actor": "client:council-system", "action": "delivery.fetched"} in read


def test_r21_r35_whoever_answers_reads_at_once_what_it_lacks_and_what_was_held_back(
    town: tuple[House, Caller],
) -> None:
    # given a parcel that was fetched, under a consent that lets state, owner and next step return
    house, council = town
    share = a_share(HOUSING) | {"person": {"reference": "P-lacks"}}
    share["consents"][0]["returns"] = ["state", "owner", "next_step"]
    house.cases.send(share)
    (parcel,) = fetch(council)
    about = f"/v1/deliveries/{parcel['id']}"
    council.post(f"{about}/acknowledge", {"attempt": 1})
    # when its service says no, with words that may not return, and without saying who or why
    reply = council.post(f"{about}/answers", {"state": "declined", "text": "Not for us."}, key="lacks-1").json()
    # then the reply names the fields, in code and in words, and asks for none that would be held back
    assert (reply["asked"], reply["held_back"]) == (["owner"], ["text"])
    assert reply["words"].startswith("Thank you for your answer. Please answer again, and say: who has it")
    assert "Not for us" not in reply["words"]


def test_r73_the_ladder_and_the_clocks_are_those_of_a_push(town: tuple[House, Caller]) -> None:
    # given the same share to a team that fetches and to one that is sent to, both delivered
    house, council = town
    receipt = house.cases.send(a_share(HOUSING, SUPPORTED) | {"person": {"reference": "P-ladder"}})
    until_true("the push", lambda: house.cases.delivery(receipt["id"], SUPPORTED)["state"] == "delivered")
    (parcel,) = fetch(council)
    about = f"/v1/deliveries/{parcel['id']}"
    assert council.post(f"{about}/acknowledge", {"attempt": 1, "opened": True}).json()["level"] == "L2"
    assert levels(house, receipt["id"], HOUSING) == levels(house, receipt["id"], SUPPORTED) != set()
    # when the service answers through its own client, twice under one key
    said = {"state": "accepted", "owner": "Duty officer", "next_step": "They ring.", "next_date": "2026-12-01"}
    for _ in range(2):
        assert council.post(f"{about}/answers", said, key="answer-1").status_code == 201
    # then the sender reads it once, and the clock for a decision has stopped
    delivery = house.cases.delivery(receipt["id"], HOUSING)
    assert [each["state"] for each in delivery["answers"]] == ["accepted"]
    assert delivery["answers"][0]["owner"] == "Duty officer"
    open_clocks = house.rows(
        "SELECT level FROM clocks WHERE delivery_id = :id AND state = 'running' AND level < 4", id=parcel["id"]
    )
    assert open_clocks == []


def test_r73_what_is_not_acknowledged_comes_again_under_the_same_key(
    town: tuple[House, Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    # given a system that fetched, and lost what it got
    house, council = town
    house.cases.send(a_share(HOUSING) | {"person": {"reference": "P-lost"}})
    with monkeypatch.context() as patched:
        patched.setattr(pull, "HAS_TO_ACKNOWLEDGE", timedelta(milliseconds=1))
        (lost,) = fetch(council)
    # when its time is over and it fetches again
    house.rounds()
    (again,) = until_true("it to be offered again", lambda: fetch(council))
    # then it is the same parcel under the same key, and only the attempt that is in force can be acknowledged
    assert {name: again[name] for name in ("id", "key", "content")} == {
        name: lost[name] for name in ("id", "key", "content")
    }
    if again["attempt"] != lost["attempt"]:
        late = council.post(f"/v1/deliveries/{lost['id']}/acknowledge", {"attempt": lost["attempt"]})
        refused(late, 409, "fetch-again")
    done = council.post(f"/v1/deliveries/{again['id']}/acknowledge", {"attempt": again["attempt"]})
    assert done.status_code == 200


def test_r73_and_r12_what_was_withdrawn_is_not_to_be_had(town: tuple[House, Caller]) -> None:
    # given a parcel that waits to be fetched, and one that was fetched
    house, council = town
    waits = house.cases.send(a_share(HOUSING) | {"person": {"reference": "P-waits"}})
    house.cases.post(f"/v1/consents/{waits['consent']}/withdraw", {}).raise_for_status()
    # when / then: the first is gone
    assert fetch(council) == []
    had = house.cases.send(a_share(HOUSING) | {"person": {"reference": "P-had"}})
    (parcel,) = fetch(council)
    council.post(f"/v1/deliveries/{parcel['id']}/acknowledge", {"attempt": 1}).raise_for_status()
    house.cases.post(f"/v1/consents/{had['consent']}/withdraw", {}).raise_for_status()
    # and for the second the partner fetches that it is to stop
    (stop,) = until_true("the request to stop", lambda: fetch(council))
    assert stop["kind"] == "please_stop_using"


def test_r73_nobody_else_fetches_and_all_who_may_not_hear_the_same(town: tuple[House, Caller]) -> None:
    # given a parcel that waits
    house, council = town
    receipt = house.cases.send(a_share(HOUSING) | {"person": {"reference": "P-guarded"}})
    delivery = receipt["deliveries"][0]["id"]
    # when its own client asks for another team's, or for one that there is not
    asked = [council.get(f"/v1/deliveries?service={each}") for each in (SUPPORTED, TREATMENT, "nobody", "")]
    # then all sound the same
    assert {(each.status_code, each.content) for each in asked} == {(404, asked[0].content)}
    # and so for a client that serves nobody, by whatever id
    others = house.other.get(f"/v1/deliveries?service={HOUSING}")
    assert (others.status_code, others.content) == (404, asked[0].content)
    refused(house.other.post(f"/v1/deliveries/{delivery}/acknowledge", {"attempt": 1}), 404)
    refused(house.other.post(f"/v1/deliveries/{delivery}/answers", {"state": "accepted"}), 404)
    # and one without the scope may not even ask
    refused(house.cases.get(f"/v1/deliveries?service={HOUSING}"), 403, "scope-missing")
    refused(house.cases.post(f"/v1/deliveries/{delivery}/acknowledge", {"attempt": 1}), 403, "scope-missing")
    # nor may the council's system send shares, or read them
    assert council.get(f"/v1/shares/{receipt['id']}").status_code == 403
    assert [each["key"] for each in fetch(council)] == [house.key_of(receipt, HOUSING)]


@pytest.mark.parametrize(
    ("document", "pointer"),
    [({}, "/attempt"), ({"attempt": 0}, "/attempt"), ({"attempt": 1, "receipt": "a\nb"}, "/receipt")],
)
def test_r73_bad_input_is_told_what_is_wrong(
    town: tuple[House, Caller], document: dict[str, Any], pointer: str
) -> None:
    _, council = town
    reply = council.post(f"/v1/deliveries/{'0' * 32}/acknowledge", document)
    assert reply.status_code in {400, 422}
    assert pointer in reply.text


def test_r73_a_client_serves_its_own_partner_s_services_only(tmp_path: Path, town: tuple[House, Caller]) -> None:
    # given a client that would fetch another partner's parcels
    house, _ = town
    partnership = house.folder / "partnerships" / "demo.toml"
    before = partnership.read_text(encoding="utf-8")
    try:
        replace_in(partnership, f'serves = ["{HOUSING}"]', f'serves = ["{TREATMENT}"]')
        # when / then
        with pytest.raises(ConfigurationError, match="no service of its partner"):
            served_by(load(house.folder))
        partnership.write_text(before.replace('scopes = ["pull"]', 'scopes = ["share"]'), encoding="utf-8")
        with pytest.raises(ConfigurationError, match="pull"):
            served_by(load(house.folder))
    finally:
        partnership.write_text(before, encoding="utf-8")
