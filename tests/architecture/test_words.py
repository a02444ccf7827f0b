"""R61: no string that people read judges anybody, shows a partner's code, or is hard to read, wherever it stands."""

from __future__ import annotations

import re

import pytest

from hub.domain.wording import stigma_words
from tests.architecture.conftest import Module
from tests.architecture.words import Line, lines
from tests.unit.domain.test_wording import reading_age

#: In years. Words for people aim at nine; a refusal that a developer meets may need a few harder ones.
HARD, HARD_FOR_A_PROGRAM = 11, 17
#: What partner IT and operators read: names of headers, standards, commands and settings stand in it.
_FOR_PROGRAMS = re.compile(
    r"hub/(?:api|security|mapping|host|cli|conformance|config|courier|store|\w+\.py"
    r"|services/(?:refusals|settle_doubt|legal_hold|fetched)|notify/(?:operator|entry)_words)"
)
#: Long, and said every day by whoever reads these: each counts as a short one.
_EVERYDAY = re.compile(
    r"\b(?:(?:no|some|every|any)body|(?:any|every|some)thing|already|organisation|service|private|privacy|email"
    r"|barrier|coordinator|account|person|optional|device|stories|answered)(?:s|'s)?\b",
    re.IGNORECASE,
)
#: Names the steps of a barrier as the screen does, so that whoever is refused finds them there.
_AS_ON_SCREEN = ("A barrier moves one step at a time: identified, understood, acting, then removed or acknowledged.",)


def age_of(words: str) -> float:
    """Return how old a reader is who reads this with ease: by Flesch and Kincaid, everyday words being short ones."""
    return reading_age(_EVERYDAY.sub("thing", words))


@pytest.fixture(scope="module")
def found(python: list[Module]) -> list[Line]:
    return lines([module for module in python if not module.is_test])


def test_r61_the_words_of_every_part_are_found(found: list[Line]) -> None:
    # given refusals, e-mails, the receipt, the answer page and the console
    parts = ("hub/domain/consent.py", "hub/notify/words.py", "hub/services/receipt.py", "hub/answer/templates/",
             "hub/console/templates/", "hub/console/alert_words.py", "hub/domain/sheet_words.py")  # fmt: skip
    # then something of each is there, and hundreds in all
    assert [part for part in parts if not any(line.where.startswith(part) for line in found)] == []
    assert len(found) > 400


def test_r61_no_word_judges_anybody(found: list[Line]) -> None:
    assert {line: words for line in found if (words := stigma_words(line.words))} == {}


def test_r61_no_code_stands_in_the_place_of_words(found: list[Line]) -> None:
    codes = re.compile(r"\b[A-Z]{2,}_[A-Z_]+\b|\b[a-z]+_[a-z_]+\b")
    shown = [line for line in found if not _FOR_PROGRAMS.match(line.where)]
    assert [line for line in shown if codes.search(line.words)] == []


def test_r61_people_are_told_that_somebody_agreed_and_never_that_they_consented(found: list[Line]) -> None:
    shown = [line for line in found if not _FOR_PROGRAMS.match(line.where)]
    assert [line for line in shown if re.search(r"\bconsented\b", line.words, re.IGNORECASE)] == []


def test_r61_whatever_people_read_suits_a_reader_of_eleven(found: list[Line]) -> None:
    hard = {
        (line.where, round(age, 1), line.words)
        for line in found
        for limit in (HARD_FOR_A_PROGRAM if _FOR_PROGRAMS.match(line.where) else HARD,)
        if line.words not in _AS_ON_SCREEN
        and len(re.findall(r"[A-Za-z']+", line.words)) >= 5
        and (age := age_of(line.words)) > limit
    }
    assert sorted(hard) == []


def test_r61_days_and_times_are_said_as_people_say_them(found: list[Line]) -> None:
    # 5pm and not 17:00; Tuesday 1 December and not 2026-12-01
    shown = [line for line in found if not _FOR_PROGRAMS.match(line.where)]
    assert [line for line in shown if re.search(r"\b\d{4}-\d\d-\d\d\b|\b\d{1,2}:\d\d\b|\d\s+[ap]m\b", line.words)] == []
