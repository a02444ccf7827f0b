"""Check an exported audit log, line by line: what was changed, dropped, moved, cut, signed anew or forked, and where.

The file is JSON Lines, each line canonical: first `{"log": {chain, form, keys}}`, then in order
`{"checkpoint": {...}}` and `{"event": {...}, "hash": "..."}`, beginning with the checkpoint of position 0 and ending
with that of the last event. See `hub.domain.audit` for what is hashed and signed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from hub.domain.audit import Checkpoint, beginning, canonical, link, read_checkpoint

FORM: Final = 1
#: More than these are counted and no longer told.
_TOLD: Final = 20
_EVENT: Final = {"action", "actor", "at", "delivery", "detail", "kept_at", "position", "share"}

#: Whether a key of this name signed these bytes: (kid, bytes, signature).
IsSigned = Callable[[str, bytes, str], bool]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: a stable code, the position in the log where it shows, and plain words."""

    code: str
    position: int
    words: str


@dataclass(slots=True)
class Verdict:
    """What a check found; it is `verified` when nothing is wrong."""

    chain: str = ""
    position: int = 0
    checkpoints: int = 0
    count: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def verified(self) -> bool:
        """Tell whether nothing is wrong."""
        return self.count == 0

    def find(self, code: str, position: int, words: str) -> None:
        """Note one thing that is wrong."""
        self.count += 1
        if len(self.findings) < _TOLD:
            self.findings.append(Finding(code, position, words))


def read_line(line: bytes) -> dict[str, Any] | None:
    """Return a line's document; None when it is not exactly as it would be written down."""
    written = line.removesuffix(b"\n")
    try:
        document = json.loads(written)
        # One document has one form: a key given twice, or white space, could show a reader something else.
        return document if isinstance(document, dict) and canonical(document) == written else None
    except (ValueError, RecursionError):
        return None


def read_header(line: bytes) -> dict[str, Any] | None:
    """Return what the first line says of the log; None when it is not one."""
    log = (read_line(line) or {}).get("log")
    if not isinstance(log, dict) or set(log) != {"chain", "form", "keys"} or log["form"] != FORM:
        return None
    return log if isinstance(log["chain"], str) and isinstance(log["keys"], list) else None


def check(
    header: bytes,
    lines: Iterable[bytes],
    is_signed: IsSigned,
    kept: Sequence[Checkpoint] = (),
    pinned: Sequence[Mapping[str, Any]] | None = None,
) -> Verdict:
    """Check a log, and that it agrees with what was kept elsewhere: checkpoints, and the hub's keys (`pinned`).

    `header` is its first line; `is_signed` judges by the pinned keys, or by the file's own where there are none.
    """
    log = read_header(header)
    verdict = Verdict()
    if log is None:
        verdict.find("no-log", 0, "The first line does not say which log this is: it was changed, or dropped.")
        return verdict
    if pinned is not None and any(each not in pinned for each in log["keys"]):
        verdict.find("unknown-key", 0, "The log names a key that is not one of those that you gave.")
    _Check(verdict, log["chain"], is_signed, {each.position: [] for each in kept}).run(lines, kept)
    return verdict


class _Check:
    """One pass over a log."""

    def __init__(self, verdict: Verdict, chain: str, is_signed: IsSigned, wanted: dict[int, list[str]]) -> None:
        verdict.chain = chain
        self._verdict = verdict
        self._chain = chain
        self._is_signed = is_signed
        self._hash = beginning(chain)
        self._newest: int | None = None  # the position of the last checkpoint seen
        self._wanted = wanted  # at positions of kept checkpoints: the hashes found there
        self._note_hash()

    def run(self, lines: Iterable[bytes], kept: Sequence[Checkpoint]) -> None:
        for line in lines:
            self._line(line)
        position = self._verdict.position
        if self._newest != position:
            self._find("cut", "The log does not end with a checkpoint: its end was cut off.")
        for each in kept:
            self._compare(each)

    def _find(self, code: str, words: str, position: int | None = None) -> None:
        self._verdict.find(code, self._verdict.position if position is None else position, words)

    def _note_hash(self) -> None:
        if self._verdict.position in self._wanted:
            self._wanted[self._verdict.position].append(self._hash.hex())

    def _line(self, line: bytes) -> None:
        document = read_line(line)
        names = set(document or ())
        if document is not None and names == {"checkpoint"} and (found := read_checkpoint(document)) is not None:
            self._checkpoint(found)
        elif document is not None and names == {"event", "hash"} and _is_event(document["event"]):
            self._event(document["event"], document["hash"])
        else:
            self._find("line-unreadable", "The line after this position is not one that the hub writes.")

    def _event(self, event: dict[str, Any], said: object) -> None:
        position, expected = event["position"], self._verdict.position + 1
        if self._newest is None:
            self._newest = -1
            self._find("beginning-missing", "The log does not begin with its first checkpoint: its beginning is gone.")
        if position != expected:
            words = "is missing before it" if position > expected else "stands twice, or out of its order"
            self._find("out-of-order", f"Position {expected} should follow: something {words}.", position)
        computed = link(self._hash, canonical(event))
        if said != computed.hex():
            self._find("changed", "This event, or what came before it, was changed after it was sealed.", position)
        # Go on from what the line says, so that one change is told once and what follows is still looked at.
        self._hash = _bytes(said) or computed
        self._verdict.position = position
        self._note_hash()

    def _checkpoint(self, found: Checkpoint) -> None:
        self._verdict.checkpoints += 1
        position = self._verdict.position
        if not self._is_signed(found.kid, found.signed_bytes(), found.signature):
            self._find("not-signed", "This checkpoint was not signed by a key that is trusted.", found.position)
        if (found.chain, found.position, found.hash) != (self._chain, position, self._hash.hex()):
            self._find("does-not-fit", "This checkpoint is not of the events before it.", found.position)
        if found.after != (self._newest or 0) or (self._newest is None) != (found.position == 0):
            self._find("checkpoint-missing", "A checkpoint before this one is gone, or stands twice.", found.position)
        self._newest = found.position

    def _compare(self, kept: Checkpoint) -> None:
        """A checkpoint kept elsewhere is what nobody here can change."""
        position = kept.position
        if not self._is_signed(kept.kid, kept.signed_bytes(), kept.signature):
            self._find("kept-not-signed", "The checkpoint you kept is not signed by a key that is trusted.", position)
        elif kept.chain != self._chain:
            self._find("another-log", "The checkpoint you kept is of another log: this one was begun anew.", position)
        elif position > self._verdict.position:
            self._find("cut", "The log ends before the checkpoint you kept: its end was cut off.", position)
        elif self._wanted[position] != [kept.hash]:
            words = "The log is not the one that the checkpoint you kept was made of: it was changed at or before here."
            self._find("forked", words, position)


def _is_event(event: object) -> bool:
    return isinstance(event, dict) and set(event) == _EVENT and type(event["position"]) is int


def _bytes(said: object) -> bytes | None:
    try:
        return bytes.fromhex(said) if isinstance(said, str) else None
    except ValueError:
        return None
