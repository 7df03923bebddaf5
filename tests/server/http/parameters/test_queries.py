"""A parameter of the query string that a path does not declare is refused, with the known ones."""

import pytest

from hookbundle.tests.in_process import System

WS = "/v1/workspaces/acme"


@pytest.mark.parametrize(
    ("method", "path", "code", "detail"),
    [
        ("GET", f"{WS}/deliveries?sate=queued", "misspelt_parameter", "did you mean state?"),
        ("GET", f"{WS}/deliveries?State=queued", "misspelt_parameter", "did you mean state?"),
        ("GET", f"{WS}/deliveries?xyzzy=1", "unknown_parameter", "known are webhook, state, chat"),
        ("GET", f"{WS}/deliveries?state=queued&state=queued", "repeated_parameter", "2 times"),
        ("GET", f"{WS}/deliveries?limit=1&limit=1", "repeated_parameter", "give it once"),
        ("GET", "/v1/workspaces?limits=3", "misspelt_parameter", "did you mean limit?"),
        ("GET", f"{WS}?fields=name", "no_parameters", "takes none"),
        ("GET", f"{WS}/log?fromat=json", "misspelt_parameter", "did you mean format?"),
        ("GET", f"{WS}/activity?limit=3", "unknown_parameter", "known are webhook"),
        ("GET", "/v1/tokens?workspace=acme", "unknown_parameter", "known are limit, cursor"),
        ("GET", "/v1/events?types=delivery.*", "misspelt_parameter", "did you mean type?"),
        ("POST", f"{WS}/chats/flush?limt=1", "misspelt_parameter", "did you mean limit?"),
        ("DELETE", f"{WS}/deliveries/x?raeson=y", "misspelt_parameter", "did you mean reason?"),
        ("DELETE", f"{WS}?force=1", "no_parameters", "takes none"),
        ("GET", "/openapi.json?v=3", "no_parameters", "takes none"),
    ],
)
async def test_it_is_refused_in_words(
    system: System, method: str, path: str, code: str, detail: str
) -> None:
    answer = await system.ask(method, path)

    assert answer.status == 422, answer
    (fault,) = answer.document["errors"]
    assert fault["path"] in path
    assert detail in fault["detail"]
    # What was refused was not done.
    assert (await system.show())["id"] == "acme"


async def test_all_of_them_are_named_at_once(system: System) -> None:
    answer = await system.ask("GET", f"{WS}/deliveries?a=1&b=2&limit=1&limit=2&a=3")

    assert [fault["path"] for fault in answer.document["errors"]] == ["a", "b", "limit"]


@pytest.mark.parametrize("text", ["x" * 3_000, "%E2%80%AE%00%0a", "hbt_S3cret", "Zebra42Query"])
async def test_what_is_no_name_is_not_repeated(system: System, text: str) -> None:
    answers = [await system.ask("GET", f"{path}?{text}") for path in (f"{WS}/deliveries", WS)]

    for answer in answers:
        assert [fault["path"] for fault in answer.document["errors"]] == ["?"]
        assert text.encode() not in answer.body


async def test_a_thousand_names_are_answered_with_those_that_are_listed(system: System) -> None:
    names = "&".join(f"n{number}" for number in range(1_000))

    answer = await system.ask("GET", f"{WS}/deliveries?{names}")

    assert answer.status == 422
    assert answer.document["errors"][-1]["detail"] == "has more faults than are listed"


async def test_filters_of_the_feed_may_be_repeated(system: System) -> None:
    url = "http://hookbundle/v1/events?since=oldest&type=workspace.*&type=token.*&workspace=acme"

    async with system.session.get(url) as answer:
        assert answer.status == 200


async def test_who_may_not_ask_is_not_told_what_is_known(system: System) -> None:
    answer = await system.ask("GET", "/v1/workspaces/nobody/deliveries?state=queued")
    elsewhere = await system.ask("GET", "/v1/nowhere?x=1")

    assert (answer.status, elsewhere.status) == (404, 404)


async def test_pages_of_the_console_ignore_what_others_have_added(system: System) -> None:
    answer = await system.ask("GET", "/console/sign-in?utm_source=mail")

    assert answer.status == 200


@pytest.mark.parametrize("path", ["/healthz?verbose", "/readyz?x=1&x=2", "/healthz?%ff=%00"])
async def test_probes_ignore_what_load_balancers_add(system: System, path: str) -> None:
    answer = await system.ask("GET", path)

    assert answer.status == 200


async def test_every_operation_declares_the_parameters_that_its_handler_reads(
    system: System,
) -> None:
    document = await system.get("/openapi.json")

    asked = {
        (method.upper(), path): {
            each["name"] for each in operation.get("parameters", ()) if each["in"] == "query"
        }
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    }
    assert asked["GET", "/v1/events"] == {"since", "workspace", "type", "webhook", "chat"}
    assert asked["GET", "/v1/chats"] == {"limit", "cursor", "due_within"}
    assert asked["POST", "/v1/workspaces/{ws}/chats/flush"] == {"limit", "cursor", "webhook"}


@pytest.mark.parametrize(
    ("document", "path", "detail"),
    [
        ({"nmae": "x"}, "nmae", "did you mean name?"),
        ({"webhook": {"uri": "x"}}, "webhook.uri", "did you mean webhook.url?"),
        ({"webhook": {"sucess": "200"}}, "webhook.sucess", "did you mean webhook.success?"),
        ({"xyzzy": 1}, "xyzzy", "is no field that is known here"),
    ],
)
async def test_an_unknown_setting_is_refused_with_its_path_and_a_near_name(
    system: System, document: object, path: str, detail: str
) -> None:
    before = await system.show()

    answer = await system.ask("PATCH", WS, document)

    (fault,) = answer.document["errors"]
    assert (answer.status, fault["path"]) == (422, path)
    assert detail in fault["detail"]
    assert await system.show() == before


@pytest.mark.parametrize(
    ("path", "document", "fault"),
    [
        ("/v1/tokens", {"scpoe": "admin", "scope": "admin"}, "scpoe"),
        (f"{WS}/webhook/enable", {"dicsard": True}, "dicsard"),
        (f"{WS}/webhook/rotate-secret", {"keeep": "1h"}, "keeep"),
        ("/v1/workspaces", {"id": "new", "webhooks": {}}, "webhooks"),
    ],
)
async def test_unknown_fields_of_other_documents_too(
    system: System, path: str, document: object, fault: str
) -> None:
    answer = await system.ask("POST", path, document)

    assert answer.status == 422
    assert [each["path"] for each in answer.document["errors"]] == [fault]
    assert "did you mean" in answer.document["errors"][0]["detail"]
