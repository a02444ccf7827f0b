"""What acceptance tests run against: one stage of real processes a worker, and hubs in this process with our clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from hub.sandbox.stage import Stage, set_up
from hub.security.assertions import ClientKey
from tests.acceptance.caller import Caller
from tests.acceptance.house import House, Troupe, open_house, replace_in
from tests.acceptance.referring import CASE_HOLDER, gate_services
from tests.acceptance.telling import HOUSING, a_share


@pytest.fixture(scope="session")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The hub and every partner as processes of their own; shared, so a test leaves each partner prompt."""
    with ExitStack() as stack:
        yield set_up(tmp_path_factory.mktemp("stage"), stack, lambda _: None)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub in this process, shared by one module."""
    with open_house(tmp_path_factory.mktemp("house") / "instance", troupe) as opened:
        yield opened


@pytest.fixture(autouse=True)
def _same_time(request: pytest.FixtureRequest) -> None:
    """Each test on the shared hub begins at the same business time, in whatever order they run."""
    if "house" in request.fixturenames:
        house: House = request.getfixturevalue("house")
        house.at(datetime.fromisoformat(house.start))


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
    """Whatever a test sends is refused: no table gains a row, but for the audit's, of reads that were refused."""
    before = house.settled() | _changes(house)
    yield
    after = house.settled() | _changes(house)
    assert {name: n - before[name] for name, n in after.items() if n != before[name]} == {}


def _changes(house: House) -> dict[str, int]:
    """How many audit events there are of anything but refused reads."""
    found = house.rows("SELECT count(*) AS n FROM audit_events WHERE action NOT LIKE '%.read_refused'")
    return {"audit_events": found[0]["n"]}


@pytest.fixture(scope="session")
def looking(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub that many modules ask for previews; supported housing is reached under a strict agreement (R17)."""

    def strict(folder: Path) -> None:
        replace_in(folder / "services" / "supported-housing.toml", "[agreement]\n", "[agreement]\nstrict = true\n")

    with open_house(tmp_path_factory.mktemp("looking") / "instance", troupe, edit=strict) as opened:
        yield opened


@pytest.fixture(scope="module")
def gated(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[tuple[House, Caller]]:
    """A hub with gated services, a charity that may not refer, and children's services that may."""
    key = ClientKey.generate()

    folder = tmp_path_factory.mktemp("gated") / "instance"
    with open_house(folder, troupe, edit=lambda folder: gate_services(folder, key)) as house:
        caller = Caller(house.url, "childrens-cases", key, role=CASE_HOLDER)
        yield house, caller
        caller.http.close()
