"""TH22: forty marked values go everywhere that somebody's words can go, and turn up in no log, mail, webhook or file.

They may stand in two places alone: at the partners who were meant to have them, and in what the sender may read back.
"""

from __future__ import annotations

import base64
import json
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import kombu.transport.memory
import pytest
import structlog
from typer.testing import CliRunner

from hub.cli.main import app
from hub.sandbox.instance import CLIENT
from hub.sandbox.stage import Stage, set_up
from hub.sdk.testing.sandbox import Behaviour
from tests.acceptance.caller import Caller
from tests.acceptance.canaries import Canaries, planted_share
from tests.acceptance.failing import echoing, unwritable
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, SUPPORTED, TREATMENT

PLANTED = 40


@pytest.fixture(scope="module")
def own_stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage of this module's own, so that every byte it leaves is this story's."""
    with ExitStack() as stack:
        yield set_up(tmp_path_factory.mktemp("canary"), stack, lambda _: None)


class Story:
    """Everything that happens to the marked values, and every reply that was a refusal."""

    def __init__(self, stage: Stage, of: Canaries) -> None:
        self.stage = stage
        self.of = of
        self.problems: list[bytes] = []
        self.cases = Caller(stage.hub.url, CLIENT, stage.cases._key, of["worker"], groups=(of["group"],))

    def told(self) -> dict[str, Any]:
        """A share to three services, of which two answer with marked words, and one by telephone."""
        receipt = self.cases.send(planted_share(self.of), key=self.of["idempotency key"])
        self._arrived(receipt, HOUSING, SUPPORTED, TREATMENT)
        key = self._key(self.stage.housing, receipt)
        said = {name: self.of[f"housing's {name}"] for name in ("owner", "outcomeNote", "nextStep", "outcomeReason")}
        self.stage.housing.say(key=key, status="NOT_ACCEPTED", **said)
        self.stage.housing.say(key=key, status=self.of["housing's own word"], owner=self.of["housing's owner"])
        health = self._key(self.stage.health, receipt)
        self.stage.health.say(key=health, decision="accepted", owner=self.of["treatment's owner"])
        delivery = next(each["id"] for each in receipt["deliveries"] if each["service"] == SUPPORTED)
        heard = {
            name: self.of[f"heard {name}"] for name in ("told_to", "said_by", "owner", "text", "reason", "next_step")
        }
        reply = self.cases.post(
            f"/v1/deliveries/{delivery}/heard", {"state": "accepted", "how": "phone", "on": "2026-11-20", **heard}
        )
        assert reply.status_code == 201, reply.text
        until_true("the answers", lambda: len(self.cases.delivery(receipt["id"], HOUSING)["answers"]) >= 3)
        until_true("the answer", lambda: self.cases.delivery(receipt["id"], TREATMENT)["answer"] == "accepted")
        return receipt

    def failed(self) -> list[dict[str, Any]]:
        """Parcels to a partner that refuses, that crashes on them, and that is down."""
        housing, receipts = self.stage.housing, []
        housing.behave(Behaviour.REFUSING, times=1)
        receipts.append(self.cases.send(planted_share(self.of, HOUSING)))
        until_true("it to be given up", lambda: self._state(receipts[0]) == "dead_lettered")
        housing.behave(Behaviour.CRASHING, times=1)
        receipts.append(self.cases.send(planted_share(self.of, HOUSING)))
        housing.wait()
        housing.start()
        until_true("the doubt to end", lambda: self._state(receipts[1]) == "delivered")
        housing.stop()
        receipts.append(self.cases.send(planted_share(self.of, HOUSING)))
        until_true("a try", lambda: self._state(receipts[2]) == "retrying")
        return receipts

    def refused(self) -> None:
        """Refusals of every kind: consent, schema, proof, callback, FHIR, address and query."""
        share, mark = planted_share(self.of), self.of["a bad value"]
        dead = planted_share(self.of)
        for consent in dead["consents"]:
            consent["until"] = "2026-11-19"
        url = self.stage.hub.url
        named = {"content-type": "application/json", "webhook-id": mark, "webhook-timestamp": "1"}
        replies = [
            self.cases.post("/v1/shares", dead),
            self.cases.post("/v1/shares", share | {self.of["an unknown name"]: mark}),
            self.cases.post("/v1/shares", share | {"urgent": mark}),
            self.cases.post("/v1/shares", share | {"services": [mark]}),
            self.cases.post("/v1/shares", f'{{"{mark}": "{mark}", "{mark}": 1}}'.encode()),
            self.cases.post("/v1/shares", mark.encode()),
            self.cases.post("/v1/shares", share, proof=mark),
            self.cases.post("/v1/shares", share, token=f"Bearer {mark}"),
            self.cases.post("/v1/shares", share, key=f"{mark} {mark}"),
            self.cases.post(f"/v1/consents/{mark}/withdraw", {"services": [mark]}),
            self.cases.post(f"/v1/deliveries/{mark}/heard", {"state": mark}),
            self.cases.get(f"/v1/shares/{mark}?{mark}={mark}"),
            self.cases.get(f"/{mark}/{quote(mark + ' x')}"),
            httpx.post(f"{url}/v1/callbacks/{HOUSING}", content=f'{{"x": "{mark}"}}', headers=named),
            httpx.post(f"{url}/v1/callbacks/{mark}", content=mark),
            httpx.post(f"{url}/fhir/R4/$process-message", content=mark, headers={"authorization": f"Bearer {mark}"}),
            httpx.post(f"{url}/oauth/token", data={"grant_type": mark, "client_assertion": mark}),
            httpx.post(f"{url}/demo/business-time", json={"to": mark}),
        ]
        assert {reply.status_code // 100 for reply in replies} == {4}
        self.problems = [reply.content + str(reply.headers).encode() for reply in replies]

    def broken(self) -> None:
        """What breaks in the midst of it: the database, a mapping, JSON, a partner that echoes, a case system."""
        share, stage = planted_share(self.of, HOUSING), self.stage
        with unwritable(stage.hub.folder / "data" / "hub.db", "deliveries"):
            reply = self.cases.post("/v1/shares", share)
        assert reply.status_code == 500
        self.problems.append(reply.content)
        nameless = planted_share(self.of, HOUSING)
        nameless["consents"][0]["categories"].remove("identity")
        cut_short = json.dumps(share).encode()[:-20]
        for wrong, status in ((nameless, 403), (cut_short, 400), (b"\xff" + cut_short, 400)):
            reply = self.cases.post("/v1/shares", wrong)
            assert reply.status_code == status, reply.text
            self.problems.append(reply.content)
        stage.webhooks.behave(Behaviour.DOWN, times=3)
        stage.housing.stop()
        with echoing(stage.housing.url) as echoed:
            receipt = self.cases.send(share)
            until_true("a try", lambda: self._state(receipt) in {"retrying", "in_doubt", "dead_lettered"})
            assert echoed
        stage.housing.start()

    def operated(self) -> bytes:
        """What commands print that are given marked words, in every place that takes some."""
        mark, printed = self.of["an operator's slip"], b""
        for words in (
            ("trace", mark),
            ("legal-hold", "place", mark, "--by", mark, "--reason", mark),
            ("legal-hold", "lift", mark, "--by", mark),
            ("keys", "retire", mark),
            ("delivery", "settle", mark, "--arrived", "--by", mark, "--reason", mark),
            ("client", "revoke", mark),
            ("connection", "resume", mark),
        ):
            done = CliRunner().invoke(app, [*words, "--dir", str(self.stage.hub.folder)])
            assert done.exit_code == 1, done.output
            printed += done.output.encode()
        structlog.reset_defaults()  # a command sets up its own logging
        return printed

    def withdrawn(self, receipt: dict[str, Any]) -> None:
        """What waits is taken back."""
        reply = self.cases.post(f"/v1/consents/{receipt['consent']}/withdraw", {"worried_about_pressure": True})
        assert reply.status_code == 200, reply.text
        self.problems.append(reply.content)
        self.stage.housing.start()

    def late(self) -> None:
        """A share that nobody answers, until every alert has been raised."""
        receipt = self.cases.send(planted_share(self.of, SUPPORTED))
        self._arrived(receipt, SUPPORTED)
        self.stage.move_time(datetime(2026, 12, 7, 17, 0, 5, tzinfo=UTC))
        until_true("the alerts", lambda: len([m for m in self.stage.mails() if receipt["reference"] in m["raw"]]) >= 2)

    def _arrived(self, receipt: dict[str, Any], *services: str) -> None:
        for service in services:
            until_true("it to arrive", lambda s=service: self.cases.delivery(receipt["id"], s)["state"] == "delivered")

    def _state(self, receipt: dict[str, Any]) -> str:
        return str(self.cases.delivery(receipt["id"], HOUSING)["state"])

    @staticmethod
    def _key(partner: Any, receipt: dict[str, Any]) -> str:
        return str(next(e.key for e in partner.entries() if e.effect and receipt["reference"].encode() in e.body))


def _supported_stays_silent(stage: Stage) -> None:
    stage.supported.behave(Behaviour.SILENT)


def _files(folder: Path) -> Iterator[Path]:
    yield from (each for each in folder.rglob("*") if each.is_file())


def _hosts(hub_pid_of: Path) -> bytes:
    """Command lines and environments of every process of the hub, hosts included, as the system shows them."""
    pids = [
        json.loads(line)["pid"]
        for line in hub_pid_of.read_text().splitlines()
        if line.startswith("{") and '"pid"' in line
    ]
    shown = b""
    for pid in pids:
        for name in ("cmdline", "environ"):
            # One that ended, even while it is read, shows nothing; the hub and the hosts at work do.
            with suppress(FileNotFoundError, ProcessLookupError):
                shown += Path(f"/proc/{pid}/{name}").read_bytes()
    return shown


def test_th22_forty_marked_values_turn_up_nowhere_that_they_should_not(
    own_stage: Stage, request: pytest.FixtureRequest
) -> None:
    # given marked values in every string of a share, of its answers, of what was heard and of what was refused
    of, stage = Canaries(), own_stage
    _supported_stays_silent(stage)
    story = Story(stage, of)
    request.addfinalizer(story.cases.http.close)

    # when they are told, answered, refused, sent to partners that fail, taken back, late; and the hub is killed midway
    receipt = story.told()
    failed = story.failed()
    story.refused()
    story.withdrawn(failed[2])
    story.broken()
    printed = story.operated()
    limits = Path(f"/proc/{stage.hub.pid}/limits").read_text(encoding="ascii")
    os.kill(stage.hub.pid, signal.SIGABRT)  # a crash that would leave all of its memory in a core file
    stage.hub.kill()
    stage.hub.start()
    story.late()
    assert len(of.by_place) >= PLANTED

    # then no sink holds one of them
    folder = stage.folder
    sinks = {
        "logs and output": (folder / "hub.log").read_bytes(),
        "metrics": httpx.get(stage.metrics_url, timeout=10, trust_env=False).raise_for_status().content,
        "mails": json.dumps(stage.mails()).encode(),
        "webhooks": b"".join(e.body + str(e.headers).encode() + e.path.encode() for e in stage.webhooks.entries()),
        "problems": b"\n".join(story.problems),
        "commands": printed,
        "command lines and environments": _hosts(folder / "hub.log"),
        **{str(file.relative_to(folder)): file.read_bytes() for file in _files(stage.hub.folder)},
    }
    assert {name: of.within(content) for name, content in sinks.items() if of.within(content)} == {}
    # and no core file was left, nor may be
    assert [line.split()[4:6] for line in limits.splitlines() if line.startswith("Max core")] == [["0", "0"]]
    assert not [
        file for place in (folder, Path.cwd()) for file in place.rglob("core*") if file.name[4:].strip(".").isdigit()
    ]
    # and the sinks were really there: a database with its log, mails, webhooks, and lines of the log
    assert sum(len(content) for name, content in sinks.items() if name.startswith("instance/data/hub.db")) > 200_000
    assert any(name.endswith("-wal") and content for name, content in sinks.items())
    assert len(stage.mails()) >= 4
    assert len(stage.webhooks.entries()) >= 5
    assert sinks["logs and output"].count(b'"event":') >= 4
    assert b"hub_" in sinks["metrics"]

    # and the search finds them where they belong: at the partners, and in the sender's own report
    housing = set(of.within(b"".join(entry.body for entry in stage.housing.entries())))
    assert {"given_name", "family_name", "in_their_words words", "goal words"} <= housing
    assert housing.isdisjoint({"unlabelled", "address", "location words", "somebody else", "offending", "nhs_number"})
    assert housing.isdisjoint({"substance_use words", "discussed with", "group", "worker", "birth_date", "fact"})
    assert "trusted person" not in housing  # it is a place, and the place is private
    report = set(of.within(story.cases.get(f"/v1/shares/{receipt['id']}").content))
    assert {"housing's owner", "heard text", "heard told_to", "treatment's owner"} <= report
    assert not {place for place in report if not place.startswith(("housing's", "heard", "treatment's"))}


def test_th22_the_broker_carries_ids_and_nothing_else(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    # given a tap on everything that is put into the broker
    carried: list[Any] = []
    put = kombu.transport.memory.Channel._put

    def tapped(channel: Any, queue: str, message: Any, **options: Any) -> Any:
        carried.append({"queue": queue, "message": message})
        return put(channel, queue, message, **options)

    monkeypatch.setattr(kombu.transport.memory.Channel, "_put", tapped)
    of = Canaries()
    monkeypatch.setattr(house.cases, "groups", (of["group"],))
    # when a marked share is sent, arrives, and is answered
    receipt = house.cases.send(planted_share(of, HOUSING))
    until_true("it to arrive", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "delivered")
    house.say(receipt, HOUSING, status="ACCEPTED", owner=of["owner"], outcomeNote=of["note"])
    until_true("the answer", lambda: house.cases.delivery(receipt["id"], HOUSING)["answer"] == "accepted")
    # then messages were carried, they hold ids alone, and none of the marks
    bodies = [json.loads(_body(each["message"])) for each in carried]
    assert receipt["deliveries"][0]["id"] in [each for body in bodies for each in body["ids"]]
    assert all(set(body) == {"ids"} and all(len(each) == 32 for each in body["ids"]) for body in bodies)
    assert of.within(json.dumps(carried, default=str).encode()) == []


def _body(message: dict[str, Any]) -> bytes:
    body = message["body"]
    return base64.b64decode(body) if message["properties"].get("body_encoding") == "base64" else body.encode()
