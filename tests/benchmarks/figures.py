"""The figures of one load, made from what the sender saw and what the partner noted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

Result = tuple[float, float, int, bytes]


@dataclass(frozen=True, slots=True)
class Figures:
    """What one load came to; times are milliseconds from offering a share until the partner had it, or its 202."""

    shares: int
    lost: int
    duplicates: int
    accepted_per_second: float
    delivered_per_second: float
    accepted_p95: float
    p50: float
    p95: float
    p99: float


def figures(results: Sequence[Result], arrivals: dict[str, float], duplicates: int) -> Figures:
    """Return the figures of a load; raises `ValueError` when something was refused."""
    refused = [(status, body) for _, _, status, body in results if status != 202]
    if refused:
        raise ValueError(f"{len(refused)} shares were refused, the first with {refused[0][0]} {refused[0][1][:300]!r}")
    first = min(offered for offered, _, _, _ in results)
    references = [str(orjson.loads(body)["reference"]) for _, _, _, body in results]
    whole = [
        (arrivals[reference] - offered) * 1000
        for reference, (offered, _, _, _) in zip(references, results, strict=True)
        if reference in arrivals
    ]
    accepted = [(replied - offered) * 1000 for offered, replied, _, _ in results]
    last_reply = max(replied for _, replied, _, _ in results)
    last_arrival = max(arrivals[reference] for reference in references if reference in arrivals)
    return Figures(
        shares=len(results),
        lost=len(results) - len(whole),
        duplicates=duplicates,
        accepted_per_second=len(results) / (last_reply - first),
        delivered_per_second=len(whole) / (last_arrival - first),
        accepted_p95=percentile(accepted, 95),
        p50=percentile(whole, 50),
        p95=percentile(whole, 95),
        p99=percentile(whole, 99),
    )


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the smallest value that at least `percent` of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100).__int__() - 1)]
