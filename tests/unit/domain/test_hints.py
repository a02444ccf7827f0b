"""The two screens of words, measured on sentences that hold a place and on sentences that do not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.hints import hints
from hub.domain.pinpoints import maps, pinpoints

CORPUS = Path(__file__).parent / "corpus"


def sentences(name: str) -> list[str]:
    """The sentences of one file; all are made up, and no number in them rings."""
    return (CORPUS / f"{name}.txt").read_text(encoding="utf-8").splitlines()


SURE, LOOK, INNOCENT = sentences("pinpoints"), sentences("hints"), sentences("innocents")


def test_the_corpus_is_large_enough_to_measure_with() -> None:
    assert len(set(SURE) | set(LOOK)) >= 150
    assert len(set(INNOCENT)) >= 150


def test_r62_every_pinpoint_is_found_and_nothing_innocent_is() -> None:
    # given sentences that hold a postcode, a map value or a number, when they are screened
    missed = [text for text in SURE if not pinpoints(text)]
    wrong = [text for text in (*INNOCENT, *LOOK) if pinpoints(text)]
    # then the sure screen finds all of them, and nothing that is only a hint or innocent
    assert (missed, wrong) == ([], []), measured(len(SURE) - len(missed), len(wrong), len(SURE))


def test_r18_words_that_look_as_if_they_hold_a_place_are_found() -> None:
    # given the same and sentences with streets, towns, schools and landmarks
    held = [*SURE, *LOOK]
    found = [text for text in held if hints(text)]
    wrong = [text for text in INNOCENT if hints(text)]
    # then nearly all are found, and hardly anything innocent is
    told = measured(len(found), len(wrong), len(held))
    missed = sorted(set(held) - set(found))
    assert len(found) / len(held) >= 0.98, (told, missed)
    assert len(found) / (len(found) + len(wrong)) >= 0.98, (told, wrong)


def measured(found: int, wrong: int, held: int) -> str:
    """Say precision and recall in words."""
    return f"precision {found / max(1, found + wrong):.3f}, recall {found / held:.3f}"


@pytest.mark.parametrize("text", SURE)
def test_r62_a_pinpoint_is_found_in_the_middle_of_a_story(text: str) -> None:
    assert pinpoints(f"I waited a long time.\r\n{text}\r\nThen they came.")


@given(st.text())
def test_any_words_can_be_screened(text: str) -> None:
    # given any words at all, then what is sure is also a hint, and the screens never fail
    assert hints(text) or not pinpoints(text)


def test_r62_hidden_characters_hide_no_number() -> None:
    assert pinpoints("07\u200b700 90\u20600 123")
    assert pinpoints("CB1\u00a02AB")
    assert pinpoints("01632\u2013960\u2013001")


@pytest.mark.parametrize("digit", "0123456789")
def test_r62_a_house_is_found_whatever_its_number(digit: str) -> None:
    assert pinpoints(f"Come to {digit} Mill Road.") is True


@pytest.mark.parametrize(
    "text",
    [
        "Bring it to CB1 2AB.",
        "It is at 12 Mill Road.",
        "Look for filled.count.soap there.",
        "Look at ///Filled.Count.Soap there.",
        "Look at goo.gl/maps/x there.",
    ],
)
def test_r65_a_place_is_found_where_a_number_to_ring_may_stand(text: str) -> None:
    # given a field that is meant to hold a telephone number, then a place in it is still found
    assert (maps(text), pinpoints(text), hints(text)) == (True, True, True)


@pytest.mark.parametrize("text", ["Ring 07700 900123.", "01632 960001"])
def test_r65_a_number_to_ring_is_no_place(text: str) -> None:
    assert (maps(text), pinpoints(text)) == (False, True)


@pytest.mark.parametrize("text", ["", "They waited.", "They waited 20 days.", "See www.example.org. Thank you."])
def test_words_without_a_place_are_told_so(text: str) -> None:
    assert (maps(text), pinpoints(text)) == (False, False)


@pytest.mark.parametrize("text", ["They park on mill lane.", "Near Ely.", "near Ely", "At Ely, they said."])
def test_r18_a_road_in_small_letters_and_a_town_after_a_preposition_are_found(text: str) -> None:
    assert hints(text) is True


def test_nothing_looks_like_a_place_in_plain_words() -> None:
    assert hints("They waited a long time.") is False
