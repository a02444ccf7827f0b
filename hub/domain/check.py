"""What is wrong with a share that its types cannot say: lengths, characters, doubles and dates, all at once (R12)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta

from hub.domain.calendar import london_date
from hub.domain.errors import Fault
from hub.domain.share import Consent, Override, Section, Share, Value

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,99}")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")
#: C0, DEL, C1 and lone surrogates; in prose a tab, a line feed and a carriage return are ordinary.
_BAD_IN_LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_BAD_IN_PROSE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")

#: A consent is renewed with the person, not given for ever (R12).
YEARS = 10
SECTIONS, CONSENTS, SERVICES, FIELDS, LISTED = 50, 20, 20, 60, 50  #: how many of each
NAME, FIELD_TEXT, TEXT = 200, 2_000, 20_000  #: how long, in code points
#: Whole numbers that every JSON reader keeps exactly.
_LARGEST_NUMBER = 2**53 - 1

_BAD_REFERENCE = "must be 1 to 100 letters, digits or . _ : / - and begin with a letter or a digit"
_BAD_FIELD_NAME = "every field name must be 1 to 61 lower case letters, digits or _ and begin with a letter"
_BAD_CHARACTERS = "must not hold control characters or half characters"


def faults(share: Share, now: datetime | None = None) -> tuple[Fault, ...]:
    """Return everything wrong with `share`, in document order; pointers are RFC 6901, values are never echoed.

    With `now`, also what was said later than tomorrow. A service addressed without consent is no fault: it is refused
    later, by itself (R12).
    """
    tomorrow = london_date(now) + timedelta(days=1) if now else date.max
    found = (
        reference_fault("/reference", share.reference),
        reference_fault("/person/reference", share.person.reference),
        _trusted_person(share),
        line("/choice/discussed_with", share.choice.discussed_with),
        _sections(share.sections, tomorrow),
        _consents(share.consents),
        _services(share.services or ()),
        _care(share),
        _override(share.override),
    )
    # A name that breaks its rule is pointed at by its container, so that several make one fault.
    return tuple(dict.fromkeys(fault for part in found for fault in part))


def later(sections: Sequence[Section], names: Sequence[tuple[str, str]], now: datetime) -> Iterator[Fault]:
    """Find what is wrong with what follows a share: its sections, and the references in it by their places."""
    yield from _sections(sections, london_date(now) + timedelta(days=1))
    for at, name in names:
        yield from reference_fault(at, name)


def _trusted_person(share: Share) -> Iterator[Fault]:
    one, at = share.trusted_person, "/trusted_person"
    yield from reference_fault(f"{at}/reference", one.reference)
    yield from line(f"{at}/name", one.name, required=True)
    yield from line(f"{at}/contact/role", one.contact.role, required=True)
    yield from line(f"{at}/contact/email", one.contact.email)
    yield from line(f"{at}/contact/phone", one.contact.phone)
    yield from at_most(f"{at}/can_see", one.can_see, LISTED)
    for index, group in enumerate(one.can_see[:LISTED]):
        yield from line(f"{at}/can_see/{index}", group, required=True)


def _sections(sections: Sequence[Section], tomorrow: date) -> Iterator[Fault]:
    yield from at_most("/sections", sections, SECTIONS)
    yield from _twice("/sections", "id", [section.id for section in sections[:SECTIONS]])
    for index, section in enumerate(sections[:SECTIONS]):
        at = f"/sections/{index}"
        yield from reference_fault(f"{at}/id", section.id)
        yield from _values(f"{at}/fields", section.fields)
        yield from prose(f"{at}/text", section.text, TEXT)
        if section.said is not None:
            yield from line(f"{at}/said/by", section.said.by, required=True)
            if section.said.on > tomorrow:
                yield Fault(f"{at}/said/on", "must not be in the future")


def _care(share: Share) -> Iterator[Fault]:
    """What is said of how to keep the share safe, and of the person's plan (R20, R66)."""
    yield from at_most("/handling", share.handling, LISTED)
    yield from at_most("/keep_from", share.keep_from, LISTED)
    for index, worker in enumerate(share.keep_from[:LISTED]):
        yield from line(f"/keep_from/{index}", worker, required=True)
    if share.plan is not None:
        yield from reference_fault("/plan/reference", share.plan.reference)
        yield from reference_fault("/plan/version", share.plan.version)


def _consents(consents: Sequence[Consent]) -> Iterator[Fault]:
    yield from at_most("/consents", consents, CONSENTS)
    yield from _twice("/consents", "reference", [consent.reference for consent in consents[:CONSENTS]])
    yield from _twice("/consents", "service", [consent.service for consent in consents[:CONSENTS]])
    for index, consent in enumerate(consents[:CONSENTS]):
        at = f"/consents/{index}"
        yield from reference_fault(f"{at}/reference", consent.reference)
        yield from reference_fault(f"{at}/service", consent.service)
        yield from at_most(f"{at}/categories", consent.categories, LISTED)
        yield from reference_fault(f"{at}/purpose", consent.purpose)
        for category, reason in consent.ticked.items():
            yield from line(f"{at}/ticked/{category}", reason)
        yield from reference_fault(f"{at}/agreed/notice", consent.agreed.notice)
        if consent.replaces is not None:
            yield from reference_fault(f"{at}/replaces", consent.replaces)
            if consent.replaces == consent.reference:
                yield Fault(f"{at}/replaces", "must not be its own reference")
            if consent.answer == "no":
                # Whoever has it must be asked to stop using it, and a no sends nothing.
                yield Fault(f"{at}/replaces", "must not stand beside a no: withdraw the earlier one")
        if (decided := consent.agreed.best_interests) is not None:
            yield from line(f"{at}/agreed/best_interests/role", decided.role, required=True)
            yield from reference_fault(f"{at}/agreed/best_interests/basis", decided.basis)
        if consent.until < consent.agreed.on:
            yield Fault(f"{at}/until", "must not be before the day they agreed")
        if _years_between(consent.agreed.on, consent.until) > YEARS:
            yield Fault(f"{at}/until", f"must be at most {YEARS} years after the day they agreed")
        yield from at_most(f"{at}/returns", consent.returns, LISTED)
        yield from _values(f"{at}/facts", consent.facts)


def _years_between(start: date, end: date) -> int:
    """Return the years from `start` to `end`, one that has begun as a whole one."""
    return end.year - start.year + ((end.month, end.day) > (start.month, start.day))


def _services(services: Sequence[str]) -> Iterator[Fault]:
    yield from at_most("/services", services, SERVICES)
    for index, service in enumerate(services[:SERVICES]):
        yield from reference_fault(f"/services/{index}", service)


def _override(asked: Override | None) -> Iterator[Fault]:
    if asked is not None:
        yield from reference_fault("/override/basis", asked.basis)
        yield from at_most("/override/categories", asked.categories, LISTED)


def _values(at: str, values: dict[str, Value]) -> Iterator[Fault]:
    yield from at_most(at, values, FIELDS)
    for name in list(values)[:FIELDS]:
        if _FIELD_NAME.fullmatch(name) is None:
            # The name itself may be someone's: it is not echoed.
            yield Fault(at, _BAD_FIELD_NAME)
        else:
            yield from _value(f"{at}/{name}", values[name])


def _value(at: str, value: Value) -> Iterator[Fault]:
    if isinstance(value, str):
        yield from prose(at, value, FIELD_TEXT)
    elif isinstance(value, list):
        yield from at_most(at, value, LISTED)
        for index, item in enumerate(value[:LISTED]):
            yield from prose(f"{at}/{index}", item, FIELD_TEXT)
    elif abs(value) > _LARGEST_NUMBER:
        yield Fault(at, "must be a whole number between -9007199254740991 and 9007199254740991")


def reference_fault(at: str, text: str) -> Iterator[Fault]:
    """Find what is wrong with a reference or code, pointing `at` it."""
    if _REFERENCE.fullmatch(text) is None:
        yield Fault(at, _BAD_REFERENCE)


def line(at: str, text: str, *, required: bool = False) -> Iterator[Fault]:
    """Find what is wrong with a name or other single line, pointing `at` it."""
    if required and not text.strip():
        yield Fault(at, "must not be empty")
    if len(text) > NAME:
        yield Fault(at, f"must be at most {NAME} characters")
    if _BAD_IN_LINE.search(text):
        yield Fault(at, f"{_BAD_CHARACTERS}, and be one line")


def prose(at: str, text: str, longest: int) -> Iterator[Fault]:
    """Find what is wrong with words of at most `longest` code points, pointing `at` them."""
    if len(text) > longest:
        yield Fault(at, f"must be at most {longest} characters")
    if _BAD_IN_PROSE.search(text):
        yield Fault(at, _BAD_CHARACTERS)


def at_most(at: str, things: Sequence[object] | dict[str, Value], most: int) -> Iterator[Fault]:
    """Find whether there are too many of something, pointing `at` them."""
    if len(things) > most:
        yield Fault(at, f"must hold at most {most}")


def _twice(at: str, name: str, texts: Iterable[str]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, text in enumerate(texts):
        if text in seen:
            yield Fault(f"{at}/{index}/{name}", "must not be used twice in one share")
        seen.add(text)
