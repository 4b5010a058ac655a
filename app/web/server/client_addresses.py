"""Parse addresses and networks of clients and proxies, and test which network an address belongs to."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@lru_cache(maxsize=4096)
def address_of(text: str) -> Address | None:
    """Parse an address; an IPv4 address written as IPv6 is returned as IPv4. None for anything else.

    >>> address_of("::ffff:203.0.113.9"), address_of("fe80::1%eth0"), address_of("/run/site.sock")
    (IPv4Address('203.0.113.9'), IPv6Address('fe80::1'), None)
    """
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found


def networks_of(text: str) -> tuple[Network, ...]:
    """The networks and addresses in a comma-separated list. Raises ValueError for anything else.

    >>> networks_of("10.0.0.0/8, ::1")
    (IPv4Network('10.0.0.0/8'), IPv6Network('::1/128'))
    """
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Whether an address is in one of the networks."""
    return address is not None and any(address in network for network in networks)


def loopback(text: str) -> bool:
    """Whether a host, as given to bind to or as named by a connection, is this machine alone.

    >>> loopback("127.0.0.1"), loopback("::1"), loopback("localhost"), loopback("0.0.0.0"), loopback("::")
    (True, True, True, False, False)
    """
    address = address_of(text)
    return text == "localhost" if address is None else address.is_loopback
