"""The two-deaths rule: a parcel in flight at two deaths of its host is sent alone, and given up at the third."""

from __future__ import annotations

from typing import Literal

Treatment = Literal["normal", "alone", "give_up"]

#: Deaths after which a parcel is sent alone in a fresh host; one more, and it alone is to blame.
ALONE_AFTER = 2


def treatment(deaths: int) -> Treatment:
    """Say how the next attempt of a parcel with so many deaths is to be made, if there is to be one."""
    if deaths > ALONE_AFTER:
        return "give_up"
    return "alone" if deaths == ALONE_AFTER else "normal"
