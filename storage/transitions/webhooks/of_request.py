"""The request of a webhook is changed: by a caller, or because its URL leads elsewhere."""

from typing import Any, Protocol

import msgspec

from hookbundle.engine.requests.changing import ChangedRequest
from hookbundle.engine.requests.changing import changed as request_after
from hookbundle.engine.requests.request import PLAIN, stored, written
from hookbundle.engine.requests.wanted import Wanted
from hookbundle.storage.database.settings import Webhook


class RequestChanges(Protocol):
    @property
    def url(self) -> str | None: ...
    @property
    def request(self) -> Wanted | None: ...


def check(before: Webhook | None, changes: RequestChanges) -> None:
    """To be asked before anything is written; `before`: None if it is to be made.

    Raises: InvalidInput where something is to stay that is not set.
    """
    if changes.request is not None:
        url = before.url if before else ""
        _after(before, changes.request, url, url if changes.url is None else changes.url)


def changed(
    before: Webhook, after: Webhook, changes: RequestChanges, fields: dict[str, Any]
) -> tuple[Webhook, tuple[str, ...]]:
    """`after` with the request that it has then, which is added to `fields` if it is another; and
    what was dropped of it. A change that drops something says so in `fields`, as `dropped`."""
    found = _after(before, changes.request, before.url, after.url)
    request = written(found.request)
    if request != before.request:
        fields["request"] = request
    if found.dropped:
        fields["dropped"] = found.dropped
    return msgspec.structs.replace(after, request=request), found.dropped


def _after(
    before: Webhook | None, wanted: Wanted | None, old_url: str, new_url: str
) -> ChangedRequest:
    request = stored(before.request) if before else PLAIN
    return request_after(request, wanted, old_url=old_url, new_url=new_url)
