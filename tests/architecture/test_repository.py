"""The tree holds what it should and nothing it should not: no stray folder, machine path, host or secret."""

from __future__ import annotations

import re
from pathlib import Path

TOP = {"config", "hub", "mappings", "plugins", "tests"}
FILES = {"LICENSE", "Makefile", "README.md", "pyproject.toml", "requirements.txt", "requirements-dev.txt"}

#: Written so that no pattern finds itself here.
PLACES = re.compile(r"(?<![\w.~-])/(?:work|root)/\w|/tmp/(?:brief|bash)|pypi\.org|pythonhosted\.org|npmjs\.(?:org|com)")
SECRETS = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}|\bxox[abp]-\w{10,}")
TICKETS = re.compile(r"(?i)\b(?:issue|closes|fixes|ticket|pull request)\s*#\d+")


def texts(root: Path, tracked: tuple[Path, ...]) -> dict[Path, str]:
    """Return every tracked file that is text."""
    found = {}
    for path in tracked:
        try:
            found[path] = (root / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return found


def test_the_top_level_is_fixed(tracked) -> None:
    # given what stands at the top, dot-files apart
    top = {path.parts[0] for path in tracked if not path.parts[0].startswith(".")}

    # then it is the agreed set
    assert top - FILES <= TOP
    assert top >= FILES | TOP


def test_no_file_names_a_machine_a_registry_or_a_ticket(root, tracked) -> None:
    found = {
        f"{path}:{text.count(chr(10), 0, hit.start()) + 1}"
        for path, text in texts(root, tracked).items()
        if path != Path("tests/architecture/test_repository.py")
        for pattern in (PLACES, TICKETS)
        for hit in pattern.finditer(text)
    }
    assert found == set()


def test_no_file_holds_a_secret(root, tracked) -> None:
    found = {str(path) for path, text in texts(root, tracked).items() if SECRETS.search(text)}
    assert found == set()


def test_what_the_hub_makes_is_not_kept_in_the_tree(tracked) -> None:
    made = {str(path) for path in tracked if path.suffix in {".db", ".sqlite", ".pem", ".key", ".pyc", ".log"}}
    assert made == set()


def test_every_plugin_has_the_same_set_of_files(root: Path) -> None:
    # given the plugins that ship
    plugins = [folder for folder in (root / "plugins").iterdir() if (folder / "pyproject.toml").is_file()]
    assert plugins

    # then each has what the others have
    for folder in plugins:
        package = folder / f"hub_{folder.name}"
        wanted = ("__init__.py", "manifest.toml", "connector.py", "sandbox.py", "mappings")
        assert [name for name in wanted if not (package / name).exists()] == [], folder.name
        assert (folder / "README.md").is_file()
        assert any((folder / "tests").glob("test_*.py"))
