"""The words of e-mails: plain, kind, and with nothing of anyone's story in them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest

from hub.domain.share import Category
from hub.notify.words import AlertKind, Words, age, alert, connection_held, heard_copy

LINK = "https://hub.example/alerts/0192f3"
REFERENCE = "K7M-4QX"
ALL = [
    *(alert(kind, REFERENCE, timedelta(hours=50), LINK) for kind in get_args(AlertKind)),
    heard_copy(REFERENCE),
]

#: R61: words that judge, and words of the trade that a reader should not need.
BANNED = [
    "addict", "abuser", "alcoholic", "chaotic", "challenging", "complex needs", "dirty", "clean", "engage",
    "hard to reach", "non-compliant", "failed", "failure", "offender", "vulnerable", "victim", "refuse", "homeless",
    "rough sleeper", "service user", "client", "patient", "case", "consent", "overdue", "breach", "escalate", "comply",
    "urgent", "please action", "dead letter", "webhook", "delivery", "payload", "endpoint", "NFA",
]  # fmt: skip


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.subject)
def test_no_word_judges_or_tells_the_story(words: Words) -> None:
    # given every e-mail's words, when scanned for words on the list and for what a share may hold, then none is there
    everything = f"{words.subject}\n{words.text}".lower()
    categories = [category.value.replace("_", " ") for category in Category if category is not Category.CONTACT]
    services = ["housing", "council", "nhs", "mind", "probation", "police", "shelter", "hostel", "street", "ward"]
    found = [word for word in [*BANNED, *categories, *services] if re.search(rf"\b{word.lower()}", everything)]
    assert found == []


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.subject)
def test_only_reference_age_and_link_vary(words: Words) -> None:
    # given an e-mail, when its reference and link are taken out, then what is left names nothing and nobody
    fixed = words.text.replace(LINK, "").replace(REFERENCE, "").replace("H9C-2TW", "")
    assert not re.search(r"[A-Z0-9]{3}-[A-Z0-9]{3}|@|\{|\}|https?:", fixed)
    assert "hub.example" not in words.subject
    assert LINK in words.text.splitlines() or words == heard_copy(REFERENCE)


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.subject)
def test_a_nine_year_old_can_read_it(words: Words) -> None:
    # given an e-mail's sentences, when their reading grade is worked out (Flesch-Kincaid), then it suits age nine
    prose = words.text.replace(LINK, "").replace(REFERENCE, "").replace("H9C-2TW", "").replace("Reference", "")
    sentences = [part for part in re.split(r"[.\n]+", prose) if part.strip()]
    spoken = re.findall(r"[a-z']+", prose.lower())
    syllables = sum(_syllables(word) for word in spoken)
    grade = 0.39 * len(spoken) / len(sentences) + 11.8 * syllables / len(spoken) - 15.59
    assert grade <= 4.0
    assert max(len(part.split()) for part in sentences) <= 20


@pytest.mark.parametrize(
    ("waited", "said"),
    [
        (timedelta(0), "1 minute"),
        (timedelta(seconds=61), "1 minute"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(hours=2), "2 hours"),
        (timedelta(hours=47, minutes=59), "47 hours"),
        (timedelta(hours=48), "2 days"),
        (timedelta(days=12, hours=23), "12 days"),
    ],
)
def test_age_is_said_as_people_say_it(waited: timedelta, said: str) -> None:
    # given a length of time, when it is said, then it is in one unit, never rounded up
    assert age(waited) == said


@pytest.mark.parametrize("link", ["", "javascript:alert(1)", "https://hub.example/a b", "https://a\nBcc: x@y.z"])
def test_a_link_is_one_address(link: str) -> None:
    # given something that is not one web address, when it is used as a link, then no e-mail is made
    with pytest.raises(ValueError, match="one http or https address"):
        alert("no_answer", REFERENCE, timedelta(hours=1), link)


def test_a_held_connection_is_named_to_the_operator_with_the_command_that_mends_it() -> None:
    # given a connection that stopped, when the operator is told, then it is by the connection's id and the next step
    words = connection_held("county-treatment")
    assert "county-treatment" in words.subject
    assert "hub connection resume county-treatment" in words.text


def test_what_could_not_be_sent_and_what_nobody_answered_are_told_apart() -> None:
    # given both kinds of silence, when each is put in words, then neither subject nor text is the same
    silent = alert("no_answer", REFERENCE, timedelta(hours=50), LINK)
    stuck = alert("not_delivered", REFERENCE, timedelta(hours=50), LINK)
    assert silent.subject != stuck.subject
    assert "Nobody has answered" in silent.text
    assert "nobody has seen it" in stuck.text


def _syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end."""
    groups = len(re.findall(r"[aeiouy]+", word))
    return max(1, groups - (word.endswith("e") and not word.endswith("le") and groups > 1))
