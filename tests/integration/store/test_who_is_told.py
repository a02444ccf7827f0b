"""Who is told by e-mail when a choice was doubted, or a stop looked forced; and who is not (R12, R15)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from hub.domain.errors import NotFound
from hub.domain.share import Person, Share
from hub.services.look_together import unsure
from hub.services.settle_notices import NoticeSettlement, settle_notices
from hub.services.submit import Refused, refuse
from hub.services.tell import OPERATOR
from hub.services.withdraw import withdraw
from tests.scenery import HOUSING, NOW, SENDER, TREATMENT, Scene, Store

CHAMPION, SENIOR = f"champion-{SENDER}", "senior-contact"


def doubted(scene: Scene, *services: str, reference: str = "DC-1") -> Share:
    """The sample share, in which it is not sure that the person could decide about these services."""
    consents = [
        replace(each, agreed=replace(each.agreed, able_to_decide="not_sure")) if each.service in services else each
        for each in scene.share.consents
    ]
    return replace(scene.share, reference=reference, person=Person(f"P-{reference}"), consents=consents)


def refused(scene: Scene, share: Share, key: str) -> Refused:
    planned = scene.plan(key, share=share)
    return Refused(planned, unsure(planned, scene.vault, NOW))


def told(store: Store) -> list[tuple[str, str, str]]:
    return [(row["channel"], row["topic"], row["recipient"]) for row in store.all("notices")]


def test_r12_the_champion_is_asked_to_look_at_it_together(scene: Scene, store: Store) -> None:
    # given / when: one of two services is doubted
    accepted = store.accept(scene.acceptance("a", share=doubted(scene, TREATMENT)))
    # then their own champion hears, of the share that went to the other
    assert told(store) == [("email", "look_together", CHAMPION)]
    assert store.only("notices")["share_id"] == accepted.plan.ids.share
    assert store.nudges.notices


def test_r12_nobody_hears_of_what_nobody_doubted(scene: Scene, store: Store) -> None:
    # given / when
    store.accept(scene.acceptance("a"))
    # then
    assert told(store) == []


def test_r12_once_a_share_however_often_it_is_tried(scene: Scene, store: Store) -> None:
    # given a share of which nothing could go
    both = doubted(scene, *(each.service for each in scene.share.consents))
    store.run(refuse, refused(scene, both, "a"), refused(scene, both, "b"))
    # when it is sent again with one doubt put right
    store.accept(scene.acceptance("c", share=doubted(scene, TREATMENT)))
    # then the champion heard once
    assert told(store) == [("email", "look_together", CHAMPION)]
    assert store.only("notices")["share_id"] is None
    # and of another share, again
    store.accept(scene.acceptance("d", share=doubted(scene, TREATMENT, reference="DC-2")))
    assert len(told(store)) == 2


@pytest.fixture
def stop(scene: Scene) -> Any:
    """Withdraw as bootstrap binds it, with a senior contact."""
    return partial(withdraw, senior_contact=SENIOR)


def test_r15_a_worry_is_for_the_senior_contact_alone(scene: Scene, store: Store, stop: Any) -> None:
    # given two shares alike
    one, two = (store.accept(scene.acceptance(key, services=[HOUSING])).plan.ids for key in ("a", "b"))
    # when both are withdrawn, one of them with a worry
    calm = store.one(stop, scene.withdrawal(one.record))
    assert told(store) == []
    worried = store.one(stop, replace(scene.withdrawal(two.record), worried_about_pressure=True))
    # then the reply, the events and the audit trail are the same, and only the senior contact is asked to ring
    assert replace(worried, share_id="") == replace(calm, share_id="")
    assert [(row["channel"], row["recipient"]) for row in store.all("notices")] == [("email", SENIOR)]
    for table in ("consent_events", "audit_events"):
        said = [{name: row[name] for name in row if not name.endswith("id")} for row in store.all(table)]
        words = [str(row) for row in said]
        assert not [each for each in words if "worr" in each or "pressure" in each or "private" in each]
    trail = {
        ids.share: [(row["action"], row["detail"]) for row in store.all("audit_events", share_id=ids.share)]
        for ids in (one, two)
    }
    assert trail[one.share] == trail[two.share]


def test_r15_the_same_worry_is_told_once(scene: Scene, store: Store, stop: Any) -> None:
    # given
    ids = store.accept(scene.acceptance("a")).plan.ids
    worried = replace(scene.withdrawal(ids.record), worried_about_pressure=True)
    # when: a client that lost the reply sends it again
    store.run(stop, worried, worried)
    # then
    assert len(told(store)) == 1


def test_r15_a_worry_about_what_was_stopped_before_is_told(scene: Scene, store: Store, stop: Any) -> None:
    # given
    ids = store.accept(scene.acceptance("a")).plan.ids
    store.one(stop, scene.withdrawal(ids.record))
    # when
    store.one(stop, replace(scene.withdrawal(ids.record), worried_about_pressure=True))
    # then
    assert [each[2] for each in told(store)] == [SENIOR]


def test_r15_another_partner_s_worry_reaches_nobody(scene: Scene, store: Store, stop: Any) -> None:
    # given
    ids = store.accept(scene.acceptance("a")).plan.ids
    # when
    done = store.one(stop, replace(scene.withdrawal(ids.record, partner_id="city"), worried_about_pressure=True))
    # then
    assert isinstance(done, NotFound)
    assert told(store) == []


def test_r15_a_worry_that_reaches_nobody_is_the_operator_s(scene: Scene, store: Store, stop: Any) -> None:
    # given a worry whose e-mail is refused for good
    ids = store.accept(scene.acceptance("a")).plan.ids
    store.one(stop, replace(scene.withdrawal(ids.record), worried_about_pressure=True))
    # when
    store.one(settle_notices, NoticeSettlement(store.only("notices"), "dead_lettered", NOW, "refused"))
    # then they hear that an e-mail reached nobody, and not which
    assert ("email", "alert.unsent", OPERATOR) in told(store)
