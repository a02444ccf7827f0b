"""Legal holds, on each database: by a privacy officer, for a known reason, audited, stopping nothing but forgetting."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.errors import Conflict, Forbidden, Malformed, NotFound
from hub.domain.forget import Forgetting
from hub.sdk.connector import Inbound
from hub.services.legal_hold import REASONS, LegalHold, set_legal_hold
from hub.services.read_inbox import ReadInbox, read_inbox
from hub.services.receive import Message
from hub.services.respond import Response
from hub.services.shred import Shred, ShredAgain, shred, shred_again
from hub.services.withdraw import withdraw
from tests.scenery import HOUSING, NOW, Scene, Store, delivered

LATE = NOW + timedelta(days=400)
OFFICERS = frozenset({"officer-1"})
change = partial(set_legal_hold, officers=OFFICERS)
forget = partial(shred, policy=Forgetting(), write_down=lambda _ids, _on: None)


def kept(scene: Scene, store: Store) -> str:
    return store.accept(scene.acceptance(services=[HOUSING])).plan.ids.share


@pytest.mark.parametrize("reason", REASONS)
def test_r59_a_held_share_is_not_forgotten_until_its_hold_is_lifted(scene: Scene, store: Store, reason: str) -> None:
    # given a hold
    share_id = kept(scene, store)
    assert store.one(change, LegalHold(share_id, "officer-1", reason, NOW)) is None
    # when its time comes, and when a restored database's list names it
    assert store.one(forget, Shred(LATE, LATE)) == 0
    assert store.one(shred_again, ShredAgain((share_id,), LATE, LATE)) == 0
    assert store.only("shares")["data_key"] is not None
    # then it goes once the hold is lifted
    assert store.one(change, LegalHold(share_id, "officer-1", None, LATE)) is None
    assert store.one(forget, Shred(LATE, LATE)) == 1
    # and both are audited, with who and why
    told = [(row["action"], row["actor"], row["detail"]) for row in store.all("audit_events", share_id=share_id)]
    assert ("legal_hold.placed", "officer:officer-1", {"reason": reason}) in told
    assert ("legal_hold.lifted", "officer:officer-1", {}) in told


def test_r59_what_a_service_wrote_is_held_with_its_share(scene: Scene, store: Store) -> None:
    # given a share under a hold, and a message that its service sent about it
    claimed = delivered(scene, store)
    store.one(scene.receive, Message("housing", "m" * 64, b"no", (), NOW))
    (unread,) = store.one(read_inbox, ReadInbox("housing", 9, NOW, timedelta(minutes=1)))
    said = Inbound("m-1", claimed.key, answers=(Answer(AnswerState.DECLINED, reason="full"),))
    assert store.one(scene.respond, Response(unread.id, "housing", said, NOW, NOW, NOW))
    assert store.one(change, LegalHold(claimed.share_id, "officer-1", "inquest", NOW)) is None
    # when the time of both has come, then neither goes
    assert store.one(forget, Shred(LATE, LATE)) == 0
    assert store.only("inbox")["data_key"] is not None
    # and both go once it is lifted
    assert store.one(change, LegalHold(claimed.share_id, "officer-1", None, LATE)) is None
    assert store.one(forget, Shred(LATE, LATE)) == 1
    assert (store.only("inbox")["data_key"], store.only("shares")["data_key"]) == (None, None)


def test_r15_r59_a_withdrawal_still_stops_what_is_held(scene: Scene, store: Store) -> None:
    accepted = store.accept(scene.acceptance(services=[HOUSING]))
    store.one(change, LegalHold(accepted.plan.ids.share, "officer-1", "court-order", NOW))
    store.one(withdraw, scene.withdrawal(accepted.plan.ids.record))
    assert store.only("deliveries")["state"] == "cancelled"
    assert store.claim() == []


def test_r59_only_an_officer_for_a_known_reason_and_a_share_that_is_there(scene: Scene, store: Store) -> None:
    share_id = kept(scene, store)
    before = store.all("audit_events")
    tries = [
        (LegalHold(share_id, "somebody", "court-order", NOW), Forbidden),
        (LegalHold(share_id, "somebody", None, NOW), Forbidden),
        (LegalHold(share_id, "officer-1", "Sam owes us money", NOW), Malformed),
        (LegalHold(share_id, "officer-1", "", NOW), Malformed),
        (LegalHold("f" * 32, "officer-1", "court-order", NOW), NotFound),
        (LegalHold(share_id, "officer-1", None, NOW), Conflict),
    ]
    for item, kind in tries:
        assert type(store.one(change, item)) is kind
    assert store.all("audit_events") == before
    # and not twice, nor of what is forgotten
    assert store.one(change, LegalHold(share_id, "officer-1", "court-order", NOW)) is None
    assert type(store.one(change, LegalHold(share_id, "officer-1", "inquest", NOW))) is Conflict
    assert store.only("shares")["legal_hold_reason"] == "court-order"
    store.one(change, LegalHold(share_id, "officer-1", None, NOW))
    store.one(forget, Shred(LATE, LATE))
    assert type(store.one(change, LegalHold(share_id, "officer-1", "court-order", NOW))) is Conflict
