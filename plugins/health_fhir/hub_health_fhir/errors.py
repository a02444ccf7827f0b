"""What a BaRS reply that is not a plain success means for a delivery: the published error map as one table (BaRS 1.4).

The map is keyed on the HTTP status and the OperationOutcome's `issue.code`. The `SEND_`, `PROXY_` and `REC_` words are
not read: their spelling differs between the standard's own tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import Enum, auto
from typing import Any

from hub.sdk import Delivered, Halt, InDoubt, Level, Outcome, Rejected, Response, RetryLater


class Move(Enum):
    """What the hub does about one row of the table."""

    ARRIVED = auto()  #: the receiver already has it: stop
    WAIT = auto()  #: the first try is still being worked on: costs no attempt
    RETRY = auto()  #: nobody could take it, or the receiver failed: the same body and ids again
    RENEW = auto()  #: the token is not good: a fresh one once, then hold the connection
    HALT = auto()  #: the connection is not allowed in: hold it and tell the operator
    REFUSED = auto()  #: sending it again cannot help: a person looks


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: what to do and the stable reason that the operator sees."""

    move: Move
    reason: str


ANY = ""  #: stands for every `issue.code` that a status has no row of its own for


def _rows(status: int, issues: tuple[str, ...], move: Move, reason: str) -> dict[tuple[int, str], Rule]:
    """Give each issue code of one status its row; the first issue's row also stands for codes not listed."""
    rows = {(status, issue): Rule(move, f"{reason}:{issue}") for issue in issues}
    return {(status, ANY): Rule(move, reason), **rows}


#: (HTTP status, issue.code) -> what it means. Partner contracts 2.1, BaRS 1.4 error handling.
RULES: Mapping[tuple[int, str], Rule] = {
    **_rows(
        400,
        ("required", "invalid", "value", "invariant", "structure", "not-supported"),
        Move.REFUSED,
        "bad-request",
    ),
    **_rows(401, ("expired", "login", "security", "unknown"), Move.RENEW, "unauthorised"),
    (401, "forbidden"): Rule(Move.HALT, "partner-access-control"),
    **_rows(403, ("forbidden", "security"), Move.HALT, "not-allowed"),
    **_rows(404, ("not-found", "multiple-matches"), Move.REFUSED, "routing"),
    **_rows(405, ("not-supported",), Move.REFUSED, "method-not-allowed"),
    **_rows(406, ("processing",), Move.REFUSED, "not-acceptable"),
    **_rows(408, ("timeout",), Move.RETRY, "receiver-timeout"),
    (409, "duplicate"): Rule(Move.ARRIVED, "duplicate"),
    (409, "conflict"): Rule(Move.REFUSED, "conflict-human-review"),
    (409, ANY): Rule(Move.REFUSED, "conflict-human-review"),
    **_rows(422, ("not-supported", "too-costly"), Move.REFUSED, "unprocessable"),
    **_rows(425, ("duplicate",), Move.WAIT, "too-early"),
    **_rows(429, ("throttled",), Move.RETRY, "throttled"),
    **_rows(500, ("exception", "transient", "no-store"), Move.RETRY, "receiver-error"),
    **_rows(501, ("not-supported",), Move.REFUSED, "not-implemented"),
    **_rows(503, ("transient",), Move.RETRY, "unavailable"),
}


def rule_for(status: int, issue: str) -> Rule | None:
    """Find the row for a reply; a status the standard does not list goes by its class, and None means in doubt."""
    rule = RULES.get((status, issue)) or RULES.get((status, ANY))
    if rule is None and 400 <= status < 500:
        return Rule(Move.REFUSED, f"refused:{status}")
    if rule is None and 500 <= status < 600:
        return Rule(Move.RETRY, f"receiver-error:{status}")
    return rule


def issue_code(response: Response) -> str | None:
    """Return the OperationOutcome's issue code that the table knows (else its first), or None when it is not one."""
    try:
        document: Any = response.json()
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("resourceType") != "OperationOutcome":
        return None
    issues = document.get("issue")
    found = [issue.get("code") for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []
    codes = [code for code in found if isinstance(code, str)]
    known = [code for code in codes if (response.status, code) in RULES]
    return (known or codes or [ANY])[0]


def outcome_of(response: Response, *, echoed: bool, now: datetime) -> Outcome:
    """Say what a reply other than a success means.

    `echoed` tells whether both request ids came back; `now` is UTC and turns a Retry-After date into seconds. How often
    a receiver's own fault (500) is tried again is the hub's to say: it alone counts what was tried.
    """
    issue = issue_code(response)
    after = retry_after(response, now)
    if issue is None or not echoed:
        return _from_intermediary(response.status, after)
    rule = rule_for(response.status, issue)
    if rule is None:
        return InDoubt("unexpected-status")
    return _apply(rule, after)


def _apply(rule: Rule, after: float | None) -> Outcome:
    """Turn a row into the outcome that the core knows."""
    match rule.move:
        case Move.ARRIVED:
            return Delivered(level=Level.L1)
        case Move.WAIT | Move.RETRY:
            return RetryLater(rule.reason, after=after, counts=rule.move is not Move.WAIT)
        case Move.RENEW | Move.HALT:
            return Halt(rule.reason)
        case Move.REFUSED:
            return Rejected(rule.reason)


def _from_intermediary(status: int, after: float | None) -> Outcome:
    """Judge a reply that neither the platform nor the receiver wrote: a communications failure (BaRS 1.4).

    A refusal means that it was not passed on, so it is safe to try again; anything else may have been.
    """
    if status == 401:
        return Halt("unauthorised")
    if status == 503 or (400 <= status < 500 and status not in {408, 409, 425}):
        return RetryLater("intermediary-answered", after=after)
    return InDoubt("intermediary-answered")


def retry_after(response: Response, now: datetime) -> float | None:
    """Read Retry-After as seconds from `now` (RFC 9110 10.2.3): whole seconds or a date; None when unreadable."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(min(int(value[:9]), 86_400))
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    when = when if when.tzinfo else when.replace(tzinfo=UTC)
    return min(max((when - now).total_seconds(), 0.0), 86_400.0)
