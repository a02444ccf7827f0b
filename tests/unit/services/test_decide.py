"""Decide: what stops a whole share, and what stops it for one service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.errors import ABOUT, MissingLeaf
from hub.domain.share import Category, Choice, Share
from hub.domain.wording import stigma_words
from hub.services.decide import decide
from hub.services.receipt import refused
from tests.scenery import HOUSING, NOW, TREATMENT, directory, sample_share


@pytest.fixture
def share() -> Share:
    return sample_share()


def test_r04_a_choice_that_was_not_said_to_look_safe_goes_to_nobody(share: Share) -> None:
    # given a share for two services that would both get it
    assert [each.refusals for each in decide(share, directory(), NOW)] == [(), ()]
    # when its worker has not said that nothing suggests the choice is unsafe
    verdicts = decide(replace(share, choice=Choice("outreach", nothing_suggests_unsafe=False)), directory(), NOW)
    # then each service is refused for it, nothing is cut for anybody, and the pointer is the share's own
    assert [(each["service"], each["type"], each["pointer"]) for each in refused(verdicts)] == [
        (HOUSING, "choice-unsafe", "/choice/nothing_suggests_unsafe"),
        (TREATMENT, "choice-unsafe", "/choice/nothing_suggests_unsafe"),
    ]
    assert [each.view for each in verdicts] == [None, None]


def test_r04_an_unsafe_choice_hides_no_other_reason(share: Share) -> None:
    # given an unsafe choice and a service that nobody knows
    unsafe = replace(share, choice=Choice("outreach", nothing_suggests_unsafe=False), services=[HOUSING, "no-such"])
    # when it is decided, then both reasons are told for that service
    told = [(each["service"], each["type"]) for each in refused(decide(unsafe, directory(), NOW))]
    assert told == [(HOUSING, "choice-unsafe"), ("unknown", "choice-unsafe"), ("unknown", "service-unknown")]


def test_r68_one_service_whose_duties_were_not_explained_gets_nothing(share: Share) -> None:
    # given consents of which the second was given without being told what the service may have to do
    first, second = share.consents
    untold = replace(second, agreed=replace(second.agreed, duties_explained=False))
    # when it is decided
    verdicts = decide(replace(share, consents=[first, untold]), directory(), NOW)
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
