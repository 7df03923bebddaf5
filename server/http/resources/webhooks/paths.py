"""Where webhooks are in the API: each by its id, and `outbound` where it was when it was alone."""

from aiohttp import web

from hookbundle.engine.preconditions import Precondition
from hookbundle.server.http.parameters.etags import precondition_of
from hookbundle.storage.database.settings import OUTBOUND

ALL = "/v1/workspaces/{ws}/webhooks"
ONE = "/v1/workspaces/{ws}/webhooks/{wh}"
ONLY = "/v1/workspaces/{ws}/webhook"


def webhook_of(request: web.Request) -> str:
    """The id of the webhook that the path means."""
    return request.match_info.get("wh", OUTBOUND)


def names_one(request: web.Request) -> bool:
    """Whether the path names the webhook: then its version is compared, else the workspace's."""
    return "wh" in request.match_info


def condition_of(request: web.Request) -> tuple[Precondition | None, bool]:
    """What If-Match and If-None-Match ask, and whether of the webhook."""
    return precondition_of(request), names_one(request)
