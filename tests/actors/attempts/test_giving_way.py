"""An attempt that gives way while the body of its answer is still coming: nobody's fault."""

from pathlib import Path

import pytest

from hookbundle.actors.outbound import connection
from hookbundle.tests.actors.hooks import Webhooks, sending
from hookbundle.tests.receivers import Receiver, Wire, receiving

FOR_EVER_S = 3_600.0
RULES = b'[{"pointer":"/ok","equals":true}]'


async def in_a_body(wire: Wire) -> None:
    """The status comes at once, and the rest of the body never."""
    await wire.request()
    await wire.send(b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"ok":')
    await wire.until_closed()


async def given_way(hooks: Webhooks, slow: Receiver, number: int, quick: int) -> None:
    """An attempt of webhook `number` has begun, its answer too, and then `quick` had its slot."""
    slow.answered.clear()
    hooks.traffic.slots.give_way_s = FOR_EVER_S
    hooks.wake(number)
    await slow.answered.wait()
    hooks.traffic.slots.give_way_s = 0.0
    delivered = hooks.store.reads.meta().totals.delivered
    await hooks.enqueue(quick, f"q{slow.connections}")
    hooks.wake(quick)
    await hooks.store.until(lambda: hooks.store.reads.meta().totals.delivered > delivered)
    await hooks.store.until(lambda: hooks.state("slow").flight is None)


@pytest.mark.parametrize(
    ("rules", "ended"), [(RULES, ("unknown", "answer")), (b"", ("delivered", "2xx"))]
)
async def test_an_answer_cut_off_for_others_is_no_error_of_its_receiver(
    rules: bytes, ended: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "BODY_S_MAX", FOR_EVER_S)
    async with receiving(in_a_body) as slow, sending(tmp_path, slots=1) as hooks:
        quick = await hooks.workspace("quick")
        number = await hooks.store.workspace("slow", url=slow.url, success_rules=rules)
        await hooks.enqueue(number, "m1")

        await given_way(hooks, slow, number, quick)

        state = hooks.state("slow")
        assert (hooks.seen[0], state.consecutive_errors) == (ended, 0)
        assert (state.own_faults, state.queued) == ((1, 1) if rules else (0, 0))
