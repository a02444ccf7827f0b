"""Answers: what each proves, which moves are usual, and what may travel back."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import (
    PROVES,
    RETURNABLE,
    TASK_STATUS,
    USUAL,
    Answer,
    AnswerState,
    Level,
    is_usual,
    reached,
    returnable,
)

#: FHIR R4 Task.status.
FHIR = {
    "draft", "requested", "received", "accepted", "rejected", "ready", "cancelled", "in-progress", "on-hold", "failed",
    "completed", "entered-in-error",
}  # fmt: skip
states = st.sampled_from(AnswerState)
texts = st.text(max_size=10)
answers = st.builds(
    Answer,
    state=states,
    owner=texts,
    text=texts,
    reason=texts,
    stage=texts,
    next_step=texts,
    next_date=st.none() | st.dates(),
)
clauses = st.sets(st.sampled_from([*RETURNABLE, "unknown"]))
FIELDS = ("owner", "text", "reason", "stage", "next_step", "next_date")


@given(st.lists(st.sampled_from(Level)))
def test_the_level_is_the_highest_ever_proved_in_any_order(history: list[Level]) -> None:
    # given acknowledgements that arrive late and out of order
    level = reached(history)
    # then the level is that of the best of them, and never falls as more arrive
    assert level == reached(sorted(history)) == max([Level.L0, *history])
    assert all(reached([*history, more]) >= level for more in Level)


def test_each_answer_proves_its_rung() -> None:
    assert set(PROVES) == set(TASK_STATUS) == set(USUAL) == set(AnswerState)
    assert PROVES[AnswerState.AWAITED] is Level.L0
    assert [s for s in AnswerState if PROVES[s] is Level.L4] == [AnswerState.COMPLETED]
    # an answer of any kind proves that somebody has it
    assert all(PROVES[s] >= Level.L2 for s in AnswerState if s is not AnswerState.AWAITED)
    # and whoever decided has decided, whichever way
    assert PROVES[AnswerState.DECLINED] is PROVES[AnswerState.ACCEPTED] is Level.L3


def test_task_statuses_are_fhirs_own() -> None:
    assert set(TASK_STATUS.values()) <= FHIR


@given(states, states)
def test_r35_nothing_returns_to_awaited_and_a_yes_may_become_a_no(before: AnswerState, after: AnswerState) -> None:
    assert not is_usual(before, AnswerState.AWAITED)
    assert is_usual(AnswerState.AWAITED, after) == (after is not AnswerState.AWAITED)
    assert is_usual(AnswerState.COMPLETED, after) == (after is AnswerState.COMPLETED)
    assert is_usual(AnswerState.ACCEPTED, AnswerState.DECLINED)
    assert is_usual(AnswerState.DECLINED, AnswerState.ACCEPTED)


@given(answers, clauses)
def test_r21_only_what_may_return_returns_and_the_rest_is_named(answer: Answer, returns: set[str]) -> None:
    # when an answer is cut down to the return clause
    kept, held = returnable(answer, returns)
    # then the state always returns, allowed fields return untouched, the others are empty
    allowed = {name for clause in returns & set(RETURNABLE) for name in RETURNABLE[clause]}
    assert kept.state is answer.state
    for name in FIELDS:
        if name in allowed:
            assert getattr(kept, name) == getattr(answer, name)
            assert name not in held
        else:
            assert getattr(kept, name) == getattr(Answer(answer.state), name)
            assert (name in held) == bool(getattr(answer, name))
    # and doing it again holds nothing more
    assert returnable(kept, returns) == (kept, ())


@given(answers, clauses, clauses)
def test_r21_a_wider_clause_never_returns_less(answer: Answer, returns: set[str], more: set[str]) -> None:
    assert set(returnable(answer, returns | more)[1]) <= set(returnable(answer, returns)[1])


def test_r21_without_a_clause_only_the_state_returns() -> None:
    answer = Answer(AnswerState.ACCEPTED, "Sam", "words", "code", "with_panel", "call", date(2026, 12, 1))
    assert returnable(answer, ()) == (Answer(AnswerState.ACCEPTED), FIELDS)
