"""What a pack says of its quality is held against its checks: false claims and stale exemptions are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.conformance.check import CHECKS, every_check
from hub.conformance.quality import RULES, faults, read_quality, tier_of, unclaimed
from hub.conformance.run import Result
from hub.conformance.said import FILE, Said


def said(folder: Path, **changed: str) -> Path:
    """Write a pack's own table: all done, but what is changed."""
    table = dict.fromkeys(RULES, "done") | {name.replace("_", "-"): text for name, text in changed.items()}
    lines = [f'"{rule}" = "{text}"' for rule, text in table.items() if text]
    (folder / FILE).write_text("[rules]\n" + "\n".join(lines), encoding="utf-8")
    return folder


def results(**changed: str) -> list[Result]:
    """Return a result for every check: passed, but for the rules that are changed."""
    every_check()
    return [Result("c", each, changed.get(each.rule.replace("-", "_"), "passed")) for each in CHECKS.values()]  # type: ignore[arg-type]


def test_the_kit_has_forty_checks_at_least_and_each_proves_a_rule_of_the_scale() -> None:
    checks = every_check()
    assert len(checks) >= 40
    assert {each.rule for each in checks} == set(RULES)
    assert all(each.says.endswith(".") for each in checks)


def test_a_pack_that_says_what_is_so_has_no_fault(tmp_path: Path) -> None:
    assert faults(said(tmp_path), results()) == []
    assert tier_of(read_quality(tmp_path)) == "gold"


@pytest.mark.parametrize(
    ("claimed", "proved", "what"),
    [
        ("done", "failed", "a check of it fails"),
        ("done", "exempt", "no check of it applies"),
        ("exempt: our partner cannot", "passed", "this exemption is stale"),
        ("exempt:", "exempt", "gives its reason"),
        ("", "passed", "nothing is said of it"),
        ("nearly", "passed", "nothing is said of it"),
    ],
)
def test_what_is_not_so_is_found_where_it_stands(tmp_path: Path, claimed: str, proved: str, what: str) -> None:
    # given a pack that says something of a silver rule, and checks that say another
    (fault,) = faults(said(tmp_path, renewal=claimed), results(renewal=proved))
    # then the fault names the rule and the file
    assert fault.rule == "renewal"
    assert what in fault.what
    assert fault.where.file == tmp_path / FILE


def test_no_pack_is_exempt_from_a_bronze_rule_that_applies(tmp_path: Path) -> None:
    (fault,) = faults(said(tmp_path, golden="exempt: later"), results(golden="failed"))
    assert "bronze" in fault.what


def test_a_rule_that_is_to_do_is_honest_and_holds_the_tier_down(tmp_path: Path) -> None:
    assert faults(said(tmp_path, duplicates="to do"), results(duplicates="failed")) == []
    assert tier_of(read_quality(tmp_path)) == "bronze"


def test_a_rule_that_is_kept_and_not_claimed_is_named(tmp_path: Path) -> None:
    # given two rules that are "to do", of which one's checks pass
    said(tmp_path, duplicates="to do", renewal="to do")
    # then that one alone may be called done
    assert unclaimed(tmp_path, results(renewal="failed")) == ["duplicates"]


def test_a_rule_that_nobody_knows_is_named(tmp_path: Path) -> None:
    (fault,) = faults(said(tmp_path, beautiful="done"), results())
    assert fault.rule == "beautiful"


def test_nothing_said_is_no_tier(tmp_path: Path) -> None:
    assert tier_of(read_quality(tmp_path)) == "none"
    assert tier_of({"manifest": Said("done")}) == "none"
