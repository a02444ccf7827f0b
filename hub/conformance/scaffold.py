"""Makes a new pack from templates: everything that a connector needs to be tried, ready to be changed."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from hub.conformance.quality import RULES
from hub.conformance.readme import BEGIN, END, write_facts
from hub.domain.errors import MissingLeaf
from hub.mapping import load_mapping
from hub.sdk.manifest import read_manifest

TEMPLATES = Path(__file__).parent / "templates"

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_WORD = re.compile(r"@@(\w+)@@")


class CannotMake(Exception):
    """The pack was not made; the message says why and what to do."""


def transports() -> list[str]:
    """Return the transports that there are templates for."""
    return sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir() and folder.name != "every")


def make_pack(name: str, transport: str, parent: Path) -> Path:
    """Write a new pack into `parent`/`name` and return its folder; raises `CannotMake`."""
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise CannotMake("a pack's name is small letters, digits and single hyphens, 40 at the most: river-trust")
    if transport not in transports():
        raise CannotMake(f"there is no template for {transport}; there are: {', '.join(transports())}")
    folder = parent / name
    if folder.exists():
        raise CannotMake(f"{folder} is there already: choose another name or place")
    words = _words(name, transport)
    try:
        for source in (TEMPLATES / "every", TEMPLATES / transport):
            _write(source, folder, words)
        package = folder / words["package"]
        _write_cases(package)
        _write_quality(package, transport)
        write_facts(folder / "README.md", read_manifest(package / "manifest.toml"))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


def _words(name: str, transport: str) -> dict[str, str]:
    package = f"hub_{name.replace('-', '_')}"
    title = name.replace("-", " ").capitalize()
    said = dict(_sections(TEMPLATES / transport / "words.txt"))
    return said | {
        "name": name,
        "package": package,
        "distribution": package.replace("_", "-"),
        "Class": "".join(part.capitalize() for part in name.split("-")),
        "title": title,
        "summary": f"Refers a person to {title}, and brings back what its team says.",
        "today": datetime.now(UTC).date().isoformat(),
        "facts_begin": BEGIN,
        "facts_end": END,
    }


def _sections(file: Path) -> list[tuple[str, str]]:
    """Read `[word]` headings and the text below each."""
    parts = re.split(r"(?m)^\[(\w+)\]\n", file.read_text(encoding="utf-8"))[1:]
    return [(name, text.strip()) for name, text in zip(parts[::2], parts[1::2], strict=True)]


def _write(source: Path, folder: Path, words: Mapping[str, str]) -> None:
    for file in sorted(source.rglob("*.txt")):
        relative = file.relative_to(source)
        if relative.name == "words.txt":
            continue
        places = {"package": words["package"], "document": f"{words['name']}-referral"}
        parts = [places.get(part, part) for part in relative.parts]
        target = folder.joinpath(*parts).with_suffix("")
        target.parent.mkdir(parents=True, exist_ok=True)
        text = file.read_text(encoding="utf-8")
        for _ in range(2):  # what a word stands for may hold words too
            text = _WORD.sub(lambda found: words.get(found[1], found[0]), text)
        target.write_text(text, encoding="utf-8")


def _write_cases(package: Path) -> None:
    """Write what each case makes, or is refused: the author reads it, and it holds from then on."""
    for mapping_file in package.glob("mappings/*/*/mapping.yaml"):
        folder = mapping_file.parent
        mapping = load_mapping(folder, folder.parent.parent / "codes")
        for case in folder.glob("cases/*.in.json"):
            view, stem = json.loads(case.read_text(encoding="utf-8")), case.name.removesuffix(".in.json")
            try:
                kind, made = "out", mapping.document_of(view)
            except MissingLeaf as missing:
                kind, made = "refused", {"path": missing.path, "categories": list(missing.categories)}
            text = json.dumps(made, indent=2, ensure_ascii=False) + "\n"
            case.with_name(f"{stem}.{kind}.json").write_text(text, encoding="utf-8")


def _write_quality(package: Path, transport: str) -> None:
    """Say "done" of bronze; the author says the rest, and why, as it becomes so."""
    words = dict(_sections(TEMPLATES / transport / "words.txt"))
    exempt = words.get("exempt_rules", "").split()
    lines = [
        "# What this pack says of its quality; hub connector test holds every line against its checks.",
        "",
        "[rules]",
    ]
    for rule, (tier, says) in RULES.items():
        said = f"exempt: {words['exempt_reason']}" if rule in exempt else ("done" if tier == "bronze" else "to do")
        lines.append(f'{rule} = "{said}"  # {tier}: {says}')
    (package / "quality.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
