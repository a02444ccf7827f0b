"""How connectors' processes are to be held: the table in hub.toml, and which user id each connection gets."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping

from pydantic import BaseModel, ConfigDict, Field, field_validator

_RANGE = re.compile(r"(\d{1,10})-(\d{1,10})")
#: The most a 32-bit user id can be; the very last stands for "no change".
_LAST = 2**32 - 2


class IsolationTable(BaseModel):
    """`[isolation]` in hub.toml: beyond what the kernel does by itself.

    `strict` takes the network away from every connection's process, or from those that it lists. `uids` is a range,
    such as "61000-61999", of user ids that nothing else on the machine uses: a hub that runs as root gives each
    connection one of its own.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    strict: bool | tuple[str, ...] = False
    uids: str = Field(default="", max_length=21)

    @field_validator("uids")
    @classmethod
    def _a_range(cls, text: str) -> str:
        if text and not _range(text):
            raise ValueError('give the first and the last user id, such as "61000-61999", and none below 1000')
        return text

    def is_strict(self, connection: str) -> bool:
        """Tell whether this connection's process is to have no network."""
        return self.strict if isinstance(self.strict, bool) else connection in self.strict

    def faults(self, connections: Collection[str]) -> list[str]:
        """Say what does not fit the connections that there are."""
        listed = () if isinstance(self.strict, bool) else self.strict
        wrong = [
            f"hub.toml: isolation.strict: there is no connection {each}" for each in listed if each not in connections
        ]
        if self.uids and len(_range(self.uids)) < len(connections):
            wrong.append(
                f"hub.toml: isolation.uids: it holds fewer user ids than there are connections ({len(connections)})"
            )
        return wrong

    def uids_of(self, connections: Iterable[str]) -> Mapping[str, int]:
        """Return a user id for each connection, no two alike; none where no range is set aside.

        It follows from the connection's name, so that it stays when others come and go, and moves only where two names
        fall upon one id: files that a connection keeps belong to it.
        """
        numbers = _range(self.uids) if self.uids else range(0)
        given: dict[str, int] = {}
        taken: set[int] = set()
        for name in sorted(connections) if numbers else ():
            place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % len(numbers)
            while numbers[place] in taken:
                place = (place + 1) % len(numbers)
            given[name] = numbers[place]
            taken.add(numbers[place])
        return given


def _range(text: str) -> range:
    found = _RANGE.fullmatch(text)
    first, last = (int(found[1]), int(found[2])) if found else (0, 0)
    return range(first, last + 1) if 1000 <= first <= last <= _LAST else range(0)
