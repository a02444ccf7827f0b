"""R69: once somebody has died nothing of theirs goes, whatever was under way in that very moment."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from hub.domain.answer import Answer, AnswerState
from hub.domain.consent import ConsentState
from hub.domain.errors import Conflict
from hub.domain.outcome import Delivered, Rejected
from hub.services.death import Death, record_death
from hub.services.person_told import PersonTold, person_told
from hub.services.settle_notices import ClaimNotices, NoticeSettlement, claim_notices, settle_notices
from hub.services.submit import accept
from hub.services.sweep import Sweep, sweep
from hub.services.tell import notice_row
from hub.store import tables
from hub.store.engine import open_engine
from hub.store.transaction import StoreTransaction
from tests.databases import empty
from tests.following import Verbs, sent, telling
from tests.scenery import HOUSING, NOW, SENDER, Scene, Store, settlement


def death_of(store: Store, share_id: str) -> Death:
    """That the person of a share has died, as the sender's system says."""
    person = store.only("shares", id=share_id)["person"]
    return Death(share_id, SENDER, person, "client:day-centre-system", NOW, NOW)


def _tell(tx: Any, notices: Any) -> list[None]:
    tx.insert("notices", notices)
    return []


def test_r69_what_was_sent_in_the_moment_of_a_death_is_never_claimed(scene: Scene, postgres: str) -> None:
    # given a first share, and a second that is being kept while somebody says that the person has died
    engine = open_engine(postgres)
    empty(engine)
    store = Store(engine)
    share = replace(scene.share, services=[HOUSING])
    first = store.accept(scene.acceptance("a", share=share))
    through = replace(share.trusted_person, reference="tp-78")  # the same need through the same one goes once (R32)
    second = scene.acceptance("b", share=replace(share, reference="DC-2", trusted_person=through))
    with engine.begin() as connection:
        assert accept(StoreTransaction(connection), [second]) == [second]
        assert store.one(record_death, death_of(store, first.plan.ids.share))
    # when both are kept
    row = store.only("deliveries", share_id=second.plan.ids.share)
    assert row["state"] == "queued"
    # and its champion was about to be written to
    about = notice_row("email", "alert.unanswered", f"champion:{SENDER}", NOW, share_id=second.plan.ids.share)
    store.run(_tell, about)
    # then the second is not sent
    assert store.claim() == []
    # and the next sweep stops it, its clocks and its share
    store.run(sweep, Sweep(NOW, NOW))
    assert store.state(row["id"]) == "cancelled"
    assert {each["state"] for each in store.all("clocks", delivery_id=row["id"])} == {"stopped"}
    assert store.only("shares", id=second.plan.ids.share)["died_at"] == NOW
    # and nobody is written to about it
    assert store.only("notices", id=about["id"])["state"] == "cancelled"
    engine.dispose()


@pytest.mark.parametrize("state", ["queued", "retrying", "sending"])
@pytest.mark.parametrize("became", ["retrying", "sent"])
def test_r69_whatever_waits_to_be_told_or_is_being_told_is_not_told_again(
    scene: Scene, store: Store, state: str, became: str
) -> None:
    # given reminders, links and alerts of one person's share in a state, and one of somebody else's
    _, claimed = sent(scene, store, Delivered("r"))
    other = store.accept(scene.acceptance("other", services=[HOUSING])).plan.ids.share
    mine = [
        notice_row(channel, topic, to, NOW, share_id=claimed.share_id)
        for channel, topic, to in (
            ("email", "invite", "invite:x"), ("email", "alert.unanswered", "deputy"), ("webhook", "person.tell", "dc")
        )
    ]  # fmt: skip
    theirs = notice_row("email", "alert.unanswered", "deputy", NOW, share_id=other)
    store.run(_tell, *({**each, "state": state} for each in (*mine, theirs)))
    # when the person dies
    store.one(record_death, death_of(store, claimed.share_id))
    # then none of theirs is taken any more, whatever the mail server says of what it was being given
    if state == "sending":
        store.run(settle_notices, *(NoticeSettlement(each, became, NOW, "busy") for each in (*mine, theirs)))
    late = NOW + timedelta(days=1)
    due = [
        row["id"]
        for channel in ("email", "webhook")
        for row in store.one(claim_notices, ClaimNotices(channel, 99, late, late))
        if row["topic"] != "death"
    ]
    assert due == ([] if (state, became) == ("sending", "sent") else [theirs["id"]])


def test_r69_a_death_alone_keeps_a_share_from_being_claimed(scene: Scene, store: Store) -> None:
    # given a share that does not bear the mark of a death that is known
    accepted = store.accept(scene.acceptance(services=[HOUSING]))
    person = store.only("shares")["person"]
    with store.engine.begin() as connection:
        connection.execute(insert(tables.deaths), [{"partner_id": SENDER, "person": person, "at": NOW}])
    # when / then
    assert store.claim() == []
    # and the same person of another partner would be another person
    with store.engine.begin() as connection:
        connection.execute(tables.deaths.update().values(partner_id="somebody-else"))
    assert [each.share_id for each in store.claim()] == [accepted.plan.ids.share]


def test_r69_a_withdrawal_after_a_death_promises_and_queues_nothing(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given a share that housing has, of somebody who died
    accepted, claimed = sent(scene, store, Delivered("r"))
    store.one(record_death, death_of(store, claimed.share_id))
    # when it is withdrawn
    done = store.one(verbs.withdraw, scene.withdrawal(accepted.plan.ids.record))
    # then the consent ends, and nobody is asked, nor said to be
    assert (done.served, done.asked) == ((HOUSING,), ())
    assert store.only("consents")["state"] == ConsentState.WITHDRAWN
    assert len(store.all("deliveries")) == 1


def test_r69_what_is_still_written_down_goes_to_nobody(scene: Scene, store: Store, verbs: Verbs) -> None:
    # given
    _, claimed = sent(scene, store, Delivered("r"))
    store.one(record_death, death_of(store, claimed.share_id))
    before = [row["topic"] for row in store.all("notices")]
    # when a worker writes down what they heard by phone
    assert store.one(verbs.heard, telling(claimed.delivery_id)) is None
    # then it is kept, and no copy of it, nor word that there is one, goes anywhere
    assert store.only("answers")["source"] == "heard"
    assert len(store.all("deliveries")) == 1
    assert [row["topic"] for row in store.all("notices")] == before == ["death"]


def test_r69_what_was_on_its_way_and_is_refused_tells_nobody(scene: Scene, store: Store) -> None:
    # given a parcel on its way when the person died
    _, claimed = sent(scene, store)
    store.one(record_death, death_of(store, claimed.share_id))
    # when its service refuses it
    assert store.one(scene.settle, settlement(claimed, Rejected("no")))
    # then one message went, and no more does
    assert [row["topic"] for row in store.all("notices")] == ["death"]
    assert store.state(claimed.delivery_id) == "dead_lettered"


def test_r69_no_reminder_to_tell_the_person_is_left(scene: Scene, store: Store) -> None:
    # given a share that every service has answered, of which the sender is to be reminded
    _, claimed = sent(scene, store, Delivered("r", answers=(Answer(AnswerState.DECLINED, reason="full"),)))
    due = store.only("shares")["remind_at"]
    assert due is not None
    # when the person dies
    store.one(record_death, death_of(store, claimed.share_id))
    # then the day passes and nobody is reminded
    store.run(sweep, Sweep(due, due))
    assert store.only("shares")["remind_at"] is None
    assert [row["topic"] for row in store.all("notices") if row["state"] == "queued"] == ["death"]


@pytest.mark.parametrize("told", ["yes", "could_not"])
def test_r69_nobody_need_tell_the_person(scene: Scene, store: Store, told: Any) -> None:
    # given
    _, claimed = sent(scene, store, Delivered("r"))
    store.one(record_death, death_of(store, claimed.share_id))
    # when / then
    said = store.run(person_told, PersonTold(claimed.share_id, SENDER, "day-centre-system", told, "phone", NOW))[0]
    assert isinstance(said, Conflict)
    assert said.refusal.type == "person-has-died"
    assert store.only("shares")["told_at"] is None
