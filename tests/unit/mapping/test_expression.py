"""Properties of expressions, over random ones: nothing outside the claimed categories is read, and words stay whole."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import orjson
import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from hub.domain.share import Category
from hub.mapping.document import Items, MappingError, Place, Table, Tree, Word
from hub.mapping.expression import MAX_COPIES, Compiler, Refused
from hub.mapping.functions import functions
from hub.mapping.template import Builder, Mapping, MissingLeaf

CATEGORIES = [str(category) for category in Category]
FEW = ["housing", "goal", "money"]
COMPILER = Compiler({})
PLACE = Place(Path(__file__))


class Watched(dict[str, Any]):
    """The sections of a view, which note each category that is asked for and allow no other way in."""

    def __init__(self, sections: dict[str, Any]) -> None:
        super().__init__(sections)
        self.touched: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.touched.add(key)
        return super().get(key, default)

    def _closed(self, *_: object) -> NoReturn:
        raise AssertionError("reached the sections without a category's name")

    __iter__ = __getitem__ = __len__ = __contains__ = keys = values = items = _closed  # type: ignore[assignment]


class WatchedView(dict[str, Any]):
    """The whole view, which may be entered by name only."""

    def _closed(self, *_: object) -> Iterator[str]:
        raise AssertionError("reached the whole view")

    __iter__ = __len__ = keys = values = items = _closed  # type: ignore[assignment]


def canary(category: str) -> str:
    return f"<<{category}>>"


def sections() -> dict[str, list[dict[str, Any]]]:
    """Every category, each with its own canary wherever a value can stand."""
    return {
        category: [
            {
                "id": canary(category),
                "fields": {"a": canary(category), "b": [canary(category), ""], "c": False},
                "text": canary(category),
                "said": {"by": canary(category), "how": "heard_directly", "on": "2026-11-18"},
            },
            {"id": "2", "fields": {}, "text": "", "said": None},
        ]
        for category in CATEGORIES
    }


def watched(keep: set[str] | None = None) -> WatchedView:
    held = {name: value for name, value in sections().items() if keep is None or name in keep}
    return WatchedView(section=Watched(held), share={"reference": "K7M-4QX", "urgent": False}, consent={"facts": {}})


def _expressions() -> st.SearchStrategy[str]:
    """Expressions by the grammar's own shapes and by the forbidden ones, nested into each other."""
    names = st.sampled_from([*FEW, "text", "fields", "a", "b", "id", "said", "by", "section", "share", "reference"])
    start = st.one_of(
        st.sampled_from([f"section.{name}" for name in FEW]),
        st.sampled_from([f"section.{name}" for name in FEW]),
        st.sampled_from(["share.reference", "share", "consent.facts", "section", "@", "*", "`1`", "'x'", "section.*"]),
    )
    one = st.sampled_from(sorted(name for name, known in functions({}).items() if known.least == 1))
    inner = st.sampled_from(
        ["@", "text", "id", "fields.a", "fields.b", "said.by", "said", "section.money", "*", "fields.*"]
    )

    def grow(inside: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pair = st.tuples(inside, inside)
        step = st.tuples(inside, inner)
        return st.one_of(
            st.tuples(inside, names).map(lambda p: f"{p[0]}.{p[1]}"),
            st.tuples(inside, st.sampled_from(["[]", "[*]", "[0]", "[-1]", "[::2]", "[1:]"])).map("".join),
            step.map(lambda p: f"{p[0]}[].{{x: {p[1]}, y: @}}"),
            step.map(lambda p: f"{p[0]}[?{p[1]}]"),
            step.map(lambda p: f"{p[0]} | {p[1]}"),
            step.map(lambda p: f"({p[0]})[*].{p[1]}"),
            pair.map(lambda p: f"{p[0]} || {p[1]}"),
            pair.map(lambda p: f"({p[0]} && {p[1]})"),
            pair.map(lambda p: f"{p[0]} == {p[1]}"),
            pair.map(lambda p: f"{p[0]} < {p[1]}"),
            pair.map(lambda p: f"[{p[0]}, {p[1]}]"),
            pair.map(lambda p: f"{{p: {p[0]}, q: {p[1]}}}"),
            pair.map(lambda p: f"concat({p[0]}, {p[1]})"),
            pair.map(lambda p: f"contains({p[0]}, {p[1]})"),
            inside.map(lambda e: f"join(', ', {e})"),
            inside.map(lambda e: f"!({e})"),
            st.tuples(one, inside).map(lambda p: f"{p[0]}({p[1]})"),
        )

    return st.recursive(start, grow, max_leaves=6)


def leaf(kind: str, expression: str) -> Tree:
    return Table(PLACE, {kind: Word(PLACE, expression)}, {kind: PLACE})


def build(*leaves: Tree) -> Mapping:
    builder = Builder(COMPILER)
    part = builder.build(Items(PLACE, (*leaves, Word(PLACE, "end"))))
    return Mapping("x", "1.0.0", "application/json", frozenset(builder.categories), "", "", part)


@settings(max_examples=1500, deadline=None)
@given(_expressions())
def test_what_loads_touches_only_what_it_claims(expression: str) -> None:
    # given a random expression that the proof lets through
    try:
        compiled = COMPILER.compile(expression)
    except Refused:
        event("refused")
        return
    event("loaded")
    # when run over a view of every category that watches how it is read
    view = watched()
    value = compiled(view)
    # then it read no category beyond its claim, and holds no other category's canary
    assert view["section"].touched <= compiled.categories
    seen = set(re.findall("<<([a-z_]+)>>", json.dumps(value).lower()))
    assert seen <= compiled.categories


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["$", "$?"]), _expressions()), min_size=1, max_size=4),
    st.sets(st.sampled_from(CATEGORIES)),
    st.booleans(),
)
def test_a_mapping_never_sends_what_the_view_does_not_hold(
    chosen: list[tuple[str, str]], keep: set[str], nested: bool
) -> None:
    # given a mapping of random leaves, some in choices, and a consent for some categories
    leaves = []
    for kind, expression in chosen:
        made = leaf(kind, expression)
        if nested:
            entries: dict[str, Tree] = {"$if": Word(PLACE, expression), "then": made, "else": Word(PLACE, "none")}
            made = Table(PLACE, entries, dict.fromkeys(entries, PLACE))
        try:
            build(made)
        except MappingError:
            continue
        leaves.append(made)
    assume(leaves)
    mapping = build(*leaves)

    def run(held: set[str]) -> bytes | tuple[str, tuple[str, ...]]:
        try:
            return mapping.run(watched(held))
        except MissingLeaf as missing:
            return missing.path, missing.categories

    # when run, then nothing but the kept categories arrives
    made_bytes = run(keep)
    if isinstance(made_bytes, bytes):
        assert set(re.findall("<<([a-z_]+)>>", made_bytes.decode().lower())) <= keep & mapping.categories
    # and what the mapping does not claim makes no difference to what is sent
    assert made_bytes == run(keep & mapping.categories)


@settings(max_examples=400, deadline=None)
@given(_expressions(), st.integers(2, 5))
def test_what_loads_cannot_grow_beyond_its_copies(expression: str, steps: int) -> None:
    # given an expression that is piped into a doubling several times
    try:
        compiled = COMPILER.compile(f"({expression})" + " | [@, @]" * steps)
    except Refused:
        return
    # when run, then the canaries in it are no more than the copies allowed times those in the view
    view = watched()
    wrote = json.dumps(compiled(view)).count("<<")
    assert wrote <= MAX_COPIES * json.dumps(sections()).count("<<")


#: Every code point that JSON can carry: astral, right to left, combining, private use, control; no lone surrogates.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200)
AWKWARD = [
    "e\u0301 \u00e9 \ufb01",
    "\u202eabc\u202c \u0627\u0644\u0639",
    "\U0001f469\u200d\U0001f680\ufe0f",
    "\u2028\u0085\ufeff\uffff\x7f",
]


@settings(max_examples=300, deadline=None)
@given(st.one_of(WORDS, st.sampled_from(AWKWARD)), WORDS)
def test_words_arrive_code_point_for_code_point(one: str, two: str) -> None:
    # given words in any script
    view = {"section": {"goal": [{"text": one, "fields": {"f": two, "l": [one, two]}}, {"text": two, "fields": {}}]}}
    mapping = build(
        leaf("$", "section.goal[0].text"),
        leaf("$", "text_of(section.goal)"),
        leaf("$", "join(', ', section.goal[].text)"),
        leaf("$", "concat(section.goal[0].text, '|', section.goal[0].fields.f)"),
        leaf("$", "section.goal[].{words: text, list: fields.l}"),
    )
    # when sent and read back by a parser that is not ours
    sent = mapping.run(view)
    # then each code point is where it was, and is written as itself
    assert json.loads(sent.decode("utf-8", errors="strict")) == [
        one,
        f"{one}\n\n{two}",
        f"{one}, {two}",
        f"{one}|{two}",
        [{"words": one, "list": [one, two]}, {"words": two}],
        "end",
    ]
    assert list(map(ord, orjson.loads(sent)[0])) == [ord(character) for character in one]
    assert all(character in sent.decode() for character in one if ord(character) > 0x7F)


VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**62), 2**62), st.text(max_size=8)),
    lambda inside: st.one_of(st.lists(inside, max_size=3), st.dictionaries(st.text(max_size=4), inside, max_size=3)),
    max_leaves=6,
)


@settings(max_examples=800, deadline=None)
@given(_expressions(), VALUES)
def test_nothing_in_a_view_makes_an_expression_raise(expression: str, value: Any) -> None:
    # given an expression that loads, and a view with any kind of value where it reads
    try:
        compiled = COMPILER.compile(expression)
    except Refused:
        return
    view = {"section": dict.fromkeys(FEW, value), "share": value, "consent": {"facts": value}}
    # when run, then it gives a value (null at worst): no partner or worker can break a mapping by what they send
    compiled(view)


@settings(max_examples=600, deadline=None)
@given(st.text(st.sampled_from("section.housing goal@*[]{}()|&!<>=`'\",:?0-1ab\\$\n"), max_size=40))
def test_any_text_is_refused_or_loads(text: str) -> None:
    # given any text in the language's own characters, when compiled, then nothing but a refusal is raised
    try:
        claimed = COMPILER.compile(text).categories
    except Refused:
        return
    assert claimed <= set(CATEGORIES)


@pytest.mark.parametrize("category", CATEGORIES)
def test_every_category_can_be_named(category: str) -> None:
    assert COMPILER.compile(f"section.{category}[].text").categories == {category}
