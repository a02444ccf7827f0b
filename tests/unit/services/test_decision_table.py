"""The decision as a table: thousands of rows, each with the outcome that the texts of R12 to R18 give it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from hub.domain.consent import WITHDRAWN
from hub.domain.route import Directory
from hub.domain.share import Category, Consent, HandlingLine, Section, Share
from hub.services.decide import Sender, decide
from tests.scenery import HOUSING, NOW, SENDER, directory, sample_share

TODAY = NOW.date()
WHO = Sender(directory().partners[SENDER], "day-centre-system", "worker-7")
#: How the consent stands, and what a service is refused for; the last three refuse for nothing else beside (R12).
STATES = {
    "given": None,
    "ends today": None,
    "ran out": "consent-expired",
    "agreed tomorrow": "consent-from-the-future",
    "stopped": "consent-withdrawn",
    "no": "consent-refused",
    "absent": "consent-absent",
}
SAYS_ALL = {"no", "absent"}
PURPOSES = {"find-somewhere-to-live": None, "start-treatment": "consent-purpose"}
ABLE = {"yes": None, "not_sure": "consent-not-sure"}
#: What a section is about, and in this order when and why it stays behind (R13, R17, R62, R66, R67, R72).
STAYS = {
    "housing": [],
    "money": [("always", "not_agreed")],
    "children": [("always", "not_for_service")],
    "none": [("always", "unlabelled")],
    "location": [("place private", "location_private")],
    "domestic_abuse": [("lines not carried", "handling_not_carried")],
    "safety": [("lines not carried", "handling_not_carried")],
    "about_someone_else": [("not ticked", "tick_by_itself")],
    "offending": [("not ticked", "tick_by_itself"), ("no Article 10", "no_article_10")],
}
AGREED = [*(each for each in STAYS if each not in {"money", "none"}), "identity"]
TICKS = {"no": None, "blank": " ", "reason": "they asked for it"}
#: Words that ask for another look where they stand in a part about offending, and nowhere else (R72).
ARRESTED = "He was arrested in May."
#: Words, whether somebody read them, and what the service is refused for while the place is private (R18, R62).
WORDS = {
    ("I want a door that locks.", False): [],
    ("I sleep by the train station.", False): ["check-words"],
    ("I sleep by the train station.", True): [],
    ("Write to me at CB1 2AB.", False): ["check-words", "place-in-words"],
    ("Write to me at CB1 2AB.", True): ["place-in-words"],
    (ARRESTED, False): [],
    (ARRESTED, True): [],
}


@dataclass(frozen=True)
class Case:
    """One row: every side of the decision, by the names above."""

    state: str
    purpose: str
    able: str
    label: str
    location_ok: bool
    tick: str
    lines_carried: bool
    article_10: bool
    words: tuple[str, bool]
    returns: tuple[str, ...]
    strict: bool


def cases() -> Iterator[Case]:
    """Every 23rd of all combinations, and every 7th of those that a consent permits: prime to nearly every side."""
    rest = (STAYS, (False, True), TICKS, (False, True), (False, True), WORDS)
    rest = (*rest, ((), ("state", "owner", "text")), (False, True))
    every = itertools.product(STATES, PURPOSES, ABLE, *rest)
    permitted = itertools.product(["given", "ends today"], ["find-somewhere-to-live"], ["yes"], *rest)
    for combinations, step in ((every, 23), (permitted, 7)):
        yield from itertools.starmap(Case, itertools.islice(combinations, 0, None, step))


def expected(case: Case) -> tuple[list[str], dict[str, str]]:
    """What the texts say: why nothing goes, or what of the section in question stays behind."""
    if case.state in SAYS_ALL:
        return [str(STATES[case.state])], {}
    refusals = [each for each in (STATES[case.state], PURPOSES[case.purpose], ABLE[case.able]) if each]
    true = {
        "always": True,
        "place private": not case.location_ok,
        "lines not carried": not case.lines_carried,
        "not ticked": case.tick != "reason",
        "no Article 10": not case.article_10,
    }
    stays = next((why for when, why in STAYS[case.label] if true[when]), None)
    unread = case.label == "offending" and not case.words[1]
    if stays is None and unread and case.words[0] == ARRESTED:
        refusals += ["check-offending"]
    if stays is None and not unread:
        # A service that may know where they are is still sent no words that nobody looked at.
        refusals += [each for each in WORDS[case.words] if each == "check-words" or not case.location_ok]
    if case.strict and case.label == "none":
        refusals += ["unlabelled"]
    if refusals:
        return sorted(refusals), {}
    if stays is None:
        return [], {"/sections/1/text": "words_not_checked"} if unread else {}
    return [], {"/sections/1": stays}


@pytest.fixture(scope="module")
def town() -> Directory:
    return directory()


@pytest.fixture(scope="module")
def told() -> Share:
    return sample_share()


def decided(case: Case, town: Directory, told: Share) -> tuple[list[str], dict[str, str], list[str]]:
    """What the hub decides: types of refusals, what is withheld, and the ids of what goes."""
    service = town.services[HOUSING]
    assert service.agreement is not None
    receiver = replace(service.agreement.receiver, article_10="schedule 1(6)" if case.article_10 else "")
    agreement = replace(service.agreement, receiver=receiver, strict=case.strict)
    lines = frozenset(HandlingLine) if case.lines_carried else frozenset()
    connection = replace(
        town.connections[service.connection],
        accepts=frozenset(Category) - {Category.CHILDREN},
        handling_lines=lines,
    )
    changed = replace(
        town,
        services={HOUSING: replace(service, agreement=agreement)},
        connections={service.connection: connection},
    )
    ended = {HOUSING: WITHDRAWN} if case.state == "stopped" else {}
    (verdict,) = decide(share_of(case, told), WHO, changed, NOW, ended)
    view = verdict.view
    withheld = {each.pointer: str(each.why) for each in view.withheld} if view else {}
    return sorted(each.type for each in verdict.refusals), withheld, [each.id for each in view.sections] if view else []


def share_of(case: Case, told: Share) -> Share:
    text, checked = case.words
    fields = {"order_type": "licence"} if case.label == "offending" else {"reason": "x"}
    label = None if case.label == "none" else Category(case.label)
    sections = [
        Section("i", Category.IDENTITY, {"given_name": "Sam"}),
        Section("s", label, dict(fields), text, words_checked=checked),
    ]
    consents = [] if case.state == "absent" else [consent_of(case, told.consents[0])]
    return replace(told, sections=sections, consents=consents, services=[HOUSING])


def consent_of(case: Case, consent: Consent) -> Consent:
    day = timedelta(days=1)
    until = {"ran out": TODAY - day, "ends today": TODAY}.get(case.state, date(2027, 2, 18))
    reason = TICKS[case.tick]
    ticked = [Category.ABOUT_SOMEONE_ELSE, Category.OFFENDING] if reason is not None else []
    return replace(
        consent,
        service=HOUSING,
        categories=[Category(each) for each in AGREED],
        purpose=case.purpose,
        until=until,
        returns=list(case.returns),
        location_ok=case.location_ok,
        ticked=dict.fromkeys(ticked, reason or ""),
        answer="no" if case.state == "no" else "yes",
        facts={},
        agreed=replace(
            consent.agreed,
            on=TODAY + day if case.state == "agreed tomorrow" else min(consent.agreed.on, until),
            able_to_decide=case.able,
        ),
    )


def test_every_row_is_decided_as_the_texts_say(town: Directory, told: Share) -> None:
    # given thousands of rows, when each is decided
    rows, wrong, over, went = 0, [], [], 0
    for case in cases():
        rows += 1
        refusals, withheld, sections = decided(case, town, told)
        should_refuse, should_withhold = expected(case)
        goes = [] if should_refuse else ["i"] if "/sections/1" in should_withhold else ["i", "s"]
        went += len(goes)
        # then it is refused for just those reasons, or holds back just that
        if (refusals, withheld, sections) != (should_refuse, should_withhold, goes):
            wrong.append((case, refusals, withheld, sections))
        if not set(sections) <= set(goes):
            over.append(case)
    assert over == [], "these show more than the texts allow"
    assert wrong == []
    # and the table is large, and not all of it is a refusal
    assert rows >= 5_000
    assert went > rows / 10
