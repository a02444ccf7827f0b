"""Allowing a plugin changes its own lines of connectors.toml and no other."""

from __future__ import annotations

import tomllib

import pytest

from hub.cli.allow_list import NotOurs, put, replaced

OTHER = '# kept\n\n[[allow]]\n# of the other\nname = "other"\nversion = "2.0"\nsha256 = "bb"\n'


def names(text: str) -> dict[str, str]:
    """Return what a file allows: hash by name."""
    return {each["name"]: each["sha256"] for each in tomllib.loads(text)["allow"]}


def test_a_new_plugin_is_added_and_comments_stay() -> None:
    after = replaced(OTHER, "housing", "0.1.0", "aa")

    assert names(after) == {"other": "bb", "housing": "aa"}
    assert after.startswith(OTHER)


def test_a_known_plugin_is_replaced_wherever_it_stands() -> None:
    before = replaced(replaced("", "housing", "0.1.0", "aa"), "other", "2.0", "bb")

    after = replaced(before, "housing", "0.2.0", "cc")

    assert names(after) == {"other": "bb", "housing": "cc"}
    assert after.count("housing") == 1


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "\n\n"])
def test_an_empty_list_takes_its_first_entry(text) -> None:
    assert names(replaced(text, "housing", "0.1.0", "aa")) == {"housing": "aa"}


@pytest.mark.parametrize(
    "text",
    [
        'allow = [{ name = "housing", version = "0.1.0", sha256 = "bb" }]\n',
        "allow = []\n",
        "this is not TOML",
        '[other]\nkey = "value"\n',
    ],
)
def test_a_file_written_another_way_is_left_alone(tmp_path, text) -> None:
    # given a list in a form that lines cannot be swapped in
    file = tmp_path / "connectors.toml"
    file.write_text(text, encoding="utf-8")

    # when a plugin is to be allowed, then it is refused
    with pytest.raises(NotOurs):
        put(file, "housing", "0.1.0", "aa")

    # and the file is as it was, with nothing beside it
    assert file.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [file]


def test_the_file_is_nobody_elses(tmp_path) -> None:
    put(tmp_path / "connectors.toml", "housing", "0.1.0", "aa")

    assert (tmp_path / "connectors.toml").stat().st_mode & 0o777 == 0o600
