"""R53, R54, R57: a month's figures are open data of nobody, each service's own first, and the same for whoever asks."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from hub.cli.main import app
from hub.domain.learning import Measure
from tests.acceptance.continuing import delivered
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share, told_strings

SIX = range(6)


@pytest.fixture
def own_house(new_house: Callable[..., House]) -> House:
    """A hub whose months nobody else counts in."""
    return new_house()


def _export(house: House, out: Path, *words: str, month: str = "2026-11") -> Result:
    asked = ["learning", "export", "--month", month, "--out", str(out), *words, "--dir", str(house.folder)]
    return CliRunner().invoke(app, asked)


def _move(house: House, to: str) -> None:
    httpx.post(f"{house.url}/demo/business-time", json={"to": to}).raise_for_status()


def _rows(out: Path, measure: Measure) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((out / f"{measure}.csv").read_bytes().decode(), newline="")))


def _helped(house: House) -> list[dict[str, Any]]:
    """Six people of whom a council says no and that still helped: a door and a win."""
    receipts = []
    for number in SIX:
        receipt = delivered(house, a_share(HOUSING, person={"reference": f"P-{number}"}), HOUSING)
        house.say(receipt, HOUSING, status="NOT_ACCEPTED", outcomeReason="NO_LOCAL_CONNECTION", owner="Duty desk")
        until_true("the answer", lambda of=receipt: house.cases.delivery(of["id"], HOUSING)["answers"])
        about = f"/v1/deliveries/{receipt['deliveries'][0]['id']}/helped"
        assert house.cases.post(about, {"how": "kept_in_touch"}).status_code == 201
        receipts.append(receipt)
    return receipts


def test_r53_r54_r57_a_month_is_exported_once_it_is_over_with_wins_beside_doors_and_nobody_in_it(
    own_house: House, tmp_path: Path
) -> None:
    # given a month of which nothing can be told while it goes on
    receipts = _helped(own_house)
    early = _export(own_house, tmp_path / "early")
    assert (early.exit_code, "not over yet" in early.stderr) == (1, True)
    # when it is over, then the service sees its own, and everyone else is told from when on
    _move(own_house, "2026-12-01T09:00:00+00:00")
    refused = _export(own_house, tmp_path / "refused")
    assert (refused.exit_code, "2026-12-15" in refused.stderr) == (1, True)
    assert not (tmp_path / "refused").exists()
    mine = _export(own_house, tmp_path / "own", "--service", HOUSING)
    assert mine.exit_code == 0, mine.output
    assert {row["place"] for measure in Measure for row in _rows(tmp_path / "own", measure)} == {HOUSING}
    # when ten working days went by, then everybody has it, with progress apart from the answer
    _move(own_house, "2026-12-15T09:00:00+00:00")
    whole = _export(own_house, tmp_path / "whole", "--json")
    said = json.loads(whole.stdout)
    assert (said["month"], said["version"], len(said["files"])) == ("2026-11", 1, len(Measure) + 1)
    assert "Writing" in whole.stderr
    # and wins stand beside doors, each for the service, its partner and the partnership
    for measure, name in ((Measure.WINS, "kept_in_touch"), (Measure.DOORS, "door/declined/no-local-connection")):
        rows = [row for row in _rows(tmp_path / "whole", measure) if row["name"] == name]
        (service,) = [row for row in rows if row["place"] == HOUSING]
        assert (service["figure"], service["at_least"], service["at_most"]) == ("5", "5", "7")
        assert {row["level"] for row in rows if row["at_least"] != "0"} == {"service", "partner", "partnership"}
    # and no figure under 5 is in any file, and nothing of anybody
    rows = [row for measure in Measure for row in _rows(tmp_path / "whole", measure)]
    assert {int(row["figure"]) % 5 for row in rows if row["figure"]} == {0}
    assert not [row for row in rows if row["at_most"] in {"0", "1", "2", "3"}]
    everything = "".join(each.read_text() for each in (tmp_path / "whole").glob("*.csv"))
    ids = [each for of in receipts for each in (of["id"], of["reference"], *(d["id"] for d in of["deliveries"]))]
    assert not [each for each in (*told_strings(a_share(HOUSING)), *ids) if each in everything]


def test_r54_whoever_exports_a_month_again_gets_the_same_bytes_and_late_data_waits_for_a_version(
    own_house: House, tmp_path: Path
) -> None:
    # given a month that was exported
    _helped(own_house)
    _move(own_house, "2026-12-15T09:00:00+00:00")
    first = _export(own_house, tmp_path / "one")
    assert first.exit_code == 0, first.output
    # when something of it comes late
    own_house.hub.writer.submit(lambda tx, _: [tx.tally([("2026-11-30", "win", "helped", HOUSING)] * 3)], None).result(
        timeout=20
    )
    # then it is the same, byte for byte, and the same again as a version that puts it right: three are too few to show
    assert _export(own_house, tmp_path / "two").exit_code == 0
    words = ["learning", "correct", "--month", "2026-11", "--dir", str(own_house.folder), "--why"]
    assert CliRunner().invoke(app, [*words, "because"]).exit_code == 1
    corrected = CliRunner().invoke(app, [*words, "answers-came-late", "--json"])
    assert json.loads(corrected.stdout)["version"] == 2
    assert _export(own_house, tmp_path / "three").exit_code == 0
    for name in (f"{measure}.csv" for measure in Measure):
        assert len({(tmp_path / folder / name).read_bytes() for folder in ("one", "two", "three")}) == 1
    # and each version says which it is
    versions = [
        json.loads((tmp_path / folder / "datapackage.json").read_text())["version"] for folder in ("two", "three")
    ]
    assert versions == ["2026-11.1", "2026-11.2"]


def test_r57_every_figure_has_a_definition_and_every_column_a_meaning(own_house: House, tmp_path: Path) -> None:
    # given / when
    assert _export(own_house, tmp_path, month="2026-10").exit_code == 0
    package = json.loads((tmp_path / "datapackage.json").read_text())
    # then the dictionary names each file, says how it is counted, and has the columns that the file has
    assert {each["path"] for each in package["resources"]} == {f"{measure}.csv" for measure in Measure}
    for resource in package["resources"]:
        heading = (tmp_path / resource["path"]).read_text().splitlines()[0].split(",")
        assert [field["name"] for field in resource["schema"]["fields"]] == heading
        assert all(field["description"] for field in resource["schema"]["fields"])
        assert len(resource["description"]) > 80
    # and no column could hold a person
    assert {field["name"] for each in package["resources"] for field in each["schema"]["fields"]} == {
        *("month", "measure", "name", "level", "place", "figure", "at_least", "at_most"),
    }


def test_r54_what_is_no_month_or_no_service_is_refused_with_what_to_do(own_house: House, tmp_path: Path) -> None:
    assert "such as 2026-11" in _export(own_house, tmp_path / "a", month="November").stderr
    assert "hub directory ls" in _export(own_house, tmp_path / "b", "--service", "nobody", month="2026-10").stderr
