"""Times in answers: ISO 8601 with milliseconds, always UTC."""

from hookbundle.engine.messages.timestamps import utc


def iso(at_ms: int) -> str:
    return utc(at_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def iso_or_none(at_ms: int) -> str | None:
    return iso(at_ms) if at_ms else None
