"""Gated services for tests, children's services that may refer to them, and shares that are for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.partnership import shipped
from hub.security.assertions import ClientKey
from tests.acceptance.house import append_to
from tests.acceptance.telling import TREATMENT, a_share
from tests.gating import TR_FACTS

TR, NEVER, PANEL = "trusted-relationships", "never-direct", "housing-panel"
CASE_HOLDER = "children-and-families-case-holder"
PANEL_GATE = """
title = "Panel"

[[preconditions]]
id = "wants-it"
kind = "equals"
fact = "wants_it"
equals = true
title = "They have not said that they want this."
next_step = "Ask them."

[[preconditions]]
id = "three-of-five"
kind = "cohort"
rule = "require"
title = "This is for people who face three of the five."
next_step = "Look for another service."
"""
NEVER_GATE = """
title = "Nobody sends here"

[[preconditions]]
id = "never-direct"
kind = "never_direct"
title = "Nobody sends to this service directly."
next_step = "Send it to the treatment service."
reroute_to = "county-treatment"
"""


def gate_services(folder: Path, key: ClientKey) -> None:
    add_childrens_services(folder, key)
    (folder / "gates" / f"{TR}.toml").write_text((shipped("config") / "gates" / f"{TR}.toml").read_text())
    (folder / "gates" / "panel.toml").write_text(PANEL_GATE)
    (folder / "gates" / "never.toml").write_text(NEVER_GATE)
    treatment = (folder / "services" / f"{TREATMENT}.toml").read_text()
    for service, gate in ((TR, TR), (PANEL, "panel"), (NEVER, "never")):
        text = treatment.replace(f'id = "{TREATMENT}"', f'id = "{service}"')
        text = text.replace("purposes =", f'gates = ["{gate}"]\npurposes =', 1)
        (folder / "services" / f"{service}.toml").write_text(text)


def add_childrens_services(folder: Path, key: ClientKey) -> None:
    append_to(
        folder / "partnerships" / "demo.toml",
        """
[[partners]]
id = "childrens-services"
name = "Children's services"
kind = "public_body"

[partners.champion]
id = "champion-children"
name = "Lee"
email = "champion@children.example"
working_days = ["mon", "tue", "wed", "thu", "fri"]

[[clients]]
id = "childrens-cases"
partner = "childrens-services"
jwks = "keys-of-partners/children.jwks.json"
""",
    )
    (folder / "keys-of-partners" / "children.jwks.json").write_text(key.jwks(), encoding="utf-8")


def for_service(service: str, **facts: Any) -> dict[str, Any]:
    """Return a share for one gated service, with what the sender asserts of the person."""
    share = a_share(TREATMENT, three_of_five="no")
    share["consents"][0] |= {"service": service, "facts": TR_FACTS | facts if service == TR else facts}
    return share


def refused_of(reply: Any, service: str) -> list[dict[str, Any]]:
    """Return what a reply refuses of one service."""
    return [each for each in reply.json()["refused"] if each["service"] == service]
