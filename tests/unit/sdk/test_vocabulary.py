"""A partner's words as a table: what a row means, what an unknown word becomes, what a wrong table says."""

from __future__ import annotations

import pytest

from hub.sdk import Answer, AnswerState
from hub.sdk.vocabulary import UNRECOGNISED, read_vocabulary

HEAD = "status,partner_reason,state,reason,stage,text,next_step"
TABLE = [
    "# source: a partner",
    HEAD,
    "YES,,accepted,,allocated,They will help.,",
    "",
    'NO,FULL,declined,no-room,,"They have no room, now.",Ask again in a week.',
    "NO,,declined,not-said,,They said no.,",
]


def test_a_row_is_found_by_status_and_reason() -> None:
    assert read_vocabulary(TABLE).answer("NO", "FULL") == Answer(
        AnswerState.DECLINED, reason="no-room", text="They have no room, now.", next_step="Ask again in a week."
    )


def test_a_reason_nobody_translated_falls_back_to_the_status() -> None:
    words = read_vocabulary(TABLE)
    assert words.answer("NO", "SOMETHING_NEW").reason == "not-said"
    assert words.answer("YES", "WHATEVER").stage == "allocated"


@pytest.mark.parametrize("status", ["", "MAYBE", "no", "# source: a partner"])
def test_a_status_nobody_translated_is_received_and_never_dropped(status: str) -> None:
    assert read_vocabulary(TABLE).answer(status, "FULL") is UNRECOGNISED


def test_a_state_the_hub_does_not_have_is_an_error() -> None:
    with pytest.raises(ValueError, match="NO: no such state: rejected; there are: awaited, received, "):
        read_vocabulary([HEAD, "NO,,rejected,,,,"])


def test_a_row_that_stands_twice_is_an_error() -> None:
    with pytest.raises(ValueError, match="twice: NO FULL"):
        read_vocabulary([*TABLE, "NO,FULL,accepted,,,,"])
