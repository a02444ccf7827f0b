"""The one line that says why a share stands where it does, for every state a delivery can be in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.cli.standing import Standing
from hub.cli.why import Situation, why
from hub.domain.delivery import DeliveryState

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
SHARE = {"id": "s1", "reference": "K7M-4QX", "sent_at": NOW, "withdrawn_at": None}


def delivery(state: str, **changes: Any) -> dict[str, Any]:
    """Return a delivery's row in a state."""
    row = {
        "id": f"d-{state}",
        "service_id": "city-housing",
        "connection_id": "housing",
        "state": state,
        "answer_state": "awaited",
        "attempt": 3,
        "due_at": NOW + timedelta(minutes=5),
        "reason": "http-503",
        "delivered_at": NOW,
    }
    return row | changes


def situation(state: str = "ready", reason: str = "", *, served: bool | None = True, alerted: str = "") -> Situation:
    """Return a situation in which the one connection stands as said."""
    standing = Standing("housing", "city-housing", "housing", "duty-to-refer", state, reason)  # type: ignore[arg-type]
    return Situation(NOW, served, {"housing": standing}, frozenset({alerted} - {""}))


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (delivery("dead_lettered"), "Stuck: city-housing cannot be given it (http-503), and it will not be tried"),
        (delivery("in_doubt"), "Stuck: city-housing may or may not have it (http-503); the partner is asked again at"),
        (delivery("retrying"), "Stuck: city-housing could not take it: attempt 3 failed (http-503); next try at"),
        (delivery("queued", due_at=NOW - timedelta(hours=1)), "Stuck: city-housing was due at 2026-11-20 14:00:00Z"),
        (delivery("retrying", due_at=NOW - timedelta(hours=1)), "Stuck: city-housing was due at 2026-11-20 14:00:00Z"),
        (delivery("queued"), "Not stuck: city-housing waits its turn"),
        (delivery("sending"), "Not stuck: city-housing is being sent it, attempt 3."),
        (delivery("cancelled"), "Not stuck: city-housing was cancelled before it went."),
        (delivery("delivered"), "Not stuck: city-housing has it since 2026-11-20 15:00:00Z; nobody has answered yet"),
        (delivery("delivered", answer_state="accepted"), "Not stuck: city-housing answered: accepted."),
    ],
)
def test_every_state_says_what_happens_next(row, words) -> None:
    assert why(SHARE, [row], situation()).startswith(words)


@pytest.mark.parametrize("state", [str(state) for state in DeliveryState])
def test_every_state_has_words_of_its_own(state) -> None:
    assert "city-housing" in why(SHARE, [delivery(state)], situation())


def test_silence_with_an_open_alert_is_stuck() -> None:
    line = why(SHARE, [delivery("delivered")], situation(alerted="d-delivered"))

    assert line.startswith("Stuck: city-housing has it since")
    assert line.endswith("an alert is open.")


@pytest.mark.parametrize("state", ["held", "queued", "retrying"])
def test_a_held_connection_is_named_with_its_reason(state) -> None:
    reason = "credentials: mend it, then `hub connection resume housing`"

    line = why(SHARE, [delivery(state)], situation("held", reason))

    assert line == f"Stuck: city-housing waits: the connection housing is held: {reason}."


def test_a_connection_without_a_plugin_says_what_to_do() -> None:
    line = why(SHARE, [delivery("queued")], situation("not allowed", "the plugin housing is not installed"))

    assert line == "Stuck: city-housing waits: the plugin housing is not installed."


def test_a_connection_that_was_taken_out_is_named() -> None:
    line = why(SHARE, [delivery("queued")], Situation(NOW, served=True))

    assert line == "Stuck: city-housing waits: the connection housing is no longer in services/: put it back."


def test_a_hub_that_does_not_run_is_the_reason_unless_nobody_can_tell() -> None:
    stopped = why(SHARE, [delivery("queued")], situation(served=False))
    unknown = why(SHARE, [delivery("queued")], situation(served=None))

    assert stopped == "Stuck: city-housing waits: the hub is not running: `hub serve`."
    assert unknown.startswith("Not stuck: city-housing waits its turn")


def test_the_worst_of_several_deliveries_comes_first() -> None:
    rows = [delivery("delivered", answer_state="accepted"), delivery("retrying"), delivery("dead_lettered")]

    assert "cannot be given it" in why(SHARE, rows, situation())


def test_a_withdrawn_share_says_so() -> None:
    line = why(SHARE | {"withdrawn_at": NOW}, [delivery("cancelled")], situation())

    assert line == "Not stuck: consent was withdrawn at 2026-11-20 15:00:00Z."


def test_a_share_that_no_service_could_be_given() -> None:
    assert why(SHARE, [], situation()) == "Nothing was sent: no service could be given it."


def test_r59_what_is_forgotten_is_not_stuck_whatever_its_state() -> None:
    line = why(SHARE | {"is_forgotten": True}, [delivery("in_doubt")], situation())
    assert line.startswith("Not stuck: its story is forgotten")
