"""What the store's tests share: one scene, and an empty store on each database the hub runs on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store.engine import open_engine, sqlite_url
from tests.databases import copied, empty, migrated_file, postgres_database
from tests.following import Verbs, everything
from tests.scenery import Scene, Store


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """The partnership every test works in."""
    return Scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="session")
def verbs(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Verbs:
    """The verbs that follow up, over connections that carry everything."""
    return everything(scene, tmp_path_factory.mktemp("follow-up"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file at this version's schema, to copy."""
    return migrated_file(tmp_path_factory.mktemp("migrated"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a PostgreSQL database that only this run uses."""
    with postgres_database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty, migrated database, once for each kind."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("postgres"))
    return sqlite_url(copied(request.getfixturevalue("migrated"), tmp_path))


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    """An empty store."""
    engine = open_engine(url)
    if engine.dialect.name == "postgresql":
        empty(engine)
    yield Store(engine)
    engine.dispose()
