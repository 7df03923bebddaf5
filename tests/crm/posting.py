"""Posts to a stand-in as a webhook does, and judges the answer as the preset says."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from aiohttp import ClientSession

from hookbundle.engine.delivery import outcomes
from hookbundle.engine.delivery.answers.rules import unmet
from hookbundle.engine.delivery.outcomes import Delivered
from hookbundle.engine.delivery.success import success_of
from hookbundle.engine.formats.presets import Preset

JSON = {"content-type": "application/json; charset=utf-8"}


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
    """`delivered`, `rejected` or `failed`, as a webhook of the preset judges the answer."""
    rules = msgspec.json.encode(preset.success_rules) if preset.success_rules else b""
    success = success_of(preset.success, rules)
    outcome = outcomes.judge(reply.status, reply.headers.get("retry-after"), success, 0)
    if not success.rules or not isinstance(outcome, Delivered):
        return type(outcome).__name__.lower()
    missed = unmet(success.rules, reply.body, is_complete=True)
    if missed is None:
        return "delivered"
    return "rejected" if missed.rule is not None and missed.rule.rejects else "failed"
