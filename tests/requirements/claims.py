"""What is claimed to be proved and by which tests, as `claims.toml` says it; and what is wrong with how it says so."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = Path("tests/requirements/claims.toml")

REQUIREMENTS = tuple(f"R{number:02}" for number in range(1, 76))
THREATS = tuple(f"TH{number:02}" for number in range(1, 25))

_KEYS = {"title", "tests", "falls_short", "at_scale"}
_TEST = re.compile(r"(?:tests|plugins)/[\w/-]+\.py(?:::Test\w+)?::test_\w+")


class BadClaims(Exception):
    """`claims.toml` cannot be read as claims."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One requirement or threat; without tests it is not claimed."""

    id: str
    title: str
    tests: tuple[str, ...] = ()
    falls_short: str = ""
    at_scale: str = ""  #: the command that measures the full figure, where the tests run a smaller one


@dataclass(frozen=True, slots=True)
class Claims:
    """Every requirement and threat in order, and what was claimed once and is no more."""

    each: tuple[Claim, ...]
    withdrawn: frozenset[tuple[str, str]] = frozenset()

    @property
    def pairs(self) -> frozenset[tuple[str, str]]:
        """Return every claim and test of it."""
        return frozenset((claim.id, test) for claim in self.each for test in claim.tests)


def read(text: str) -> Claims:
    """Return the claims that a file's text holds; raise `BadClaims` that names all that is wrong with it."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadClaims(f"not TOML: {error}") from error
    withdrawn = document.pop("withdrawn", [])
    if wrong := [*_misread(document), *_badly_withdrawn(withdrawn)]:
        raise BadClaims("; ".join(wrong))
    claims = [_claim(name, document[name]) for name in (*REQUIREMENTS, *THREATS)]
    return Claims(tuple(claims), frozenset((each["claim"], each["test"]) for each in withdrawn))


def _claim(name: str, said: Mapping[str, Any]) -> Claim:
    return Claim(name, said["title"], tuple(said["tests"]), said.get("falls_short", ""), said.get("at_scale", ""))


def _misread(document: Mapping[str, Any]) -> Iterator[str]:
    known = {*REQUIREMENTS, *THREATS}
    yield from (f"{name} is missing" for name in sorted(known - set(document)))
    for name, said in document.items():
        if name not in known or not isinstance(said, dict) or not {"title", "tests"} <= set(said) <= _KEYS:
            yield f"{name} must be a requirement or threat with `title` and `tests`"
            continue
        tests = said["tests"]
        yield from (f"{name}: `{test}` is not file::function" for test in tests if not _TEST.fullmatch(str(test)))
        if len(set(tests)) < len(tests):
            yield f"{name} names a test twice"
        if tests and said.get("falls_short"):
            yield f"{name} is claimed and said to fall short"
        if tests and not any(named_for(name, test) for test in tests):
            yield f"{name}: no test is named for it; one must hold `{name.lower()}` in its own or its file's name"


def _badly_withdrawn(withdrawn: list[Mapping[str, str]]) -> Iterator[str]:
    for each in withdrawn:
        if set(each) != {"claim", "test", "reason"} or not each["reason"].strip():
            yield f"withdrawn needs claim, test and reason: {dict(each)}"


def named_for(name: str, test: str) -> bool:
    """Tell whether a test's function or file holds `r12` or `th10` as a word of its name."""
    file, _, function = test.partition("::")
    words = re.split(r"[^a-z0-9]+", f"{Path(file).stem}_{function}".lower())
    return name.lower() in words
