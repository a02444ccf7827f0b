"""The words of emails: plain, kind, and with nothing of anyone's story in them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from hub.domain.share import Category
from hub.notify.words import (
    AlertKind,
    Words,
    age,
    alert,
    connection_held,
    convene,
    heard_copy,
    invite,
    look_together,
    message_refused,
    ring_in_private,
    sent_on,
    stopped,
)

LINK = "https://hub.example/alerts/0192f3"
REFERENCE = "K7M-4QX"
ALL = [
    *(alert(kind, REFERENCE, timedelta(hours=50), LINK) for kind in get_args(AlertKind)),
    heard_copy(REFERENCE),
    invite(REFERENCE, datetime(2026, 12, 4, 9, 0, tzinfo=UTC), LINK),
    look_together(REFERENCE),
    ring_in_private(REFERENCE),
    convene(REFERENCE),
    sent_on(REFERENCE),
]
OPERATORS = [
    stopped(REFERENCE, timedelta(days=3)),
    connection_held(datetime(2026, 11, 20, 15, 5, tzinfo=UTC)),
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
    # given every email's words, when scanned for words on the list and for what a share may hold, then none is there
    everything = f"{words.subject}\n{words.text}".lower()
    categories = [category.value.replace("_", " ") for category in Category if category is not Category.CONTACT]
    services = ["housing", "council", "nhs", "mind", "probation", "police", "shelter", "hostel", "street", "ward"]
    found = [word for word in [*BANNED, *categories, *services] if re.search(rf"\b{word.lower()}", everything)]
    assert found == []


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.subject)
def test_only_reference_age_and_link_vary(words: Words) -> None:
    # given an email, when its reference and link are taken out, then what is left names nothing and nobody
    fixed = words.text.replace(LINK, "").replace(REFERENCE, "").replace("H9C-2TW", "")
    assert not re.search(r"[A-Z0-9]{3}-[A-Z0-9]{3}|@|\{|\}|https?:", fixed)
    assert "hub.example" not in words.subject
    assert LINK in words.text.splitlines() or "http" not in words.text


@pytest.mark.parametrize("words", ALL, ids=lambda words: words.subject)
def test_a_nine_year_old_can_read_it(words: Words) -> None:
    # given an email's sentences, when their reading grade is worked out (Flesch-Kincaid), then it suits age nine
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
    # given something that is not one web address, when it is used as a link, then no email is made
    with pytest.raises(ValueError, match="one http or https address"):
        alert("no_answer", REFERENCE, timedelta(hours=1), link)


def test_a_held_connection_is_told_with_since_when_and_what_shows_which() -> None:
    # given a connection that stopped, when the operator is told, then what shows which and why is, and not which (R45)
    words = connection_held(datetime(2026, 7, 3, 14, 5, tzinfo=UTC))
    assert words.subject == "A connection is held"
    assert "has been held since 3:05pm on Friday 3 July." in words.text
    assert "To see which and why: `hub connection ls`." in words.text


def test_a_connection_that_goes_on_again_is_not_said_to_be_held() -> None:
    words = connection_held(None)
    assert words.subject == "A connection goes on again"
    assert "resume" not in words.text


def test_a_dead_letter_is_said_to_have_stopped_and_leads_to_no_page() -> None:
    # given a parcel that came to its end, when the operator is told, then nothing says that it is still tried
    words = stopped(REFERENCE, timedelta(days=3))
    assert words.subject == "Could not be sent: K7M-4QX"
    assert words.text.startswith("We tried for 3 days and have stopped. It has not been taken.\n")
    assert "Run `hub trace K7M-4QX`. The team that sent it has been told." in words.text
    assert "/alerts" not in words.text
    assert "trying" not in words.text


def test_each_kind_of_silence_is_told_apart_and_only_what_is_tried_is_said_to_be() -> None:
    # given each kind, when it is put in words, then neither subject nor text is the same
    told = {kind: alert(kind, REFERENCE, timedelta(hours=50), LINK) for kind in get_args(AlertKind)}
    assert len({words.subject for words in told.values()}) == len({words.text for words in told.values()}) == 4
    assert "Nobody has answered" in told["no_answer"].text
    assert "have not got it to the service yet, or cannot be sure" in told["not_there"].text
    assert "We are not sure that it arrived. We are checking." in told["in_doubt"].text
    assert "We could not send this, and have stopped trying." in told["given_up"].text
    assert [kind for kind, words in told.items() if "keep trying" in words.text] == ["not_there"]


@pytest.mark.parametrize("words", [*ALL, *OPERATORS], ids=lambda words: words.subject)
def test_every_email_says_plainly_what_not_to_do_and_why(words: Words) -> None:
    # given every email, then "on purpose" and "e-mail" are in none, and those with a reference alone say why
    everything = f"{words.subject}\n{words.text}"
    assert "on purpose" not in everything
    assert "e-mail" not in everything.lower()
    if words in ALL:
        assert "To keep people's stories private, this email " in words.text
        assert words.text.endswith("Please do not reply: nobody would see it.\n")
    assert "its link" not in words.text or LINK in words.text


def _syllables(word: str) -> int:
    """Groups of vowels, without a silent e at the end."""
    groups = len(re.findall(r"[aeiouy]+", word))
    return max(1, groups - (word.endswith("e") and not word.endswith("le") and groups > 1))


def test_a_message_that_could_not_be_read_is_told_with_what_to_run() -> None:
    # given a refused message, when the operator is told, then it is that it is kept, and what to run
    words = message_refused()
    assert "A message from a partner could not be read. It is kept." in words.text
    assert "run `hub connection check` with its id." in words.text
    assert "run `hub connection resume` with its id. What was refused is read again." in words.text


def test_r12_a_champion_of_a_share_of_which_nothing_is_kept_hears_no_reference() -> None:
    # given / when
    told = look_together("")
    # then
    assert told.subject == "Look at it together"
    assert "Reference" not in told.text
    assert "Nothing was sent." in told.text
