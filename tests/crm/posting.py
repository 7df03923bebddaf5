"""Posts to a stand-in as a webhook does, and judges the answer as the preset says."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import ClientSession

from hookbundle.engine.formats.presets import Preset

JSON = {"content-type": "application/json; charset=utf-8"}
GONE = object()


@dataclass(frozen=True, slots=True)
class Reply:
    """Names of headers are small."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        return msgspec.json.decode(self.body)


async def post(url: str, body: Any, **headers: str) -> Reply:
    """`body`: bytes as they are, anything else as JSON. `_` in the name of a header is `-`."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    async with (
        ClientSession() as session,
        session.post(url, data=io.BytesIO(content), headers={**JSON, **given}) as response,
    ):
        got = {name.lower(): value for name, value in response.headers.items()}
        return Reply(response.status, got, await response.read())


def judged(preset: Preset, reply: Reply) -> str:
    """`delivered`, `rejected` or `failed`, by the preset's own success and rules."""
    statuses = range(200, 300) if preset.success == "2xx" else map(int, preset.success.split(","))
    if reply.status not in statuses:
        is_definite = 400 <= reply.status < 500 and reply.status not in (408, 425, 429)
        return "rejected" if is_definite else "failed"
    for rule in preset.success_rules:
        found = _at(reply.document, rule["pointer"].split("/")[1:])
        if "equals" in rule:
            is_met = found is not GONE and found == rule["equals"]
        else:
            is_met = (found is GONE) == ("absent" in rule)
        if not is_met:
            return str(rule.get("else", "failed"))
    return "delivered"


def _at(value: Any, segments: list[str]) -> Any:
    for segment in segments:
        match value:
            case dict() if segment in value:
                value = value[segment]
            case list() if segment.isdigit() and int(segment) < len(value):
                value = value[int(segment)]
            case _:
                return GONE
    return value
