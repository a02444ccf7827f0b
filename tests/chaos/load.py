"""What keeps a hub busy while parts of it are killed: case systems that never give up, and partners that answer."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from hub.sandbox.case_system import CaseSystem, RefusedError, load_share
from hub.sdk.testing.ledger import Entry
from hub.sdk.testing.process import SandboxProcess
from tests.chaos.town import HOUSING, Town

#: How long a client waits before it tries again.
_PAUSE = 0.05
#: What passes: a token that a restart made void, a twin still in flight, a hub that cannot keep anything now.
_TRY_AGAIN = {401, 409, 503}


@dataclass(slots=True)
class Sent:
    """What one sender knows: the receipts it read, and the keys whose connection broke before it read one."""

    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    outstanding: str = ""


class Sender(threading.Thread):
    """A case system that sends share after share, each under its own key, until it has read a receipt for it."""

    def __init__(self, town: Town, name: str, pause: float) -> None:
        super().__init__(name=name, daemon=True)
        self.sent = Sent()
        self._cases = town.case_system()
        self._pause = pause
        self._over = threading.Event()

    def finish(self) -> None:
        """Let the share under way be accepted, and stop."""
        self._over.set()

    def run(self) -> None:
        """Send until told to finish."""
        number = 0
        while not self._over.is_set():
            number += 1
            key = f"{self.name}-{number:06}"
            self.sent.outstanding = key
            receipt = send_until_taken(self._cases, share_for(key), key, self.sent)
            if receipt is not None:
                # Recorded after the 202 was read: from here the hub has promised.
                self.sent.receipts[key] = receipt
            self.sent.outstanding = ""
            self._over.wait(self._pause)
        self._cases.close()


def share_for(key: str) -> dict[str, Any]:
    """Return the demo's share as this key tells it: the same body whenever it is sent."""
    return load_share("told_once") | {"reference": key, "person": {"reference": f"P-{key}"}}


def send_until_taken(cases: CaseSystem, share: dict[str, Any], key: str, sent: Sent) -> dict[str, Any] | None:
    """Send the same body under the same key until a receipt is read; None when the hub refuses it for good."""
    while True:
        try:
            return cases.send(share, key)
        except (httpx.TransportError, json.JSONDecodeError):
            sent.broken.add(key)
        except httpx.HTTPStatusError as error:  # of the token endpoint
            if error.response.status_code not in _TRY_AGAIN:
                sent.refused.append(str(error))
                return None
        except RefusedError as error:
            if error.status not in _TRY_AGAIN:
                sent.refused.append(str(error))
                return None
            if error.status == 401:
                _log_in(cases)
        time.sleep(_PAUSE)


def _log_in(cases: CaseSystem) -> None:
    try:
        cases.log_in()
    except httpx.HTTPError:
        return  # the next try finds out


class Answerer(threading.Thread):
    """A partner's staff: they answer some of what arrives, and say it again until the hub has taken it."""

    def __init__(self, town: Town, name: str, every: int) -> None:
        super().__init__(name=f"answers-{name}", daemon=True)
        #: Message id -> the key it answers: what the hub replied to with a 2xx, and so must never lose.
        self.taken: dict[str, str] = {}
        self._partner: SandboxProcess = town.partners[name]
        self._ledger = town.folder / name / "ledger.jsonl"
        self._housing = name == HOUSING
        self._every = every
        self._over = threading.Event()

    def finish(self) -> None:
        """Let the answer under way be taken, and stop."""
        self._over.set()

    def run(self) -> None:
        """Answer until told to finish."""
        seen = position = 0
        while not self._over.is_set():
            arrived, position = _tail(self._ledger, position)
            for entry in arrived:
                seen += 1
                if seen % self._every == 0 and not self._over.is_set():
                    self._answer(entry.key, f"{self.name}-{seen:06}")
            self._over.wait(_PAUSE)

    def _answer(self, key: str, message_id: str) -> None:
        said: dict[str, Any] = {"decision": "accepted", "owner": "Intake team", "message_id": message_id}
        if self._housing:
            said = {"status": "ACCEPTED", "outcomeReason": "PRIORITY_NEED", "owner": "Duty desk"}
            said["messageId"] = message_id
        while not 200 <= self._partner.say(key=key, **said)["status"] < 300:
            time.sleep(_PAUSE)
        self.taken[message_id] = key


def _tail(ledger: Path, position: int) -> tuple[list[Entry], int]:
    """Return the referrals written since `position` that the partner acted on, and where to go on reading.

    What it is told of its own answer is a note to a referral (`referralKey`), and nothing to answer.
    """
    if not ledger.exists():
        return [], position
    with ledger.open("rb") as file:
        file.seek(position)
        whole, _, _torn = file.read().rpartition(b"\n")
    if not whole:
        return [], position
    entries = [Entry.from_json(json.loads(line)) for line in whole.splitlines()]
    referred = [entry for entry in entries if entry.effect and b'"referralKey"' not in entry.body]
    return referred, position + len(whole) + 1
