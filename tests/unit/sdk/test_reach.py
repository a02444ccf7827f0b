"""What a connection may reach: hosts by name, addresses by network, plain HTTP only inside named networks."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hub.sdk.reach import SANDBOX_ADDRESSES, Reach, host_and_port

INSIDE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:7f00:1::",
    "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1", "localhost", "",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    # given a reach that names no network
    reach = Reach.to(["partner.example"])
    # then the address is refused, encrypted or not
    assert not reach.allows(address, encrypted=True)
    assert not reach.allows(address, encrypted=False)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8"])
def test_a_public_address_is_allowed_only_with_encryption(address: str) -> None:
    reach = Reach.to(["partner.example"])
    assert reach.allows(address, encrypted=True)
    assert not reach.allows(address, encrypted=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])
def test_the_sandbox_networks_are_allowed_in_either_spelling(address: str) -> None:
    reach = Reach.to(["localhost"], SANDBOX_ADDRESSES)
    assert reach.allows(address, encrypted=False)
    assert not reach.allows("10.0.0.1", encrypted=True)


def test_a_host_is_matched_whole_and_with_its_port_where_one_is_named() -> None:
    # given one host with a port and one without
    reach = Reach.to(["api.partner.example:8443", "Other.example.", "[2001:db8::1]:443"])
    # then nothing near them matches
    assert reach.names("api.partner.example", 8443)
    assert reach.names("API.PARTNER.EXAMPLE.", 8443)
    assert not reach.names("api.partner.example", 443)
    assert not reach.names("evil.api.partner.example", 8443)
    assert not reach.names("partner.example", 8443)
    assert reach.names("other.example", 1)
    assert reach.names("2001:db8::1", 443)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://api.partner.example/a?b", "api.partner.example:443"),
        ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
        ("https://[2001:db8::1]/x", "[2001:db8::1]:443"),
    ],
)
def test_a_setting_that_holds_a_url_names_its_host(url: str, expected: str) -> None:
    assert host_and_port(url) == expected
    assert len(Reach.to([expected]).hosts) == 1


@pytest.mark.parametrize("url", ["ftp://a.example/", "file:///etc/passwd", "https:///x", "api.example"])
def test_a_setting_that_is_not_an_http_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        host_and_port(url)


def test_importing_the_sdk_imports_no_http_library() -> None:
    # when a fresh interpreter imports the SDK
    code = "import hub.sdk, sys; print([m for m in ('httpx', 'aiohttp', 'requests') if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    # then none of the HTTP libraries came with it
    assert found.stdout.strip() == "[]"
