"""The template tree: literals, required and optional leaves, choices, and what is left out."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hub.domain.errors import HubError
from hub.mapping import Mapping, MissingLeaf, NotSendable

Load = Callable[[str], Mapping]
Run = Callable[[str], Any]


def test_plain_values_are_sent_as_they_stand(run: Run) -> None:
    # given a template of literals, when run, then every one of them arrives
    literals = '{text: SUBMITTED, yes: true, none: null, whole: 12, part: 1.5, word: "no", empty: {}, list: []}'
    assert run(literals) == {
        "text": "SUBMITTED",
        "yes": True,
        "none": None,
        "whole": 12,
        "part": 1.5,
        "word": "no",
        "empty": {},
        "list": [],
    }


def test_a_required_leaf_with_nothing_is_a_refusal_that_names_where_and_which_categories(
    load: Load, view: dict[str, Any]
) -> None:
    # given a required leaf that two categories could fill, and neither is in the view
    mapping = load('{a: [1, {"b/c": {$: "coalesce(section.money[0].text, section.children[0].text)"}}]}')
    # when run
    with pytest.raises(MissingLeaf) as missing:
        mapping.run(view)
    # then the refusal points into the target document and names both
    assert missing.value.path == "/a/1/b~1c"
    assert missing.value.categories == ("children", "money")
    # and it is a refusal that a worker can act on, as every face shows it
    assert isinstance(missing.value, HubError)
    assert missing.value.refusal.next_step == (
        "Ask the person if this service may know about their children or about their money. "
        "If so, fill that part in: it needs more."
    )


@pytest.mark.parametrize(
    "nothing", ["sender.ods", "section.money", "section.housing[1:]", "trusted_person.contact.fax"]
)
def test_what_is_null_or_empty_is_nothing(load: Load, view: dict[str, Any], nothing: str) -> None:
    # given an empty text, an absent category, an empty list, an absent name
    with pytest.raises(MissingLeaf):
        load(f'{{a: {{$: "{nothing}"}}}}').run(view)
    # then as an optional leaf it is left out
    assert load(f'{{a: {{$?: "{nothing}"}}, b: 1}}').run(view) == b'{"b":1}'


def test_false_and_zero_are_values(run: Run) -> None:
    # given a false and a zero, when they are required, then they are sent
    assert run('{a: {$: share.urgent}, b: {$: "section.housing[0].fields.nights"}}') == {"a": False, "b": 0}


def test_what_became_empty_is_left_out_to_the_top(run: Run) -> None:
    # given objects and lists with only optional leaves in them, when all vanish, then so do they
    assert run("{a: {b: [{c: {$?: section.money}}, {$?: sender.ods}]}, d: [{$?: sender.ods}, 1], e: {}}") == {
        "d": [1],
        "e": {},
    }


def test_a_document_of_nothing_is_refused(load: Load, view: dict[str, Any]) -> None:
    # given only optional leaves, when none is there, then there is no empty document but a refusal
    with pytest.raises(MissingLeaf) as missing:
        load("{a: {$?: section.money}}").run(view)
    assert (missing.value.path, missing.value.categories) == ("", ("money",))


@pytest.mark.parametrize(
    ("condition", "chosen"),
    [
        ("section.goal", "yes"),
        ("section.money", "no"),
        ("share.urgent", "no"),
        ("sender.kind == 'charity'", "yes"),
        ("!(sender.ods)", "yes"),
        ("section.housing[0].fields.nights", "yes"),
        ("length(section.in_their_words) > `1`", "yes"),
        ("sender.name > `1`", "no"),
    ],
)
def test_if_chooses(run: Run, condition: str, chosen: str) -> None:
    # given a condition, when it is truthy as JMESPath says, then `then` is sent, else `else`
    assert run(f'{{a: {{$if: "{condition}", then: "yes", else: "no"}}}}') == {"a": chosen}


def test_if_without_else_is_left_out_of_objects_and_lists(run: Run) -> None:
    assert run("{a: {$if: section.money, then: 1}, b: [{$if: section.money, then: 1}, 2]}") == {"b": [2]}


def test_a_leaf_in_the_branch_not_taken_is_not_required(run: Run) -> None:
    # given a required leaf under a condition that fails, when run, then nothing is refused
    assert run("{a: {$if: section.money, then: {x: {$: section.money}}, else: {y: {$: share.reference}}}}") == {
        "a": {"y": "K7M-4QX"}
    }


def test_a_leaf_can_make_objects_and_leaves_out_what_is_empty_in_them(run: Run) -> None:
    # given objects made by an expression, when a part of one is null, then no null is sent
    assert run('{a: {$: "section.in_their_words[].{words: text, fax: fields.fax, by: said.by}"}}') == {
        "a": [
            {"words": "A door that locks.", "by": "the person"},
            {"words": "Not somebody new every week.", "by": "the person"},
        ]
    }


def test_keys_come_in_the_order_of_the_template_and_the_bytes_are_the_same_each_time(
    load: Load, view: dict[str, Any]
) -> None:
    mapping = load("{z: 1, a: {$: share.reference}, m: {y: 2, b: {$: share.ask}}}")
    backwards = dict(reversed(view.items()))
    assert mapping.run(view) == mapping.run(backwards) == b'{"z":1,"a":"K7M-4QX","m":{"y":2,"b":"act"}}'


def test_a_mapping_knows_its_categories_and_changes_nothing_in_the_view(load: Load, view: dict[str, Any]) -> None:
    mapping = load(
        '{a: {$if: section.safety, then: {$?: "section.goal[0].text"}, else: [{$?: "text_of(section.money)"}]}}'
    )
    before = json.dumps(view)
    mapping.run(view | {"section": view["section"] | {"safety": [{"id": "s9"}]}})
    assert mapping.categories == {"safety", "goal", "money"}
    assert json.dumps(view) == before


def test_the_digest_follows_the_mapping_and_its_code_lists(load: Load, codes: Any) -> None:
    first = load("{a: 1}")
    assert load("{a: 1}").digest == first.digest
    assert load("{a: 2}").digest != first.digest
    (codes / "reasons.csv").write_text((codes / "reasons.csv").read_text().replace("HOMELESS", "OTHER"))
    changed = load("{a: 1}")
    assert changed.digest != first.digest
    assert changed.source_digest == first.source_digest


def test_what_json_cannot_carry_is_named_by_rule_and_not_echoed(load: Load, view: dict[str, Any]) -> None:
    view["section"]["goal"][0]["text"] = "secret \ud800"
    with pytest.raises(NotSendable) as refused:
        load('{a: {$: "section.goal[0].text"}}').run(view)
    assert "secret" not in str(refused.value)
    assert "secret" not in repr(refused.value.refusal)
    assert refused.value.__cause__ is None


def test_a_leaf_that_no_category_fills_sends_the_worker_to_someone_who_can_mend_it(
    load: Load, view: dict[str, Any]
) -> None:
    with pytest.raises(MissingLeaf) as missing:
        load("{a: {$: sender.ods}}").run(view)
    assert missing.value.categories == ()
    assert missing.value.refusal.title.endswith("missing from your organisation's details.")
    assert missing.value.refusal.next_step == "Ask your champion."
