"""A pack's README: the headings it has to have, and the table of facts that is made from its manifest."""

from __future__ import annotations

import re
from pathlib import Path

from hub.sdk.manifest import ConnectorManifest, Manifest

#: What a manager of the partnership asks, in this order.
HEADINGS = ("Business need", "What it needs", "What is sent", "What comes back", "Limits", "Troubleshooting")

BEGIN, END = "<!-- facts of the manifest: `hub connector readme` writes them -->", "<!-- end of facts -->"
_BLOCK = re.compile(re.escape(BEGIN) + r"\n(.*?)\n" + re.escape(END), re.DOTALL)


class NoPlace(Exception):
    """The README does not say where its facts go."""


def facts_of(manifest: Manifest) -> str:
    """Return the facts that people decide by, as a Markdown table of every connector."""
    rows = [f"| {manifest.name} {manifest.version} | " + " | ".join(manifest.connectors) + " |"]
    rows.append("|---" * (len(manifest.connectors) + 1) + "|")
    shown = [_facts(each) for each in manifest.connectors.values()]
    rows += [f"| {name} | " + " | ".join(each[name] for each in shown) + " |" for name in shown[0]]
    return "\n".join(rows)


def shown_facts(text: str) -> str:
    """Return the table that a README shows, or an empty text."""
    found = _BLOCK.search(text)
    return found[1].strip() if found else ""


def write_facts(readme: Path, manifest: Manifest) -> bool:
    """Write the table between its markers, and tell whether it changed; raises `NoPlace` where they are not."""
    text = readme.read_text(encoding="utf-8")
    if not _BLOCK.search(text):
        raise NoPlace(f"{readme} has no lines {BEGIN} and {END}")
    new = _BLOCK.sub(lambda _: f"{BEGIN}\n{facts_of(manifest)}\n{END}", text)
    if new != text:
        readme.write_text(new, encoding="utf-8")
    return new != text


def _facts(of: ConnectorManifest) -> dict[str, str]:
    limits = of.limits
    return {
        "reached by": of.transport,
        "may be sent": ", ".join(of.accepts),
        "kinds of delivery": ", ".join(of.kinds),
        "acknowledged up to": ", ".join(of.levels),
        "answers by": ", ".join(of.answers) or "none",
        "who answered is proved by": of.callback_auth,
        "gates first": ", ".join(of.prerequisites) or "none",
        "handling lines": ", ".join(of.handling_lines) or "none",
        "after a doubt": of.reconcile,
        "secrets": ", ".join(of.secrets) or "none",
        "largest parcel, reply": f"{limits.body_bytes:,}, {limits.reply_bytes:,} bytes",
        "at once, each at most": f"{limits.in_flight}, {limits.deadline_seconds:g} seconds",
    }
