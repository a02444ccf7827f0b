"""TH13: no audit, no send: what cannot be written down, or is not sealed, stops everything, and goes on by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from hub.bootstrap import store_url
from hub.services.hold import Hold, Resume, hold, resume
from hub.store.engine import open_engine
from tests.acceptance.house import House, append_to, until_true
from tests.acceptance.telling import HOUSING, a_share
from tests.databases import postgres_database

_FAILS = {
    "sqlite": ["CREATE TRIGGER no_audit BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no'); END"],
    "postgresql": [
        "CREATE FUNCTION no_audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$",
        "CREATE TRIGGER no_audit BEFORE INSERT ON audit_events FOR EACH ROW EXECUTE FUNCTION no_audit()",
    ],
}
_MENDS = {"sqlite": ["DROP TRIGGER no_audit"], "postgresql": ["DROP FUNCTION no_audit() CASCADE"]}


def change(house: House, statements: list[str]) -> None:
    """Do to the hub's database what no hub does."""
    engine = open_engine(store_url(house.hub.configuration))
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@contextmanager
def no_audit(house: House) -> Iterator[None]:
    """Let every insert of an audit event fail."""
    kind = house.hub.reader.dialect.name
    change(house, _FAILS[kind])
    try:
        yield
    finally:
        change(house, _MENDS[kind])


@pytest.fixture(params=["sqlite", "postgresql"])
def on(request: pytest.FixtureRequest, new_house: Callable[..., House]) -> Iterator[House]:
    """A hub on each database."""
    if request.param == "sqlite":
        yield new_house()
        return
    with postgres_database() as url:

        def edit(folder: Path) -> None:
            append_to(folder / "hub.toml", f'\n[store]\nurl = "{url}"\n')

        house = new_house(edit=edit)
        yield house


def waiting(house: House) -> dict[str, Any]:
    """A share that waits, on a connection that is held."""
    held = Hold(HOUSING, "asked-by-operator", "operator:0", house.hub.now.wall())
    assert house.hub.writer.submit(hold, held).result(10)
    return house.cases.send(a_share(HOUSING))


def go_on(house: House) -> None:
    """Let the held connection go on, by SQL: a resume would be written down."""
    change(house, ["UPDATE connections SET held_since = NULL", "UPDATE deliveries SET state = 'queued'"])
    house.hub.couriers[HOUSING].nudge()


def test_th13_nothing_is_accepted_claimed_or_sent_while_nothing_can_be_audited(on: House) -> None:
    # given a share that is due, and a log that takes nothing
    due, sent = waiting(on), len(on.troupe.housing.entries())
    share, before = a_share(HOUSING), on.counts()
    with no_audit(on):
        go_on(on)
        # when more is sent, and time passes
        refused = on.cases.post("/v1/shares", share, key="again")
        read = on.cases.get(f"/v1/shares/{due['id']}")
        withdrawn = on.cases.post(f"/v1/consents/{due['consent']}/withdraw", {"services": []})
        on.rounds(3)
        # then each is told that nothing was done, and what to do; and no parcel left
        for reply in (refused, read, withdrawn):
            assert (reply.status_code, reply.json()["type"]) == (503, "/problems/audit-unavailable")
            assert "Send it again" in reply.json()["next_step"]
            assert reply.headers["retry-after"]
        assert on.rows("SELECT state, attempt FROM deliveries") == [{"state": "queued", "attempt": 0}]
        assert len(on.troupe.housing.entries()) == sent
        assert on.counts() == before
    # and once it can, all goes on by itself, and the sender's repeat is taken
    assert on.cases.post("/v1/shares", share, key="again").status_code == 202
    until_true("both to arrive", lambda: len(on.troupe.housing.entries()) >= sent + 2)
    on.settled()
    assert {row["state"] for row in on.rows("SELECT state FROM deliveries")} == {"delivered"}


def test_th13_nothing_is_sent_while_the_log_is_not_sealed(new_house: Callable[..., House]) -> None:
    # given a hub whose sealing fails, and an event that has waited for more than a minute
    house = new_house()
    sealer, sent = house.hub.sealer, len(house.troupe.housing.entries())
    house.settled()
    good = sealer._seal

    async def failing(_: Any) -> Any:
        raise OSError

    sealer._seal = failing
    waiting(house)
    change(house, ["UPDATE audit_events SET kept_at = kept_at - 61000000 WHERE position IS NULL"])
    sealer._went_round_at -= timedelta(seconds=61).total_seconds()
    # when the share is due
    house.hub.writer.submit(resume, Resume(HOUSING, "operator:0", house.hub.now.wall())).result(10)
    house.rounds(3)
    # then it is not claimed, the hub is not ready and says why, and the operator is told
    assert house.rows("SELECT state, attempt FROM deliveries") == [{"state": "queued", "attempt": 0}]
    ready = httpx.get(f"{house.url}/readyz", timeout=5, trust_env=False)
    assert (ready.status_code, ready.json()["audit"], ready.json()["store"]) == (503, False, True)
    told = until_true("a mail", lambda: [each for each in house.troupe.mails() if "audit log" in each["subject"]])
    assert len(told) == 1
    assert len(house.troupe.housing.entries()) == sent
    # and once it is sealed again, all goes on by itself
    sealer._seal = good
    until_true("it to arrive", lambda: len(house.troupe.housing.entries()) > sent)
    until_true("the hub to be ready", house._ready)
