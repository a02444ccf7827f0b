"""Small measurements of single parts, each beside what it is held against, on a real database in the run's folder."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import shares
from pydantic import TypeAdapter

from hub import bootstrap
from hub.api.body import parse
from hub.domain.consent import standing
from hub.domain.minimise import minimise
from hub.domain.outcome import Delivered
from hub.domain.share import Share
from hub.sandbox import instance
from hub.security.assertions import ClientKey, author_assertion
from hub.security.authors import read_author
from hub.services import submit
from hub.services.claim import Claim, claim
from hub.services.decide import Sender, compose, decide
from hub.services.plan import Plan, derive_ids, plan
from hub.services.receipt import receipt
from hub.services.remember import OneTime
from hub.services.settle import Settlement, settle
from hub.services.sweep import Sweep, sweep
from hub.services.watch import Watch, watch

MANY = 10_000
SHARE: TypeAdapter[Share] = TypeAdapter(Share)


@dataclass(frozen=True, slots=True)
class Small:
    """One measurement: how long it took, and the ratio that it was made for, in words; `limit` is the most allowed."""

    name: str
    seconds: float
    count: int
    ratio: float | None = None
    against: str = ""
    limit: float | None = None


def measure(hub: bootstrap.Hub, key: ClientKey) -> list[Small]:
    """Measure everything on a hub that was composed but not started; only its writer runs."""
    hub.writer.start()
    try:
        return [*_pure(hub, key), *_commits(hub), *_claims(hub), *_clocks(hub)]
    finally:
        hub.writer.close()


def table(found: Sequence[Small]) -> str:
    """Return the measurements as lines for a person."""
    lines = [f"{'':<44}{'ms':>10}{'a second':>11}   against"] if found else []
    for each in found:
        against = f"{each.ratio:.2f} x {each.against}" if each.ratio is not None else ""
        if each.limit is not None:
            against += f"{'; ' if against else ''}at most {each.limit * 1000:.0f} ms"
        lines.append(f"{each.name:<44}{each.seconds * 1000:>10.2f}{each.count / each.seconds:>11.0f}   {against}")
    return "\n".join(lines)


def _pure(hub: bootstrap.Hub, key: ClientKey) -> list[Small]:
    """Measure what needs no database: each is one share's worth, as the best of five rounds."""
    raw = shares.bodies(1)[0]
    share, sender, now = SHARE.validate_json(raw), _sender(hub), hub.now.business()
    verdict = decide(share, sender, hub.directory, now)[0]
    assert verdict.route is not None
    assert verdict.consent is not None
    service, connection, consent = verdict.route.service, verdict.route.connection, verdict.consent
    view = compose(share, verdict, sender, "R", "k", "c", now, now)
    mapper = hub.library[verdict.route.connection.mapping]
    parcel, data_key = mapper.run(view), hub.vault.new_data_key()
    client = hub.clients(instance.CLIENT)
    assert client is not None
    url = hub.configuration.hub.public_url
    proof = author_assertion(client.id, url, key, datetime.now(UTC), subject="w", role="r", body=raw)
    parts: dict[str, Callable[[], object]] = {
        "read the author's assertion": lambda: read_author(proof, client, raw, hub.now.wall(), url),
        "parse 3 KB strictly": lambda: parse(raw, SHARE),
        "parse 3 KB by the model alone": lambda: SHARE.validate_json(raw),
        "judge a consent": lambda: standing(consent),
        "minimise": lambda: minimise(share, consent, service, connection),
        "map": lambda: mapper.run(view),
        "new data key": hub.vault.new_data_key,
        "seal a parcel": lambda: data_key.seal(parcel, "deliveries|parcel|0"),
        "plan": lambda: _plan(hub, share, str(uuid.uuid4())),
        "plan and seal every row": lambda: _acceptance(hub, share),
    }
    return [Small(name, _best(part), 1) for name, part in parts.items()]


def _best(part: Callable[[], object], times: int = 200) -> float:
    def once() -> float:
        start = time.perf_counter()
        for _ in range(times):
            part()
        return (time.perf_counter() - start) / times

    return min(once() for _ in range(5))


def _commits(hub: bootstrap.Hub) -> list[Small]:
    """Measure many acceptances that wait together beside one commit each."""
    alone, together = _acceptances(hub, 300), _acceptances(hub, 3000)
    each = _timed(lambda: [hub.writer.submit(submit.accept, item).result() for item in alone]) / len(alone)
    group = _timed(lambda: _all(hub, submit.accept, together)) / len(together)
    return [
        Small("accept, a commit each", each, 1),
        Small("accept, many to a commit", group, 1, each / group, "faster than a commit each"),
    ]


def _claims(hub: bootstrap.Hub) -> list[Small]:
    """Measure a claim, and settling, with 200 due and with 10,000: what waits behind must not cost."""
    settle_here = partial(settle, vault=hub.vault)
    _drain(hub, settle_here)
    _all(hub, submit.accept, _acceptances(hub, 300))
    few, _ = _claim_and_settle(hub, settle_here)
    _all(hub, submit.accept, _acceptances(hub, MANY))
    many, settled = _claim_and_settle(hub, settle_here)
    return [
        Small("claim 100 of 300 due", few, 100),
        Small(f"claim 100 of {MANY:,} due", many, 100, many / few, "that of 300"),
        Small("settle 100", settled, 100),
    ]


def _claim_and_settle(hub: bootstrap.Hub, verb: Any) -> tuple[float, float]:
    start = time.perf_counter()
    claimed = hub.writer.submit(claim, _claim(hub)).result()
    middle = time.perf_counter()
    assert len(claimed) == 100
    _settle(hub, verb, claimed)
    return middle - start, time.perf_counter() - middle


def _drain(hub: bootstrap.Hub, verb: Any) -> None:
    while claimed := hub.writer.submit(claim, _claim(hub)).result():
        _settle(hub, verb, claimed)


def _settle(hub: bootstrap.Hub, verb: Any, claimed: Sequence[Any]) -> None:
    wall, business = hub.now.wall(), hub.now.business()
    outcome = Delivered("receipt")
    items = [Settlement(each.delivery_id, each.attempt, outcome, wall, business, 0.5) for each in claimed]
    assert all(_all(hub, verb, items))


def _claim(hub: bootstrap.Hub) -> Claim:
    return Claim(
        shares.SERVICE, 100, hub.now.wall(), hub.now.business(), timedelta(seconds=20), unsealed_for=timedelta(days=1)
    )


def _clocks(hub: bootstrap.Hub) -> list[Small]:
    """Measure the clocks' rounds with 10,000 deliveries open: nothing due, then every clock due at once."""
    wall, business = hub.now.wall(), hub.now.business()
    look = partial(watch, directory=hub.directory)
    swept = _timed(lambda: hub.writer.submit(sweep, Sweep(wall, business)).result())
    quiet = _timed(lambda: hub.writer.submit(look, Watch(business, wall)).result())
    late = business + timedelta(days=30)
    found = 0

    def raise_all() -> None:
        nonlocal found
        while looked := hub.writer.submit(look, Watch(late, wall)).result():
            found += looked

    raised = _timed(raise_all)
    return [
        Small(f"sweep with about {MANY:,} waiting", swept, 1, limit=1.0),
        Small("look at the clocks, none due", quiet, 1, limit=1.0),
        Small(f"raise the alerts of {found:,} due clocks", raised, found),
    ]


def _acceptances(hub: bootstrap.Hub, count: int) -> list[submit.Acceptance]:
    return [_acceptance(hub, SHARE.validate_json(raw)) for raw in shares.bodies(count)]


def _acceptance(hub: bootstrap.Hub, share: Share) -> submit.Acceptance:
    key = str(uuid.uuid4())
    planned = _plan(hub, share, key)
    digest = hashlib.sha256(key.encode()).hexdigest()
    once = OneTime("author-assertion", digest, hub.now.wall() + timedelta(minutes=5))
    return submit.prepare(planned, hub.vault, hub.directory, hub.now.wall(), key, digest, receipt(planned), once)


def _plan(hub: bootstrap.Hub, share: Share, key: str) -> Plan:
    sender = _sender(hub)
    ids = derive_ids(hub.vault, sender.partner.id, key)
    return plan(share, sender, ids, hub.directory, hub.library, hub.now.business(), hub.calendar)


def _sender(hub: bootstrap.Hub) -> Sender:
    return Sender(hub.directory.partners["riverside"], instance.CLIENT, "worker-7")


def _all(hub: bootstrap.Hub, verb: Any, items: Sequence[Any]) -> list[Any]:
    return [future.result() for future in [hub.writer.submit(verb, item) for item in items]]


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_folder(folder: Path, write: Callable[[Path, instance.Keys], None]) -> list[Small]:
    """Measure on a fresh instance that `write` makes."""
    made = instance.make_keys()
    write(folder, made)
    return measure(bootstrap.build(folder), made.case_system)
