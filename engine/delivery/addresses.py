"""Which addresses and URLs a webhook may reach: the protection from server-side request forgery.

There is an explicit list instead of `ipaddress.is_global`, because what that calls global differs
between Python releases, and has included NAT64, 6to4 and all multicast. The list is the union of
the IANA special-purpose registries (RFC 6890, RFC 8190) with what smokescreen and Svix refuse. In
IPv6 everything outside 2000::/3 is refused as well: nothing else is assigned to the public
internet.

The address is checked when a socket is made (actors/outbound), because only then is it final.
`url_faults` says earlier, when a URL is stored, what is wrong with it. Its grammar is narrow, so
that no two URL parsers read different hosts in a URL that it accepts; targets.py reads it for a
request by the same one.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Self, TypeAlias

from hookbundle.engine.errors import ConfigError, Fault, quoted
from hookbundle.engine.faults import FaultCode, fault

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

URL_CHARS_MAX = 2_048
HOST_CHARS_MAX = 253

# The first row that contains an address names the refusal, so the special cases come first.
DENIED: tuple[tuple[str, tuple[Network, ...]], ...] = tuple(
    (name, tuple(ip_network(cidr) for cidr in cidrs.split()))
    for name, cidrs in (
        # Instance metadata of the clouds: AWS and most others, AWS on IPv6, GCP on IPv6, Azure,
        # Alibaba, Oracle. Azure's is a public address that only machines in Azure can reach.
        ("metadata", "169.254.169.254/32 fd00:ec2::254/128 fd20:ce::254/128 168.63.129.16/32"),
        ("metadata", "100.100.100.200/32 192.0.0.192/32"),
        ("unspecified", "0.0.0.0/8 ::/128"),
        ("loopback", "127.0.0.0/8 ::1/128"),
        ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7 fec0::/10"),
        ("link_local", "169.254.0.0/16 fe80::/10"),
        ("carrier_nat", "100.64.0.0/10"),
        ("documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
        ("benchmarking", "198.18.0.0/15 2001:2::/48"),
        ("multicast", "224.0.0.0/4 ff00::/8"),
        ("broadcast", "255.255.255.255/32"),
        ("nat64", "64:ff9b::/96 64:ff9b:1::/48"),
        ("6to4", "192.88.99.0/24 2002::/16"),
        ("teredo", "2001::/32"),
        ("ipv4_compatible", "::/96"),
        ("reserved", "192.0.0.0/24 240.0.0.0/4 2001::/23 5f00::/16 100::/64"),
    )
)
PUBLIC_V6 = IPv6Network("2000::/3")
MAPPED_V4 = IPv6Network("::ffff:0:0/96")

# Services that may read a line of an HTTP request as a command: the "bad ports" of the Fetch
# standard (section 2.9) that are in use, and databases, brokers and remote desktops.
FORBIDDEN_PORTS = frozenset(
    {1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102}
    | {103, 104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427}
    | {445, 465, 512, 513, 514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636}
    | {873, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049, 2375, 2379, 2380, 3306, 3389}
    | {3659, 4045, 5060, 5061, 5432, 5672, 5900, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669}
    | {6679, 6697, 9042, 9092, 10080, 11211, 27017}
)

PLAIN = re.compile(r"[!-~]*")
URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?]*)([/?].*)?", re.DOTALL)
AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(.*))?", re.DOTALL)
PORT = re.compile(r"[0-9]{1,5}")
RECEIVER = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([0-9]{1,5})")
PORT_OF_SCHEME = {"http": 80, "https": 443}
LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
# By the URL standard a host whose last label is a number is an IPv4 address, however written.
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Allows all public addresses, and in addition what the operator allows.

    `receivers`: one port of one address each, where a whole network would let everybody's webhooks
    reach all that listens there.
    """

    allow: tuple[Network, ...] = ()
    receivers: frozenset[tuple[Address, int]] = frozenset()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> Self:
        """Of networks, and of addresses with a port: `10.1.0.0/16`, `127.0.0.1:8480`, `[::1]:80`.

        Raises: ConfigError with the first entry that is neither.
        """
        networks, receivers = [], []
        for entry in entries:
            receiver = RECEIVER.fullmatch(entry.strip())
            if receiver is None:
                networks.append(_parse_network(entry))
            else:
                receivers.append(_parse_receiver(entry, receiver[1] or receiver[2], receiver[3]))
        return cls(tuple(networks), frozenset(receivers))

    def refusal(self, ip: str, port: int = 0) -> str | None:
        """None if a socket may be opened to `ip`, else the reason, a name from `DENIED`.

        `port`: of the socket; without one an allowed receiver is not recognised.
        """
        if "%" in ip:
            return "zone"
        try:
            address = ip_address(ip)
        except ValueError:
            return "not_an_address"
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            # The kernel sends IPv4 packets for it, so the IPv4 address is what must be checked.
            address = address.ipv4_mapped
        if any(address in network for network in self.allow) or (address, port) in self.receivers:
            return None
        return _denied(address)


def port_refusal(port: int) -> str | None:
    """None if a webhook may use the port, else the reason as a sentence."""
    if not 1 <= port <= 65_535:
        return f"port {port} is not in 1..65535"
    if port in FORBIDDEN_PORTS:
        return f"port {port} belongs to a service that is not HTTP"
    return None


def url_faults(url: str, policy: AddressPolicy | None = None) -> tuple[str, ...]:
    """`faults_of_url` as sentences in English."""
    return tuple(fault.detail for fault in faults_of_url("", url, policy))


def faults_of_url(path: str, url: str, policy: AddressPolicy | None = None) -> tuple[Fault, ...]:
    """Everything wrong with a webhook URL; empty if it may be stored and called.

    With a policy, an address in the URL is checked too; a name is checked when it is called.
    """
    if len(url) > URL_CHARS_MAX:
        return (fault(path, FaultCode.URL_TOO_LONG, most=URL_CHARS_MAX),)
    if "\\" in url or not (PLAIN.fullmatch(url) or _is_visible(url)):
        return (fault(path, FaultCode.URL_UNPRINTABLE),)
    match = URL.fullmatch(url)
    if match is None:
        return (fault(path, FaultCode.URL_UNREADABLE),)
    scheme, authority, rest = match[1].lower(), match[2], match[3] or ""
    faults = []
    if scheme not in ("http", "https"):
        faults.append(fault(path, FaultCode.URL_SCHEME, got=quoted(scheme)))
    if "#" in authority + rest:
        faults.append(fault(path, FaultCode.URL_FRAGMENT))
        authority = authority.partition("#")[0]
    if "@" in authority:
        faults.append(fault(path, FaultCode.URL_USER))
        authority = authority.rpartition("@")[2]
    return (*faults, *_authority_faults(path, authority, PORT_OF_SCHEME.get(scheme, 0), policy))


def _is_visible(text: str) -> bool:
    return not any(unicodedata.category(char)[0] in "CZ" for char in text)


def _authority_faults(
    path: str, authority: str, default_port: int, policy: AddressPolicy | None
) -> tuple[Fault, ...]:
    match = AUTHORITY.fullmatch(authority)
    if match is None:
        return (fault(path, FaultCode.URL_MALFORMED_HOST),)
    host, port = match[1], match[2]
    at_port = default_port if port is None else int(port) if PORT.fullmatch(port) else 0
    faults = [wrong for wrong in (_host_fault(path, host, at_port, policy),) if wrong is not None]
    if port is not None and not PORT.fullmatch(port):
        faults.append(fault(path, FaultCode.URL_PORT))
    elif port is not None and port_refusal(int(port)) is not None:
        faults.append(fault(path, FaultCode.URL_PORT_REFUSED, port=int(port)))
    return tuple(faults)


def _host_fault(path: str, host: str, port: int, policy: AddressPolicy | None) -> Fault | None:
    if not host:
        return fault(path, FaultCode.URL_NO_HOST)
    if host.startswith("["):
        try:
            IPv6Address(host[1:-1])
        except AddressValueError:
            return fault(path, FaultCode.URL_IPV6)
        return _literal_fault(path, host[1:-1], port, policy)
    try:
        name = ascii_host(host)
    except UnicodeError:
        return fault(path, FaultCode.URL_HOST)
    labels = name.removesuffix(".").split(".")
    if NUMBER.fullmatch(labels[-1]):
        try:
            canonical = str(IPv4Address(name)) == host
        except AddressValueError:
            canonical = False
        if not canonical:
            return fault(path, FaultCode.URL_IPV4)
        return _literal_fault(path, host, port, policy)
    if len(name) > HOST_CHARS_MAX or not all(LABEL.fullmatch(label) for label in labels):
        return fault(path, FaultCode.URL_HOST)
    return None


def ascii_host(host: str) -> str:
    """The host in lower case and ASCII. Raises: UnicodeError if there is no such name.

    Full-width and circled digits come out as plain ones, other scripts as xn-- labels.
    """
    return (host if host.isascii() else host.encode("idna").decode("ascii")).lower()


def _literal_fault(path: str, ip: str, port: int, policy: AddressPolicy | None) -> Fault | None:
    refusal = "zone" if "%" in ip else policy.refusal(ip, port) if policy is not None else None
    if refusal is None:
        return None
    return fault(path, FaultCode.URL_ADDRESS_REFUSED, refusal=refusal)


def _denied(address: Address) -> str | None:
    for name, networks in DENIED:
        if any(address in network for network in networks):
            return name
    if isinstance(address, IPv6Address) and address not in PUBLIC_V6:
        return "reserved"
    return None


def _parse_network(cidr: str) -> Network:
    try:
        network = ip_network(cidr.strip())
    except ValueError as exc:
        raise ConfigError(
            f"delivery.allow_networks: {cidr!r} is not a network like 10.1.0.0/16, or an address "
            f"with a port like 127.0.0.1:8480 ({exc})"
        ) from exc
    if isinstance(network, IPv6Network) and network.subnet_of(MAPPED_V4):
        mapped = network.network_address.ipv4_mapped
        assert mapped is not None
        return IPv4Network((mapped, network.prefixlen - 96))
    return network


def _parse_receiver(entry: str, ip: str, port: str) -> tuple[Address, int]:
    try:
        address = ip_address(ip)
    except ValueError as exc:
        raise ConfigError(
            f"delivery.allow_networks: {entry!r} is not an address with a port ({exc})"
        ) from exc
    if refused := port_refusal(int(port)):
        raise ConfigError(f"delivery.allow_networks: {entry!r}: {refused}")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address, int(port)
