"""A service in the shape of the HMPPS External API as a real process, and a connector that looks people up there."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_probation.connector import HmppsSettings, ResponsibleTeam

from hub.sdk import DeliveryKind, Parcel
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess

API_KEY = "a-key-made-for-this-test"
SECRET = "whsec_" + base64.b64encode(b"a shared secret of some length").decode()
CASES = Path(__file__).parents[1] / "hub_probation/mappings/probation-contact/1.0.0/cases"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def start_api(tmp_path: Path) -> Iterator[Callable[..., SandboxProcess]]:
    """Start the API with some settings changed."""
    started: list[SandboxProcess] = []

    def start(**settings: Any) -> SandboxProcess:
        whole = {"api_key": API_KEY, "slow_seconds": 0.5, "callback_secret": SECRET} | settings
        started.append(SandboxProcess("hub_probation.sandbox", tmp_path, settings=whole).start())
        return started[-1]

    yield start
    for api in started:
        if api.running:
            api.stop()


@pytest.fixture
def api(start_api: Callable[..., SandboxProcess]) -> SandboxProcess:
    return start_api()


@pytest.fixture
def connect() -> Callable[[str], ResponsibleTeam]:
    return lambda url: ResponsibleTeam(HmppsSettings(base_url=url))


@pytest.fixture
async def context() -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets={"api_key": API_KEY}) as context:
        yield context


@pytest.fixture
def make_parcel() -> Callable[..., Parcel]:
    """Make a parcel about one of the API's made-up people, or of a case as it is."""

    def make(
        *, sought: dict[str, str] | None = None, case: str = "everything-agreed", key: str = "",
        kind: DeliveryKind = DeliveryKind.SHARE,
    ) -> Parcel:  # fmt: skip
        text = (CASES / f"{case}.out.json").read_text(encoding="utf-8")
        if sought is not None:
            text = json.dumps(json.loads(text) | {"person": sought})
        return Parcel(
            token="t-1",
            kind=kind,
            attempt=1,
            idempotency_key=key or str(uuid.uuid4()),
            case=str(uuid.uuid4()),
            body=text.encode(),
            content_type="application/json",
            address="north",
            deadline=time.time() + 60,
        )

    return make
