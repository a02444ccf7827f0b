"""Write the demo's instance: keys, a partnership of sandbox partners, and an allow-list of the packs installed here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from hub.entries import approve_all
from hub.host.discovery import find_plugins
from hub.partnership import shipped
from hub.security import keys
from hub.security.assertions import ClientKey

PARTNERSHIP = "demo"
CLIENT = "riverside-cases"
BUSINESS_START = "2026-11-20T15:00:00+00:00"  # a Friday at 15:00

WEEKDAYS = '["mon", "tue", "wed", "thu", "fri"]'
LOOPBACK = '["127.0.0.0/8"]'


@dataclass(frozen=True, slots=True)
class Partners:
    """Where the sandbox partners are, and what they share with the hub."""

    hub_url: str
    hub_port: int
    housing_url: str
    supported_url: str
    health_url: str
    case_system_url: str
    smtp_port: int
    callback_secret: str
    webhook_secret: str
    metrics_port: int = 0


@dataclass(frozen=True, slots=True)
class Keys:
    """The key pairs of the demo: the case system's, the hub's at each partner, and the health partner's own."""

    case_system: ClientKey
    housing: ClientKey
    health: ClientKey
    receiver: ClientKey


def make_keys() -> Keys:
    """Make every key pair anew: the demo has no secret of its own."""
    return Keys(
        case_system=ClientKey.generate("ES256"),
        housing=ClientKey.generate("ES256"),
        health=ClientKey.generate("RS512"),
        receiver=ClientKey.generate("RS512"),
    )


def write(folder: Path, partners: Partners, made: Keys) -> None:
    """Write the instance into an empty folder."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys.generate(folder / "keys")
    write_file(folder / "hub.toml", _hub(partners))
    write_file(folder / "partnerships" / f"{PARTNERSHIP}.toml", _partnership(partners))
    write_file(
        folder / "services" / "city-housing-options.toml", _housing("city-housing-options", partners.housing_url)
    )
    write_file(folder / "services" / "supported-housing.toml", _housing("supported-housing", partners.supported_url))
    write_file(folder / "services" / "county-treatment.toml", _health(partners))
    write_file(
        folder / "gates" / "duty-to-refer.toml", (shipped("config") / "gates" / "duty-to-refer.toml").read_text()
    )
    write_file(folder / "connectors.toml", allow(["housing", "health-fhir"]))
    secrets = folder / "secrets"
    write_file(secrets / "housing.pem", made.housing.pem().decode())
    write_file(secrets / "health.pem", made.health.pem().decode())
    write_file(secrets / "callback", partners.callback_secret)
    write_file(secrets / "webhook", partners.webhook_secret)
    write_file(folder / "keys-of-partners" / "riverside.jwks.json", made.case_system.jwks())
    write_file(folder / "keys-of-partners" / "treatment.jwks.json", made.receiver.jwks())
    approve(folder)


def approve(folder: Path) -> None:
    """Approve every service's entry as it is now, as two people of a real partnership would (TH20)."""
    approve_all(folder, date.fromisoformat(BUSINESS_START[:10]))


def write_file(path: Path, text: str) -> None:
    """Write one of an instance's files, for its owner's eyes alone."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def add_to(path: Path, text: str) -> None:
    """Add lines to one of an instance's files."""
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def _hub(partners: Partners) -> str:
    return f"""\
profile = "demo"
public_url = "{partners.hub_url}"
partnership = "{PARTNERSHIP}"
business_start = "{BUSINESS_START}"

[listen]
port = {partners.hub_port}
metrics_port = {partners.metrics_port}

[mail]
port = {partners.smtp_port}
tls = "none"
digest_minutes = 0
from_address = "hub@hub.example"
"""


#: Each with a champion, who works from Monday to Friday.
_PARTNERS = f"""\
[[partners]]
id = "riverside"
name = "Riverside day centre"
kind = "charity"
address = "2000099001"

[partners.champion]
id = "champion-riverside"
name = "Ashley"
email = "champion@daycentre.example"
working_days = {WEEKDAYS}

[[partners]]
id = "city-council"
name = "City council"
kind = "public_body"

[partners.champion]
id = "champion-council"
name = "Robin"
email = "champion@council.example"
working_days = {WEEKDAYS}

[[partners]]
id = "treatment-trust"
name = "County treatment trust"
kind = "health"
ods = "RXX01"

[partners.champion]
id = "champion-trust"
name = "Kit"
email = "champion@trust.example"
working_days = {WEEKDAYS}

"""


def _partnership(partners: Partners) -> str:
    return f"""\
name = "Riverside and district (demo)"

[operator]
name = "Hub operator"
email = "operator@hub.example"

[safeguarding]
contact = {{ id = "safeguarding-lead", name = "Morgan", email = "safeguarding@council.example" }}
numbers = [
    {{ name = "Adults at risk (MASH)", phone = "01223 000911", when = "weekdays 9am to 5pm" }},
    {{ name = "Children at risk (front door)", phone = "01223 000912", when = "weekdays 9am to 5pm" }},
    {{ name = "Domestic abuse (IDVA, for MARAC)", phone = "01223 000913", when = "weekdays 9am to 5pm" }},
    {{ name = "Out of hours", phone = "01223 000999", when = "nights and weekends" }},
]

[coordinator]
id = "coordinator"
name = "Alex"
email = "coordinator@hub.example"

{_PARTNERS}[[clients]]
id = "{CLIENT}"
partner = "riverside"
jwks = "keys-of-partners/riverside.jwks.json"
webhook_url = "{partners.case_system_url}/hub"
webhook_secrets = ["file:secrets/webhook"]
webhook_allow_addresses = {LOOPBACK}
"""


_HOUSING_NAMES = {
    "city-housing-options": ("Housing", "Their duty officer", "01223 000100"),
    "supported-housing": ("Supported housing", "Their team leader", "01223 000200"),
}


def _housing(service: str, url: str) -> str:
    name, owner, phone = _HOUSING_NAMES[service]
    return f"""\
id = "{service}"
name = "{name}"
partner = "city-council"
purposes = ["find-somewhere-to-live", "keep-my-tenancy"]
owner = "{owner}"
phone = "{phone}"
email = "duty@council.example"
challenge = "They can ask for the decision in writing, and ask the council to review it."
area = "E07000008"
gates = ["duty-to-refer"]
{_agreement("They may have to tell other council teams if a child or an adult is at risk.")}
[connection]
id = "{service}"
plugin = "housing"
connector = "duty-to-refer"
allow_addresses = {LOOPBACK}

[connection.settings]
base_url = "{url}"
token_url = "{url}/oauth/token"
client_id = "trusted-person-hub"

[connection.secrets]
client_key = "file:secrets/housing.pem"

[connection.callback]
secrets = ["file:secrets/callback"]
"""


def _agreement(duties: str) -> str:
    return f"""
[agreement]
reference = "ISA-DEMO"
agreed_on = 2026-11-02
assessment = "DPIA-DEMO"
sender = {{ article_6 = "6(1)(a)", article_9 = "9(2)(a)" }}
receiver = {{ article_6 = "6(1)(e)", article_9 = "9(2)(g)" }}
duties = "{duties}"
"""


def _health(partners: Partners) -> str:
    return f"""\
id = "county-treatment"
name = "County Treatment"
partner = "treatment-trust"
address = "2000011147"
purposes = ["start-treatment"]
owner = "Their intake team"
phone = "01223 000300"
email = "intake@trust.example"
{_agreement("They may have to act if someone is at risk, and to keep a record of what they are told.")}
[connection]
id = "county-treatment"
plugin = "health-fhir"
connector = "bars"
allow_addresses = {LOOPBACK}

[connection.settings]
base_url = "{partners.health_url}"
token_url = "{partners.health_url}/oauth/token"
client_id = "trusted-person-hub"
organisation_ods = "X26"
organisation_name = "Trusted Person Hub"
software_system = "https://hub.example/software"
software_id = "hub"
software_name = "Trusted Person Hub"
software_version = "0.1.0"
use_context = "a4t3|referral|servicerequest-request|new"

[connection.secrets]
private_key = "file:secrets/health.pem"

[connection.callback]
jwks = "keys-of-partners/treatment.jwks.json"
issuer = "treatment-trust"
"""


def allow(names: Sequence[str]) -> str:
    """Allow the packs as they are installed here: by name, version and hash of their files."""
    found = {plugin.name: plugin for plugin in find_plugins([])}
    missing = [name for name in names if name not in found]
    if missing:
        raise LookupError(f"not installed: {', '.join(missing)}; run make install")
    lines = [
        f"[[allow]]\nname = {json.dumps(found[name].name)}\nversion = {json.dumps(found[name].version)}\n"
        f"sha256 = {json.dumps(found[name].sha256)}\n"
        for name in names
    ]
    return "\n".join(lines)
