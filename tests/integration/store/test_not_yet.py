"""R21: what a service asks not to tell yet is for its author and the lead alone, on each way that it has out."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from hub.domain.answer import Answer, AnswerState
from hub.domain.forget import Forgetting
from hub.notify.composer import Composer
from hub.notify.webhook import Subscription
from hub.sdk.connector import Inbound
from hub.services.now import SystemNow
from hub.services.read_inbox import ReadInbox, read_inbox
from hub.services.receive import Message
from hub.services.report import report
from hub.services.respond import Response
from hub.services.sheet import sheet
from hub.services.shred import Shred, shred
from hub.services.subject_access import subject_access
from hub.services.watch import Watch
from hub.store.read_share import ShareRecord, read_share
from hub.store.read_state import notice_context
from tests.scenery import NOW, SENDER, Scene, Store, delivered

DAY, OWNER = timedelta(days=1), "Kim of the duty desk"
POLICY = Forgetting()


def answered(scene: Scene, store: Store, *, wait: bool) -> str:
    """Let a service say no, and ask perhaps not to tell it yet; returns the share."""
    claimed = delivered(scene, store)
    answer = Answer(AnswerState.DECLINED, owner=OWNER, reason="full", do_not_tell_yet=wait)
    store.one(scene.receive, Message("housing", "m" * 64, b"no", (), NOW))
    (unread,) = store.one(read_inbox, ReadInbox("housing", 9, NOW, timedelta(minutes=1)))
    said = Inbound("m-1", claimed.key, answers=(answer,))
    assert store.one(scene.respond, Response(unread.id, "housing", said, NOW, NOW, NOW))
    return claimed.share_id


def read(store: Store, share_id: str) -> ShareRecord:
    record = read_share(store.engine, share_id, SENDER)
    assert record is not None
    return record


@pytest.mark.parametrize("wait", [True, False])
def test_r21_what_is_not_to_be_told_yet_stands_in_nothing_that_goes_out(scene: Scene, store: Store, wait: bool) -> None:
    share_id = answered(scene, store, wait=wait)
    record = read(store, share_id)
    # the webhook says that there is one, and not which
    subscription = Subscription("https://cases.example", (), via=None)  # type: ignore[arg-type]

    async def context(notice: Any) -> Any:
        return notice_context(store.engine, notice)

    compose = Composer(
        scene.directory, scene.vault, "https://hub.example", {"day-centre-system": subscription}, context, SystemNow()
    )
    (notice,) = store.all("notices", topic="delivery.answered")
    composed = asyncio.run(_run(compose, notice))
    assert json.loads(composed.webhook.body)["data"]["answer"] == ("decided" if wait else "declined")
    # nobody is reminded to tell the person
    assert (store.only("shares")["remind_at"] is None) is wait
    # the report, to a worker who is neither its author nor the lead, and what the person is given say nothing of it
    shown = report(record, scene.directory, scene.vault, NOW, reader="f" * 64)
    assert shown["deliveries"][0]["answer"] == ("decided" if wait else "declined")
    (author,) = record.authors
    whole = report(record, scene.directory, scene.vault, NOW, reader=author)
    assert whole["deliveries"][0]["answer"] == "declined"
    for_the_person = json.dumps(sheet(record, whole, scene.vault, POLICY), default=str)
    handed_over = json.dumps(subject_access(record, whole, scene.vault, scene.mappings)["about_the_person"])
    assert [OWNER in made for made in (for_the_person, handed_over)] == [not wait, not wait]


@pytest.mark.parametrize("wait", [True, False])
def test_r21_r59_it_is_not_told_once_the_story_is_forgotten_either(scene: Scene, store: Store, wait: bool) -> None:
    # given an answer, and its share forgotten
    share_id = answered(scene, store, wait=wait)
    late = NOW + 90 * DAY
    store.one(partial(shred, policy=POLICY, write_down=lambda _ids, _on: None), Shred(late, late))
    record = read(store, share_id)
    # when any worker reads it, then only its author reads which answer it was
    (author,) = record.authors
    for reader, sees in (("f" * 64, not wait), ("", not wait), (author, True)):
        (one,) = report(record, scene.directory, scene.vault, late, reader=reader)["deliveries"]
        assert one["answer"] == ("declined" if sees else "decided"), reader


@pytest.mark.parametrize("wait", [True, False])
def test_r21_a_mail_does_not_say_either_that_a_service_named_another(scene: Scene, store: Store, wait: bool) -> None:
    # given a service that said where else may help, and asks perhaps not to tell that yet
    claimed = delivered(scene, store)
    answer = Answer(AnswerState.SIGNPOSTED, do_not_tell_yet=wait)
    store.one(scene.receive, Message("housing", "m" * 64, b"see", (), NOW))
    (unread,) = store.one(read_inbox, ReadInbox("housing", 9, NOW, timedelta(minutes=1)))
    said = Inbound("m-1", claimed.key, answers=(answer,))
    assert store.one(scene.respond, Response(unread.id, "housing", said, NOW, NOW, NOW))
    # when its alert is due, and its mails are written
    store.one(scene.watch, Watch(NOW + 9 * DAY, NOW + 9 * DAY))

    async def context(notice: Any) -> Any:
        return notice_context(store.engine, notice)

    compose = Composer(scene.directory, scene.vault, "https://hub.example", {}, context, SystemNow())
    notices = store.all("notices", topic="alert.signposted")
    mails = [asyncio.run(_run(compose, notice)).mail for notice in notices]
    # then they say it only where it may be told
    assert mails
    assert {"Still needs somebody" in mail.subject for mail in mails} == {not wait}
    assert {"where else" in mail.text for mail in mails} == {not wait}


async def _run(compose: Composer, notice: Any) -> Any:
    return await compose(notice)
