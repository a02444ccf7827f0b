"""Wording: every situation has a plain sentence, no code and no judgement in it, at a reading age of nine."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import minimise, override, trusted_person
from hub.domain.alert import AlertKind, title
from hub.domain.answer import AnswerState, Level
from hub.domain.consent import REFUSALS as CONSENT_REFUSALS
from hub.domain.delivery import DeliveryKind, DeliveryState
from hub.domain.minimise import Why
from hub.domain.reference import MALFORMED
from hub.domain.wording import (
    HANDLING_WORDS,
    STIGMA,
    WITHHELD_WORDS,
    Situation,
    day,
    heard,
    moment,
    plain,
    stigma_words,
)

REFUSALS = (*CONSENT_REFUSALS, *trusted_person.REFUSALS, *override.REFUSALS)
DUE = datetime(2026, 11, 25, 17, tzinfo=UTC)


def every_situation() -> list[Situation]:
    """Each kind that is sent, in each state with each answer, on time and late, with and without the rest."""
    return [
        Situation("Housing", delivery, answer, owner, due, overdue, on, phone, kind=kind)
        for kind, delivery, answer, overdue, (owner, due, on, phone) in itertools.product(
            (DeliveryKind.SHARE, DeliveryKind.PLEASE_STOP_USING, DeliveryKind.REPLY),
            DeliveryState,
            AnswerState,
            (False, True),
            itertools.product(("They", "their duty officer"), (None, DUE), (None, date(2026, 12, 1)), ("", "01223 0")),
        )
    ]


def hub_strings() -> list[str]:
    """Every string of the domain that a worker reads."""
    said = {plain(one) for one in every_situation()}
    said |= {
        words for refusal in (*REFUSALS, *minimise.REFUSALS, MALFORMED) for words in (refusal.title, refusal.next_step)
    }
    said |= set(WITHHELD_WORDS.values()) | set(HANDLING_WORDS.values()) | {heard("Jo", "phone", DUE)}
    return sorted(said | {title(kind, level) for kind in AlertKind for level in Level})


def test_r61_every_situation_is_a_sentence_without_codes() -> None:
    for one in every_situation():
        text = plain(one)
        assert re.fullmatch(r"[A-Z][^_{}]+\.", text), one
        assert not re.search(r"\s\s|\.\.|\b[A-Z]{2,}\b|\bL[0-4]\b", text), one
        assert "Housing" in text


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (
            Situation("Housing", DeliveryState.DELIVERED, AnswerState.RECEIVED, "Their duty officer", DUE),
            "Housing has it. Their duty officer will reply by Wednesday 25 November.",
        ),
        (
            Situation("Housing", DeliveryState.DELIVERED, AnswerState.AWAITED, due=DUE, overdue=True),
            "This has reached Housing. They should have replied by Wednesday 25 November. Your champion has been told.",
        ),
        (
            Situation("Housing", DeliveryState.RETRYING, overdue=True, phone="01223 000000"),
            "Housing does not have this yet. We could not get through and will try again. Ring them on 01223 000000.",
        ),
        (
            Situation("Housing", DeliveryState.DELIVERED, AnswerState.ACCEPTED, next_date=date(2026, 12, 1)),
            "Housing has said yes. The next step is on Tuesday 1 December.",
        ),
        (
            Situation("the {duty} desk", DeliveryState.QUEUED),
            "The {duty} desk does not have this yet. It is safe with us and on its way.",
        ),
    ],
)
def test_r61_what_is_said(one: Situation, expected: str) -> None:
    assert plain(one) == expected


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (
            Situation("Housing", DeliveryState.DELIVERED, due=DUE, kind=DeliveryKind.PLEASE_STOP_USING),
            "We have asked Housing to stop using it. They will reply by Wednesday 25 November.",
        ),
        (
            Situation(
                "Housing", DeliveryState.DEAD_LETTERED, phone="01223 000000", kind=DeliveryKind.PLEASE_STOP_USING
            ),
            "We could not ask Housing to stop using it, and have stopped trying. Ring them on 01223 000000.",
        ),
        (
            Situation("Housing", DeliveryState.DELIVERED, AnswerState.COMPLETED, kind=DeliveryKind.PLEASE_STOP_USING),
            "Housing has stopped using it. You can tell the person so.",
        ),
        (
            Situation("Housing", DeliveryState.DELIVERED, AnswerState.DECLINED, kind=DeliveryKind.PLEASE_STOP_USING),
            "Housing will keep it. You can ask them to put the reason in writing.",
        ),
        (
            Situation("Housing", DeliveryState.DELIVERED, due=DUE, kind=DeliveryKind.REPLY),
            "Housing has a copy of what was written down.",
        ),
    ],
)
def test_r15_r64_what_follows_a_share_reads_well(one: Situation, expected: str) -> None:
    assert plain(one) == expected


def test_r44_what_did_not_arrive_is_never_said_to_have_arrived() -> None:
    for one in every_situation():
        if one.answer is AnswerState.AWAITED and one.delivery is not DeliveryState.DELIVERED:
            assert not re.search(r"has (it|reached)\b|said yes|will reply", plain(one)), one
        if one.overdue and one.phone and one.answer is AnswerState.AWAITED and one.delivery is DeliveryState.QUEUED:
            assert "Ring them on" in plain(one)


def test_r44_late_is_said_only_when_late() -> None:
    for one in every_situation():
        assert ("champion" not in plain(one)) or one.overdue


def test_each_state_is_told_apart() -> None:
    kinds = (DeliveryKind.SHARE, DeliveryKind.PLEASE_STOP_USING, DeliveryKind.REPLY)
    waiting = {plain(Situation("Housing", state, kind=kind)) for state in DeliveryState for kind in kinds}
    answered = {plain(Situation("Housing", DeliveryState.DELIVERED, state)) for state in AnswerState}
    assert len(waiting) == len(DeliveryState) * len(kinds)
    assert len(answered) == len(AnswerState)
    assert set(WITHHELD_WORDS) == set(Why)


def test_r61_no_string_of_ours_holds_a_word_that_judges() -> None:
    strings = hub_strings()
    assert len(strings) > 60
    assert [(text, found) for text in strings if (found := stigma_words(text))] == []
    assert not [text for text in strings if "consent" in text.lower()]


def syllables(word: str) -> int:
    """A usual estimate: groups of vowels, without a silent e at the end or in "something"."""
    word = re.sub("^some(?=[a-z])", "som", word.lower())
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = word.endswith("e") and not word.endswith(("le", "ee")) and groups > 1
    return max(1, groups - silent)


def reading_age(text: str) -> float:
    """Flesch-Kincaid grade plus five; dates and the names that services give themselves are not our words."""
    text = re.sub(r"\b[A-Z][a-z]+day \d+ [A-Z][a-z]+", "then", text.replace("Their duty officer", "They"))
    text = text.replace("information", "facts")  # long, and known to children all the same
    words = re.findall(r"[A-Za-z']+", text)
    sentences = max(1, len(re.findall(r"[.!?](?:\s|$)", text)))
    return 0.39 * len(words) / sentences + 11.8 * sum(map(syllables, words)) / len(words) - 15.59 + 5


def test_r61_reading_age_of_nine_or_less() -> None:
    # given what a worker reads as one piece: each refusal with its next step, and each situation
    pieces = [f"{refusal.title} {refusal.next_step}" for refusal in (*REFUSALS, *minimise.REFUSALS, MALFORMED)]
    pieces += [plain(one) for one in every_situation()] + list(WITHHELD_WORDS.values())
    hard = sorted({(round(reading_age(text), 1), text) for text in pieces if reading_age(text) > 9})
    assert hard == []


@pytest.mark.parametrize(
    "text",
    [
        "a chaotic lifestyle", "INTENTIONALLY_HOMELESS", "client disengaged", "Non-compliant", "noncompliance",
        "hard-to-reach groups", "he is an addict.", "ex-offenders", "the homeless", "FAILED_TO_ENGAGE",
        "problem families",
    ],
)  # fmt: skip
def test_r61_words_that_judge_are_found(text: str) -> None:
    assert len(stigma_words(text)) == 1


@pytest.mark.parametrize(
    "text", ["homelessness", "the homelessness team", "at risk", "trampoline", "could not be reached", "address", ""]
)
def test_r61_ordinary_words_are_left_alone(text: str) -> None:
    assert stigma_words(text) == []


@given(st.sampled_from(STIGMA), st.sampled_from(" _-"), st.booleans())
def test_r61_a_listed_word_is_found_however_it_is_written(word: str, joint: str, upper: bool) -> None:
    written = word.replace(" ", joint)
    assert stigma_words(f"x {written.upper() if upper else written}, y")


@given(st.dates(date(2026, 1, 1), date(2028, 12, 31)))
def test_dates_are_written_as_gov_uk_does(on: date) -> None:
    name, number, month, year = day(on, year=True).split()
    assert datetime.strptime(f"{name} {number} {month} {year}", "%A %d %B %Y").date() == on
    assert not number.startswith("0")
    assert day(on) == f"{name} {number} {month}"


def test_dates_are_londons() -> None:
    assert day(datetime(2026, 6, 11, 23, 30, tzinfo=UTC)) == "Friday 12 June"


def test_r64_what_was_heard_says_who_told_whom_and_how() -> None:
    assert heard("Jo Smith", "phone", DUE) == "The service told Jo Smith by phone on Wednesday 25 November."
    assert heard("Jo", "meeting", DUE.date(), "Ms Bell") == "Ms Bell told Jo at a meeting on Wednesday 25 November."
    assert heard("Jo", "email", DUE, "their duty desk.") == "Their duty desk told Jo by email on Wednesday 25 November."
    assert heard("Jo", "email", DUE, today=date(2027, 1, 4)).endswith("on Wednesday 25 November 2026.")


def test_a_next_step_that_is_past_is_not_promised() -> None:
    # given a service that named a date
    one = Situation("Housing", DeliveryState.DELIVERED, AnswerState.ACCEPTED, next_date=date(2026, 12, 1))
    # then on that day it is still to come, and from the day after it is what they said
    assert plain(replace(one, today=date(2026, 12, 1))).endswith("The next step is on Tuesday 1 December.")
    assert plain(replace(one, today=date(2026, 12, 2))).endswith(
        "They said the next step would be on Tuesday 1 December."
    )


def test_a_date_in_another_year_says_so() -> None:
    # given what is due and what is next in January, read in December
    due = datetime(2027, 1, 4, 17, tzinfo=UTC)
    one = Situation("Housing", DeliveryState.DELIVERED, AnswerState.RECEIVED, due=due, today=date(2026, 12, 30))
    # then the year is said, and is not once that year has come
    assert plain(one).endswith("They will reply by Monday 4 January 2027.")
    assert plain(replace(one, overdue=True)).startswith(
        "Housing has it. They should have replied by Monday 4 January 2027."
    )
    assert plain(replace(one, today=date(2027, 1, 2))).endswith("They will reply by Monday 4 January.")


@pytest.mark.parametrize("name", ["iCope", "111 Mental Health", "u3a", "Turning Point", "eReferrals desk"])
def test_a_name_at_the_start_of_a_sentence_stays_as_it_is_written(name: str) -> None:
    for state in (AnswerState.RECEIVED, AnswerState.COULD_NOT_REACH):
        assert plain(Situation(name, DeliveryState.DELIVERED, state)).startswith(f"{name} ")


@pytest.mark.parametrize(
    ("when", "said"),
    [
        (datetime(2026, 11, 20, 15, 5, tzinfo=UTC), "3:05pm on Friday 20 November"),
        (datetime(2026, 7, 3, 23, 30, tzinfo=UTC), "12:30am on Saturday 4 July"),
        (datetime(2026, 11, 20, 12, 0, tzinfo=UTC), "12:00pm on Friday 20 November"),
    ],
)
def test_an_instant_is_londons_and_written_as_gov_uk_does(when: datetime, said: str) -> None:
    assert moment(when) == said
