"""What tests of follow-ups start from: the verbs bound as bootstrap binds them, and a share that went to housing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from hub.domain.answer import Answer, AnswerState
from hub.domain.calendar import england_and_wales
from hub.mapping import load_mapping
from hub.services.claim import Claimed
from hub.services.follow_up import FollowUps
from hub.services.pack import place, unpack
from hub.services.record_heard import Heard, record_heard
from hub.services.submit import Acceptance
from hub.services.withdraw import withdraw
from tests.scenery import HOUSING, NOW, SENDER, Scene, Store, settlement

STOP, REPLY = "please_stop_using", "reply"
_TEMPLATE = """\
document: demo
version: 1.0.0
content_type: application/json
template:
  key: {$: delivery.key}
  kind: {$: delivery.kind}
  follows: {$: delivery.follows}
  reference: {$: share.reference}
  reply_on: {$: delivery.reply_on}
  said: {$?: answer.text}
  told_to: {$?: answer.told_to}
  goal: {$?: "section.goal[0].text"}
"""


@dataclass(frozen=True, slots=True)
class Verbs:
    """The two verbs that follow up, bound as bootstrap binds them."""

    withdraw: Any
    heard: Any
    follow_ups: FollowUps


def bind(scene: Scene, follow_ups: FollowUps) -> Verbs:
    """Bind the verbs to these follow-ups."""
    heard = partial(record_heard, vault=scene.vault, follow_ups=follow_ups)
    return Verbs(partial(withdraw, follow_ups=follow_ups), heard, follow_ups)


def carrying(scene: Scene, mappings: Any, kinds: Iterable[str] = ("share", STOP, REPLY)) -> FollowUps:
    """Follow-ups over connections that carry these kinds."""
    connections = {name: replace(each, kinds=frozenset(kinds)) for name, each in scene.directory.connections.items()}
    directory = replace(scene.directory, connections=connections)
    return FollowUps(directory, mappings, scene.vault, england_and_wales())


def everything(scene: Scene, folder: Path) -> Verbs:
    """The verbs over connections that carry everything, and a mapping that can make it."""
    (folder / "mapping.yaml").write_text(_TEMPLATE, encoding="utf-8")
    return bind(scene, carrying(scene, {"demo/1.0.0": load_mapping(folder, folder)}))


def sent(scene: Scene, store: Store, outcome: Any = None, key: str = "key-1") -> tuple[Acceptance, Claimed]:
    """Keep a share for housing and claim it; settle the attempt, unless it is still under way."""
    accepted = store.accept(scene.acceptance(key, services=[HOUSING]))
    (claimed,) = store.claim()
    if outcome is not None:
        assert store.one(scene.settle, settlement(claimed, outcome))
    return accepted, claimed


def document(scene: Scene, store: Store, row: dict[str, Any]) -> dict[str, Any]:
    """Open a delivery's parcel."""
    key = scene.vault.unwrap(store.only("shares", id=row["share_id"])["data_key"])
    return unpack(key.open(row["parcel"], place("deliveries", "parcel", row["id"])))


def telling(delivery_id: str, **changed: Any) -> Heard:
    """Return what was heard by phone of one delivery."""
    answer = Answer(AnswerState.ACCEPTED, owner="Team leader", text="They will ring on Friday.")
    heard = Heard(
        delivery_id,
        SENDER,
        "day-centre-system",
        answer,
        "phone",
        "The team leader",
        "Jo at the front desk",
        date(2026, 11, 20),
        NOW,
        NOW,
    )
    return replace(heard, **changed)
