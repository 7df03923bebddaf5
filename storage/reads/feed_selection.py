"""Which events of the feed a reader wants."""

import re
from collections.abc import Iterable
from fnmatch import translate

from hookbundle.engine.delivery import former_names
from hookbundle.storage.database.codec import StoredFact


class Selection:
    """A reader's filter: events of these workspaces, webhooks and chats whose type matches a glob.

    An empty filter selects everything. Events about the daemon itself have no workspace, so a
    filter by workspace leaves them out; that by webhook leaves out what is about none, and that by
    chat likewise. A glob may also be of a type's former name.
    """

    def __init__(
        self,
        workspaces: Iterable[str] = (),
        types: Iterable[str] = (),
        webhooks: Iterable[str] = (),
        chats: Iterable[str] = (),
    ) -> None:
        self.workspaces = frozenset(workspaces)
        self.webhooks = frozenset(webhooks)
        self.chats = frozenset(chats)
        self.types = tuple(types)
        self._globs = [re.compile(translate(glob)) for glob in self.types]
        self._known: dict[str, bool] = {}

    def takes(self, kind: str, fact: StoredFact) -> bool:
        if self.workspaces and fact.workspace not in self.workspaces:
            return False
        if self.webhooks and fact.webhook not in self.webhooks:
            return False
        if self.chats and fact.chat not in self.chats:
            return False
        if kind not in self._known:
            self._known[kind] = not self._globs or any(
                glob.match(name)
                for name in former_names.fact_types_of(kind)
                for glob in self._globs
            )
        return self._known[kind]


EVERYTHING = Selection()
