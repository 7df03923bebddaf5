"""`workspace …` where the webhook that it means was deleted, and other webhooks are there."""

from itertools import count

import pytest

from hookbundle.tests.program import Program

NUMBERS = count(1)


async def without_outbound(program: Program) -> str:
    """A workspace that has a webhook `crm` alone."""
    ws = f"bare{next(NUMBERS)}"
    url = ("--url", "https://receiver.example/x")
    assert (await program("workspace", "set", ws, *url)).code == 0
    assert (await program("webhook", "set", ws, "crm", *url)).code == 0
    assert (await program("webhook", "delete", ws, "outbound", "--yes")).code == 0
    return ws


@pytest.mark.parametrize("command", ["show", "list"])
async def test_a_workspace_without_outbound_is_shown(program: Program, command: str) -> None:
    ws = await without_outbound(program)

    shown = await program("workspace", command, *([ws] if command == "show" else []))

    assert shown.code == 0, shown
    assert ws in shown.out
    assert command == "list" or "webhooks\tcrm enabled\n" in shown.out


async def test_its_own_settings_are_changed(program: Program) -> None:
    ws = await without_outbound(program)

    changed = await program("workspace", "set", ws, "--name", "Bare Ltd")

    assert changed.code == 0, changed
    assert "Bare Ltd" in changed.out


async def test_settings_of_the_webhook_that_is_gone_are_refused_in_plain_words(
    program: Program,
) -> None:
    ws = await without_outbound(program)

    refused = await program("workspace", "set", ws, "--aggregation", "6h")

    assert refused.code == 5, refused
    assert "has no webhook outbound any more" in refused.err


@pytest.mark.parametrize("where", [("webhook", "crm"), ("workspace",)])
async def test_what_is_discarded_cant_be_merged_and_nothing_is_asked(
    program: Program, where: tuple[str, ...]
) -> None:
    ws = await without_outbound(program)

    refused = await program(where[0], "enable", ws, *where[1:], "--merge", "--discard")

    assert refused.code == 2, refused
    assert "choose one of them" in refused.err
