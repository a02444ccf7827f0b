"""What follows a share, over many random shares: a correction goes to just those who may have what is wrong."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hub.domain.delivery import DeliveryKind
from hub.domain.outcome import Delivered, Rejected
from hub.domain.share import Category, Section
from hub.services.decide import Sender
from hub.services.further import Further, Furthers
from hub.services.hold import Hold, Resume, hold, resume
from hub.services.settle import Settlement
from hub.store.read_share import read_share
from tests.following import carrying, everything
from tests.scenery import CONNECTION, HOUSING, NOW, SENDER, TREATMENT, Scene, Store

SHARES = 60
CATEGORIES = (Category.GOAL, Category.HOUSING, Category.MONEY, Category.WORK_AND_LEARNING)
#: What became of a parcel: it waits, it is there, it was refused after it left, or before; or its connection is held.
WAITS, THERE, REFUSED, NEVER_LEFT, HELD = range(5)


@pytest.fixture
def furthers(scene: Scene, tmp_path: Path) -> Furthers:
    """The planner over connections that carry corrections."""
    made = everything(scene, tmp_path)
    follow_ups = carrying(scene, made.follow_ups.mappings, ("share", "correction"))
    return Furthers(follow_ups, follow_ups.directory, scene.vault)


def test_r41_a_correction_goes_to_just_those_who_may_have_what_is_wrong(
    scene: Scene, store: Store, furthers: Furthers
) -> None:
    drawn = random.Random(41)
    original = scene.share
    for number in range(SHARES):
        # given a share with random consents, of which each parcel fared differently
        sections = [replace(original.sections[0], id="s1")]
        sections += [Section(f"x-{each}", each, text="They said so.", words_checked=True) for each in CATEGORIES]
        consents = [
            replace(each, reference=f"c-{number}-{index}", ticked={},
                    categories=[Category.IDENTITY, *drawn.sample(CATEGORIES, drawn.randint(0, len(CATEGORIES)))])
            for index, each in enumerate(original.consents)
        ]  # fmt: skip
        scene.share = replace(original, sections=sections, consents=consents)
        fate = {service: drawn.randrange(5) for service in (HOUSING, TREATMENT)}
        held = [CONNECTION[service] for service, fared in fate.items() if fared == HELD]
        store.run(hold, *(Hold(each, "credentials", "operator:cli", NOW) for each in held))
        accepted = store.accept(scene.acceptance(f"key-{number}"))
        assert len(store.all("deliveries", state="held")) == len(held)
        for service, fared in fate.items():
            for claimed in store.claim(service) if fared not in {WAITS, HELD} else ():
                outcome = Delivered(claimed.delivery_id) if fared == THERE else Rejected("no")
                item = Settlement(
                    claimed.delivery_id, claimed.attempt, outcome, NOW, NOW, 0.5, started=fared != NEVER_LEFT
                )
                store.one(scene.settle, item)
        record = read_share(store.engine, accepted.plan.ids.share, SENDER)
        assert record is not None
        # when each of its statements is corrected
        for category in CATEGORIES:
            wrong = f"x-{category}"
            got = {
                consent.service
                for consent in consents
                if category in consent.categories and _may_have_it(store, accepted.plan.ids.share, consent.service)
            }
            further = Further(DeliveryKind.CORRECTION, [replace(sections[1], id="new")], corrects=wrong)
            sender = Sender(scene.directory.partners[SENDER], "day-centre-system", "w", "key worker")
            lost = {each.service for each in consents if category in each.categories} - got
            if lost and not got:
                planned = furthers.plan(record, further, sender, "seed", NOW, NOW)
                assert (planned.parts, planned.ring) == ((), ())
                assert {each.service_id for each in planned.refused} == lost
                continue
            if not got:
                with pytest.raises(Exception, match="nobody-has-it"):
                    furthers.plan(record, further, sender, "seed", NOW, NOW)
                continue
            planned = furthers.plan(record, further, sender, "seed", NOW, NOW)
            # then it goes to just them, and none is missed
            assert {part.service_id for part in planned.parts} | set(planned.ring) == got
            assert planned.ring == ()
        # what waits must not be claimed for the next share
        store.run(resume, *(Resume(each, "operator:cli", NOW) for each in held))
        waiting = [row["id"] for row in store.all("deliveries", state="queued")]
        store.run(_cancel, *waiting)


def _cancel(tx: Any, delivery_ids: list[str]) -> list[None]:
    tx.cancel(delivery_ids, NOW)
    return []


def _may_have_it(store: Store, share_id: str, service: str) -> bool:
    (row,) = store.all("deliveries", share_id=share_id, service_id=service, kind="share")
    return row["state"] not in {"dead_lettered", "cancelled"} or bool(row["may_have_left"])
