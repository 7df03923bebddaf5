"""Where a webhook URL leads, and the bytes of it that a receiver is sent.

The only reading of a URL for a request: what is looked up, checked, connected to and sent comes
from the same text by the same grammar as `url_faults` (addresses.py). Receivers sign URLs and
compare them, so path and query leave as they were set, byte for byte.
"""

from dataclasses import dataclass
from string import printable
from urllib.parse import quote

from hookbundle.engine.delivery.addresses import AUTHORITY, URL, ascii_host, url_faults

DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """`host`: what is looked up and connected to: ASCII, in lower case, IPv6 without brackets.

    `authority`: what the Host header says. `path`: what the request line says, with the query.
    """

    is_tls: bool
    host: str
    port: int
    authority: str
    path: str

    @property
    def url(self) -> str:
        scheme = "https" if self.is_tls else "http"
        return f"{scheme}://{self.authority}{self.path}"


def target_of(url: str) -> Target:
    """Of a URL in which `url_faults` finds no fault."""
    match = URL.fullmatch(url)
    assert match is not None, "the URL was not checked"
    scheme = match[1].lower()
    found = AUTHORITY.fullmatch(match[2])
    assert found is not None, "the URL was not checked"
    written, default = found[1], DEFAULT_PORTS[scheme]
    port = int(found[2]) if found[2] is not None else default
    host = written[1:-1].lower() if written.startswith("[") else ascii_host(written)
    named = written if written.isascii() else host
    return Target(
        is_tls=scheme == "https",
        host=host,
        port=port,
        authority=named if port == default else f"{named}:{port}",
        path=_sent(match[3] or ""),
    )


def sent_url(url: str) -> str:
    """The URL as it leaves: itself, unless it holds letters that have to be written in ASCII.

    One that can't be called never leaves.
    """
    return url if url.isascii() or url_faults(url) else target_of(url).url


def sent_query(query: str) -> str:
    return quote(query, safe=printable)


def _sent(rest: str) -> str:
    path = rest if rest.startswith("/") else f"/{rest}"
    return path if path.isascii() else quote(path, safe=printable)
