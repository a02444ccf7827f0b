"""NHS England's own mesh-sandbox as a partner: a real MESH on a real port, and its official client beside it."""

from __future__ import annotations

import json
import subprocess
from contextlib import AbstractContextManager
from typing import Any

import httpx

from hub.sandbox.mesh import KEY, OURS, PASSWORD, REQUIREMENTS, THEIRS, WORKFLOW, Mesh
from tests.peers.environments import environment

__all__ = ["KEY", "OTHERS", "OURS", "PASSWORD", "REQUIREMENTS", "THEIRS", "WORKFLOW", "MeshSandbox"]

#: A third mailbox that the sandbox brings.
OTHERS = "X26ABC3"

_SEND = """
import json, sys
from mesh_client import MeshClient
said = json.load(sys.stdin)
about = {"shared_key": said["key"].encode(), "verify": False}
with MeshClient(said["url"], said["mailbox"], said["password"], **about) as client:
    if "send" in said:
        print(client.send_message(said["to"], said["send"].encode(), **said["about"]))
    else:
        with client.retrieve_message(said["read"]) as message:
            print(json.dumps({"body": message.read().decode("latin-1"), "local_id": message.local_id}))
            message.acknowledge()
"""


class MeshSandbox(Mesh, AbstractContextManager["MeshSandbox"]):
    """The sandbox until a block ends, steered by its own controls and by NHS England's client."""

    def __init__(self) -> None:
        super().__init__()
        self._python = environment("mesh", *REQUIREMENTS)

    def __enter__(self) -> MeshSandbox:
        self.start(self._python)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def forget(self) -> None:
        """Empty every mailbox."""
        httpx.delete(f"{self.root}/admin/reset").raise_for_status()

    def report(self, **about: Any) -> str:
        """Have MESH report to our mailbox that a message was not collected."""
        whole = {"mailbox_id": OURS, "code": "14", "description": "not collected", "workflow_id": WORKFLOW} | about
        reply = httpx.post(f"{self.url}/admin/report", json=whole).raise_for_status()
        return str(reply.json()["message_id"])

    def details(self, message_id: str) -> dict[str, Any]:
        """Return all that the sandbox knows of a message."""
        found: dict[str, Any] = httpx.get(f"{self.root}/admin/message/{message_id}").raise_for_status().json()
        return found

    def send(self, body: str, *, sender: str = THEIRS, to: str = OURS, **about: Any) -> str:
        """Send a message with NHS England's own client; returns its id."""
        return by_client(self.url, sender, to=to, send=body, about={"workflow_id": f"{WORKFLOW}_ACK"} | about)

    def read(self, message_id: str, mailbox: str = THEIRS) -> dict[str, str]:
        """Fetch and acknowledge a message with NHS England's own client; returns its body (latin-1) and local id."""
        return read_by_client(self.url, message_id, mailbox)


def by_client(url: str, mailbox: str, **said: Any) -> str:
    """Have NHS England's own client do one thing at a MESH; returns what it prints."""
    whole = {"url": url.removesuffix("/messageexchange"), "mailbox": mailbox, "password": PASSWORD, "key": KEY}
    command = [str(environment("mesh", *REQUIREMENTS)), "-c", _SEND]
    text = json.dumps(whole | said)
    ran = subprocess.run(command, input=text, capture_output=True, text=True, timeout=60, check=True)
    return ran.stdout.strip()


def read_by_client(url: str, message_id: str, mailbox: str = THEIRS) -> dict[str, str]:
    """Fetch and acknowledge a message with NHS England's own client; returns its body (latin-1) and local id."""
    read: dict[str, str] = json.loads(by_client(url, mailbox, read=message_id))
    return read
