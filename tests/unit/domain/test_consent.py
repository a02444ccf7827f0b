"""Consent: only a live one permits, every reason comes at once, in plain words."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import Answer, AnswerState, returnable
from hub.domain.calendar import england_and_wales
from hub.domain.consent import REFUSALS, ConsentState, Standing, ended, ending_by, may_return, permits, standing
from hub.domain.share import BestInterests, Category, Consent

PURPOSES = frozenset({"find-somewhere-to-live"})
NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
GOOD = Standing(
    ConsentState.GIVEN,
    date(2027, 2, 18),
    "find-somewhere-to-live",
    frozenset({Category.HOUSING}),
    "yes",
    date(2026, 11, 18),
    duties_explained=True,
)


def types(one: Standing | None, now: datetime = NOON) -> list[str]:
    return [refusal.type for refusal in permits(one, purposes=PURPOSES, now=now)]


def test_r12_a_live_consent_permits(consent: Consent) -> None:
    assert types(standing(consent)) == []
    assert types(replace(GOOD, able_to_decide="no_best_interests", best_interests=True)) == []


@pytest.mark.parametrize(
    ("role", "basis", "refused"),
    [
        ("social worker", "mca-5", []),
        ("social worker", " ", ["best-interests-missing"]),
        ("", "mca-5", ["best-interests-missing"]),
    ],
)
def test_r12_best_interests_name_both_who_decided_and_on_what_basis(
    consent: Consent, role: str, basis: str, refused: list[str]
) -> None:
    best = BestInterests(role, basis)
    agreed = replace(consent.agreed, able_to_decide="no_best_interests", best_interests=best)
    assert types(standing(replace(consent, agreed=agreed))) == refused


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (None, "consent-absent"),
        (replace(GOOD, state=ConsentState.REFUSED), "consent-refused"),
        (replace(GOOD, state=ConsentState.WITHDRAWN), "consent-withdrawn"),
        (replace(GOOD, state=ConsentState.EXPIRED), "consent-expired"),
        (replace(GOOD, state=ConsentState.SUPERSEDED), "consent-superseded"),
        (replace(GOOD, until=date(2026, 11, 30)), "consent-expired"),
        (replace(GOOD, state=ConsentState.EXPIRED, until=date(2026, 11, 30)), "consent-expired"),
        (replace(GOOD, purpose="marketing"), "consent-purpose"),
        (replace(GOOD, able_to_decide="not_sure"), "consent-not-sure"),
        (replace(GOOD, categories=frozenset()), "consent-no-categories"),
        (replace(GOOD, agreed_on=date(2026, 12, 2)), "consent-from-the-future"),
        (replace(GOOD, duties_explained=False), "duties-not-explained"),
        (replace(GOOD, able_to_decide="no_best_interests"), "best-interests-missing"),
        (replace(GOOD, young_person_refused=True), "young-person-refused"),
        (replace(GOOD, young_person_refused=True, by="parent_or_carer"), "young-person-refused"),
    ],
)
def test_r12_no_live_consent_no_send(one: Standing | None, expected: str) -> None:
    assert types(one) == [expected]


def test_r12_a_service_that_accepts_no_purpose_gets_nothing() -> None:
    assert [r.type for r in permits(GOOD, purposes=(), now=NOON)] == ["consent-purpose"]


def test_r12_good_through_the_whole_last_day_in_london() -> None:
    # given a consent until 12 June, when London is an hour ahead of UTC
    summer = replace(GOOD, until=date(2027, 6, 12))
    # then it permits until London's midnight, which is 23:00 UTC
    assert types(summer, datetime(2027, 6, 12, 22, 59, 59, tzinfo=UTC)) == []
    assert types(summer, datetime(2027, 6, 12, 23, 0, tzinfo=UTC)) == ["consent-expired"]
    # and a winter one until midnight UTC
    assert types(GOOD, datetime(2027, 2, 18, 23, 59, 59, tzinfo=UTC)) == []
    assert types(GOOD, datetime(2027, 2, 19, 0, 0, tzinfo=UTC)) == ["consent-expired"]


def test_r12_agreed_today_permits_from_londons_midnight() -> None:
    agreed = replace(GOOD, agreed_on=date(2026, 6, 12))
    assert types(agreed, datetime(2026, 6, 11, 22, 59, tzinfo=UTC)) == ["consent-from-the-future"]
    assert types(agreed, datetime(2026, 6, 11, 23, 0, tzinfo=UTC)) == []


def test_r12_the_whole_decision_table_agrees_with_a_second_reading() -> None:
    # given every state, end, start, purpose, ability and width of consent together
    days = [date(2026, 11, 30), date(2026, 12, 1), date(2026, 12, 2)]
    rows = 0
    purposes, abilities = ("find-somewhere-to-live", "other"), ("yes", "not_sure", "no_best_interests")
    for state, until, start, purpose, able, wide, told in itertools.product(
        ConsentState, days, days, purposes, abilities, (0, 1), (False, True)
    ):
        one = Standing(state, until, purpose, frozenset({Category.GOAL} if wide else ()), able, start, told)
        # when it is judged at noon on 1 December
        got = types(one)
        # then each rule, read by itself, is there exactly when it applies; after a no, that alone
        expected = (
            {
                "consent-refused": True,
            }
            if state == "refused"
            else {
                "consent-withdrawn": state == "withdrawn",
                "consent-superseded": state == "superseded",
                "consent-absent": state == "overridden",
                "consent-expired": state == "expired" or until == days[0],
                "consent-from-the-future": start == days[2],
                "consent-purpose": purpose == "other",
                "consent-not-sure": able == "not_sure",
                "best-interests-missing": able == "no_best_interests",
                "consent-no-categories": not wide,
                "duties-not-explained": not told,
            }
        )
        assert sorted(got) == sorted(name for name, applies in expected.items() if applies)
        rows += 1
    assert rows == 6 * 3 * 3 * 2 * 3 * 2 * 2


@given(
    st.builds(
        Standing,
        state=st.sampled_from(ConsentState),
        until=st.dates(date(2026, 1, 1), date(2028, 1, 1)),
        purpose=st.sampled_from(["find-somewhere-to-live", "x"]),
        categories=st.frozensets(st.sampled_from(Category)),
        able_to_decide=st.sampled_from(["yes", "not_sure", "no_best_interests"]),
        agreed_on=st.dates(date(2026, 1, 1), date(2028, 1, 1)),
        duties_explained=st.booleans(),
        by=st.sampled_from(["person", "young_person", "parent_or_carer", "both"]),
        young_person_refused=st.booleans(),
        best_interests=st.booleans(),
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
)
def test_r16_once_expired_a_consent_never_permits_again(one: Standing, now: datetime) -> None:
    if "consent-expired" in types(one, now):
        assert "consent-expired" in types(one, now + timedelta(days=1))
    assert len(types(one, now)) == len(set(types(one, now)))


@pytest.mark.parametrize("by", ["person", "young_person", "parent_or_carer", "both"])
@pytest.mark.parametrize("refused", [False, True])
@pytest.mark.parametrize("children", [False, True])
def test_r22_a_team_for_children_is_told_who_agreed(by: Any, refused: bool, children: bool) -> None:
    # given who agreed, and whether the young person said no, when it is judged for a team, for children or not
    got = [
        each.type
        for each in permits(
            replace(GOOD, by=by, young_person_refused=refused), purposes=PURPOSES, now=NOON, children=children
        )
    ]
    # then who agreed is asked for children alone, and a young person's no is a no whoever else said yes
    expected = ["agreement-missing"] if children and by == "person" else []
    assert got == expected + (["young-person-refused"] if refused else [])


def test_r12_an_answer_of_no_is_refused_and_nothing_else_is_asked(consent: Consent) -> None:
    # given a no that names neither categories nor a reason that anyone accepts
    one = replace(consent, answer="no", categories=[], purpose="anything")
    # when it is judged, then the no is all that is said
    assert types(standing(one)) == ["consent-refused"]


@pytest.mark.parametrize("state", ConsentState)
@pytest.mark.parametrize("over", [False, True])
def test_r16_what_follows_goes_under_a_living_consent_alone(state: ConsentState, over: bool) -> None:
    # given a consent in each state, before and at the end of its last day
    why = ended(state, NOON if over else NOON + timedelta(microseconds=1), NOON)
    # when something is to follow what was sent, then only a given one whose time has not run out lets it
    expected = {
        ConsentState.GIVEN: "consent-expired" if over else None,
        ConsentState.REFUSED: "consent-refused",
        ConsentState.WITHDRAWN: "consent-withdrawn",
        ConsentState.EXPIRED: "consent-expired",
        ConsentState.SUPERSEDED: "consent-superseded",
        ConsentState.OVERRIDDEN: "consent-absent",
    }
    assert (why.type if why else None) == expected[state]


_CLAUSES = ("state", "owner", "next_step", "reason", "text")


@pytest.mark.parametrize("state", ConsentState)
@pytest.mark.parametrize("about_stopping", [False, True])
@given(returns=st.lists(st.sampled_from(_CLAUSES), unique=True))
def test_r16_what_returns_by_state_and_return_clause(
    state: ConsentState, about_stopping: bool, returns: list[str]
) -> None:
    # given an answer that says everything
    full = Answer(AnswerState.ACCEPTED, "Jo", "We know Sam.", "priority", "with_panel", "Ring", date(2026, 12, 2))
    # when it travels back under a consent in this state
    kept, _ = returnable(full, may_return(state, returns, about_stopping=about_stopping))
    # then the original clause holds while it lives, after its time ran out, and for what was said about stopping
    if about_stopping or state in {ConsentState.GIVEN, ConsentState.EXPIRED}:
        assert kept == returnable(full, returns)[0]
    else:
        assert kept == Answer(AnswerState.ACCEPTED)


def test_r25_every_refusal_says_what_is_wrong_and_what_next() -> None:
    assert len({refusal.type for refusal in REFUSALS}) == len(REFUSALS)
    for refusal in REFUSALS:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)+", refusal.type)
        assert refusal.title.endswith(".")
        assert refusal.next_step.endswith(".")
        assert "consent" not in (refusal.title + refusal.next_step).lower()


@pytest.mark.parametrize(
    ("one", "pointer"),
    [
        (replace(GOOD, until=date(2026, 11, 30)), "/until"),
        (replace(GOOD, purpose="marketing"), "/purpose"),
        (replace(GOOD, able_to_decide="not_sure"), "/agreed/able_to_decide"),
        (replace(GOOD, categories=frozenset()), "/categories"),
        (replace(GOOD, agreed_on=date(2026, 12, 2)), "/agreed/on"),
        (replace(GOOD, duties_explained=False), "/agreed/duties_explained"),
        (replace(GOOD, able_to_decide="no_best_interests"), "/agreed/best_interests"),
        (replace(GOOD, young_person_refused=True), "/agreed/young_person_refused"),
        (replace(GOOD, state=ConsentState.WITHDRAWN), ""),
    ],
)
def test_a_refusal_points_at_what_to_put_right(consent: Consent, one: Standing, pointer: str) -> None:
    # given one thing wrong, when it is refused, then the pointer leads to it in the consent as it is sent
    (refusal,) = permits(one, purposes=PURPOSES, now=NOON)
    assert refusal.pointer == pointer
    at: object = asdict(consent)
    for name in pointer.split("/")[1:]:
        assert isinstance(at, dict)
        at = at[name]


def test_r15_a_withdrawn_consent_returns_nothing_unless_it_is_said_to_be_about_stopping() -> None:
    assert may_return(ConsentState.WITHDRAWN, ("outcome",)) == ()
    assert may_return(ConsentState.GIVEN, ("outcome",)) == ("outcome",)


def test_r16_an_end_is_told_of_so_many_working_days_before() -> None:
    # given noon on a Tuesday, then three working days reach to the end of Friday, and over a weekend to Monday's
    calendar = england_and_wales()
    assert ending_by(NOON, calendar, 3) == datetime(2026, 12, 5, tzinfo=UTC)
    assert ending_by(NOON, calendar, 4) == datetime(2026, 12, 8, tzinfo=UTC)
