"""Which user id each connection's process gets, and what may stand under [isolation]."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hub.uids import IsolationTable

NAMES = st.lists(st.from_regex(r"[a-z][a-z0-9-]{1,20}", fullmatch=True), unique=True, min_size=1, max_size=30)


@given(names=NAMES, room=st.integers(0, 40))
def test_no_two_connections_share_a_user_id_and_none_is_outside_the_range(names: list[str], room: int) -> None:
    table = IsolationTable(uids=f"61000-{61000 + len(names) - 1 + room}")
    given_ids = table.uids_of(names)
    assert set(given_ids) == set(names)
    assert len(set(given_ids.values())) == len(names)
    assert all(61000 <= uid <= 61000 + len(names) - 1 + room for uid in given_ids.values())
    assert table.uids_of(reversed(names)) == given_ids
    assert table.faults(names) == []


def test_a_connection_keeps_its_user_id_while_others_come_and_go() -> None:
    table = IsolationTable(uids="61000-61999")
    some = table.uids_of(["housing", "treatment", "probation"])
    assert table.uids_of(["housing", "a-refuge", "probation"])["housing"] == some["housing"]
    assert IsolationTable().uids_of(["housing"]) == {}


@pytest.mark.parametrize("text", ["0-100", "999-2000", "61999-61000", "61000", "a-b", "61000-4294967295", "-"])
def test_a_range_that_could_be_somebody_is_refused(text: str) -> None:
    with pytest.raises(ValidationError, match="such as"):
        IsolationTable(uids=text)


def test_strict_is_for_all_or_for_those_that_it_lists() -> None:
    assert not IsolationTable().is_strict("housing")
    assert IsolationTable(strict=True).is_strict("housing")
    listed = IsolationTable(strict=("housing",))
    assert [listed.is_strict(name) for name in ("housing", "treatment")] == [True, False]
    # and a name that no connection has is told, so that nobody trusts in what is not there
    assert listed.faults(["treatment"]) == ["hub.toml: isolation.strict: there is no connection housing"]
    assert "fewer user ids" in IsolationTable(uids="61000-61001").faults(["a-1", "a-2", "a-3"])[0]
