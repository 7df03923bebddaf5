"""The records of sources. Times are UTC milliseconds; 0 means "not set". See records.py."""

import msgspec

from hookbundle.storage.database.records import U32, Frozen, Record


class TokenDigest(Frozen, frozen=True):
    """A token of a source, as its SHA-256. `until_ms`: a former one, good until then."""

    digest: bytes
    until_ms: int = 0


class Source(Frozen, frozen=True):
    """The settings of a source.

    `number`: from the counter of the workspace, never assigned again; `id` has it. `settings`: JSON
    (engine/sources/settings.py), with its secrets. `tokens`: the present one first. `version`: of
    the source itself. `deleted_ms`: when it was deleted, if its records are still being erased; of
    such a one nothing else is kept.
    """

    id: str
    number: U32
    workspace: U32
    kind: str
    name: str
    settings: bytes
    tokens: tuple[TokenDigest, ...]
    version: int
    created_ms: int
    deleted_ms: int = 0


class SourceToken(Frozen, frozen=True):
    """Whose a token is. `workspace_id` saves a look-up of each request."""

    workspace: U32
    workspace_id: str
    source: U32


class Kept(Frozen, frozen=True):
    """A request that is kept. `size`: of its rows. `is_quiet`: nothing in it was ours."""

    number: int
    at_ms: int
    size: int
    is_quiet: bool


class SourceNotes(Record):
    """What came from a source. `counts`: by outcome, as `accepted`, `ignored.ack`.

    `seen_ms`, `message_ms`: when its last request and the last one with a message came. `refused`:
    requests that were not authentic and of which no fact has told yet; `told_ms`: when one did.
    `request_next`: the number of the next request. `kept`: by number. `kept_bytes`: of them.
    """

    counts: dict[str, int] = msgspec.field(default_factory=dict)
    seen_ms: int = 0
    message_ms: int = 0
    refused: int = 0
    told_ms: int = 0
    request_next: int = 1
    kept: tuple[Kept, ...] = ()
    kept_bytes: int = 0


class SourceMemory(Record):
    """How much a source remembers. `entries`, `bytes`: of each ring. `place_next`: of all rings.

    `deleted`: the source was deleted, and remembers nothing new.
    """

    entries: tuple[int, ...] = (0, 0)
    bytes: tuple[int, ...] = (0, 0)
    place_next: int = 1
    deleted: bool = False


class Remembered(Frozen, frozen=True):
    """An entry of a source's memory. `chat`: with it, this goes. `place`: in its ring, a number."""

    value: str
    chat: str
    place: int
    at_ms: int


class KeptFault(Frozen, frozen=True):
    """What was wrong. `detail`: in English; `values`: of the gaps of its sentence, by name."""

    code: str
    path: str
    detail: str
    values: tuple[tuple[str, str], ...] = ()


class KeptRequest(Frozen, frozen=True):
    """A request of a source, for its owner. Secrets were replaced before it came here.

    `chats`: that its messages are of; empty if none is known, or too many are. `outcomes`: how
    many of each. `size`: the bytes of the whole body, of which the beginning is kept.
    """

    at_ms: int
    method: str
    tail: str
    status: int
    headers: tuple[tuple[str, str], ...]
    outcomes: dict[str, int]
    faults: tuple[KeptFault, ...]
    size: int
    chats: tuple[str, ...]


class KeptBody(Frozen, frozen=True):
    """The beginning of a kept request's body."""

    body: bytes
