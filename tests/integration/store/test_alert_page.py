"""R45: of what nobody waits for any more, the page behind an alert's link says that, and never that it was answered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from hub.console.alert_words import standing
from hub.domain.forget import Forgetting
from hub.domain.ladder import CloseReason, scope
from hub.services.close_alert import CloseAlert
from hub.services.death import Death, record_death
from hub.services.shred import Shred, shred
from hub.store.read_alert import read_alert
from tests.laddering import CHAMPION, MONDAY, Follow
from tests.scenery import NOW, SENDER, Scene, Store

LATE = NOW + timedelta(days=90)


def _dies(follow: Follow) -> None:
    share = follow.store.only("shares")
    death = Death(share["id"], SENDER, share["person"], "client:day-centre-system", MONDAY, NOW)
    assert follow.store.one(record_death, death)


def _is_forgotten(follow: Follow) -> None:
    forget = partial(shred, policy=Forgetting(), write_down=lambda _ids, _on: None)
    assert follow.store.one(forget, Shred(LATE, LATE)) == 1


def _is_closed(follow: Follow) -> None:
    assert follow.act(follow.verbs.close_alert, CloseAlert, CHAMPION, reason=CloseReason.SENT_ANOTHER_WAY) is None


def title(follow: Follow, alert_id: str) -> str:
    view = read_alert(follow.store.engine, alert_id, scope(follow.directory, CHAMPION))
    assert view is not None
    return standing(view, follow.directory, muted=False).title


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (_dies, "This is no longer needed"),
        (_is_forgotten, "This is no longer needed"),
        (_is_closed, "This is closed"),
    ],
)
def test_r45_r69_what_ended_without_an_answer_is_not_said_to_be_answered(
    scene: Scene, store: Store, ends: Callable[[Follow], None], said: str
) -> None:
    # given an alert about a share that nobody answered
    follow = Follow(scene, store)
    alert_id = follow.alert["id"]
    assert title(follow, alert_id) == "Nobody has opened this yet"
    # when nobody waits any more
    ends(follow)
    # then the page says just that
    assert title(follow, alert_id) == said
