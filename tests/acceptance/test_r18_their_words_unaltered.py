"""R18: words arrive code point for code point, and words that may show a place are looked at again first."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.acceptance.house import House
from tests.acceptance.previewing import SAID, preview, section
from tests.acceptance.telling import HOUSING, TREATMENT, a_share, strings

#: Composed and decomposed, right to left with its marks, joined emoji, line ends of every kind, blanks at both ends.
WORDS = [
    "Zoe\u0308 and Zo\u00eb are two spellings.",
    "\u05d0\u05e0\u05d9 \u05e8\u05d5\u05e6\u05d4 \u2067\u05d3\u05dc\u05ea\u2069 \u202bthat locks\u202c",
    "\U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f3f4\U000e0067\U000e0062\U000e0065\U000e007f \u2764\ufe0f",
    "one\r\ntwo\nthree\rfour\tfive",
    "  kept as it is  ",
    "\u0130 \u00df \ufb01 \u1e9e \u212b e\u0301\u0323 \u3000\u00a0",
    "<b>&amp;</b> \\ \"quoted\" 'so' {$: section} \u2028 \ufffd",
]


@pytest.mark.parametrize("category", ["in_their_words", "goal", "approach"])
def test_r18_words_arrive_code_point_for_code_point_in_every_format(looking: House, category: str) -> None:
    # given words of every kind in one of their own sections
    share = a_share(HOUSING, TREATMENT)
    for consent in share["consents"]:
        consent["categories"] = sorted({*consent["categories"], category})
    share["sections"] = [each for each in share["sections"] if each["category"] != category]
    share["sections"] += [section(category, text=words, said=SAID, words_checked=True) for words in WORDS]
    # when the parcels are made, then each service's document holds each of them as it was said
    shown = preview(looking, share)
    for service in (HOUSING, TREATMENT):
        held = list(strings(shown.parcel(service)))
        assert [words for words in WORDS if words not in held] == [], service


def said_section(text: str, **parts: Any) -> dict[str, Any]:
    share = a_share(HOUSING, TREATMENT)
    share["consents"][1]["categories"] = [
        each for each in share["consents"][1]["categories"] if each != "in_their_words"
    ]
    share["sections"] = [each for each in share["sections"] if each["category"] != "in_their_words"]
    share["sections"].append(section("in_their_words", text=text, said=SAID, **parts))
    return share


@pytest.mark.parametrize("text", ["I walk down Mill Road.", "Ring 960123 after six.", "He goes to St Mary's School."])
def test_r18_words_that_look_like_a_place_a_number_or_a_school_are_looked_at_first(looking: House, text: str) -> None:
    # given such words, unchecked, for one service of two
    share = said_section(text)
    shown = preview(looking, share)
    # then that service is refused with the place of the words, and the other is not
    pointer = f"/sections/{len(share['sections']) - 1}/text"
    assert shown.refused(HOUSING) == [("check-words", pointer)]
    assert shown.refused(TREATMENT) == []
    assert text not in json.dumps(shown.body, ensure_ascii=False)
    # and once somebody has read them they go, unaltered
    assert text in shown_words(looking, said_section(text, words_checked=True))


def shown_words(looking: House, share: dict[str, Any]) -> list[str]:
    return list(strings(preview(looking, share).parcel(HOUSING)))


def test_r18_the_preview_says_that_no_rule_finds_every_place(looking: House) -> None:
    note = preview(looking, a_share(HOUSING)).body["note"]
    assert note == "We cannot spot every place. Read it as if the person who hurt them could see it."
