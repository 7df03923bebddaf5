"""If-Match and If-None-Match, as RFC 9110 (13.1) has them; and what raises a version."""

import pytest

from hookbundle.tests.hook_receiver import HookReceiver
from hookbundle.tests.in_process import System, event

ACME = "/v1/workspaces/acme"
HELD = [  # of version 1
    '"1"',
    "*",
    '"7", "1"',
    '"7","1" , "x"',
    ', ,"1",',
    '"1,2", "1"',
    'W/"7", "1"',
    ' "1" ',
]
NOT_HELD = ['"2"', 'W/"1"', '"x"', '""', '"01"', '"1,2"', 'W/"1", "2"', '"-1"', '"é"']
MALFORMED = ["1", '"1', '1"', '"1" "2"', '*, "1"', "W/1", 'w/"1"', ",", "", '"1";', "'1'", '"1 "']


@pytest.mark.parametrize("tag", HELD)
async def test_a_change_is_made_if_a_tag_is_the_present_one(system: System, tag: str) -> None:
    answer = await system.ask("PATCH", ACME, {"name": "New"}, headers={"If-Match": tag})

    assert (answer.status, answer.headers["etag"]) == (200, '"2"')


@pytest.mark.parametrize("method", ["PATCH", "PUT", "DELETE", "GET"])
@pytest.mark.parametrize("tag", NOT_HELD)
async def test_nothing_is_changed_if_no_tag_is(system: System, tag: str, method: str) -> None:
    before = await system.show()
    document = {"name": "New"} if method[0] == "P" else None

    answer = await system.ask(method, ACME, document, headers={"If-Match": tag})

    assert answer.status == 412
    assert "is at version 1" in answer.document["detail"]
    assert await system.show() == before


@pytest.mark.parametrize("name", ["If-Match", "If-None-Match"])
@pytest.mark.parametrize("tag", MALFORMED)
async def test_what_is_no_list_of_tags_is_refused_in_words(
    system: System, tag: str, name: str
) -> None:
    answers = [
        await system.ask("PATCH", ACME, {"name": "New"}, headers={name: tag}),
        await system.ask("GET", ACME, headers={name: tag}),
    ]

    for answer in answers:
        (fault,) = answer.document["errors"]
        assert (answer.status, fault["path"]) == (422, name)
        assert "entity tags in double quotes" in fault["detail"]


async def test_several_lines_are_one_list(system: System) -> None:
    lines = [("If-Match", '"7"'), ("If-Match", '"1"')]

    answer = await system.ask("PATCH", ACME, {"name": "New"}, headers=lines)

    assert answer.status == 200


@pytest.mark.parametrize("tags", [", ".join('"1"' for _ in range(65)), f'"{"x" * 4_100}"'])
async def test_a_list_has_a_bounded_length(system: System, tags: str) -> None:
    answer = await system.ask("PATCH", ACME, {"name": "New"}, headers={"If-Match": tags})

    assert answer.status == 422
    assert "at most 64 entity tags" in answer.document["errors"][0]["detail"]


@pytest.mark.parametrize("tag", [*HELD, 'W/"1"', '"7", W/"1"'])
async def test_who_has_it_already_is_not_sent_it_again(system: System, tag: str) -> None:
    answer = await system.ask("GET", ACME, headers={"If-None-Match": tag})

    assert (answer.status, answer.body, answer.headers["etag"]) == (304, b"", '"1"')


@pytest.mark.parametrize("tag", ['"2"', 'W/"2"', '"x"', '"01"', '"1,2"'])
async def test_who_has_another_one_is_sent_it(system: System, tag: str) -> None:
    answer = await system.ask("GET", ACME, headers={"If-None-Match": tag})

    assert (answer.status, answer.document["version"]) == (200, 1)


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize("tag", ["*", '"1"', 'W/"1"'])
async def test_a_change_only_where_none_is_this_one(system: System, method: str, tag: str) -> None:
    answer = await system.ask(method, ACME, {"name": "New"}, headers={"If-None-Match": tag})

    assert (answer.status, (await system.show())["name"]) == (412, "Acme")


async def test_none_is_there_to_match(system: System) -> None:
    absent = "/v1/workspaces/absent"

    put = await system.ask("PUT", absent, {}, headers={"If-Match": "*"})
    patched = await system.ask("PATCH", absent, {}, headers={"If-Match": "*"})
    deleted = await system.ask("DELETE", absent, headers={"If-Match": "*"})
    shown = await system.ask("GET", absent, headers={"If-None-Match": "*"})

    # What is 404 without a condition is 404 with it: RFC 9110, 13.2.1.
    assert [each.status for each in (put, patched, deleted, shown)] == [412, 404, 404, 404]


async def test_a_stale_tag_does_not_enable_what_errors_have_disabled(
    system: System, receiver: HookReceiver
) -> None:
    seen = await system.ask("GET", ACME)
    receiver.answers(500)
    await system.accept("acme", event("m1"))
    await system.facts.until("webhook.disabled")

    stale = {"If-Match": seen.headers["etag"]}
    wanted = {"webhook": {"enabled": True}}
    refused = await system.ask("PATCH", ACME, wanted, headers=stale)
    shown = await system.ask("GET", ACME, headers={"If-None-Match": seen.headers["etag"]})

    assert (refused.status, shown.status) == (412, 200)
    assert shown.document["webhook"]["state"] == "disabled"
    assert shown.document["version"] == seen.document["version"] + 1


@pytest.mark.parametrize("way", ["path", "document"])
async def test_each_switch_is_one_version_and_switching_to_the_same_is_none(
    system: System, way: str
) -> None:
    versions = []
    for enabled in (False, False, True, True):
        if way == "path":
            await system.switch("acme", "enable" if enabled else "disable")
        else:
            await system.ask("PATCH", ACME, {"webhook": {"enabled": enabled}})
        versions.append((await system.show())["version"])

    assert versions == [2, 2, 3, 3]


async def test_settings_and_switch_together_are_one_version(system: System) -> None:
    wanted = {"name": "New", "webhook": {"enabled": False}}

    changed = await system.ask("PATCH", ACME, wanted)
    made = await system.ask("POST", "/v1/workspaces", {"id": "off", **wanted})

    assert (changed.document["version"], changed.headers["etag"]) == (2, '"2"')
    assert (made.document["version"], made.headers["etag"]) == (1, '"1"')
    assert not made.document["webhook"]["enabled"]
