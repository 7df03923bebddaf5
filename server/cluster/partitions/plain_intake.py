"""Messages that another node passes on, taken without aiohttp's application, if that is plain.

Nearly all that is passed on is one request with few messages and nothing to say about it but that
they are on disk. For those a request of aiohttp's, its way through the application, and a response
cost as much as taking the messages. What is not plain the application judges and words, as ever:
as in the lane of a daemon alone (server/http/lane/), whose heads are plain here, too.
"""

import re

import msgspec

from hookbundle.actors.portions import portions_of
from hookbundle.engine.errors import HookbundleError, NotFound
from hookbundle.engine.fairness.loop_share import LoopShare
from hookbundle.server.cluster.asked import Answered, Asked, answered_of
from hookbundle.server.cluster.partitions.owned import Owned
from hookbundle.server.cluster.partitions.placing import PARTITION, of_workspace
from hookbundle.server.cluster.routing import Router
from hookbundle.server.http.authentication import INTAKE_ROUTE
from hookbundle.server.http.bodies import UNCOUNTED_BYTES
from hookbundle.server.http.lane.heads import JSON, PLAIN
from hookbundle.server.http.problems import answer_for, failed
from hookbundle.server.http.requests import media_in
from hookbundle.server.http.resources.messages import NDJSON

TARGET = re.compile(r"/v1/workspaces/([A-Za-z0-9_-]{1,64})/messages")
NAMES = frozenset((*(name.decode() for name in PLAIN), PARTITION.lower()))
TAKEN = (("Content-Type", JSON),)


class PlainIntake:
    """Of a node. `share`: of the loop, with all else that is answered for other nodes."""

    def __init__(self, router: Router, share: LoopShare) -> None:
        self._router = router
        self._share = share

    async def answer(self, asked: Asked) -> Answered | None:
        """None if nothing has been done, and the application is to answer."""
        target = TARGET.fullmatch(asked.target)
        if target is None or asked.method != "POST" or len(asked.body) > UNCOUNTED_BYTES:
            return None
        media = _media_of(asked)
        if media != JSON and media not in NDJSON:
            return None
        workspace_id = target[1]
        owned = self._router.owned_at(of_workspace(workspace_id, self._router.partitions))
        if owned is None:
            return None
        work = self._taken(owned, workspace_id, asked.body, ndjson=media in NDJSON)
        try:
            document = await owned.under_way.answer(work)
        except NotFound:
            return None  # deleted since its number was looked up; there may be a new one by now
        except HookbundleError as exc:
            return answered_of(answer_for(exc))
        except Exception as exc:  # noqa: BLE001 - the messages may be on disk, or not
            return answered_of(failed("POST", INTAKE_ROUTE.format(ws=workspace_id), exc))
        return None if document is None else Answered(202, TAKEN, document)

    async def _taken(
        self, owned: Owned, workspace_id: str, body: bytes, *, ndjson: bool
    ) -> bytes | None:
        """What is answered when the messages are on disk; None if there is more to say.

        Raises: as `Intake.take`.
        """
        intake = owned.intake
        number = intake.number_of(workspace_id)
        chats = intake.known.by_chat(number, body, ndjson=ndjson)
        if not chats:
            return None
        webhooks = intake.store.owners.webhooks.get(number, 1)
        portions = portions_of(chats, len(body), webhooks)
        return msgspec.json.encode(await intake.take(self._share, number, portions))


def _media_of(asked: Asked) -> str:
    """Of the body; empty if the headers say anything that has to be judged."""
    found = ""
    for name, value in asked.headers:
        lower = name.lower()
        if lower not in NAMES or (lower == "content-type" and found):
            return ""
        if lower == "content-type":
            found = media_in(value)
    return found
