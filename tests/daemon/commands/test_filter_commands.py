"""`webhook set --filter`, `webhook filter-test` and what `send` says, against a daemon."""

import json
from itertools import count
from pathlib import Path

import pytest

from hookbundle.tests.in_process import Api, connected, event
from hookbundle.tests.program import Program

NUMBERS = count(1)
SENT = '{"direction": "sent"}'


async def test_a_filter_is_tried_set_shown_and_taken_away(program: Program, tmp_path: Path) -> None:
    ws = f"filtered{next(NUMBERS)}"
    file = tmp_path / "filter.json"
    file.write_text(SENT)
    url = ("--url", "https://receiver.example/x", "--aggregation", "1h")
    async with connected(program.socket_path) as session:
        await Api(session).ask("PUT", f"/v1/workspaces/{ws}", {"webhook": {"aggregation": "1h"}})
        await Api(session).accept(ws, event("m1"), event("m2", direction="sent"))

    tried = await program("webhook", "filter-test", ws, "outbound", "--filter", SENT, "--last", "9")
    made = await program("webhook", "set", ws, "crm", *url, "--filter", f"@{file}", "--json")
    again = await program("webhook", "filter-test", ws, "crm", "--json")
    cleared = await program("webhook", "set", ws, "crm", "--filter", "none", "--json")

    assert tried.code == 0, tried
    assert "1 message kept, 1 message dropped" in tried.err
    assert "The filter wants messages of another direction." in tried.out
    assert made.document["filter"] == json.loads(SENT)
    assert (again.document["tested"], again.document["kept"]) == (2, 1)
    assert cleared.document["filter"] == {}


async def test_a_message_s_path_has_a_row_for_the_webhook_that_dropped_it(
    program: Program,
) -> None:
    ws = f"filtered{next(NUMBERS)}"
    async with connected(program.socket_path) as session:
        api = Api(session)
        hook = {"url": "https://receiver.example/x", "aggregation": "1h"}
        crm = {**hook, "filter": json.loads(SENT)}
        await api.ask("PUT", f"/v1/workspaces/{ws}", {"webhook": hook})
        await api.ask("PUT", f"/v1/workspaces/{ws}/webhooks/crm", crm)
        await api.accept(ws, event("m1", "c1"))

    ran = await program("chats", "history", ws, "c1", "--message", "m1")

    rows = [row for row in ran.rows if row[0] in ("outbound", "crm")]
    assert [row[:4] for row in rows] == [
        ["outbound", "collecting", "-", "0"],
        ["crm", "filtered", "-", "0"],
    ]
    assert rows[1][4].endswith("its filter did not keep it.")
    assert "what filters dropped are known since" in ran.err


async def test_send_says_how_many_no_webhook_wants(program: Program) -> None:
    ws = f"filtered{next(NUMBERS)}"
    async with connected(program.socket_path) as session:
        hook = {"aggregation": "1h", "filter": json.loads(SENT)}
        await Api(session).ask("PUT", f"/v1/workspaces/{ws}", {"webhook": hook})

    sent = await program("send", ws, "-", given=json.dumps(event("m1")).encode())

    assert sent.code == 0
    assert "1 message passed the filter of no webhook" in sent.err


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{'direction': 'sent'}", "no filter in JSON"),
        ('["direction"]', "is a JSON object"),
        ('{"kind": "direct", "kind": "group"}', "given twice"),
        ("@/nothing/here.json", "can't be read"),
        ("[" * 50_000, "no filter in JSON"),
    ],
)
async def test_what_is_no_filter_is_refused_before_it_is_sent(
    program: Program, given: str, words: str
) -> None:
    ran = await program("webhook", "filter-test", "acme", "crm", "--filter", given)

    assert ran.code == 2
    assert words in ran.err


async def test_the_daemon_names_every_fault_of_a_filter(program: Program) -> None:
    ws = f"filtered{next(NUMBERS)}"
    async with connected(program.socket_path) as session:
        await Api(session).ask("PUT", f"/v1/workspaces/{ws}", {})
    wrong = '{"directon": "sent", "any": [{"kind": "both"}]}'

    ran = await program("webhook", "filter-test", ws, "outbound", "--filter", wrong)

    assert ran.code == 2
    for path in ("filter.directon", "filter.any[0].kind"):
        assert path in ran.err
