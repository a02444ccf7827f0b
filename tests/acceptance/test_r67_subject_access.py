"""R67: what a person may have of what the hub holds is exported, and what is about somebody else stands apart."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.domain.share import Category
from hub.partnership import shipped
from hub.sandbox.instance import allow
from hub.services.carried import carried
from tests.acceptance.caller import Caller
from tests.acceptance.continuing import section
from tests.acceptance.house import House, Troupe, append_to, open_house, until_true
from tests.acceptance.telling import HOUSING, a_share, consent_of

CHILDREN = "childrens-front-door"
THEIRS, WHY = "Zz7Her brother hurt her too.", "Zz7because he lives with them"


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub that also sends to a children's front door, whose system cannot be reached: its parcels wait."""
    with open_house(tmp_path_factory.mktemp("family") / "instance", troupe, edit=_with_children) as house:
        yield house


def _with_children(folder: Path) -> None:
    (folder / "connectors.toml").write_text(allow(["housing", "health-fhir", "childrens-lcs"]), encoding="utf-8")
    example = shipped("config") / "services" / f"{CHILDREN}.toml.example"
    shutil.copy(example, folder / "services" / f"{CHILDREN}.toml")
    append_to(
        folder / "partnerships" / "demo.toml",
        """
[[partners]]
id = "childrens-services"
name = "Children's services"
kind = "public_body"

[partners.champion]
id = "champion-children"
name = "Lee"
email = "champion@children.example"
working_days = ["mon"]
""",
    )
    for name in ("children-client-key.pem", "children-callback"):
        (folder / "secrets" / name).write_text("whsec_" + "c2VjcmV0" * 8, encoding="utf-8")


def export(caller: Caller, share_id: str, query: str = "") -> Any:
    return caller.get(f"/v1/shares/{share_id}/subject-access{query}")


def told_to_both() -> dict[str, Any]:
    """A share for housing and a children's front door, with what is about somebody else ticked for the second."""
    share = a_share(HOUSING)
    share["sections"].append(section("s90", "about_someone_else", THEIRS))
    family = json.loads(json.dumps(consent_of(share, HOUSING)))
    family |= {
        "reference": f"{family['reference']}-f",
        "service": CHILDREN,
        "purpose": "help-for-a-family",
        "facts": {},
    }
    family["categories"] = [*family["categories"], "about_someone_else"]
    family["ticked"] = {"about_someone_else": WHY}
    family["agreed"] |= {"by": "young_person"}
    share["consents"].append(family)
    return share


def test_r67_what_is_about_somebody_else_stands_apart(family: House) -> None:
    # given a share of which one service got what is about somebody else, and one did not
    share = told_to_both()
    receipt = family.cases.send(share)
    assert {each["service"] for each in receipt["deliveries"]} == {HOUSING, CHILDREN}
    # when the sender exports it for the person
    made = export(family.cases, receipt["id"]).json()
    person, apart = made["about_the_person"], made["about_somebody_else"]
    # then the person's part has each document but for that, and nothing of somebody else, nor why it was ticked
    sent = {each["service"]: each for each in person["sent"]}
    assert set(sent) == {HOUSING, CHILDREN}
    assert "Zz7" not in json.dumps(person)
    words = next(each["text"] for each in share["sections"] if each["category"] == "in_their_words")
    assert all(words in str(json.loads(each["document"])) for each in sent.values())
    assert "about_someone_else" not in json.dumps(sent[CHILDREN]["told"])
    # and the other part has just those words, why they were ticked, and whom it was for
    assert {each["service"] for each in apart} == {CHILDREN}
    assert [each["sections"][0]["text"] for each in apart if "sections" in each] == [THEIRS]
    assert [each["ticked_because"] for each in apart if "ticked_because" in each] == [WHY]
    # and it says first to look before it is given to anyone
    assert made["look_first"][0] == "Read this before you give it to anyone."


def test_r67_the_document_of_the_others_is_the_very_one_that_went(family: House) -> None:
    # given the same share
    share = told_to_both()
    shown = family.cases.post("/v1/shares/preview", share).json()["deliveries"]
    receipt = family.cases.send(share)
    sent = {each["service"]: each for each in export(family.cases, receipt["id"]).json()["about_the_person"]["sent"]}
    whole = {each["service"]: json.loads(each["parcel"]) for each in shown}
    kept = {service: json.loads(each["document"]) for service, each in sent.items()}
    # then housing's is as it was previewed, and the children's team's lacks one thing alone
    assert THEIRS in json.dumps(whole[CHILDREN])
    del whole[CHILDREN]["aboutSomeoneElse"]
    for service, document in whole.items():
        assert _bare(kept[service]) == _bare(document)


def _bare(document: Any) -> Any:
    """A document without what is drawn anew for each share: its reference and keys."""
    if isinstance(document, dict):
        return {name: _bare(each) for name, each in document.items() if name.lower() not in _DRAWN}
    return [_bare(each) for each in document] if isinstance(document, list) else document


_DRAWN = {"reference", "referencenumber", "sharereference", "idempotencykey", "id", "key"}


def test_r67_what_was_agreed_and_what_came_back_is_the_persons(family: House) -> None:
    # given a share that housing answered
    receipt = family.cases.send(a_share(HOUSING))
    until_true("it to arrive", lambda: family.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    family.say(receipt, HOUSING, status="ACCEPTED", owner="Jo of the duty desk")
    until_true("the answer", lambda: family.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    # when it is exported
    person = export(family.cases, receipt["id"]).json()["about_the_person"]
    # then it has both, as its sender may read them
    (agreed,) = person["agreed"]
    assert (agreed["service"], agreed["state"], agreed["terms"]["purpose"]) == (
        HOUSING,
        "given",
        "find-somewhere-to-live",
    )
    (back,) = person["came_back"]
    assert [each["owner"] for each in back["answers"]] == ["Jo of the duty desk"]


def test_r21_what_is_not_to_be_told_yet_is_in_neither_part(family: House) -> None:
    receipt = family.cases.send(a_share(HOUSING))
    until_true("it to arrive", lambda: family.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    family.say(receipt, HOUSING, status="ACCEPTED", owner="Zz8 of the duty desk", doNotTellYet=True)
    arrived = "SELECT 1 FROM deliveries WHERE share_id = :share AND answer_state = 'accepted'"
    until_true("the answer", lambda: family.rows(arrived, share=receipt["id"]))
    made = export(family.cases, receipt["id"])
    assert made.json()["about_the_person"]["came_back"] == []
    assert "Zz8" not in made.text


def test_r06_r67_nobody_elses_is_found_and_every_export_is_written_down(family: House) -> None:
    share = a_share(HOUSING)
    receipt = family.cases.send(share)
    read = "SELECT count(*) AS n FROM audit_events WHERE action = 'subject_access.read' AND share_id = :share"
    # when another partner asks, or one who is another's trusted person, then it is as if there were none
    theirs, none = export(family.other, receipt["id"]), export(family.other, "0" * 32)
    assert (theirs.status_code, theirs.content) == (404, none.content)
    assert export(family.cases, receipt["id"], "?trusted_person=somebody-else").status_code == 404
    assert family.rows(read, share=receipt["id"])[0]["n"] == 0
    # when its sender asks, then that is written down
    assert export(family.cases, receipt["id"]).status_code == 200
    assert family.rows(read, share=receipt["id"])[0]["n"] == 1


def test_r67_of_what_waits_there_is_nothing_but_the_words(family: House) -> None:
    held = a_share(HOUSING, choice={"discussed_with": "", "nothing_suggests_unsafe": False})
    made = export(family.cases, family.cases.send(held)["id"]).json()
    assert made["words"]
    assert (made["about_the_person"], made["about_somebody_else"]) == ({}, [])


def test_r67_the_story_itself_is_kept_beside_a_parcel_only_where_some_is_about_somebody_else() -> None:
    said = {"by": "Sam", "how": "heard_directly", "on": "2026-11-18"}
    one = {str(each): [{"id": "s", "text": "x", "fields": {}, "said": said}] for each in Category}
    assert carried(one)["story"] == one
    del one["about_someone_else"]
    assert carried(one)["story"] == {}
