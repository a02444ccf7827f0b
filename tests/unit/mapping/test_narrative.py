"""Words for people as XHTML: read out of it again they are what was said, and nothing in it is markup of theirs."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mapping.narrative import narrative

XHTML = "{http://www.w3.org/1999/xhtml}"
#: What XML 1.0 can carry; the rest becomes a mark that something stood there.
CARRIED = st.characters(codec="utf-8").filter(
    lambda each: each in "\t\n\r" or "\u0020" <= each not in {"\ufffe", "\uffff"}
)


@given(st.text(CARRIED, min_size=1))
def test_words_are_read_out_as_they_were_said(words: str) -> None:
    # given / when
    made = narrative([words])
    # then
    assert made is not None
    (paragraph,) = ET.fromstring(made)
    assert paragraph.tag == f"{XHTML}p"
    assert paragraph.text == words
    assert not len(paragraph)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)
    )
)
def test_whatever_it_is_given_it_makes_xhtml_or_nothing(lines: object) -> None:
    made = narrative(lines)
    assert made is None or ET.fromstring(made).tag == f"{XHTML}div"


def test_a_line_with_names_is_a_list_of_them() -> None:
    made = narrative([{"Uses": ["heroin", "tobacco"], "Route": None, "Urgent": True}, [None, ["and a line"]]])
    assert made is not None
    assert made.endswith(
        "<dl><dt>Uses</dt><dd>heroin, tobacco</dd><dt>Urgent</dt><dd>yes</dd></dl><p>and a line</p></div>"
    )


@pytest.mark.parametrize("lines", [None, "", [], [[]], [None, ""], {"Uses": None}, [{"Uses": []}]])
def test_nothing_makes_nothing(lines: object) -> None:
    assert narrative(lines) is None


def test_what_xml_cannot_carry_is_marked() -> None:
    assert "<p>a\ufffdb</p>" in (narrative("a\x0bb") or "")
