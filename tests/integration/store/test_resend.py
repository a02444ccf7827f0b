"""Send again what was agreed and could not be delivered, unseen; or offer another service (R46, R47)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hub.domain.delivery import DeliveryKind
from hub.domain.errors import Conflict
from hub.domain.gate import Gate
from hub.domain.outcome import Rejected
from hub.domain.precondition import Referrer
from hub.ladder import ladder
from hub.services.claim import Claimed
from hub.services.decide import Sender
from hub.services.further import Further, Furthers, Telling
from hub.services.keep_further import KeepFurther, refuse_further
from hub.services.keep_trusted_person import Keeping, keep_trusted_person
from hub.services.offer import Offer
from hub.services.pack import place
from hub.services.remember import OneTime
from hub.services.resend import NO_WAY, Resend
from hub.services.withdraw import withdraw
from hub.store import tables
from hub.store.read_share import read_share
from tests.following import everything
from tests.laddering import CALENDAR, CHAMPION, MONDAY, Follow, laddered
from tests.scenery import HOUSING, NOW, SENDER, TREATMENT, Scene, Store, settlement


@pytest.fixture
def follow(scene: Scene, store: Store) -> Follow:
    return Follow(scene, store)


def sent(scene: Scene, claimed: Claimed) -> bytes:
    """The bytes of a claimed parcel."""
    place_of = place("deliveries", "parcel", claimed.delivery_id)
    return scene.vault.unwrap(claimed.data_key).open(claimed.parcel, place_of)


def stopped(scene: Scene, store: Store, *, started: bool = True) -> Follow:
    """One share that could not be delivered, and the alert about it, which the champion has."""
    store.accept(scene.acceptance("key", services=[HOUSING]))
    (claimed,) = store.claim()
    store.one(scene.settle, replace(settlement(claimed, Rejected("no-such-team")), started=started))
    follow = Follow.__new__(Follow)
    follow.store, follow.directory = store, laddered()
    follow.verbs, follow.claimed = ladder(follow.directory, CALENDAR, scene.vault, {}), claimed
    follow.look(MONDAY)
    return follow


def reason(follow: Follow) -> str:
    """Why the champion may not send it again."""
    refused = follow.act(follow.verbs.resend, Resend, CHAMPION)
    assert isinstance(refused, Conflict)
    return refused.refusal.type


def test_r47_what_was_agreed_is_sent_again_unseen_as_a_new_delivery(scene: Scene, store: Store) -> None:
    # given a share that was given up
    follow = stopped(scene, store)
    old = store.only("deliveries")
    # when the champion sends it again, and again
    assert follow.act(follow.verbs.resend, Resend, CHAMPION) is None
    assert isinstance(follow.act(follow.verbs.resend, Resend, CHAMPION), Conflict)
    # then there is one more, linked to the old, with an id and key of its own and the very same parcel but for the key
    (new,) = [row for row in store.all("deliveries") if row["id"] != old["id"]]
    assert (new["linked_to"], new["state"], new["kind"]) == (old["id"], "queued", "share")
    assert new["key"] != old["key"]
    (claimed,) = store.claim(wall=NOW + timedelta(hours=1))
    assert claimed.delivery_id == new["id"]
    assert sent(scene, claimed) == sent(scene, follow.claimed).replace(old["key"].encode(), new["key"].encode())
    # and its clocks run, the old alert is closed, the case system hears, and the log names who did it
    assert {row["state"] for row in store.all("clocks", delivery_id=new["id"])} == {"running"}
    assert {row["state"] for row in store.all("alerts")} == {"closed"}
    assert store.all("notices", topic="delivery.resent", channel="webhook")
    actors = {row["actor"] for row in store.all("audit_events", action="delivery.resent")}
    assert actors == {f"person:{CHAMPION}"}


def test_r47_consent_that_ended_since_lets_nothing_go_again(scene: Scene, store: Store) -> None:
    follow = stopped(scene, store)
    store.one(withdraw, scene.withdrawal(store.only("consents")["record_id"]))
    # a withdrawal closes the alert: open it again, as a slow screen would show it
    with store.engine.begin() as connection:
        connection.execute(tables.alerts.update().values(state="open"))
    refused = follow.act(follow.verbs.resend, Resend, CHAMPION)
    assert isinstance(refused, Conflict)
    assert len(store.all("deliveries")) == 1


def test_r47_a_gate_that_asks_for_another_role_stays_shut_to_a_champion(scene: Scene, store: Store) -> None:
    follow = stopped(scene, store)
    # given a service that only case-holders may refer to by now
    only = Referrer(
        id="case-holder", title="T", next_step="N", partners=frozenset({SENDER}), roles=frozenset({"case-holder"})
    )
    services = dict(follow.directory.services)
    services[HOUSING] = replace(services[HOUSING], gates=(Gate("case-holder", "T", (only,)),))
    follow.verbs = ladder(replace(follow.directory, services=services), CALENDAR, scene.vault, {})
    refused = follow.act(follow.verbs.resend, Resend, CHAMPION)
    assert isinstance(refused, Conflict)
    assert len(store.all("deliveries")) == 1


@pytest.mark.parametrize("checking", [False, True])
def test_r40_r41_what_was_put_right_since_is_not_sent_again_as_it_was(
    scene: Scene, store: Store, tmp_path: Path, checking: bool
) -> None:
    # given a share that was given up before any of it left
    follow = stopped(scene, store, started=False)
    record = read_share(store.engine, follow.claimed.share_id, SENDER)
    assert record is not None
    # when its sender puts a part of it right, or says that it is being checked
    made = everything(scene, tmp_path)
    wrong = next(iter(Telling(record, scene.vault).carried[follow.claimed.delivery_id]))
    planned = Furthers(made.follow_ups, follow.directory, scene.vault).plan(
        record,
        Further(DeliveryKind.CORRECTION, corrects=wrong, checking=checking),
        Sender(scene.directory.partners[SENDER], "day-centre-system", "w", "key worker"),
        "seed", NOW, NOW,
    )  # fmt: skip
    # then nobody has it to be told, and that it is wrong is kept
    assert (planned.parts, planned.ring) == ((), ())
    assert [each.refusals[0].type for each in planned.refused] == ["share-not-there"]
    once = OneTime("author", "e" * 64, NOW + timedelta(hours=1))
    item = KeepFurther(planned, record.consents[0]["record_id"], "k" * 64, "b" * 64, {}, once, NOW, NOW, ())
    store.one(refuse_further, item)
    # and the champion cannot send the old words again
    assert reason(follow) == NO_WAY.type
    assert len(store.all("deliveries")) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"not_safe": True}, "look-first"),
        ({"withhold_author": True}, "cannot-send-again"),
        ({"topics": ["something-else"]}, "trusted-person-topic"),
        ({"until": "2026-11-19"}, "trusted-person-ended"),
    ],
)
def test_r04_r05_r11_a_choice_that_changed_since_lets_nothing_go_again(
    scene: Scene, store: Store, change: dict[str, Any], expected: str
) -> None:
    # given a share that was given up, and a choice of trusted person that its partner changed since
    follow = stopped(scene, store)
    share = store.only("shares")
    key = (SENDER, share["trusted_person"], share["person"])
    details = {"not_safe": False, "until": "", "topics": [], "can_see": [], "withhold_author": False, **change}
    once = OneTime("author", "d" * 64, NOW + timedelta(hours=1))
    keeping = Keeping(key, details, "day-centre-system", "a" * 64, NOW, once)
    store.one(partial(keep_trusted_person, vault=scene.vault), keeping)
    # when / then
    assert reason(follow) == expected
    assert len(store.all("deliveries")) == 1


def test_r17_what_the_service_may_see_no_more_is_not_sent_again(scene: Scene, store: Store) -> None:
    # given a share that was given up, and a connection that takes less by now
    follow = stopped(scene, store)
    connections = dict(follow.directory.connections)
    of = follow.directory.services[HOUSING].connection
    less = connections[of].accepts - {next(iter(scene.share.sections)).category}
    connections[of] = replace(connections[of], accepts=less)
    follow.verbs = ladder(replace(follow.directory, connections=connections), CALENDAR, scene.vault, {})
    # when / then
    assert reason(follow) == NO_WAY.type
    assert len(store.all("deliveries")) == 1


def test_r46_another_service_is_offered_to_the_trusted_person_and_nothing_goes(follow: Follow) -> None:
    assert follow.act(follow.verbs.offer, Offer, CHAMPION, service=TREATMENT) is None
    (notice,) = follow.store.all("notices", topic="service.offered")
    assert (notice["channel"], notice["service_id"]) == ("webhook", TREATMENT)
    assert len(follow.store.all("deliveries")) == 1
    # and not the one that has it, nor one that nobody knows
    for wrong in (HOUSING, "no-such-service"):
        assert isinstance(follow.act(follow.verbs.offer, Offer, CHAMPION, service=wrong), Conflict)
