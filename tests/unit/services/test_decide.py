"""Decide: what stops a whole share, and what stops it for one service."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from hub.domain.errors import ABOUT, MissingLeaf
from hub.domain.share import Category, Choice, Share
from hub.domain.trusted_person import NO_LINK, Link, must_wait
from hub.domain.wording import stigma_words
from hub.services.decide import Sender, decide
from hub.services.receipt import refused
from tests.scenery import HOUSING, NOW, directory, sample_share

SENDER = Sender(directory().partners["day-centre"], "day-centre-system", "worker-1")


@pytest.fixture
def share() -> Share:
    return sample_share()


def test_r04_a_missing_statement_refuses_nobody_and_holds_the_whole_share(share: Share) -> None:
    # given a share for two services that would both get it
    unsaid = replace(share, choice=Choice("outreach", nothing_suggests_unsafe=False))
    # when its worker has not said that nothing suggests the choice is unsafe, or the choice is marked as not safe
    marked = Link(not_safe=True)
    # then each service is judged as ever, and the share waits
    assert [each.refusals for each in decide(unsaid, SENDER, directory(), NOW)] == [(), ()]
    assert [each.refusals for each in decide(share, SENDER, directory(), NOW, link=marked)] == [(), ()]
    assert (must_wait(unsaid, NO_LINK), must_wait(share, marked), must_wait(share, NO_LINK)) == (True, True, False)


def test_r05_a_choice_lets_go_what_it_is_for_until_it_ends(share: Share) -> None:
    # given a choice for one topic, until a day
    link = Link(topics=("start-treatment",), until=NOW.date())
    # when a share for two purposes is decided on that day
    verdicts = refused(decide(share, SENDER, directory(), NOW, link=link))
    told = [(each["service"], each["type"], each["pointer"]) for each in verdicts]
    # then the other purpose alone is refused, at its place
    assert told == [(HOUSING, "trusted-person-topic", "/consents/0/purpose")]
    # and from the next day nothing goes
    late = [each["type"] for each in refused(decide(share, SENDER, directory(), NOW + timedelta(days=1), link=link))]
    assert late == ["trusted-person-ended", "trusted-person-topic", "trusted-person-ended"]


def test_r68_one_service_whose_duties_were_not_explained_gets_nothing(share: Share) -> None:
    # given consents of which the second was given without being told what the service may have to do
    first, second = share.consents
    untold = replace(second, agreed=replace(second.agreed, duties_explained=False))
    # when it is decided
    verdicts = decide(replace(share, consents=[first, untold]), SENDER, directory(), NOW)
    # then that service alone is refused, at its place in the share
    assert [(each["service"], each["type"], each["pointer"]) for each in refused(verdicts)] == [
        (untold.service, "duties-not-explained", "/consents/1/agreed/duties_explained")
    ]


@pytest.mark.parametrize("category", Category)
def test_what_is_missing_is_named_in_plain_words(category: Category) -> None:
    # given a document that lacks what one category could give, when it is refused, then the next step is a question
    step = MissingLeaf("/a", (category,)).refusal.next_step
    assert (
        step == f"Ask the person if this service may know {ABOUT[category]}. If so, fill that part in: it needs more."
    )
    assert "_" not in step
    assert stigma_words(step) == []


def test_what_is_missing_of_everything_is_said_in_one_breath() -> None:
    assert "may know more about them." in MissingLeaf("", tuple(Category)).refusal.next_step
