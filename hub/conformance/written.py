"""Checks of what is written: manifest and class, mapping and cases, README, imports, and how small the code is."""

from __future__ import annotations

import ast
import html
import importlib.util
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hub.conformance.check import Place, check, wrong
from hub.conformance.readme import HEADINGS, facts_of, shown_facts
from hub.conformance.size import code_lines
from hub.conformance.stand import Stand
from hub.conformance.subject import MOST_LINES, line_of
from hub.host.main import TLS_SECRETS
from hub.mapping import Library, run_cases
from hub.mapping.codes import CodeList
from hub.mapping.load import load_mapping
from hub.partnership import shipped

#: What a connector has no business with: the host lends it one way out.
_OWN_WAYS_OUT = frozenset(
    {"socket", "ssl", "subprocess", "multiprocessing", "ctypes", "requests", "urllib3", "aiohttp"}
)
_HTTP = frozenset({"httpx", "http", "urllib"})
#: How a template asks for words that only the author has.
_ASKED = "write here "
_SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|whsec_[A-Za-z0-9+/]{20,}")


@check("manifest")
async def registers_what_its_manifest_declares(stand: Stand) -> None:
    """Its module imports, and offers this connector under the manifest's id."""
    subject = stand.subject
    if subject.facts is None:
        fix = f'register("{subject.connector}", …) in the module that the entry point names'
        wrong(subject.cannot_import or "the manifest's connector is not registered", Place(subject.code), fix)


@check("manifest")
async def is_the_version_its_manifest_says(stand: Stand) -> None:
    """Name and version of the manifest are the distribution's."""
    pack = stand.subject.pack
    if (pack.manifest.name, pack.manifest.version) != (pack.name, pack.version):
        wrong("the manifest is of another name or version", line_of(pack.manifest_file, "version"), "write both alike")


@check("manifest")
async def has_the_settings_its_manifest_names(stand: Stand) -> None:
    """`hosts` and `folders` are settings of the class; `optional_hosts` are settings that may be left out."""
    facts, of = stand.subject.facts, stand.subject.manifest
    fields = facts.settings if facts else {}
    for word, names in {"hosts": (*of.hosts, *of.optional_hosts), "folders": of.folders}.items():
        if missing := [name for name in names if name not in fields]:
            place = stand.subject.in_manifest(word)
            wrong(f"{word} names no setting: {missing[0]}", place, "name settings of the class")
    if wanted := [name for name in of.optional_hosts if fields[name]]:
        fix = "give it a default, or name it under hosts"
        wrong(f"{wanted[0]} is optional, and must be given", stand.subject.in_manifest("optional_hosts"), fix)
    if facts and not facts.strict:
        wrong("its settings let unknown ones pass", facts.place, "subclass hub.sdk.Settings")


@check("manifest")
async def uses_the_secrets_its_manifest_names(stand: Stand) -> None:
    """Every secret that it asks for is declared; each declared one is asked for, by it, its transport or mutual TLS."""
    subject = stand.subject
    declared = {name for each in subject.pack.manifest.connectors.values() for name in each.secrets}
    asked = {name for file in _sources(stand) for name in _asked_secrets(file)}
    lent = {name for file in _transports(stand) for name in _asked_secrets(file)} | set(TLS_SECRETS)
    if odd := sorted((asked ^ declared) - (declared & lent)):
        wrong(
            f"the secret {odd[0]} is declared or asked for, not both", subject.in_manifest("secrets"), "name it in both"
        )


@check("manifest")
async def has_the_verbs_its_manifest_promises(stand: Stand) -> None:
    """Callbacks, polling and reconciling are written where the manifest promises them, and nowhere else."""
    subject, of = stand.subject, stand.subject.manifest
    if subject.facts is None:
        return
    promised = {
        "parse_callback": bool({"callback", "message"} & set(of.answers)),
        "collect": "poll" in of.answers,
        "acknowledge": "poll" in of.answers,
        "deliver": True,
        "check": True,
    }
    for verb, wanted in promised.items():
        if wanted != (verb in subject.facts.verbs) and not (verb == "acknowledge" and wanted):
            says = "promises" if wanted else "does not promise"
            fix = f"write {verb}(), or change answers in the manifest"
            wrong(f"the manifest {says} what {verb}() does", subject.facts.at(verb), fix)
    if (of.reconcile == "none") == ("reconcile" in subject.facts.verbs):
        wrong(f"reconcile is {of.reconcile!r}", subject.in_manifest("reconcile"), "write reconcile(), or say none")


@check("mapping", "mapping")
async def passes_every_case_of_its_mapping(stand: Stand) -> None:
    """Each case makes the document beside it, or is refused as it says."""
    subject = stand.subject
    for result in run_cases(subject.mapping, _codes(stand)):
        if not result.passed:
            place = Place(subject.mapping / "cases" / f"{result.name}.in.json")
            wrong(f"case {result.name}: {result.why}", place, "mend the mapping, or the case if the document changed")


@check("mapping", "mapping")
async def touches_only_what_it_accepts(stand: Stand) -> None:
    """The mapping reaches the categories in `accepts`, all of them and no other."""
    subject = stand.subject
    reached = load_mapping(subject.mapping, _codes(stand)).categories
    if odd := sorted(reached ^ set(subject.manifest.accepts)):
        wrong(f"accepts and the mapping differ in {odd[0]}", subject.in_manifest("accepts"), "make them the same")


@check("cases", "mapping")
async def has_a_case_that_is_refused(stand: Stand) -> None:
    """A case shows what is refused, and at which place, when a required part is missing."""
    folder = stand.subject.mapping / "cases"
    if not list(folder.glob("*.refused.json")):
        wrong("no case is refused", Place(folder), "add a case without what the partner requires")


@check("cases", "mapping")
async def has_a_case_of_every_kind(stand: Stand) -> None:
    """Every kind of delivery that the manifest declares has a case."""
    for kind in stand.subject.manifest.kinds:
        stand.fullest(kind)


@check("cases", "mapping")
async def keeps_words_code_point_for_code_point(stand: Stand) -> None:
    """What the person said stands in the document as it was said, in any script."""
    for case in stand.cases:
        made = [*_texts(case.document)]
        made += [html.unescape(each) for each in made]
        said = [each["text"] for each in case.view.get("section", {}).get("in_their_words", ()) if each.get("text")]
        for text in said:
            if not text.isascii() and not any(text in each for each in made):
                fix = "use text_of() and change nothing of it"
                wrong(f"case {case.name} does not keep their words", Place(case.file), fix)


@check("lists")
async def says_where_its_code_lists_come_from(stand: Stand) -> None:
    """Each code list that the manifest names is there, with its source, version and date."""
    subject = stand.subject
    for name in subject.manifest.code_lists:
        files = [*subject.pack.package.rglob(f"{name}.csv"), *(shipped("mappings") / "codes").glob(f"{name}.csv")]
        if not files:
            wrong(f"there is no code list {name}", subject.in_manifest("code_lists"), f"add codes/{name}.csv")
        head = files[0].read_text(encoding="utf-8").splitlines()[:6]
        if missing := [tag for tag in ("source", "version", "date") if not any(f"# {tag}:" in line for line in head)]:
            wrong(f"the list does not say its {missing[0]}", Place(files[0]), f"begin it with # {missing[0]}: …")


@check("lists")
async def has_nothing_left_of_its_template(stand: Stand) -> None:
    """Manifest, README and code lists hold the author's words where the template asks for them."""
    pack = stand.subject.pack
    places = [(pack.manifest_file, pack.manifest_file.read_text(encoding="utf-8")), (pack.readme, pack.readme_text)]
    places += [(file, file.read_text(encoding="utf-8")) for file in sorted(pack.package.rglob("*.csv"))]
    for file, text in places:
        for number, line in enumerate(text.splitlines(), 1):
            if (at := line.lower().find(_ASKED)) >= 0:
                wrong(f'it still says "{line[at:].strip()[:60]}"', Place(file, number), "write there what it asks for")


@check("readme")
async def has_a_readme_in_business_words(stand: Stand) -> None:
    """Its README says what it does, needs, sends and gets, its limits, its acknowledgements, and what to do."""
    pack = stand.subject.pack
    found = set(re.findall(r"^## (.+?)\s*$", pack.readme_text, re.MULTILINE))
    if missing := [heading for heading in HEADINGS if heading not in found]:
        wrong(f'it has no "{missing[0]}"', Place(pack.readme), f"add ## {missing[0]}, with words a manager can read")


@check("readme")
async def has_a_readme_that_equals_its_manifest(stand: Stand) -> None:
    """The README's table of facts is the manifest's."""
    pack = stand.subject.pack
    if shown_facts(pack.readme_text) != facts_of(pack.manifest):
        place = line_of(pack.readme, "facts of the manifest")
        wrong("its table is not what the manifest says", place, "run hub connector readme FOLDER")


@check("imports")
async def imports_the_sdk_and_its_own_libraries_only(stand: Stand) -> None:
    """Of the hub it imports hub.sdk alone; whatever else it imports stands in its dependencies."""
    pack = stand.subject.pack
    own = pack.package.name
    for file in _sources(stand):
        for line, module in _imports(file):
            top = module.partition(".")[0]
            if top == "hub" and module != "hub" and not module.startswith("hub.sdk"):
                wrong(f"it imports {module}", Place(file, line), "import from hub.sdk alone")
            if top in {"hub", own} or top in sys.stdlib_module_names or file.name.startswith("sandbox"):
                continue
            if top.lower().replace("_", "-") not in {
                part for each in pack.requires for part in (each, re.split("[.-]", each)[0])
            }:
                wrong(f"{top} is not in its dependencies", Place(file, line), "add it to pyproject.toml")


@check("imports")
async def has_no_way_out_of_its_own(stand: Stand) -> None:
    """No module but the sandbox opens sockets, starts processes or brings an HTTP client."""
    for file in _sources(stand):
        if file.name.startswith("sandbox"):
            continue
        for line, module in _imports(file):
            if {module.partition(".")[0]} & (_OWN_WAYS_OUT | _HTTP) and not module.startswith("urllib.parse"):
                wrong(f"it imports {module}", Place(file, line), "send through context.send")


@check("imports")
async def holds_no_secret(stand: Stand) -> None:
    """No file of the package holds a key or a signing secret."""
    for file in sorted(stand.subject.pack.package.rglob("*")):
        if file.is_file() and file.suffix != ".pyc" and _SECRET.search(file.read_text("utf-8", "replace")):
            wrong("a file holds a secret", Place(file), "take it out, and renew it wherever it was used")


@check("host")
async def loads_nothing_heavy(stand: Stand) -> None:
    """Its import loads no server, no client and no model of a whole standard: a host is to be ready at once."""
    facts = stand.subject.facts
    if facts and facts.heavy:
        wrong(
            f"its import loads {facts.heavy[0]}", Place(stand.subject.code), "import it in the function that needs it"
        )


@check("size-of-code")
async def is_small_enough_to_be_read(stand: Stand) -> None:
    """The connector's module is within its transport's lines of code; no module is over 400 lines."""
    subject = stand.subject
    most, lines = MOST_LINES.get(subject.manifest.transport), code_lines(subject.code)
    if most and lines > most:
        wrong(f"{lines} lines of code, {most} are enough", Place(subject.code), "move reading into a module of its own")
    for file in _sources(stand):
        if (length := len(file.read_text(encoding="utf-8").splitlines())) > 400:
            wrong(f"{length} lines in one module", Place(file), "take it apart")


def _codes(stand: Stand) -> Callable[[str], CodeList]:
    return Library([stand.subject.pack.package / "mappings", shipped("mappings")]).codes


def _sources(stand: Stand) -> list[Path]:
    return sorted(stand.subject.pack.package.rglob("*.py"))


def _imports(file: Path) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, each.name) for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.append((node.lineno, node.module))
    return found


def _transports(stand: Stand) -> set[Path]:
    """Return the files of the SDK's transports that the pack stands on."""
    modules = {module for file in _sources(stand) for _, module in _imports(file)}
    found = (importlib.util.find_spec(module) for module in modules if module.startswith("hub.sdk.transports."))
    return {Path(spec.origin) for spec in found if spec and spec.origin}


def _asked_secrets(file: Path) -> set[str]:
    """Return the names in `….secrets["name"]` and `….secrets.get("name")`."""
    text = file.read_text(encoding="utf-8")
    return set(re.findall(r"""\.secrets(?:\[|\.get\()\s*["']([a-z0-9_-]+)["']""", text))


def _texts(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
