"""What every test folder shares: one asynchronous backend, and the partners that hubs in this process send to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.acceptance.house import Troupe


@pytest.fixture
def anyio_backend() -> str:
    """Run asynchronous tests on asyncio, as the hub does."""
    return "asyncio"


@pytest.fixture(scope="session")
def troupe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Troupe]:
    """The partners that in-process hubs send to, one set a worker."""
    from tests.acceptance.house import gather_troupe  # whoever needs no hub imports none

    with ExitStack() as stack:
        yield gather_troupe(tmp_path_factory.mktemp("troupe"), stack)


@pytest.fixture
def namespaces() -> None:
    """Skip where a process can have no user and network namespaces of its own."""
    from hub.courier.reached import as_the_hub

    if as_the_hub(strict=True).why:
        pytest.skip("this kernel gives a process no user and network namespaces")
