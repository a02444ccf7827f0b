"""Gates as data: a share may go to a service only where every precondition on its facts holds (R25, R63)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from hub.domain.errors import Refusal
from hub.domain.route import FactRule
from hub.domain.share import Value


def holds(rule: FactRule, facts: Mapping[str, Value]) -> bool:
    """Tell whether one precondition is met; a fact that is absent never meets it."""
    value = facts.get(rule.name)
    if rule.pattern is not None:
        return isinstance(value, str) and re.fullmatch(rule.pattern, value) is not None
    return value is not None and type(value) is type(rule.equals) and value == rule.equals


def refusals(rules: Sequence[FactRule], facts: Mapping[str, Value], pointer: str) -> tuple[Refusal, ...]:
    """Return a refusal for each fact whose preconditions do not hold, all at once, in the order configured.

    Of several preconditions on one fact the first that fails is told: a later one narrows what an earlier one asks.
    """
    failed: dict[str, FactRule] = {}
    for rule in rules:
        if not holds(rule, facts):
            failed.setdefault(rule.name, rule)
    return tuple(
        Refusal(
            type=f"gate-{rule.name.replace('_', '-')}",
            title=rule.title,
            next_step=rule.next_step,
            pointer=f"{pointer}/facts/{rule.name}",
        )
        for rule in failed.values()
    )
