"""R50: nobody is an orphan: what the hub gave up on reaches whoever looks after the hub, by e-mail."""

from __future__ import annotations

from hub.sdk.testing.sandbox import Behaviour
from tests.acceptance.house import House, until_true
from tests.acceptance.telling import HOUSING, a_share

OPERATOR = "operator@hub.example"


def test_r50_a_dead_letter_reaches_the_operator(house: House) -> None:
    # given a council that refuses one parcel for good
    house.troupe.housing.behave(Behaviour.REFUSING, times=1)

    # when a share is sent to it
    receipt = house.cases.send(a_share(HOUSING))
    until_true("it to be given up", lambda: house.cases.delivery(receipt["id"], HOUSING)["state"] == "dead_lettered")

    # then the operator, who has no id of their own in the configuration, is told in one mail
    (mail,) = until_true("the mail", lambda: house.mails(receipt, OPERATOR))
    assert receipt["reference"] in mail["text"]
