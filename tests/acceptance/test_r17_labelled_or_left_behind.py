"""R17: a part without a label stays behind and is named by its place; a strict service is refused instead."""

from __future__ import annotations

from tests.acceptance.house import House
from tests.acceptance.previewing import SAID, preview, section
from tests.acceptance.telling import HOUSING, SUPPORTED, a_share


def test_r17_what_has_no_label_is_withheld_and_named_or_refuses_a_strict_service(looking: House) -> None:
    # given a share with two parts that nobody labelled, for a service and for a strict one
    share = a_share(HOUSING, SUPPORTED)
    share["sections"] += [
        section(None, text="zq-unlabelled words", said=SAID),
        section(None, fields={"given_name": "zq-unlabelled name", "reason": "zq-unlabelled reason"}),
    ]
    first = len(share["sections"]) - 2
    # when it is looked at
    shown = preview(looking, share)
    # then neither reaches the first, which is told their places; and the strict one gets nothing, with both places
    assert "zq-unlabelled" not in shown.text(HOUSING)
    pointers = [f"/sections/{first}", f"/sections/{first + 1}"]
    assert {p: w for p, w in shown.withheld(HOUSING).items() if w == "unlabelled"} == dict.fromkeys(
        pointers, "unlabelled"
    )
    assert shown.refused(SUPPORTED) == [("unlabelled", pointer) for pointer in pointers]
