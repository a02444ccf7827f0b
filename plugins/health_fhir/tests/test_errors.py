"""Every row of BaRS's error map, read from the standard's own bodies and over a real socket."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hub_health_fhir.errors import RULES, issue_code, outcome_of, retry_after

from hub.sdk import Delivered, Halt, InDoubt, Level, Rejected, Response, RetryLater
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)

R, W, H, X = "retry", "wait", "halt", "reject"

#: (status, issue.code, what becomes of it, reason): partner contracts 2.1, written out once more by hand.
ROWS = [
    *((400, issue, X, f"bad-request:{issue}") for issue in ("required", "invalid", "value", "invariant")),
    (400, "structure", X, "bad-request:structure"),
    (400, "not-supported", X, "bad-request:not-supported"),
    *((401, issue, H, f"unauthorised:{issue}") for issue in ("expired", "login", "security", "unknown")),
    (401, "forbidden", H, "partner-access-control"),
    (403, "forbidden", H, "not-allowed:forbidden"),
    (403, "security", H, "not-allowed:security"),
    (404, "not-found", X, "routing:not-found"),
    (404, "multiple-matches", X, "routing:multiple-matches"),
    (405, "not-supported", X, "method-not-allowed:not-supported"),
    (406, "processing", X, "not-acceptable:processing"),
    (408, "timeout", R, "receiver-timeout:timeout"),
    (409, "conflict", X, "conflict-human-review"),
    (422, "not-supported", X, "unprocessable:not-supported"),
    (422, "too-costly", X, "unprocessable:too-costly"),
    (425, "duplicate", W, "too-early:duplicate"),
    (429, "throttled", R, "throttled:throttled"),
    (500, "exception", R, "receiver-error:exception"),
    (500, "transient", R, "receiver-error:transient"),
    (500, "no-store", R, "receiver-error:no-store"),
    (501, "not-supported", X, "not-implemented:not-supported"),
    (503, "transient", R, "unavailable:transient"),
]


def wanted(kind: str, reason: str, after: float | None = None) -> object:
    return {
        R: RetryLater(reason, after=after),
        W: RetryLater(reason, after=after, counts=False),
        H: Halt(reason),
        X: Rejected(reason),
    }[kind]


def fault(status: int, issue: str | None, code: str = "REC_ANYTHING", **headers: str) -> Response:
    coding = {"coding": [{"system": "https://fhir.nhs.uk/Codesystem/http-error-codes", "code": code}]}
    body = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": issue, "details": coding}]}
    return Response(status, headers, json.dumps(body).encode())


def judge(response: Response, *, echoed: bool = True) -> object:
    return outcome_of(response, echoed=echoed, now=NOW)


def test_the_table_here_has_every_row_of_the_map() -> None:
    listed = {(status, issue) for status, issue, _, _ in ROWS} | {(409, "duplicate")}
    assert {key for key in RULES if key[1]} == listed


@pytest.mark.parametrize(("status", "issue", "kind", "reason"), ROWS)
@pytest.mark.parametrize("code", ["REC_A", "SEND_B", "PROXY_C", ""])
def test_a_row_is_keyed_on_status_and_issue_and_not_on_the_string(
    status: int, issue: str, kind: str, reason: str, code: str
) -> None:
    assert judge(fault(status, issue, code)) == wanted(kind, reason)


@pytest.mark.anyio
@pytest.mark.parametrize(("status", "issue", "kind", "reason"), [*ROWS, (409, "duplicate", "arrived", "")])
async def test_a_row_over_a_real_socket(
    *,
    status: int,
    issue: str,
    kind: str,
    reason: str,
    sandbox_once: SandboxProcess,
    bars: Callable[..., Any],
    context: Callable[..., PlainContext],
    parcel: Callable[..., Any],
) -> None:
    # given: a target value that asks the receiver for this error
    sent = parcel(f"NHS0001-{status}-{issue}")
    async with context() as lent:
        # when
        outcome = await bars(sandbox_once.url).deliver(sent, lent)
    # then
    after = 7.0 if status in {429, 503} else None
    assert outcome == (Delivered(level=Level.L1) if kind == "arrived" else wanted(kind, reason, after))


def test_409_duplicate_is_delivery() -> None:
    assert judge(fault(409, "duplicate")) == Delivered(level=Level.L1)


def test_any_other_409_needs_a_human() -> None:
    assert judge(fault(409, "business-rule")) == Rejected("conflict-human-review")


@pytest.mark.anyio
@pytest.mark.parametrize("attempt", [1, 6, 40])
async def test_a_receivers_own_fault_is_tried_again_however_many_questions_went_before(
    attempt: int,
    sandbox_once: SandboxProcess,
    bars: Callable[..., Any],
    context: Callable[..., PlainContext],
    parcel: Callable[..., Any],
) -> None:
    # given: its first fault, at an attempt that earlier 425s have put off
    async with context() as lent:
        outcome = await bars(sandbox_once.url).deliver(parcel("NHS0001-500-exception", attempt=attempt), lent)
    # then: the hub, which counts the tries, is asked for another
    assert outcome == RetryLater("receiver-error:exception")


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (410, Rejected("refused:410")),
        (413, Rejected("refused:413")),
        (504, RetryLater("receiver-error:504")),
        (302, InDoubt("unexpected-status")),
        (202, InDoubt("unexpected-status")),
    ],
)
def test_a_status_that_the_standard_does_not_list(status: int, outcome: object) -> None:
    assert judge(fault(status, "processing")) == outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, RetryLater("intermediary-answered")),
        (429, RetryLater("intermediary-answered")),
        (503, RetryLater("intermediary-answered")),
        (401, Halt("unauthorised")),
        (408, InDoubt("intermediary-answered")),
        (409, InDoubt("intermediary-answered")),
        (425, InDoubt("intermediary-answered")),
        (500, InDoubt("intermediary-answered")),
        (502, InDoubt("intermediary-answered")),
        (504, InDoubt("intermediary-answered")),
    ],
)
def test_who_does_not_echo_our_ids_or_writes_no_operation_outcome_is_an_intermediary(
    status: int, outcome: object
) -> None:
    assert judge(Response(status, {}, b"<html>gateway</html>")) == outcome
    assert judge(fault(status, "duplicate"), echoed=False) == outcome
    assert judge(Response(status, {}, b"[" * 100_000)) == outcome


@pytest.mark.parametrize(
    ("file", "status", "outcome"),
    [
        ("oo-401-SEND_UNAUTHORIZED-expired.json", 401, Halt("unauthorised:expired")),
        ("oo-408-REC_TIMEOUT-timeout.json", 408, RetryLater("receiver-timeout:timeout")),
        ("oo-409-REC_CONFLICT-duplicate.json", 409, Delivered(level=Level.L1)),
        ("oo-503-REC_SERVICE_UNAVAILABLE-transient.json", 503, RetryLater("unavailable:transient")),
    ],
)
def test_the_publishers_own_bodies(file: str, status: int, outcome: object, samples: Path) -> None:
    assert judge(Response(status, {}, (samples / file).read_bytes())) == outcome


def test_an_issue_list_of_any_shape_is_read() -> None:
    for issues in (None, [], "x", [None], [{"code": 3}], {}):
        body = json.dumps({"resourceType": "OperationOutcome", "issue": issues}).encode()
        assert issue_code(Response(400, {}, body)) == ""
    several = {"resourceType": "OperationOutcome", "issue": [{"code": "informational"}, {"code": "duplicate"}]}
    assert issue_code(Response(409, {}, json.dumps(several).encode())) == "duplicate"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("99999999999999999999", 86_400.0),
        ("soon", None),
        ("", None),
        ("-3", None),
        ("²", None),
    ],
)
def test_retry_after_is_honoured_and_bounded(value: str, seconds: float | None) -> None:
    assert retry_after(Response(429, {"retry-after": value}), NOW) == seconds
    assert judge(fault(429, "throttled", **{"retry-after": value})) == RetryLater("throttled:throttled", after=seconds)


def test_no_reason_ever_holds_what_the_partner_wrote() -> None:
    # given: a partner that writes a person's name where a code belongs
    outcome = judge(fault(400, "Sam Rivers 9434765919"))
    # then
    assert outcome == Rejected("bad-request")
