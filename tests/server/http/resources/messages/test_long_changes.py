"""Edits of long texts are cut into parts by their bytes as well as by their number."""

import asyncio
from pathlib import Path

import pytest

from hookbundle.actors.portions import cut
from hookbundle.actors.store_queue import PLACE_BYTES, REQUEST_PLACES_MAX
from hookbundle.engine import limits
from hookbundle.engine.messages.changes import Change
from hookbundle.tests.in_process import daemon_in, receiving

MESSAGES = "/v1/workspaces/acme/messages"


@pytest.mark.parametrize("webhooks", [1, limits.WEBHOOKS_MAX])
@pytest.mark.parametrize("letter", ["x", "\N{WHITE SMILING FACE}"])
def test_a_run_of_long_edits_is_cut_by_its_bytes_and_none_is_lost_or_moved(
    letter: str, webhooks: int
) -> None:
    text = letter * limits.TEXT_CHARS_MAX
    run = [Change(f"m{n}", b"", text if n % 3 else "x") for n in range(limits.PART_CHANGES_MAX)]

    portions = list(cut({}, webhooks, {"a": [(0, each) for each in run]}))

    found = []
    for portion in portions:
        sizes = [_sizes(part.changes) for part in portion.parts]
        assert sizes
        assert sum(map(sum, sizes)) // PLACE_BYTES <= portion.places <= REQUEST_PLACES_MAX
        for each in sizes:
            assert len(each) <= limits.PART_CHANGES_MAX // webhooks
            assert sum(each) <= limits.PART_BYTES_MAX // webhooks or len(each) == 1
        found += [each for part in portion.parts for each in part.changes]
    assert found == run


def _sizes(changes: object) -> list[int]:
    assert isinstance(changes, list)
    return [len(each.text.encode()) for each in changes]


async def test_a_request_of_many_long_edits_is_answered_and_holds_no_places(tmp_path: Path) -> None:
    text = "x" * limits.TEXT_CHARS_MAX
    edits = [
        {"chat": {"chat_id": "a"}, "edit": {"message_id": f"m{n}", "text": text}} for n in range(80)
    ]
    async with receiving() as receiver, daemon_in(tmp_path) as system:
        await system.make("acme", receiver, aggregation="1h")

        async with asyncio.timeout(30):
            answer = await system.ask("POST", MESSAGES, edits)

        assert answer.status == 202
        assert system.daemon.partition.store_queue.places.used == 0
