"""Code lists: what a file must say, and what is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hub.mapping import MappingError, read_codes

ABOUT = "# source: the partner's guide, page 3: codes\n# version: 2\n# date: 2026-11-20\n"


def test_a_list_says_where_it_comes_from(tmp_path: Path) -> None:
    # given a list with a quoted cell, an empty cell, another column, and a byte order mark
    file = tmp_path / "reasons.csv"
    file.write_text("\ufeff" + ABOUT + 'code,word,title\na,A,"one, two"\n\nb,,Two\n', encoding="utf-8")
    # when read
    codes = read_codes(file)
    # then its words and its provenance are there
    assert (codes.name, codes.source, codes.version) == ("reasons", "the partner's guide, page 3: codes", "2")
    assert codes.date == date(2026, 11, 20)
    assert codes.columns == ("word", "title")
    assert [codes.word("a"), codes.word("a", "title"), codes.word("b"), codes.word("b", "title")] == [
        "A",
        "one, two",
        None,
        "Two",
    ]
    assert codes.word("c") is None


@pytest.mark.parametrize(
    ("content", "line", "why"),
    [
        ("code,word\na,A\n", 1, "source"),
        (ABOUT.replace("# version: 2\n", "") + "code,word\n", 1, "version"),
        (ABOUT.replace("2026-11-20", "20 November"), 1, "date is written"),
        (ABOUT, 0, "no columns"),
        (ABOUT + "word,code\na,A\n", 4, "columns are code, word"),
        (ABOUT + "code,word,word\na,A,B\n", 4, "columns are code, word"),
        (ABOUT + "code,word\na,A\na,B\n", 6, "in the list already"),
        (ABOUT + "code,word\n,A\n", 5, "code is empty"),
        (ABOUT + "code,word\na,A,B\n", 5, "other columns"),
        (ABOUT + "code,word\na\n", 5, "other columns"),
        (ABOUT + "code,word\na,A\n# late: comment\n", 0, "before the columns"),
        (ABOUT + 'code,word\na,"A\n', 5, "quote that is not closed"),
        (ABOUT + "code,word\na," + "A" * 1001, 5, "cell over 1000"),
        (ABOUT + "code,word\n" + "a,A\n" * 70_000, 0, "larger than 256 KB"),
    ],
)
def test_a_wrong_list_is_refused_with_its_line(tmp_path: Path, content: str, line: int, why: str) -> None:
    file = tmp_path / "reasons.csv"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(MappingError, match=why) as refused:
        read_codes(file)
    assert (refused.value.file, refused.value.line) == (file, line)


def test_a_list_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"# source: \xff")
    with pytest.raises(MappingError, match="UTF-8"):
        read_codes(tmp_path / "x.csv")


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parents[3] / "mappings" / "codes").glob("*.csv")), ids=lambda file: file.stem
)
def test_what_the_hub_ships_is_complete(file: Path) -> None:
    # given a shipped list, when read, then every code has a word, and every other column is filled
    codes = read_codes(file)
    assert codes.rows
    assert all(codes.word(code, column) for code in codes.rows for column in codes.columns)
