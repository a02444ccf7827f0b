"""The commands that read: what they show, to a person and to a program, and that a share's story is in none of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from hub.cli.main import app

LONG_AGO = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)

READING = [
    ("status",),
    ("alerts", "ls"),
    ("handover", "ls"),
    ("alerts", "ls", "--all"),
    ("barriers", "ls"),
    ("barriers", "ls", "--counted"),
    ("wins", "ls"),
    ("training", "ls"),
    ("connection", "ls"),
    ("connector", "ls"),
    ("client", "ls"),
]


@pytest.fixture
def alerted(instance, share):
    """A delivered share that nobody answered, with its alert open and another closed."""
    share(state="delivered", delivered_at=LONG_AGO, attempt=1)
    for number, state in enumerate(("open", "closed")):
        instance.insert(
            "alerts",
            id=str(number) * 32,
            delivery_id=instance.delivery_id,
            level=2 + number,
            kind="unanswered",
            raised_at=LONG_AGO,
            state=state,
        )
    return instance


@pytest.mark.parametrize("words", READING, ids=" ".join)
@pytest.mark.parametrize("kind", ["empty", "alerted"])
def test_every_reading_command_speaks_to_people_and_to_programs(request, words, kind) -> None:
    # given an instance with nothing in it, and one with a share
    instance = request.getfixturevalue(kind)

    # when it is asked both ways (every run is searched for canaries)
    plain = instance.hub(*words)

    # then both end well, and the JSON is one document
    assert (plain.exit_code, plain.stderr) == (0, "")
    assert plain.stdout.strip()
    assert isinstance(instance.json(*words), dict | list)


def test_status_counts_what_there_is(alerted) -> None:
    found = alerted.json("status")

    assert (found["shares"], found["deliveries"], found["open_alerts"]) == (1, {"delivered": 1}, 1)
    assert (found["running"], found["oldest_due"], found["held"]) == (False, None, [])
    assert found["connections"] == [{"id": "housing", "state": "ready", "why": ""}]


def test_status_names_the_delivery_that_waits_longest(instance, share) -> None:
    share(due_at=LONG_AGO)

    found = instance.json("status")

    assert found["oldest_due"]["id"] == instance.delivery_id
    assert found["oldest_due"]["due_at"] == "2026-11-02T09:00:00Z"
    assert "2026-11-02 09:00:00Z" in instance.hub("status").stdout


def test_alerts_are_the_open_ones_unless_all_are_asked_for(alerted) -> None:
    assert [(each["level"], each["state"]) for each in alerted.json("alerts", "ls")] == [(2, "open")]
    assert {each["state"] for each in alerted.json("alerts", "ls", "--all")} == {"open", "closed"}
    assert alerted.reference in alerted.hub("alerts", "ls").stdout


@pytest.mark.parametrize("spelling", ["K7M-4QX", "k7m4qx", " k7m 4qx ", "K7M\u20134QX", "{share_id}", "{delivery_id}"])
def test_a_share_is_found_by_any_spelling_of_its_reference_and_by_its_ids(alerted, spelling) -> None:
    name = spelling.format(share_id=alerted.share_id, delivery_id=alerted.delivery_id)

    assert alerted.json("trace", name)["share"]["id"] == alerted.share_id


def test_a_trace_says_why_first_and_then_what_happened_in_order(instance, share) -> None:
    # given a share that was tried once
    share(state="retrying", attempt=1, reason="http-503", due_at=LONG_AGO + timedelta(days=9999))
    instance.insert(
        "attempts",
        delivery_id=instance.delivery_id,
        number=1,
        claimed_at=LONG_AGO,
        ended_at=LONG_AGO,
        outcome="retrylater",
        reason="http-503",
    )

    # when it is traced
    plain, found = instance.hub("trace", instance.reference), instance.json("trace", instance.reference)

    # then the first line is the reason: nobody serves this instance
    first = "Stuck: city-housing waits: the hub is not running: `hub serve`."
    assert (plain.stdout.splitlines()[0], found["why"]) == (first, first)
    assert [line["what"] for line in found["timeline"]] == [
        "attempt 1: retrylater",
        "share.accepted",
        "share.traced",  # the first look, known to the second
    ]
    assert found["timeline"][0]["detail"] == {"reason": "http-503", "began": "2026-11-02T09:00:00Z"}
    assert found["deliveries"][0]["reason"] == "http-503"


def test_a_trace_withholds_words_that_slipped_into_an_audit_event(instance, share) -> None:
    share()

    found = instance.json("trace", instance.reference)

    assert found["timeline"][0]["detail"] == {"services": ["city-housing"], "slip": "withheld"}


@pytest.mark.parametrize("which", ["K7M-4QY", "not a reference", "0" * 32, "' OR 1=1 --"])
def test_a_wrong_id_is_named_as_such_and_not_echoed(instance, which) -> None:
    result = instance.hub("trace", which)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "there is no share or delivery by that name here" in result.stderr
    assert which not in result.stderr


@pytest.mark.parametrize("words", [*READING, ("trace", "K7M-4QX"), ("serve",), ("connection", "check", "housing")])
def test_a_wrong_folder_says_how_to_make_one(tmp_path, words) -> None:
    result = CliRunner().invoke(app, [*words, "--dir", str(tmp_path / "nowhere")])

    assert (result.exit_code, result.stdout) == (1, "")
    assert "run `hub init" in result.stderr
    assert not (tmp_path / "nowhere").exists()


def test_a_missing_database_is_named_and_not_made(instance) -> None:
    file = instance.folder / "data" / "hub.db"
    file.unlink()

    for words in (("status",), ("trace", "K7M-4QX"), ("client", "revoke", "centre-cases")):
        result = instance.hub(*words)
        assert result.exit_code == 1
        assert f"there is no database at {file}" in result.stderr
    assert not file.exists()


@pytest.mark.parametrize(
    ("name", "text", "named"),
    [
        ("hub.toml", "profile = 'embedded'\n", ("hub.toml", "public_url", "partnership")),
        ("hub.toml", "public_url = ]", ("hub.toml", "line 1")),
        ("partnerships/local.toml", "name = 'x'\n", ("local.toml", "operator")),
        (
            "services/city-housing.toml",
            "id = 'Not An Id'\nname = 'Sam Rivers'\n",
            ("city-housing.toml", "id: ", "partner: "),
        ),
        ("connectors.toml", "[[allow]]\nname = 'housing'\n", ("connectors.toml", "allow.0.version")),
        (
            "partnerships/local.toml",
            'name = "x"\noperator = { name = "n", email = "e" }\n'
            '[clocks]\nagreed_by = "b"\nagreed_on = 2026-11-02\n'
            "standard = { L2 = { minutes = 5, working_days = 1 } }\n",
            ("local.toml", "clocks.standard.L2", "name one of"),
        ),
    ],
)
def test_a_broken_file_is_named_with_its_field_and_no_value(instance, name, text, named) -> None:
    instance.write(name, text)

    result = instance.hub("status")

    assert (result.exit_code, result.stdout) == (1, "")
    assert [word for word in named if word not in result.stderr] == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+psycopg://hub:hunter2@127.0.0.1:9/hub", "start the database, or check [store] in hub.toml"),
        ("nonsense", "not a database's URL"),
    ],
)
def test_a_database_that_cannot_be_reached_is_named_without_its_password(instance, url, said) -> None:
    text = (instance.folder / "hub.toml").read_text(encoding="utf-8")
    instance.write("hub.toml", text.replace("sqlite:///data/hub.db", url))

    for command in ("status", "serve"):
        result = instance.hub(command)

        assert result.exit_code == 1
        assert said in result.stderr
        assert "hunter2" not in result.output


def test_help_names_every_command_and_the_exit_codes(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")

    result = CliRunner().invoke(app, ["--help"])

    commands = {"init", "serve", "status", "trace", "alerts", "connection", "connector", "mappings", "client"}
    assert {name for name in commands if name not in result.stdout} == set()
    assert "Exit codes" in result.stdout


@pytest.mark.parametrize("words", [["nonsense"], ["trace"], ["status", "--nonsense"], ["client", "revoke"]])
def test_what_is_not_understood_ends_with_2(words) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


def test_json_goes_to_standard_output_alone(instance) -> None:
    assert json.loads(instance.hub("connection", "ls", "--json").stdout)[0]["deliveries"] == {}
