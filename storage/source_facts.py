"""The facts of sources. No token, no secret and nothing of a message is in any of them."""

from hookbundle.storage.daemon_facts import Fact, SettingsFact
from hookbundle.storage.instants import Instant


class SourceCreated(SettingsFact, frozen=True, kw_only=True):
    """A source was made. `changes`: its name, and which settings it has."""

    source: str
    kind: str


class SourceChanged(SettingsFact, frozen=True, kw_only=True):
    """A source was changed. `changes`: its name, and the names of the changed settings."""

    source: str


class SourceTokenRotated(Fact, frozen=True, kw_only=True):
    """A source has a new token. `keep_until`: until then the former one is good as well."""

    source: str
    caller: str
    keep_until: Instant


class SourceDeleted(Fact, frozen=True, kw_only=True):
    """A source was deleted: its address answers 404, and what it remembers is erased in steps."""

    source: str
    caller: str


class SourceRefused(Fact, frozen=True, kw_only=True):
    """Requests of a source were not proven and were answered 401; told once a minute at most.

    `requests`: since this was told last; `reason`: of the last one. Some systems drop an event for
    good after one such answer.
    """

    source: str
    requests: int
    reason: str
