"""R54: no small count can be worked out from what is published, by sums, by the rule, or by two versions of a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.disclosure import SMALL, Span, together, told, told_total

Tree = int | tuple["Tree", ...]
WHOLE = Span(0, 10**9)


def test_a_count_under_five_is_one_range_and_any_other_is_rounded_to_the_nearest_five() -> None:
    assert {told(count) for count in range(SMALL)} == {Span(0, 4)}
    assert told(0).figure is None
    assert [(told(count).low, told(count).high, told(count).figure) for count in (5, 7, 8, 12, 13, 100)] == [
        *((5, 7, 5), (5, 7, 5), (8, 12, 10), (8, 12, 10), (13, 17, 15), (98, 102, 100)),
    ]
    with pytest.raises(ValueError, match="below nothing"):
        told(-1)


@given(st.integers(0, 10_000))
def test_a_count_lies_in_what_is_told_of_it(count: int) -> None:
    span = told(count)
    assert span.low <= count <= span.high
    assert span.figure is None or abs(span.figure - count) <= 2


COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=8)


@given(COUNTS)
def test_r54_a_total_leaves_each_of_its_parts_as_open_as_it_was(counts: list[int]) -> None:
    # given the parts as published, and their total
    parts = [told(count) for count in counts]
    total = told_total(sum(counts), parts, max(part.room for part in parts))
    # then the total is true, and every part may still be all that it might have been alone
    assert total.low <= sum(counts) <= total.high
    whole = together(parts)
    for part in parts:
        assert total.high - (whole.low - part.low) >= part.high
        assert total.low - (whole.high - part.high) <= part.low


@given(COUNTS.filter(lambda counts: sum(counts) > 60))
def test_a_large_total_is_as_fine_as_any_other_count_unless_it_is_at_its_parts_ends(counts: list[int]) -> None:
    parts = [told(count) for count in counts]
    whole, count = together(parts), sum(counts)
    room = max(part.room for part in parts)
    if whole.low + room + 5 <= count <= whole.high - room - 5:
        assert told_total(count, parts, room) == told(count)


def published(tree: Tree, room: int = 0) -> tuple[int, Span, list[Span]]:
    """A tree's count, what is told of it, and all that is published, leaves first."""
    if isinstance(tree, int):
        return tree, told(tree), [told(tree)]
    room = room or max(told(each).room for each in leaves(tree))
    below = [published(each, room) for each in tree]
    count = sum(each[0] for each in below)
    span = told_total(count, [each[1] for each in below], room)
    return count, span, [*(one for each in below for one in each[2]), span]


def leaves(tree: Tree) -> list[int]:
    return [tree] if isinstance(tree, int) else [one for each in tree for one in leaves(each)]


def filled(shape: Tree, values: Iterable[int]) -> Tree:
    found = iter(values)

    def fill(each: Tree) -> Tree:
        return next(found) if isinstance(each, int) else tuple(fill(one) for one in each)

    return fill(shape)


def groups(shape: Tree) -> list[list[int]]:
    """The leaves of each total."""
    return [members for members, _ in sums(shape) if len(members) > 1]


SHAPES: list[Tree] = [(0, 0, 0), ((0, 0), 0), ((0,), (0, 0)), ((0, 0, 0),), ((0, 0), (0, 0))]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_r54_whoever_knows_the_rule_and_tries_every_month_there_could_be_learns_no_small_count(shape: Tree) -> None:
    # given every month with these services, and what would be published of each
    worlds: dict[tuple[Span, ...], list[tuple[int, ...]]] = defaultdict(list)
    for values in product(range(13), repeat=len(leaves(shape))):  # 12 ends a step
        worlds[tuple(published(filled(shape, values))[2])].append(values)
    # then in no publication is a count under 5 fixed: each of 0 to 4 fits what is told, whichever it was
    assert len(worlds) >= 9
    for months in worlds.values():
        for place in range(len(months[0])):
            possible = {month[place] for month in months}
            if min(possible) < SMALL:
                assert possible == set(range(SMALL))


def possible(constraints: Sequence[tuple[list[int], Span]], number: int) -> list[Span]:
    """An attacker without the rule: narrows each leaf by every sum there is, again and again, until nothing changes."""
    bounds = [WHOLE] * number
    while True:
        before = list(bounds)
        for members, span in constraints:
            for one in members:
                others = [bounds[each] for each in members if each != one]
                low = span.low - sum(each.high for each in others)
                high = span.high - sum(each.low for each in others)
                bounds[one] = Span(max(bounds[one].low, low), min(bounds[one].high, high))
        if bounds == before:
            return bounds


def sums(tree: Tree, start: int = 0, room: int = 0) -> list[tuple[list[int], Span]]:
    """Every figure of a tree as a sum over its leaves."""
    if isinstance(tree, int):
        return [([start], told(tree))]
    room = room or max(told(each).room for each in leaves(tree))
    found, at = [], start
    for each in tree:
        found += sums(each, at, room)
        at += len(leaves(each))
    return [*found, (list(range(start, at)), published(tree, room)[1])]


SERVICE = st.one_of(st.integers(0, 6), st.integers(0, 60))
PARTNERSHIP = st.lists(st.lists(SERVICE, min_size=1, max_size=5).map(tuple), min_size=1, max_size=6).map(tuple)


@given(PARTNERSHIP)
def test_r54_no_service_partner_and_partnership_figures_together_narrow_a_small_count(tree: Tree) -> None:
    # given a month of a whole partnership, and all that is published of it as sums
    bounds = possible(sums(tree), len(leaves(tree)))
    # then of each service's figure no more is known than it says itself
    assert bounds == [told(count) for count in leaves(tree)]


def test_totals_that_are_rounded_by_themselves_would_give_small_counts_away() -> None:
    # given five services, and their total rounded like any other count
    counts = [8, 1, 1, 1, 1]
    naive = [([each], told(count) if count > 4 else Span(1, 4)) for each, count in enumerate(counts)]
    naive.append((list(range(5)), told(12)))
    # then the attacker of these tests finds each of the four: so a test that finds none looked
    assert possible(naive, 5)[1:] == [Span(1, 1)] * 4
    assert possible(sums(tuple(counts)), 5)[1:] == [Span(0, 4)] * 4
