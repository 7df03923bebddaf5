"""The contract: valid, open to every caller with a token, and kept under fire."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from hookbundle.engine.messages import parsing
from hookbundle.server.http.listeners import ListenersConfig
from hookbundle.tests.in_process import System, daemon_in

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,response_headers_conformance,negative_data_rejection,"
    "ignored_auth"
)
FUZZ_S = 20
TIMEOUT_S = 180.0  # with the time to start, on a machine that is busy with others
# One never ends; the other writes a directory wherever it is told to.
LEFT_ALONE = ("/v1/events", "/v1/backup")


def with_tcp(folder: Path) -> ListenersConfig:
    return ListenersConfig(folder / "run" / "control.sock", "127.0.0.1:0")


def address_of(system: System) -> str:
    assert system.daemon.listeners.tcp is not None
    host, port = system.daemon.listeners.tcp
    return f"http://{host}:{port}"


async def token_of(system: System, scope: str, workspace: str | None = None) -> str:
    wanted = {"scope": scope} | ({"workspace": workspace} if workspace else {})
    made = await system.ask("POST", "/v1/tokens", wanted)
    assert made.status == 201, made
    token: str = made.document["token"]
    return token


async def test_the_document_is_valid_openapi(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        document = await system.get("/openapi.json")

    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"].startswith("3.1")


async def test_the_document_has_no_former_name_of_a_state(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        document = str(await system.get("/openapi.json"))

    assert "delivery.dead_lettered" in document
    assert not [name for name in ("parked", "pending", "in_flight") if name in document]


async def test_every_path_of_the_api_is_in_the_document(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        document = await system.get("/openapi.json")
        own = {
            (route.method.lower(), route.resource.canonical)
            for route in system.daemon.listeners.routes
            if route.resource is not None and not route.resource.canonical.startswith("/console")
        }

    claimed = {(method, path) for path, item in document["paths"].items() for method in item}
    pages = ("/", "/docs", "/docs/errors")
    assert {(method, path) for method, path in own if method != "head" and path not in pages} <= (
        claimed
    )


async def test_a_refused_handshake_of_a_source_is_a_text_in_the_document_as_on_the_wire(
    tmp_path: Path,
) -> None:
    async with daemon_in(tmp_path) as system:
        document = await system.get("/openapi.json")
        await system.ask("PUT", "/v1/workspaces/acme", {"name": "Acme"})
        wanted = {"kind": "meta", "settings": {"verify_token": "v"}}
        made = await system.ask("POST", "/v1/workspaces/acme/sources", wanted)
        query = "hub.mode=subscribe&hub.verify_token=wrong&hub.challenge=1"
        refused = await system.ask("GET", f"/v1/sources/{made.document['token']}?{query}")

    said = document["paths"]["/v1/sources/{token}"]["get"]["responses"]
    assert refused.status == 403
    headers = {name.lower(): value for name, value in refused.headers.items()}
    media = headers["content-type"].partition(";")[0]
    assert media == "text/plain", headers
    assert media in said["403"]["content"]


async def test_the_example_of_a_message_is_one_that_is_taken(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        document = await system.get("/openapi.json")

    content = document["paths"]["/v1/workspaces/{ws}/messages"]["post"]["requestBody"]["content"]
    example = msgspec.json.encode(content["application/json"]["example"])
    assert len(parsing.parse_json(example, strict=True).events) == 1
    assert (
        len(parsing.parse_ndjson(content["application/x-ndjson"]["example"].encode()).events) == 1
    )


@pytest.mark.parametrize("scope", ["intake", "admin"])
async def test_anybody_may_read_the_contract(tmp_path: Path, scope: str) -> None:
    async with daemon_in(tmp_path, listeners=with_tcp(tmp_path)) as system:
        await system.ask("PUT", "/v1/workspaces/acme", {})
        token = await token_of(system, scope, "acme")

        async with aiohttp.ClientSession() as session:
            statuses = []
            for headers in ({"Authorization": f"Bearer {token}"}, {}, {"Host": "evil.example"}):
                url = f"{address_of(system)}/openapi.json"
                async with session.get(url, headers=headers) as answer:
                    await answer.read()
                statuses.append(answer.status)

    assert statuses == [200, 200, 421]


async def test_a_body_that_is_not_what_its_encoding_says_is_refused(tmp_path: Path) -> None:
    async with daemon_in(tmp_path) as system:
        refused = await system.ask(
            "PUT", "/v1/workspaces/acme", data=b"not gzip", headers={"Content-Encoding": "gzip"}
        )

    assert refused.status == 400
    assert refused.headers["content-type"] == "application/problem+json"


async def test_what_answers_under_fire_is_what_is_documented(tmp_path: Path) -> None:
    """No 5xx, no status, media type or shape that the document does not have."""
    async with daemon_in(tmp_path, listeners=with_tcp(tmp_path)) as system:
        await system.ask("PUT", "/v1/workspaces/0", {"webhook": {"aggregation": "1h"}})
        token = await token_of(system, "admin")

        fuzzer = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "schemathesis.cli",
            *(
                "run",
                f"{address_of(system)}/openapi.json",
                "--header",
                f"Authorization: Bearer {token}",
            ),
            *("--checks", CHECKS, "--phases", "coverage,fuzzing", "--max-examples", "5"),
            *(word for path in LEFT_ALONE for word in ("--exclude-path", path)),
            *("--max-time", str(FUZZ_S), "--generation-deterministic", "--no-color"),
            *("--continue-on-failure", "--suppress-health-check", "all"),
            cwd=tmp_path,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await asyncio.wait_for(fuzzer.communicate(), TIMEOUT_S)
        alive: Any = await system.get("/readyz")

    assert fuzzer.returncode == 0, said.decode(errors="replace")[-20_000:]
    assert alive == {"status": "ready"}
