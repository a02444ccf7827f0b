"""A barrier moves one step at a time, each state has its reasons, and what is written of one tells of nobody."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from hub.answer import choices
from hub.domain.answer import PERSON_DIED, Answer, AnswerState
from hub.domain.barrier import MOVES, NO_CODES, REASONS, RESTING, BarrierEvent, BarrierState, event_to, move, shut
from hub.domain.errors import IllegalTransition
from hub.domain.impersonal import personal

ROOT = Path(__file__).parents[3]
S, E, A = BarrierState, BarrierEvent, AnswerState
NOES = {A.DECLINED, A.WAITING_LIST, A.COULD_NOT_REACH}
#: R52's one way, and no other.
ORDER = [S.IDENTIFIED, S.UNDERSTOOD, S.ACTING]


class ALife(RuleBasedStateMachine):
    """One barrier, to which anything may happen in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.states: list[BarrierState] = []

    @rule(event=st.sampled_from(E))
    def happens(self, event: BarrierEvent) -> None:
        """What the table has moves it by one step; anything else changes nothing and is refused."""
        before = self.states[-1] if self.states else None
        if (before, event) not in MOVES:
            with pytest.raises(IllegalTransition):
                move(before, event)
            return
        after = move(before, event)
        self.states.append(after)
        # Nothing is acted on that was not understood, and nothing rests that nobody acted on.
        if after in RESTING:
            assert self.states[-4:-1] == ORDER
        elif after is not S.IDENTIFIED:
            assert self.states[-2] is ORDER[ORDER.index(after) - 1]
        else:
            assert before is None or before in RESTING


TestALife = ALife.TestCase
TestALife.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)


def test_every_state_has_reasons_and_people_move_by_single_steps() -> None:
    assert set(REASONS) == set(S)
    assert {state for (state, _), _ in MOVES.items() if state} == set(S)
    steps = {(a, b) for a in S for b in S if event_to(a, b) not in (None, E.CAME_BACK)}
    assert steps == {
        (S.IDENTIFIED, S.UNDERSTOOD),
        (S.UNDERSTOOD, S.ACTING),
        (S.ACTING, S.REMOVED),
        (S.ACTING, S.ACKNOWLEDGED),
    }


@given(state=st.sampled_from(A), reason=st.text(max_size=30), dated=st.booleans(), coded=st.booleans())
def test_r38_no_word_of_somebody_s_own_is_ever_counted(state: A, reason: str, dated: bool, coded: bool) -> None:
    found = shut(Answer(state, reason=reason, next_date=date(2027, 1, 1) if dated else None), coded=coded)
    counted = state in {A.DECLINED, A.COULD_NOT_REACH, A.SIGNPOSTED} or (state is A.WAITING_LIST and not dated)
    counted = counted and reason != PERSON_DIED
    assert (found is not None) == counted
    if found is not None:
        assert found == "signposted" or found.partition("/")[2] in {*NO_CODES, "no-code"}
        assert not (found.endswith(tuple(NO_CODES)) and not coded)


def test_r38_every_code_of_a_no_that_a_pack_or_the_answer_page_has_is_counted_by_its_name() -> None:
    # given the tables of every pack that ships, and the answer page
    codes: set[str] = set()
    for table in ROOT.glob("plugins/*/hub_*/codes/*.csv"):
        lines = [line for line in table.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
        codes |= {row["reason"] for row in csv.DictReader(lines) if row.get("state") in NOES}
    for choice in choices.CHOICES:
        codes |= {code for code, _ in choice.reasons if choice.state in NOES}
    # then each of them is known
    assert len(codes) > 10
    assert codes - NO_CODES - {"", PERSON_DIED} == set()


@pytest.mark.parametrize(
    "words",
    [
        "Maria waited three weeks.",
        "We rang. Then maria smith was told no.",
        "They told Kowalski to come back.",
        "Kowalski's papers were not taken.",
        "She was told to come back.",
        "The man was told no at the desk.",
        "Asked on 03/04/1985 at the desk.",
        "Asked on 3 March 2026.",
        "NHS number 943 476 5919 was refused.",
        "Ring 01223 000200.",
        "Write to desk@council.example.",
        "People from CB1 2AB are refused.",
        "People who sleep near the library are refused.",
        "Somebody aged 34 was refused.",
        "A share, K7M-4QX, was refused.",
        "QQ123456C was not taken.",
    ],
)
def test_r52_what_may_tell_of_a_person_is_refused(words: str) -> None:
    assert personal(words, {"Housing"})


@pytest.mark.parametrize(
    "words",
    [
        "",
        "The rule on local connection is read too narrowly.",
        "Housing asks for proof of address. Nobody who sleeps out can give it.",
        "People wait 6 weeks for a first call. The NHS team is short of staff since January.",
        "We agreed a way round with City Housing Options: a letter from any GP is enough.",
    ],
)
def test_r52_what_tells_of_the_door_may_stand(words: str) -> None:
    assert personal(words, {"Housing", "City Housing Options"}) == ""


@given(name=st.sampled_from(sorted((ROOT / "hub/domain/first-names.txt").read_text(encoding="utf-8").split())))
def test_r52_a_first_name_is_found_wherever_it_stands(name: str) -> None:
    assert personal(f"{name.title()} could not get in.")
    assert personal(f"The door was shut for {name} again.")
    assert personal(f"It was {name}'s third try.")
