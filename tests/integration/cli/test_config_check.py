"""`hub config check`: everything wrong at once, and what a change of gates and agreements decides anew (R31)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub import config
from hub.cli.main import app

ONE_STEP = 'steps = [{ fact = "a_on", name = "a" }]\n'
HOUSING = "services/city-housing.toml"


@pytest.fixture
def other(instance, tmp_path: Path) -> Path:
    """The instance as it was: a copy of its files."""
    folder = tmp_path / "before"
    shutil.copytree(instance.folder, folder)
    return folder


def change(instance, name: str, old: str, new: str) -> None:
    """Change one of the instance's files; what is changed must be there."""
    text = (instance.folder / name).read_text(encoding="utf-8")
    assert old in text
    instance.write(name, text.replace(old, new))


def compared(instance, other: Path, *more: str):
    """Compare the instance with what it was; the exit code and the document."""
    result = instance.hub("config", "check", "--diff", str(other), "--json", *more)
    return result.exit_code, json.loads(result.stdout)


def test_a_good_instance_is_said_to_be_well(instance) -> None:
    document = instance.json("config", "check")
    assert (document["wrong"], document["services"], document["gates"]) == ([], ["city-housing"], ["duty-to-refer"])
    assert document["version"] == config.load(instance.folder).digest


def test_all_that_is_wrong_is_said_at_once_with_file_and_key(instance) -> None:
    # given two gates and a service that cannot be read
    instance.write("gates/one.toml", 'title = "One"\n[[preconditions]]\nid = "x"\nkind = "horoscope"\n')
    instance.write("gates/two.toml", 'title = "Two"\npreconditions = []\n')
    change(instance, HOUSING, 'partner = "council"', 'partner = "council"\nopen = true')

    # when they are checked
    result = instance.hub("config", "check")

    # then each is named, with its key
    assert result.exit_code == 1
    said = ("gates/one.toml: preconditions.0", "gates/two.toml: preconditions", "city-housing.toml: open: is not a")
    assert [each for each in said if each not in result.stderr] == []


def gate(**more: object) -> str:
    """Return a gate's file with one precondition."""
    asked = {"id": "x-1", "title": "T.", "next_step": "N."} | more
    return 'title = "X"\n[[preconditions]]\n' + "".join(
        f"{name} = {json.dumps(each)}\n" for name, each in asked.items()
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "services/city-housing.toml: gates: there is no gates/extra.toml"),
        (
            gate(kind="never_direct", reroute_to="nowhere"),
            "gates/extra.toml: preconditions.0.reroute_to: there is no service nowhere",
        ),
        (
            gate(kind="referrer", partners=["nobody"]),
            "gates/extra.toml: preconditions.0.partners: nobody is not in the partnership",
        ),
        (
            gate(kind="sequence") + ONE_STEP,
            "gates/extra.toml: preconditions.0.sequence: Value",
        ),
        (gate(kind="equals", fact="offending", equals=True), "none of the five is ever asked for"),
        (gate(kind="equals", fact="x", equals=True, id="chosen-authority"), "two of them have a precondition chosen-"),
    ],
)
def test_a_gate_that_cannot_work_is_refused_at_load_with_file_and_key(instance, text, said) -> None:
    change(instance, HOUSING, '["duty-to-refer"]', '["duty-to-refer", "extra"]')
    if text is not None:
        instance.write("gates/extra.toml", text)

    with pytest.raises(config.ConfigurationError) as refused:
        config.load(instance.folder)

    assert said in str(refused.value)


def test_a_next_step_may_not_name_a_confidential_service(instance) -> None:
    instance.write("gates/extra.toml", gate(kind="never_direct", reroute_to="city-housing"))
    change(instance, HOUSING, '["duty-to-refer"]', '["duty-to-refer", "extra"]\nconfidential = true')

    with pytest.raises(config.ConfigurationError, match="city-housing is confidential"):
        config.load(instance.folder)


def test_a_plugin_that_may_not_run_is_named(instance) -> None:
    instance.write("connectors.toml", "")
    result = instance.hub("config", "check")
    assert (result.exit_code, "connection.plugin: housing is not allowed" in result.stderr) == (1, True)


def test_r31_the_same_files_decide_the_same(instance, other) -> None:
    code, document = compared(instance, other)
    assert (code, document["opened"], document["differences"]) == (0, 0, [])
    assert document["decisions"] >= 20
    assert "0 differences" in instance.hub("config", "check", "--diff", str(other)).stdout


def test_r31_what_closes_is_shown_with_the_gates_words_and_ends_well(instance, other) -> None:
    # given one more gate
    instance.write("gates/extra.toml", gate(kind="age", fact="age", at_least=18, title="For adults."))
    change(instance, HOUSING, '["duty-to-refer"]', '["duty-to-refer", "extra"]')

    # when it is compared
    code, document = compared(instance, other)

    # then each decision that is another is shown, before and after
    (found,) = [each for each in document["differences"] if (each["sender"], each["role"]) == ("council", "volunteer")
                and each["fixture"] == "adult-who-agreed-to-all"]  # fmt: skip
    assert found["before"].startswith("goes with approach")
    assert found["after"] == "For adults."
    assert (code, document["opened"]) == (0, 0)


@pytest.mark.parametrize("accept", [False, True])
def test_r31_what_opens_must_be_accepted(instance, other, accept: bool) -> None:
    # given a precondition that is taken away
    text = (instance.folder / "gates/duty-to-refer.toml").read_text(encoding="utf-8")
    kept = text.split("[[preconditions]]")
    instance.write("gates/duty-to-refer.toml", "[[preconditions]]".join(kept[:3] + kept[4:]))

    # when it is compared, then what another council would now be sent is shown, and must be accepted
    code, document = compared(instance, other, *(["--accept"] if accept else []))
    assert {each["fixture"] for each in document["differences"]} == {"adult-who-chose-another-council"}
    assert {each["before"] for each in document["differences"]} == {"They chose another council."}
    assert document["opened"] == len(document["differences"]) > 0
    assert code == (0 if accept else 1)


def test_r31_a_service_that_does_other_things_closes_for_what_was_agreed(instance, other) -> None:
    change(instance, HOUSING, '["find-somewhere-to-live"]', '["keep-my-tenancy"]')
    _, document = compared(instance, other)
    assert document["opened"] == 0
    assert {each["after"] for each in document["differences"] if each["before"].startswith("goes")} == {
        "They agreed to share for something this service does not do."
    }


def test_r31_one_s_own_fixtures_are_tried_too(instance, other, tmp_path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "ours.toml").write_text("on = 2026-11-20\nfacts = { chosen_authority = true }\n", encoding="utf-8")
    before = compared(instance, other)[1]["decisions"]
    assert compared(instance, other, "--fixtures", str(own))[1]["decisions"] == before + 2

    (own / "ours.toml").write_text("on = 2026-11-20\nwhatever = 1\n", encoding="utf-8")
    result = instance.hub("config", "check", "--diff", str(other), "--fixtures", str(own))
    assert (result.exit_code, "ours.toml: whatever" in result.stderr) == (1, True)


def test_r31_one_partnership_s_change_leaves_the_other_s_decisions_as_they_are(instance, other, tmp_path) -> None:
    # given two partnerships side by side, and the second as it was
    second, as_it_was = other, tmp_path / "second-before"
    shutil.copytree(second, as_it_was)
    version = config.load(second).digest

    # when the first changes a gate
    instance.write("gates/duty-to-refer.toml", gate(kind="never_direct"))

    # then the first decides otherwise, under another version, and the second does not
    assert compared(instance, second)[1]["differences"] != []
    assert config.load(instance.folder).digest != version
    result = CliRunner().invoke(app, ["config", "check", "--dir", str(second), "--diff", str(as_it_was), "--json"])
    assert (result.exit_code, json.loads(result.stdout)["differences"]) == (0, [])
    assert config.load(second).digest == version


def test_r25_what_gates_ask_and_block_is_read_on_the_command_line(instance) -> None:
    # given a gate that blocked one service on two days, and one answer about three of five
    for day, number in (("2026-11-19", 2), ("2026-11-20", 3)):
        instance.insert("tallies", day=day, what="gate", name="gate-age", service_id="city-housing", number=number)
    instance.insert("tallies", day="2026-11-20", what="cohort", name="yes", service_id="city-housing", number=1)

    # when the counts are read
    document = instance.json("gates", "blocks")
    since = instance.json("gates", "blocks", "--since", "2026-11-20")

    # then they are summed, from the day that was asked for
    row = {"name": "gate-age", "service_id": "city-housing", "latest": "2026-11-20"}
    assert document["blocks"] == [row | {"number": 5}]
    assert since["blocks"] == [row | {"number": 3}]
    assert document["three_of_five"][0]["number"] == 1
    assert "gate-age  city-housing  5" in instance.hub("gates", "blocks").stdout
    listed = {each["gate"]: each for each in instance.json("gates", "ls")}
    assert listed["duty-to-refer"]["services"] == ["city-housing"]
    assert "Trusted Relationships panel (no service names it)" in instance.hub("gates", "ls").stdout
