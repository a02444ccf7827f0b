"""A charity's staging area: what is put there, that 200 is no more than transport, and that nothing is sent twice."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.resources import files
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from hub_housing.charitylog import Charitylog, CharitylogSettings

from hub.mapping.codes import codes_in
from hub.mapping.load import load_mapping
from hub.sdk import Delivered, Halt, InDoubt, Level, Parcel, Rejected, RetryLater
from hub.sdk.manifest import read_manifest
from hub.sdk.testing.context import PlainContext
from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

pytestmark = pytest.mark.anyio

PACK = Path(str(files("hub_housing")))
MAPPING = PACK / "mappings/charitylog-referral/1.0.0"
KEYS = {"source_key": "s-1", "org_key": "o-1", "user_key": "u-1"}


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    folder = tmp_path_factory.mktemp("charitylog")
    area = SandboxProcess("hub_housing.sandbox_charitylog", folder, settings=KEYS | {"slow_seconds": 0.5}).start()
    yield area
    if area.running:
        area.stop()


@pytest.fixture
def connector(staging: SandboxProcess) -> Charitylog:
    return Charitylog(CharitylogSettings(base_url=staging.url))


@pytest.fixture
async def context() -> AsyncIterator[PlainContext]:
    async with PlainContext(secrets=KEYS) as context:
        yield context


@pytest.fixture
def parcel(make_parcel: Callable[..., Parcel]) -> Parcel:
    view = json.loads((MAPPING / "cases/everything-agreed.in.json").read_text(encoding="utf-8"))
    return make_parcel(body=load_mapping(MAPPING, codes_in(PACK / "mappings/codes")).run(view))


async def test_a_person_lies_in_the_staging_area_and_that_is_transport_alone(
    staging: SandboxProcess, connector: Charitylog, context: PlainContext, parcel: Parcel
) -> None:
    assert await connector.check(context) == Delivered(level=Level.L0)
    assert context.started == 0
    # when a person is put there
    assert await connector.deliver(parcel, context) == Delivered(parcel.idempotency_key, Level.L1)
    # then it is one, by the API's own names, and what is safe stands before anything else that is told
    (entry,) = [each for each in staging.entries() if each.key == parcel.idempotency_key]
    form = parse_qs(entry.body.decode("ascii"), strict_parsing=True)
    assert set(form) == {"0[org_type_id]", "0[first_name]", "0[surname]", "0[description]"}
    assert (form["0[org_type_id]"], form["0[surname]"]) == (["7"], ["Rivers"])
    (told,) = form["0[description]"]
    assert told.index("Safe to call") < told.index("In their words")
    assert {entry.headers[name] for name in ("source", "org", "user")} == set(KEYS.values())


async def test_nothing_it_says_is_more_than_transport_and_no_answer_is_promised() -> None:
    declared = read_manifest(PACK / "manifest.toml").connectors["charitylog"]
    assert (declared.levels, declared.answers, declared.reconcile) == (("L1",), (), "none")
    assert not declared.idempotency.partner_dedupes


async def test_what_is_in_doubt_is_not_sent_again(
    staging: SandboxProcess, connector: Charitylog, context: PlainContext, parcel: Parcel
) -> None:
    staging.behave(Behaviour.CRASHING)
    assert isinstance(await connector.deliver(parcel, context), InDoubt)
    staging.wait()
    staging.start()
    assert await connector.reconcile(parcel, context) == InDoubt("cannot-reconcile")
    assert staging.effects(parcel.idempotency_key) == 1


async def test_a_refusal_a_pause_and_a_page_between_us_are_what_they_are(
    staging: SandboxProcess, connector: Charitylog, context: PlainContext, parcel: Parcel
) -> None:
    staging.behave(Behaviour.REFUSING, times=1)
    assert await connector.deliver(parcel, context) == Rejected("http-422")
    staging.behave(Behaviour.DOWN, times=1)
    assert await connector.deliver(parcel, context) == RetryLater("http-503", 1.0)
    async with PlainContext(secrets=KEYS | {"user_key": "another"}) as stranger:
        assert await connector.check(stranger) == Halt("http-401")
        assert await connector.deliver(parcel, stranger) == Halt("http-401")


@pytest.mark.parametrize("file", sorted((MAPPING / "cases").glob("*.out.json")), ids=lambda file: file.name)
def test_r65_no_number_that_is_not_safe_and_nothing_beyond_a_name_is_in_a_document(file: Path) -> None:
    (person,) = json.loads(file.read_text(encoding="utf-8"))
    told = person["description"]
    assert set(person) <= {"org_type_id", "first_name", "surname", "description"}
    assert "Telephone:" not in told or "Safe to call: yes" in told or "Text: yes" in told
    for never in ("1988-04-02", "9434765919", "postcode"):
        assert never not in told
