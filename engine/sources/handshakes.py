"""What a kind answers to a GET, by which its sender finds out whose address it is."""

from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

from hookbundle.engine.sources.authentication import is_one_of
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import SourceSettings, secrets_of

CHALLENGE_CHARS_MAX = 1_024
FIELDS_MAX = 100


@dataclass(frozen=True, slots=True)
class HandshakeAnswer:
    """Answered as `text/plain`, with nothing around it."""

    status: int
    text: str = ""


def meta(settings: SourceSettings, request: SourceRequest) -> HandshakeAnswer:
    """`hub.challenge` back if `hub.verify_token` is the one of the settings (Meta's documentation).

    Without `hub.mode` it is no handshake (400); with another token nothing is repeated (403).
    """
    query = urlsplit(request.url).query
    told = dict(parse_qsl(query, keep_blank_values=True)) if query.count("&") < FIELDS_MAX else {}
    if told.get("hub.mode") != "subscribe":
        return HandshakeAnswer(400)
    known = [each.encode() for each in secrets_of(settings.verify_token)]
    if not is_one_of(told.get("hub.verify_token", ""), known):
        return HandshakeAnswer(403)
    challenge = told.get("hub.challenge", "")
    if len(challenge) > CHALLENGE_CHARS_MAX or not challenge.isprintable():
        return HandshakeAnswer(400)
    return HandshakeAnswer(200, challenge)
