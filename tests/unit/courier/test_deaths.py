"""The two-deaths rule: normal, normal, alone, given up; a settled parcel starts afresh."""

from __future__ import annotations

from hub.courier.deaths import DeathRecord


def test_a_parcel_is_sent_alone_after_two_deaths_and_given_up_after_the_third() -> None:
    # given a record that has seen nothing
    record = DeathRecord()
    seen = [record.treatment("a")]
    # when the parcel is in flight at one death after another
    for _ in range(4):
        record.died(["a"])
        seen.append(record.treatment("a"))
    # then it goes normally, normally, alone, and never again
    assert seen == ["normal", "normal", "alone", "give_up", "give_up"]


def test_one_death_counts_once_for_each_parcel_and_only_for_those_in_flight() -> None:
    record = DeathRecord()
    record.died(["a", "a", "b"])
    record.died(["b"])
    assert [record.treatment(token) for token in "abc"] == ["normal", "alone", "normal"]


def test_a_settled_parcel_is_forgotten() -> None:
    record = DeathRecord()
    record.died(["a"])
    record.died(["a"])
    record.settled("a")
    record.settled("never seen")
    record.died(["a"])
    assert record.treatment("a") == "normal"
