"""Where a connection may send: its hosts, the addresses those may resolve to, and the limits on every exchange."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: What the sandbox profile allows beside public addresses: partners that run on this machine.
SANDBOX_ADDRESSES = ("127.0.0.0/8", "::1/128")

#: Schemes of settings that name a host, and the port of each.
_PORTS = {"http": 80, "https": 443, "sftp": 22}

#: Public by number and yet answered by the machine's own cloud (Azure's host agent).
_METADATA = frozenset({ip_address("168.63.129.16")})


@dataclass(frozen=True, slots=True)
class Reach:
    """What one connection may do over HTTP; anything outside it is refused before a byte leaves (TH17).

    `hosts` are `host` or `host:port`, `allow_addresses` are networks allowed although they are not public (and the only
    ones to which plain `http` goes). Sizes are bytes, `deadline_seconds` covers a whole exchange.
    """

    hosts: frozenset[str]
    allow_addresses: tuple[Network, ...] = ()
    in_flight: int = 32
    body_bytes: int = 1_000_000
    reply_bytes: int = 1_000_000
    deadline_seconds: float = 30
    _hosts: frozenset[tuple[str, int | None]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_hosts", frozenset(_split(entry) for entry in self.hosts))

    @classmethod
    def to(cls, hosts: Iterable[str], allow_addresses: Iterable[str] = (), **limits: float) -> Reach:
        """Build a reach from text as configuration holds it; raises `ValueError` on a bad network."""
        networks = tuple(ip_network(text) for text in allow_addresses)
        return cls(hosts=frozenset(hosts), allow_addresses=networks, **limits)  # type: ignore[arg-type]

    def names(self, host: str, port: int) -> bool:
        """Tell whether this host and port stand on the connection's list; sub-domains do not come with it."""
        name = host.lower().rstrip(".")
        return (name, port) in self._hosts or (name, None) in self._hosts

    def allows(self, text: str, *, encrypted: bool) -> bool:
        """Tell whether a connection to this resolved address may be opened."""
        try:
            address = unwrap(ip_address(text.partition("%")[0]))
        except ValueError:
            return False
        if any(address in network for network in self.allow_addresses if network.version == address.version):
            return True
        return encrypted and is_public(address)


def host_and_port(url: str) -> str:
    """Return `host:port` of a setting that holds a URL, as `Reach.hosts` wants it; raises `ValueError` on another."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("not an http, https or sftp URL")
    port = parts.port or _PORTS[parts.scheme]
    return f"[{parts.hostname}]:{port}" if ":" in parts.hostname else f"{parts.hostname}:{port}"


def unwrap(address: Address) -> Address:
    """Return the IPv4 address inside an IPv4-mapped one, so that both spellings meet the same rule."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def is_public(address: Address) -> bool:
    """Tell whether an address belongs to the open internet: tunnels that carry another address inside do not."""
    if isinstance(address, IPv6Address) and (address.sixtofour or address.teredo or address.is_site_local):
        return False
    special = address.is_multicast or address.is_reserved or address.is_unspecified or address in _METADATA
    return address.is_global and not special


def _split(entry: str) -> tuple[str, int | None]:
    parts = urlsplit("//" + entry)
    return (parts.hostname or "").rstrip("."), parts.port
