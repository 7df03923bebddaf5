"""A workspace, as the API shows it and lets it be changed."""

from collections.abc import Iterable
from typing import Annotated, Literal, cast

import msgspec
from msgspec import UNSET, UnsetType

from hookbundle.engine import limits
from hookbundle.server.http.schemas.times import iso
from hookbundle.server.http.schemas.webhooks.webhook import (
    BriefOut,
    CountsOut,
    WebhookIn,
    WebhookOut,
    brief_out,
    counts_of,
    webhook_out,
)
from hookbundle.storage.database.settings import OUTBOUND
from hookbundle.storage.reads.workspace_view import WorkspaceView

Language = Literal["en", "ar"]
Name = Annotated[str, msgspec.Meta(max_length=limits.NAME_CHARS_MAX)]
Address = Annotated[str, msgspec.Meta(max_length=320)]
Zone = Annotated[str, msgspec.Meta(max_length=limits.ZONE_CHARS_MAX)]


class WorkspaceOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """`secret` only in the answer to the request that made the workspace.

    `language` and `time_zone` (a name of the IANA database) are for what people read. `webhook`:
    the one that is called `outbound`; null if it was deleted. `counts`: of all webhooks.
    """

    id: str
    name: str
    owner_email: str
    language: Language
    time_zone: str
    webhook: WebhookOut | None
    webhooks: list[BriefOut]
    counts: CountsOut
    version: int
    created_at: str
    secret: str | None = None


class WorkspacesOut(msgspec.Struct, frozen=True):
    """A page; `cursor` is null after the last one.

    `searched_to`: the id up to which it looked, if the page is short because that was enough.
    """

    workspaces: list[WorkspaceOut]
    cursor: str | None
    searched_to: str | None


class WorkspaceIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings to change; what is left out stays (PATCH), or is the default (POST, PUT).

    `name`, `owner_email`: null is the same as empty, which is none. Others can't be null.
    """

    name: Name | UnsetType | None = UNSET
    owner_email: Address | UnsetType | None = UNSET
    language: Language | UnsetType = UNSET
    time_zone: Zone | UnsetType = UNSET
    webhook: WebhookIn = WebhookIn()


class NewWorkspaceIn(WorkspaceIn, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The settings of a new workspace, and its `id`, which never changes."""

    id: str


def workspace_out(
    view: WorkspaceView, secret: str | None = None, dropped: Iterable[str] = ()
) -> WorkspaceOut:
    settings, outbound = view.settings, view.find(OUTBOUND)
    return WorkspaceOut(
        id=settings.id,
        name=settings.name,
        owner_email=settings.owner_email,
        language=cast(Language, settings.language),  # checked when it was set
        time_zone=settings.time_zone,
        webhook=webhook_out(outbound, dropped=dropped) if outbound else None,
        webhooks=[brief_out(each) for each in view.webhooks],
        counts=counts_of(view.webhooks),
        version=settings.version,
        created_at=iso(settings.created_ms),
        secret=secret,
    )
