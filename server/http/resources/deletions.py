"""The API of deletions. The timer erases the records afterwards, in steps."""

from dataclasses import dataclass

import msgspec
from aiohttp import web

from hookbundle.actors.store_queue import StoreQueue
from hookbundle.engine import limits
from hookbundle.engine.clock import Clock
from hookbundle.engine.error_codes import Code
from hookbundle.engine.errors import NotAllowed, NotFound
from hookbundle.engine.preconditions import Precondition
from hookbundle.server.http.authentication import CALLER, NOBODY, caller_of
from hookbundle.server.http.parameters.etags import IF_MATCH, IF_NONE_MATCH, precondition_of
from hookbundle.server.http.responses import json_response
from hookbundle.server.http.routes import Route
from hookbundle.storage.transitions.erasing import (
    ChatDeleted,
    DeleteChat,
    DeleteWorkspace,
    WorkspaceDeleted,
)


class WorkspaceDeletedOut(msgspec.Struct, frozen=True):
    """What was deleted with it: open windows, queued deliveries, dead letters, unsent messages."""

    windows: int
    deliveries: int
    messages: int


class ChatDeletedOut(msgspec.Struct, frozen=True):
    """`messages` were in its open window. What of it waits in the queue is never sent."""

    messages: int


@dataclass(frozen=True, slots=True)
class Erasing:
    store: StoreQueue
    clock: Clock

    def routes(self) -> list[Route]:
        one = "/v1/workspaces/{ws}"
        return [
            Route(
                method="DELETE",
                path=one,
                handler=self.delete_workspace,
                name="delete_workspace",
                summary="Delete a workspace with all it has, as an operator; honours If-Match",
                answer=WorkspaceDeletedOut,
                headers=(IF_MATCH, IF_NONE_MATCH),
                refusals=(404, 412, 422, 503),
            ),
            Route(
                method="DELETE",
                path=f"{one}/chats/{{chat}}",
                handler=self.delete_chat,
                name="delete_chat",
                summary="Delete a chat: its window, what waits of it, what the log has of it",
                answer=ChatDeletedOut,
                refusals=(404, 503),
            ),
        ]

    async def delete_workspace(self, request: web.Request) -> web.Response:
        """`DELETE /v1/workspaces/{ws}`: gone at once; its records are erased soon after.

        Only for operators, as making one is: a workspace's own token that got into wrong hands
        must not be able to destroy what it opens.
        """
        own = request.get(CALLER, NOBODY).workspace_id
        if own:
            raise NotAllowed.of(Code.OPERATORS_ONLY, own=own)
        workspace_id, precondition = request.match_info["ws"], precondition_of(request)
        deleted = await self.delete(workspace_id, precondition, caller_of(request))
        return json_response(
            WorkspaceDeletedOut(deleted.windows, deleted.deliveries, deleted.messages)
        )

    async def delete(
        self, workspace_id: str, precondition: Precondition | None, caller: str
    ) -> WorkspaceDeleted:
        """What was deleted with it. Raises: NotFound; Changed if it is not as expected."""
        return await self.store.do(
            DeleteWorkspace(
                workspace_id=workspace_id,
                precondition=precondition,
                now_ms=self.clock.now_ms(),
                caller=caller,
            ),
            WorkspaceDeleted,
        )

    async def delete_chat(self, request: web.Request) -> web.Response:
        """`DELETE /v1/workspaces/{ws}/chats/{chat}`: also of a chat that has nothing left."""
        chat_id = request.match_info["chat"]
        if len(chat_id.encode()) > limits.CHAT_ID_BYTES_MAX:
            raise NotFound.of(Code.NO_CHAT, chat=chat_id, most=limits.CHAT_ID_BYTES_MAX)
        deleted = await self.store.do(
            DeleteChat(
                workspace_id=request.match_info["ws"],
                chat_id=chat_id,
                now_ms=self.clock.now_ms(),
                caller=caller_of(request),
            ),
            ChatDeleted,
        )
        return json_response(ChatDeletedOut(deleted.messages))
