"""R58: the partnership's services as Open Referral UK 3.0 writes them: whole, paged, naming nobody, without refuges."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal
from uuid import UUID

import pytest
from pydantic import BaseModel, ConfigDict

from tests.acceptance.house import House, replace_in
from tests.acceptance.telling import SUPPORTED


class Organisation(BaseModel):
    """An organisation of the standard, as its list of services has it."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    name: str
    description: str


class Service(BaseModel):
    """A service of the standard: the fields of its published example of a list, each with its type."""

    model_config = ConfigDict(extra="forbid")

    id: UUID
    name: str
    status: Literal["active", "inactive", "defunct", "temporarily closed"]
    description: str
    minimum_age: int | None = None
    maximum_age: int | None = None
    assured_date: date
    alert: str
    organization: Organisation


class Page(BaseModel):
    """The standard's envelope of a page."""

    model_config = ConfigDict(extra="forbid", strict=False)

    total_items: int
    total_pages: int
    page_number: int
    size: int
    first_page: bool
    last_page: bool
    empty: bool
    contents: list[Service]


def read(house: House, query: str = "") -> Page:
    reply = house.cases.get(f"/v1/services/open-referral{query}")
    assert reply.status_code == 200
    return Page.model_validate_json(reply.content)


def test_r58_every_listed_service_is_published_in_the_standard(house: House) -> None:
    # given what the hub lists of itself
    own = {each["name"] for each in house.cases.get("/v1/services").json()["services"]}
    # then the same are there in the standard's form, with what they may have to do and no permission to send
    page = read(house)
    assert {each.name for each in page.contents} == own
    assert (page.total_items, page.size, page.first_page, page.last_page) == (len(own), len(own), True, True)
    for each in page.contents:
        assert each.alert
        assert each.description.endswith("To be listed is no permission to send.")


def test_r58_pages_hold_each_service_once_and_an_id_stays_the_same(house: House) -> None:
    whole = [each.id for each in read(house).contents]
    single = [read(house, f"?per_page=1&page={number + 1}") for number in range(len(whole))]
    assert [each.id for page in single for each in page.contents] == whole
    assert [page.last_page for page in single] == [False] * (len(whole) - 1) + [True]
    beyond = read(house, "?per_page=1&page=1000")
    assert (beyond.empty, beyond.contents, beyond.total_items) == (True, [], len(whole))


def test_r58_no_person_and_no_mailbox_is_published(house: House) -> None:
    text = json.dumps(house.cases.get("/v1/services/open-referral").json())
    assert "@" not in text
    assert "hampion" not in text


def test_r58_a_confidential_service_is_in_no_page(new_house: Callable[..., House]) -> None:
    # given a service that is confidential
    def edit(folder: Path) -> None:
        replace_in(folder / "services" / f"{SUPPORTED}.toml", "purposes", "confidential = true\npurposes")

    house = new_house(edit=edit)
    listed = {each["name"] for each in house.cases.get("/v1/services").json()["services"]}

    # then it is in no page, and in no count
    page = read(house)
    assert {each.name for each in page.contents} == listed
    assert page.total_items == len(listed) == len(house.cases.get("/v1/services").json()["services"])


@pytest.mark.parametrize("query", ["?page=0", "?per_page=0", "?per_page=101", "?page=x"])
def test_r58_a_page_that_cannot_be_is_a_plain_error(house: House, query: str) -> None:
    reply = house.cases.get(f"/v1/services/open-referral{query}")
    assert reply.status_code in {400, 422}
    assert reply.json()["next_step"]
