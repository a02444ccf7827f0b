"""A document as CSV, XML and a form: exact, harmless, and the same words."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mapping.document import MappingError
from hub.mapping.encode import write_xml
from hub.mapping.load import load_mapping

HEAD = "document: letter\nversion: 1.0.0\ncontent_type: {}\ntemplate:\n"
ROW = """
  $if: "delivery.kind == 'share'"
  then:
    reference: {$: share.reference}
    words: {$?: "section.goal[].text"}
  else: {reference: {$: share.reference}, note: Please stop.}
"""
VIEW = {
    "delivery": {"kind": "share"},
    "share": {"reference": "K7M-4QX"},
    "section": {"goal": [{"text": "=cmd()"}, {"text": "a bed"}]},
}


def mapping(folder: Path, content_type: str, template: str = ROW):
    (folder / "mapping.yaml").write_text(HEAD.format(content_type) + template.lstrip("\n"), encoding="utf-8")
    return load_mapping(folder, folder)


def test_a_csv_document_has_every_column_of_every_choice_and_obeys_nothing(tmp_path: Path) -> None:
    made = mapping(tmp_path, "text/csv; charset=utf-8")
    # when a share and what takes it back are written
    rows = [list(csv.reader(io.StringIO(made.run(VIEW | {"delivery": {"kind": kind}}).decode()))) for kind in
            ("share", "please_stop_using")]  # fmt: skip
    # then both have the same columns, and no cell begins a formula
    assert rows[0] == [["reference", "words", "note"], ["K7M-4QX", "'=cmd(); a bed", ""]]
    assert rows[1] == [["reference", "words", "note"], ["K7M-4QX", "", "Please stop."]]
    # and a case shows what it says, not how it is written
    assert made.document_of(VIEW) == {"reference": "K7M-4QX", "words": ["=cmd()", "a bed"]}


@pytest.mark.parametrize("template", ["  - {$: share.reference}\n", "  a: {b: 1}\n", "  a: [1]\n"])
def test_what_is_no_line_of_a_table_is_refused_when_it_is_loaded(tmp_path: Path, template: str) -> None:
    with pytest.raises(MappingError, match="CSV"):
        mapping(tmp_path, "text/csv", template)


@given(st.text(), st.text(min_size=1))
def test_words_in_xml_are_read_back_as_they_were_and_name_nothing(words: str, name: str) -> None:
    try:
        (words + name).encode()
    except UnicodeEncodeError:
        return  # refused before it is written
    made = write_xml("letter", {"said": [words, {name: words}], "gone": None, "yes": True})
    assert b"<!DOCTYPE" not in made.partition(b"<letter>")[0]
    root = ElementTree.fromstring(made)
    kept = "".join(c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "\ufffd"
                   for c in words)  # fmt: skip
    assert (root[0].text or "") == kept
    assert (root[1][0].text or "") == kept
    assert [each.tag for each in root] == ["said", "said", "yes"]


def test_a_form_names_what_lies_within_by_brackets(tmp_path: Path) -> None:
    made = mapping(
        tmp_path, "application/x-www-form-urlencoded", '  - {surname: "Ní & Co", tags: [a, b], gone: null}\n'
    )
    assert parse_qsl(made.run(VIEW).decode(), strict_parsing=True) == [
        ("0[surname]", "Ní & Co"),
        ("0[tags][0]", "a"),
        ("0[tags][1]", "b"),
    ]
