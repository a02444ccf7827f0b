"""A partner's answer words as data: a CSV table that says what each means in the hub's words (R61)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources.abc import Traversable

from hub.domain.answer import Answer, AnswerState

#: What a word that nobody has translated becomes: received, visible, never dropped (R35).
UNRECOGNISED = Answer(AnswerState.RECEIVED, reason="unrecognised-status")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What a partner may say, keyed by its status and reason; a row without a reason stands for any other reason."""

    rows: dict[tuple[str, str], Answer]

    def answer(self, status: str, reason: str = "") -> Answer:
        """Return the hub's answer for a partner's status and reason, or `UNRECOGNISED`."""
        return self.rows.get((status, reason)) or self.rows.get((status, "")) or UNRECOGNISED


def read_vocabulary(lines: Iterable[str]) -> Vocabulary:
    """Read rows of `status,partner_reason,state,reason,stage,text,next_step`; lines that start with # are comments.

    Raises `ValueError` for a state the hub does not have and for a row that stands twice.
    """
    rows: dict[tuple[str, str], Answer] = {}
    for row in csv.DictReader(line for line in lines if line.strip() and not line.startswith("#")):
        key = (row["status"], row["partner_reason"])
        if key in rows:
            raise ValueError(f"a row stands twice: {key[0]} {key[1]}")
        if row["state"] not in (states := [str(state) for state in AnswerState]):
            raise ValueError(f"{key[0]}: no such state: {row['state']}; there are: {', '.join(states)}")
        rows[key] = Answer(
            AnswerState(row["state"]),
            reason=row["reason"],
            stage=row["stage"],
            text=row["text"],
            next_step=row["next_step"],
        )
    return Vocabulary(rows)


def open_vocabulary(table: Traversable) -> Vocabulary:
    """Read a vocabulary that a pack ships as package data, UTF-8."""
    return read_vocabulary(table.read_text(encoding="utf-8").splitlines())
