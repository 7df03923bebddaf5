"""A delivery as a command for curl, to be tried at home or sent to somebody who helps.

It has no secrets: no credentials, no signature, and nothing of the URL's query. Who runs it fills
these in. Its body is the body that is sent, as JSON that says the same: what would turn a line
around in a terminal, or can't be seen, is written by its number.
"""

import shlex
from collections.abc import Iterable

from hookbundle.engine.delivery.urls import shown_url
from hookbundle.server.console.isolating import UNSEEN

BODY_CHARS_MAX = 32 * 1024  # of a longer one the command names a file
BODY_FILE = "body.json"
# Those that say nothing secret; curl makes the others, or the receiver's operator knows them.
KEPT = frozenset({"content-type", "user-agent", "webhook-id", "webhook-timestamp"})


def command(url: str, headers: Iterable[tuple[str, str]], body: str, method: str = "POST") -> str:
    """The lines of the command."""
    parts = [f"curl --request {method} {shlex.quote(shown_url(url))}"]
    parts += [
        f"--header {shlex.quote(f'{name}: {value}')}"
        for name, value in headers
        if name.lower() in KEPT
    ]
    plain = UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", body)
    is_short = len(plain) <= BODY_CHARS_MAX
    parts.append(f"--data-binary {shlex.quote(plain) if is_short else f'@{BODY_FILE}'}")
    return " \\\n  ".join(parts)
