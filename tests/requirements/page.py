"""The proof page: each requirement and threat in order, and whether its tests prove it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.requirements.asserting import Suite
from tests.requirements.claims import REQUIREMENTS, THREATS, Claim, Claims
from tests.requirements.collection import junit_name


@dataclass(frozen=True, slots=True)
class Finding:
    """One claim, and whatever keeps it from being proved."""

    claim: Claim
    problems: tuple[str, ...] = ()

    @property
    def holds(self) -> bool:
        """Tell whether it is claimed and nothing is wrong with it."""
        return bool(self.claim.tests) and not self.problems


def judge(
    claims: Claims, tests: Suite, found: Mapping[str, set[str]], ends: Mapping[str, list[str]] | None
) -> list[Finding]:
    """Judge every claim; `found` is what pytest collects, `ends` what became of it, or None where nothing was run."""
    return [Finding(claim, tuple(_problems(claim, tests, found, ends))) for claim in claims.each]


def _problems(
    claim: Claim, tests: Suite, found: Mapping[str, set[str]], ends: Mapping[str, list[str]] | None
) -> Iterator[str]:
    for test in claim.tests:
        if not tests.exists(test):
            yield f"missing: {test}"
        elif test not in found:
            yield f"not collected: {test}"
        elif found[test]:
            yield f"marked {', '.join(sorted(found[test]))}: {test}"
        elif not tests.asserts(test):
            yield f"asserts nothing: {test}"
        elif ends is not None:
            ended = ends.get(junit_name(test), ["not run"])
            yield from (f"{end}: {test}" for end in sorted(set(ended) - {"passed"}))


def last_line(findings: Sequence[Finding]) -> str:
    """Return how many requirements and threats hold, of how many."""
    holding = {finding.claim.id for finding in findings if finding.holds}
    proved, met = (len(holding.intersection(names)) for names in (REQUIREMENTS, THREATS))
    return f"requirements: {proved}/{len(REQUIREMENTS)} threats: {met}/{len(THREATS)}"


def lines(findings: Sequence[Finding], *, ran: bool) -> Iterator[str]:
    """Yield the page, without its last line; where nothing was run, what holds is claimed and not yet proved."""
    for finding in findings:
        claim = finding.claim
        yield f"{claim.id:5} {_standing(finding, ran):12} {claim.title}"
        yield from (f"{'':18} {test}" for test in claim.tests)
        yield from (f"{'':18} ! {problem}" for problem in finding.problems)
        if claim.falls_short:
            yield f"{'':18} falls short: {claim.falls_short}"
        if claim.at_scale:
            yield f"{'':18} the full figure: {claim.at_scale}"


def as_json(findings: Sequence[Finding], *, ran: bool, compared: str, dropped: Sequence[tuple[str, str]]) -> str:
    """Return the page for a program to read."""
    each = [
        {
            "id": finding.claim.id,
            "title": finding.claim.title,
            "standing": _standing(finding, ran),
            "tests": list(finding.claim.tests),
            "problems": list(finding.problems),
            "falls_short": finding.claim.falls_short,
            "at_scale": finding.claim.at_scale,
        }
        for finding in findings
    ]
    document = {"claims": each, "dropped": [list(pair) for pair in dropped], "history": compared}
    return json.dumps(document | {"summary": last_line(findings)}, indent=2)


def _standing(finding: Finding, ran: bool) -> str:
    if not finding.claim.tests:
        return "not claimed"
    if finding.problems:
        return "BROKEN"
    return "proved" if ran else "claimed"
