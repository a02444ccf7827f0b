"""Passwords: argon2id hashes, and what a new one must be: long, and not one that everybody tries (NCSC)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

#: In characters. Three words are enough; no rule asks for digits or signs, for they make passwords worse (NCSC).
LEAST: Final = 12
MOST: Final = 200
#: A password with fewer different characters is a pattern.
_DIFFERENT: Final = 5

#: RFC 9106's choice for small memory: 64 MiB, three passes, four lanes.
_HASHER: Final = PasswordHasher()
#: Roots of what is tried first, in small letters, each with what is so often put before or behind it taken off.
_COMMON: Final = frozenset(
    files("hub.security").joinpath("common-passwords.txt").read_text(encoding="utf-8").splitlines()
)
_ENDS: Final = re.compile(r"^[\W\d_]+|[\W\d_]+$")


def hash_of(password: str) -> str:
    """Return the argon2id hash of a password, which takes long by design: call it from a thread."""
    return _HASHER.hash(_plain(password))


def matches(password: str, kept: str | None) -> bool:
    """Tell whether a password is the one that was kept; as slow where none was. Call it from a thread."""
    try:
        return _HASHER.verify(kept or _nobodys(), _plain(password)) and kept is not None
    except (Argon2Error, InvalidHashError):
        return False


def is_old(kept: str) -> bool:
    """Tell whether a hash was made by weaker rules than today's, so that the next sign-in makes it anew."""
    return _HASHER.check_needs_rehash(kept)


def fault_of(password: str, about: Iterable[str] = ()) -> str:
    """Say what a new password lacks, or nothing; `about` are words that are easily guessed of just this person."""
    plain = _plain(password)
    if len(plain) < LEAST:
        return f"Use {LEAST} characters or more. Three words that do not belong together are easy to remember"
    if len(plain) > MOST:
        return f"Use {MOST} characters or fewer"
    if len(set(plain.lower())) < _DIFFERENT or _is_common(plain.lower(), about):
        return "Choose another: this one is easy to guess"
    return ""


def _is_common(plain: str, about: Iterable[str]) -> bool:
    squeezed = re.sub(r"[\W_]+", "", plain)
    root = _ENDS.sub("", plain)
    own = {re.sub(r"[\W_]+", "", word.lower()) for word in about if word}
    tried = {squeezed, root, re.sub(r"\d+", "", squeezed)}
    return bool(tried & (_COMMON | own)) or _repeats(squeezed) or squeezed.isdigit()


def _repeats(plain: str) -> bool:
    """Tell whether it is one short piece over and over, or a common one twice."""
    found = re.fullmatch(r"(.{1,8}?)\1+", plain)
    return found is not None


@cache
def _nobodys() -> str:
    """What a password is held against where there is no account: it takes as long, and counts as none."""
    return _HASHER.hash("nobody's")


def _plain(password: str) -> str:
    """The same keys make the same password, however a device writes its characters."""
    return unicodedata.normalize("NFKC", password)
