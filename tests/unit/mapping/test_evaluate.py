"""What was prepared gives what jmespath's own interpreter gives, for every part of the language that mappings have."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.mapping.expression import Compiler

COMPILER = Compiler({})
#: One of each part, and the two shapes in which `a.b` and lists meet.
TEXTS = (
    "share.a", "share.a.b", "share.a.b.a", "share.a || share.b", "share.a && share.b", "share.a | b", "share.a[0]",
    "share.a[0].b", "share.a[-1] || 'none'", "share.a[].b", "share.a[*].b", "share.a[?b].b", "share.a[:1]",
    "share.[a, b]", "share.{x: a, y: b.a}", "!(share.a)", "share.a == share.b", "share.a != `1`", "share.a < share.b",
    "share.a || share.b || 'x'", "(share.a && share.b).a", "'text'", "`{\"a\": [1]}`", "share.a.b && !(share.a.a)",
)  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "x", "y"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=12,
)


@pytest.mark.parametrize("text", TEXTS)
@settings(max_examples=25, deadline=None)
@given(share=VALUES)
def test_it_gives_what_the_interpreter_gives(text: str, share: Any) -> None:
    view = {"share": share}
    try:
        expected = jmespath.search(text, view)
    except TypeError:  # `<` between a text and a number is null in mappings
        expected = None
    assert COMPILER.compile(text)(view) == expected
