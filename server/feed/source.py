"""What readers of events read from: the feed of one database, or those of all partitions."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Protocol

from hookbundle.server.feed.filters import Place
from hookbundle.server.feed.frames import Encode, Write
from hookbundle.storage.reads.feed_selection import Selection

if TYPE_CHECKING:
    from hookbundle.server.feed.subscription import FeedConfig


class Stream(Protocol):
    """What one reader is sent, from its position on."""

    @property
    def cursor(self) -> str:
        """The position."""

    def leave(self) -> None:
        """The reader has left."""

    async def send(self, data: bytes, write: Write) -> None:
        """Raises: TimeoutError, ConnectionError."""

    async def pass_on(self, encode: Encode, write: Write) -> None:
        """Everything from here on has been written, and the feed has ended.

        Raises: TimeoutError if the reader takes nothing for too long; ConnectionError if it left.
        """


class Source(Protocol):
    @property
    def config(self) -> "FeedConfig": ...

    async def chosen(
        self,
        workspaces: Sequence[str],
        types: Sequence[str],
        webhooks: Sequence[str],
        chats: Sequence[str],
        place: Place,
    ) -> Selection:
        """The reader's filters. Raises: InvalidInput for one that nothing will ever match."""

    def subscribed(
        self,
        since: str,
        selection: Selection,
        transport: asyncio.WriteTransport,
        pace_s: float | None = None,
        may_go_on: Callable[[], bool] = lambda: True,
        back_most: int | None = None,
    ) -> AbstractAsyncContextManager[Stream]:
        """A stream for as long as the block runs. The caller holds a place for it.

        One that begins more than `back_most` events ago is told of a gap up to the newest.

        Raises: InvalidInput if `since` names no position; HookbundleError if there can be none now.
        """
