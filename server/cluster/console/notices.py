"""What the next page says, where it is made by another node than the one that has something to say.

    GET /cluster/notices   of the session whose cookie comes with it; they are gone then

Pages of a workspace are made by one node, which keeps what it has to say for the next. After a
change that leads away from the workspace, the node that has the connection asks for it.
"""

from dataclasses import replace

import msgspec
from aiohttp import web

from hookbundle.server.cluster.asked import Ask, Asked
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.console import security
from hookbundle.server.console.sessions import Notice, Session
from hookbundle.server.http.requests import cookie_of

PATH = "/cluster/notices"

Kept = tuple[str, bool, str, int, int]


async def notices(owned: Owned, request: web.Request) -> web.Response:
    """Of the owner. After a change that was made there is no error to tell."""
    session = await owned.sessions.session(cookie_of(request, security.SESSION) or "")
    kept: list[Kept] = []
    if session is not None:
        kept = [
            (each.word, each.bad, each.text, each.count, each.more)
            for each in session.take_notices()
        ]
    return web.Response(body=msgspec.msgpack.encode(kept))


async def fetch(ask: Ask, number: int, asked: Asked, session: Session) -> None:
    """The next page made here says what the owner had to say. Raises: NotOwner; AnswerLost."""
    answered = await ask(number, replace(asked, method="GET", target=PATH, body=b""))
    if answered.status == 200:
        for each in msgspec.msgpack.decode(answered.body, type=list[Kept]):
            session.notices.append(Notice(*each))
