"""A provider's mailbox in NHS England's own sandbox, and a connector that sends there."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hub_treatment.connector import TreatmentMesh

from hub.sdk import DeliveryKind, Parcel
from hub.sdk.testing.context import PlainContext
from hub.sdk.transports.mesh_connector import MeshSettings
from tests.peers.mesh import KEY, OURS, PASSWORD, THEIRS, WORKFLOW, MeshSandbox

CASES = Path(__file__).parents[1] / "hub_treatment/mappings/treatment-referral/1.0.0/cases"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def running() -> Iterator[MeshSandbox]:
    with MeshSandbox() as sandbox:
        yield sandbox


@pytest.fixture
def mesh(running: MeshSandbox) -> MeshSandbox:
    running.forget()
    return running


@pytest.fixture
def connector(mesh: MeshSandbox) -> TreatmentMesh:
    return TreatmentMesh(MeshSettings(base_url=mesh.url, mailbox=OURS, to_mailbox=THEIRS, workflow=WORKFLOW))


@pytest.fixture
async def context() -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets={"mailbox_password": PASSWORD, "shared_key": KEY}) as context:
        yield context


@pytest.fixture
def make_parcel() -> Callable[..., Parcel]:
    """Make a parcel of what the mapping makes of a case."""

    def make(case: str = "everything-agreed") -> Parcel:
        body = (CASES / f"{case}.out.json").read_bytes()
        return Parcel(
            "t-1", DeliveryKind.SHARE, 1, str(uuid.uuid4()), str(uuid.uuid4()), body, "application/json", "", 0.0
        )

    return make
