"""What acceptance tests run against: one stage of real processes a worker, and hubs in this process with our clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hub.sandbox.stage import Stage, set_up
from tests.acceptance.house import House, Troupe, gather_troupe, open_house
from tests.acceptance.telling import HOUSING, a_share


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The hub and every partner as processes of their own; shared, so a test leaves each partner prompt."""
    with ExitStack() as stack:
        yield set_up(tmp_path_factory.mktemp("stage"), stack, lambda _: None)


@pytest.fixture(scope="session")
def troupe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troupe]:
    """The partners that in-process hubs send to."""
    with ExitStack() as stack:
        yield gather_troupe(tmp_path_factory.mktemp("troupe"), stack)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub in this process, shared by one module."""
    with open_house(tmp_path_factory.mktemp("house") / "instance", troupe) as opened:
        yield opened


@pytest.fixture
def new_house(tmp_path: Path, troupe: Troupe) -> Iterator[Callable[..., House]]:
    """Opens hubs in this process, each with an instance of its own: `new_house(start=…, edit=…)`."""
    with ExitStack() as stack:
        count = iter(range(100))
        yield lambda **how: stack.enter_context(open_house(tmp_path / f"instance-{next(count)}", troupe, **how))


@pytest.fixture(scope="module")
def one_share(house: House) -> dict[str, Any]:
    """One share of ours, delivered, so that there is something to be found and nothing moving."""
    receipt = house.cases.send(a_share(HOUSING))
    house.settled()
    return receipt


@pytest.fixture
def nothing_stored(house: House) -> Iterator[None]:
    """Whatever a test sends is refused: no table gains a row."""
    before = house.settled()
    yield
    after = house.settled()
    assert {name: n - before[name] for name, n in after.items() if n != before[name]} == {}
