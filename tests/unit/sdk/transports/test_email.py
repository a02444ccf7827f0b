"""The e-mail transport: it says to whom, and neither sends nor holds a link."""

from __future__ import annotations

import time
from datetime import date

import pytest

from hub.sdk import Delivered, DeliveryKind, Halt, Invite, Level, Parcel, Rejected
from hub.sdk.page import read_page
from hub.sdk.testing.context import PlainContext
from hub.sdk.transports.email import EmailConnector, EmailSettings

pytestmark = pytest.mark.anyio


def parcel(address: str) -> Parcel:
    return Parcel("t", DeliveryKind.SHARE, 1, "k", "c", b"{}", "application/json", address, time.time() + 20)


@pytest.mark.parametrize(
    ("mailbox", "address", "outcome"),
    [
        ("", "duty@council.example", Invite("duty@council.example")),
        ("desk@office.example", "somewhere else", Invite("desk@office.example")),
        ("", "", Rejected("mailbox-malformed")),
        ("", "2000099001", Rejected("mailbox-malformed")),
        ("", "a@b.example, c@d.example", Rejected("mailbox-malformed")),
        ("", "a@b.example\r\nBcc: c@d.example", Rejected("mailbox-malformed")),
        ("", "a@b.example\n", Rejected("mailbox-malformed")),
    ],
)
async def test_it_invites_one_mailbox_and_nothing_else(mailbox: str, address: str, outcome: object) -> None:
    # given a connector, with a mailbox in its settings or the service's own address
    connector = EmailConnector(EmailSettings(mailbox=mailbox))
    # when it delivers, and when it is asked again in doubt, then it names just that mailbox
    assert await connector.deliver(parcel(address), PlainContext()) == outcome
    assert await connector.reconcile(parcel(address), PlainContext()) == outcome


async def test_its_check_finds_a_mailbox_that_is_none() -> None:
    # given, when, then
    assert await EmailConnector(EmailSettings()).check(PlainContext()) == Delivered(level=Level.L0)
    assert await EmailConnector(EmailSettings(mailbox="desk")).check(PlainContext()) == Halt("mailbox-malformed")


def test_a_page_document_is_read_strictly_and_its_errors_hold_none_of_it() -> None:
    # given a document that fits
    assert read_page(b'{"name": "Sam", "reply_by": "2026-11-27"}').reply_by == date(2026, 11, 27)
    # when one holds what no page shows, then it is refused by its field and not by what it says
    with pytest.raises(ValueError, match="diagnosis") as refused:
        read_page(b'{"name": "Sam", "diagnosis": "canary-words"}')
    assert "canary-words" not in str(refused.value)
