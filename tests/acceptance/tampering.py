"""Ways to falsify an exported audit log, by someone without a key, with another key, and with the hub's own."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from hub.domain.audit import Checkpoint, beginning, canonical, link

Log = list[bytes]
Sign = Callable[[bytes], str]


def base64url(raw: bytes) -> str:
    """Bytes as they stand in signatures and public keys."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signs(key: Ed25519PrivateKey) -> Sign:
    """Sign as the hub does."""
    return lambda message: base64url(key.sign(message))


def position_of(line: bytes) -> int | None:
    """The position of an event's line; None for any other."""
    document = json.loads(line)
    return int(document["event"]["position"]) if "event" in document else None


def rebuilt(log: Log, chain: str, kid: str, sign: Sign | None) -> Log:
    """Number, chain and (with `sign`) sign a log anew, so that it agrees with itself."""
    made, reached, before, chained = [log[0]], 0, 0, beginning(chain)
    for line in log[1:]:
        document = json.loads(line)
        if "event" in document:
            reached += 1
            event = document["event"] | {"position": reached}
            chained = link(chained, canonical(event))
            made.append(canonical({"event": event, "hash": chained.hex()}))
        else:
            old = Checkpoint(**document["checkpoint"])
            new = replace(old, after=before, chain=chain, hash=chained.hex(), position=reached)
            if sign is not None:
                new = replace(new, kid=kid)
                new = replace(new, signature=sign(new.signed_bytes()))
            made.append(canonical({"checkpoint": new.document()}))
            before = reached
    return made


class Forger:
    """Draws one falsification after another; `covered` is the position that a partner kept a checkpoint of."""

    def __init__(self, log: Log, seed: int, covered: int, kid: str, key: Ed25519PrivateKey) -> None:
        self.log = log
        self.covered = covered
        self.kid = kid
        self.key = key
        self.draw = random.Random(seed)
        self.chain = json.loads(log[0])["log"]["chain"]
        self.events = [at for at, line in enumerate(log) if position_of(line) is not None]
        self.early = [at for at in self.events if (position_of(log[at]) or 0) <= covered]
        self.checkpoints = [at for at, line in enumerate(log) if "checkpoint" in json.loads(line)]

    def changed(self, line: bytes) -> bytes:
        """An event's line that says something else of one thing."""
        document = json.loads(line)
        event = document["event"]
        name = self.draw.choice(("action", "actor", "at", "delivery", "detail", "kept_at", "share"))
        event[name] = (
            {"count": self.draw.randrange(10**9)} if name == "detail" else f"other-{self.draw.randrange(10**9)}"
        )
        return canonical(document)

    def edit(self) -> Log:
        """One event says something else."""
        at = self.draw.choice(self.events)
        return [*self.log[:at], self.changed(self.log[at]), *self.log[at + 1 :]]

    def edit_one_byte(self) -> Log:
        """One byte of the file is another, wherever it stands."""
        at = self.draw.randrange(len(self.log))
        line = bytearray(self.log[at])
        line[self.draw.randrange(len(line))] ^= 1 << self.draw.randrange(7)
        return [*self.log[:at], bytes(line), *self.log[at + 1 :]]

    def edit_and_chain_anew(self) -> Log:
        """One event says something else, and every hash after it was computed anew."""
        return rebuilt(self.edit(), self.chain, self.kid, None)

    def drop(self) -> Log:
        """One line is gone."""
        at = self.draw.randrange(len(self.log))
        return [*self.log[:at], *self.log[at + 1 :]]

    def drop_and_chain_anew(self) -> Log:
        """One event is gone, and every number and hash after it was computed anew."""
        at = self.draw.choice(self.events)
        return rebuilt([*self.log[:at], *self.log[at + 1 :]], self.chain, self.kid, None)

    def swap(self) -> Log:
        """Two lines changed places."""
        one, other = self.draw.sample(range(len(self.log)), 2)
        log = list(self.log)
        log[one], log[other] = log[other], log[one]
        return log

    def truncate(self) -> Log:
        """The end is cut off, before what the partner knows of."""
        return self.log[: self.draw.randrange(1, self.early[-1] + 1)]

    def truncate_at_a_checkpoint(self) -> Log:
        """The end is cut off so that what is left is whole."""
        ends = [at for at in self.checkpoints if json.loads(self.log[at])["checkpoint"]["position"] < self.covered]
        return self.log[: self.draw.choice(ends) + 1]

    def insert(self) -> Log:
        """An event stands twice."""
        at = self.draw.choice(self.events)
        return [*self.log[:at], self.log[at], *self.log[at:]]

    def resign_with_another_key(self) -> Log:
        """Something was changed, and the whole log signed anew with a key that the file says is the hub's."""
        other = Ed25519PrivateKey.from_private_bytes(self.draw.randbytes(32))
        header = json.loads(self.log[0])
        header["log"]["keys"] = [
            {"crv": "Ed25519", "kid": self.kid, "kty": "OKP", "x": base64url(other.public_key().public_bytes_raw())}
        ]
        falsified = self.draw.choice((self.edit, self.drop_event))()
        return rebuilt([canonical(header), *falsified[1:]], self.chain, self.kid, signs(other))

    def drop_event(self) -> Log:
        """One early event is gone."""
        at = self.draw.choice(self.early)
        return [*self.log[:at], *self.log[at + 1 :]]

    def resign_with_the_hubs_key(self) -> Log:
        """Whoever runs the hub changed what a partner has a checkpoint of, and signed it all anew, rightly."""
        at = self.draw.choice(self.early)
        log = [*self.log[:at], self.changed(self.log[at]), *self.log[at + 1 :]]
        return rebuilt(log, self.chain, self.kid, signs(self.key))

    def fork(self) -> Log:
        """Whoever runs the hub went on differently after some event, and signed that too."""
        at = self.draw.choice(self.early)
        log = [self.changed(line) if position_of(line) and i >= at else line for i, line in enumerate(self.log)]
        return rebuilt(log, self.chain, self.kid, signs(self.key))

    def begin_anew(self) -> Log:
        """The log was begun again under another name, and signed."""
        chain = self.draw.randbytes(16).hex()
        header: Mapping[str, Any] = {"log": json.loads(self.log[0])["log"] | {"chain": chain}}
        return rebuilt([canonical(header), *self.log[1:]], chain, self.kid, signs(self.key))

    KINDS = (
        edit, edit_one_byte, edit_and_chain_anew, drop, drop_and_chain_anew, swap, truncate, truncate_at_a_checkpoint,
        insert, resign_with_another_key, resign_with_the_hubs_key, fork, begin_anew,
    )  # fmt: skip

    def falsified(self, number: int) -> tuple[str, Log]:
        """The next falsification: every kind in its turn, at places that are drawn."""
        kind = self.KINDS[number % len(self.KINDS)]
        return kind.__name__, kind(self)
