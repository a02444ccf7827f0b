"""The quality scale: which rules make a pack bronze, silver or gold, what it says of itself, and whether that is so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hub.conformance.check import TIERS, Place, Tier
from hub.conformance.run import Result
from hub.conformance.said import FILE, Said, read_said
from hub.conformance.subject import line_of

#: Every rule, in the order a pack is made: its tier and what it asks. Each is proved by checks, never by a word alone.
RULES: Mapping[str, tuple[Tier, str]] = {
    "manifest": ("bronze", "The manifest says what the class does, no more and no less."),
    "mapping": ("bronze", "Every case of the mapping makes the document beside it, of what the pack accepts only."),
    "readme": ("bronze", "The README tells a manager what it does, and shows the manifest's facts."),
    "imports": ("bronze", "It imports the SDK and its own libraries, has no way out of its own and holds no secret."),
    "host": ("bronze", "It runs in the real host, survives its death and refuses unknown settings."),
    "works": ("bronze", "It can tell whether the connection works, without sending a parcel."),
    "golden": ("bronze", "A parcel arrives byte for byte, once, and no address or header tells of the person."),
    "duplicates": ("silver", "A parcel sent again has no second effect."),
    "refusals": ("silver", "Each refusal is the outcome that it means."),
    "renewal": ("silver", "A token that ran out is renewed once."),
    "waiting": ("silver", "It comes back when the partner asks, in both forms of Retry-After."),
    "doubt": ("silver", "What may have arrived is in doubt, and never guessed."),
    "deadline": ("silver", "It gives up in time, and sends nothing too late."),
    "reconcile": ("silver", "A doubt is settled without a second effect."),
    "answers": ("silver", "Answers are proved, read once, and never taken for another share's."),
    "reach": ("silver", "It reaches its own hosts only, and survives hostile replies."),
    "silence": ("silver", "It prints nothing, and shows neither people nor secrets."),
    "unicode": ("silver", "Words arrive in any script."),
    "cases": ("gold", "Cases show every kind, a refusal, and words kept code point for code point."),
    "kinds": ("gold", "Every kind of delivery that it declares arrives."),
    "order": ("gold", "Parcels at once keep their own replies, and never exceed the limit."),
    "size": ("gold", "Empty and large parcels are what they are."),
    "truth": ("gold", "It believes a success only with the partner's own receipt."),
    "lists": ("gold", "Its code lists say where they come from, and no words of the template are left."),
    "size-of-code": ("gold", "Its code is small enough to be read at once."),
}


@dataclass(frozen=True, slots=True)
class QualityFault:
    """Where what a pack says of itself is not so."""

    rule: str
    what: str
    where: Place


def read_quality(package: Path) -> dict[str, Said]:
    """Return what a pack says of each rule; `unsaid` for those it does not name. Raises `ValueError` on bad TOML."""
    table = read_said(package)
    names = (*RULES, *(name for name in table if name not in RULES))
    return {rule: table.get(rule, Said("unsaid")) for rule in names}


def tier_of(said: Mapping[str, Said]) -> str:
    """Return the highest tier whose rules, and those below it, are all done or exempt; "none" below bronze."""
    reached = "none"
    for tier in TIERS:
        wanted = [rule for rule, (of, _) in RULES.items() if of == tier]
        if any(said.get(rule, Said("unsaid")).state not in {"done", "exempt"} for rule in wanted):
            break
        reached = tier
    return reached


def states(results: Iterable[Result]) -> dict[str, str]:
    """Return what the checks say of each rule: failed, passed, or exempt where none applies."""
    found: dict[str, set[str]] = {}
    for result in results:
        found.setdefault(result.check.rule, set()).add(result.state)
    order = ("failed", "to do", "passed", "exempt")
    return {rule: next(state for state in order if state in seen) for rule, seen in found.items()}


def faults(package: Path, results: Iterable[Result]) -> list[QualityFault]:
    """Return every false "done" and stale exemption, and every rule that is not named or not known."""
    proved, file = states(results), package / FILE
    found = []
    for rule, said in read_quality(package).items():
        if what := _wrong(rule, said, proved.get(rule, "exempt")):
            found.append(QualityFault(rule, what, line_of(file, rule)))
    return found


def unclaimed(package: Path, results: Iterable[Result]) -> list[str]:
    """Return the rules that a pack calls "to do" though every check of them passes."""
    proved = states(results)
    return [
        rule for rule, said in read_quality(package).items() if (said.state, proved.get(rule)) == ("to do", "passed")
    ]


def _wrong(rule: str, said: Said, proved: str) -> str:  # noqa: PLR0911 - one line a fault
    if rule not in RULES:
        return "there is no such rule: take it out"
    match said.state:
        case "unsaid":
            return 'nothing is said of it: write "done", "to do", or "exempt: …"'
        case "done" if proved == "failed":
            return "it is not done: a check of it fails"
        case "done" if proved == "exempt":
            return 'no check of it applies: write "exempt: …" with the reason'
        case "exempt" if proved == "passed":
            return 'this exemption is stale: its checks pass, so write "done"'
        case "exempt" if not said.reason:
            return 'an exemption gives its reason: "exempt: …"'
        case "exempt" if proved == "failed" and RULES[rule][0] == "bronze":
            return "no pack is exempt from a bronze rule that applies to it"
    return ""
