"""How long ten thousand due clocks take to sweep, and a page of the follow-up list behind them; prints a line each."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from sqlalchemy import update  # noqa: E402 - the tests' own folder is found first

from hub.console.alert_filter import Chosen  # noqa: E402
from hub.console.follow_up import PAGE, Listed, said  # noqa: E402
from hub.console.frame import CONSOLE  # noqa: E402
from hub.console.signed_in import SignedIn  # noqa: E402
from hub.domain.alert_list import AlertFilter  # noqa: E402
from hub.domain.ladder import scope  # noqa: E402
from hub.services.watch import Watch, watch  # noqa: E402
from hub.store import tables  # noqa: E402
from hub.store.engine import open_engine, sqlite_url  # noqa: E402
from hub.store.read_follow_up import follow_up, how_many  # noqa: E402
from tests.crowd import crowd  # noqa: E402
from tests.databases import migrated_file, postgres_database  # noqa: E402
from tests.laddering import CALENDAR, CHAMPION, laddered  # noqa: E402
from tests.scenery import NOW, Scene, Store  # noqa: E402

NUMBER = 10_000


def measure(name: str, url: str) -> None:
    """Sweep and list on one database, and say what was raised, and in what time by the wall and by this process."""
    engine = open_engine(url)
    store, scene = Store(engine), Scene(Path(tempfile.mkdtemp()))
    crowd(scene, store, NUMBER)
    with engine.begin() as connection:  # one clock of each is due: ten thousand
        connection.execute(update(tables.clocks).where(tables.clocks.c.level > 2).values(state="stopped"))
    of = laddered()
    look = partial(watch, directory=of, calendar=CALENDAR)
    at = NOW + timedelta(days=4)

    def sweep() -> None:
        while store.one(look, Watch(at, NOW)):
            pass

    spent = _timed(sweep)
    raised = len({row["delivery_id"] for row in store.all("alerts")})
    print(f"{name}: sweep due={NUMBER + 1} raised={raised} {spent}")
    reader = scope(of, CHAMPION)
    found: list[Any] = []
    print(f"{name}: first page {_timed(lambda: found.append(follow_up(engine, reader, AlertFilter())))}")
    print(f"{name}: next page {_timed(lambda: follow_up(engine, reader, AlertFilter(), found[0].next))}")
    print(f"{name}: counted {_timed(lambda: how_many(engine, reader, AlertFilter()))}")
    made: list[int] = []
    print(f"{name}: the screen of the list {_timed(lambda: made.append(screen(engine, of)))} bytes={made[-1]}")
    print(f"{name}: again {_timed(lambda: screen(engine, of))}")
    print(f"{name}: a round with nothing due {_timed(sweep)}")
    engine.dispose()


def screen(engine: Any, of: Any) -> int:
    """Read, count and render a champion's list as the console does, and return how many bytes its page has."""
    reader, chosen = scope(of, CHAMPION), Chosen()
    found = follow_up(engine, reader, chosen.filter, None, PAGE)
    listed = Listed(found, how_many(engine, reader, chosen.filter), chosen, reader, CHAMPION, is_first=True)
    person = SignedIn(CHAMPION, "Ashley", frozenset(), reader.leads, "token")
    told = said(listed, of, NOW + timedelta(days=4))
    made = CONSOLE.page("follow_up.html", style="", person=person, here="", places=(), title="Follow-up", **told)
    return len(made.body)


def _timed(what: Callable[[], object]) -> str:
    wall, cpu = time.perf_counter(), time.process_time()
    what()
    return f"wall={time.perf_counter() - wall:.3f}s cpu={time.process_time() - cpu:.3f}s"


if __name__ == "__main__":
    measure("sqlite", sqlite_url(migrated_file(Path(tempfile.mkdtemp()))))
    with postgres_database() as postgres:
        measure("postgresql", postgres)
