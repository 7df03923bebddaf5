"""The log never contains the content of messages, not even at level debug.

Each text, URL query and secret contains the marker, and the whole log is searched for it.
"""

import signal
from pathlib import Path

import pytest

from hookbundle.tests.hook_receiver import Answer
from hookbundle.tests.in_process import Api, connected, event, receiving
from hookbundle.tests.program import program_in
from hookbundle.tests.running import started

MARKER = "Zebra42Marker"
FORGED = 'x\n{"event": "forged", "level": "critical"}\x1b[2J'


async def live_through(api: Api, url: str) -> None:
    """Sends requests that are accepted, skipped, refused or rejected."""
    hook = {"url": f"{url}?key={MARKER}", "aggregation": "none"}
    made = await api.ask("PUT", "/v1/workspaces/acme", {"webhook": hook})
    assert made.status == 201, made
    messages = "/v1/workspaces/acme/messages"
    for document in (
        event("m1", FORGED, text=MARKER),
        event("m2", FORGED, text=MARKER, attachments=[{"name": MARKER}]),
        event("m3", text=[MARKER]),
        event("m4", text=MARKER, direction=MARKER),
        event("m5", text=MARKER, timestamp=MARKER),
        [MARKER],
    ):
        await api.ask("POST", messages, document)
    await api.ask("POST", messages, data=f'{{"text": "{MARKER}'.encode())
    await api.ask("POST", messages, data=MARKER.encode(), headers={"Content-Encoding": "gzip"})
    await api.ask("GET", f"/v1/workspaces/acme/log?format={MARKER}")
    await api.ask("POST", "/v1/workspaces/acme/webhook/test", {})
    await api.ask("GET", f"/{MARKER}?{MARKER}", headers={"Authorization": f"Bearer {MARKER}"})
    await api.ask("PUT", "/v1/workspaces/acme", {"webhook": {"url": f"ftp://{MARKER}/"}})


@pytest.mark.parametrize("form", ["json", "console"])
async def test_no_text_no_query_and_no_secret_is_in_the_log(tmp_path: Path, form: str) -> None:
    program = program_in(tmp_path, LOG__LEVEL="debug", LOG__FORMAT=form, SMTP__PASSWORD=MARKER)
    async with receiving() as receiver:
        receiver.answers(Answer(500, body=MARKER.encode()))
        process = await started(program)
        assert process.stderr is not None
        log = b""
        while b"ready" not in log:
            log += await process.stderr.readline()
        async with connected(program.socket_path) as session:
            await live_through(Api(session), receiver.url())
            await receiver.until(1)
            receiver.refused.clear()  # its signatures are not under test here
        process.send_signal(signal.SIGTERM)
        log += (await process.communicate())[1]

    assert process.returncode == 0, log.decode()
    assert MARKER not in log.decode()
    assert b'"event": "forged"' not in log
    assert b"\x1b[2J" not in log
