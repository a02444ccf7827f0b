"""How SQLite finds what every submit looks for: by what is asked, never by reading all that is agreed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import event

from hub.store.engine import open_engine, sqlite_url
from hub.store.statements import ended_agreements, open_needs
from tests.databases import copied


@pytest.mark.parametrize(
    ("look", "index"), [(open_needs, "ix_consents_need"), (ended_agreements, "ix_consents_agreement")]
)
def test_a_submit_finds_earlier_consents_by_their_keyed_hash(
    migrated: Path, tmp_path: Path, look: object, index: str
) -> None:
    # given an empty store, of which SQLite has counted nothing
    engine = open_engine(sqlite_url(copied(migrated, tmp_path)))
    plans: list[str] = []

    @event.listens_for(engine, "after_cursor_execute")
    def _explain(connection, _cursor, statement, parameters, *_) -> None:  # type: ignore[no-untyped-def]
        if statement.startswith("SELECT"):
            rows = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.extend(row[3] for row in rows)

    # when a batch of shares is looked for
    with engine.connect() as connection:
        assert look(connection, [f"{number:064}" for number in range(64)]) == {}  # type: ignore[operator]
    engine.dispose()
    # then it is by the index of what is asked
    assert plans[0] == f"SEARCH consents USING INDEX {index} ({index.rpartition('_')[2]}=?)"
    assert not [plan for plan in plans if "state" in plan or "SCAN" in plan]
