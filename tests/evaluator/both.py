"""Ask the hub and the second evaluator the same question, and say where they differ."""

from __future__ import annotations

from dataclasses import replace

from hub.domain.clock import WindowSet
from hub.domain.consent import EXPIRED, REFUSED, SUPERSEDED, WITHDRAWN, ConsentState, permits, standing
from hub.domain.minimise import minimise
from hub.domain.route import Champion, Directory, Partner
from hub.domain.share import Category
from hub.services.decide import Sender, decide
from tests.evaluator.cases import Case
from tests.evaluator.second import STATEMENTS, Evaluation, agreement_problems, consent_problems, divide, evaluate

_CHAMPION = Champion("ch", "Robin", "robin@example.org", "city")
_PARTNERS = {each: Partner(each, each, "charity", _CHAMPION) for each in ("city", "day-centre")}
_SENDER = Sender(_PARTNERS["day-centre"], "cases", "w-1")
_ENDED = {"withdrawn": WITHDRAWN, "expired": EXPIRED, "superseded": SUPERSEDED, "refused": REFUSED}


def hubs(case: Case) -> Evaluation:
    """Return what the hub decides of a case, in the second evaluator's words."""
    directory = Directory(
        "here",
        "digest",
        _PARTNERS,
        {case.service.id: case.service},
        {case.connection.id: case.connection},
        WindowSet(),
        _CHAMPION,
    )
    ended = {case.service.id: _ENDED[case.state]} if case.state in _ENDED else {}
    (verdict,) = decide(case.share, _SENDER, directory, case.now, ended)
    if verdict.refusals or verdict.view is None:
        return Evaluation(may_go=False, why_not=tuple(each.type for each in verdict.refusals))
    seen = tuple((section.id, dict(section.fields), section.text) for section in verdict.view.sections)
    return Evaluation(True, seen, frozenset(each.pointer for each in verdict.view.withheld))


def differences(case: Case) -> list[str]:
    """Return each kind of difference between the two on a case, in words; none where they agree."""
    first = hubs(case)
    second = evaluate(case.share, case.consent, case.state, case.service, case.connection, case.now)
    found = []
    if first.may_go != second.may_go:
        found.append(f"may go: hub {first.may_go} {first.why_not}, second {second.may_go} {second.why_not}")
    if first.may_go and second.may_go:
        found += _unlike(first, second)
    return found + _in_parts(case) + _at_claim(case)


def _in_parts(case: Case) -> list[str]:
    """The same of what would be seen if nothing else stood in the way, so that a refusal hides no difference."""
    consent, agreement = case.consent, case.service.agreement
    if consent is None or agreement is None:
        return []
    view = minimise(case.share, consent, case.service, case.connection)
    seen = tuple((section.id, dict(section.fields), section.text) for section in view.sections)
    first = Evaluation(True, seen, frozenset(each.pointer for each in view.withheld))
    parts, withheld = divide(case.share, consent, agreement, case.connection)
    return _unlike(first, Evaluation(True, tuple(parts), frozenset(withheld))) + _too_early(case, first)


def _unlike(first: Evaluation, second: Evaluation) -> list[str]:
    """How what is seen, and what is named as withheld, differ."""
    found = ["what is seen"] if first.seen != second.seen else []
    found += [f"withheld by the hub alone: {each}" for each in sorted(first.withheld - second.withheld)]
    return found + [f"withheld by the second alone: {each}" for each in sorted(second.withheld - first.withheld)]


def _too_early(case: Case, view: Evaluation) -> list[str]:
    """The ways to make contact that the hub shows before something said about them (R65)."""
    about = {each.id for each in case.share.sections if each.category is Category.CONTACT}
    found = []
    for identifier, fields, _ in view.seen:
        names = list(fields) if identifier in about else []
        last = max((names.index(each) for each in STATEMENTS if each in names), default=0)
        found += [f"shown too early: {each}" for each in names[:last] if each not in STATEMENTS]
    return found


def _at_claim(case: Case) -> list[str]:
    """The same question about the consent alone, as it is asked once more before each send."""
    if case.consent is None or case.service.agreement is None:
        return []
    stands = standing(case.consent)
    if case.state != "given":
        stands = replace(stands, state=ConsentState(case.state))
    agreement = case.service.agreement
    hub = not permits(stands, purposes=case.service.purposes, now=case.now, children=agreement.children)
    problems = consent_problems(case.consent, case.state, case.service, case.now) + agreement_problems(
        case.consent, agreement
    )
    second = not problems and bool(case.consent.categories)
    return [f"consent alone: hub {hub}, second {problems}"] if hub != second else []
