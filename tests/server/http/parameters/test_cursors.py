"""A cursor is one that the same list gave: anything else is refused, and shows no empty page."""

import base64
from itertools import permutations
from typing import Any

import pytest

from hookbundle.tests.in_process import System, event

PAGED = {
    ("get", "/v1/workspaces"): "workspaces",
    ("get", "/v1/tokens"): "tokens",
    ("get", "/v1/chats"): "chats",
    ("get", "/v1/workspaces/{ws}/chats"): "chats",
    ("get", "/v1/workspaces/{ws}/deliveries"): "deliveries",
    ("post", "/v1/workspaces/{ws}/chats/flush"): "",
}
GARBAGE = [
    "zzzz",
    "AAAA",
    "acme",
    "x",
    "*",
    "0",
    "null",
    "Q2hhdA",
    "UAAAAAAAAAAB",  # the place of a dead letter, as cursors were before they had a digest
    base64.urlsafe_b64encode(b"\xff" * 40).decode(),
    "A" * 400,
    "%00",
    "%FF",
    "é",
]


@pytest.fixture
async def full(system: System) -> System:
    """Each list has three entries."""
    await system.switch("acme", "disable")
    await system.accept("acme", *(event(f"m{n}", f"sent {n}") for n in range(3)))
    await system.ask("PATCH", "/v1/workspaces/acme", {"webhook": {"aggregation": "1h"}})
    await system.accept("acme", *(event(f"n{n}", f"open {n}") for n in range(3)))
    for number in range(3):
        await system.ask("POST", "/v1/workspaces", {"id": f"more-{number}"})
        await system.ask("POST", "/v1/tokens", {"scope": "intake"})
        system.clock.move(1)
    return system


async def lists(system: System) -> set[tuple[str, str]]:
    document = await system.get("/openapi.json")
    return {
        (method, path)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
        and any(each["name"] == "cursor" for each in operation.get("parameters", ()))
    }


async def page(system: System, of: tuple[str, str], cursor: str) -> Any:
    method, path = of
    known = path.replace("{ws}", "acme").replace("{chat}", "sent%200")
    asked = "chat=sent%200" if path.endswith("{message_id}") else "limit=1"
    return await system.ask(method.upper(), f"{known}?{asked}&cursor={cursor}")


def is_refused(answer: Any) -> bool:
    if answer.status != 422:
        return False
    (fault,) = answer.document["errors"]
    assert (fault["path"], fault["code"]) == ("cursor", "no_cursor")
    return True


@pytest.mark.parametrize("cursor", GARBAGE)
async def test_what_is_none_is_refused_by_every_list(full: System, cursor: str) -> None:
    for of in await lists(full):
        assert is_refused(await page(full, of, cursor)), of


async def test_the_lists_are_those_that_have_cursors(full: System) -> None:
    assert await lists(full) >= PAGED.keys()


@pytest.mark.parametrize("of", PAGED)
async def test_one_leads_on_and_half_of_one_nowhere(full: System, of: tuple[str, str]) -> None:
    first = (await page(full, of, "")).document

    second = await page(full, of, first["cursor"])

    assert second.status == 200
    if PAGED[of]:
        assert len(second.document[PAGED[of]]) == 1
        assert second.document[PAGED[of]] != first[PAGED[of]]
    for broken in (first["cursor"][:-2], first["cursor"][1:], "A" + first["cursor"]):
        assert is_refused(await page(full, of, broken))


async def test_that_of_another_list_is_refused(full: System) -> None:
    gets = [of for of in PAGED if of[0] == "get"]
    cursors = {of: (await page(full, of, "")).document["cursor"] for of in gets}

    for mine, other in permutations(gets, 2):
        assert is_refused(await page(full, mine, cursors[other])), (mine, other)
