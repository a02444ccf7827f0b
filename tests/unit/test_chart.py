"""A chart says in words what it draws, escapes what it is given, and tells nothing by colour alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from hub.console.learning import over, percent
from hub.console.learning_words import named, said
from hub.domain.disclosure import Span, told
from hub.domain.learning import NAMES
from hub.web.chart import Bar, chart

SVG = "{http://www.w3.org/2000/svg}"


def test_a_chart_is_an_image_with_a_name_and_each_bar_in_words() -> None:
    # given two bars, of which one might be none
    drawn = ET.fromstring(
        chart("c", "Wins <b>", "Of & in", [Bar("Kept <i>", 8, 12, "about 10"), Bar("Fast", 0, 4, "")])
    )
    # then it is named, nothing of what was given is markup, and each part has a pattern or an edge
    assert (drawn.get("role"), drawn.get("aria-labelledby")) == ("img", "c-t c-d")
    assert (drawn.findtext(f"{SVG}title"), drawn.findtext(f"{SVG}desc")) == ("Wins <b>", "Of & in")
    assert [each.text for each in drawn.iter(f"{SVG}text")] == ["Kept <i>", "about 10", "Fast", None]
    striped = [each for each in drawn.iter(f"{SVG}rect") if each.get("fill") == "url(#c-s)"]
    assert [each.get("stroke") for each in striped] == ["#0b0c0c"] * 2
    # and a bar is as long as it is, beside the longest
    solid = [each.get("width") for each in drawn.iter(f"{SVG}rect") if each.get("height") == "14"]
    assert solid == ["133", "0"]
    assert "style=" not in str(chart("c", "t", "d", []))  # the policy lets no style in


def test_every_name_there_is_has_plain_words() -> None:
    words = {named(measure, name) for measure, names in NAMES.items() for name in names}
    assert not [each for each in words if "_" in each or "/" in each]


@pytest.mark.parametrize(
    ("span", "words"),
    [(told(3), "fewer than 5"), (told(11), "about 10"), (Span(8, 20), "8 to 20"), (Span(0, 8), "fewer than 9")],
)
def test_a_figure_is_said_as_well_as_it_is_known(span: Span, words: str) -> None:
    assert said(span) == words


def test_a_part_of_a_hundred_is_told_as_well_as_its_counts_are_known() -> None:
    assert percent(told(20), told(5)) == (72, 82)
    assert percent(Span(0, 4), Span(0, 4)) == (0, 100)


def test_one_can_choose_the_months_that_are_over() -> None:
    from datetime import date

    assert over(date(2026, 1, 31))[:2] == ["2025-12", "2025-11"]
