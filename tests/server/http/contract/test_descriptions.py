"""Every operation, parameter, field and answer of the contract says what it is, with an example."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from openapi_schema_validator import OAS31Validator

from hookbundle.engine.error_codes import Code
from hookbundle.engine.error_table import MEANINGS
from hookbundle.server.http.contract.document import CODES
from hookbundle.server.http.contract.fields import FieldTexts
from hookbundle.server.http.contract.operations import Operations
from hookbundle.tests.in_process import daemon_in

FILLERS = {"a", "an", "the", "of", "its", "it", "is", "id"}

NAMES_A_FOLDER = "/v1/backup"  # which has to be there

Said = Iterator[tuple[str, str, str]]  # where, the name, and the description


async def shown_in(folder: Path) -> bytes:
    async with daemon_in(folder) as system:
        return (await system.ask("GET", "/openapi.json")).body


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return asyncio.run(shown_in(tmp_path_factory.mktemp("shown")))


@pytest.fixture
def document(shown: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(shown)
    return found


def operations_of(document: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    for item in document["paths"].values():
        for method, operation in item.items():
            if method != "parameters":
                yield item, operation


def said_in(document: dict[str, Any]) -> Said:
    for item, operation in operations_of(document):
        at = operation["operationId"]
        yield at, operation["summary"], operation["description"]
        for each in [*item.get("parameters", []), *operation.get("parameters", [])]:
            yield at, each["name"], each.get("description", "")
        for status, answer in operation["responses"].items():
            yield at, status, answer.get("description", "")
            for name, header in answer.get("headers", {}).items():
                yield at, name, header.get("description", "")
    for name, schema in document["components"]["schemas"].items():
        for each, value in schema.get("properties", {}).items():
            yield name, each, value.get("description", "")


def bodies_of(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """Each example of a body: the method, a path, headers, and the bytes."""
    values = {"ws": "acme", "wh": "outbound", "chat": "10010001", "source": "waha-1"}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                for media, each in operation.get("requestBody", {}).get("content", {}).items():
                    text = each["example"]
                    body = text.encode() if isinstance(text, str) else msgspec.json.encode(text)
                    asked = [parameter["name"] for parameter in operation.get("parameters", [])]
                    headers = {"If-Match": "*"} if "If-Match" in asked else {}
                    headers["Content-Type"] = media
                    yield method.upper(), path.format_map(values), headers, body


def words(text: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", text.lower().replace("_", " "))) - FILLERS


def test_everything_has_a_description(document: dict[str, Any]) -> None:
    missing = [f"{at}: {name}" for at, name, text in said_in(document) if not text.strip()]

    assert not missing


def test_a_description_says_more_than_the_name(document: dict[str, Any]) -> None:
    repeated = [
        f"{at}: {name}: {text}"
        for at, name, text in said_in(document)
        if not words(text) - words(name)
    ]

    # Ids are what their name says, where the name says whose they are.
    assert [each for each in repeated if "id of the" not in each] == []


def test_a_description_is_a_sentence(document: dict[str, Any]) -> None:
    for at, name, text in said_in(document):
        assert text.strip()[-1] in ".:", f"{at}: {name}: {text}"
        assert not text.strip()[0].islower(), f"{at}: {name}: {text}"


def test_no_text_is_left_of_a_field_that_went(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for schema in schemas.values():
        for value in schema.get("properties", {}).values():
            value.pop("description", None)
    texts = FieldTexts.read()

    texts.describe(schemas)

    own = {(name, each) for name, table in texts.types.items() for each in table}
    everywhere = {("", each) for each in texts.everywhere}
    assert (own | everywhere) - texts.used == set()
    assert set(texts.extends) | set(texts.extends.values()) <= set(schemas)


def test_no_text_or_example_is_left_of_an_operation_that_went(
    document: dict[str, Any],
) -> None:
    names = {operation["operationId"] for _, operation in operations_of(document)}
    found = Operations.read()

    assert found.texts.keys() == names
    assert found.bodies.keys() <= names
    assert found.answers.keys() <= names | document["components"]["schemas"].keys()


def test_each_refusal_names_its_codes(document: dict[str, Any]) -> None:
    for _, operation in operations_of(document):
        for status, answer in operation["responses"].items():
            is_text_too = "text/plain" in answer.get("content", {})
            assert is_text_too or status < "400" or answer[CODES], (operation, status)
            for code in answer.get(CODES, []):
                assert MEANINGS[Code(code)].status == int(status)


def test_each_code_of_an_operation_is_of_a_status_that_it_answers_with(
    document: dict[str, Any],
) -> None:
    of_operations = {
        operation["operationId"]: {
            code for each in operation["responses"].values() for code in each.get(CODES, [])
        }
        for _, operation in operations_of(document)
    }

    for name, text in Operations.read().texts.items():
        assert set(text.get("codes", [])) <= of_operations[name], name


def test_every_body_and_answer_has_an_example_that_fits_its_schema(
    document: dict[str, Any],
) -> None:
    for _, operation in operations_of(document):
        contents = [
            (status, answer.get("content", {}))
            for status, answer in operation["responses"].items()
            if status < "400"
        ]
        contents.append(("body", operation.get("requestBody", {}).get("content", {})))
        for where, content in contents:
            for media, each in content.items():
                at = f"{operation['operationId']}, {where}, {media}"
                assert "example" in each, at
                schema = {**each["schema"], "components": document["components"]}
                faults = [*OAS31Validator(schema).iter_errors(each["example"])]
                assert not faults, f"{at}: {faults[0].json_path}: {faults[0].message}"


def test_the_example_of_a_problem_fits_its_schema(document: dict[str, Any]) -> None:
    problem = document["components"]["schemas"]["Problem"]

    for example in problem["examples"]:
        OAS31Validator({**problem, "components": document["components"]}).validate(example)


async def test_the_daemon_has_no_fault_to_find_with_the_examples_of_bodies(
    tmp_path: Path, document: dict[str, Any]
) -> None:
    async with daemon_in(tmp_path) as system:
        refused = []
        await system.ask("PUT", "/v1/workspaces/acme", {"webhook": {"aggregation": "1h"}})
        for method, path, headers, body in bodies_of(document):
            answer = await system.ask(method, path, data=body, headers=headers)
            if answer.status in (400, 415, 422) and path != NAMES_A_FOLDER:
                refused.append((method, path, answer))

    assert not refused
