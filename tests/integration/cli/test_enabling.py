"""What must be there before a connection is used: every fault is told with its file and key, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pytest

from hub import config, partnership
from hub.bootstrap import build, find_plugins
from hub.config import ConfigurationError
from hub.domain.errors import Refusal
from hub.domain.gate import Gate, refusals
from hub.domain.precondition import Asserted
from hub.domain.route import Route
from hub.security.webhooks import new_secret

HOUSING = "services/city-housing.toml"
AGREED = {"consent_to_refer": True, "chosen_authority": "E07000008", "consent_to_pass_contact": True}
DISTRICT = """
title = "The district's own"

[[preconditions]]
id = "lives-here"
kind = "equals"
fact = "lives_here"
equals = true
title = "For the district."
next_step = "Ask."
"""
WEBHOOK = 'webhook_url = "https://cases.example/hub"\n'


def enabled(instance) -> dict[str, partnership.Enabled]:
    """Enable an instance's connections as a start would."""
    configuration = config.load(instance.folder)
    return partnership.enable(configuration, find_plugins(configuration))


def route(instance) -> Route:
    """Return the way to the housing service."""
    found = partnership.build_directory(config.load(instance.folder), enabled(instance)).route("city-housing")
    assert found is not None
    return found


def refused(gates: Sequence[Gate], facts: dict[str, object]) -> list[Refusal]:
    """Return what gates refuse of what was agreed."""
    return list(refusals(gates, Asserted(facts, "not_said", date(2026, 11, 20)), ""))


def change(instance, name: str, old: str, new: str) -> None:
    """Change one of the instance's files; what is changed must be there."""
    text = (instance.folder / name).read_text(encoding="utf-8")
    assert old in text
    instance.write(name, text.replace(old, new))


def append(instance, name: str, more: str) -> None:
    """Add to one of the instance's files."""
    instance.write(name, (instance.folder / name).read_text(encoding="utf-8") + more)


def test_a_council_takes_only_who_chose_it(instance) -> None:
    # given the gates of a service of one area
    gates = route(instance).gates

    # when the person chose it, another, or none
    chose = {code: refused(gates, AGREED | {"chosen_authority": code}) for code in ("E07000008", "E09000001", "")}

    # then another council's choice is refused in words that say so, and each only once
    assert chose["E07000008"] == []
    assert [each.title for each in chose["E09000001"]] == ["They chose another council."]
    assert [each.title for each in chose[""]] == ["The person has not chosen a council in England."]


def test_a_service_that_does_not_say_its_area_is_refused(instance) -> None:
    change(instance, HOUSING, 'area = "E07000008"\n', "")

    with pytest.raises(ConfigurationError, match=r"city-housing\.toml: missing are area"):
        config.load(instance.folder)


def test_a_service_that_does_not_name_the_gate_its_connector_asks_for_is_not_enabled(instance) -> None:
    change(instance, HOUSING, 'gates = ["duty-to-refer"]\n', "")

    with pytest.raises(ConfigurationError, match=r"city-housing\.toml: missing are gates: duty-to-refer"):
        enabled(instance)


def test_a_service_may_ask_for_more_than_its_connector_does(instance) -> None:
    # given a gate of this service beside the connector's
    instance.write("gates/district.toml", DISTRICT)
    change(instance, HOUSING, '["duty-to-refer"]', '["duty-to-refer", "district"]')

    # when a share does not meet it, then it is refused for that alone
    (refusal,) = refused(route(instance).gates, AGREED)
    assert (refusal.type, refusal.title) == ("gate-lives-here", "For the district.")


def test_a_service_that_is_not_enabled_has_no_route_and_its_secrets_are_not_asked_for(instance) -> None:
    # given a service that is only described
    change(instance, HOUSING, 'gates = ["duty-to-refer"]', 'enabled = false\ngates = ["duty-to-refer"]')
    (instance.folder / "secrets" / "key.pem").unlink()

    # when the instance is read as a start would
    configuration = config.load(instance.folder)
    found = enabled(instance)

    # then nothing can be sent to it
    assert found == {}
    assert partnership.build_directory(configuration, found).services == {}


@pytest.mark.parametrize("secret", ["hunter2", "whsec_", "whsec_AAAA", "whsec_!!", ""])
def test_a_callback_secret_that_cannot_work_is_refused_by_its_name(instance, secret) -> None:
    instance.write("secrets/callback", secret)

    with pytest.raises(ConfigurationError) as refused:
        enabled(instance)

    assert "city-housing.toml: connection.callback.secrets names file:secrets/callback, which is" in str(refused.value)
    assert secret == "" or secret not in str(refused.value).replace("whsec_ and", "")


def test_no_callback_secret_at_all_is_refused(instance) -> None:
    change(instance, HOUSING, 'secrets = ["file:secrets/callback"]', "secrets = []")

    with pytest.raises(ConfigurationError, match=r"missing are connection\.callback\.secrets"):
        enabled(instance)


def test_a_webhook_without_a_secret_is_refused(instance) -> None:
    append(instance, "partnerships/local.toml", WEBHOOK)

    with pytest.raises(ConfigurationError, match="client centre-cases: webhook_secrets is missing"):
        config.load(instance.folder)


def test_all_that_is_named_and_not_there_is_told_at_once_with_file_and_key(instance) -> None:
    # given a webhook secret that is none, and a key, a key set and a secret that are not there
    append(instance, "partnerships/local.toml", WEBHOOK + 'webhook_secrets = ["file:secrets/cases", "env:NOT_SET"]\n')
    instance.write("secrets/cases", "hunter2")
    for name in ("secrets/key.pem", "clients/centre.jwks.json"):
        (instance.folder / name).unlink()

    # when the hub is to be started
    result = instance.hub("serve")

    # then each is named, and where it is named
    assert result.exit_code == 1
    said = (
        "partnerships/local.toml: jwks of client centre-cases names file:clients/centre.jwks.json, which is not there",
        "webhook_secrets of client centre-cases names file:secrets/cases, which is no webhook secret",
        "webhook_secrets of client centre-cases names env:NOT_SET, which is not there",
        "services/city-housing.toml: connection.secrets.client_key names file:secrets/key.pem, which is not there",
    )
    assert [line for line in said if line not in result.stderr] == []
    assert "hunter2" not in result.output


def test_a_good_webhook_secret_starts(instance) -> None:
    append(instance, "partnerships/local.toml", WEBHOOK + 'webhook_secrets = ["file:secrets/cases"]\n')
    instance.write("secrets/cases", new_secret())

    build(instance.folder).reader.dispose()


def test_commands_that_only_read_need_no_secret(instance, share) -> None:
    # given an instance whose secrets are elsewhere
    share()
    for name in ("key.pem", "callback"):
        (instance.folder / "secrets" / name).unlink()

    # when it is looked at, then it is shown as it stands
    assert [each["state"] for each in instance.json("status")["connections"]] == ["ready"]
    assert [each["state"] for each in instance.json("connection", "ls")] == ["ready"]
    assert instance.json("trace", instance.reference)["why"].startswith("Stuck: city-housing waits")


def test_an_optional_address_may_be_left_out(instance) -> None:
    # given the NHS example without a token URL, as for the public sandbox
    assert instance.hub("connector", "allow", "health-fhir", "--yes").exit_code == 0
    example = (instance.folder / "services" / "nhs-service.toml.example").read_text(encoding="utf-8")
    lines = [line for line in example.splitlines() if not line.startswith("token_url")]
    instance.write("services/nhs-service.toml", "\n".join(lines).replace('"nhs-trust"', '"council"'))
    instance.write("secrets/bars-signing-key.pem", "key")
    instance.write("clients/bars.jwks.json", '{"keys": []}')

    # when it is enabled, then only the address that is there may be reached
    assert enabled(instance)["nhs-service"].configure.hosts == ("int.api.service.nhs.uk:443",)

    # and one that must be there is missed
    instance.write(
        "services/nhs-service.toml",
        "\n".join(line for line in lines if not line.startswith("base_url")).replace('"nhs-trust"', '"council"'),
    )
    with pytest.raises(ConfigurationError, match=r"missing are connection\.settings\.base_url"):
        enabled(instance)


@pytest.mark.parametrize(("champion", "said"), [("centre-champion", "is used twice"), ("operator", "may not have the")])
def test_two_people_with_one_id_are_refused(instance, champion, said) -> None:
    change(instance, "partnerships/local.toml", 'id = "council-champion"', f'id = "{champion}"')

    with pytest.raises(ConfigurationError, match=said):
        config.load(instance.folder)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("partnerships/local.toml", 'name = "x"\n[operator]\nid = "boss"\nname = "n"\n', "operator.email: is missing"),
        ("partnerships/local.toml", 'name = "x"\n[operator]\nid = "boss"\n', "operator.id: is not a setting here"),
        ("hub.toml", 'profil = "embedded"\n', "profil: is not a setting here"),
    ],
)
def test_what_is_missing_or_unknown_is_said_in_plain_words(instance, name, text, said) -> None:
    instance.write(name, text)

    assert said in instance.hub("status").stderr
