"""Consent: only a live one permits, every reason comes at once, in plain words."""

from __future__ import annotations

import itertools
import re
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.consent import REFUSALS, ConsentState, Standing, permits, standing
from hub.domain.share import Category, Consent

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
    assert types(replace(GOOD, able_to_decide="no_best_interests")) == []


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
        # then each rule, read by itself, is there exactly when it applies
        expected = {
            "consent-refused": state == "refused",
            "consent-withdrawn": state == "withdrawn",
            "consent-superseded": state == "superseded",
            "consent-expired": state == "expired" or until == days[0],
            "consent-from-the-future": start == days[2],
            "consent-purpose": purpose == "other",
            "consent-not-sure": able == "not_sure",
            "consent-no-categories": not wide,
            "duties-not-explained": not told,
        }
        assert sorted(got) == sorted(name for name, applies in expected.items() if applies)
        rows += 1
    assert rows == 5 * 3 * 3 * 2 * 3 * 2 * 2


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
    ),
    st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),
)
def test_r16_once_expired_a_consent_never_permits_again(one: Standing, now: datetime) -> None:
    if "consent-expired" in types(one, now):
        assert "consent-expired" in types(one, now + timedelta(days=1))
    assert len(types(one, now)) == len(set(types(one, now)))


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
