"""R72: words about offending that look as if they accused or identified somebody are looked at again."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from hub.domain.minimise import View, minimise
from hub.domain.offending import look_again
from hub.domain.route import Agreement, Connection, LawfulBasis, Service
from hub.domain.share import Category, Consent, Section, Share, Value

TICKED = {Category.OFFENDING: "to plan a first visit"}
BASIS = LawfulBasis("6(1)(e)", "9(2)(g)", "schedule 1(6)")
AGREEMENT = Agreement("ISA-1", date(2026, 11, 2), "DPIA-1", BASIS, BASIS, "They may have to tell others.")
SERVICE = Service("probation", "Probation", "city", "line", "", ("keep-to-my-order",), agreement=AGREEMENT)
CARRIES_ALL = Connection("line", "p", "c", "m/1", frozenset(Category))


def refused(view: View) -> list[tuple[str, str]]:
    return [(each.type, each.pointer) for each in view.refusals]


@pytest.mark.parametrize(
    ("words", "asks"),
    [
        ("He was arrested in May.", True),
        ("They SUSPECT\u200bED him of it.", True),
        ("She says he hit her.", True),
        ("He was convicted in 1998.", True),
        ("It was years ago.", True),
        ("He is not to contact Ann.", True),
        ("He must stay away from the shops.", True),
        ("He is seen at level two.", True),
        ("\uff2d\uff21\uff30\uff30\uff21", True),
        ("multi-agency public protection", True),
        ("He sees his officer on Mondays.", False),
        ("The order ends in March 2027.", False),
        ("He has to be home by seven.", False),
    ],
)
def test_r72_words_that_look_so_are_looked_at_again(share: Share, consent: Consent, words: str, asks: bool) -> None:
    # given words about offending that nobody checked, as text, in a field that may be told, and in one that may not
    fields: dict[str, Value] = {"appointment": [words], "order_type": words, "offence": words}
    told = replace(share, sections=[Section("a", Category.OFFENDING, fields, text=words)])
    grant = replace(consent, categories=[Category.OFFENDING], ticked=TICKED)
    # when it is cut, then each part that could go is named, and asked about
    pointers = [f"/sections/0{each}" for each in ("/fields/appointment", "/fields/order_type", "/text")]
    assert refused(minimise(told, grant, SERVICE, CARRIES_ALL)) == (
        [("check-offending", each) for each in pointers] if asks else []
    )
    # and once they were checked nothing is asked any more, nor of the same words elsewhere, nor where it is not ticked
    read = replace(told, sections=[replace(told.sections[0], words_checked=True)])
    assert refused(minimise(read, grant, SERVICE, CARRIES_ALL)) == []
    elsewhere = replace(told, sections=[Section("a", Category.HOUSING, {"reason": words}, text=words)])
    assert refused(minimise(elsewhere, replace(consent, categories=[Category.HOUSING]), SERVICE, CARRIES_ALL)) == []
    assert refused(minimise(told, replace(grant, ticked={}), SERVICE, CARRIES_ALL)) == []


def test_r72_each_way_to_tell_too_much_is_in_the_list() -> None:
    # given what people write of each of the four, and of what helps
    corpus = (Path(__file__).parent / "corpus" / "offending.txt").read_text(encoding="utf-8").splitlines()
    lines = [each for each in corpus if each and not each.startswith("#")]
    at = lines.index("---")
    # when each is read, then all of the first are asked about, and none of the others
    assert [each for each in lines[:at] if not look_again(each)] == []
    assert [each for each in lines[at + 1 :] if look_again(each)] == []
