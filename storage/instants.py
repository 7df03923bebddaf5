"""Times in facts: how they are marked."""

from typing import Annotated

import msgspec

Instant = Annotated[int, msgspec.Meta(description="UTC milliseconds, or 0")]
"""A time as it is stored. Readers of the feed get it as they get all times: RFC 3339, or null."""
