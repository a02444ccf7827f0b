"""What a delivery carried, as far as it is known once the parcel is sealed: kept beside it, without the story."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.domain.share import Category


def carried(sections: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """Return what is kept of the sections that a mapping saw, by category.

    By the ids in `carried` a correction finds whoever got a statement (R41); `told` is what a sheet can say of each
    part: what it is about, and who said it, how it is known and when (R39, R70). The `story` itself is kept only where
    some of it is about somebody else, so that a subject-access export can make the document again without that (R67).
    """
    every = [(category, section) for category, those in sections.items() for section in those]
    return {
        "carried": [section["id"] for _, section in every],
        "told": [{"category": category, **section["said"]} for category, section in every],
        "story": sections if sections.get(str(Category.ABOUT_SOMEONE_ELSE)) else {},
    }
