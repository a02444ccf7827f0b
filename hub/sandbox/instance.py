"""Write the demo's instance: keys, a partnership of sandbox partners, and an allow-list of the packs installed here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hub.host.discovery import find_plugins
from hub.security import keys
from hub.security.assertions import ClientKey

PARTNERSHIP = "demo"
CLIENT = "riverside-cases"
BUSINESS_START = "2026-11-20T15:00:00+00:00"  # a Friday at 15:00

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
    _write(folder / "hub.toml", _hub(partners))
    _write(folder / "partnerships" / f"{PARTNERSHIP}.toml", _partnership(partners))
    _write(folder / "services" / "city-housing-options.toml", _housing("city-housing-options", partners.housing_url))
    _write(folder / "services" / "supported-housing.toml", _housing("supported-housing", partners.supported_url))
    _write(folder / "services" / "county-treatment.toml", _health(partners))
    _write(folder / "connectors.toml", _allow(["housing", "health-fhir"]))
    secrets = folder / "secrets"
    _write(secrets / "housing.pem", made.housing.pem().decode())
    _write(secrets / "health.pem", made.health.pem().decode())
    _write(secrets / "callback", partners.callback_secret)
    _write(secrets / "webhook", partners.webhook_secret)
    _write(folder / "keys-of-partners" / "riverside.jwks.json", made.case_system.jwks())
    _write(folder / "keys-of-partners" / "treatment.jwks.json", made.receiver.jwks())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


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
from_address = "hub@hub.example"
"""


def _partnership(partners: Partners) -> str:
    return f"""\
name = "Riverside and district (demo)"

[operator]
name = "Hub operator"
email = "operator@hub.example"

[[partners]]
id = "riverside"
name = "Riverside day centre"
kind = "charity"
address = "2000099001"
champion = {{ id = "champion-riverside", name = "Ashley", email = "champion@daycentre.example" }}

[[partners]]
id = "city-council"
name = "City council"
kind = "public_body"
champion = {{ id = "champion-council", name = "Robin", email = "champion@council.example" }}

[[partners]]
id = "treatment-trust"
name = "County treatment trust"
kind = "health"
ods = "RXX01"
champion = {{ id = "champion-trust", name = "Kit", email = "champion@trust.example" }}

[[clients]]
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
area = "E07000008"

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


def _allow(names: Sequence[str]) -> str:
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
