"""A delivery's life: only the table's moves, every state reachable, what ended stays ended, cancelled never sends."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from hub.domain.delivery import (
    CLAIMABLE,
    ENDED,
    MAY_HAVE_ARRIVED,
    MOVES,
    OPEN,
    WITHDRAWABLE,
    DeliveryEvent,
    DeliveryState,
    move,
)
from hub.domain.errors import IllegalTransition

S, E = DeliveryState, DeliveryEvent
PLACES: list[DeliveryState | None] = [None, *DeliveryState]


def reachable(start: DeliveryState | None, without: frozenset[DeliveryEvent] = frozenset()) -> set[DeliveryState]:
    """Every state that some run of events leads to from `start`."""
    seen: set[DeliveryState] = set()
    edge: list[DeliveryState | None] = [start]
    while edge:
        here = edge.pop()
        found = {to for (at, on), to in MOVES.items() if at is here and on not in without} - seen
        seen |= found
        edge.extend(found)
    return seen


class ALife(RuleBasedStateMachine):
    """One delivery, to which anything may happen in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.state: DeliveryState | None = None
        self.past: list[DeliveryEvent] = []

    @rule(event=st.sampled_from(E))
    def happens(self, event: DeliveryEvent) -> None:
        """A legal event moves it as the table says; any other changes nothing and is refused."""
        before = self.state
        if (before, event) in MOVES:
            self.state = move(before, event)
            self.past.append(event)
            assert self.state is MOVES[before, event]
            assert before not in ENDED
        else:
            with pytest.raises(IllegalTransition):
                move(before, event)

    @rule(data=st.data())
    @precondition(lambda self: self.state not in ENDED)
    def goes_on(self, data: st.DataObject) -> None:
        """What has not ended can always go on: one of the table's own moves."""
        legal = sorted(event for (at, event) in MOVES if at is self.state)
        assert legal
        self.happens(data.draw(st.sampled_from(legal)))

    @invariant()
    def sent_only_after_a_claim(self) -> None:
        """Nothing is sent, in doubt or given up that was not claimed, and nothing is cancelled while it is sending."""
        if self.state in {S.SENDING, S.RETRYING, S.IN_DOUBT, S.DELIVERED, S.DEAD_LETTERED}:
            assert E.CLAIMED in self.past
        if E.WITHDRAWN in self.past:
            assert self.state is S.CANCELLED
            assert self.past[-1] is E.WITHDRAWN

    @invariant()
    def the_sets_agree(self) -> None:
        """Each state has ended or is open, and never both."""
        if self.state is not None:
            assert (self.state in ENDED) != (self.state in OPEN)


TestALife = ALife.TestCase
TestALife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None, database=None)


def test_every_state_is_reachable_and_can_end() -> None:
    assert reachable(None) == set(S)
    for state in OPEN:
        assert reachable(state) & ENDED


def test_ended_is_closed() -> None:
    assert {S.DELIVERED, S.DEAD_LETTERED, S.CANCELLED} == ENDED
    for state, event in itertools.product(ENDED, E):
        with pytest.raises(IllegalTransition):
            move(state, event)


def test_r15_nothing_leads_from_cancelled_to_sending() -> None:
    assert reachable(S.CANCELLED) == set()
    assert S.SENDING not in WITHDRAWABLE
    for state in WITHDRAWABLE:
        assert move(state, E.WITHDRAWN) is S.CANCELLED


def test_r15_everything_that_has_not_left_can_be_withdrawn() -> None:
    assert (OPEN - MAY_HAVE_ARRIVED) == WITHDRAWABLE
    assert WITHDRAWABLE.isdisjoint(MAY_HAVE_ARRIVED)


def test_only_a_claim_leads_to_sending() -> None:
    assert {(state, event) for (state, event), to in MOVES.items() if to is S.SENDING} == {
        (state, E.CLAIMED) for state in CLAIMABLE
    }
    assert S.SENDING not in reachable(None, without=frozenset({E.CLAIMED}))
    assert {S.QUEUED, S.RETRYING} == CLAIMABLE


def test_what_is_in_doubt_is_never_sent_again_before_it_is_looked_for() -> None:
    # without a reconciliation that found nothing, doubt leads only to delivered
    assert reachable(S.IN_DOUBT, without=frozenset({E.NOT_FOUND})) == {S.DELIVERED}
    assert move(S.IN_DOUBT, E.NOT_FOUND) is S.RETRYING


@pytest.mark.parametrize("state", [S.SENDING, S.RETRYING, S.IN_DOUBT])
def test_an_authentic_answer_proves_that_it_arrived(state: DeliveryState) -> None:
    assert move(state, E.ANSWERED) is S.DELIVERED


@given(st.sampled_from(PLACES), st.sampled_from(E))
def test_a_move_is_the_tables_or_is_refused(state: DeliveryState | None, event: DeliveryEvent) -> None:
    if (state, event) in MOVES:
        assert move(state, event) is MOVES[state, event]
    else:
        with pytest.raises(IllegalTransition, match="no move from"):
            move(state, event)
