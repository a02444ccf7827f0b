"""`hub connector test` and `readme`: try packs by every check of the kit, and write a README's table of facts."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import AsJson
from hub.cli.output import WRONG, emit, fail, progress, say

if TYPE_CHECKING:
    from hub.conformance.pack import Pack
    from hub.conformance.quality import QualityFault
    from hub.conformance.run import Result

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[NAME|FOLDER]...", help="Installed packs, or folders of packs.")
]
Every = Annotated[bool, typer.Option("--all", help="Every pack that is installed here.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Name every check, not only those that fail.")]


def try_packs(names: Names = None, every: Every = False, verbose: Verbose = False, as_json: AsJson = False) -> None:
    """Try packs in a real host by every check of the kit, and hold what they say of their quality against it."""
    from hub import logs  # noqa: PLC0415 - `hub --help` stays fast
    from hub.conformance.pack import installed_packs  # noqa: PLC0415

    logs.configure_events(level=50)  # what a host's death looks like is a result here, not news
    chosen = [*(names or []), *(installed_packs() if every else [])]
    if not chosen:
        fail("no pack was named", "Name one, name its folder, or add --all.")
    begun, tried = time.monotonic(), [_try(name, verbose=verbose, quiet=as_json) for name in chosen]
    failed = sum(each["failed"] + len(each["quality_faults"]) for each in tried)
    seconds = round(time.monotonic() - begun, 1)
    if as_json:
        emit({"packs": tried, "failed": failed, "seconds": seconds})
    else:
        say(f"packs: {len(tried)}, failures: {failed}, in {seconds} s")
    if failed:
        raise typer.Exit(WRONG)


def write_readme(folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A pack's folder.")]) -> None:
    """Write the manifest's facts into a pack's README, between the two lines that mark their place."""
    from hub.conformance.readme import NoPlace, write_facts  # noqa: PLC0415 - `hub --help` stays fast
    from hub.sdk.manifest import read_manifest  # noqa: PLC0415

    manifests = list(folder.glob("*/manifest.toml"))
    if len(manifests) != 1:
        fail(f"{folder} is not a pack's folder", "It holds pyproject.toml and one package with a manifest.toml.")
    try:
        manifest = read_manifest(manifests[0])
    except (OSError, ValueError) as error:
        fail(f"{manifests[0]} cannot be read: {error}")
    try:
        changed = write_facts(folder / "README.md", manifest)
    except (NoPlace, OSError, ValueError) as error:
        fail(str(error))
    say(f"{folder / 'README.md'} {'is written' if changed else 'was as the manifest says'}.")


def _try(name: str, *, verbose: bool, quiet: bool) -> dict[str, Any]:
    """Try one pack, telling of each check as it ends, and return its report."""
    from hub.conformance.pack import NoPack  # noqa: PLC0415
    from hub.conformance.quality import faults, read_quality, tier_of, unclaimed  # noqa: PLC0415
    from hub.conformance.run import trying  # noqa: PLC0415

    begun = time.monotonic()
    progress(f"Trying {name} ...")

    def tell(result: Result) -> None:
        if not quiet and (verbose or result.state in {"failed", "to do"}):
            _tell(result)

    try:
        with trying(name) as tried:
            results = tried.run_all(tell)
            pack = tried.pack
    except NoPack as error:
        fail(str(error))
    found = faults(pack.package, results)
    report = _report(pack, results, found, tier_of(read_quality(pack.package)), time.monotonic() - begun)
    report["unclaimed"] = unclaimed(pack.package, results)
    if not quiet:
        _tell_pack(report, found)
    return report


def _report(pack: Pack, results: list[Result], found: list[QualityFault], tier: str, seconds: float) -> dict[str, Any]:
    from hub.conformance.size import code_lines  # noqa: PLC0415

    counted = Counter(result.state for result in results)
    wrong = counted["failed"] or found
    return {
        "pack": pack.name,
        "version": pack.version,
        "quality": "none" if wrong else tier,
        "passed": counted["passed"],
        "failed": counted["failed"],
        "exempt": counted["exempt"],
        "to do": counted["to do"],
        "lines": code_lines(pack.package / "connector.py"),
        "seconds": round(seconds, 1),
        "quality_faults": [{"rule": each.rule, "what": each.what, "where": str(each.where)} for each in found],
        "checks": [
            {
                "connector": each.connector,
                "check": each.check.name,
                "rule": each.check.rule,
                "state": each.state,
                "why": each.why,
                "where": each.where,
                "fix": each.fix,
            }
            for each in results
        ],
    }


def _tell(result: Result) -> None:
    say(f"  {result.state:<7} {result.connector} {result.check.name}{f': {result.why}' if result.why else ''}")
    if result.state == "failed":
        say(f"          {result.where}")
        say(f"          mend it: {result.fix}")


def _tell_pack(report: dict[str, Any], found: list[QualityFault]) -> None:
    for each in found:
        say(f"  failed  quality {each.rule}: {each.what}")
        say(f"          {each.where}")
    if report["unclaimed"]:
        say(f'  quality "to do" whose checks pass, so write "done": {", ".join(report["unclaimed"])}')
    numbers = ", ".join(f"{report[name]} {name}" for name in ("passed", "failed", "to do", "exempt"))
    name = f"{report['pack']} {report['version']}"
    lines = f"connector.py {report['lines']} lines of code"
    say(f"{name}: {report['quality']}; {numbers}; {lines}; {report['seconds']} s")
