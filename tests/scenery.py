"""What tests of the store start from: a partnership of two services, the sample share, and acceptances made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Engine, select

from hub.domain.answer import Answer, AnswerState
from hub.domain.calendar import england_and_wales
from hub.domain.clock import WindowSet
from hub.domain.outcome import Delivered
from hub.domain.route import Agreement, Champion, Connection, Directory, LawfulBasis, Partner, Service
from hub.domain.share import Category, Person, Share
from hub.mapping import Mapping, load_mapping
from hub.security.envelope import Envelope
from hub.security.keys import generate
from hub.services.claim import Claim, Claimed, claim
from hub.services.decide import Sender
from hub.services.plan import Plan, derive_ids, plan
from hub.services.receipt import receipt
from hub.services.receive import receive
from hub.services.record_heard import record_heard
from hub.services.remember import OneTime
from hub.services.respond import respond
from hub.services.settle import Settlement, settle
from hub.services.submit import Acceptance, accept, prepare
from hub.services.watch import watch
from hub.services.withdraw import Withdrawal
from hub.store import tables
from hub.store.transaction import Nudges, StoreTransaction

NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
HOUSING, TREATMENT = "city-housing-options", "county-treatment"
#: Business time runs ahead of the machine's in the demo: notices must not wait for it.
BUSINESS = NOW + timedelta(days=2)
FULL = Answer(
    AnswerState.ACCEPTED,
    owner="Jo, duty desk",
    text="We know Sam well.",
    reason="priority need",
    next_step="Ring on Monday",
    next_date=date(2026, 11, 23),
)
#: The services' connections, by service.
CONNECTION = {HOUSING: "housing", TREATMENT: "treatment"}
SENDER = "day-centre"

SAMPLES = Path(__file__).parent / "samples"
_TEMPLATE = """\
document: demo
version: 1.0.0
content_type: application/json
template:
  key: {$: delivery.key}
  without_a_yes: {$?: override.basis}
  who: {$: "section.identity[0].fields.given_name"}
  goal: {$?: "section.goal[0].text"}
"""


def sample_share() -> Share:
    """Return the sample share: Sam, for housing and for treatment, agreed on 18 November 2026."""
    return TypeAdapter(Share).validate_json((SAMPLES / "share.json").read_bytes())


def directory() -> Directory:
    """Return a partnership of a day centre, a city and a county."""
    champions = {name: Champion(f"champion-{name}", name.title(), f"{name}@example.org", name) for name in _PARTNERS}
    partners = {name: Partner(name, name, "charity", champions[name]) for name in _PARTNERS}
    services = {
        HOUSING: Service(
            *(HOUSING, "Housing", "city", "housing", "https://city.example", ("find-somewhere-to-live",)),
            agreement=AGREEMENT,
        ),
        TREATMENT: Service(
            *(TREATMENT, "Treatment", "county", "treatment", "https://c.example", ("start-treatment",)),
            agreement=AGREEMENT,
        ),
    }
    connections = {
        name: Connection(name, "demo", "demo", "demo/1.0.0", frozenset(Category)) for name in CONNECTION.values()
    }
    operator = Champion("operator", "Op", "op@example.org", "hub")
    return Directory("test", "d" * 64, partners, services, connections, WindowSet(), operator)


AGREEMENT = Agreement(
    "ISA-1",
    date(2026, 11, 2),
    "DPIA-1",
    LawfulBasis("6(1)(a)", "9(2)(a)"),
    LawfulBasis("6(1)(e)", "9(2)(g)"),
    "They may have to tell others.",
)
_PARTNERS = (SENDER, "city", "county")


@dataclass(slots=True)
class Scene:
    """A partnership with its keys and one mapping; `share` is what every acceptance tells."""

    folder: Path
    vault: Envelope = field(init=False)
    directory: Directory = field(default_factory=directory)
    share: Share = field(default_factory=sample_share)
    mappings: dict[str, Mapping] = field(init=False)
    settle: Any = field(init=False)
    respond: Any = field(init=False)
    record_heard: Any = field(init=False)
    receive: Any = field(init=False)
    watch: Any = field(init=False)

    def __post_init__(self) -> None:
        """Make the keys, load the mapping and bind the verbs once, as bootstrap does."""
        self.vault = Envelope(generate(self.folder / "keys"))
        where = self.folder / "demo" / "1.0.0"
        where.mkdir(parents=True)
        (where / "mapping.yaml").write_text(_TEMPLATE, encoding="utf-8")
        self.mappings = {"demo/1.0.0": load_mapping(where, self.folder)}
        self.settle = partial(settle, vault=self.vault)
        self.respond = partial(respond, vault=self.vault)
        self.record_heard = partial(record_heard, vault=self.vault)
        self.receive = partial(receive, vault=self.vault)
        self.watch = partial(watch, directory=self.directory)

    def plan(
        self, key: str, *, salt: int = 0, services: Sequence[str] | None = None, share: Share | None = None
    ) -> Plan:
        """Return the decided share for an Idempotency-Key, addressed to all its services or only to those named.

        One that is given is told as it is.
        """
        if share is None:
            share = replace(self.share, services=list(services)) if services is not None else self.share
            # Another key is another person's share: what one withdrew says nothing of the next.
            share = replace(share, person=Person(f"P-{key}"))
        ids = derive_ids(self.vault, SENDER, key, salt)
        sender = Sender(self.directory.partners[SENDER], "day-centre-system", "worker-1")
        return plan(share, sender, ids, self.directory, self.mappings, NOW, england_and_wales())

    def acceptance(
        self,
        key: str = "key-1",
        *,
        body: str = "body",
        token: str | None = None,
        salt: int = 0,
        services: Sequence[str] | None = None,
        share: Share | None = None,
    ) -> Acceptance:
        """Return a plan ready for its commit; `token` is the author's one-time assertion, its own unless given."""
        planned = self.plan(key, salt=salt, services=services, share=share)
        once = OneTime(
            "author", token or hashlib.sha256(f"{key}|{body}".encode()).hexdigest(), NOW + timedelta(hours=1)
        )
        digest = hashlib.sha256(body.encode()).hexdigest()
        return prepare(planned, self.vault, self.directory, NOW, key, digest, receipt(planned), once)

    def withdrawal(self, record_id: str, *services: str, partner_id: str = SENDER, wall: datetime = NOW) -> Withdrawal:
        """Return a withdrawal of one record by the sending partner."""
        return Withdrawal(record_id, partner_id, "day-centre-system", "a" * 64, services, False, wall, wall)


def claim_of(
    service: str = HOUSING, *, limit: int = 10, wall: datetime = NOW, business: datetime = NOW, asks_only: bool = False
) -> Claim:
    """Return a courier's claim on one service's connection, where nobody seals the audit log."""
    never_sealed = timedelta(days=50 * 365)
    return Claim(CONNECTION[service], limit, wall, business, timedelta(seconds=30), asks_only, never_sealed)


def settlement(claimed: Claimed, outcome: Any, *, wall: datetime = NOW, rand: float = 0.5) -> Settlement:
    """Return what became of one claimed parcel."""
    return Settlement(claimed.delivery_id, claimed.attempt, outcome, wall, wall, rand)


@dataclass(slots=True)
class Store:
    """One migrated database, used a transaction at a time."""

    engine: Engine
    nudges: Nudges = field(default_factory=Nudges)

    def run(self, verb: Any, *items: Any) -> list[Any]:
        """Run a verb over items in one transaction and commit it; `nudges` are those of the last one."""
        with self.engine.begin() as connection:
            tx = StoreTransaction(connection)
            results = list(verb(tx, list(items)))
        self.nudges = tx.nudges
        return results

    def one(self, verb: Any, item: Any) -> Any:
        """Run a verb over a single item."""
        return self.run(verb, item)[0]

    def all(self, table: str, **where: Any) -> list[dict[str, Any]]:
        """Return a table's rows whose columns equal what is given, in the order of their keys."""
        of = tables.metadata.tables[table]
        statement = select(of).where(*(of.c[name] == value for name, value in where.items()))
        with self.engine.connect() as connection:
            found = connection.execute(statement.order_by(*of.primary_key.columns))
            return [dict(each) for each in found.mappings()]

    def only(self, table: str, **where: Any) -> dict[str, Any]:
        """Return the one row that matches."""
        (found,) = self.all(table, **where)
        return found

    def accept(self, acceptance: Acceptance) -> Acceptance:
        """Keep a share, which must succeed."""
        accepted = self.one(accept, acceptance)
        assert isinstance(accepted, Acceptance), accepted
        return accepted

    def claim(self, service: str = HOUSING, **options: Any) -> list[Claimed]:
        """Claim what is due for one service."""
        claimed: list[Claimed] = self.one(claim, claim_of(service, **options))
        return claimed

    def state(self, delivery_id: str) -> str:
        """Return where a delivery stands."""
        return str(self.only("deliveries", id=delivery_id)["state"])


def delivered(scene: Scene, store: Store, service: str = HOUSING, *, key: str = "key", receipt: str = "ref") -> Claimed:
    """Return a share that one service has taken, under the reference that it gave."""
    store.accept(scene.acceptance(key, services=[service]))
    (claimed,) = store.claim(service)
    assert store.one(scene.settle, settlement(claimed, Delivered(receipt)))
    return claimed


def story() -> list[str]:
    """Return every string of the sample share that tells of the person: none may stand in any column in clear."""
    document = json.loads((SAMPLES / "share.json").read_text(encoding="utf-8"))
    told: list[str] = []
    for section in document["sections"]:
        told += [section.get("text", ""), *(value for value in section.get("fields", {}).values())]
    told += [document["reference"], document["person"]["reference"], *document["trusted_person"].values()]
    # A short code such as "no" stands in many a column that is not about the person.
    return [value for value in told if isinstance(value, str) and len(value) > 5]
