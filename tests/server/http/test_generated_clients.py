"""What a client needs that is made from the OpenAPI document."""

import re
from pathlib import Path
from typing import Any

import pytest

from hookbundle.engine.error_codes import Code
from hookbundle.engine.error_table import MEANINGS
from hookbundle.engine.errors import HookbundleError
from hookbundle.server.http.problems import RETRY_AFTER_S, answer_for
from hookbundle.tests.in_process import daemon_in

NAME = re.compile(r"[a-z]+(_[a-z]+)+")
VERBS = re.compile(
    "back|cancel|check|close|compact|create|delete|disable|discard|download|drain|enable|find|"
    "flush|follow|forget|get|list|merge|move|recover|replace|resend|retry|revoke|rotate|send|simulate|start|test|"
    "update|upgrade"
)


async def operations(folder: Path) -> dict[str, Any]:
    async with daemon_in(folder) as system:
        document = await system.get("/openapi.json")
    found = {
        (method, path): operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert len(found) > 30
    by_name = {operation["operationId"]: operation for operation in found.values()}
    assert len(by_name) == len(found)
    return by_name


async def test_each_operation_has_a_name_of_its_own_that_begins_with_a_verb(
    tmp_path: Path,
) -> None:
    for name in await operations(tmp_path):
        assert NAME.fullmatch(name), name
        assert VERBS.fullmatch(name.partition("_")[0]), name


async def test_each_answer_that_asks_to_come_back_says_when(tmp_path: Path) -> None:
    answers = [
        (status, answer)
        for operation in (await operations(tmp_path)).values()
        for status, answer in operation["responses"].items()
    ]

    told = {status for status, answer in answers if "Retry-After" in answer.get("headers", {})}
    asking = {status for status, _ in answers if int(status) in RETRY_AFTER_S}
    assert told == asking == {"429", "503", "507"}
    assert all(
        answer["headers"]["Retry-After"]["schema"] == {"type": "integer", "minimum": 0}
        for status, answer in answers
        if status in told
    )


async def test_what_is_made_has_its_place_in_the_contract(tmp_path: Path) -> None:
    found = await operations(tmp_path)

    assert {
        name
        for name, operation in found.items()
        if "Location" in operation["responses"].get("201", {}).get("headers", {})
    } == {
        "create_source",
        "create_token",
        "create_webhook",
        "create_workspace",
        "replace_webhook",
        "replace_workspace",
    }
    assert "content" not in found["get_workspace"]["responses"]["304"]
    assert found["get_openapi"]["security"] == []


@pytest.mark.parametrize(
    "code", [code for code, meaning in MEANINGS.items() if meaning.status in RETRY_AFTER_S]
)
def test_an_error_of_such_a_status_says_when(code: Code) -> None:
    assert answer_for(HookbundleError("x", code)).headers["Retry-After"].isdigit()
