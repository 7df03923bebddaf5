"""The contract, as an OpenAPI 3.1 document made from the routes and the types they name.

Nothing is written twice: a path, a status or a field that the code gets is in the document at the
next start. What every path may answer with (a request that is no HTTP, a caller without a token)
is added here, so that the routes say only what is their own.
"""

import asyncio
import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from hookbundle.engine import limits
from hookbundle.engine.error_table import TITLES
from hookbundle.server.http.authentication import CONTRACT_PATH
from hookbundle.server.http.problems import CONTENT_TYPE, RETRY_AFTER_S
from hookbundle.server.http.routes import Query, Route

OF_ALL = (400, 417, 421, 422, 431, 500, 503)
OF_CALLERS = (401, 403, 429)
OF_BODIES = (408, 413, 415, 422)
PARAMETER = re.compile(r"{(\w+)}")
RETRY_AFTER = {
    "Retry-After": {
        "description": "after how many seconds to try again",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
ETAG = {
    "ETag": {
        "description": "the tag of this version, for If-Match and If-None-Match",
        "schema": {"type": "string"},
    }
}
LOCATION = {"Location": {"description": "the path of what was made", "schema": {"type": "string"}}}
REF = "#/components/schemas/{name}"

PATH_PARAMETERS: dict[str, tuple[str, dict[str, Any]]] = {
    "ws": (
        "the workspace's id",
        {
            "type": "string",
            "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]*$",
            "maxLength": limits.WORKSPACE_ID_CHARS_MAX,
        },
    ),
    "chat": (
        "the chat's id, percent-encoded",
        {"type": "string", "minLength": 1, "maxLength": limits.CHAT_ID_BYTES_MAX},
    ),
}
ANY_PARAMETER = ("its id", {"type": "string", "minLength": 1, "maxLength": 200})

ABOUT = """\
Messages go in, bundles of them leave by POST, and nothing is lost between.

The same paths answer on TCP, where a bearer token is wanted, and on the control socket (a Unix
socket), where the file's permissions have decided who may ask. What went wrong is always said in a
problem document (RFC 9457); for invalid input it lists every fault with its path."""


class FaultOut(msgspec.Struct):
    path: str
    detail: str
    code: str


class Problem(msgspec.Struct):
    """What is wrong; `errors` lists every fault of an invalid input.

    `code` is stable, and `type` leads to its entry in the list of all errors. `request_id` is what
    the daemon's log knows the request by.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[FaultOut] | msgspec.UnsetType = msgspec.UNSET


def contract(routes: Sequence[Route], version: str) -> list[Route]:
    """The path that answers with the document of all paths, its own included.

    The first who asks waits for it. It takes longer to make than all else at the daemon's start.
    """
    body = b""

    def made() -> bytes:
        return msgspec.json.encode(document([*routes, own], version))

    async def show(request: web.Request) -> web.Response:
        nonlocal body
        body = body or await asyncio.to_thread(made)
        return web.Response(body=body, content_type="application/json")

    own = Route(
        method="GET",
        path=CONTRACT_PATH,
        handler=show,
        summary="This document",
        name="get_openapi",
        answer=dict[str, Any],
        open=True,
    )
    return [own]


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The OpenAPI document of the routes."""
    kinds = [Problem, *_kinds(routes)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    schema_of = dict(zip(map(repr, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        found = paths.setdefault(route.path, _path_parameters(route.path))
        found[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "hookbundle", "version": version, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": (
                        "A token of `hookbundle token create`, of scope `intake` (messages in) or "
                        "`admin` (everything). Wanted on TCP. On the control socket none is: "
                        "its file's permissions decide."
                    ),
                }
            },
        },
    }


def _kinds(routes: Iterable[Route]) -> list[Any]:
    named = [kind for route in routes for kind in (route.body, route.answer) if kind is not None]
    asked = [query.kind for route in routes for query in (*route.query, *route.headers)]
    return list({repr(kind): kind for kind in [*named, *asked]}.values())


def _operation(route: Route, schema_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [_tag(route.path)],
        "responses": _responses(route, schema_of),
    }
    parameters = [_parameter(query, "query", schema_of) for query in route.query]
    parameters += [_parameter(header, "header", schema_of) for header in route.headers]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = _request_body(route, schema_of[repr(route.body)])
    if route.open:
        operation["security"] = []
    return operation


def _responses(route: Route, schema_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    found = {
        str(status): _success(route, status, schema_of)
        for status in (route.status, *route.also_status)
    }
    refusals = {*OF_ALL, *route.refusals}
    refusals |= set(OF_CALLERS) if not route.open else set()
    refusals |= set(OF_BODIES) if route.body is not None else set()
    refusals |= {404} if PARAMETER.search(route.path) else set()
    texts = {media: {"schema": {"type": "string"}} for media in route.also_refusal_media}
    for status in sorted(refusals):
        problem = {"schema": schema_of[repr(Problem)]}
        found[str(status)] = {
            "description": TITLES.get(status, HTTPStatus(status).phrase),
            "content": {CONTENT_TYPE: problem, **texts},
            **({"headers": RETRY_AFTER} if status in RETRY_AFTER_S else {}),
        }
    return found


def _success(route: Route, status: int, schema_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase}
    headers = {**(ETAG if route.etag else {}), **(LOCATION if status == 201 else {})}
    if headers:
        answer["headers"] = headers
    if status == 304:
        return answer
    if route.answer is not None:
        answer["content"] = {route.media: {"schema": schema_of[repr(route.answer)]}}
    elif route.media != "application/json":
        answer["content"] = {route.media: {"schema": {"type": "string"}}}
    if route.example is not None and route.body is None:  # else it is one of the body
        answer["content"][route.media]["example"] = route.example
    for media in route.also_media:
        answer["content"][media] = {"schema": {"type": "string"}}
    return answer


def _request_body(route: Route, schema: dict[str, Any]) -> dict[str, Any]:
    as_json: dict[str, Any] = {"schema": schema}
    if route.example is not None:
        as_json["example"] = route.example
    content = {"application/json": as_json}
    for media in route.also_body_media:
        content[media] = {"schema": {"type": "string"}}
        if route.example is not None:
            content[media]["example"] = msgspec.json.encode(route.example).decode() + "\n"
    return {"required": not _may_be_empty(route.body), "content": content}


def _may_be_empty(kind: Any) -> bool:
    """A body without a field that must be there may be left out (workspaces.body_of)."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return False
    return not any(field.required for field in msgspec.structs.fields(kind))


def _parameter(query: Query, where: str, schema_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": query.name,
        "in": where,
        "description": query.meaning,
        "required": False,
        "schema": (
            {"type": "array", "items": schema_of[repr(query.kind)]}
            if query.repeated
            else schema_of[repr(query.kind)]
        ),
    }


def _path_parameters(path: str) -> dict[str, Any]:
    found = []
    for name in PARAMETER.findall(path):
        meaning, schema = PATH_PARAMETERS.get(name, ANY_PARAMETER)
        found.append(
            {"name": name, "in": "path", "required": True, "description": meaning, "schema": schema}
        )
    return {"parameters": found} if found else {}


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    if parts[0] != "v1":
        return "daemon"
    return parts[2] if len(parts) > 2 else parts[1]
