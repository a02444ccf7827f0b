"""The demo's tally: what was sent held against what every partner's own ledger says arrived."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from hub.sandbox.story import Play


@dataclass(frozen=True, slots=True)
class Tally:
    """The figures of the demo's last line. `lost` counts deliveries that neither arrived, nor stopped, nor wait."""

    shares: int
    deliveries: int
    delivered: int
    answered: int
    refused: int
    withdrawn: int
    alerts: int
    lost: int

    def figures(self) -> dict[str, int]:
        """Return the figures by name."""
        return asdict(self)

    def line(self) -> str:
        """Return the demo's last line."""
        return "demo: " + " ".join(f"{name}={value}" for name, value in self.figures().items())


#: Not delivered, and not lost: the hub still owes these something, or a person was told.
_ACCOUNTED_FOR = frozenset({"held", "queued", "sending", "retrying", "in_doubt", "cancelled", "dead_lettered"})


def count(play: Play) -> Tally:
    """Count from the hub's reports and the partners' ledgers; a delivery that a ledger lacks is lost."""
    stage = play.stage
    arrived = stage.arrived()
    deliveries = []
    for receipt in play.receipts:
        report = stage.cases.read(receipt["id"])
        deliveries += [(receipt, each) for each in report["deliveries"] if each["kind"] == "share"]
    delivered = [(receipt, each) for receipt, each in deliveries if each["state"] == "delivered"]
    missing = [each for receipt, each in delivered if receipt["reference"].encode() not in arrived[each["service"]]]
    adrift = [each for _, each in deliveries if each["state"] not in _ACCOUNTED_FOR | {"delivered"}]
    alerts = stage.command("alerts", "ls", "--all")
    return Tally(
        shares=len(play.receipts),
        deliveries=len(deliveries),
        delivered=len(delivered),
        answered=sum(each["answer"] != "awaited" for _, each in deliveries),
        refused=sum(len({each["service"] for each in receipt["refused"]}) for receipt in play.receipts),
        withdrawn=sum(each["state"] == "cancelled" for _, each in deliveries),
        alerts=len(alerts),
        lost=len(missing) + len(adrift),
    )
