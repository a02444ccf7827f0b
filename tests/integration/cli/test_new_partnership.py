"""R75: `hub init --partnership` asks what a first afternoon needs, and writes an instance that starts as it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from hub import config
from hub.bootstrap import build
from hub.cli.main import app
from hub.cli.new_partnership import QUESTIONS, id_of
from hub.security.assertions import ClientKey

ANSWERS = {
    "mail_from": "hub@partnership.example",
    "operator_email": "operator@partnership.example",
    "safeguarding_email": "safe@partnership.example",
    "ring_phone": "01223 000000",
    "sender_name": 'The "Riverside" day centre',
    "champion_email": "champion@daycentre.example",
    "team_name": "Duty team",
    "team_mailbox": "duty@council.example",
    "team_phone": "01223 000001",
    "follow_up_email": "lead@council.example",
    "purpose": "find-a-home",
    "duties": "They may have to tell others if someone is at risk.",
    "agreement": "ISA-2026-01",
    "assessment": "DPIA-2026-01",
    "sender_basis": "6(1)(a) 9(2)(a)",
    "receiver_basis": "6(1)(e) 9(2)(h)",
}


def begin(folder: Path, *more: str, **changes: str) -> Any:
    said = [word for key, value in (ANSWERS | changes).items() if value for word in ("--set", f"{key}={value}")]
    return CliRunner().invoke(app, ["init", str(folder), "--partnership", "Fenland", *said, *more])


def test_r75_what_is_said_becomes_an_instance_that_starts_as_it_is(tmp_path: Path) -> None:
    # given the answers of a new partnership
    folder = tmp_path / "first"
    found = begin(folder, "--json")
    assert found.exit_code == 0, found.output
    said = json.loads(found.stdout)
    # then the files say what was said, and the team begins in shadow mode
    configuration = config.load(folder)
    assert configuration.partnership.name == "Fenland"
    assert [each.name for each in configuration.partnership.partners] == [ANSWERS["sender_name"], "Duty team"]
    assert [(each.id, each.connection.shadow) for each in configuration.services] == [("duty-team", True)]
    assert configuration.hub.mail.from_address == ANSWERS["mail_from"]
    # and the whole hub can be made of them, the mailbox's plugin allowed and each secret there
    hub = build(folder)
    assert set(hub.enabled) == {"duty-team"}
    assert hub.couriers == {}
    # and the private key fits the registered one, and is nobody else's to read
    pem = folder / next(each for each in said["written"] if each.endswith(".pem"))
    jwks = folder / next(each for each in said["written"] if each.endswith("jwks.json"))
    assert ClientKey.from_pem(pem.read_bytes()).kid in jwks.read_text(encoding="utf-8")
    assert {each.stat().st_mode & 0o077 for each in folder.rglob("*")} == {0}
    # and what is left to do is told in order, with no secret in it
    marks = ("Hand ", "by telephone", "directory approve duty-team", " serve", "shadow report")
    assert [next(n for n, step in enumerate(said["next"]) if mark in step) for mark in marks] == [0, 1, 2, 3, 4]
    assert (folder / "secrets" / "duty-team-code").read_text(encoding="utf-8") not in found.output


def test_r75_live_sends_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "live"
    assert begin(folder, "--live").exit_code == 0
    assert [each.connection.shadow for each in config.load(folder).services] == [False]
    assert set(build(folder).couriers) == {"duty-team"}


def test_r75_all_that_is_missing_is_asked_for_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "none"
    found = begin(folder, agreement="", duties="")
    assert found.exit_code == 1
    assert "--set agreement=" in found.output
    assert "--set duties=" in found.output
    assert not folder.exists()


def test_r75_an_answer_that_is_none_is_named_and_nothing_stays(tmp_path: Path) -> None:
    folder = tmp_path / "strange"
    found = begin(folder, sender_kind="club")
    assert found.exit_code == 1
    assert "nothing was written" in found.output
    assert not folder.exists()
    assert begin(folder, colour="red").exit_code == 1


def test_every_question_has_a_key_of_its_own_and_a_name_makes_an_id() -> None:
    assert len({each.key for each in QUESTIONS}) == len(QUESTIONS)
    assert [id_of(each) for each in ("Duty team", "3rd Ward", "Café")] == ["duty-team", "org-3rd-ward", "caf"]
