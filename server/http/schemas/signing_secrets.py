"""Rotating a signing secret: what is asked, and the answer."""

import msgspec


class RotateIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`keep`: how long the older secrets sign beside the new one; `0s`: not at all."""

    keep: str = "24h"


class RotatedOut(msgspec.Struct, frozen=True):
    """The new secret, shown this once. `version`: of what the path names, workspace or webhook."""

    secret: str
    previous_until: str | None
    version: int
