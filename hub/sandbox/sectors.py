"""The demo's other sectors: probation, treatment, children's services, and a housing team that fetches."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from hub.sandbox import instance, mesh
from hub.sandbox.environment import Making, NotMadeError
from hub.sandbox.fetching_system import FetchingSystem
from hub.sdk.testing.ledger import Ledger
from hub.sdk.testing.process import SandboxProcess
from hub.security.assertions import ClientKey
from hub.security.webhooks import new_secret

PROBATION, CHILDREN = "probation-office", "childrens-front-door"
TREATMENT, DISTRICT = "county-recovery", "district-housing"
OFFICE = "office@probation.example"
#: The longest that the demo waits for MESH's environment, in seconds; it is made while the other scenes play.
_WAITS = 25.0


@dataclass(slots=True)
class Sectors:
    """The partners of the demo's last scene, each reached by a way of its own."""

    folder: Path
    mails: Path
    district: FetchingSystem
    children: SandboxProcess
    mesh: mesh.Mesh
    _making: Making
    _stack: ExitStack

    def start_mesh(self) -> bool:
        """Start MESH and the provider's desk behind it; False where it cannot be made, or does not start, in time."""
        try:
            python = self._making.result(_WAITS)
        except NotMadeError:
            return False
        self._stack.callback(self.mesh.stop)
        try:
            self.mesh.start(python)
        except RuntimeError:  # made, and too slow to start, or broken
            return False
        command = [sys.executable, "-m", "hub_treatment.desk", "--mesh", self.mesh.url, "--every", "0.3"]
        command += ["--ledger", str(self.folder / "desk.jsonl")]
        desk = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own module
        self._stack.callback(_end, desk)
        return True

    def answer_on_the_page(self, reference: str, say: str) -> None:
        """Let the probation office open its e-mail's link, type its code and post its answer; raises `RuntimeError`."""
        command = [sys.executable, "-m", "hub_mailbox.sandbox", "--mails", str(self.mails), "--to", OFFICE]
        command += ["--reference", reference, "--code-file", str(self.folder / "instance/secrets/probation-code")]
        command += ["--say", say, "--ledger", str(self.folder / "office.jsonl")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)  # noqa: S603 - as above
        if done.returncode != 0:
            raise RuntimeError(f"the probation office could not answer: {done.stderr.strip()[-300:]}")

    def arrived(self) -> dict[str, bytes]:
        """Return what has reached each service, by its partner's own record."""
        files = {PROBATION: "office.jsonl", TREATMENT: "desk.jsonl"}
        found = {service: Ledger(self.folder / name).entries() for service, name in files.items()}
        found[CHILDREN] = tuple(self.children.entries())
        kept = {name: b"\n".join(each.body for each in entries if each.effect) for name, entries in found.items()}
        return kept | {DISTRICT: b"\n".join(self.district.fetched)}


def add_sectors(
    folder: Path, hub_url: str, mails: Path, stack: ExitStack, progress: Callable[[str], None]
) -> Callable[[], Sectors]:
    """Start the partners and write their services into the instance; what is returned gives them once the hub runs."""
    progress("Starting a children's front door; MESH is made ready meanwhile, where this machine can")
    making = Making("mesh", *mesh.REQUIREMENTS)
    stack.callback(making.end)
    children_key, district_key, secret = ClientKey.generate("ES256"), ClientKey.generate("ES256"), new_secret()
    place = folder / "children"
    place.mkdir()
    told = {"callback_url": f"{hub_url}/v1/callbacks/{CHILDREN}", "callback_secret": secret}
    jwks = json.loads(children_key.jwks())
    children = SandboxProcess("hub_childrens_lcs.sandbox", place, client_jwks=jwks, settings=told).start()
    stack.push(children.__exit__)
    box = mesh.Mesh()
    home = folder / "instance"
    texts = {
        f"services/{PROBATION}.toml": _PROBATION,
        f"services/{CHILDREN}.toml": _CHILDREN.replace("{url}", children.url),
        f"services/{TREATMENT}.toml": _TREATMENT.replace("{url}", box.url),
        f"services/{DISTRICT}.toml": _DISTRICT,
        "secrets/probation-code": secrets.token_hex(6),
        "secrets/children.pem": children_key.pem().decode(),
        "secrets/children-callback": secret,
        "secrets/mesh-password": mesh.PASSWORD,
        "secrets/mesh-key": mesh.KEY,
        "keys-of-partners/district.jwks.json": district_key.jwks(),
    }
    for name, text in texts.items():
        instance.write_file(home / name, text)
    instance.add_to(home / "partnerships" / f"{instance.PARTNERSHIP}.toml", _PARTNERS)
    instance.add_to(home / "connectors.toml", "\n" + instance.allow(["childrens-lcs", "probation", "treatment"]))
    instance.approve(home)

    def gathered() -> Sectors:
        district = FetchingSystem(hub_url, "district-system", district_key, DISTRICT)
        stack.callback(district.close)
        return Sectors(folder, mails, district, children, box, making, stack)

    return gathered


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(20)


_PARTNERS = """
[[partners]]
id = "probation"
name = "The probation service"
kind = "public_body"
champion = { id = "champion-probation", name = "Jay", email = "champion@probation.example", working_days = ["mon"] }

[[partners]]
id = "childrens-services"
name = "Children and families"
kind = "public_body"
champion = { id = "champion-children", name = "Pat", email = "champion@children.example", working_days = ["mon"] }

[[partners]]
id = "recovery"
name = "County recovery"
kind = "charity"
champion = { id = "champion-recovery", name = "Lou", email = "champion@recovery.example", working_days = ["mon"] }

[[partners]]
id = "district-council"
name = "District council"
kind = "public_body"
champion = { id = "champion-district", name = "Jo", email = "champion@district.example", working_days = ["mon"] }

[[clients]]
id = "district-system"
partner = "district-council"
jwks = "keys-of-partners/district.jwks.json"
scopes = ["pull"]
serves = ["district-housing"]
"""

_AGREED = """
[agreement]
reference = "ISA-DEMO"
agreed_on = 2026-11-02
assessment = "DPIA-DEMO"
"""
_PROBATION = f"""\
id = "{PROBATION}"
name = "Probation"
partner = "probation"
address = "{OFFICE}"
purposes = ["work-with-my-worker"]
owner = "The office"
phone = "01223 000500"
email = "{OFFICE}"
{_AGREED}sender = {{ article_6 = "6(1)(a)", article_9 = "9(2)(a)", article_10 = "DPA-2018-Sch1-29" }}
receiver = {{ article_6 = "6(1)(e)", article_9 = "9(2)(g)", article_10 = "DPA-2018-Sch1-6" }}
duties = "They may have to act on what they hear, such as a recall, or tell others if someone is at risk."

[answer_page]
code = "file:secrets/probation-code"
coded_only = true

[connection]
id = "{PROBATION}"
plugin = "probation"
connector = "office"
"""
_LAWFUL = """\
sender = { article_6 = "6(1)(a)", article_9 = "9(2)(a)" }
receiver = { article_6 = "6(1)(e)", article_9 = "9(2)(g)" }
duties = "They may have to act if someone is at risk."
"""
_CHILDREN = f"""\
id = "{CHILDREN}"
name = "Children and families"
partner = "childrens-services"
purposes = ["help-for-a-family"]
owner = "The front door team"
phone = "01223 000600"
email = "front.door@children.example"
{_AGREED}{_LAWFUL}children = true

[connection]
id = "{CHILDREN}"
plugin = "childrens-lcs"
connector = "front-door"
allow_addresses = {instance.LOOPBACK}
settings = {{ base_url = "{{url}}", token_url = "{{url}}/oauth/token", client_id = "trusted-person-hub" }}
secrets = {{ client_key = "file:secrets/children.pem" }}

[connection.callback]
secrets = ["file:secrets/children-callback"]
"""
_TREATMENT = f"""\
id = "{TREATMENT}"
name = "County Recovery"
partner = "recovery"
purposes = ["start-treatment"]
owner = "Their duty desk"
phone = "01223 000700"
email = "desk@recovery.example"
{_AGREED}{_LAWFUL}
[connection]
id = "{TREATMENT}"
plugin = "treatment"
connector = "treatment-mesh"
allow_addresses = {instance.LOOPBACK}
secrets = {{ mailbox_password = "file:secrets/mesh-password", shared_key = "file:secrets/mesh-key" }}

[connection.settings]
base_url = "{{url}}"
mailbox = "{mesh.OURS}"
to_mailbox = "{mesh.THEIRS}"
workflow = "{mesh.WORKFLOW}"
"""
_DISTRICT = f"""\
id = "{DISTRICT}"
name = "District housing"
partner = "district-council"
purposes = ["find-somewhere-to-live"]
owner = "Their duty officer"
phone = "01223 000800"
email = "duty@district.example"
area = "E07000009"
gates = ["duty-to-refer"]
{_AGREED}{_LAWFUL}
[connection]
id = "{DISTRICT}"
plugin = "housing"
connector = "duty-to-refer-pull"
"""
