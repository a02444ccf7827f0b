"""What probation answers: codes alone, never free words (R72)."""

from __future__ import annotations

import json

import pytest
from hub_probation.finding import ANSWERS, read_answer

from hub.sdk import AnswerState, CallbackRequest


def callback(**said: object) -> CallbackRequest:
    return CallbackRequest({"webhook-id": "m1"}, json.dumps({"externalReference": "k1"} | said).encode())


@pytest.mark.parametrize("code", [status for status, _ in ANSWERS.rows])
def test_r72_free_words_and_names_of_officers_are_never_read(code: str) -> None:
    # given an answer with more than a code
    inbound = read_answer(callback(outcome=code, notes="Zz9 breach", officer={"name": "Zz9"}, description="Zz9"))
    # then nothing but the code's own words is in it
    assert inbound.reference == "k1"
    assert inbound.answers == (ANSWERS.answer(code),)
    assert "Zz9" not in repr(inbound)


def test_a_code_that_nobody_translated_is_received() -> None:
    (answer,) = read_answer(callback(outcome="SOMETHING")).answers
    assert (answer.state, answer.reason) == (AnswerState.RECEIVED, "unrecognised-status")


@pytest.mark.parametrize("body", [b"", b"[]", b'{"outcome": "RECEIVED"}', b'{"externalReference": 1}', b"[" * 100_000])
def test_what_names_no_contact_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="names no contact"):
        read_answer(CallbackRequest({"webhook-id": "m"}, body))


@pytest.mark.parametrize("said", [{}, {"outcome": None}, {"outcome": ["RECEIVED"]}, {"outcome": 7, "notes": "Zz9"}])
def test_an_answer_is_not_refused_for_its_form(said: dict[str, object]) -> None:
    (answer,) = read_answer(callback(**said)).answers
    assert (answer.state, answer.text) == (AnswerState.RECEIVED, "")


def test_r61_no_judgement_stands_in_our_words() -> None:
    for answer in ANSWERS.rows.values():
        assert answer.text.endswith(".")
        assert not {"offender", "breach", "failed", "comply", "risk"} & set(answer.text.lower().strip(".").split())
