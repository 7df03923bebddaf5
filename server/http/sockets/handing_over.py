"""The end of a daemon whose sockets another process goes on holding.

New connections wait in the socket's queue for the next daemon. Those that were accepted are this
one's: what a client has sent on them, or is about to send, nobody else can answer. So each gets
time for one more request, and its answer says that it is the last (`Connection: close`).
"""

import asyncio
from collections.abc import Iterable

from aiohttp import web

from hookbundle.server.http.wire import Connection, OwnServer

FRESH_S = 1.0  # for the first request of a connection: who connects has something to say
IDLE_S = 0.5  # for one more; a client that was silent for longer connects anew
POLL_S = 0.01


def accept_no_more(server: OwnServer, sites: Iterable[web.BaseSite]) -> None:
    """The sites' sockets stay open. What was accepted a moment ago is still begun."""
    server.is_ending = True
    for site in sites:
        if isinstance(site._server, asyncio.Server):
            for each in site._server.sockets:
                asyncio.get_running_loop().remove_reader(each.fileno())


async def last_requests(server: OwnServer) -> None:
    """Each connection had time for one more request; those that are being answered may go on."""
    now_s = asyncio.get_running_loop().time
    began_s = now_s()
    awaited = True
    while awaited:
        await asyncio.sleep(POLL_S)
        waited_s = now_s() - began_s
        awaited = any(
            waited_s < (IDLE_S if connection.heads else FRESH_S)
            for connection in server.connections
            if isinstance(connection, Connection)
        )
