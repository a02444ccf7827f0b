"""`hub legal-hold`: a privacy officer keeps one share longer, everyone can see it, and nobody else can do it."""

from __future__ import annotations

import pytest

OFFICER = '\n[[privacy_officers]]\nid = "officer-1"\nname = "Champion Name"\nemail = "champion@daycentre.example"\n'
PLACE = ("legal-hold", "place")


@pytest.fixture
def kept(instance, share):
    """An instance with a privacy officer and a share."""
    file = instance.folder / "partnerships" / "local.toml"
    instance.write("partnerships/local.toml", file.read_text(encoding="utf-8") + OFFICER)
    share()
    return instance


def test_a_hold_is_placed_shown_and_lifted(kept) -> None:
    # given / when: as people read a reference out
    placed = kept.hub(*PLACE, "k7m 4qx", "--by", "officer-1", "--reason", "court-order")
    assert placed.exit_code == 0, placed.stderr
    # then it is listed, and traced
    (found,) = kept.json("legal-hold", "ls")
    assert (found["reference"], found["legal_hold_by"], found["legal_hold_reason"]) == (
        kept.reference,
        "officer-1",
        "court-order",
    )
    traced = kept.hub("trace", kept.reference).stdout
    assert "by officer-1: court-order" in traced
    assert "legal_hold.placed" in traced
    # and lifted
    assert kept.json("legal-hold", "lift", kept.reference, "--by", "officer-1")["legal_hold"] is None
    assert "No share is under a legal hold." in kept.hub("legal-hold", "ls").stdout


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ((*PLACE, "K7M-4QX", "--by", "champion", "--reason", "court-order"), "Only a privacy officer"),
        ((*PLACE, "K7M-4QX", "--by", "officer-1", "--reason", "because of Sam"), "Give one of: access-request"),
        ((*PLACE, "ZZZ-ZZZ", "--by", "officer-1", "--reason", "court-order"), "no share by that name"),
        (("legal-hold", "lift", "K7M-4QX", "--by", "officer-1"), "under no legal hold"),
    ],
)
def test_what_may_not_be_is_refused_with_what_to_do(kept, words, named) -> None:
    result = kept.hub(*words)
    assert result.exit_code == 1
    assert named in result.stderr
    assert [row["legal_hold_since"] for row in kept.rows("shares")] == [None]
