"""A mapping's cases: for a view, the document that must come out, or the refusal; a champion can read both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.domain.errors import MissingLeaf
from hub.mapping.codes import FindCodes
from hub.mapping.document import MappingError, Place
from hub.mapping.load import load_mapping
from hub.mapping.template import Mapping, NotSendable

#: Holds the digest that a version had when it was released: from then on it is never edited.
RELEASED = "released.sha256"


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What became of one case; `why` is empty when it passed, else says where the documents differ."""

    name: str
    passed: bool
    why: str = ""


def run_cases(folder: Path, codes: Path | FindCodes | None = None) -> list[CaseResult]:
    """Run every case of a mapping folder, and check that a released version is as it was released.

    `codes` defaults to the folder `codes` beside the document's folder. A mapping that does not load, or has no case,
    gives one failed result.
    """
    try:
        mapping = load_mapping(folder, codes if codes is not None else folder.parent.parent / "codes")
    except MappingError as error:
        return [CaseResult("load", passed=False, why=str(error))]
    results = [_run(mapping, file) for file in sorted((folder / "cases").glob("*.in.json"))]
    results.extend(_strays(folder / "cases"))
    if not results:
        results.append(CaseResult("cases", passed=False, why="there are no cases: add cases/<name>.in.json"))
    released = folder / RELEASED
    if released.is_file():
        same = released.read_text(encoding="ascii").strip() == mapping.source_digest
        why = "" if same else "this version is released and was edited since: put it back, and make a new version"
        results.append(CaseResult("released", passed=same, why=why))
    return results


def release(folder: Path, codes: Path | FindCodes) -> str:
    """Freeze a version whose cases all pass, and return its digest; raise `MappingError` when it may not be."""
    failed = next((result for result in run_cases(folder, codes) if not result.passed), None)
    if failed:
        raise Place(folder / RELEASED).wrong(f"case {failed.name} fails")
    digest = load_mapping(folder, codes).source_digest
    (folder / RELEASED).write_text(digest + "\n", encoding="ascii")
    return digest


def _run(mapping: Mapping, file: Path) -> CaseResult:
    name = file.name.removesuffix(".in.json")
    wanted_file = file.with_name(f"{name}.out.json")
    refused_file = file.with_name(f"{name}.refused.json")
    if wanted_file.is_file() == refused_file.is_file():
        return CaseResult(name, passed=False, why=f"needs either {wanted_file.name} or {refused_file.name}")
    try:
        view = _read(file)
        wanted = _read(wanted_file if wanted_file.is_file() else refused_file)
    except ValueError as error:
        return CaseResult(name, passed=False, why=f"is not JSON: {error}")
    if not isinstance(view, dict):
        return CaseResult(name, passed=False, why=f"{file.name} is an object")
    refused: dict[str, Any] | None = None
    made: Any = None
    try:
        made = mapping.document_of(view)
        mapping.run(view)  # it can also be written in its content type
    except MissingLeaf as missing:
        refused = {"path": missing.path, "categories": list(missing.categories)}
    except NotSendable as error:
        return CaseResult(name, passed=False, why=str(error))
    if refused_file.is_file():
        where = (
            ""
            if refused == wanted
            else f"should be refused as the case says, and was {json.dumps(refused) if refused else 'not refused'}"
        )
    elif refused is not None:
        where = f"was refused: nothing to put at {refused['path'] or '/'}"
    else:
        where = difference(wanted, made)
    return CaseResult(name, passed=not where, why=where)


def _strays(folder: Path) -> list[CaseResult]:
    """Name every outcome that no case leads to, so that a misspelt file is not silently skipped."""
    found = []
    for file in sorted(folder.glob("*.json")):
        stem, _, kind = file.name.removesuffix(".json").rpartition(".")
        if kind not in {"in", "out", "refused"} or not (folder / f"{stem}.in.json").is_file():
            found.append(CaseResult(file.name, passed=False, why="belongs to no <name>.in.json"))
    return found


def _read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def difference(wanted: Any, made: Any, path: str = "") -> str:
    """Return the first place where two JSON values differ, as a pointer and what is there, or an empty text.

    A case's values are made up, so they may be shown. Key order counts: the template fixes it.
    """
    if isinstance(wanted, dict) and isinstance(made, dict):
        return _difference_of_objects(wanted, made, path)
    if isinstance(wanted, list) and isinstance(made, list):
        pairs = enumerate(zip(wanted, made, strict=False))
        inside = (difference(left, right, f"{path}/{number}") for number, (left, right) in pairs)
        count = (
            "" if len(wanted) == len(made) else f"{path or '/'}: has {len(made)}, should have {len(wanted)} elements"
        )
        return next(filter(None, inside), count)
    if type(wanted) is type(made) and wanted == made:
        return ""
    shown = [json.dumps(value, ensure_ascii=False) for value in (made, wanted)]
    return f"{path or '/'}: is {shown[0]}, should be {shown[1]}"


def _difference_of_objects(wanted: dict[str, Any], made: dict[str, Any], path: str) -> str:
    for key, value in wanted.items():
        if key not in made:
            return f"{path}/{key}: is missing"
        if found := difference(value, made[key], f"{path}/{key}"):
            return found
    extra = next((key for key in made if key not in wanted), None)
    if extra is not None:
        return f"{path}/{extra}: should not be there"
    return "" if list(wanted) == list(made) else f"{path or '/'}: has its keys in another order"
