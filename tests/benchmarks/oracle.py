"""Timing as an oracle: how well a caller could tell two cases apart by how long the reply takes (TH01, TH04).

Run `python -m tests.benchmarks.oracle [ROUNDS]` on a quiet machine. For each pair it prints the area under the ROC
curve: 0.5 is chance, and 0.45 to 0.55 is what is promised. Both cases of a pair are asked in turn, in random order.
"""

from __future__ import annotations

import random
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.acceptance.caller import as_json
from tests.acceptance.house import House, gather_troupe, open_house
from tests.acceptance.telling import HOUSING, a_share, consent_of
from tests.acceptance.trusting import keep_link, unsaid

Ask = Callable[[], tuple[str, str, dict[str, Any] | None]]


def area(first: Sequence[float], second: Sequence[float]) -> float:
    """Return how often a time of `second` is longer than one of `first`, a tie as half (Mann-Whitney)."""
    ordered = sorted([(each, 0) for each in first] + [(each, 1) for each in second])
    below = longer = 0.0
    for _, which in ordered:
        if which:
            longer += below
        else:
            below += 1
    return longer / (len(first) * len(second))


def measure(house: House, pair: tuple[Ask, Ask], rounds: int, *, other: bool) -> float:
    """Ask both cases in turn, and return the area."""
    caller = house.other if other else house.cases
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 20):
        for which in random.sample((0, 1), 2):
            method, path, document = pair[which]()
            raw = as_json(document) if document is not None else b""
            headers = caller.headers(raw) if document is not None else {"authorization": f"Bearer {caller.token()}"}
            started = time.perf_counter()
            caller.http.request(method, path, content=raw, headers=headers)
            if number >= 20:  # the first warm what is cached
                times[which].append(time.perf_counter() - started)
    return area(*times)


def _refused(person: str, trusted_person: str) -> dict[str, Any]:
    share = a_share(HOUSING) | {"person": {"reference": person}}
    share["trusted_person"]["reference"] = trusted_person
    consent_of(share, HOUSING)["until"] = "2026-11-19"
    return share


def main(rounds: int) -> None:
    """Measure every pair and print its figure."""
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        troupe = gather_troupe(Path(folder) / "troupe", stack)
        house = stack.enter_context(open_house(Path(folder) / "house", troupe))
        share = a_share(HOUSING)
        share["trusted_person"]["reference"] = "tp-harms"
        keep_link(house.cases, share, not_safe=True)
        theirs = house.cases.send(a_share(HOUSING))["id"]
        house.settled()

        def harming() -> tuple[str, str, dict[str, Any] | None]:
            sent = a_share(HOUSING)
            sent["trusted_person"]["reference"] = "tp-harms"
            return "POST", "/v1/shares", sent

        pairs: dict[str, tuple[tuple[Ask, Ask], bool]] = {
            "another's share against none": (
                (
                    lambda: ("GET", f"/v1/shares/{secrets.token_hex(16)}", None),
                    lambda: ("GET", f"/v1/shares/{theirs}", None),
                ),
                True,
            ),
            "a person and trusted person that another knows against none": (
                (
                    lambda: ("POST", "/v1/shares", _refused(f"Q-{secrets.token_hex(2)}", "tp-nobody")),
                    lambda: ("POST", "/v1/shares", _refused(share["person"]["reference"], "tp-harms")),
                ),
                True,
            ),
            "a choice that is not safe against a missing statement": (
                (lambda: ("POST", "/v1/shares", unsaid(a_share(HOUSING))), harming),
                False,
            ),
        }
        for name, (pair, other) in pairs.items():
            sys.stdout.write(f"{name}: AUC {measure(house, pair, rounds, other=other):.3f} ({rounds} rounds)\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
