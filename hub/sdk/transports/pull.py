"""For partners that fetch what is theirs from the hub (R73): nothing leaves the hub by itself, so no connector runs."""

from __future__ import annotations

from hub.domain.answer import Level
from hub.domain.outcome import Delivered, Halt, Outcome
from hub.sdk.connector import Connector, Context, Parcel
from hub.sdk.settings import Settings


class Pulled(Connector[Settings]):
    """A connector whose manifest says `transport = "pull"`: the mapping makes the parcel, the partner fetches it."""

    async def check(self, context: Context) -> Outcome:  # noqa: ARG002 - nobody is called
        """There is nobody to call."""
        return Delivered(level=Level.L0)

    async def deliver(self, parcel: Parcel, context: Context) -> Outcome:  # noqa: ARG002 - as above
        """Never sends: a parcel that is handed to it all the same shows that the hub is set up wrongly."""
        return Halt("partner-fetches-itself")
