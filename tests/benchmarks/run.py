"""`make bench`: how many shares a second the embedded hub takes and delivers here, beside the floor, in one run.

Sender, partner and what is measured share this machine. Throughput is a fixed number of shares through 64 connections
as fast as they are taken; latency is a fixed rate. Only ratios within one run mean anything elsewhere.
"""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import micro
import shares
from figures import Figures, Result, figures
from processes import Process, Used, free_port

from hub.entries import approve_all
from hub.sandbox import instance
from hub.security.assertions import ClientKey, token_request
from hub.security.webhooks import new_secret

CONNECTIONS = 64
_DRAIN_SECONDS = 300.0
_NOBODY = "http://127.0.0.1:9"  # nothing is sent there

#: Makes this many ready requests for the system under load.
Make = Callable[[int], list[bytes]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One system's figures under both loads, and what it used of the machine under the first."""

    throughput: Figures
    latency: Figures
    cpu_ms_per_share: float
    peak_mib: float
    peaks_mib: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Bench:
    """What one run is made of."""

    folder: Path
    count: int
    rate: float
    seconds: float
    store: str = ""
    broker: str = ""

    def say(self, words: str) -> None:
        """Tell whoever waits what happens now."""
        print(words, file=sys.stderr, flush=True)


def measure_hub(bench: Bench) -> Measured:
    """Run the hub on a fresh instance with the real housing connector in its real host process."""
    folder = bench.folder / "hub"
    folder.mkdir()
    made = instance.make_keys()
    with _partner(folder) as partner:
        address = f"127.0.0.1:{free_port()}"
        write_instance(folder / "instance", address, partner, made, bench)
        command = [str(Path(sys.executable).with_name("hub")), "serve", "--dir", str(folder / "instance")]
        with Process(command, folder / "hub.log") as hub:
            hub.wait_until_ready(f"http://{address}")

            def make(count: int) -> list[bytes]:
                return shares.signed(count, address, log_in(address, made.case_system), made.case_system)

            return _measure(bench, folder, hub, address, partner, make)


def measure_floor(bench: Bench) -> Measured:
    """Run the floor against a partner of its own."""
    folder = bench.folder / "floor"
    folder.mkdir()
    with _partner(folder) as partner:
        address = f"127.0.0.1:{free_port()}"
        arguments = [address.partition(":")[2], partner, str(folder / "floor.db")]
        with Process.script("floor", arguments, folder / "floor.log") as floor:
            floor.wait_until_ready(f"http://{address}")

            def make(count: int) -> list[bytes]:
                return shares.signed(count, address, "none", ClientKey.generate("ES256"))

            return _measure(bench, folder, floor, address, partner, make)


def write_instance(folder: Path, address: str, partner: str, made: instance.Keys, bench: Bench) -> None:
    """Write an embedded instance with one housing service, reached through the pack's connector."""
    partners = instance.Partners(
        hub_url=f"http://{address}",
        hub_port=int(address.partition(":")[2]),
        housing_url=partner,
        supported_url=partner,
        health_url=partner,
        case_system_url=partner,
        smtp_port=1,
        callback_secret=new_secret(),
        webhook_secret=new_secret(),
    )
    instance.write(folder, partners, made)
    for service in (folder / "services").glob("*.toml"):
        if service.stem != shares.SERVICE:
            service.unlink()
    text = (folder / "hub.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("business_start")]
    text = "\n".join(lines).replace('profile = "demo"', 'profile = "embedded"')
    text += f'\n[store]\nurl = "{bench.store}"\n' if bench.store else ""
    text += f'\n[broker]\nurl = "{bench.broker}"\n' if bench.broker else ""
    (folder / "hub.toml").write_text(text, encoding="utf-8")
    approve_all(folder, date.today())


def log_in(address: str, key: ClientKey) -> str:
    """Return an access token."""
    form = token_request(instance.CLIENT, f"http://{address}/oauth/token", key, datetime.now(UTC))
    reply = httpx.post(f"http://{address}/oauth/token", data=form, trust_env=False).raise_for_status()
    return str(reply.json()["access_token"])


@contextmanager
def _partner(folder: Path) -> Iterator[str]:
    with Process.script("partner", [], folder / "partner.log") as process:
        yield process.ready_line()


def _measure(bench: Bench, folder: Path, system: Process, address: str, partner: str, make: Make) -> Measured:
    bench.say(f"  {bench.count} shares through {CONNECTIONS} connections, as fast as they are taken ...")
    _load(folder, address, partner, make(2 * CONNECTIONS), None)  # what starts lazily, such as the host, starts here
    before = system.used()
    throughput = _load(folder, address, partner, make(bench.count), None)
    after = system.used()
    bench.say(f"  {bench.rate:.0f} shares a second for {bench.seconds:.0f} seconds ...")
    latency = _load(folder, address, partner, make(int(bench.rate * bench.seconds)), bench.rate)
    return _measured(throughput, latency, before, after)


def _measured(throughput: Figures, latency: Figures, before: Used, after: Used) -> Measured:
    cpu = (after.cpu - before.cpu) / throughput.shares * 1000
    return Measured(throughput, latency, cpu, after.peak, after.peaks)


def _load(folder: Path, address: str, partner: str, requests: list[bytes], rate: float | None) -> Figures:
    earlier = httpx.get(f"{partner}/count", trust_env=False).json()
    plan, result = folder / "plan.pickle", folder / "result.pickle"
    plan.write_bytes(pickle.dumps((CONNECTIONS, rate, requests)))
    with Process.script("sender", [address, str(plan), str(result)], folder / "sender.log") as sender:
        sender.wait()
    results: list[Result] = pickle.loads(result.read_bytes())
    wanted = earlier["arrived"] + sum(status == 202 for _, _, status, _ in results)
    count = _drained(partner, wanted)
    arrivals = httpx.get(f"{partner}/arrivals", timeout=60, trust_env=False).json()
    return figures(results, arrivals, count["duplicates"] - earlier["duplicates"])


def _drained(partner: str, wanted: int) -> dict[str, int]:
    """Wait until the partner has everything, or nothing more has come for ten seconds."""
    until = time.monotonic() + _DRAIN_SECONDS
    seen, since = -1, time.monotonic()
    while time.monotonic() < until:
        count: dict[str, int] = httpx.get(f"{partner}/count", timeout=30, trust_env=False).json()
        if count["arrived"] != seen:
            seen, since = count["arrived"], time.monotonic()
        if seen >= wanted or time.monotonic() - since > 10:
            break
        time.sleep(0.1)
    return count


def ratios(hub: Measured, floor: Measured) -> dict[str, float]:
    """Return the hub's figures over the floor's."""
    return {
        "accepted_per_second": hub.throughput.accepted_per_second / floor.throughput.accepted_per_second,
        "delivered_per_second": hub.throughput.delivered_per_second / floor.throughput.delivered_per_second,
        "p95_at_rate": hub.latency.p95 / floor.latency.p95,
        "cpu_per_share": hub.cpu_ms_per_share / floor.cpu_ms_per_share,
        "peak_memory": hub.peak_mib / floor.peak_mib,
    }


def table(bench: Bench, hub: Measured, floor: Measured | None) -> str:
    """Return the figures as lines for a person."""
    over = ratios(hub, floor) if floor else {}
    rows: list[tuple[str, Callable[[Measured], float], str, str]] = [
        ("accepted a second", lambda it: it.throughput.accepted_per_second, "{:.0f}", "accepted_per_second"),
        ("delivered a second", lambda it: it.throughput.delivered_per_second, "{:.0f}", "delivered_per_second"),
        ("p50, sent to delivered, full load (ms)", lambda it: it.throughput.p50, "{:.0f}", ""),
        ("p95, sent to delivered, full load (ms)", lambda it: it.throughput.p95, "{:.0f}", ""),
        (f"p50 at {bench.rate:.0f}/s (ms)", lambda it: it.latency.p50, "{:.1f}", ""),
        (f"p95 at {bench.rate:.0f}/s (ms)", lambda it: it.latency.p95, "{:.1f}", "p95_at_rate"),
        (f"p99 at {bench.rate:.0f}/s (ms)", lambda it: it.latency.p99, "{:.1f}", ""),
        (f"p95 of the 202 at {bench.rate:.0f}/s (ms)", lambda it: it.latency.accepted_p95, "{:.1f}", ""),
        ("processor a share (ms)", lambda it: it.cpu_ms_per_share, "{:.2f}", "cpu_per_share"),
        ("peak memory (MiB)", lambda it: it.peak_mib, "{:.0f}", "peak_memory"),
        ("lost", lambda it: it.throughput.lost + it.latency.lost, "{:.0f}", ""),
        ("sent twice", lambda it: it.throughput.duplicates + it.latency.duplicates, "{:.0f}", ""),
    ]
    lines = [f"{'':<40}{'hub':>10}{'floor':>10}{'hub/floor':>11}"]
    for name, value, shape, ratio in rows:
        beside = shape.format(value(floor)) if floor else ""
        lines.append(f"{name:<40}{shape.format(value(hub)):>10}{beside:>10}{_ratio(over.get(ratio)):>11}")
    lines.append(f"peaks of the hub's own processes (MiB): {', '.join(f'{each:.0f}' for each in hub.peaks_mib)}")
    return "\n".join(lines)


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


@dataclass(frozen=True, slots=True)
class Run:
    """Everything that one run found."""

    hub: Measured
    floor: Measured | None
    small: list[micro.Small]

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        over = {"floor": asdict(self.floor), "hub_over_floor": ratios(self.hub, self.floor)} if self.floor else {}
        return {"hub": asdict(self.hub), **over, "small": [asdict(each) for each in self.small]}

    def as_text(self, bench: Bench) -> str:
        """Return it for a person."""
        return "\n\n".join(filter(None, [table(bench, self.hub, self.floor), micro.table(self.small)]))


def measure(bench: Bench, *, floor: bool, small: bool) -> Run:
    """Measure the hub, and beside it what is asked for."""
    bench.say("The hub ...")
    hub = measure_hub(bench)
    beside = None
    if floor:
        bench.say("The floor ...")
        beside = measure_floor(bench)
    found: list[micro.Small] = []
    if small:
        bench.say("Small measurements ...")

        def write(place: Path, made: instance.Keys) -> None:
            write_instance(place, "127.0.0.1:9", _NOBODY, made, bench)

        found = micro.in_folder(bench.folder / "small", write)
    return Run(hub, beside, found)


def main() -> int:
    """Measure, print, and say by the exit status whether anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shares", type=int, default=4000, help="how many shares the full load sends")
    parser.add_argument("--rate", type=float, default=100.0, help="shares a second for the latency")
    parser.add_argument("--seconds", type=float, default=10.0, help="how long that rate is offered")
    parser.add_argument("--store", default="", help="another database's URL, empty and for this run alone")
    parser.add_argument("--broker", default="", help="another broker's URL")
    parser.add_argument("--no-floor", action="store_true", help="measure the hub alone")
    parser.add_argument("--no-small", action="store_true", help="leave the small measurements out")
    parser.add_argument("--json", action="store_true", help="print JSON, for programs")
    parser.add_argument("--keep", action="store_true", help="keep the run's folder")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hub-bench-"))
    bench = Bench(folder, asked.shares, asked.rate, asked.seconds, asked.store, asked.broker)
    try:
        run = measure(bench, floor=not asked.no_floor, small=not asked.no_small)
    finally:
        if asked.keep:
            bench.say(f"kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(run.as_json(), indent=2) if asked.json else run.as_text(bench))
    return 1 if run.hub.throughput.lost or run.hub.latency.lost else 0


if __name__ == "__main__":
    sys.exit(main())
