"""A format tried on the sample and on the last bundles: what is asked, and the answer."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET

LAST_MAX = 10
Tried = Literal["rendered", "skipped", "not_rendered", "rests"]

FORMAT_TEST_EXAMPLE = {"format": "text", "last": 2}


class FormatTestIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`format`, `format_options`: as settings have them; those that are left out are the webhook's.
    `last`: on how many of its newest deliveries it is tried, beside the sample."""

    format: Any = UNSET
    format_options: Any = UNSET
    last: Annotated[int, msgspec.Meta(ge=0, le=LAST_MAX)] = 3


class TriedBodyOut(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the format makes of one body.

    `delivery_id`: null for the sample. `outcome`: `rendered`; `skipped` for want of a record;
    `not_rendered`, with the `pointer` into the template, a `code` and `why`; or `rests`, as trials
    of this workspace took too much. `body`: as it would be sent, its beginning if it is long;
    `bytes`: of all of it; `cut`: how many texts were cut to fit. `difference`: of what is sent now,
    or was, and this body, in lines that begin with `-`, `+` or a space; left out if it is long.
    """

    outcome: Tried
    delivery_id: str | None = None
    chat_id: str | None = None
    body: str = ""
    bytes: int = 0
    cut: int = 0
    difference: list[str] | None = None
    pointer: str = ""
    code: str = ""
    why: str = ""


class FormatTestOut(msgspec.Struct, frozen=True):
    """The sample first, then the newest deliveries. `format`, `format_options`: that were tried."""

    format: Any
    format_options: dict[str, Any]
    bodies: list[TriedBodyOut]
