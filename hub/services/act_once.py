"""Act once: what one form posts is done once, however often it is sent; what failed may be sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from hub.domain.errors import HubError
from hub.services.ports import Transaction

_KIND: Final = "form"
#: Longer than anybody leaves a page open before they send it again.
_REMEMBERED: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Posted:
    """An item for a verb, and what tells the form that it came by from any other: a keyed hash."""

    verb: Callable[[Any, Any], Sequence[Any]]
    item: Any
    form: str
    wall: datetime


def act_once(tx: Transaction, items: Sequence[Posted]) -> list[Any]:
    """Run each verb in the transaction that remembers its form; None for a form that was done before."""
    results: list[Any] = []
    for item in items:
        if tx.known_tokens([(_KIND, item.form)]):
            results.append(None)
            continue
        (result,) = item.verb(tx, [item.item])
        if not isinstance(result, HubError):
            tx.first_of_late(_KIND, item.form, item.wall, item.wall + _REMEMBERED)
        results.append(result)
    return results
