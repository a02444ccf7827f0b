"""Outcome flags as one plain sentence: no flag, comment or enquiry ever comes back (R21)."""

from __future__ import annotations

import json

import pytest
from hub_childrens_lcs.reading import CONTACT_OUTCOMES, PANEL_OUTCOMES, Form, read_lookup, read_outcome, read_reply
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.answer import PROVES
from hub.sdk import Answer, AnswerState, CallbackRequest, Delivered, Halt, InDoubt, Level, Outcome, Response, RetryLater

DECIDED = "They have it and have decided their next step."
#: The flags of a contact, as the extract of the council's system names them.
FLAGS = (
    *("NEW_REFERRAL", "EXISTING_REFERRAL", "CP_ENQUIRY", "NFA", "ADVICE", "NON_AGENCY_ADOPTION"),
    *("PRIVATE_FOSTERING", "MISSING", "OLA_CP", "OTHER"),
)
ENQUIRIES = ("CP_ENQUIRY", "OLA_CP", "MISSING", "PRIVATE_FOSTERING", "NON_AGENCY_ADOPTION")


def said(flags: object, form: Form = Form.CONTACT, **more: object) -> Answer:
    body = json.dumps({"idempotencyKey": "k1", "outcomes": flags} | more).encode()
    (answer,) = read_outcome(form, CallbackRequest({"webhook-id": "m1"}, body)).answers
    return answer


@pytest.mark.parametrize("flag", FLAGS)
def test_r21_every_flag_is_a_decision_told_in_the_same_words(flag: str) -> None:
    answer = said([flag])
    assert (answer.text, PROVES[answer.state]) == (DECIDED, Level.L3)


@given(st.sets(st.sampled_from(FLAGS)), st.sampled_from(ENQUIRIES))
def test_r21_an_enquiry_reads_as_any_other_referral_whatever_stands_beside_it(others: set[str], enquiry: str) -> None:
    # given any flags, then with an enquiry beside them it reads, to the letter, as with an ordinary referral
    assert said(sorted(others | {enquiry})) == said(sorted(others | {"NEW_REFERRAL"}))


@given(st.lists(st.sampled_from(FLAGS), min_size=1))
def test_the_order_in_which_flags_are_sent_changes_nothing(flags: list[str]) -> None:
    assert said(flags) == said(flags[::-1])


def test_r21_comments_are_never_read() -> None:
    answer = said(["CP_ENQUIRY"], comments="Zz9 strategy meeting on Friday", team="Duty team", outcomeNote="Zz9")
    assert "Zz9" not in repr(answer)
    assert "ENQUIRY" not in repr(answer).upper()
    assert answer.owner == "Duty team"


@pytest.mark.parametrize(
    ("flag", "state"),
    [
        ("RECORDED", AnswerState.RECEIVED),
        ("NEW_REFERRAL", AnswerState.ACCEPTED),
        ("EXISTING_REFERRAL", AnswerState.ACCEPTED),
        ("ADVICE", AnswerState.SIGNPOSTED),
        ("NFA", AnswerState.DECLINED),
        ("OTHER", AnswerState.DECLINED),
        ("STOPPED", AnswerState.COMPLETED),
        ("KEPT", AnswerState.DECLINED),
        ("QUESTION", AnswerState.NEEDS_INFO),
        ("SOMETHING_NEW", AnswerState.RECEIVED),
    ],
)
def test_what_each_means(flag: str, state: AnswerState) -> None:
    assert said([flag]).state is state


@pytest.mark.parametrize("flags", [None, "NFA", [], [7, None], {"NFA": True}])
def test_an_outcome_is_not_refused_for_its_form(flags: object) -> None:
    assert said(flags).reason == "unrecognised-status"


@pytest.mark.parametrize("flag", ["ALLOCATED", "NOT_ALLOCATED", "WITH_PANEL"])
def test_r29_a_front_door_cannot_speak_for_the_panel(flag: str) -> None:
    assert said([flag]).stage == ""
    assert said([flag], Form.PANEL).stage == flag.lower()


@pytest.mark.parametrize(
    "body", [b"", b"[1]", b'{"outcomes": ["NFA"]}', b'{"idempotencyKey": 7}', b"[" * 100_000, b"\xff"]
)
def test_what_names_nothing_of_ours_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="names no contact"):
        read_outcome(Form.CONTACT, CallbackRequest({"webhook-id": "m"}, body))


def test_r61_no_code_or_judgement_is_left_in_our_words() -> None:
    for answer in (*CONTACT_OUTCOMES.rows.values(), *PANEL_OUTCOMES.rows.values()):
        assert answer.text.endswith(".")
        assert not {"nfa", "enquiry", "failed", "refused", "_"} & set(answer.text.lower().split())


def reply(status: int, body: object = None) -> Response:
    return Response(status, {}, b"" if body is None else json.dumps(body).encode())


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (reply(202, {"id": "c-1"}), Delivered("c-1", Level.L1)),
        (reply(201, {"id": "c-1", "recordedAt": "2026-11-20T15:00:00Z"}), Delivered("c-1", Level.L2)),
        (reply(409, {"id": "c-1", "idempotencyKey": "k", "code": "duplicate"}), Delivered("c-1", Level.L1)),
        (reply(201, {"id": "c-1", "idempotencyKey": "other"}), InDoubt("reply-names-another-contact")),
        (reply(200), InDoubt("reply-holds-no-receipt")),
        (reply(403), Halt("http-403")),
        (reply(500), InDoubt("http-500")),
    ],
)
def test_what_a_reply_proves(response: Response, outcome: Outcome) -> None:
    from datetime import UTC, datetime

    assert read_reply(Form.CONTACT, response, "k", datetime(2026, 11, 20, tzinfo=UTC)) == outcome


@pytest.mark.parametrize(
    ("response", "outcome"),
    [
        (reply(200, {"found": []}), RetryLater("not-arrived")),
        (reply(200, {"found": [{"id": "c-1", "idempotencyKey": "k"}]}), Delivered("c-1", Level.L1)),
        (reply(200, {"found": [{"id": "c-1", "idempotencyKey": "other"}]}), InDoubt("look-up-unreadable")),
        (reply(200, {}), InDoubt("look-up-unreadable")),
        (reply(500), InDoubt("http-500")),
    ],
)
def test_only_an_empty_list_says_that_it_did_not_arrive(response: Response, outcome: Outcome) -> None:
    from datetime import UTC, datetime

    assert read_lookup(Form.CONTACT, response, "k", datetime(2026, 11, 20, tzinfo=UTC)) == outcome
