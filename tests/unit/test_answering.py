"""A service's answer page as it is configured: a code that cannot be guessed, and nobody else's mailbox."""

from __future__ import annotations

import pytest

from hub.answering import AnswerPageTable, agreed_addresses, fault_of_code, missing


@pytest.mark.parametrize(("code", "fits"), [("kettle-otter-42", True), ("12345678", True), ("1234 567", False)])
def test_a_code_is_long_enough_or_is_refused_without_being_repeated(code: str, fits: bool) -> None:
    # given a team's code, when it is weighed, then only its length is spoken of
    said = fault_of_code(code)
    assert (said == "") is fits
    assert code not in said


def test_a_connector_that_is_answered_on_the_page_needs_one() -> None:
    # given, when, then
    assert missing(None, ("page",)) == ("answer_page.code",)
    assert missing(None, ("callback",)) == ()
    assert missing(AnswerPageTable(code="file:secrets/team-code"), ("page",)) == ()


def test_the_addresses_that_may_be_written_to_are_those_that_were_written_down() -> None:
    # given a service's address, its e-mail and settings of every shape
    settings = {"mailbox": "desk@office.example", "offices": {"north": ["n@office.example"]}, "days": 3, "on": True}
    # when, then
    assert agreed_addresses("", "duty@council.example", settings=settings) == {
        "desk@office.example",
        "n@office.example",
        "duty@council.example",
    }
