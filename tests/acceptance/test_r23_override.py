"""R23: an override exists only where a partnership adopted it, and goes by two people, as far as it says."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from hub import config
from hub.config import ConfigurationError
from hub.partnership import shipped
from hub.safeguarding import OverrideTable
from hub.sandbox import instance
from tests.acceptance.caller import Caller, as_json
from tests.acceptance.house import House, Troupe, append_to, open_house, replace_in, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT, a_share

#: The team that the policy names.
MASH = SUPPORTED
BASIS, ROLE, LEAD = "DPA-2018-Sch1-18", "safeguarding lead", "safeguarding@council.example"
ASKED = {"basis": BASIS, "categories": ["identity", "contact", "housing", "offending", "location"]}
POLICY = f"""
[safeguarding.override]
basis = "{BASIS}"
services = ["{MASH}"]
categories = ["identity", "contact", "housing", "money"]
roles = ["{ROLE}"]
agreed_on = 2026-11-02
assessment = "DPIA-7"
"""
MAPPING = """\
document: without-a-yes
version: 1.0.0
content_type: application/json
template:
  localAuthorityAreaId: E07000008
  referenceNumber: {$: share.reference}
  status: SUBMITTED
  sentWithoutAYes: {$: override.basis}
  person: {name: {$: "section.identity[0].fields.given_name"}}
  contact: {role: {$: trusted_person.contact.role}}
  reason: {code: {$: "first(section.housing[].fields.reason)"}}
  goals: {$?: "section.goal[].text"}
"""
#: A team that may be told without a yes can ask for no fact that only the person can give.
GATE = """\
title = "Adults at risk"

[[preconditions]]
id = "who-may-send"
kind = "referrer"
partner_kinds = ["charity", "public_body", "health"]
title = "This team takes nothing from your organisation."
next_step = "Ring them."
"""
PARTNERSHIP = f"partnerships/{instance.PARTNERSHIP}.toml"


def adopt(folder: Path) -> None:
    """Let the partnership adopt the policy, with a team that is ready for it."""
    replace_in(folder / PARTNERSHIP, "[coordinator]", f"{POLICY}\n[coordinator]")
    (folder / "gates" / "duty-to-refer.toml").write_text(GATE, encoding="utf-8")
    replace_in(folder / "services" / f"{MASH}.toml", 'connector = "duty-to-refer"',
               'connector = "duty-to-refer"\nmapping = "without-a-yes/1.0.0"')  # fmt: skip
    where = folder / "mappings" / "without-a-yes" / "1.0.0"
    where.mkdir(parents=True)
    (where / "mapping.yaml").write_text(MAPPING, encoding="utf-8")


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub whose partnership adopted the policy."""
    with ExitStack() as stack:
        yield stack.enter_context(open_house(tmp_path_factory.mktemp("adopted") / "instance", troupe, edit=adopt))


def without_a_yes(*consented: str, service: str = MASH, **changes: Any) -> dict[str, Any]:
    share = a_share(*consented) if consented else a_share() | {"consents": []}
    return share | {"services": [*consented, service], "at_risk_now": True, "override": ASKED} | changes


def lead_of(house: House, **changes: Any) -> Caller:
    """Another worker of the same partner, in the role that the policy names."""
    return replace(house.cases, **{"worker": "worker-8", "role": ROLE} | changes)


def send(
    house: House, share: dict[str, Any], second: str | None = None, path: str = "/v1/shares", **proofs: str
) -> httpx.Response:
    """Send a share that a second worker signed too, or with another `second` signature, or (empty) with none."""
    raw = as_json(share)
    signed = lead_of(house).proof(raw) if second is None else second
    reply: httpx.Response = house.cases.post(path, raw, {"second-author-assertion": signed} if signed else {}, **proofs)
    return reply


def grown(house: House, before: dict[str, int]) -> set[str]:
    return {name for name, count in house.settled().items() if count != before[name]}


def reasons(reply: httpx.Response) -> list[str]:
    return [each["type"] for each in reply.json()["refused"]]


def test_r23_override_does_not_exist_unless_it_is_adopted(house: House) -> None:
    # given a partnership that adopted nothing / when two people ask for an override, and nobody does
    before = house.settled()
    asked = send(house, without_a_yes())
    share = without_a_yes()
    del share["override"]
    plain = send(house, share, second="")
    # then both are answered in the very same bytes: this is not the route, and whom to ring
    assert (asked.status_code, asked.content) == (403, plain.content)
    assert asked.json()["type"] == "/problems/safeguarding-route"
    assert reasons(asked) == ["consent-absent"]
    # and nothing is kept but that it was refused
    assert grown(house, before) <= {"audit_events", "tallies"}
    assert house.rows("SELECT id FROM audit_events WHERE action LIKE 'safeguarding.%'") == []


def test_r23_override_is_off_in_all_that_ships(house: House) -> None:
    # given the configuration that ships, and the demo's / when they are read, then none adopts it
    for file in (shipped("config") / "partnerships").glob("*.toml"):
        assert not any(line.startswith("[safeguarding.override") for line in file.read_text("utf-8").splitlines())
    assert house.hub.directory.safeguarding is not None
    assert house.hub.directory.override is None


def test_r23_override_as_the_example_shows_it_is_a_policy() -> None:
    # given the policy that ships as an example, which nothing reads where it is / when it is read
    shown = tomllib.loads((shipped("config") / "partnerships" / "override.toml.example").read_text("utf-8"))
    table = OverrideTable.model_validate(shown["safeguarding"]["override"])
    # then it is one that a partnership could adopt
    assert (table.services, table.location_ok) == (("adult-mash",), False)


def test_r23_override_goes_to_the_named_team_as_far_as_agreed_and_the_contact_hears(adopted: House) -> None:
    # given someone at risk who did not agree / when two people ask
    share = without_a_yes()
    shown = send(adopted, share, path="/v1/shares/preview").json()
    reply = send(adopted, share)
    receipt = reply.json()
    # then it goes, whom to ring stands first all the same, and the receipt calls it no consent
    assert reply.status_code == 202, reply.text
    assert next(iter(receipt)) == "safeguarding"
    (delivery,) = receipt["deliveries"]
    assert (delivery["service"], delivery["override"]) == (MASH, BASIS)
    assert "consent" not in delivery
    # and the team got what was asked, agreed and fit for it, and hears that nobody gave a yes
    adopted.settled()
    key = adopted.key_of(receipt, MASH)
    (entry,) = [each for each in adopted.troupe.supported.entries() if each.key == key]
    got = json.loads(entry.body)
    assert got["sentWithoutAYes"] == BASIS
    assert "goals" not in got
    assert set(shown["deliveries"][0]["sections"]) == {
        each["id"] for each in share["sections"] if each.get("category") in {"identity", "contact", "housing"}
    }
    # and the contact is told at once, with nothing of anyone
    (mail,) = until_true("the mail", lambda: adopted.mails(receipt, LEAD), seconds=10)
    assert mail["subject"].startswith("Sent without a yes: ")
    # and the rows say what it was
    rows = adopted.rows("SELECT state, returns FROM consents WHERE share_id = :id", id=receipt["id"])
    assert [(each["state"], each["returns"]) for each in rows] == [("overridden", "[]")]
    told = adopted.rows("SELECT action, detail FROM audit_events WHERE share_id = :id", id=receipt["id"])
    said = {each["action"]: json.loads(each["detail"]) for each in told if each["action"].startswith("safeguarding.")}
    assert set(said) == {"safeguarding.override_asked", "safeguarding.override_used"}
    used = said["safeguarding.override_used"]
    assert (used["basis"], used["second_role"]) == (BASIS, "safeguarding-lead")
    assert used["author"] != used["second_author"]
    assert "worker-8" not in json.dumps(said)


def test_r23_override_answers_with_the_state_alone_and_lets_nothing_follow(adopted: House) -> None:
    # given what went without a yes, and its team's answer
    receipt = send(adopted, without_a_yes()).json()
    adopted.settled()
    said = {
        "status": "ACCEPTED",
        "outcomeReason": "PREVENTION_AND_RELIEF_DUTY",
        "owner": "Jo",
        "outcomeNote": "We know",
    }
    assert adopted.say(receipt, MASH, **said).status_code == 202
    accepted = until_true(
        "the answer", lambda: (seen := adopted.cases.delivery(receipt["id"], MASH))["answer"] == "accepted" and seen
    )
    # then only that it was accepted comes back
    assert "Jo" not in json.dumps(accepted)
    assert "We know" not in json.dumps(accepted)
    # and a later fact does not go that way
    section = {"id": "s99", "category": "identity", "fields": {"given_name": "Sam"}}
    later = adopted.cases.post(f"/v1/shares/{receipt['id']}/addenda", {"sections": [section]})
    assert later.status_code == 403
    assert reasons(later) == ["consent-absent"]


def test_r23_override_stands_beside_a_consent_and_ends_by_the_same_call(adopted: House) -> None:
    # given a share with a yes for one service and none for the team
    receipt = send(adopted, without_a_yes(TREATMENT)).json()
    kinds = {each["service"]: "consent" in each for each in receipt["deliveries"]}
    assert kinds == {TREATMENT: True, MASH: False}
    # when it is stopped
    stopped = adopted.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {})
    assert stopped.status_code == 200
    # then neither lives any more
    rows = adopted.rows("SELECT state FROM consents WHERE share_id = :id", id=receipt["id"])
    assert [each["state"] for each in rows] == ["withdrawn", "withdrawn"]


def test_r23_override_is_exported_as_no_consent(adopted: House) -> None:
    # given a share with a yes for one service, and none for another, before and after it is stopped
    receipt = send(adopted, without_a_yes(TREATMENT)).json()
    adopted.settled()
    for stop in (False, True):
        if stop:
            adopted.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {"services": [MASH]})
        # when its record is exported
        shown = adopted.cases.get(f"/v1/consents/{receipt['consent']}").json()
        # then what went without a yes stands apart, by its basis, with no terms
        assert [each["service"] for each in shown["consents"]] == [TREATMENT]
        (one,) = shown["overrides"]
        assert (one["service"], one["override"], "terms" in one) == (MASH, BASIS, False)
        assert one["state"] == ("withdrawn" if stop else "overridden")
        assert one["events"][0]["state"] == "overridden"
        # and FHIR is told of consents alone
        headers = {"authorization": f"Bearer {adopted.cases.token()}", "accept": "application/fhir+json"}
        bundle = adopted.cases.http.get(f"/v1/consents/{receipt['consent']}", headers=headers).json()
        assert len(bundle["entry"]) == 1
        assert MASH not in json.dumps(bundle)


def test_r23_override_again_by_the_same_key_is_answered_the_same_and_used_once(adopted: House) -> None:
    share = without_a_yes()
    first = send(adopted, share, key="override-once")
    again = send(adopted, share, key="override-once")
    # a repeat that nobody else signed is the same request still
    alone = send(adopted, share, second="", key="override-once")
    assert (first.status_code, again.content, alone.content) == (202, first.content, first.content)
    used = adopted.rows(
        "SELECT id FROM audit_events WHERE action = 'safeguarding.override_used' AND share_id = :id",
        id=first.json()["id"],
    )
    assert len(used) == 1


#: By what is wrong: how the share is changed, and the reason that is given.
WRONG_SHARES: dict[str, tuple[dict[str, Any], str]] = {
    "another reason": ({"override": ASKED | {"basis": "DPA-2018-Sch1-1"}}, "override-basis"),
    "nothing that may go": ({"override": ASKED | {"categories": ["goal"]}}, "override-covers-nothing"),
    "no category": ({"override": ASKED | {"categories": []}}, "override-covers-nothing"),
    "nothing to send": ({"override": ASKED | {"categories": ["money"]}}, "override-covers-nothing"),
    "not enough for the document": ({"override": ASKED | {"categories": ["identity"]}}, "override-not-taken"),
    "nobody at risk": ({"at_risk_now": False}, "override-not-at-risk"),
    "a choice that nobody looked at": (
        {"choice": {"discussed_with": "outreach", "nothing_suggests_unsafe": False}},
        "override-look-first",
    ),
    "another team": ({"services": [HOUSING]}, "consent-absent"),
    "a team that is not there": ({"services": ["nowhere"]}, "service-unknown"),
}


@pytest.mark.parametrize("what", WRONG_SHARES)
def test_r23_override_asked_for_wrongly_is_refused_with_nothing_kept(adopted: House, what: str) -> None:
    # given a share that asks for what the policy does not let go
    changes, why = WRONG_SHARES[what]
    before = adopted.settled()
    # when two people send it
    reply = send(adopted, without_a_yes(**changes))
    # then it is refused with the reason, and nothing of it is kept
    assert reply.status_code == 403
    assert reasons(reply) == [why]
    assert reply.json()["type"] == f"/problems/{'nothing-may-go' if what == 'nobody at risk' else 'safeguarding-route'}"
    assert grown(adopted, before) <= {"audit_events", "tallies"}


Sign = Callable[[House, bytes], str]
#: By what is wrong: how the second signature is made.
WRONG_SECONDS: dict[str, Sign] = {
    "missing": lambda *_: "",
    "no signature": lambda *_: "not-a-token",
    "the same person": lambda house, raw: lead_of(house, worker=house.cases.worker).proof(raw),
    "another role": lambda house, raw: lead_of(house, role="key worker").proof(raw),
    "another body": lambda house, raw: lead_of(house).proof(raw + b" "),
    "too old": lambda house, raw: lead_of(house).proof(raw, at=datetime.now(UTC) - timedelta(hours=1)),
    "another partner's worker": lambda house, raw: replace(house.other, worker="worker-8", role=ROLE).proof(raw),
}


@pytest.mark.parametrize("what", WRONG_SECONDS)
def test_r23_override_without_a_second_person_is_refused_with_nothing_kept(adopted: House, what: str) -> None:
    # given a good share, and a second signature that is not one
    share = without_a_yes()
    before = adopted.settled()
    # when it is sent
    reply = send(adopted, share, second=WRONG_SECONDS[what](adopted, as_json(share)))
    # then whom to ring comes back, with the reason, and all that is kept is who asked
    assert reply.status_code == 403
    assert reply.json()["type"] == "/problems/safeguarding-route"
    assert reasons(reply) == ["override-second-person"]
    assert reply.json()["safeguarding"]["ring"]
    assert grown(adopted, before) <= {"audit_events", "tallies"}
    (asked,) = adopted.rows(
        "SELECT share_id, detail FROM audit_events WHERE action = 'safeguarding.override_asked'"
        " ORDER BY id DESC LIMIT 1"
    )
    assert asked["share_id"] is None
    assert json.loads(asked["detail"])["refusals"] == ["override-second-person"]


def test_r23_override_signature_works_once(adopted: House) -> None:
    # given a second signature that was used
    share = without_a_yes()
    signed = lead_of(adopted).proof(as_json(share))
    assert send(adopted, share, second=signed).status_code == 202
    before = adopted.settled()
    # when it comes again with a new request, then it is refused as a replay, and nothing is kept
    assert send(adopted, share, second=signed).status_code == 401
    assert grown(adopted, before) == set()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (f'basis = "{BASIS}"\n', "", "basis"),
        (f'roles = ["{ROLE}"]\n', "", "roles"),
        (f'roles = ["{ROLE}"]', "roles = []", "roles"),
        (f'services = ["{MASH}"]', "services = []", "services"),
        (f'services = ["{MASH}"]', 'services = ["nowhere"]', "nowhere is not there"),
        ('"money"]', '"about_someone_else"]', "need a yes"),
        ('"money"]', '"offending"]', "need a yes"),
        ('"money"]', '"location"]', "location_ok"),
        ("agreed_on = 2026-11-02\n", "", "agreed_on"),
        ('assessment = "DPIA-7"\n', "", "assessment"),
    ],
)
def test_r23_override_half_adopted_does_not_start(tmp_path: Path, house: House, old: str, new: str, says: str) -> None:
    # given a policy that leaves out what it must say, or says what none may
    assert old in POLICY
    for name in ("hub.toml", "connectors.toml", PARTNERSHIP, f"services/{MASH}.toml", "gates/duty-to-refer.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((house.folder / name).read_bytes())
    append_to(tmp_path / PARTNERSHIP, POLICY.replace(old, new))
    # when the instance is read, then it says what is wrong
    with pytest.raises(ConfigurationError) as refused:
        config.load(tmp_path)
    assert "safeguarding.override" in str(refused.value)
    assert says in str(refused.value)
