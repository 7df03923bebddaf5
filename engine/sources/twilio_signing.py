"""What Twilio signs: the URL as its console has it, and the fields of the form in order."""

from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from hookbundle.engine.sources.request import SourceRequest

PORTS = {"https": 443, "http": 80}


def signed_texts(public_url: str, request: SourceRequest) -> list[bytes]:
    """The texts that the signature may be over: one for each way to write the URL.

    Names and values as they are decoded, empty ones included, sorted by name (Twilio's
    documentation; the vector is that of its libraries).
    """
    fields = "".join([name + value for name, value in sorted(request.form)])
    ways = _ways(public_url, request.url)
    return [(each + fields).encode("utf-8", "surrogatepass") for each in ways]


def public_url_of(public_url: str, url: str) -> str:
    """Behind a proxy only a setting knows the URL that Twilio has.

    It may be an origin (`https://hooks.example`), to which the request's path and query are added:
    so the token in the path need not be in the settings. A longer one is taken as it is.
    """
    if not public_url:
        return url
    public = urlsplit(public_url)
    if public.path not in ("", "/") or public.query:
        return public_url
    _, _, path, query, _ = urlsplit(url)
    return urlunsplit((public.scheme, public.netloc, path, query, ""))


@lru_cache(maxsize=256)
def _ways(public_url: str, asked: str) -> list[str]:
    """With and without the scheme's own port: Twilio's libraries accept both too."""
    url = public_url_of(public_url, asked)
    scheme, host, path, query, _ = urlsplit(url)
    port = f":{PORTS.get(scheme, '')}"
    if host.endswith(port) and port != ":":
        other = host.removesuffix(port)
    elif ":" not in host and port != ":":
        other = host + port
    else:
        return [url]
    return [url, urlunsplit((scheme, other, path, query, ""))]
