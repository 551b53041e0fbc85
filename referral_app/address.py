"""Client addresses: what limits count by. Pure."""

import ipaddress
import re

_WITH_PORT = re.compile(r"\[(?P<v6>[^\]]+)\](:\d+)?|(?P<v4>[0-9.]+):\d+", re.ASCII)


def normalise(text: str) -> str | None:
    """Return an IPv4 address, or the /64 network of an IPv6 one; None for anything else.

    Whoever has one IPv6 line has all of its /64. Some proxies add the port, which is dropped, as is a zone.
    """
    if with_port := _WITH_PORT.fullmatch(text.strip()):
        text = with_port["v6"] or with_port["v4"]
    try:
        address = ipaddress.ip_address(text.strip().removesuffix("/64").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def is_loopback(host: str) -> bool:
    """Tell whether a host name or address means this machine alone."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.casefold() == "localhost"


_NEAR = [
    ipaddress.ip_network(network)
    for network in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "169.254.0.0/16",
        "::1/128",
        "fc00::/7",
        "fe80::/10",
    )
]


def is_near(text: str) -> bool:
    """Tell whether an address is one of this machine or of a private network: where a proxy in front would be."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return False
    return any(address in network for network in _NEAR)
