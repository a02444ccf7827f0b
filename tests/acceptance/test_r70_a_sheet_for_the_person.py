"""R70: the person can be given a plain sheet: who was told what, what came back, and how to change their mind."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

from tests.acceptance.continuing import call, delivered, section
from tests.acceptance.house import House, append_to, until_true
from tests.acceptance.reading import page_of, read_sheet, sheet_of
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, consent_of, story_of
from tests.acceptance.trusting import keep_link, unsaid

SENT = datetime.fromisoformat("2026-11-20T15:00:00+00:00")


class Page(HTMLParser):
    """A page as somebody hears it read out: its headings in order, its words, and what it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.headings: list[tuple[str, str]] = []
        self.elements: set[str] = set()
        self.words = ""
        self.lang = ""
        self.inside: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.lang = self.lang or dict(attrs).get("lang") or ""
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((tag, ""))
        if tag != "meta":
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.inside.pop() == tag

    def handle_data(self, data: str) -> None:
        if {"style", "title"} & set(self.inside):
            return
        self.words += f" {data}"
        if any(re.fullmatch("h[1-6]", tag) for tag in self.inside):
            tag, text = self.headings[-1]
            self.headings[-1] = (tag, text + data)


def answered(house: House, *services: str, returns: list[str] | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """A share that housing has said yes to, in words."""
    share = a_share(*services)
    consent_of(share, HOUSING)["returns"] = returns or ["state", "owner", "next_step"]
    receipt = house.cases.send(share)
    for service in services:
        until_true("it to arrive", lambda s=service: house.cases.delivery(receipt["id"], s)["state"] == "delivered")
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Jo of the duty desk", outcomeNote="We know them well.")
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    return share, receipt


def service_of(sheet: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in sheet["services"] if each["name"] == name)
    return found


def test_r70_the_sheet_says_who_was_told_what_and_what_came_back(house: House) -> None:
    # given a share that two services have, each with its own parts, of which one answered
    share, receipt = answered(house, HOUSING, TREATMENT)
    names = {each["service"]: each["name"] for each in receipt["deliveries"]}
    # when the trusted person opens the sheet
    sheet = sheet_of(house, receipt).json()
    # then each service stands with the parts that it got, in plain words
    about = {name: [each["what"] for each in service_of(sheet, names[name])["about"]] for name in names}
    assert "your own words" in about[HOUSING]
    assert "your housing" in about[HOUSING]
    assert "drugs or drink" not in about[HOUSING]
    assert "drugs or drink" in about[TREATMENT]
    assert "your housing" not in about[TREATMENT]
    # and what came back, and how long it is kept, and how to take it back
    back = " ".join(service_of(sheet, names[HOUSING])["back"])
    assert "has said yes" in back
    assert "It is with Jo of the duty desk." in back
    assert "have not answered yet" in " ".join(service_of(sheet, names[TREATMENT])["back"])
    assert "We will forget your story by Thursday 18 February 2027." in sheet["forgotten"]
    assert share["trusted_person"]["name"] in sheet["change_your_mind"]
    assert "It takes one call" in sheet["change_your_mind"]


def test_r39_each_part_says_who_said_it_and_when(house: House) -> None:
    # given a share whose parts somebody said, or saw
    _, receipt = answered(house, HOUSING, TREATMENT)
    # then the sheet says so of each, as what somebody said: never as a fact, never as unproved
    lines = [part for each in sheet_of(house, receipt).json()["services"] for part in each["about"]]
    said = {part["said"] for part in lines if part["what"] in {"your own words", "drugs or drink"}}
    assert said
    assert all(
        re.fullmatch(r"(You|[A-Z].+) (said|saw) this on [A-Z][a-z]+day \d+ November 2026", each) for each in said
    )
    assert not re.search("verified|unverified|claim|alleg", page_of(house, receipt).text)


def test_r70_the_sheet_holds_nothing_that_was_told(house: House) -> None:
    share, receipt = answered(house, HOUSING, TREATMENT)
    for reply in (page_of(house, receipt), sheet_of(house, receipt)):
        assert [each for each in story_of(share) if re.search(rf"\b{re.escape(each)}\b", reply.text)] == []


def test_r70_what_may_not_come_back_does_not_come_back_on_the_sheet_either(house: House) -> None:
    # given an answer under a return clause that lets the state alone come back
    _, receipt = answered(house, HOUSING, returns=["state"])
    # then neither page nor JSON names the owner or the service's words
    for reply in (page_of(house, receipt), sheet_of(house, receipt)):
        assert "has said yes" in reply.text
        assert "Jo of the duty desk" not in reply.text
        assert "know them well" not in reply.text


def test_r70_the_page_can_be_read_out_and_printed_and_shows_nobodys_brand(house: House) -> None:
    _, receipt = answered(house, HOUSING, TREATMENT)
    reply = page_of(house, receipt)
    page = Page(reply.text)
    # then its headings go down one step at a time, from one that says what it is
    assert page.headings[0] == ("h1", "What was shared for you")
    levels = [int(tag[1]) for tag, _ in page.headings]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.lang == "en-GB"
    # and it is plain: no table, script, picture, form or link, nobody's name on it, and nothing hidden on paper
    assert page.elements & {"table", "script", "img", "form", "a", "link", "iframe", "header"} == set()
    assert not re.search("hub|council logo|nhs|changing futures", page.words.lower())
    assert not re.search(r"display:\s*none|visibility:\s*hidden", reply.text)
    assert "@media print" in reply.text
    # and no browser or cache keeps it, or runs anything in it
    assert reply.headers["content-type"].startswith("text/html")
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "consent" not in page.words.lower()


def test_r70_what_somebody_wrote_is_never_markup(house: House) -> None:
    # given a trusted person, and a service's answer, whose words look like a page's own
    share = a_share(HOUSING)
    share["trusted_person"]["name"] = "<script>alert(1)</script>"
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    house.say(receipt, HOUSING, status="ACCEPTED", owner="<img src=x onerror=alert(1)>")
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    # then the page shows them as words
    page = Page(page_of(house, receipt).text)
    assert page.elements & {"script", "img"} == set()
    assert "<script>alert(1)</script>" in page.words


def test_r70_a_sheet_that_is_safer_not_to_print_more_of_tells_its_finder_nothing(house: House) -> None:
    # given a share that was answered
    share, receipt = answered(house, HOUSING, TREATMENT)
    names = [each["name"] for each in receipt["deliveries"]]
    for query in ("?safer=true", "?safer", "?safer=yes"):
        for reply in (page_of(house, receipt, query), sheet_of(house, receipt, query)):
            # then there is the reference, and how to hear the rest
            assert receipt["reference"] in reply.text
            assert "read it out" in reply.text
            # and no service, nobody's name, no answer, no date
            trusted = share["trusted_person"]["name"]
            told = [*names, trusted, "Jo of", "said yes", "November", "told about", "harm", "shared"]
            assert [each for each in told if each in reply.text] == []


def test_r70_what_was_taken_back_says_so(house: House) -> None:
    # given a share that reached a service, and that the person took back
    _, receipt = answered(house, HOUSING)
    house.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {}).raise_for_status()
    # then the sheet says that, and that the service is asked to stop
    sheet = sheet_of(house, receipt).json()
    assert sheet["words"] == ["You took all of this back."]
    assert any("to stop using it" in line for line in sheet["services"][0]["back"])


def test_r70_a_forgotten_share_leaves_where_it_went(new_house: Callable[..., House]) -> None:
    # given a share whose story the hub has forgotten
    soon = "\n[forgetting]\nafter_answer_days = 2\nafter_sending_days = 5\n"
    house = new_house(edit=lambda folder: append_to(next((folder / "partnerships").glob("*.toml")), soon))
    _, receipt = answered(house, HOUSING)
    assert "We will forget your story by Wednesday 25 November 2026." in sheet_of(house, receipt).json()["forgotten"]
    house.at(SENT + timedelta(days=6))
    until_true("it to be forgotten", lambda: house.cases.read(receipt["id"]).get("forgotten"))
    # then the sheet says that, whom it went to, and nothing else
    sheet = sheet_of(house, receipt).json()
    assert sheet["words"][0].startswith("We have forgotten your story.")
    assert [each["about"] for each in sheet["services"]] == [[]]
    assert "change_your_mind" not in sheet
    assert "Jo of the duty desk" not in page_of(house, receipt).text


def test_r70_nobody_elses_sheet_is_found_and_every_read_is_written_down(house: House) -> None:
    _, receipt = answered(house, HOUSING)
    read = "SELECT count(*) AS n FROM audit_events WHERE action = 'sheet.read' AND share_id = :share"
    before = house.rows(read, share=receipt["id"])[0]["n"]
    # when another partner asks, then it is as if there were none
    theirs, none = read_sheet(house.other, receipt["id"]), read_sheet(house.other, "0" * 32)
    assert (theirs.status_code, theirs.content) == (404, none.content)
    assert house.rows(read, share=receipt["id"])[0]["n"] == before
    # when its sender asks, then that is written down
    page_of(house, receipt, "?safer=true")
    assert house.rows(read, share=receipt["id"])[0]["n"] == before + 1


def test_r70_what_was_told_later_stands_on_it_too(house: House) -> None:
    # given a share that a service has, and something told to it later
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    before = sheet_of(house, receipt).json()["services"][0]
    call(house, receipt, "addenda", sections=[section("s40", "goal", "A door that locks.")])
    # then the sheet says that more was told, what about, and who said it
    after = sheet_of(house, receipt).json()["services"][0]
    more = {"what": "what you want to happen", "said": "You said this on Wednesday 18 November 2026"}
    assert after["about"] == [*before["about"], more]
    assert after["back"][-1] == "Later, more was shared with them."


def test_r70_an_answer_that_waits_to_be_told_is_on_no_sheet(house: House) -> None:
    # given a yes that the service asks not to tell yet
    receipt = delivered(house, a_share(HOUSING), HOUSING)
    house.say(receipt, HOUSING, status="ACCEPTED", outcomeNote="Soon.", doNotTellYet=True)
    until_true("the answer", lambda: house.rows(f"{_ARRIVED} AND answer_state = 'accepted'", share=receipt["id"]))
    # then the person reads that nobody has answered
    assert sheet_of(house, receipt).json()["services"][0]["back"] == ["Housing has this. They have not answered yet."]
    assert "said yes" not in page_of(house, receipt).text


def test_r02_outside_the_groups_that_may_see_it_the_sheet_tells_whether_anybody_replied(house: House) -> None:
    # given a share whose answers one group may see, and that was answered
    share = a_share(HOUSING)
    share["trusted_person"]["can_see"] = ["front-desk-team"]
    receipt = house.cases.send(share)
    until_true("it to arrive", lambda: house.rows(_ARRIVED, share=receipt["id"]))
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Jo of the duty desk")
    until_true("the answer", lambda: house.rows(f"{_ARRIVED} AND answer_state = 'accepted'", share=receipt["id"]))
    # when somebody who is not known to be of that group asks for the sheet
    reply = sheet_of(house, receipt)
    # then no service, answer, owner or name is on it
    assert reply.json()["words"] == ["One of the services replied."]
    assert reply.json()["services"] == []
    told = ["Housing", "Jo of", "said yes", share["trusted_person"]["name"]]
    assert [each for each in told if each in reply.text] == []


_ARRIVED = "SELECT id FROM deliveries WHERE share_id = :share AND state = 'delivered'"


def test_r04_the_sheet_of_a_share_that_waits_does_not_tell_why(house: House) -> None:
    # given one share that waits for a statement, and one for a choice that is marked as not safe
    missing, marked = unsaid(a_share(HOUSING)), a_share(HOUSING)
    marked["person"] = {"reference": "P-r70-marked"}
    keep_link(house.cases, marked, not_safe=True)
    sheets = []
    for share in (missing, marked):
        receipt = house.cases.send(share)
        sheets.append({**sheet_of(house, receipt).json(), "reference": ""})
    # then both sheets say the same: that somebody looks first, and that nothing has gone
    assert sheets[0] == sheets[1]
    assert sheets[0]["words"][0].endswith("Nothing has gone to any service.")
    assert sheets[0]["services"] == []


def test_r69_of_somebody_who_has_died_the_sheet_says_so_kindly_and_nothing_else(house: House) -> None:
    receipt = delivered(house, a_share(HOUSING) | {"person": {"reference": "P-r70-died"}}, HOUSING)
    call(house, receipt, "death", 200)
    sheet = sheet_of(house, receipt).json()
    assert "We are so sorry." in sheet["words"][0]
    assert sheet["services"] == []
    assert "change_your_mind" not in sheet


def test_r06_a_sheet_is_asked_for_by_the_trusted_person_whose_share_it_is(house: House) -> None:
    # given a share of one trusted person
    share = a_share(HOUSING)
    receipt = house.cases.send(share)
    path = f"/v1/shares/{receipt['id']}/for-the-person?trusted_person="
    # when / then: it is there for them, and for another as if there were none, safer or not
    assert house.cases.get(path + share["trusted_person"]["reference"]).status_code == 200
    for query in ("somebody-else", "somebody-else&safer=true"):
        assert house.cases.get(path + query).status_code == 404
