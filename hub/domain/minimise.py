"""Cut a share down to what one service may see, word for word, and say by pointer what was held back (R13, R17).

`minimise` is a pure function of the share, the consent, the service and its connection. Readings, where a text leaves
a choice:

| text | read as |
|---|---|
| R17 | a section without a category is named even when it is empty; one with a category and nothing in it is dropped |
| R17 | strict: one refusal for each unlabelled section |
| R18 | words are `text`, `said.by`, and fields of four words or more, in the sections that would go |
| R18 | `check-words` is for words that look so and that nobody marked as checked, whatever the service may know |
| R62 | words with an address, postcode, map value or number are refused `place-in-words`, checked or not, unless |
| | `location_ok`: we never edit words |
| R62 | an address is a house's number and a road, with capital letters; the rest are hints |
| R62 | a field named like a place, or of which a value holds any of those, is withheld unless `location_ok` |
| R62 | the trusted person's role contact is no worker's base (R11, R63); a place's name is: its role stands for it, |
| | and a role that holds any of those is refused |
| R62 | a telephone or e-mail address is judged as a way to make contact (R65), and only in a contact section |
| R65 | in any other section nothing is said of it: it is withheld |
| R65 | a telephone goes where calling or texting is safe, once calling, messages and texts are each said yes or no |
| R65 | an address goes where `location_ok` and in a contact section with `post_ok`, an e-mail address with `email_ok` |
| R65 | in a contact section any field that is no statement is a way to make contact; an unknown one has no statement |
| R65 | a no without a yes is a no, anything else is unknown; only `yes` and true are a yes |
| R66 | sections about abuse are `domestic_abuse` and `safety`; a connection must carry every line that the share has |
| R67, R72 | ticked by itself is: among the categories, and ticked with a reason; the reason stays here |
| R72 | an offending section holds a few fields (`hub.domain.offending`), and words only once they are checked |
| R72 | words and values that name an allegation, a spent conviction, a victim or MAPPA are withheld, checked or not |
| R72 | those that only look so, in a section that nobody marked as checked, are refused `check-offending`, as in R18 |
| TH02 | `keep_from` that cannot be carried refuses the service, whatever it would see |
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from hub.domain.contact import Safety, is_statement, safety, statements_first, way
from hub.domain.errors import Refusal
from hub.domain.hints import hints
from hub.domain.offending import OFFENDING_FIELDS, look_again, not_for_sharing
from hub.domain.pinpoints import maps, pinpoints
from hub.domain.places import says_where
from hub.domain.route import Connection, Service
from hub.domain.share import Category, Section, Share, Value


class Why(StrEnum):
    """Why a part of the story stays behind; the plain words for each are in `hub.domain.wording`."""

    UNLABELLED = "unlabelled"  #: no category says what it is about (R17)
    NOT_AGREED = "not_agreed"  #: the person did not agree that this service sees this category (R13)
    NOT_FOR_SERVICE = "not_for_service"  #: the service's agreement does not let it receive this category
    LOCATION_PRIVATE = "location_private"  #: where they are goes only where `location_ok` says so (R62)
    TICK_BY_ITSELF = "tick_by_itself"  #: someone else's story, or offending, is ticked by itself or stays (R67, R72)
    NO_ARTICLE_10 = "no_article_10"  #: the agreement names no Article 10 condition for the receiver (R72)
    NOT_FOR_SHARING = "not_for_sharing"  #: no detail of offending but the few that help to help (R72)
    WORDS_NOT_CHECKED = "words_not_checked"  #: words about offending go only once somebody read them (R72)
    SAFE_CONTACT_UNKNOWN = "safe_contact_unknown"  #: nobody said that this way to make contact is safe (R65)
    NOT_SAFE = "not_safe"  #: this way to make contact is not safe (R65)
    NOTIFIES_PERSON = "notifies_person"  #: the partner's system writes to the person by itself (R65)
    HANDLING_NOT_CARRIED = "handling_not_carried"  #: how to keep it safe cannot be told with it (R66)


class Allowed(Protocol):
    """What one service may see: a consent says so, or what an override policy lets go without one (R23)."""

    @property
    def categories(self) -> Collection[Category]: ...
    @property
    def location_ok(self) -> bool: ...
    @property
    def ticked(self) -> Mapping[Category, str]: ...


@dataclass(frozen=True, slots=True)
class Withheld:
    """One part held back: an RFC 6901 pointer into the share, and why; never the part itself."""

    pointer: str
    why: Why


@dataclass(frozen=True, slots=True)
class View:
    """What one service sees, in the order it was told, what it does not, and why it may get nothing at all."""

    sections: tuple[Section, ...]
    withheld: tuple[Withheld, ...] = ()
    refusals: tuple[Refusal, ...] = ()


UNLABELLED = Refusal(
    "unlabelled",
    "Part of this has no label. This service takes only what is labelled.",
    "Ask your IT team to label this part in your system. Then send it again.",
)
CHECK_WORDS = Refusal(
    "check-words",
    "These words may show where they are.",
    "Read them as if the person who hurt them could see them. Take out any place, school or phone number. "
    "Then mark the words as checked and send it again.",
)
PLACE_IN_WORDS = Refusal(
    "place-in-words",
    "These words hold an address, a postcode, a place on a map or a phone number.",
    "Take it out. Or ask the person if this service may know where they are. Then send it again.",
)
CHECK_OFFENDING = Refusal(
    "check-offending",
    "These words may tell of a claim, an old conviction, someone who was hurt, or MAPPA.",
    "Read them again. Take out all of that: say only what helps this service to help. "
    "Then mark the words as checked and send it again.",
)
KEEP_FROM_NOT_CARRIED = Refusal(
    "keep-from-not-carried",
    "This service's system cannot keep this from the workers you named.",
    "Ring your champion. They can look for a safe way to reach this service.",
    pointer="/keep_from",
)
#: Every refusal this module can give: the plain-words test reads it.
REFUSALS = (UNLABELLED, CHECK_WORDS, PLACE_IN_WORDS, CHECK_OFFENDING, KEEP_FROM_NOT_CARRIED)

_TICKED_BY_ITSELF = frozenset({Category.ABOUT_SOMEONE_ELSE, Category.OFFENDING})
_ABOUT_ABUSE = frozenset({Category.DOMESTIC_ABUSE, Category.SAFETY})
#: A field of fewer words is a code, a name or an amount.
_WORDS_AT_LEAST = 4
#: What most statements about contact say, and no place is called.
_CODES = ("yes", "no", "unknown")
_NUMBER = re.compile(r"[0-9+(][0-9 ().-]{5,}")


def minimise(share: Share, consent: Allowed, service: Service, connection: Connection) -> View:
    """Return what the consent's service may see of `share` by this connection, and every reason why it may not.

    Words and values go code point for code point, in their order (R18), but for statements about contact, which come
    before every way to make it (R65). Each refusal's pointer is into the share.
    """
    sections: list[Section] = []
    withheld: list[Withheld] = []
    refusals = list(_about_whole(share, consent, service, connection))
    for index, section in enumerate(share.sections):
        at = f"/sections/{index}"
        if (why := _keeps_back(section.category, share, consent, service, connection)) is not None:
            if section.fields or section.text or why is Why.UNLABELLED:
                withheld.append(Withheld(at, why))
            continue
        refusals.extend(_about_offending(section, at))
        gone = tuple(_gone(section, consent, connection))
        withheld.extend(Withheld(f"{at}{name}", why) for name, why in gone)
        kept = _without(section, frozenset(name for name, _ in gone))
        if not kept.fields and not kept.text:
            continue
        refusals.extend(_about_words(kept, at, location_ok=consent.location_ok))
        sections.append(kept)
    return View(tuple(sections), tuple(withheld), tuple(refusals))


def keeps_location_private(share: Share, consent: Allowed) -> bool:
    """Tell whether the trusted person's own name would show where somebody goes, and the role stands for it (R62)."""
    one = share.trusted_person
    return not consent.location_ok and (one.kind == "place" or hints(one.name))


def _about_whole(share: Share, consent: Allowed, service: Service, connection: Connection) -> Iterator[Refusal]:
    if not consent.location_ok and pinpoints(share.trusted_person.contact.role):
        yield replace(PLACE_IN_WORDS, pointer="/trusted_person/contact/role")
    if share.keep_from and not connection.keeps_from:
        yield KEEP_FROM_NOT_CARRIED
    if service.agreement is not None and service.agreement.strict:
        for index, section in enumerate(share.sections):
            if section.category is None:
                yield replace(UNLABELLED, pointer=f"/sections/{index}")


def _keeps_back(  # noqa: PLR0911 - a reason each
    category: Category | None, share: Share, consent: Allowed, service: Service, connection: Connection
) -> Why | None:
    """Return the first reason why a whole section stays behind, or None where it goes."""
    if category is None:
        return Why.UNLABELLED
    if category in _TICKED_BY_ITSELF and not _is_ticked(category, consent):
        return Why.TICK_BY_ITSELF
    if category not in consent.categories:
        return Why.NOT_AGREED
    if category is Category.OFFENDING and not _may_hold_offending(service):
        return Why.NO_ARTICLE_10
    if category not in connection.accepts:
        return Why.NOT_FOR_SERVICE
    if category is Category.LOCATION and not consent.location_ok:
        return Why.LOCATION_PRIVATE
    if category in _ABOUT_ABUSE and not connection.handling_lines.issuperset(share.handling):
        return Why.HANDLING_NOT_CARRIED
    return None


def _may_hold_offending(service: Service) -> bool:
    return service.agreement is not None and bool(service.agreement.receiver.article_10)


def _is_ticked(category: Category, consent: Allowed) -> bool:
    return category in consent.categories and bool(consent.ticked.get(category, "").strip())


def _gone(section: Section, consent: Allowed, connection: Connection) -> Iterator[tuple[str, Why]]:
    """Yield what is taken out of a section that goes, by its pointer inside it, and why."""
    for name, value in section.fields.items():
        if (why := _keeps_field_back(section, name, value, consent, connection)) is not None:
            yield f"/fields/{_escape(name)}", why
    if section.category is Category.OFFENDING and section.text:
        if not_for_sharing(section.text):
            yield "/text", Why.NOT_FOR_SHARING
        elif not section.words_checked:
            yield "/text", Why.WORDS_NOT_CHECKED


def _keeps_field_back(
    section: Section, name: str, value: Value, consent: Allowed, connection: Connection
) -> Why | None:
    in_contact = section.category is Category.CONTACT
    if section.category is Category.OFFENDING and _no_help(name, value):
        return Why.NOT_FOR_SHARING
    if in_contact and is_statement(name):
        return None
    asked = way(name, in_contact=in_contact)
    if not consent.location_ok and (says_where(name) or any(map(maps if asked else pinpoints, _texts(value)))):
        return Why.LOCATION_PRIVATE
    if asked is None or (isinstance(value, bool) and not in_contact):
        return None
    if connection.notifies_person:
        return Why.NOTIFIES_PERSON
    return _UNSAFE[safety(section.fields, asked)]


def _no_help(name: str, value: Value) -> bool:
    return name not in OFFENDING_FIELDS or any(map(not_for_sharing, _texts(value)))


def _about_offending(section: Section, at: str) -> Iterator[Refusal]:
    """Yield a refusal for each part about offending that nobody checked and that looks as if it told too much (R72)."""
    if section.category is not Category.OFFENDING or section.words_checked:
        return
    parts = [(f"/fields/{_escape(name)}", section.fields[name]) for name in section.fields if name in OFFENDING_FIELDS]
    for pointer, value in (*parts, ("/text", section.text)):
        if any(map(look_again, _texts(value))):
            yield replace(CHECK_OFFENDING, pointer=f"{at}{pointer}")


_UNSAFE = {Safety.YES: None, Safety.NO: Why.NOT_SAFE, Safety.UNKNOWN: Why.SAFE_CONTACT_UNKNOWN}


def _about_words(section: Section, at: str, *, location_ok: bool) -> Iterator[Refusal]:
    """Yield a refusal for each of a section's words that nobody checked (R18), or that show the place (R62)."""
    for pointer, text in _words(section):
        if not section.words_checked and hints(text):
            yield replace(CHECK_WORDS, pointer=f"{at}{pointer}")
        if not location_ok and pinpoints(text):
            yield replace(PLACE_IN_WORDS, pointer=f"{at}{pointer}")


def _words(section: Section) -> Iterator[tuple[str, str]]:
    """Yield what of a section is words, each with its pointer inside it; a number to ring is none."""
    in_contact = section.category is Category.CONTACT
    for name, value in section.fields.items():
        if isinstance(value, (bool, int)) or value in _CODES:
            continue
        said = in_contact and is_statement(name)
        rings = way(name, in_contact=in_contact) is not None
        for text in _texts(value):
            words = _NUMBER.sub(" ", text) if rings else text
            if said or len(words.split(None, _WORDS_AT_LEAST - 1)) == _WORDS_AT_LEAST:
                yield f"/fields/{_escape(name)}", words
    if section.text:
        yield "/text", section.text
    if section.said is not None:
        yield "/said/by", section.said.by


def _texts(value: Value) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else ()


def _without(section: Section, gone: frozenset[str]) -> Section:
    """Return a section without the parts that `gone` points at, and with what is safe before any contact (R65)."""
    if not gone and section.category is not Category.CONTACT:
        return section
    fields = {name: value for name, value in section.fields.items() if f"/fields/{_escape(name)}" not in gone}
    if section.category is Category.CONTACT:
        fields = statements_first(fields)
    return replace(section, fields=fields, text="" if "/text" in gone else section.text)


def _escape(token: str) -> str:
    return token.replace("~", "~0").replace("/", "~1")
