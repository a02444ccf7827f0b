"""R23: what goes without a yes is claimed only while it lives, is stopped like any other, and nothing follows it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.domain.calendar import england_and_wales
from hub.domain.errors import Unauthenticated
from hub.domain.outcome import Delivered
from hub.domain.override import LASTS, OverridePolicy, Second
from hub.domain.route import Champion, Safeguarding
from hub.domain.share import Category, Override
from hub.mapping import load_mapping
from hub.services.decide import Sender
from hub.services.pack import place
from hub.services.plan import derive_ids, plan
from hub.services.receipt import receipt
from hub.services.refusals import NothingMayGo
from hub.services.remember import OneTime
from hub.services.submit import Acceptance, accept, prepare
from hub.services.sweep import Sweep, sweep
from hub.services.withdraw import withdraw
from tests.following import Verbs
from tests.scenery import HOUSING, NOW, SENDER, TREATMENT, Scene, Store, settlement

BASIS, ROLE = "DPA-2018-Sch1-18", "safeguarding lead"
POLICY = OverridePolicy(
    BASIS, frozenset({HOUSING}), frozenset({Category.IDENTITY}), frozenset({ROLE}), date(2026, 11, 2), "DPIA-7"
)
LEAD = Champion("lead", "Morgan", "lead@example.org", "partnership")


@pytest.fixture
def adopted(scene: Scene) -> Iterator[Scene]:
    """The scene's partnership with a policy, for one test."""
    before = scene.directory
    scene.directory = replace(before, safeguarding=Safeguarding(LEAD, (), POLICY))
    yield scene
    scene.directory = before


def once(token: str) -> OneTime:
    return OneTime("author-assertion", hashlib.sha256(token.encode()).hexdigest(), NOW + timedelta(hours=1))


def overriding(
    scene: Scene, key: str = "o-1", *, first: str = "", second: str = "", both: bool = False, mappings: Any = None
) -> Acceptance:
    """Return a share that asks for housing without a yes; with `both`, beside a consent for treatment."""
    told = scene.share
    consents = [each for each in told.consents if both and each.service == TREATMENT]
    services = [HOUSING, TREATMENT] if both else [HOUSING]
    asked = Override(BASIS, [Category.IDENTITY])
    share = replace(told, consents=consents, services=services, at_risk_now=True, override=asked)
    sender = Sender(
        scene.directory.partners[SENDER], "day-centre-system", "worker-1", "key worker", Second("worker-2", ROLE)
    )
    ids = derive_ids(scene.vault, SENDER, key)
    planned = plan(share, sender, ids, scene.directory, mappings or scene.mappings, NOW, england_and_wales())
    proof, digest = once(first or f"{key}-1"), hashlib.sha256(key.encode()).hexdigest()
    made = prepare(planned, scene.vault, scene.directory, NOW, key, digest, receipt(planned), proof)
    return replace(made, second=once(second or f"{key}-2"))


def test_r23_override_is_kept_as_no_consent_and_goes_once(adopted: Scene, store: Store) -> None:
    # given / when it is accepted
    store.accept(overriding(adopted))
    # then no row says that anybody gave a yes
    consent, basis = store.only("consents"), store.only("lawful_bases")
    assert (consent["state"], consent["terms"], consent["returns"]) == ("overridden", None, [])
    assert consent["ends_at"] == NOW + LASTS == NOW + timedelta(hours=24)
    assert (basis["override"], basis["assessment"], basis["notice"]) == (BASIS, "DPIA-7", "")
    assert {basis[f"sender_article_{each}"] for each in (6, 9, 10)} == {""}
    assert [each["state"] for each in store.all("consent_events")] == ["overridden"]
    # and who asked, and who agreed, is written down by keyed hashes
    asked, used = (each for each in store.all("audit_events") if each["action"].startswith("safeguarding."))
    assert (asked["action"], used["action"]) == ("safeguarding.override_asked", "safeguarding.override_used")
    assert used["delivery_id"] == store.only("deliveries")["id"]
    for event in (asked, used):
        assert event["detail"]["basis"] == BASIS
        hashes = {event["detail"]["author"], event["detail"]["second_author"]}
        assert {len(each) for each in hashes} == {64}
        assert len(hashes) == 2
    # and the senior contact is told
    (told,) = store.all("notices", topic="override_used")
    assert told["recipient"] == "lead"
    # and it is claimed, and says itself that nobody did
    (claimed,) = store.claim()
    opened = adopted.vault.unwrap(claimed.data_key).open(
        claimed.parcel, place("deliveries", "parcel", claimed.delivery_id)
    )
    assert BASIS.encode() in opened


def test_r23_override_that_its_document_does_not_tell_does_not_go(adopted: Scene, tmp_path: Path) -> None:
    # given a document that has no place to say that nobody gave a yes
    (tmp_path / "mapping.yaml").write_text(
        "document: demo\nversion: 1.0.0\ncontent_type: application/json\ntemplate: {key: {$: delivery.key}}\n"
    )
    silent = {"demo/1.0.0": load_mapping(tmp_path, tmp_path)}
    # when two people ask, then it is refused
    with pytest.raises(NothingMayGo) as refused:
        overriding(adopted, mappings=silent)
    assert [each.type for verdict in refused.value.refused for each in verdict.refusals] == ["override-not-taken"]


def test_r23_override_is_dead_after_its_day_and_cancelled(adopted: Scene, store: Store) -> None:
    # given
    made = store.accept(overriding(adopted))
    # when its time has come, then no claim takes it, whether or not anything has swept
    assert store.claim(business=NOW + LASTS) == []
    store.one(sweep, Sweep(NOW, NOW + LASTS))
    assert store.only("consents")["state"] == "expired"
    assert store.state(made.rows["deliveries"][0]["id"]) == "cancelled"


@pytest.mark.parametrize("state", ["refused", "withdrawn", "expired", "superseded"])
def test_r23_override_opens_no_other_state_to_a_claim(adopted: Scene, store: Store, state: str) -> None:
    # given what was let go, in any state but its own
    made = store.accept(overriding(adopted))
    store.run(lambda tx, items: [tx.end_consents([each], state) for each in items], made.rows["consents"][0]["id"])
    # when it is due, then it is not claimed
    assert store.claim() == []


def test_r23_override_is_stopped_by_the_same_call(adopted: Scene, store: Store) -> None:
    # given one without a yes beside one with
    made = store.accept(overriding(adopted, both=True))
    # when the one with a yes is withdrawn, then the share is not over
    store.one(withdraw, adopted.withdrawal(made.plan.ids.record, TREATMENT))
    assert store.only("shares")["withdrawn_at"] is None
    # when the other is stopped too, before it went
    done = store.one(withdraw, adopted.withdrawal(made.plan.ids.record, HOUSING))
    # then nothing of it goes, and all of it is over
    assert (done.stopped, done.served) == ((HOUSING,), ())
    assert store.claim() == []
    assert store.only("shares")["withdrawn_at"] == NOW
    assert {each["state"] for each in store.all("consents")} == {"withdrawn"}


def test_r23_override_that_went_is_asked_back(adopted: Scene, store: Store, verbs: Verbs) -> None:
    # given one that its service has
    made = store.accept(overriding(adopted))
    (claimed,) = store.claim()
    store.one(adopted.settle, settlement(claimed, Delivered("ref")))
    # when it is stopped
    done = store.one(verbs.withdraw, adopted.withdrawal(made.plan.ids.record))
    # then the service is asked to stop using it
    assert (done.served, done.asked) == ((HOUSING,), (HOUSING,))


@pytest.mark.parametrize("reused", ["second", "own"])
def test_r23_override_uses_up_both_signatures(adopted: Scene, store: Store, reused: str) -> None:
    # given one whose two workers signed it
    store.accept(overriding(adopted, "o-1", first="a", second="b"))
    before = {name: len(store.all(name)) for name in ("shares", "consents", "deliveries", "seen")}
    # when another comes by the second's signature again, or by one signature for both
    again = overriding(adopted, "o-2", first="c", second={"second": "b", "own": "c"}[reused])
    # then it is refused, and nothing is kept, not even the first's signature as used
    assert isinstance(store.one(accept, again), Unauthenticated)
    assert {name: len(store.all(name)) for name in before} == before
