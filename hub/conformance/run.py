"""Runs the checks of a pack, one connector after another, and says what became of each."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import structlog

from hub.conformance.check import Check, Fault, every_check
from hub.conformance.describe import CannotImport, ClassFacts, describe
from hub.conformance.pack import Pack, find_pack
from hub.conformance.said import read_to_do
from hub.conformance.stand import Stand
from hub.conformance.subject import Subject
from hub.conformance.trial import Trial, read_trials

State = Literal["passed", "failed", "exempt", "to do"]

#: Where a module does not import, this check alone says so, and nothing else is tried.
FIRST, NOT_TRIED = "registers-what-its-manifest-declares", "its module does not import"

#: Seconds that one check may take before it is called a fault.
LONGEST = 60.0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one check of one connector; `why` is the fault or the reason of the exemption."""

    connector: str
    check: Check
    state: State
    why: str = ""
    where: str = ""
    fix: str = ""
    seconds: float = 0.0


class Trying:
    """A pack being tried: a stand for each connector, all within one loop of their own."""

    def __init__(self, name: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="conformance-")
        folder = Path(self._folder.name)
        self._runner = asyncio.Runner()
        self._stands: dict[str, Stand] = {}
        self._results: dict[tuple[str, str], Result] = {}
        try:
            self.pack = find_pack(name, folder / "stage")
        except BaseException:
            self._folder.cleanup()
            raise
        self.subjects = subjects_of(self.pack)
        self._to_do = read_to_do(self.pack.package)

    def run(self, connector: str, check: Check) -> Result:
        """Run one check on one connector, or return what it gave before."""
        if (connector, check.name) not in self._results:
            result = self._run(connector, check)
            if result.state == "failed" and check.rule in self._to_do:
                result = replace(result, state="to do")
            self._results[connector, check.name] = result
        return self._results[connector, check.name]

    def run_all(self, on_result: Callable[[Result], None] = lambda _: None) -> list[Result]:
        """Run every check of every connector; `on_result` is told of each as it ends."""
        for connector in self.subjects:
            for check in sorted(every_check(), key=lambda each: each.name != FIRST):
                result = self.run(connector, check)
                if result.why != NOT_TRIED:
                    on_result(result)
        return list(self._results.values())

    def _run(self, connector: str, check: Check) -> Result:
        begun = time.monotonic()
        subject = self.subjects[connector]
        if subject.cannot_import and check.name != FIRST:
            return Result(connector, check, "failed", NOT_TRIED, str(subject.code), "mend that first")
        if why := check.exempt(self.subjects[connector]):
            return Result(connector, check, "exempt", why)
        try:
            self._runner.run(self._try(connector, check))
        except Fault as fault:
            return Result(connector, check, "failed", fault.what, str(fault.place), fault.fix, time.monotonic() - begun)
        return Result(connector, check, "passed", seconds=time.monotonic() - begun)

    def close(self) -> None:
        """End everything that runs."""
        for stand in self._stands.values():
            self._runner.run(stand.close())
        self._runner.close()
        self._folder.cleanup()

    async def _try(self, connector: str, check: Check) -> None:
        stand = self._stand(connector)
        try:
            with structlog.testing.capture_logs():
                async with asyncio.timeout(LONGEST):
                    await check.run(stand)
        except TimeoutError:
            raise Fault("it did not end in a minute", stand.subject.at("deliver"), "never wait for ever") from None

    def _stand(self, connector: str) -> Stand:
        if connector not in self._stands:
            folder = Path(self._folder.name) / connector
            folder.mkdir()
            self._stands[connector] = Stand(self.subjects[connector], folder)
        return self._stands[connector]


@contextmanager
def trying(name: str) -> Iterator[Trying]:
    """Prepare to try a pack by name or folder; raises `NoPack`."""
    tried = Trying(name)
    try:
        yield tried
    finally:
        tried.close()


def subjects_of(pack: Pack) -> dict[str, Subject]:
    """Return what is tried of a pack, by connector; what cannot be read is a fault of the checks that need it."""
    facts: dict[str, ClassFacts] = {}
    trials: dict[str, Trial] = {}
    cannot, bad = "", ""
    try:
        facts = describe(pack.module, pack.paths)
    except CannotImport as error:
        cannot = str(error)
    try:
        trials = read_trials(pack.package)
    except (OSError, ValueError) as error:
        bad = f"{type(error).__name__}: its trial cannot be read"
    return {
        name: Subject(pack, name, facts.get(name), cannot, trials.get(name), bad) for name in pack.manifest.connectors
    }
