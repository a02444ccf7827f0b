"""Every HTTP status as an outcome, and the table of councils' words."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hub_housing.reading import ANSWERS, read_lookup, read_reply

from hub.sdk import AnswerState, Delivered, Halt, InDoubt, Level, Outcome, Rejected, Response, RetryLater
from hub.sdk.vocabulary import UNRECOGNISED

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)


def reply(status: int, body: object = None, **headers: str) -> Response:
    return Response(status, headers, b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (reply(201, {"id": "d-1", "idempotencyKey": "k"}), Delivered("d-1", Level.L1)),
        (reply(201, {"id": "d-1"}), Delivered("d-1", Level.L1)),
        (reply(200, {"id": "d-1", "receivedAt": "2026-11-20T15:00:00Z"}), Delivered("d-1", Level.L2)),
        (reply(409, {"id": "d-1", "idempotencyKey": "k", "code": "duplicate"}), Delivered("d-1", Level.L1)),
        (reply(409, {"idempotencyKey": "k", "code": "conflict"}), Rejected("http-409")),
        (reply(409, {"idempotencyKey": "other", "code": "duplicate"}), Rejected("http-409")),
        (reply(201, {"id": "d-1", "idempotencyKey": "other"}), InDoubt("reply-names-another-referral")),
        (reply(201, {}), InDoubt("reply-holds-no-receipt")),
        (reply(200), InDoubt("reply-holds-no-receipt")),
        (Response(200, {}, b"<html>signed out</html>"), InDoubt("reply-holds-no-receipt")),
        (Response(200, {}, b"[" * 100_000), InDoubt("reply-holds-no-receipt")),
        (reply(204), InDoubt("http-204")),
        (reply(302), InDoubt("http-302")),
        (reply(400), Rejected("http-400")),
        (reply(401), Halt("http-401")),
        (reply(403), Halt("http-403")),
        (reply(404), Rejected("http-404")),
        (reply(408), RetryLater("http-408")),
        (reply(413), Rejected("http-413")),
        (reply(422, {"code": "Sam Rivers is not known"}), Rejected("http-422")),
        (Response(429, {"retry-after": "90"}), RetryLater("http-429", 90.0)),
        (Response(503, {"retry-after": "Fri, 20 Nov 2026 15:00:30 GMT"}), RetryLater("http-503", 30.0)),
        (reply(500), InDoubt("http-500")),
        (reply(502), InDoubt("http-502")),
        (reply(504), InDoubt("http-504")),
    ],
)
def test_what_a_reply_proves(response: Response, outcome: Outcome) -> None:
    assert read_reply(response, "k", NOW) == outcome


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (reply(200, {"referrals": []}), RetryLater("not-arrived")),
        (reply(200, {"referrals": [{"id": "d-1", "idempotencyKey": "k"}]}), Delivered("d-1", Level.L1)),
        (reply(200, {"referrals": [{"id": "d-2", "idempotencyKey": "other"}]}), InDoubt("look-up-unreadable")),
        (reply(200, {"referrals": ["k"]}), InDoubt("look-up-unreadable")),
        (reply(200, {}), InDoubt("look-up-unreadable")),
        (reply(200), InDoubt("look-up-unreadable")),
        (reply(404), Rejected("http-404")),
        (reply(500), InDoubt("http-500")),
    ],
)
def test_only_an_empty_list_says_that_it_did_not_arrive(response: Response, outcome: Outcome) -> None:
    assert read_lookup(response, "k", NOW) == outcome


@pytest.mark.parametrize(
    ("status", "reason", "state", "code"),
    [
        ("SUBMITTED", "", "received", ""),
        ("ACCEPTED", "PREVENTION_AND_RELIEF_DUTY", "accepted", ""),
        ("ACCEPTED", "PRIORITY_NEED", "accepted", ""),
        ("ACCEPTED", "", "accepted", ""),
        ("NOT_ACCEPTED", "NO_LOCAL_CONNECTION", "declined", "no-local-connection"),
        ("NOT_ACCEPTED", "INTENTIONALLY_HOMELESS", "declined", "how-the-last-home-was-lost"),
        ("NOT_ACCEPTED", "REJECTED_FOR_ANOTHER_REASON", "declined", "another-reason"),
        ("NOT_ACCEPTED", "A_NEW_REASON", "declined", ""),
        ("WITHDRAWN", "NEW_REFERRAL", "signposted", "newer-referral"),
        ("WITHDRAWN", "INCORRECT_LOCAL_AUTHORITY", "redirect_suggested", "another-council"),
        ("WITHDRAWN", "NO_CONSENT", "declined", "person-did-not-agree"),
        ("WITHDRAWN", "DISENGAGED", "could_not_reach", "not-in-touch"),
        ("WITHDRAWN", "HOUSING_NEED_RESOLVED", "completed", "housing-found"),
        ("WITHDRAWN", "NOT_ELIGIBLE", "declined", "not-eligible"),
        ("WITHDRAWN", "OTHER", "declined", "closed-for-another-reason"),
    ],
)
def test_each_word_of_a_council_in_ours(status: str, reason: str, state: str, code: str) -> None:
    answer = ANSWERS.answer(status, reason)
    assert (answer.state, answer.reason) == (AnswerState(state), code)


def test_a_word_that_is_not_in_the_table_is_received() -> None:
    assert ANSWERS.answer("PARKED", "NO_CONSENT") is UNRECOGNISED


def test_r61_no_code_or_judgement_of_theirs_is_left_in_our_words() -> None:
    # given every word that anybody may read
    words = [part for answer in ANSWERS.rows.values() for part in (answer.text, answer.next_step) if part]
    # then each is a sentence, and none holds a partner's code or a judgement
    codes = {code.lower() for key in ANSWERS.rows for code in key if code}
    for line in words:
        assert line.endswith(".")
        assert "_" not in line
        assert not {"disengaged", "intentionally", "failed", "refuses", "non-compliant"} & set(line.lower().split())
    for answer in ANSWERS.rows.values():
        assert answer.reason.replace("-", "_") not in codes - {"no_local_connection", "not_eligible"}
        assert answer.text


def test_r63_a_referral_of_more_than_26_weeks_leads_to_a_new_one_and_not_to_silence() -> None:
    answer = ANSWERS.answer("EXPIRED")
    assert (answer.state, answer.reason) == (AnswerState.DECLINED, "too-old")
    assert "send a new one" in answer.next_step
