"""What is tried: one connector of one pack, with its manifest, its class, its trial, and what it cannot be asked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hub.conformance.check import Need, Place
from hub.conformance.describe import ClassFacts
from hub.conformance.pack import Pack
from hub.conformance.trial import FILE, Trial
from hub.sdk.manifest import ConnectorManifest

#: Ways to reach a partner that are not HTTP requests of the connector's own.
_NO_REQUEST = {
    "email": "the hub sends the e-mail with the answer page's link; the connector itself sends nothing",
    "portal": "a person fills in the partner's portal; the connector itself sends nothing",
    "pull": "the partner fetches what is for it; the connector itself sends nothing",
    "file": "it writes files and sends no HTTP request",
}
#: Lines of code that a connector may have, by transport; the others are as small as clarity allows.
MOST_LINES = {"rest": 60, "email": 40, "portal": 40, "file": 40, "pull": 40}


@dataclass(frozen=True)
class Subject:
    """One connector of a pack. `facts` is None where the class cannot be read, `trial` where nothing tries it."""

    pack: Pack
    connector: str
    facts: ClassFacts | None
    cannot_import: str = ""
    trial: Trial | None = None
    bad_trial: str = ""

    @property
    def manifest(self) -> ConnectorManifest:
        """What the manifest says of this connector."""
        return self.pack.manifest.connectors[self.connector]

    @property
    def mapping(self) -> Path:
        """The folder of its mapping."""
        return self.pack.package / "mappings" / self.manifest.mapping

    @property
    def code(self) -> Path:
        """The file of its class."""
        return self.facts.place.file if self.facts else self.pack.package / "connector.py"

    def at(self, verb: str) -> Place:
        """Return where one of its verbs is written."""
        return self.facts.at(verb) if self.facts else Place(self.code)

    def in_manifest(self, word: str) -> Place:
        """Return the manifest's line that holds a word, after the connector's own heading."""
        return line_of(self.pack.manifest_file, word, after=f"[connectors.{self.connector}]")

    @cached_property
    def trial_place(self) -> Place:
        """Where its trial is written."""
        return line_of(self.pack.package / FILE, f"[{self.connector}]")

    def lacks(self, need: Need) -> str:  # noqa: PLR0911, PLR0912 - one line a need
        """Return why a need is not met, in words of its transport or manifest; "" when it is."""
        of = self.manifest
        silent = _NO_REQUEST.get(of.transport, "")
        match need:
            case "http" | "dedupes" if silent:
                return silent
            case "dedupes":
                return "" if of.idempotency.partner_dedupes else "its partner does not dedupe, as the manifest says"
            case "token":
                has = self.trial is not None and "token_url" in self.trial.settings
                return silent or ("" if has else "it fetches no token: its trial names no token_url")
            case "callback":
                known = {"callback", "message"} & set(of.answers) and of.callback_auth in {"standard-webhooks", "jwt"}
                return "" if known else f"its answers come by {', '.join(of.answers) or 'no message'}, not by callback"
            case "reconcile":
                return silent or ("" if of.reconcile != "none" else "it cannot ask its partner, as the manifest says")
            case "poll" if "callback" in of.answers:
                return "its answers come by callback: what it fetches only says where to look again"
            case "poll":
                return "" if "poll" in of.answers else "nothing is fetched from this partner"
            case "mapping":
                return "" if of.direct_submit else "nobody sends to it"
            case "mesh":
                return "" if of.transport == "mesh" else "it is not reached over MESH"
            case "file":
                return "" if of.transport == "file" else "it drops no files"
            case "receipt" if of.transport == "mesh":
                return "MESH gives an id of its own and repeats nothing of ours: what it took, tracking shows"
            case "receipt":
                return silent
            case "invite":
                return "" if of.transport == "email" else "the connector sends by itself"
            case _:
                return ""


def line_of(file: Path, word: str, after: str = "") -> Place:
    """Return the first line of a file that holds a word (after another one); line 1 where there is none."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except OSError:
        return Place(file)
    start = next((number for number, line in enumerate(lines) if after and line.startswith(after)), 0)
    found = (number for number, line in enumerate(lines[start:], start + 1) if word in line)
    return Place(file, next(found, 1))
