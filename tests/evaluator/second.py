"""The second evaluator: what one service may see of a share now, written from the requirements' texts alone.

It shares no rule with the hub. It is slow and plain on purpose: one function a requirement, no cleverness. Where a text
leaves something open it takes the safer reading (nothing goes), or the one in the table of `hub.domain.minimise`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.domain.route import Agreement, Connection, Service
from hub.domain.share import Category, Consent, Section, Share, Value
from tests.evaluator.places import (
    has_place,
    looks_placed,
    names_a_phone,
    names_a_place,
    names_another_point,
    names_mail,
    names_texts_only,
    pinpoints,
)

#: What R65 lists, and what else is said of contact but is no way to make it: it travels, and is shown first.
STATEMENTS = (
    *("safe_to_call", "leave_message", "text_ok", "post_ok", "email_ok"),
    *("times", "not_safe_to_talk_to", "code_phrase", "preferred_language", "interpreter"),
)

#: The details of offending that may be told, and the words that R72 keeps out.
OF_OFFENDING = {
    *("order_type", "order_ends", "appointment", "supervising_office", "licence_conditions_that_affect_help"),
}
NEVER_OF_OFFENDING = ("mappa", "allegation", "alleged", "spent conviction", "victim")
#: What somebody who reads for R72 would stop at: what they may have done, long ago, to whom, how closely watched.
WOULD_STOP_A_READER = (
    *("suspected", "charged", "arrested", "not guilty", "denies", "convicted", "previous offences", "years ago"),
    *("complainant", "witness", "hurt her", "attacked a", "no contact", "stay away", "his ex-partner"),
    *("level 2", "category 1", "public protection", "register"),
)

#: What a section about abuse is labelled (R66): domestic abuse, and safety, which is where abuse by others is told.
ABOUT_ABUSE = {Category.DOMESTIC_ABUSE, Category.SAFETY}

Seen = tuple[str, dict[str, Value], str]


@dataclass(frozen=True)
class Evaluation:
    """What may go: whether anything does, what is seen, in order, and what is named as withheld."""

    may_go: bool
    seen: tuple[Seen, ...] = ()
    withheld: frozenset[str] = frozenset()
    why_not: tuple[str, ...] = ()


def evaluate(
    share: Share, consent: Consent | None, state: str, service: Service, connection: Connection, now: datetime
) -> Evaluation:
    """Return what the service may see of the share at an instant (aware); `state` is the consent's, as R12 means it."""
    problems = consent_problems(consent, state, service, now)
    agreement = service.agreement
    if agreement is None:
        problems.append("R14: no agreement")
    if consent is None or agreement is None:
        return Evaluation(may_go=False, why_not=tuple(problems))
    problems += agreement_problems(consent, agreement)
    problems += share_problems(share, agreement, connection)
    seen, withheld = divide(share, consent, agreement, connection)
    problems += words_problems(share, seen, consent)
    problems += offending_problems(share, consent, agreement, connection)
    if not seen:
        problems.append("nothing is left to send")
    if problems:
        return Evaluation(may_go=False, why_not=tuple(problems))
    return Evaluation(True, tuple(seen), frozenset(withheld))


def consent_problems(consent: Consent | None, state: str, service: Service, now: datetime) -> list[str]:
    """R12: absent, expired, withdrawn, refused, for another service or purpose, or not decided by who could."""
    if consent is None:
        return ["R12: absent"]
    found = []
    today = now.astimezone(ZoneInfo("Europe/London")).date()
    if state != "given":
        found.append("R12: not given, or no longer")
    if consent.answer != "yes":
        found.append("R12: they said no")
    if consent.service != service.id:
        found.append("R12: for another service")
    if consent.purpose not in service.purposes:
        found.append("R12: for another purpose")
    if today > consent.until:
        found.append("R12: expired")
    if consent.agreed.on > today:
        found.append("R12: agreed on a day that has not come")
    if consent.agreed.able_to_decide == "not_sure":
        found.append("R12: not sure that they could decide")
    if consent.agreed.able_to_decide == "no_best_interests":
        best = consent.agreed.best_interests
        if best is None or not best.role.strip() or not best.basis.strip():
            found.append("R12: nobody named who decided in their best interests, or no basis")
    return found


def agreement_problems(consent: Consent, agreement: Agreement) -> list[str]:
    """R22 and R68: who agreed, on a children's route; a young person's no; duties explained before agreeing."""
    found = []
    if agreement.children and consent.agreed.by not in {"young_person", "parent_or_carer", "both"}:
        found.append("R22: who agreed is missing")
    if consent.agreed.young_person_refused:
        found.append("R22: the young person said no")
    if not consent.agreed.duties_explained:
        found.append("R68: what they may have to do was not explained")
    return found


def share_problems(share: Share, agreement: Agreement, connection: Connection) -> list[str]:
    """R17 in strict mode, and TH02: a list of workers to keep it from that the connection cannot carry."""
    found = []
    if agreement.strict and any(section.category is None for section in share.sections):
        found.append("R17: something is not labelled")
    if share.keep_from and not connection.keeps_from:
        found.append("TH02: the connection cannot keep it from them")
    return found


def words_problems(share: Share, seen: list[Seen], consent: Consent) -> list[str]:
    """R18 and R62: words that look placed and that nobody checked; words that pinpoint, whoever checked them."""
    found = []
    if pinpoints(share.trusted_person.contact.role) and not consent.location_ok:
        found.append("R62: the trusted person's role tells where they are")
    going = {identifier: (fields, text) for identifier, fields, text in seen}
    for section in share.sections:
        if section.id not in going:
            continue
        fields, text = going[section.id]
        words = [text, *words_of_fields(fields, section)]
        if section.said is not None:
            words.append(section.said.by)
        if any(looks_placed(each) for each in words) and not section.words_checked:
            found.append("R18: check the words")
        if any(pinpoints(each) for each in words) and not consent.location_ok:
            found.append("R62: the words tell where they are")
    return found


def offending_problems(share: Share, consent: Consent, agreement: Agreement, connection: Connection) -> list[str]:
    """R72, asked as R18 asks: words about offending that a reader would stop at, and that nobody marked as checked."""
    found = []
    for section in share.sections:
        goes = section_may_go(section, share, consent, agreement, connection)
        if section.category is not Category.OFFENDING or not goes or section.words_checked:
            continue
        told = [section.text]
        for name in OF_OFFENDING & set(section.fields):
            told += texts(section.fields[name])
        stops = [word for each in told for word in (*NEVER_OF_OFFENDING, *WOULD_STOP_A_READER) if word in each.lower()]
        found += ["R72: look at it again"] if stops else []
    return found


def words_of_fields(fields: dict[str, Value], section: Section) -> list[str]:
    """What people wrote in fields: what is said about safe contact, and any value of four words or more.

    The number in a way to make contact is none of the words; what stands beside it is.
    """
    found = []
    for name, value in fields.items():
        for each in texts(value):
            about_contact = section.category is Category.CONTACT
            words = without_numbers(each) if about_contact and name not in STATEMENTS else each
            if (about_contact and name in STATEMENTS) or len(words.split()) >= 4:
                found.append(words)
    return found


def without_numbers(words: str) -> str:
    """The words with every telephone number taken out."""
    return re.sub(r"[+(]?[0-9][0-9 ().-]{5,}", " ", words)


def divide(
    share: Share, consent: Consent, agreement: Agreement, connection: Connection
) -> tuple[list[Seen], list[str]]:
    """Part what is seen from what is withheld, section by section, then field by field."""
    seen: list[Seen] = []
    withheld: list[str] = []
    for index, section in enumerate(share.sections):
        pointer = f"/sections/{index}"
        if not section_may_go(section, share, consent, agreement, connection):
            if section.category is None or section.fields or section.text:
                withheld.append(pointer)
            continue
        fields: dict[str, Value] = {}
        for name, value in section.fields.items():
            if field_may_go(name, value, section, consent, connection):
                fields[name] = value
            else:
                withheld.append(f"{pointer}/fields/{name.replace('~', '~0').replace('/', '~1')}")
        text = section.text
        if text and section.category is Category.OFFENDING and not (section.words_checked and may_be_told(text)):
            withheld.append(f"{pointer}/text")
            text = ""
        if fields or text:
            seen.append((section.id, fields, text))
    return seen, withheld


def section_may_go(
    section: Section, share: Share, consent: Consent, agreement: Agreement, connection: Connection
) -> bool:
    """R13, R17, R62, R66, R67, R72: whether a section goes at all."""
    category = section.category
    if category is None:  # R17
        return False
    if category not in consent.categories or category not in connection.accepts:  # R13
        return False
    if category is Category.LOCATION and not consent.location_ok:  # R62
        return False
    if category in ABOUT_ABUSE and not set(share.handling) <= connection.handling_lines:  # R66
        return False
    if category in {Category.ABOUT_SOMEONE_ELSE, Category.OFFENDING} and not consent.ticked.get(category, "").strip():
        return False  # R67, R72
    return not (category is Category.OFFENDING and not agreement.receiver.article_10.strip())  # R72


def field_may_go(name: str, value: Value, section: Section, consent: Consent, connection: Connection) -> bool:
    """R62, R65, R72: whether a field of a section that goes does go with it."""
    told = name in OF_OFFENDING and all(may_be_told(each) for each in texts(value))
    if section.category is Category.OFFENDING and not told:
        return False
    if section.category is Category.CONTACT:
        return name in STATEMENTS or contact_point_may_go(name, value, section, consent, connection)
    reaches = name not in STATEMENTS and (names_a_phone(name) or names_another_point(name))
    if reaches and not isinstance(value, bool):
        return False  # R65: a contact point that nothing here says is safe: through the trusted person only
    if consent.location_ok:
        return True
    return not names_a_place(name) and not any(pinpoints(each) for each in texts(value))


def may_be_told(words: str) -> bool:
    """R72: whether words about offending hold no allegation, spent conviction, victim or MAPPA."""
    return not any(never in words.lower() for never in NEVER_OF_OFFENDING)


def texts(value: Value) -> list[str]:
    """What of a field's value can be read."""
    if isinstance(value, str):
        return [value]
    return list(value) if isinstance(value, list) else []


def contact_point_may_go(name: str, value: Value, section: Section, consent: Consent, connection: Connection) -> bool:
    """R65: a contact point goes only with what is safe about it, said outright, and to whoever will not use it alone.

    A number to ring or text needs call, message and text all known and one of call and text to be yes; an address
    needs the post to be safe, and the place to be agreed (R62). Any other point has no statement: unknown.
    """
    if connection.notifies_person:
        return False
    said = {each: known(section.fields.get(each)) for each in STATEMENTS}
    of_numbers = (said["safe_to_call"], said["leave_message"], said["text_ok"])
    placed = any(has_place(each) for each in texts(value))
    if names_mail(name):
        return said["email_ok"] is True and (consent.location_ok or not placed)
    if names_texts_only(name):
        return None not in of_numbers and said["text_ok"] is True and (consent.location_ok or not placed)
    if names_a_phone(name):
        usable = said["safe_to_call"] is True or said["text_ok"] is True
        return None not in of_numbers and usable and (consent.location_ok or not placed)
    if names_a_place(name):
        return said["post_ok"] is True and consent.location_ok
    return False


def known(value: Value | None) -> bool | None:
    """What a statement says: a plain yes, a plain no, or nothing that can be relied on."""
    if value is True or value == "yes":
        return True
    return False if value is False or value == "no" else None
