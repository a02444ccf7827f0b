"""R67 and R72: someone else's story, and offending, stay behind unless ticked by themselves; the tick stays too."""

from __future__ import annotations

import pytest

from tests.acceptance.house import House
from tests.acceptance.previewing import SAID, preview, section
from tests.acceptance.telling import HOUSING, TREATMENT, a_share


@pytest.mark.parametrize("category", ["about_someone_else", "offending"])
@pytest.mark.parametrize(
    ("agreed", "ticked"), [(False, None), (True, None), (True, " "), (False, "zq-reason"), (True, "zq-reason")]
)
def test_r67_r72_neither_a_label_nor_an_agreement_is_a_tick(
    looking: House, category: str, agreed: bool, ticked: str | None
) -> None:
    # given such a section, agreed or not and ticked or not, for services that are not set up for it
    share = a_share(HOUSING, TREATMENT)
    share["sections"].append(section(category, text="zq-theirs", said=SAID, words_checked=True))
    for consent in share["consents"]:
        consent["categories"] += [category] if agreed else []
        consent["ticked"] = {category: ticked} if ticked is not None else {}
    shown = preview(looking, share)
    pointer = f"/sections/{len(share['sections']) - 1}"
    # then it stays behind, told apart by why, and the reason that was ticked leaves with nothing
    unticked = not agreed or not (ticked or "").strip()
    permitted = "no_article_10" if category == "offending" else "not_for_service"
    for service in (HOUSING, TREATMENT):
        assert "zq-" not in shown.text(service)
        assert shown.withheld(service)[pointer] == ("tick_by_itself" if unticked else permitted)
