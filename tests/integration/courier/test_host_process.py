"""A host as a real child process over a real socket, with a connector that behaves and misbehaves on demand."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import py_compile
import site
import time
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from hub.courier.host_process import HostBroken, HostResult, ParseFailed
from hub.courier.incarnation import HostDied
from hub.host.discovery import content_hash
from hub.sdk import Answer, AnswerState, CallbackRequest, Delivered, InDoubt, Level, Rejected, RetryLater

pytestmark = pytest.mark.anyio

HOOK = "from hub.sdk import hookimpl\n@hookimpl\n"


async def until(condition, seconds: float = 30) -> None:
    """Wait until something is true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not become true in time"
        await asyncio.sleep(0.01)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


async def test_a_parcel_is_delivered_and_its_start_told_before_it_arrives(rig, partner, parcel) -> None:
    # given a partner, and a courier that notes what had arrived when the start was told
    arrived = []
    rig.host._on_started = lambda token: (rig.started.append(token), arrived.append(len(partner.bodies)))
    sent = parcel("post", b'{"exact": "bytes\xc3\xa9"}')
    # when the parcel is delivered
    result = await rig.host.deliver(sent)
    # then the partner got the exact bytes, the outcome came back typed, and the start was told first
    assert partner.bodies == [sent.body]
    assert result == HostResult(Delivered("ok", Level.L2, (Answer(AnswerState.RECEIVED),)), started=True)
    assert (rig.started, arrived) == ([sent.token], [0])


async def test_what_carries_no_parcel_tells_no_start(rig, parcel) -> None:
    assert await rig.host.check() == HostResult(Delivered("200"), started=False)
    assert await rig.host.reconcile(parcel("post")) == HostResult(Delivered("200"), started=False)
    assert rig.started == []


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        ("raise-before", RetryLater("connector-error")),
        ("raise-after", InDoubt("connector-error")),
        ("not-sent", RetryLater("host-refused")),
        ("prose", RetryLater("unstated")),
        ("wrong-type", RetryLater("connector-error")),
        ("wrong-field", RetryLater("connector-error")),
        ("cancel", RetryLater("connector-error")),
        ("no-such-method", RetryLater("connector-error")),
    ],
)
async def test_whatever_a_connector_does_becomes_an_outcome(rig, parcel, act: str, outcome) -> None:
    # when the connector misbehaves, then the outcome fits what may have left, names nobody, and the host lives on
    result = await rig.host.deliver(parcel(act))
    assert result == HostResult(outcome, started=isinstance(outcome, InDoubt))
    assert (await rig.host.deliver(parcel("echo"))).outcome == Delivered("the story")


@pytest.mark.parametrize(("act", "started"), [("exit-before", False), ("exit-after", True)])
async def test_a_crash_tells_every_parcel_whether_it_had_started(rig, partner, parcel, act: str, started: bool) -> None:
    # given a parcel that waits without having started
    waiting = parcel("wait")
    held = asyncio.create_task(rig.host.deliver(waiting))
    await rig.host.deliver(parcel("echo"))
    # when another crashes the host
    crashing = parcel(act)
    result = await rig.host.deliver(crashing)
    # then each learns its own state, and the next parcel has a fresh host
    assert result == HostDied(started, "exited")
    assert await held == HostDied(started=False, why="exited")
    assert (await rig.host.deliver(parcel("post"))).outcome.receipt == "ok"
    assert len(partner.bodies) == 1 + started


async def test_a_parcel_that_is_sent_alone_dies_alone(rig, parcel) -> None:
    # given a shared host that has work
    await rig.host.deliver(parcel("echo"))
    pid, other = rig.host.pid, asyncio.create_task(rig.host.deliver(parcel("wait", seconds=1)))
    # when a parcel that crashes its host is sent alone
    with capture_logs() as logs:
        died = await rig.host.deliver_alone(parcel("exit-before"))
    # then the shared host was not touched, and what died is logged by numbers
    assert (died, rig.host.pid) == (HostDied(started=False, why="exited"), pid)
    (told,) = [each for each in logs if each["event"] == "host.died"]
    assert (told["in_flight"], told["printed"]) == (1, 0)
    assert (await other).outcome == RetryLater("deadline")


async def test_a_parcel_that_was_innocent_passes_when_sent_alone(rig, parcel) -> None:
    assert (await rig.host.deliver_alone(parcel("echo"))).outcome == Delivered("the story")
    assert rig.host.pid is None


@pytest.mark.parametrize(("act", "outcome"), [("wait", RetryLater("deadline")), ("wait-after", InDoubt("deadline"))])
async def test_a_deadline_ends_a_call_and_not_the_host(rig, parcel, act: str, outcome) -> None:
    await rig.host.deliver(parcel("echo"))
    pid = rig.host.pid
    assert (await rig.host.deliver(parcel(act, seconds=0.3))).outcome == outcome
    assert rig.host.pid == pid


async def test_a_host_that_overruns_a_deadline_is_killed_and_the_others_are_told(rig, partner, parcel) -> None:
    # given a parcel that has left and waits for a silent partner
    partner.silent = True
    other = asyncio.create_task(rig.host.deliver(parcel("post")))
    await partner.arrived.wait()
    pid = rig.host.pid
    # when another blocks the whole host beyond its deadline and the grace
    result = await rig.host.deliver(parcel("block", seconds=0.2))
    # then the host is dead, and the one that had left is known to have
    assert (result.started, result.why) == (False, "deadline")
    assert (await other).started is True
    assert gone(pid)


async def test_secrets_are_neither_in_the_environment_nor_on_the_command_line(rig, parcel, monkeypatch) -> None:
    """TH07: what another process, or the connector itself, can read of the host."""
    # given a hub whose own environment holds a password
    monkeypatch.setenv("DATABASE_URL", "postgresql://hub:canary-77aa@db/hub")
    # when a connector looks at itself
    seen = json.loads((await rig.host.deliver(parcel("look"))).outcome.receipt)
    # then it has its own secret from the context and nothing else, and so has the process table
    assert seen["secret"] == "canary-5f1d"
    assert set(seen["environ"]) <= {"LANG", "LC_CTYPE", "PYDANTIC_DISABLE_PLUGINS"}
    process = Path(f"/proc/{rig.host.pid}")
    for source in ("environ", "cmdline"):
        assert b"canary" not in (process / source).read_bytes()


async def test_a_host_is_started_by_exec_and_runs_isolated_python(rig, parcel) -> None:
    await rig.host.deliver(parcel("echo"))
    words = Path(f"/proc/{rig.host.pid}/cmdline").read_bytes().split(b"\0")
    assert words[1:6] == [b"-I", b"-B", b"-u", b"-m", b"hub.host"]
    assert os.getsid(rig.host.pid) == rig.host.pid


async def test_what_a_connector_prints_is_counted_and_never_logged(rig, parcel, capfd) -> None:
    # when a connector prints a person's name and address
    with capture_logs() as logs:
        await rig.host.deliver(parcel("talk"))
        child = rig.host._current.child
        await until(lambda: child.printed >= 10_000 + 13_000)
        await rig.host.close()
    # then the bytes were counted, and the text is in no log and on no terminal of ours
    out, err = capfd.readouterr()
    assert "John" not in out + err + repr(logs)
    assert "High Street" not in out + err + repr(logs)


async def test_th22_a_connector_that_fails_with_the_parcel_in_its_hands_tells_nobody(rig, parcel, capfd) -> None:
    # given a connector that prints, warns, logs and raises what it was given
    mark = f"Cnry{uuid.uuid4().hex}"
    with capture_logs() as logs:
        result = await rig.host.deliver(parcel("confess", mark.encode()))
        child = rig.host._current.child
        await until(lambda: child.printed >= len(mark))
        await rig.host.close()
    # then it failed, by a code, and its words are in no result, log or terminal of ours
    out, err = capfd.readouterr()
    assert mark not in repr(result) + out + err + repr(logs)
    assert isinstance(result, HostResult)
    assert not isinstance(result.outcome, Delivered)


async def test_the_way_out_closes_with_the_call(rig, partner, parcel) -> None:
    await rig.host.deliver(parcel("behind"))
    assert (await rig.host.deliver(parcel("use-kept"))).outcome == Rejected("call-over")
    assert partner.bodies == []


async def test_a_host_ends_when_its_courier_goes_even_while_a_connector_blocks_it(rig, parcel) -> None:
    await rig.host.deliver(parcel("echo"))
    pid, child = rig.host.pid, rig.host._current.child
    blocked = asyncio.create_task(rig.host.deliver(parcel("block")))
    await asyncio.sleep(0)
    child.writer.close()
    await until(lambda: gone(pid))
    assert (await blocked).started is False


async def test_an_idle_host_leaves_and_the_next_parcel_starts_another(open_host, configure, parcel) -> None:
    # given a host that leaves after a tenth of a second
    host = open_host(replace(configure, idle_seconds=0.1))
    await host.deliver(parcel("echo"))
    pid = host.pid
    # when nothing happens
    await until(lambda: gone(pid))
    # then that was no death, and the next parcel is delivered by another process
    assert (await host.deliver(parcel("echo"))).outcome == Delivered("the story")
    assert host.pid != pid
    await host.close()


async def test_parcels_that_cross_an_idle_host_s_leaving_are_delivered(open_host, configure, parcel) -> None:
    # given a host that leaves as soon as it can, and parcels that come just about then
    host = open_host(replace(configure, idle_seconds=0.06))
    for _ in range(12):
        result = await host.deliver(parcel("echo"))
        assert result == HostResult(Delivered("the story"), started=False)
        await asyncio.sleep(0.058)
    await host.close()


async def test_no_more_than_in_flight_go_at_once(open_host, configure, partner, parcel) -> None:
    host = open_host(replace(configure, in_flight=3))
    partner.silent = True
    calls = [asyncio.create_task(host.deliver(parcel("post", seconds=3))) for _ in range(5)]
    await until(lambda: len(partner.bodies) == 3)
    results = await asyncio.gather(*calls)
    # then two never left, because the first three held the host until the deadline of all
    assert len(partner.bodies) == 3
    assert [type(result.outcome) for result in results] == [InDoubt] * 3 + [RetryLater] * 2
    await host.close()


async def test_a_callback_is_parsed_or_refused(rig) -> None:
    # given a message of the partner's, one that is not, and one that kills the host
    good = CallbackRequest({"x-id": "7"}, b'{"reference": "r", "state": "accepted", "owner": "Duty desk"}')
    inbound = await rig.host.parse(good)
    assert (inbound.message_id, inbound.reference) == ("7", "r")
    assert inbound.answers == (Answer(AnswerState.ACCEPTED, owner="Duty desk"),)
    assert await rig.host.parse(CallbackRequest({"x-id": "7"}, b"not json")) == ParseFailed("not-theirs")
    assert await rig.host.parse(CallbackRequest({}, b'{"state": "accepted"}')) == ParseFailed("connector-error")
    assert await rig.host.parse(CallbackRequest({"x-kind": "die"}, b"")) == ParseFailed("host-died")


async def test_what_waits_at_a_partner_is_collected_and_acknowledged(rig, partner) -> None:
    found = [inbound async for inbound in rig.host.collect()]
    assert [(i.message_id, i.reference, i.level) for i in found] == [(f"m{n}", f"r{n}", Level.L2) for n in range(3)]
    await rig.host.acknowledge("r0")
    assert partner.lines == [b"DELETE /r0 HTTP/1.1"]


async def test_only_the_addressed_connector_is_called(open_host, configure, partner, parcel) -> None:
    """TH06: two connectors in one plugin; a parcel for one reaches one."""
    host = open_host(replace(configure, connector="other"))
    await host.deliver(parcel("post"))
    await host.close()
    assert partner.lines == [b"POST /other HTTP/1.1"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"plugin": "missing"}, "plugin-missing"),
        ({"connector": "missing"}, "connector-unknown"),
        ({"distribution": "someone-elses"}, "plugin-of-another-distribution"),
        ({"sha256": "0" * 64}, "plugin-changed"),
        ({"settings": {"secret_file": ""}}, "settings-invalid:base_url"),
        ({"settings": {"base_url": "x", "NAME OF PERSON": ""}}, "settings-invalid"),
        ({"allow_addresses": ("nonsense",)}, "connection-invalid"),
        ({"secrets": {"client_certificate": "nonsense"}}, "connection-invalid"),
    ],
)
async def test_a_host_that_cannot_run_says_why(open_host, configure, parcel, change, reason: str) -> None:
    host = open_host(replace(configure, **change))
    assert await host.deliver(parcel("echo")) == HostBroken(reason)
    assert await host.parse(CallbackRequest({}, b"")) == ParseFailed(reason)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import nothing_of_this_name", "import-failed"),
        ("raise SystemExit('John Smith')", "import-failed"),
        ("", "connector-unknown"),
        (HOOK + "def register_conectors(register): ...", "hook-invalid"),
        (HOOK + "def register_connectors(share): ...", "hook-invalid"),
        (HOOK + "def register_connectors(register): 1 / 0", "connector-error"),
        (HOOK + "def register_connectors(register): register('probe', 3)", "connector-invalid"),
    ],
)
async def test_a_broken_plugin_leaves_the_hub_up_and_says_why(
    open_host, configure, install, parcel, code: str, reason: str
) -> None:
    host = open_host(replace(configure, paths=(str(install(Path(configure.paths[0]) / "broken", code)),)))
    assert await host.deliver(parcel("echo")) == HostBroken(reason)


async def test_a_connector_with_the_listed_hash_runs(open_host, configure, parcel) -> None:
    sha256 = content_hash(Path(configure.paths[0]) / "hub_probe")
    host = open_host(replace(configure, sha256=sha256))
    assert (await host.deliver(parcel("echo"))).outcome == Delivered("the story")
    await host.close()


async def test_th08_a_planted_compiled_copy_of_a_listed_plugin_is_not_run(open_host, configure, parcel) -> None:
    """TH08: a copy that Python takes unchecked for its source, and that a hash of the sources does not see."""
    # given a listed plugin, and beside its source another module's code, compiled so that nothing compares the two
    package = Path(configure.paths[0]) / "hub_probe"
    sha256 = content_hash(package)
    trap = package / "trap.py"
    trap.write_text("raise RuntimeError('planted code ran')")
    planted = importlib.util.cache_from_source(str(package / "connector.py"))
    py_compile.compile(str(trap), planted, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    trap.unlink()
    # when its host starts, then the files that were listed are what runs
    host = open_host(replace(configure, sha256=sha256))
    assert (await host.deliver(parcel("echo"))).outcome == Delivered("the story")
    await host.close()


async def test_th08_no_host_starts_beside_a_start_up_file_that_came_since(
    open_host, configure, parcel, monkeypatch, tmp_path
) -> None:
    """TH08: the hub looked when it started; a package was installed since."""
    # given a site folder of this interpreter's that has got a file which runs code
    site_folder = tmp_path / "late"
    site_folder.mkdir()
    real = site.getsitepackages()
    monkeypatch.setattr(site, "getsitepackages", lambda: [*real, str(site_folder)])
    host = open_host(configure)
    (site_folder / "late.pth").write_text("import os; os.environ\n")
    # when a parcel needs a host, then none is started
    assert await host.deliver(parcel("echo")) == HostBroken("foreign-code")
    (site_folder / "late.pth").unlink()
    assert isinstance(await host.deliver(parcel("echo")), HostResult)
    await host.close()


async def test_a_host_with_a_user_of_its_own_says_so(open_host, configure, parcel, tmp_path) -> None:
    """The strongest level: another user id, which only root can give, and only where that user may read the code."""
    # given code that another user may read
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    host = open_host(configure, run_as=65_534)
    # when a parcel is delivered by it
    result = await host.deliver(parcel("look"))
    if host.pid is None:
        # then, where that user cannot be had or cannot reach the interpreter, nothing runs as ours instead
        later = HostResult(RetryLater("host-could-not-start", 30, counts=False), started=False)
        assert result in {HostBroken("cannot-start"), later}
        return
    # then the process has that user, no way back to more, and says which measures hold it
    status = Path(f"/proc/{host.pid}/status").read_text()
    assert "Uid:\t65534\t65534\t65534\t65534" in status
    assert "NoNewPrivs:\t1" in status
    assert "CapEff:\t0000000000000000" in status
    assert host._current.ready.isolation == "own-uid"
    await host.close()
