"""The contract, as an OpenAPI 3.1 document made from the routes and the types they name.

Nothing is written twice: a path, a status or a field that the code gets is in the document at the
next start. What every path may answer with (a request that is no HTTP, a caller without a token)
is added here, so that the routes say only what is their own.
"""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from hookbundle.engine.error_codes import Code, in_english
from hookbundle.engine.error_table import MEANINGS, TITLES
from hookbundle.server.http.contract.fields import FieldTexts, sentence
from hookbundle.server.http.contract.operations import Operations
from hookbundle.server.http.contract.parameters import path_parameters
from hookbundle.server.http.problems import CONTENT_TYPE, ERRORS_PATH, RETRY_AFTER_S
from hookbundle.server.http.routes import Query, Route

OF_ALL = (400, 417, 421, 422, 431, 500, 503)
OF_CALLERS = (401, 403, 429)
OF_BODIES = (408, 413, 415, 422)
OF_CHANGES = (504,)  # by a node of a cluster
PARAMETER = re.compile(r"{(\w+)}")
RETRY_AFTER = {
    "Retry-After": {
        "description": "After how many seconds to try again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 0},
    }
}
ETAG = {
    "ETag": {
        "description": "The tag of this version, for If-Match and If-None-Match.",
        "schema": {"type": "string"},
    }
}
LOCATION = {"Location": {"description": "The path of what was made.", "schema": {"type": "string"}}}
REF = "#/components/schemas/{name}"

CODES = "x-codes"  # of a response: the codes that its problem may have
# What an answer of success says, by its status; of 200 there are two sorts.
SUCCESS = {
    201: "It was made. The header Location has its path.",
    202: "It was taken, and is on disk.",
    204: "It is done. There is no body.",
    304: "It is still at a version that If-None-Match names. There is no body.",
}
SHOWN, DONE = "The body has what was asked for.", "It is done. The body says what came of it."

ABOUT = """\
Messages go in, bundles of them leave by POST, and nothing is lost between.

The same paths answer on TCP, where a bearer token is wanted, and on the control socket (a Unix
socket), where the file's permissions have decided who may ask. What went wrong is always said in a
problem document (RFC 9457); for invalid input it lists every fault with its path."""


EXAMPLE_OF_PROBLEM = {
    "type": f"{ERRORS_PATH}#{Code.INVALID_INPUT}",
    "title": TITLES[422],
    "status": 422,
    "detail": in_english(MEANINGS[Code.INVALID_INPUT], {}),
    "code": Code.INVALID_INPUT,
    "request_id": "6f2c1d0a9b8e7f35",
    "errors": [{"path": "webhook.url", "detail": "is missing", "code": "missing"}],
}


class InputFault(msgspec.Struct):
    """One value of the input that is wrong."""

    path: str
    detail: str
    code: str


class Problem(msgspec.Struct):
    """What is wrong, as RFC 9457 has it. Some have more members, which say more of their error."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: list[InputFault] | msgspec.UnsetType = msgspec.UNSET


def document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The OpenAPI document of the routes."""
    kinds = [Problem, *_kinds(routes)]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    FieldTexts.read().describe(components)
    components[Problem.__name__]["examples"] = [EXAMPLE_OF_PROBLEM]
    operations = Operations.read()
    schema_of = dict(zip(map(repr, kinds), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        found = paths.setdefault(route.path, path_parameters(route.path))
        found[route.method.lower()] = _operation(route, schema_of, operations)
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


def _operation(
    route: Route, schema_of: dict[str, dict[str, Any]], operations: Operations
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": operations.about(route.name),
        "tags": [_tag(route.path)],
        "responses": _responses(route, schema_of, operations),
    }
    parameters = [_parameter(query, "query", schema_of) for query in route.query]
    parameters += [_parameter(header, "header", schema_of) for header in route.headers]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        example = operations.body(route.name) if route.example is None else route.example
        operation["requestBody"] = _request_body(route, schema_of[repr(route.body)], example)
    if route.open:
        operation["security"] = []
    return operation


def _responses(
    route: Route, schema_of: dict[str, dict[str, Any]], operations: Operations
) -> dict[str, Any]:
    found = {
        str(status): _success(route, status, schema_of, operations)
        for status in (route.status, *route.also_status)
    }
    refusals = {*OF_ALL, *route.refusals}
    refusals |= set(OF_CALLERS) if not route.open else set()
    refusals |= set(OF_BODIES) if route.body is not None else set()
    refusals |= set(OF_CHANGES) if route.method != "GET" else set()
    refusals |= {404} if PARAMETER.search(route.path) else set()
    texts = {media: {"schema": {"type": "string"}} for media in route.also_refusal_media}
    for status in sorted(refusals):
        codes = operations.codes(route.name, status, with_token=not route.open)
        problem = {"schema": schema_of[repr(Problem)]}
        found[str(status)] = {
            "description": _refusal(status, codes),
            CODES: codes,
            "content": {CONTENT_TYPE: problem, **texts},
            **({"headers": RETRY_AFTER} if status in RETRY_AFTER_S else {}),
        }
    return found


def _refusal(status: int, codes: Sequence[Code]) -> str:
    """Why a request is answered so, code by code."""
    title = TITLES.get(status, HTTPStatus(status).phrase)
    whys = [f"`{code}`: {MEANINGS[code].sentence}" for code in codes]
    return f"{title}. {'; '.join(whys)}." if whys else f"{title}: a text says why."


def _success(
    route: Route, status: int, schema_of: dict[str, dict[str, Any]], operations: Operations
) -> dict[str, Any]:
    of_200 = SHOWN if route.method == "GET" else DONE
    answer: dict[str, Any] = {"description": SUCCESS.get(status, of_200)}
    headers = {**(ETAG if route.etag else {}), **(LOCATION if status == 201 else {})}
    if headers:
        answer["headers"] = headers
    if status == 304:
        return answer
    if route.answer is not None:
        answer["content"] = {route.media: {"schema": schema_of[repr(route.answer)]}}
    elif route.media != "application/json":
        answer["content"] = {route.media: {"schema": {"type": "string"}}}
    example = operations.answer(route.name, getattr(route.answer, "__name__", ""))
    if route.example is not None and route.body is None:  # else it is one of the body
        example = route.example
    if example is not None and "content" in answer:
        answer["content"][route.media]["example"] = example
    for media in route.also_media:
        answer["content"][media] = {"schema": {"type": "string"}}
        if example is not None:
            answer["content"][media]["example"] = _lines(example)
    return answer


def _request_body(route: Route, schema: dict[str, Any], example: Any) -> dict[str, Any]:
    as_json: dict[str, Any] = {"schema": schema}
    if example is not None:
        as_json["example"] = example
    content = {"application/json": as_json}
    for media in route.also_body_media:
        content[media] = {"schema": {"type": "string"}}
        if example is not None:
            content[media]["example"] = _lines([example])
    return {"required": not _may_be_empty(route.body), "content": content}


def _lines(values: list[Any]) -> str:
    """The values as NDJSON."""
    return "".join(f"{msgspec.json.encode(each).decode()}\n" for each in values)


def _may_be_empty(kind: Any) -> bool:
    """A body without a field that must be there may be left out (workspaces.body_of)."""
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return False
    return not any(field.required for field in msgspec.structs.fields(kind))


def _parameter(query: Query, where: str, schema_of: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "name": query.name,
        "in": where,
        "description": sentence(query.meaning),
        "required": query.required,
        "schema": (
            {"type": "array", "items": schema_of[repr(query.kind)]}
            if query.repeated
            else schema_of[repr(query.kind)]
        ),
    }


def _tag(path: str) -> str:
    parts = [part for part in path.split("/") if part and not part.startswith("{")]
    if parts[0] != "v1":
        return "daemon"
    return parts[2] if len(parts) > 2 else parts[1]
