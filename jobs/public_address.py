"""Whether an address that a person typed leads out into the internet, and nowhere else. Pure but for asking DNS.

A subscribed list is fetched by the server, which stands where people's browsers don't: next to a router, a cloud's
metadata service, other containers. So only https is followed, every hop is looked at, and the connection goes to the
very address that was looked at: a name that answers differently the second time gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urlsplit

from jobs.errors import BadData
from jobs.said import said

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_LOCAL_NAMES = ("localhost", ".localhost", ".local", ".internal", ".lan", ".home.arpa", ".intranet")


class NotPublic(BadData):
    """An address that is not fetched; the message is one plain sentence."""


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet at large. What an IPv6 address wraps is looked at as well."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = [ip.ipv4_mapped, ip.sixtofour, *(ip.teredo or ())]
        if ip in _NAT64:
            inner.append(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
        if any(part is not None and not is_public(str(part)) for part in inner) or ip.is_site_local:
            return False
        if ip.ipv4_mapped is not None:
            return True
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def check_url(url: str) -> None:
    """Raises `NotPublic` for what is no https address, carries a name and password, or plainly leads inside."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise NotPublic(said("This is no address.")) from None
    if any(letter.isspace() or not letter.isprintable() for letter in url):
        raise NotPublic(said("This is no address."))
    if parts.scheme != "https" or not host:
        raise NotPublic(said("The address has to begin with https://."))
    if "@" in parts.netloc:
        raise NotPublic(said("The address must not hold a name or a password."))
    name = host.rstrip(".").lower()
    if name.endswith(_LOCAL_NAMES) or ("." not in name and ":" not in name):
        raise NotPublic(said("The address leads into the local network."))
    if _looks_numeric(name) and not is_public(name):
        raise NotPublic(said("The address leads into the local network."))


def _looks_numeric(name: str) -> bool:
    """IPv6, dotted numbers, and the other spellings (0x7f.1, 2130706433) that a resolver takes for IPv4."""
    return ":" in name or name.rsplit(".", 1)[-1].isdigit() or name.rsplit(".", 1)[-1].startswith("0x")


def public_address(host: str, port: int) -> str:
    """The IP address to connect to. Raises `NotPublic` when any address of the name is not public, OSError by DNS."""
    found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not found or not all(is_public(address) for address in found):
        raise NotPublic(said("The address leads into the local network."))
    return found[0]
