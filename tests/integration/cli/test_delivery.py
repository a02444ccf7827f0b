"""`hub delivery settle`: an operator says what became of a delivery in doubt, and the record says so."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(("said", "state"), [("--arrived", "delivered"), ("--not-arrived", "retrying")])
def test_a_doubt_is_settled_and_recorded(instance, share, said, state) -> None:
    share(state="in_doubt")
    (row,) = instance.rows("deliveries")

    assert instance.json("delivery", "settle", row["id"], said) == {"delivery": row["id"], "state": state}

    assert [each["state"] for each in instance.rows("deliveries")] == [state]
    recorded = [(each["action"], each["actor"]) for each in instance.rows("audit_events")]
    assert ("doubt.settled", "operator:cli") in recorded


def test_what_is_not_in_doubt_is_left_alone(instance, share) -> None:
    share(state="queued")
    (row,) = instance.rows("deliveries")

    result = instance.hub("delivery", "settle", row["id"], "--arrived")

    assert result.exit_code == 1
    assert "not in doubt" in result.stderr
    assert instance.rows("deliveries") == [row]


def test_it_must_be_said_which(instance, share) -> None:
    share(state="in_doubt")
    (row,) = instance.rows("deliveries")

    assert instance.hub("delivery", "settle", row["id"]).exit_code == 2
    assert instance.rows("deliveries") == [row]
