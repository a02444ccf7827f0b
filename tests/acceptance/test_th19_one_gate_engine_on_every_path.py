"""TH19, R28: no path leads round a gate, and who may not refer is told the same of every child."""

from __future__ import annotations

import itertools
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi.routing import APIRoute

from hub.domain.precondition import Precondition
from hub.partnership import shipped
from hub.security.assertions import ClientKey
from tests.acceptance.caller import Caller
from tests.acceptance.house import House
from tests.acceptance.referring import (
    CASE_HOLDER,
    NEVER,
    PANEL,
    TR,
    add_childrens_services,
    for_service,
    gate_services,
    refused_of,
)
from tests.acceptance.refusals import heard
from tests.acceptance.telling import TREATMENT, a_share
from tests.gating import TR_FACTS

#: Every way in that changes anything, by method and path. A way that can lead to a delivery to a service must be tried
#: below, in `PATHS`; of any other it is said here why it cannot. A new route fails this test until it stands here.
NO_NEW_DELIVERY = {
    "POST /oauth/token": "gives a token",
    "POST /v1/shares/{share_id}/person-told": "says that the person was told: nothing is sent by it",
    "POST /v1/shares/{share_id}/death": "stops everything",
    "POST /v1/shares/{share_id}/pauses": "says only not to rely on a statement, to those who have it",
    "POST /v1/shares/{share_id}/replies": "answers a question; decided where an addendum is, below",
    "POST /v1/shares/{share_id}/replies/preview": "as the reply itself",
    "PUT /v1/trusted-people/{reference}": "says whom a person chose: nothing is sent by it",
    "POST /v1/callbacks/{connection_id}": "a partner's answer: a receiver never sends on through the hub",
    "POST /fhir/R4/$process-message": "a partner's answer, found by the message it responds to",
    "POST /v1/consents/{record_id}/withdraw": "only asks those who have it already to stop using it",
    "POST /answer/{link}": "opens what a team may see, once it gives its code",
    "POST /answer/{link}/say": "a team's answer: a receiver never sends on through the hub",
    "POST /answer/{link}/renew": "sends the team a new link to what it was invited to already",
    "POST /answer/{link}/forward": "sends the same team a link to what it has already, at a mailbox of its own",
    "POST /answer/{link}/leave": "forgets the device",
    "POST /answer/{link}/end": "ends the link",
    "POST /v1/deliveries/{delivery_id}/heard": "only copies what was heard to the service that said it",
    "POST /v1/deliveries/{delivery_id}/helped": "thanks a team by e-mail, without a word of anybody",
    "POST /v1/deliveries/{delivery_id}/acknowledge": "says that a partner has what it fetched",
    "POST /v1/deliveries/{delivery_id}/answers": "a partner's answer: a receiver never sends on through the hub",
    "POST /v1/please-ring-me": "asks a person to ring: no service is sent anything",
    "POST /v1/gaps": "tells a person that nobody can act: no service is sent anything",
    "POST /v1/safety-lane": "asks a person to ring: no service is sent anything",
    "POST /rings/{ring_id}/{proof}": "says that somebody rings",
    "POST /demo/business-time": "moves the demo's clock",
    "PUT /v1/trusted-people/{reference}/away": "says that somebody is away: nothing is sent by it",
    "DELETE /v1/trusted-people/{reference}/away": "says that somebody is back",
    "PUT /v1/trusted-people/{reference}/leaving": "says when somebody leaves: nothing is sent by it",
    "DELETE /v1/trusted-people/{reference}/leaving": "says that somebody stays",
    "POST /v1/shares/{share_id}/cover": "says whom a person chose to read the answers: no service is sent anything",
    "POST /console/alerts/{alert_id}/{act}": "sends again only what was decided, and puts a choice to its sender",
    "POST /console/barriers/found": "writes down a barrier, of nobody",
    "POST /console/barriers/{barrier_id}/move": "moves a barrier on",
    "POST /console/cover/days-off": "says when a champion is away",
    "POST /console/cover/days-off/drop": "says that a champion is there after all",
    "POST /console/password/{link}": "sets a password",
    "POST /console/sign-in": "signs somebody in",
    "POST /console/sign-out": "signs somebody out",
    "POST /mail/{token}": "chooses how often somebody gets mail",
}


def submit(caller: Caller, share: dict[str, Any]) -> Any:
    """Send a share."""
    return caller.post("/v1/shares", share)


def preview(caller: Caller, share: dict[str, Any]) -> Any:
    """Look at what would go."""
    return caller.post("/v1/shares/preview", share)


def _through_another(share: dict[str, Any]) -> dict[str, Any]:
    """The share as somebody else tells it, so that what it asks for is open through nobody (R32)."""
    return share | {"trusted_person": share["trusted_person"] | {"reference": f"tp-{secrets.token_hex(4)}"}}


def redirect(caller: Caller, share: dict[str, Any]) -> Any:
    """Send on what another service answered with this one's name."""
    first = _through_another(a_share(TREATMENT, person=share["person"]))
    delivery = caller.send(first)["deliveries"][0]["id"]
    said = caller.post(f"/v1/deliveries/{delivery}/heard", heard(state="redirect_suggested"))
    assert said.status_code == 201, said.text
    return caller.post("/v1/shares", share | {"redirected_from": delivery})


def beside_another(caller: Caller, share: dict[str, Any]) -> Any:
    """Send it beside a service that may have it."""
    open_too = a_share(TREATMENT)["consents"]
    return caller.post("/v1/shares", _through_another(share) | {"consents": [*open_too, *share["consents"]]})


def release(caller: Caller, share: dict[str, Any]) -> Any:
    """Send it beside a service that may have it, so that it is held, and let it go once a champion looked at it too."""
    both = _through_another(share) | {"consents": [*a_share(TREATMENT)["consents"], *share["consents"]]}
    held = caller.post("/v1/shares", both | {"choice": {"discussed_with": "", "nothing_suggests_unsafe": False}})
    assert held.status_code == 202, held.text
    said = {"discussed_with": "the champion", "nothing_suggests_unsafe": True}
    return caller.post(f"/v1/shares/{held.json()['id']}/choice", said)


#: Each way in that may lead to a delivery, as a route and a way to try it.
PATHS: dict[str, tuple[str, Callable[[Caller, dict[str, Any]], Any]]] = {
    "submit": ("POST /v1/shares", submit),
    "redirect": ("POST /v1/shares", redirect),
    "beside another": ("POST /v1/shares", beside_another),
    "preview": ("POST /v1/shares/preview", preview),
    "release": ("POST /v1/shares/{share_id}/choice", release),
}

#: What follows an accepted share, and is decided anew; a correction still says not to rely on what it corrects.
FOLLOWING: dict[str, dict[str, Any]] = {
    "POST /v1/shares/{share_id}/addenda": {},
    "POST /v1/shares/{share_id}/addenda/preview": {},
    "POST /v1/shares/{share_id}/corrections": {"corrects": "s1"},
    "POST /v1/shares/{share_id}/corrections/preview": {"corrects": "s1"},
}

#: What breaks each kind of precondition: the service, the facts, and the gate that then refuses.
BREAKS: dict[str, tuple[str, dict[str, Any], str]] = {
    "Age": (TR, {"birth_date": "2000-01-01"}, "gate-age"),
    "OneOf": (TR, {"risk_status": "None"}, "gate-risk-status"),
    "Dated": (TR, {"open_on": ""}, "gate-open-to-children-and-families"),
    "Steps": (TR, {"suggested_on": ""}, "gate-pathway-order"),
    "Pattern": (TR, {"cera_reference": "all that it says"}, "gate-cera-reference"),
    "Equals": (PANEL, {"wants_it": False}, "gate-wants-it"),
    "Cohort": (PANEL, {"wants_it": True}, "gate-three-of-five"),
    "NeverDirect": (NEVER, {}, "gate-never-direct"),
}


def test_th19_every_way_in_is_a_path_of_the_matrix_or_says_why_not(gated: tuple[House, Caller]) -> None:
    # given every route of the running hub that can change something
    from hub.api.app import create_app

    included = [each.original_router for each in create_app(gated[0].hub).routes if hasattr(each, "original_router")]
    found = {
        f"{method} {route.path}"
        for router in included
        for route in router.routes
        if isinstance(route, APIRoute)
        for method in route.methods - {"GET", "HEAD"}
    }
    tried = {route for route, _ in PATHS.values()} | set(FOLLOWING)

    # then each is tried against every gate, or cannot lead to a delivery
    assert found - tried - set(NO_NEW_DELIVERY) == set(), "add it to PATHS, or say why it cannot"
    assert tried | set(NO_NEW_DELIVERY) <= found, "this route is gone"


def test_th19_every_kind_of_precondition_is_in_the_matrix() -> None:
    kinds = {each.__name__ for each in get_args(Precondition)}
    assert kinds - set(BREAKS) == {"Referrer"}  # the referrer's own tests are below, on every path too


@pytest.mark.parametrize(("path", "kind"), list(itertools.product(PATHS, BREAKS)))
def test_th19_each_gate_holds_on_each_path(gated: tuple[House, Caller], path: str, kind: str) -> None:
    # given the one partner that may refer, and a share that breaks one precondition
    house, children = gated
    service, facts, gate = BREAKS[kind]
    share = for_service(service, **facts)

    # when it comes that way
    reply = PATHS[path][1](children, share)

    # then that service is refused by that gate, with its words, and gets nothing
    assert gate in [each["type"] for each in refused_of(reply, service)]
    assert all(each["title"] and each["next_step"] for each in refused_of(reply, service))
    assert house.rows("SELECT 1 FROM deliveries WHERE service_id = :service", service=service) == []


@pytest.mark.parametrize("route", FOLLOWING)
def test_th19_what_follows_a_share_is_decided_by_the_same_gates(new_house: Any, route: str) -> None:
    # given a referral that its case-holder made, of a child who will be 18 in ten days
    key = ClientKey.generate()
    house = new_house(edit=lambda folder: gate_services(folder, key))
    holder = Caller(house.url, "childrens-cases", key, role=CASE_HOLDER)
    worker = Caller(house.url, "childrens-cases", key, role="duty social worker")
    share = for_service(TR, birth_date="2008-11-30")
    sent = holder.send(share)
    said = {"sections": [{"id": "s90", "category": "goal", "text": "Zz9Canary", "words_checked": True}]}
    path = route.removeprefix("POST ").replace("{share_id}", sent["id"])

    # when a worker who may not refer tells more, and the case-holder does after the birthday
    by_worker = worker.post(path, said | FOLLOWING[route])
    house.at(datetime(2026, 11, 30, 0, 1, tzinfo=UTC))
    too_late = holder.post(path, said | FOLLOWING[route])

    # then neither goes, each for its own gate
    for reply, gate in ((by_worker, "gate-referrer"), (too_late, "gate-age")):
        assert [each["type"] for each in reply.json()["refused"]] == [gate]
        assert "Zz9Canary" not in reply.text
    holder.http.close()
    worker.http.close()


def test_r28_the_case_holder_passes_and_the_parcel_holds_no_fact_of_the_gate(gated: tuple[House, Caller]) -> None:
    # given a referral with everything in place, when it is previewed
    asserted = TR_FACTS | {"agreed_on": "2026-11-17"}
    reply = preview(gated[1], for_service(TR, **asserted))

    # then it would go, without anything of what the gate asked for, that the document does not name
    assert reply.status_code == 200, reply.text
    (delivery,) = reply.json()["deliveries"]
    assert delivery["service"] == TR
    assert not [value for value in asserted.values() if value in delivery["parcel"]]


@pytest.mark.parametrize("path", PATHS)
def test_r28_who_may_not_refer_is_told_the_same_of_every_child(gated: tuple[House, Caller], path: str) -> None:
    # given a charity, and a worker of children's services who is no case-holder
    house, children = gated
    social_worker = Caller(house.url, "childrens-cases", children.key, role="duty social worker")

    for outsider in (house.cases, social_worker):
        # when it sends shares that differ in everything it asserts of the child, and in what was agreed
        shares = [for_service(TR), for_service(TR, birth_date="1950-01-01"), for_service(TR), for_service(TR)]
        shares[2]["consents"][0] |= {"facts": {}, "until": "2026-11-19", "purpose": "something-else"}
        shares[3]["three_of_five"], shares[3]["person"] = "no", {"reference": "P-other"}
        replies = [PATHS[path][1](outsider, share) for share in shares]

        # then the refusal is the very same, is the referrer's gate, and says where to go instead
        told = [refused_of(reply, TR) for reply in replies]
        assert all(each == told[0] for each in told)
        (only,) = told[0]
        assert only["type"] == "gate-referrer"
        assert "safeguarding referral" in only["next_step"]
        assert only["pointer"] == ""
        if path in ("submit", "redirect"):
            assert {reply.status_code for reply in replies} == {403}
            assert len({reply.content for reply in replies}) == 1
    social_worker.http.close()


def test_r26_r27_what_the_sender_can_complete_is_422_and_names_the_gate(gated: tuple[House, Caller]) -> None:
    reply = submit(gated[1], for_service(TR, risk_status="None", suggested_on=""))
    assert reply.status_code == 422
    assert [each["type"] for each in reply.json()["refused"]] == ["gate-risk-status", "gate-pathway-order"]
    assert "suggested" in reply.json()["refused"][1]["next_step"]


def test_r29_it_ships_turned_off_and_then_has_no_route(new_house: Any) -> None:
    # given the example as it ships
    example = (shipped("config") / "services" / f"{TR}.toml.example").read_text(encoding="utf-8")
    key = ClientKey.generate()

    def edit(folder: Path) -> None:
        add_childrens_services(folder, key)
        (folder / "gates" / f"{TR}.toml").write_text((shipped("config") / "gates" / f"{TR}.toml").read_text())
        (folder / "services" / f"{TR}.toml").write_text(example)

    house = new_house(edit=edit)
    children = Caller(house.url, "childrens-cases", key, role=CASE_HOLDER)

    # when its own case-holder sends to it, then there is no such service, and it is in no list
    reply = submit(children, for_service(TR))
    assert reply.status_code == 403
    assert [each["type"] for each in reply.json()["refused"]] == ["service-unknown"]
    assert TR not in [each["id"] for each in children.get("/v1/services").json()["services"]]
    children.http.close()


def test_r25_each_block_is_counted_by_gate_and_service_and_never_by_person(gated: tuple[House, Caller]) -> None:
    # given what was counted so far
    house, children = gated

    def counted() -> dict[tuple[str, str], int]:
        found = house.rows("SELECT name, service_id, sum(number) AS n FROM tallies WHERE what = 'gate' GROUP BY 1, 2")
        return {(each["name"], each["service_id"]): each["n"] for each in found}

    before = counted()

    # when one share is blocked by two gates, a second is looked at only, and a third is sent by an outsider
    submit(children, for_service(TR, risk_status="None", birth_date="1950-01-01"))
    preview(children, for_service(TR, risk_status="None"))
    submit(house.cases, for_service(TR))

    # then each block that was sent counts once, and nothing in the table could name anybody
    gates = ("gate-age", "gate-risk-status", "gate-referrer")
    assert {gate: counted().get((gate, TR), 0) - before.get((gate, TR), 0) for gate in gates} == dict.fromkeys(gates, 1)
    (row,) = house.rows("SELECT * FROM tallies WHERE name = 'gate-age' AND service_id = :service", service=TR)
    assert set(row) == {"day", "what", "name", "service_id", "number"}

    # and the operator's figures say the same
    from prometheus_client import CollectorRegistry, generate_latest

    from hub.api.metrics import StateCollector

    registry = CollectorRegistry()
    registry.register(StateCollector(house.hub))
    page = generate_latest(registry).decode()
    assert f'hub_gate_blocks_total{{gate="gate-age",service="{TR}"}} {float(counted()["gate-age", TR])}' in page
