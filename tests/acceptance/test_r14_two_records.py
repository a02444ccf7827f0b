"""R14: consent and lawful basis are two records; a service without an agreement, or its codes, has no route."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hub import config, partnership
from hub.bootstrap import find_plugins
from hub.domain.route import LawfulBasis
from hub.domain.share import Category
from tests.acceptance.house import House, replace_in
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of

Edit = Callable[[str], str]
FILE = f"{TREATMENT}.toml"


def _without(pattern: str) -> Edit:
    def edit(text: str) -> str:
        less = re.sub(pattern, "", text, flags=re.DOTALL | re.MULTILINE)
        assert less != text
        return less

    return edit


#: What is left out of a service's file, and the key that is named.
MISSING: dict[str, tuple[Edit, str]] = {
    "agreement": (_without(r"^\[agreement\].*?(?=^\[connection\])"), "agreement"),
    "reference": (_without(r"^reference = .*?$"), "agreement.reference"),
    "assessment": (_without(r"^assessment = .*?$"), "agreement.assessment"),
    "agreed_on": (_without(r"^agreed_on = .*?$"), "agreement.agreed_on"),
    "sender": (_without(r"^sender = .*?$"), "agreement.sender"),
    "receiver": (_without(r"^receiver = .*?$"), "agreement.receiver"),
    "sender article 6": (lambda text: text.replace('article_6 = "6(1)(a)", ', ""), "agreement.sender.article_6"),
    "receiver article 9": (lambda text: text.replace(', article_9 = "9(2)(g)"', ""), "agreement.receiver.article_9"),
    "duties": (_without(r"^duties = .*?$"), "agreement.duties"),
}


def _enable(folder: Path) -> None:
    configuration = config.load(folder)
    partnership.enable(configuration, find_plugins(configuration))


@pytest.mark.parametrize("what", MISSING)
def test_r14_a_service_without_its_agreement_cannot_be_enabled(house: House, tmp_path: Path, what: str) -> None:
    # given an instance of which one service's file lacks something of its agreement
    folder = tmp_path / "instance"
    shutil.copytree(house.folder, folder, ignore=shutil.ignore_patterns("data"))
    edit, key = MISSING[what]
    file = folder / "services" / FILE
    file.write_text(edit(file.read_text(encoding="utf-8")), encoding="utf-8")
    # when it is read and its services enabled, then it is refused by file and key
    with pytest.raises(config.ConfigurationError) as refused:
        _enable(folder)
    assert FILE in str(refused.value)
    assert key in str(refused.value)


@pytest.mark.parametrize(
    ("category", "lacking"),
    [
        (Category.HOUSING, ()),
        (Category.MENTAL_HEALTH, ("article_9",)),
        (Category.PHYSICAL_HEALTH, ("article_9",)),
        (Category.SUBSTANCE_USE, ("article_9",)),
        (Category.OFFENDING, ("article_10",)),
    ],
)
def test_r14_health_and_offending_ask_for_a_code_of_their_own(category: Category, lacking: tuple[str, ...]) -> None:
    # given a basis of the first article alone, and one that is whole; when each is to carry a category
    bare, whole = LawfulBasis("6(1)(e)"), LawfulBasis("6(1)(e)", "9(2)(g)", "DPA-2018-Sch1-10")
    # then the first lacks what the law asks for
    assert bare.lacks({Category.IDENTITY, category}) == lacking
    assert whole.lacks({Category.IDENTITY, category}) == ()


def test_r14_without_an_agreement_there_is_no_route(house: House) -> None:
    # given the partnership as it is configured, and one service whose agreement is taken away
    known = house.hub.directory
    assert known.route(TREATMENT) is not None
    bare = replace(known.services[TREATMENT], agreement=None)
    # when a route to it is looked for, then there is none
    assert replace(known, services={**known.services, TREATMENT: bare}).route(TREATMENT) is None


def test_r14_the_record_holds_receipt_id_notice_and_both_sides_codes(house: House) -> None:
    # given
    share = a_share(HOUSING, TREATMENT)
    consent_of(share, TREATMENT)["agreed"]["notice"] = "v7"
    # when it is accepted
    receipt = house.cases.send(share)
    # then each delivery's receipt names its consent, which is kept beside the basis that each side acts on
    ids = {each["service"]: each["consent"] for each in receipt["deliveries"]}
    kept = house.rows("SELECT id, service_id FROM consents WHERE share_id = :id", id=receipt["id"])
    assert {row["service_id"]: row["id"] for row in kept} == ids
    (basis,) = house.rows("SELECT * FROM lawful_bases WHERE consent_id = :id", id=ids[TREATMENT])
    assert {name: basis[name] for name in basis if name not in {"consent_id", "at"}} == {
        "agreement": "ISA-DEMO",
        "assessment": "DPIA-DEMO",
        "notice": "v7",
        "sender_article_6": "6(1)(a)",
        "sender_article_9": "9(2)(a)",
        "sender_article_10": "",
        "receiver_article_6": "6(1)(e)",
        "receiver_article_9": "9(2)(g)",
        "receiver_article_10": "",
        "override": None,
    }


def test_r14_a_consent_s_receipt_id_is_the_same_for_good(house: House) -> None:
    # given a request that a case system repeats, not having seen the reply
    share = a_share(HOUSING)
    # when / then
    first = house.cases.send(share, key="seen-twice")
    assert house.cases.send(share, key="seen-twice") == first


def test_r14_a_new_agreement_changes_no_record_that_was_made_under_the_old(new_house: Callable[..., House]) -> None:
    # given a share accepted under one agreement
    house = new_house()
    first = house.cases.send(a_share(HOUSING))
    house.close()
    # when the agreement is another from now on
    replace_in(house.folder / "services" / f"{HOUSING}.toml", "ISA-DEMO", "ISA-NEXT")
    house.open()
    second = house.cases.send(a_share(HOUSING))
    # then each record names the one that was in force
    named = "SELECT b.agreement FROM lawful_bases b JOIN consents c ON c.id = b.consent_id WHERE c.share_id = :id"
    assert [house.rows(named, id=each["id"])[0]["agreement"] for each in (first, second)] == ["ISA-DEMO", "ISA-NEXT"]
