"""Cases for both evaluators, drawn from a seed: a share, its consent and its state, a service, a connection, now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from hub.domain.route import Agreement, Connection, LawfulBasis, Service
from hub.domain.share import (
    Agreed,
    BestInterests,
    Category,
    Choice,
    Consent,
    HandlingLine,
    Person,
    RoleContact,
    Said,
    Section,
    Share,
    TrustedPerson,
    Value,
)

#: Words that anybody would read as a place, a number or a square on a map.
UNMISTAKABLE = (
    *("Meet me at CB1 2AB after five.", "They know I am in pe30 1ez now.", "My postcode is SW1A1AA", "It is M1 1AE."),
    *("Ring 07700 900123 first.", "Call (01632) 960123 and ask.", "My sister has +44 7700 900456.", "0044 1632 960987"),
    *("We camp by TL 455 582.", "It is at TQ3000080000.", "Look at 52.2053, 0.1218 now.", "It is ///filled.count.soap"),
    *("See https://maps.google.com/?q=52,0", "I sleep at 12 Mill Road.", "She moved to 4B Orchard Close last week."),
)  # fmt: skip
#: Words that look as if they hold a place or a school, and may be innocent.
HINTS = ("My daughter is at St Mary's School.", "I walk down Victoria Road each day.", "I dropped out of college.")
#: Words that nobody would look at twice.
INNOCENT = (
    *("I want a door that locks.", "A place of my own by the spring.", "Text first, and say what happens next."),
    *("I have told this to nine people in 3 years.", "I owe £2,400.50 since 2024.", "", ""),
    *("Zoë said: no more \u202eforms.", "I am 34.\r\nI take 20 mg at 10:30.", "NHS no 943 476 5919, B12 is low."),
)  # fmt: skip
#: Words about offending that R72 keeps out, whoever checked them.
NEVER_OFFENDING = ("He is on MAPPA level 2.", "There is an allegation from May.", "The victim is my cousin.")
#: Words that only look as if R72 kept them out.
ODD_OFFENDING = (
    *("He was arrested in May and denies it.", "They suspected him of it.", "He was charged and says not guilty."),
    *("He was convicted as a boy, 20 years ago.", "It asks about previous offences.", "He is seen at level 2."),
    *("There is to be no contact with his ex-partner.", "He must stay away when she is a witness.", "He hurt her."),
    *("He attacked a man and is on the register.", "Public protection ring him, category 1."),
)  # fmt: skip
#: And words that help to help, and look like none of them.
HELPING = ("He sees his officer on Mondays.", "The order ends in March.", "He may not be out after seven.", "Licence.")

PLACES = (
    *("address", "home_address", "currentAddress", "postcode", "post_code", "town", "latitude", "grid_reference"),
    *("uprn", "worker_base", "what3words", "map_link", "school", "hostel", "where_staying", "workplace", "easting"),
    *("worker_office", "meeting_place", "district", "college", "nursery_name", "street", "whereabouts"),
)  # fmt: skip
POINTS = ("phone", "mobile_number", "landline", "email", "email_address", "whatsapp", "facebook", "sisters_phone")
NEUTRAL = ("given_name", "reason", "since", "nhs_number", "substances", "a/b~c", "last_settled", "detail")
OFFENDING = (
    *("order_type", "order_ends", "appointment", "licence_conditions_that_affect_help", "supervising_office"),
    *("allegations", "spent_convictions", "victim_name", "mappa_level", "offence"),
)  # fmt: skip
STATEMENTS = ("safe_to_call", "leave_message", "text_ok", "post_ok", "email_ok")
NOTES = ("times", "not_safe_to_talk_to", "code_phrase", "preferred_language")
VALUES: tuple[Value, ...] = (
    *("Sam", "2025-11", "heroin", True, 3, "CB1 2AB", "07700 900123", "TL 455 582", "12 Mill Road", "52.2053, 0.1218"),
    *(["cannabis", "alcohol"], ["yes", "ring 01632 960123"], "stays at St Mary's School now", "weekday mornings"),
)  # fmt: skip

#: One second before and after the end of a summer and of a winter day in London.
EDGES = (
    (date(2026, 7, 1), datetime(2026, 7, 1, 23, 0, tzinfo=UTC)),
    (date(2026, 12, 1), datetime(2026, 12, 2, 0, 0, tzinfo=UTC)),
)
SERVICE, PURPOSE = "team", "find-somewhere-to-live"


@dataclass(frozen=True)
class Case:
    """One question to both evaluators."""

    share: Share
    consent: Consent | None
    state: str
    service: Service
    connection: Connection
    now: datetime


def case(seed: int) -> Case:
    """Return the case of a seed: about half of them may go, and each rule decides some."""
    chance = Random(seed)  # the hash of an int is itself: the same cases everywhere
    until, now = _time(chance)
    consent = None if chance.random() < 0.02 else _consent(chance, until, now)
    state = _mostly(chance, "given", ("refused", "withdrawn", "expired", "superseded"), 0.06)
    sections = [_section(chance, index) for index in range(chance.choice((0, 1, 1, 2, 2, 3, 4)))]
    share = Share(
        "R-1",
        Person("P-1"),
        TrustedPerson("tp", "person", "Jo", RoleContact(_mostly(chance, "key worker", ("desk, CB1 2AB",), 0.02))),
        Choice("the GP", nothing_suggests_unsafe=True),
        sections,
        [] if consent is None else [consent],
        at_risk_now=chance.random() < 0.1,
        services=[SERVICE],
        handling=chance.sample(sorted(HandlingLine), chance.choice((0, 1, 2, 3))),
        keep_from=["w-12"] if chance.random() < 0.1 else [],
    )
    return Case(share, consent, state, _service(chance), _connection(chance), now)


def _mostly(chance: Random, usual: Any, others: tuple[Any, ...], rate: float) -> Any:
    return chance.choice(others) if chance.random() < rate else usual


def _time(chance: Random) -> tuple[date, datetime]:
    until, end = chance.choice(EDGES)
    off = _mostly(chance, timedelta(seconds=-1), (timedelta(0), timedelta(seconds=1), timedelta(days=-9)), 0.1)
    return until, end + off


def _consent(chance: Random, until: date, now: datetime) -> Consent:
    able = _mostly(chance, "yes", ("not_sure", "no_best_interests", "no_best_interests"), 0.1)
    best = BestInterests(chance.choice(("social worker", "")), chance.choice(("mca-5", " ")))
    agreed = Agreed(
        on=_mostly(chance, until - timedelta(days=90), (until, until + timedelta(days=1), now.date()), 0.1),
        how=chance.choice(("spoken", "written", "signed")),
        able_to_decide=able,
        duties_explained=chance.random() > 0.03,
        notice="v3",
        by=chance.choice(("person", "young_person", "parent_or_carer", "both")),
        young_person_refused=chance.random() < 0.03,
        best_interests=_mostly(chance, None, (best, BestInterests("social worker", "mca-5")), 0.5),
    )
    categories = chance.sample(sorted(Category), chance.choice((0, 9, 14, 18, 18)))
    ticked = {
        each: chance.choice(("she asked for it", "they need it", "", "  "))
        for each in (Category.ABOUT_SOMEONE_ELSE, Category.OFFENDING, Category.HOUSING)
        if chance.random() < 0.7
    }
    purpose = _mostly(chance, PURPOSE, ("start-treatment", ""), 0.04)
    answer = _mostly(chance, "yes", ("no",), 0.03)
    return Consent(
        *("c-1", SERVICE, categories, purpose, agreed, until, []),
        location_ok=chance.random() < 0.35,
        answer=answer,
        ticked=ticked,
    )


def _service(chance: Random) -> Service:
    basis = LawfulBasis("6e", "9h", _mostly(chance, "10-dpa-1", ("",), 0.3))
    agreement = Agreement(
        *("a-1", date(2026, 1, 5), "dpia-1", LawfulBasis("6e", "9h"), basis),
        duties=_mostly(chance, "They must tell the court.", ("",), 0.3),
        children=chance.random() < 0.2,
        strict=chance.random() < 0.3,
    )
    kept = _mostly(chance, agreement, (None,), 0.01)
    purposes = _mostly(chance, (PURPOSE, "keep-my-tenancy"), ((),), 0.01)
    return Service(SERVICE, "Team", "city", "line", "https://team.example", purposes, agreement=kept)


def _connection(chance: Random) -> Connection:
    return Connection(
        *("line", "plugin", "connector", "mapping@1"),
        accepts=frozenset(chance.sample(sorted(Category), chance.choice((12, 18, 18)))),
        handling_lines=frozenset(chance.sample(sorted(HandlingLine), chance.choice((0, 2, 3, 3)))),
        keeps_from=chance.random() < 0.5,
        notifies_person=chance.random() < 0.15,
    )


def _section(chance: Random, index: int) -> Section:
    often = (*[Category.CONTACT] * 2, *[Category.OFFENDING] * 5, Category.IDENTITY, Category.DOMESTIC_ABUSE)
    category = _mostly(chance, chance.choice((*Category, *often)), (None,), 0.08)
    placed = chance.random() < 0.12
    text = chance.choice(UNMISTAKABLE + HINTS) if placed else chance.choice(INNOCENT)
    if category is Category.OFFENDING and chance.random() < 0.6:
        text = chance.choice((*NEVER_OFFENDING, *ODD_OFFENDING, *HELPING, *HELPING, *HELPING))
    by = _mostly(chance, "Sam", ("Jo at 12 Mill Road", "Ann, ring 07700 900123", "the head of Oak School"), 0.04)
    said = _mostly(chance, Said(by, "heard_directly", date(2026, 1, 2)), (None,), 0.3)
    return Section(f"s{index}", category, _fields(chance, category), text, said, words_checked=chance.random() < 0.6)


def _fields(chance: Random, category: Category | None) -> dict[str, Value]:
    names: list[str] = []
    if category is Category.CONTACT:
        names = chance.sample(STATEMENTS, chance.randint(0, 5)) + chance.sample(NOTES, chance.choice((0, 0, 1, 2)))
        names += chance.sample(POINTS, chance.choice((0, 1, 2)))
    elif category is Category.OFFENDING:
        names = chance.sample(OFFENDING, chance.randint(0, 3))
    else:
        names = chance.sample(NEUTRAL, chance.choice((0, 1, 2)))
        names += chance.sample((*POINTS, *STATEMENTS), 2) if chance.random() < 0.1 else []
    names += [chance.choice(PLACES)] if chance.random() < 0.2 else []
    chance.shuffle(names)
    return {name: _value(chance, name) for name in dict.fromkeys(names)}


def _value(chance: Random, name: str) -> Value:
    if name in STATEMENTS:
        return chance.choice(("yes", "yes", "yes", "no", "unknown", True, False, "", "yes, but not at night"))
    if name in POINTS:
        usual = "sam@example.org" if "email" in name else "07700 900123"
        return _mostly(chance, usual, ("CB1 2AB", True, ["07700 900123", "01632 960123"], "12 Mill Road"), 0.15)
    if name in NOTES:
        return _mostly(
            chance, "after six", ("when I am at St Mary's School", "at CB1 2AB", "ring 07700 900123", ["my ex"]), 0.15
        )
    if chance.random() < 0.06:
        return chance.choice((*UNMISTAKABLE, *HINTS, *NEVER_OFFENDING, *ODD_OFFENDING))
    return chance.choice(VALUES)
