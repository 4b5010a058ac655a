"""Allow only public http and https addresses to be fetched.

Addresses come from downloaded files and from redirects by other servers. Each host name is therefore resolved here
before anyone connects, and the connection then goes to one of the resolved machines. A private name, or one that
changes between the check and the connection, leads nowhere.
"""

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import chain, zip_longest
from typing import Final
from urllib.parse import urlsplit

_LONGEST: Final = 2_000
#: The number of machines of one host that are tried, one after another.
_MOST_MACHINES: Final = 6
#: What is handed out to machines of the internet (IANA). All else is local, multicast, or an IPv4 address in disguise:
#: IPv4-mapped and IPv4-compatible (::/96), NAT64 (64:ff9b::/96 and the local 64:ff9b:1::/48), site-local (fec0::/10).
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
#: Within it: protocols of the IETF, Teredo among them, documentation, and 6to4.
_NOT_MACHINES: Final = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
#: Interface identifiers of ISATAP, which end in an IPv4 address.
_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
#: IETF protocols and the old 6to4 relays, which some versions of Python consider public.
_NOT_MACHINES_V4: Final = tuple(map(ip_network, ("192.0.0.0/24", "192.88.99.0/24")))


class RefusedAddressError(Exception):
    """An address that must not be fetched; the message says why."""


class UnknownHostError(RefusedAddressError):
    """A host name that does not resolve: it does not exist, or the name server does not answer."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The target of a request: ``url`` contains the machine's IP address, ``host`` the name in the original address."""

    url: str
    host: str  # for the Host header
    name: str  # for the certificate

    @property
    def machine(self) -> str:
        """The machine's IP address, with its port if the address states one."""
        return urlsplit(self.url).netloc


async def destinations(address: str, allowed: Collection[str] = ()) -> list[Destination]:
    """Resolve the machines of an address, in the order in which to try them; at least one, at most six.

    Hosts in ``allowed``, given by the user of the command, may be private; for others only public machines are
    returned. Raises RefusedAddressError for an invalid address, one that is not http or https, or one in a non-public
    network.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise RefusedAddressError(f"expected an address, found none ({error})") from error
    if parts.scheme not in ("http", "https") or not host or len(address) > _LONGEST:
        raise RefusedAddressError("expected an http or https address, found another")
    if parts.username is not None or parts.password is not None:
        raise RefusedAddressError("refused an address with a name and a password in it")
    found = []
    for number in await _numbers(host, port or (443 if parts.scheme == "https" else 80), host in allowed):
        bracketed = f"[{number}]" if ":" in number else number
        netloc = bracketed if port is None else f"{bracketed}:{port}"
        found.append(Destination(parts._replace(netloc=netloc, fragment="").geturl(), parts.netloc, host))
    return found


async def _numbers(host: str, port: int, private: bool) -> list[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnknownHostError(f"expected a machine called {host}, found none ({said})") from error
    numbers = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    # A name server behind NAT64 adds its own addresses to public ones, so one refused address does not refuse the rest.
    kept = [number for number in numbers if private or is_public(number)]
    if not kept:
        raise RefusedAddressError(f"refused {host}: it leads to the private address {numbers[0]}")
    return _by_turns(kept)[:_MOST_MACHINES]


def _by_turns(numbers: list[str]) -> list[str]:
    """Alternate IPv6 and IPv4 addresses, so that a network without one kind costs one attempt (RFC 8305, section 4).

    >>> _by_turns(["2606:4700::1", "2606:4700::2", "1.1.1.1"])
    ['2606:4700::1', '1.1.1.1', '2606:4700::2']
    """
    kinds: dict[bool, list[str]] = {}
    for number in numbers:
        kinds.setdefault(":" in number, []).append(number)
    return [number for number in chain.from_iterable(zip_longest(*kinds.values())) if number is not None]


def is_public(number: str) -> bool:
    """Whether a numeric address belongs to a machine of the public internet.

    An IPv4 address inside an IPv6 one is always refused: a translator decides where it leads.

    >>> [is_public(n) for n in ("93.184.216.34", "127.0.0.1", "10.1.2.3", "169.254.169.254")]
    [True, False, False, False]
    >>> [is_public(n) for n in ("2606:4700::1111", "::ffff:93.184.216.34", "64:ff9b::7f00:1", "fec0::1")]
    [True, False, False, False]
    """
    address = ip_address(number)
    if isinstance(address, IPv4Address):
        return (
            address.is_global
            and not address.is_multicast
            and not any(address in network for network in _NOT_MACHINES_V4)
        )
    return _is_public_v6(address)


def _is_public_v6(address: IPv6Address) -> bool:
    isatap = int(address) >> 32 & 0xFFFF_FFFF in _ISATAP
    # A zone selects one of our own networks.
    return (
        address in _GLOBAL_UNICAST
        and address.is_global
        and address.scope_id is None
        and not isatap
        and not any(address in network for network in _NOT_MACHINES)
    )
