"""Which addresses may be asked: public ones, by http or https.

Addresses come out of downloaded files and out of other servers' redirects, so each is looked up here before anyone
connects, and the connection then goes to the very machine that was looked up. A name that is private, or that changes
between the look and the connection, leads nowhere.
"""

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

_LONGEST = 2_000


class RefusedAddressError(Exception):
    """An address that is not asked; the message says why."""


class UnknownMachineError(RefusedAddressError):
    """A name that leads to no machine: there is none, or whoever knows names does not answer."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a request goes: ``url`` names the machine by its number, ``host`` is what the address called it."""

    url: str
    host: str  # for the Host header
    name: str  # for the certificate


async def destination(address: str, allowed: Collection[str] = ()) -> Destination:
    """The machine that an address names, looked up.

    Hosts ``allowed`` by whoever runs the command may be private. Raises RefusedAddressError for an address that is
    none, is not of the web, or belongs to a network that is not public.
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
    number = await _number(host, port or (443 if parts.scheme == "https" else 80), host in allowed)
    bracketed = f"[{number}]" if ":" in number else number
    netloc = bracketed if port is None else f"{bracketed}:{port}"
    return Destination(parts._replace(netloc=netloc, fragment="").geturl(), parts.netloc, host)


async def _number(host: str, port: int, private: bool) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UnknownMachineError(f"expected a machine called {host}, found none ({said})") from error
    numbers = [str(entry[4][0]) for entry in found]
    for number in numbers:
        if not private and not is_public(number):
            raise RefusedAddressError(f"refused {host}: it leads to the private address {number}")
    return numbers[0]


def is_public(number: str) -> bool:
    """Whether a numeric address belongs to the public internet.

    >>> [is_public(n) for n in ("93.184.216.34", "127.0.0.1", "10.1.2.3", "::ffff:192.168.0.1", "169.254.169.254")]
    [True, False, False, False, False]
    """
    address = ip_address(number.partition("%")[0])
    if isinstance(address, IPv6Address):
        # Numbers of the old kind inside numbers of the new kind are as private as they were.
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast
