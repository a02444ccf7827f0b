"""The people in a partnership's file: somebody follows up for every partner; a champion needs no title (R50, R51)."""

from __future__ import annotations

import pytest

from hub import config
from hub.bootstrap import find_plugins
from hub.partnership import build_directory, enable
from tests.integration.cli.test_config_check import change

PEOPLE = "partnerships/local.toml"
CHAMPION = """
[partners.champion]
id = "council-champion"
name = "Champion Name"
email = "champion@daycentre.example"
working_days = ["mon", "tue", "wed", "thu", "fri"]
"""
COORDINATOR = """
[coordinator]
id = "coordinator"
name = "Champion Name"
email = "coordinator@hub.example"
working_days = ["tue", "thu"]

[[partners]]
id = "day-centre"
"""


def built(instance):
    """The directory of an instance."""
    configuration = config.load(instance.folder)
    return build_directory(configuration, enable(configuration, find_plugins(configuration)))


def test_r50_a_connection_is_not_enabled_while_nobody_follows_up_for_its_partner(instance) -> None:
    # given a council whose champion is taken out of the file
    change(instance, PEOPLE, CHAMPION, "")
    # when the files are checked
    result = instance.hub("config", "check")
    # then its connection is refused by name, with what to do; and the hub does not start on them
    assert result.exit_code == 1
    assert "no-follow-up-contact: connection housing is enabled, and nobody follows up for council" in result.stderr
    with pytest.raises(config.ConfigurationError, match="no-follow-up-contact"):
        config.load(instance.folder)


def test_r50_for_a_small_organisation_the_coordinator_counts(instance) -> None:
    # given the same council, and a coordinator
    change(instance, PEOPLE, CHAMPION, "")
    change(instance, PEOPLE, '\n[[partners]]\nid = "day-centre"\n', COORDINATOR)
    # when it is checked
    assert instance.hub("config", "check").exit_code == 0
    # then the coordinator is who follows up for it
    assert built(instance).partners["council"].champion.id == "coordinator"
    assert built(instance).partners["day-centre"].champion.id == "centre-champion"


def test_r50_a_partner_that_is_switched_off_needs_nobody(instance) -> None:
    change(instance, PEOPLE, CHAMPION, "")
    change(instance, "services/city-housing.toml", 'partner = "council"', 'partner = "council"\nenabled = false')
    assert instance.hub("config", "check").exit_code == 0


@pytest.mark.parametrize("missing", ["name", "working_days"])
def test_r51_a_champion_needs_a_name_and_the_days_they_work(instance, missing: str) -> None:
    # given an entry without one of them
    entry = "\n".join(line for line in CHAMPION.splitlines() if not line.startswith(missing)) + "\n"
    change(instance, PEOPLE, CHAMPION, entry)
    # then it is named
    result = instance.hub("config", "check")
    assert (result.exit_code, f"champion.{missing}: is missing" in result.stderr) == (1, True)


def test_r51_and_belongs_to_an_organisation(instance) -> None:
    assert built(instance).partners["council"].champion.organisation == "council"


@pytest.mark.parametrize("field", ['grade = "Band 7"', 'title = "Head of service"', 'job_title = "Lead"'])
def test_r51_there_is_no_field_for_a_grade_or_title(instance, field: str) -> None:
    change(instance, PEOPLE, CHAMPION, f"{CHAMPION}{field}\n")
    result = instance.hub("config", "check")
    assert (result.exit_code, "is not a setting here" in result.stderr) == (1, True)


def test_r51_a_named_coordinator_and_a_pledge_may_be_said_and_need_not(instance) -> None:
    # given a champion who names another coordinator than the partnership's, and when they pledged
    named = f'{CHAMPION}coordinator = "north"\npledged_on = 2026-09-01\n'
    change(instance, PEOPLE, CHAMPION, named)
    more = COORDINATOR.replace(
        "\n[[partners]]",
        '\n[[coordinators]]\nid = "north"\nname = "Champion Name"\nemail = "north@hub.example"\n\n[[partners]]',
    )
    change(instance, PEOPLE, '\n[[partners]]\nid = "day-centre"\n', more)
    # then their shares go up to that one, and everybody else's to the partnership's
    partners = built(instance).partners
    assert partners["council"].champion.pledged_on is not None
    assert [partners[each].coordinator.id for each in ("council", "day-centre")] == ["north", "coordinator"]
    # and one that is not there is named
    change(instance, PEOPLE, 'coordinator = "north"', 'coordinator = "south"')
    assert "coordinator south is not there" in instance.hub("config", "check").stderr
