"""What may be shown of a webhook's URL, and of what its receiver says of it.

Many receivers know a caller by a token in the query, which is then the only secret there is. It
leaves with a request, and stands in the settings; in logs, facts and mails there is `?...` instead.
"""

import re
from html import escape
from urllib.parse import unquote_plus

from hookbundle.engine.delivery.targets import sent_query

HIDDEN = "..."
CUT_CHARS_MIN = 4  # of a secret at the end of what was cut off
CUT_BYTES_MAX = 8 * 1024
VALUE_CHARS_MIN = 8  # a shorter value is a word like `1` or `json`, and no secret
AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/?#]*)")


def shown_url(url: str) -> str:
    """The URL without what its query says."""
    path, mark, _ = url.partition("?")
    return f"{path}{mark}{HIDDEN}" if mark else path


def host_of(url: str) -> str:
    """The host of a URL, without its port; empty if it has none."""
    match = AUTHORITY.match(url)
    if match is None:
        return ""
    host = match[1].rpartition("@")[2]
    if host.startswith("["):
        return host.partition("]")[0].removeprefix("[")
    return host.partition(":")[0]


def secrets_of(url: str) -> tuple[str, ...]:
    """What must not be shown of the URL: its query, and its long values; the longest first.

    As they are written in the URL, as they are sent, as they read, and as each stands in HTML.
    """
    _, mark, query = url.partition("?")
    if not mark or not query:
        return ()
    found = {f"?{query}", f"?{sent_query(query)}"}
    for pair in re.split("[&;]", query):
        value = pair.partition("=")[2] or pair
        forms = (value, sent_query(value), unquote_plus(value))
        found |= {each for each in forms if len(each) >= VALUE_CHARS_MIN}
    found |= {escape(each) for each in found}
    return tuple(sorted(found, key=len, reverse=True))


def hidden(text: str, secrets: tuple[str, ...]) -> str:
    """The text without the secrets. A receiver may repeat them: where it redirects, in an error."""
    for secret in secrets:
        if secret in text:
            text = text.replace(secret, f"?{HIDDEN}" if secret.startswith("?") else HIDDEN)
    return text


def without_beginning(text: str, secrets: tuple[str, ...]) -> str:
    """A text that may have been cut off, without the beginning of a secret at its end."""
    for secret in secrets:
        for size in range(min(len(secret), len(text)), CUT_CHARS_MIN - 1, -1):
            if text.endswith(secret[:size]):
                return f"{text[:-size]}{HIDDEN}"
    return text


def hidden_in_bytes(data: bytes, secrets: tuple[str, ...], *, is_cut: bool = False) -> bytes:
    """`is_cut`: what came was longer, so that it may end within a secret."""
    for secret in secrets:
        found = secret.encode()
        if found in data:
            data = data.replace(found, f"?{HIDDEN}".encode() if secret[0] == "?" else b"...")
    if not is_cut:
        return data
    end = data[-CUT_BYTES_MAX:].decode("latin-1")
    as_read = tuple(secret.encode().decode("latin-1") for secret in secrets)
    return data[:-CUT_BYTES_MAX] + without_beginning(end, as_read).encode("latin-1")
