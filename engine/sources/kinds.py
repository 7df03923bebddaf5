"""The kinds of sources: for each its adapter, its proof, its handshake and its answer.

kind = KINDS[source.kind]
if isinstance(authenticate(kind.check, settings, request), NotAuthentic): ...    # 401
match translate(kind, settings, memory, request):
    case Unreadable(fault): ...                                                  # 400
    case Translation(outcomes, learned): ...                                     # to intake
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias

from hookbundle.engine.sources import authentication, bodies, handshakes
from hookbundle.engine.sources.adapters import (
    chatwoot,
    evolution,
    generic,
    green_api,
    meta,
    periskope,
    timelinesai,
    twilio,
    waha,
    wati,
    whapi,
)
from hookbundle.engine.sources.authentication import Check
from hookbundle.engine.sources.handshakes import HandshakeAnswer
from hookbundle.engine.sources.memory import Memory
from hookbundle.engine.sources.outcomes import Translation, Unreadable
from hookbundle.engine.sources.request import SourceRequest
from hookbundle.engine.sources.settings import KindName, SourceSettings

Adapter: TypeAlias = Callable[[SourceSettings, Memory, SourceRequest], Translation]
"""A pure function. Raises only bodies.NotJson; whatever the body holds is an outcome."""
Handshake: TypeAlias = Callable[[SourceSettings, SourceRequest], HandshakeAnswer]


class AnswerForm(Enum):
    JSON = "json"
    # What Twilio gets as text it sends to the contact as a reply, and JSON it logs as an error.
    EMPTY_TWIML = "empty_twiml"


EMPTY_TWIML = b'<?xml version="1.0" encoding="UTF-8"?><Response/>'  # text/xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """`title`: its name for people. `handshake`: None where a GET is only somebody's try.

    `secret_fields`: what is hidden in the body of a request that is kept, by the name at any depth.
    `chats_are_phones`: not where the other system has ids of its own for chats, each of one number
    of the owner.
    """

    name: KindName
    title: str
    adapter: Adapter
    check: Check = authentication.nothing
    handshake: Handshake | None = None
    answer: AnswerForm = AnswerForm.JSON
    secret_fields: tuple[str, ...] = ()
    chats_are_phones: bool = True


def translate(
    kind: Kind, settings: SourceSettings, memory: Memory, request: SourceRequest
) -> Translation | Unreadable:
    """What an authentic request yields."""
    try:
        return kind.adapter(settings, memory, request)
    except bodies.NotJson as exc:
        return Unreadable(exc.fault)


_ALL = (
    Kind(
        name="waha",
        title="WAHA",
        adapter=waha.adapt,
        check=authentication.waha,
    ),
    Kind(
        name="evolution",
        title="Evolution API",
        adapter=evolution.adapt,
        check=authentication.evolution,
        secret_fields=("apikey", "instanceToken"),
    ),
    Kind(
        name="meta",
        title="WhatsApp Cloud API",
        adapter=meta.adapt,
        check=authentication.meta,
        handshake=handshakes.meta,
    ),
    Kind(
        name="chatwoot",
        title="Chatwoot",
        adapter=chatwoot.adapt,
        check=authentication.chatwoot,
        chats_are_phones=False,
    ),
    Kind(
        name="timelinesai",
        title="TimelinesAI",
        adapter=timelinesai.adapt,
        chats_are_phones=False,
    ),
    Kind(
        name="twilio",
        title="Twilio",
        adapter=twilio.adapt,
        check=authentication.twilio,
        answer=AnswerForm.EMPTY_TWIML,
    ),
    Kind(name="360dialog", title="360dialog", adapter=meta.adapt),
    Kind(
        name="green-api",
        title="GREEN-API",
        adapter=green_api.adapt,
        check=authentication.green_api,
    ),
    Kind(name="whapi", title="Whapi.Cloud", adapter=whapi.adapt),
    Kind(name="wati", title="Wati", adapter=wati.adapt),
    Kind(
        name="periskope",
        title="Periskope",
        adapter=periskope.adapt,
        check=authentication.periskope,
    ),
    Kind(name="generic", title="Generic JSON", adapter=generic.adapt),
)

KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in _ALL})
