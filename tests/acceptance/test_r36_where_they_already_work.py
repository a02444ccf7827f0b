"""R36: an answer lands where the trusted person already works: by webhook, as a file, or at the next poll."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.caller import Caller
from tests.acceptance.house import OTHER_CLIENT, House, Troupe, open_house, replace_in, until_true
from tests.acceptance.telling import HOUSING, a_share

FOLDER = "answers-of-harbour"


def _with_a_folder(folder: Path) -> None:
    """The other case system takes no webhook: it looks in a folder."""
    (folder / FOLDER).mkdir()
    own = f'id = "{OTHER_CLIENT}"\n'
    replace_in(folder / "partnerships" / "demo.toml", own, f'{own}answers_folder = "{FOLDER}"\n')


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, troupe: Troupe) -> Iterator[House]:
    """A hub whose one case system takes webhooks, and the other files."""
    with open_house(tmp_path_factory.mktemp("filed") / "instance", troupe, edit=_with_a_folder) as opened:
        yield opened


def files(house: House, receipt: dict[str, Any]) -> list[dict[str, Any]]:
    """What was left in the folder about one share."""
    left = [json.loads(each.read_text(encoding="utf-8")) for each in (house.folder / FOLDER).glob("*.json")]
    return [each for each in left if each["data"].get("share") == receipt["id"]]


def answered(house: House, caller: Caller, **changes: Any) -> dict[str, Any]:
    """A share of one caller's that housing has accepted."""
    receipt = caller.send(a_share(HOUSING, **changes))
    until_true("it to arrive", lambda: caller.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Ade", outcomeNote="We will ring.")
    until_true("the answer", lambda: caller.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    return receipt


def test_r36_an_answer_comes_back_by_webhook_file_and_poll_with_their_own_reference(house: House) -> None:
    # given two case systems of which one takes webhooks and one files
    by_hook, by_file = answered(house, house.cases), answered(house, house.other)
    # when their answers are there
    until_true("the webhook", lambda: house.told(by_hook, "delivery.answered"))
    until_true("the file", lambda: [each for each in files(house, by_file) if each["type"] == "delivery.answered"])
    # then each has the answer the way it takes it, with its own reference and nothing of the story
    (hook,) = house.told(by_hook, "delivery.answered")
    (file,) = [each for each in files(house, by_file) if each["type"] == "delivery.answered"]
    for told, receipt, caller in ((hook, by_hook, house.cases), (file, by_file, house.other)):
        read = caller.get(f"/v1/shares/{receipt['id']}").json()
        assert told["data"] == {
            "share": receipt["id"],
            "reference": receipt["reference"],
            "your_reference": read["your_reference"],
            "delivery": receipt["deliveries"][0]["id"],
            "service": HOUSING,
            "state": "delivered",
            "answer": "accepted",
        }
    # and neither is told the other's, while each finds the whole of its own at its next poll
    assert (files(house, by_hook), house.told(by_file)) == ([], [])
    assert house.other.delivery(by_file["id"], HOUSING)["answers"][-1]["owner"] == "Ade"


def test_r36_a_folder_that_is_away_loses_no_answer(house: House) -> None:
    # given a folder that is away for a moment, when an answer comes
    folder = house.folder / FOLDER
    folder.rename(folder.with_name("away"))
    receipt = answered(house, house.other)
    waiting = "SELECT state FROM notices WHERE share_id = :share AND topic = 'delivery.answered'"
    until_true("a try", lambda: house.rows(waiting, share=receipt["id"])[0]["state"] == "retrying")
    # then it waits, and comes once the folder is there again
    folder.with_name("away").rename(folder)
    due = "UPDATE notices SET due_at = created_at WHERE share_id = :share"
    with house.hub.writer._engine.begin() as connection:
        connection.exec_driver_sql(due.replace(":share", "?"), (receipt["id"],))
    house.hub.notifier.nudge()
    until_true("the file", lambda: [each for each in files(house, receipt) if each["type"] == "delivery.answered"])


def test_r36_a_share_for_one_group_says_nothing_in_a_file(house: House) -> None:
    # given a share that one group of the organisation may see, when it is answered
    share = a_share(HOUSING)
    share["trusted_person"]["can_see"] = ["night-team"]
    receipt = house.other.send(share)
    until_true(
        "it to go",
        lambda: house.rows(
            "SELECT 1 FROM deliveries WHERE state = 'delivered' AND share_id = :share", share=receipt["id"]
        ),
    )
    house.say(receipt, HOUSING, status="ACCEPTED", owner="Ade")
    until_true("the file", lambda: files(house, receipt))
    # then the file says that one of the services replied, and not which or what
    assert {each["data"].get("words") for each in files(house, receipt)} == {"One of the services replied."}
    assert all("answer" not in each["data"] and "service" not in each["data"] for each in files(house, receipt))
