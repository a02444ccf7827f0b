"""A new choice takes the place of an earlier one, and a no is kept as what was said (R12)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from hub.domain.outcome import Delivered
from hub.domain.share import Person, Share
from hub.services.pack import place, unpack
from hub.services.refusals import AgreementEnded
from hub.services.submit import Acceptance, accept
from hub.services.withdraw import withdraw
from tests.scenery import HOUSING, NOW, TREATMENT, Scene, Store, settlement

ONE = Person("P-one")


def told(scene: Scene, reference: str, replaces: str | None = None, **changes: Any) -> Share:
    """The sample share, for housing alone, under a reference of the person's own choosing."""
    consent = replace(scene.share.consents[0], reference=reference, replaces=replaces)
    return replace(scene.share, **({"person": ONE, "consents": [consent]} | changes))


def states(store: Store) -> list[str]:
    return sorted(row["state"] for row in store.all("consents"))


def refusals(result: Any) -> dict[str, str]:
    assert isinstance(result, AgreementEnded)
    return {service: refusal.type for service, refusal in result.refusals.items()}


def test_r12_what_waits_under_the_earlier_choice_never_goes(scene: Scene, store: Store) -> None:
    # given two shares that wait under one choice, through two trusted people
    for key in ("a", "b"):
        through = replace(scene.share.trusted_person, reference=f"tp-{key}")
        store.accept(scene.acceptance(key, share=told(scene, "c-1", trusted_person=through)))
    # when a new choice takes its place
    new = store.accept(scene.acceptance("c", share=told(scene, "c-2", "c-1")))
    # then both end with an event by whoever recorded it, what waited is cancelled, and nobody waits for it
    assert states(store) == ["given", "superseded", "superseded"]
    events = [row for row in store.all("consent_events") if row["state"] == "superseded"]
    assert [(row["at"], row["client_id"], row["author"]) for row in events] == [
        (NOW, "day-centre-system", scene.vault.digest("author", "day-centre|worker-1"))
    ] * 2
    (living,) = [parcel.delivery_id for parcel in new.plan.parcels]
    assert {row["id"]: row["state"] for row in store.all("deliveries")}[living] == "queued"
    assert sorted(row["state"] for row in store.all("deliveries")) == ["cancelled", "cancelled", "queued"]
    assert {row["delivery_id"] for row in store.all("clocks", state="running")} == {living}
    assert [each.delivery_id for each in store.claim()] == [living]
    actions = [row["action"] for row in store.all("audit_events")]
    assert (actions.count("consent.superseded"), actions.count("delivery.cancelled")) == (2, 2)


def test_r12_a_replaced_choice_permits_no_further_share(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance("a", share=told(scene, "c-1")))
    store.accept(scene.acceptance("b", share=told(scene, "c-2", "c-1")))
    # when / then
    assert refusals(store.one(accept, scene.acceptance("c", share=told(scene, "c-1")))) == {
        HOUSING: "consent-superseded"
    }


@pytest.mark.parametrize("who", ["nobody's reference", "another person's", "another service's"])
def test_r12_what_is_not_known_cannot_be_replaced(scene: Scene, store: Store, who: str) -> None:
    # given a choice of one person about housing
    store.accept(scene.acceptance("a", share=told(scene, "c-1")))
    before = {name: len(store.all(name)) for name in ("consents", "consent_events", "deliveries", "seen")}
    # when a new one names what is not this person's earlier choice about this service
    new = {
        "nobody's reference": told(scene, "c-2", "c-9"),
        "another person's": told(scene, "c-2", "c-1", person=Person("P-two")),
        "another service's": told(
            scene, "c-2", consents=[replace(scene.share.consents[1], reference="c-2", replaces="c-1")]
        ),
    }[who]
    result = store.one(accept, scene.acceptance("b", share=new))
    # then the refusal is the same for each, and nothing has changed
    assert set(refusals(result).values()) == {"replaces-unknown"}
    assert {name: len(store.all(name)) for name in before} == before
    assert states(store) == ["given"]


def test_r12_what_was_withdrawn_stays_withdrawn_when_a_new_choice_takes_its_place(scene: Scene, store: Store) -> None:
    # given
    first = store.accept(scene.acceptance("a", share=told(scene, "c-1")))
    store.one(withdraw, scene.withdrawal(first.plan.ids.record))
    # when
    store.accept(scene.acceptance("b", share=told(scene, "c-2", "c-1")))
    # then
    assert states(store) == ["given", "withdrawn"]
    assert refusals(store.one(accept, scene.acceptance("c", share=told(scene, "c-1")))) == {
        HOUSING: "consent-withdrawn"
    }


def test_r12_in_one_batch_each_share_is_judged_by_what_came_before_it(scene: Scene, store: Store) -> None:
    # given a choice, its replacement, and a late share under the first, all in one commit
    batch = [
        scene.acceptance("a", share=told(scene, "c-1")),
        scene.acceptance("b", share=told(scene, "c-2", "c-1")),
        scene.acceptance("c", share=told(scene, "c-1")),
    ]
    # when
    first, second, third = store.run(accept, *batch)
    # then
    assert isinstance(first, Acceptance)
    assert isinstance(second, Acceptance)
    assert refusals(third) == {HOUSING: "consent-superseded"}
    assert [each.delivery_id for each in store.claim()] == [second.plan.parcels[0].delivery_id]


def test_r12_the_same_request_again_replaces_nothing_twice(scene: Scene, store: Store) -> None:
    # given
    store.accept(scene.acceptance("a", share=told(scene, "c-1")))
    new = told(scene, "c-2", "c-1")
    store.accept(scene.acceptance("b", share=new, token="t1"))
    before = store.all("consent_events"), store.all("deliveries")
    # when
    store.one(accept, scene.acceptance("b", share=new, token="t2"))
    # then
    assert (store.all("consent_events"), store.all("deliveries")) == before


def test_r15_a_replaced_choice_can_still_be_withdrawn(scene: Scene, store: Store) -> None:
    # given one that arrived under a choice that was replaced since
    first = store.accept(scene.acceptance("a", share=told(scene, "c-1")))
    (claimed,) = store.claim()
    store.one(scene.settle, settlement(claimed, Delivered("ref")))
    store.accept(scene.acceptance("b", share=told(scene, "c-2", "c-1")))
    # when the person says stop to the first
    done = store.one(withdraw, scene.withdrawal(first.plan.ids.record))
    # then they are told who has it, and the new choice stands
    assert done.served == (HOUSING,)
    assert states(store) == ["given", "withdrawn"]


def test_r12_a_no_is_kept_beside_what_goes(scene: Scene, store: Store) -> None:
    # given a share that one of two services may have
    yes, no = scene.share.consents[0], replace(scene.share.consents[1], answer="no", categories=[], facts={})
    share = replace(scene.share, person=ONE, consents=[yes, no])
    # when
    accepted = store.accept(scene.acceptance("a", share=share))
    # then the no is a consent of that record, with its event, its terms sealed, and no basis to act on
    kept = {row["service_id"]: row for row in store.all("consents")}
    assert {service: row["state"] for service, row in kept.items()} == {HOUSING: "given", TREATMENT: "refused"}
    refused = kept[TREATMENT]
    assert refused["record_id"] == accepted.plan.ids.record
    (event,) = store.all("consent_events", consent_id=refused["id"])
    assert (event["state"], event["client_id"]) == ("refused", "day-centre-system")
    key = scene.vault.unwrap(store.only("shares")["data_key"])
    assert unpack(key.open(refused["terms"], place("consents", "terms", refused["id"])))["answer"] == "no"
    assert [row["consent_id"] for row in store.all("lawful_bases")] == [kept[HOUSING]["id"]]
    # and nothing goes under it, whatever becomes of the other
    assert [row["service_id"] for row in store.all("deliveries")] == [HOUSING]
    assert (len(store.claim(HOUSING)), store.claim(TREATMENT)) == (1, [])


def test_r15_a_no_is_not_turned_into_a_withdrawal(scene: Scene, store: Store) -> None:
    # given a yes and a no
    yes, no = scene.share.consents[0], replace(scene.share.consents[1], answer="no")
    accepted = store.accept(scene.acceptance("a", share=replace(scene.share, person=ONE, consents=[yes, no])))
    # when all of it is withdrawn
    done = store.one(withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then what was never agreed is not said to have been stopped
    assert done.stopped == (HOUSING,)
    assert states(store) == ["refused", "withdrawn"]
    assert store.only("shares")["withdrawn_at"] == NOW
