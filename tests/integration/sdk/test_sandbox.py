"""The sandbox engine as a real process: each behaviour seen from outside, and what survives a crash."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from hub.sdk.testing.process import SandboxProcess
from hub.sdk.testing.sandbox import Behaviour

HERE = Path(__file__).parent


@pytest.fixture
def partner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    with SandboxProcess("parcel_partner", tmp_path, settings={"slow_seconds": 0.4}) as process:
        yield process


def post(partner: SandboxProcess, key: str, body: bytes = b"parcel", wait: float = 10) -> httpx.Response:
    headers = {"Idempotency-Key": key, "Authorization": "Bearer secret"}
    return httpx.post(f"{partner.url}/parcels", content=body, headers=headers, timeout=wait)


def test_prompt_takes_it_once_and_records_both_arrivals(partner: SandboxProcess) -> None:
    # when the same parcel arrives twice
    assert post(partner, "k1").status_code == 201
    assert post(partner, "k1").status_code == 200
    # then there are two arrivals and one effect, with the exact bytes and no credential
    first, second = partner.entries()
    assert (first.body, first.status, first.effect, first.case) == (b"parcel", 201, True, "case-1")
    assert (second.status, second.effect) == (200, False)
    assert "authorization" not in first.headers
    assert partner.effects("k1") == 1


def test_forty_arrivals_of_one_key_at_once_have_one_effect(partner: SandboxProcess) -> None:
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: post(partner, "k1").status_code, range(40)))
    assert statuses.count(201) == 1
    assert partner.effects("k1") == 1


def test_refusing_and_lying_have_no_effect(partner: SandboxProcess) -> None:
    # given one refusal, then one lie
    partner.behave(Behaviour.REFUSING, times=1)
    assert post(partner, "k1").status_code == 422
    partner.behave(Behaviour.LYING, times=1)
    assert post(partner, "k2").status_code == 201
    # then both arrived, neither is there, and the partner is prompt again
    assert [entry.effect for entry in partner.entries()] == [False, False]
    assert httpx.get(f"{partner.url}/parcels?key=k2").json() == {"found": False}
    assert httpx.get(f"{partner.url}/sandbox/behaviour").json() == {"behaviour": "prompt", "times": None}


def test_slow_has_it_before_it_replies(partner: SandboxProcess) -> None:
    partner.behave(Behaviour.SLOW)
    # when the caller gives up before the reply
    with pytest.raises(httpx.ReadTimeout):
        post(partner, "k1", wait=0.1)
    # then the partner has it all the same
    assert partner.wait_for("k1").effect
    # and whoever waits gets the reply
    begun = time.monotonic()
    assert post(partner, "k2").status_code == 201
    assert time.monotonic() - begun >= 0.4


def test_down_reads_nothing_and_says_when_to_come_back(partner: SandboxProcess) -> None:
    # given a partner that is down for two arrivals, look-ups included
    partner.behave(Behaviour.DOWN, times=2)
    reply = post(partner, "k1")
    assert (reply.status_code, reply.headers["retry-after"]) == (503, "1")
    assert httpx.get(f"{partner.url}/parcels?key=k1").status_code == 503
    # then nothing was recorded, and the third gets through
    assert partner.entries() == []
    assert post(partner, "k1").status_code == 201


def test_crashing_acts_dies_before_replying_and_remembers(partner: SandboxProcess) -> None:
    partner.behave(Behaviour.CRASHING)
    # when a parcel arrives
    with pytest.raises(httpx.RemoteProtocolError):
        post(partner, "k1")
    # then the process is gone with its own exit status
    assert partner.wait() == 70
    # and back on the same port it knows that it had acted
    port = partner.url
    partner.start()
    assert partner.url == port
    assert post(partner, "k1").status_code == 200
    assert [(entry.status, entry.effect) for entry in partner.entries()] == [(0, True), (200, False)]


def test_silent_takes_it_like_prompt(partner: SandboxProcess) -> None:
    partner.behave(Behaviour.SILENT)
    assert post(partner, "k1").status_code == 201
    assert partner.effects("k1") == 1


@pytest.mark.parametrize("order", [{}, {"behaviour": "rude"}, {"behaviour": "slow", "times": 0}, ["slow"]])
def test_an_order_that_makes_no_sense_changes_nothing(partner: SandboxProcess, order: object) -> None:
    reply = httpx.put(f"{partner.url}/sandbox/behaviour", json=order)
    assert reply.status_code == 400
    assert "crashing" in reply.json()["behaviours"]
    assert httpx.get(f"{partner.url}/sandbox/behaviour").json()["behaviour"] == "prompt"


def test_a_partner_that_cannot_answer_on_demand_says_so(partner: SandboxProcess) -> None:
    assert httpx.post(f"{partner.url}/sandbox/say", json={}).status_code == 501


def test_the_process_says_ready_once_and_stops_on_sigterm(tmp_path: Path) -> None:
    # given a sandbox started by hand
    command = [sys.executable, str(HERE / "parcel_partner.py"), "--port", "0", "--ledger", str(tmp_path / "l")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    ready = process.stdout.readline()
    url = ready.split()[1]
    httpx.post(f"{url}/parcels", content=b"x", headers={"Idempotency-Key": "k"})
    # when it is told to stop
    process.terminate()
    rest, complaints = process.communicate(timeout=20)
    # then it ends, having said one line and logged nothing
    assert ready.startswith("ready http://127.0.0.1:")
    assert (rest, complaints) == ("", "")
    assert process.returncode in (0, -15)
    assert json.loads((tmp_path / "l").read_text())["key"] == "k"
