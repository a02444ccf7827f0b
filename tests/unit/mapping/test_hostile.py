"""Hostile mappings: each is refused at load, with file, line and column, in seconds at most."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.mapping import Mapping, MappingError, load_mapping

Write = Callable[[str], Path]

#: Every way known to us of reaching content without a category's name, of handing over code, or of growing.
EXPRESSIONS = [
    "@",
    "section",
    "section.*",
    "section.*.text",
    "*",
    "*.*",
    "[]",
    "[*]",
    "[0]",
    "[?id]",
    "[@]",
    "[*].text",
    "@.section",
    "@.section.housing",
    "@ | section.housing",
    "keys(section)",
    "keys(@)",
    "values(section)",
    "values(@)",
    "to_string(section)",
    "to_text(section)",
    "to_list(section)",
    "text_of(section)",
    "first([section])",
    "coalesce(section, share)",
    "not_null(@)",
    "merge(section, share)",
    "to_array(section)",
    "map(&text, section.housing)",
    "sort_by(section.housing, &id)",
    "max_by(section.housing, &id)",
    "&section",
    "first([&section])",
    "section.keys(@)",
    "section.values(@)",
    "section.first(@)",
    "section.to_list(@)",
    "section.coalesce(housing, goal)",
    "section.[*]",
    "section.[@]",
    "section.[housing, goal]",
    "section.{a: housing}",
    "section.{a: @}",
    "section[]",
    "section[*]",
    "section[0]",
    "section[::2]",
    "section[?housing]",
    "section[?@]",
    "section.unknown",
    'section."*"',
    'section."housing.text"',
    '"section"',
    'section."Housing"',
    "(section)",
    "(section).*",
    "(section | @).housing",
    "section | housing",
    "section | @",
    "section | *",
    "section || share",
    "share || section",
    "section && share",
    "share && section",
    "!section",
    "!section.housing",
    "!sender.ods",
    "section == share",
    "share == section",
    "[section]",
    "[share, section][1].housing",
    "{a: section}",
    "{a: section}.a.housing",
    "{a: @}",
    "[section][0].housing",
    "section.housing[?section.goal]",
    "section.housing | section.goal",
    "let $s = section in $s.housing",
    "$",
    "$.section",
    "$section.housing",
    "foo",
    "foo.section.housing",
    "__class__",
    "section.__class__",
    "section.housing.__class__()",
    "exec('1')",
    "lookup(section.housing[0].text, 'x')",
    "lookup('unlisted', share.ask)",
    "lookup('reason', share.ask, 'no_column')",
    "lookup('reason')",
    "lookup(`1`, share.ask)",
    "join(share.ask, section.housing[].text)",
    "concat()",
    "nhs_number()",
    "section.housing[::0]",
    "`1e999`",
    "`NaN`",
    "`[NaN]`",
    "`123456789012345678901234567890`",
    '`"\\ud800"`',
    "`" + "[" * 60 + "]" * 60 + "`",
    "`" + "[" * 1500 + "]" * 1500 + "`",
    "(" * 1500 + "share" + ")" * 1500,
    "!" * 41 + "share",
    "first([" * 41 + "share" + "])" * 41,
    " || ".join(["share.ask"] * 60),
    "share" + " | [@,@]" * 12,
    "share" + ".[@,@]" * 40,
    "share" + ".{a: @, b: @}" * 30,
    "share" + ".concat(reference, reference)" * 12,
    "section.housing[].[text, text]" + " | [@[], @[]]" * 9,
    "concat(" + ", ".join(["share.ask"] * 65) + ")",
    "share.ask" + " " * 4_000,
    "",
    "share.",
    "share.ask share.ask",
    "'unclosed",
    "`not json`",
]


@pytest.mark.parametrize("expression", EXPRESSIONS, ids=range(len(EXPRESSIONS)))
@pytest.mark.parametrize("leaf", ["$", "$?", "$if"])
def test_a_hostile_expression_does_not_load(write: Write, codes: Path, expression: str, leaf: str) -> None:
    # given a template with the expression in it, written so that YAML gives it through unchanged
    quoted = expression.replace("'", "''")
    then = ", then: 1" if leaf == "$if" else ""
    folder = write(f"{{ok: {{$: share.ask}}, attack: {{{leaf}: '{quoted}'{then}}}}}")
    # when loaded, then it is refused, and the refusal points at the expression
    with pytest.raises(MappingError, match="the expression") as refused:
        load_mapping(folder, codes)
    assert (refused.value.file, refused.value.line) == (folder / "mapping.yaml", 6)
    assert refused.value.column > 20


@pytest.mark.parametrize(
    "expression",
    [
        "section.housing",
        'section."housing"',
        "(section).housing",
        "section.housing[0].fields.reason",
        "section.housing[*].text",
        "section.housing[].text | [0]",
        "section.housing[].{words: text, by: said.by, line: said_line(@)}",
        "section.housing[?said.how == 'observed'].text",
        "section.housing[-1:].id",
        "[section.housing, section.goal][].text",
        "coalesce(section.housing[0].text, section.goal[0].text, share.ask)",
        "section.housing || section.goal",
        "!(section.housing)",
        "{a: section.housing[0].text, b: share.ask}",
        "lookup('reason', section.housing[0].fields.reason, 'title')",
    ],
)
def test_what_the_grammar_has_does_load(load: Callable[[str], Mapping], expression: str) -> None:
    # given the same shapes with a category's name, when loaded, then they load and claim only what they name
    quoted = expression.replace("'", "''")
    assert load(f"{{a: {{$?: '{quoted}'}}}}").categories <= {"housing", "goal"}


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("{a: {$each: share}}", "is not one of"),
        ("{a: {$schema: x}}", "is not one of"),
        ("{$: share.ask, b: 1}", "stands alone"),
        ("{a: {$: share.ask, $?: share.ask}}", "stands alone"),
        ("{a: {b: 1, $: share.ask}}", "stands alone"),
        ("{a: {$if: share.ask}}", "needs a then"),
        ("{a: {$if: share.ask, then: 1, also: 2}}", "beside [$]if"),
        ("{a: {$if: share.ask, then: 1, $: share.ask}}", "beside [$]if"),
        ("{a: {$: [share.ask]}}", "is text"),
        ("{a: {$: {$: share.ask}}}", "is text"),
        ("{a: {$: 12}}", "is text"),
        ("{a: {$: null}}", "is text"),
        ("{a: 1, a: 2}", "given twice"),
        ("{a: &x 1, b: *x}", "anchors"),
        ("{a: &x [*x]}", "anchors"),
        ("{a: *x}", "anchors"),
        ("{<<: {a: 1}}", "must be text"),
        ("{a: !!python/object/apply:os.system [ls]}", "tags"),
        ("{a: !!binary aGk=}", "tags"),
        ("{a: 2026-11-20}", "quotes"),
        ("{a: 012}", "quotes"),
        ("{a: 0x10}", "quotes"),
        ("{a: 1_000}", "quotes"),
        ("{a: 99999999999999999999}", "JSON cannot|JSON can carry"),
        ("{a: .nan}", "JSON can carry"),
        ('{a: "\\ud800"}', "JSON can carry"),
        ("{1: a}", "must be text"),
        ("{[a]: 1}", "must be text"),
        ("[" * 41 + "]" * 41, "deeper than 40"),
        ("[" * 100_000, "deeper than 40"),
        ("{a: " * 41 + "1" + "}" * 41, "deeper than 40"),
        ("{a: [}", "is not YAML"),
        ("{a: \x00}", "is not YAML"),
        ("x: 1\n---\na: 1", "one document"),
        ("{a: '" + "x" * 257 * 1024 + "'}", "larger than 256 KB"),
        ("just text", "has a template"),
    ],
)
def test_a_hostile_template_does_not_load(write: Write, codes: Path, template: str, why: str) -> None:
    with pytest.raises(MappingError, match=why) as refused:
        load_mapping(write(template), codes)
    assert str(refused.value).startswith(f"{refused.value.file}:{refused.value.line}:{refused.value.column}: ")


def test_a_billion_laughs_is_refused_at_its_first_anchor(write: Write, codes: Path) -> None:
    # given ten levels of ten aliases each
    lines = ['  a0: &a0 "ha"'] + [f"  a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(MappingError, match="anchors") as refused:
        load_mapping(write("\n" + "\n".join(lines)), codes)
    assert refused.value.line == 7


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("document: demo\nversion: 1.0\ncontent_type: application/json\ntemplate:\n", "version"),
        ("document: demo\nversion: 1.0.0\ncontent_type: text/html\ntemplate:\n", "content_type"),
        ("document: ../demo\nversion: 1.0.0\ncontent_type: application/json\ntemplate:\n", "document"),
        ("document: demo\nversion: 1.0.0\ntemplate:\n", "content_type"),
        ("document: demo\nversion: 1.0.0\ncontent_type: application/json\nextra: 1\ntemplate:\n", "extra"),
        (
            "document: demo\nversion: 1.0.0\ncontent_type: application/json\ncodes: {a: ../../secret}\ntemplate:\n",
            "codes",
        ),
        ("document: demo\nversion: 1.0.0\ncontent_type: application/json\ncodes: {a: not-there}\ntemplate:\n", "read"),
        ("%YAML 1.1\n---\ndocument: demo\nversion: 1.0.0\ncontent_type: application/json\ntemplate:\n", "%YAML"),
    ],
)
def test_a_wrong_head_does_not_load(write: Callable[[str, str], Path], codes: Path, head: str, why: str) -> None:
    with pytest.raises(MappingError, match=why):
        load_mapping(write("{a: 1}", head), codes)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"# nothing", b"[1]", b"text"])
def test_a_file_that_is_no_mapping_does_not_load(write: Write, codes: Path, content: bytes) -> None:
    folder = write("{a: 1}")
    (folder / "mapping.yaml").write_bytes(content)
    with pytest.raises(MappingError):
        load_mapping(folder, codes)


def test_a_mapping_that_is_not_there_does_not_load(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="cannot be read"):
        load_mapping(tmp_path, tmp_path)
