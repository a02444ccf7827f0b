"""TH07, strictly: a host without any network, to which the hub lends what its connection may reach and nothing else."""

from __future__ import annotations

import asyncio
import json
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from hub.courier.host_process import HostBroken
from hub.courier.lending import Lender
from hub.host.borrowing import Ask, Borrower, encode_ask
from hub.sdk import RetryLater
from hub.sdk.connector import NotSent
from tests.kernels import needs_namespaces, without_namespaces

pytestmark = pytest.mark.anyio


@pytest.fixture
def strict(configure: Any) -> Any:
    return replace(configure, strict=True)


@needs_namespaces
async def test_th07_a_parcel_arrives_from_a_host_that_has_no_network(open_host, strict, partner, parcel) -> None:
    # given a host that is held strictly
    host = open_host(strict)
    # when it sends parcels, at once and one after another
    first = await host.deliver(parcel("post", b"first"))
    more = await asyncio.gather(*(host.deliver(parcel("post", b"more")) for _ in range(3)))
    # then each arrives once, over connections that the hub opened
    assert [each.outcome.receipt for each in (first, *more)] == ["ok"] * 4
    assert sorted(partner.bodies) == [b"first", b"more", b"more", b"more"]
    ready = host._current.ready
    assert ready.isolation == "namespaces"
    assert {"no-network", "no-sockets"} <= set(ready.measures)


@needs_namespaces
async def test_th07_without_a_network_there_is_nothing_to_escape_to(open_host, strict, partner, parcel) -> None:
    # given the partner's own port, which a host that is not strict may connect to
    host = open_host(strict)
    # when a rogue connector goes round the hub
    result = await host.deliver(parcel("escape", str(partner.port).encode()))
    held = json.loads(result.outcome.receipt)
    # then the kernel refuses it any socket at all, its own partner's port too
    going = {"connect elsewhere", "ask a name server", "reach the machine's own services", "listen"}
    assert {held[trick] for trick in going} == {"EPERM"}
    assert not any(outcome == "done" for outcome in held.values())
    assert partner.lines == []


@needs_namespaces
async def test_th07_a_connection_that_was_lent_cannot_be_turned_elsewhere(open_host, strict, partner, parcel) -> None:
    # given a rogue connector that asks the hub by itself, as the host's own client does
    host = open_host(strict)
    elsewhere = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = elsewhere.sockets[0].getsockname()[1]
    # when it asks for another port, and tries to turn what it was lent
    result = await host.deliver(parcel("borrow", f"{partner.port} {port}".encode()))
    # then the hub refuses the one, and the kernel the other
    assert json.loads(result.outcome.receipt) == {
        "its own": "lent",
        "another port": "host-refused",
        "dissolve": "EPERM",
        "connect": "EPERM",
        "listen": "EPERM",
    }
    elsewhere.close()


@needs_namespaces
async def test_a_strict_host_is_told_that_its_partner_is_not_there(open_host, strict, partner, parcel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    closed = replace(strict, hosts=(f"127.0.0.1:{port}",), settings={"base_url": f"http://127.0.0.1:{port}"})
    refused = await open_host(closed).deliver(parcel("post"))
    assert (refused.outcome, refused.started) == (RetryLater("connection"), False)
    # and an address that is not public is refused by the hub itself, where nobody allowed it
    private = await open_host(replace(strict, allow_addresses=())).deliver(parcel("post"))
    assert (private.outcome, private.started) == (RetryLater("address-refused"), False)


async def test_a_host_that_cannot_be_held_strictly_does_not_start(
    open_host, strict, parcel, monkeypatch, tmp_path
) -> None:
    # given a host whose kernel gives it no namespaces: there are none left to give
    monkeypatch.setattr(sys, "executable", without_namespaces(tmp_path))
    # when it is to send a parcel
    result = await open_host(strict).deliver(parcel("post"))
    # then nothing was sent, and the connection is held for a reason that names what to do
    assert result == HostBroken("no-namespaces")


@pytest.fixture
async def lent(strict: Any) -> AsyncIterator[tuple[Borrower, Lender, socket.socket]]:
    """Both ends of the way to borrow, in one process."""
    asked, asking = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lender, borrower = Lender(replace(strict, in_flight=1), asked), Borrower(asking)
    yield borrower, lender, asking
    borrower.close()
    lender.close()


async def test_th17_the_hub_lends_by_the_same_rules_as_its_own_client(lent, partner) -> None:
    borrower, _, _ = lent
    # given what stands on the connection's list
    with await borrower("127.0.0.1", partner.port, encrypted=False) as opened:
        assert opened.getpeername() == ("127.0.0.1", partner.port)
        assert not opened.getblocking()
    # then another host, port or spelling is refused, whoever asks for it
    for host, port in (("localhost", partner.port), ("127.0.0.1", 5432), ("127.1", partner.port), ("", 1)):
        with pytest.raises(NotSent, match="host-refused"):
            await borrower(host, port, encrypted=True)


async def test_the_hub_opens_no_more_at_a_time_than_a_host_may_have_in_flight(lent, partner, monkeypatch) -> None:
    borrower, _, _ = lent
    # given addresses that take for ever to find
    never = asyncio.Event()
    monkeypatch.setattr("hub.courier.lending.look_up", lambda *_, **__: never.wait())
    # when more is asked for than a host may have in flight
    asking = [asyncio.create_task(borrower("127.0.0.1", partner.port, encrypted=True)) for _ in range(7)]
    done, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    # then what is too much is refused at once
    assert {str(each.exception()) for each in done} == {"too-many"}
    assert len(waiting) >= 5
    # and who waits hears of the end
    borrower.close()
    told = await asyncio.gather(*asking, return_exceptions=True)
    assert {str(each) for each in told} == {"too-many", "connection"}


@pytest.mark.parametrize("nonsense", [b"{}", b"[1]", b"\xff", b"x" * 600, b'[1,"127.0.0.1",70000,true]'])
async def test_th09_a_host_that_asks_nonsense_gets_no_more_connections(lent, partner, nonsense: bytes) -> None:
    borrower, _, asking = lent
    asking.send(nonsense)
    asking.send(encode_ask(Ask(1, "127.0.0.1", partner.port, False)))
    with pytest.raises(NotSent, match="connection"):
        await borrower("127.0.0.1", partner.port, encrypted=False)
