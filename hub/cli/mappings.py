"""`hub mappings`: run the cases of every mapping there is, and read what goes in and what comes out."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hub.cli.instance import DEFAULT_FOLDER, AsJson, Folder, configuration_of
from hub.cli.output import WRONG, emit, fail, progress, say

if TYPE_CHECKING:
    from hub.mapping import CaseResult

app = typer.Typer(help="Mappings: what each partner's document is made from.", no_args_is_help=True)

Folders = Annotated[
    list[Path] | None,
    typer.Argument(
        metavar="[FOLDER]...", help="A mapping's folder, one that holds <document>/<version> folders, or a pack's."
    ),
]
Show = Annotated[bool, typer.Option("--show", help="Print what each case is given and what comes out.")]


@app.command("test")
def run_all(
    folders: Folders = None, show: Show = False, folder: Folder = DEFAULT_FOLDER, as_json: AsJson = False
) -> None:
    """Run every case of every mapping: the instance's, each installed pack's and those the hub ships."""
    from hub.mapping import Library, run_cases  # noqa: PLC0415 - `hub --help` stays fast

    known = _known_folders(folder)
    asked = folders or known
    if not (found := [each for place in asked for each in _mappings_in(place)]):
        fail(f"there is no mapping in {', '.join(map(str, asked))}", "A mapping is <document>/<version>/mapping.yaml.")
    # Code lists are found as the hub finds them: the folder that was asked about first, then the instance's order.
    codes = Library([*_roots(found if folders else []), *known]).codes
    results = []
    for mapping in found:
        if not as_json:
            say(f"{'/'.join(mapping.parts[-2:])}  {mapping}")
        for result in run_cases(mapping, codes):
            results.append((mapping, result))
            if not as_json:
                _print(mapping, result, show=show)
    failed = sum(not result.passed for _, result in results)
    if as_json:
        emit({"passed": len(results) - failed, "failed": failed, "cases": [_facts(*each, show) for each in results]})
    else:
        say(f"{len(results) - failed} passed, {failed} failed, in {len(found)} mappings")
    if failed:
        progress(f"hub: cases that failed: {failed}; mend the mapping, or the case if the document was meant to change")
        raise typer.Exit(WRONG)


def _known_folders(folder: Path) -> list[Path]:
    """Return where mappings live: of an instance where there is one, of every installed pack, and the hub's own."""
    from hub import partnership  # noqa: PLC0415
    from hub.host import discovery  # noqa: PLC0415

    own: list[Path] = []
    if (folder / "hub.toml").exists():
        own = [configuration_of(folder).path("mappings")]
    # A mapping is data: reading one of a pack that may not run loads none of its code.
    packs = [plugin.folder / "mappings" for plugin in discovery.find_plugins([]) if plugin.folder]
    return [each for each in (*own, *packs, partnership.shipped("mappings")) if each.is_dir()]


def _mappings_in(place: Path) -> Iterator[Path]:
    if not place.is_dir():
        fail(f"{place} is not a folder")
    if (place / "mapping.yaml").is_file():
        yield place.resolve()
    for depth in ("*/*/mapping.yaml", "*/mapping.yaml", "mappings/*/*/mapping.yaml", "*/mappings/*/*/mapping.yaml"):
        yield from sorted(file.parent.resolve() for file in place.glob(depth))


def _roots(folders: list[Path]) -> list[Path]:
    """Return the folders that hold `codes/` for the mappings asked about."""
    candidates = dict.fromkeys(root for each in folders for root in (each, *each.resolve().parents[:2]))
    return [root for root in candidates if (root / "codes").is_dir()]


def _print(mapping: Path, result: CaseResult, *, show: bool) -> None:
    say(f"  {'passed' if result.passed else 'FAILED'}  {result.name}{f': {result.why}' if result.why else ''}")
    if show:
        for title, document in _documents(mapping, result.name).items():
            say(f"    {title}:")
            for line in _readable(document):
                say(f"      {line}")


def _facts(mapping: Path, result: CaseResult, show: bool) -> dict[str, Any]:
    documents = _documents(mapping, result.name) if show else {}
    name = "/".join(mapping.parts[-2:])
    return {"mapping": name, "case": result.name, "passed": result.passed, "why": result.why, **documents}


def _documents(mapping: Path, case: str) -> dict[str, Any]:
    """Return a case's documents as they are on disk; the people in them are made up."""
    files = {kind: mapping / "cases" / f"{case}.{kind}.json" for kind in ("in", "out", "refused")}
    try:
        return {kind: json.loads(file.read_text(encoding="utf-8")) for kind, file in files.items() if file.is_file()}
    except ValueError:  # the case has failed already, and said why
        return {}


def _readable(document: Any) -> list[str]:
    """Return a document as indented lines without brackets or quotes, for somebody who does not read JSON."""
    from ruamel.yaml import YAML  # noqa: PLC0415

    writer = YAML()
    writer.default_flow_style = False
    writer.width = 100
    text = io.StringIO()
    writer.dump(document, text)
    return text.getvalue().splitlines()
