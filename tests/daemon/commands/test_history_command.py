"""One command answers "why is the note of yesterday 15:00 for this customer missing?"."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from hookbundle.engine.messages.became import BecameCode, what_of
from hookbundle.tests.past.cases import STORED, Case, Past
from hookbundle.tests.past.once import copy_of_three_days
from hookbundle.tests.program import Program, serving

WITH_A_ROW = (
    *STORED,
    "skipped.attachment",
    "skipped.no_text",
    "duplicate",
    "duplicate.differs",
)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Program, Past]]:
    folder = tmp_path_factory.mktemp("daemon")
    past = copy_of_three_days(tmp_path_factory, folder / "data")
    with serving(folder) as program:
        yield program, past


def around(case: Case) -> list[str]:
    at = datetime.fromtimestamp(case.arrived_ms / 1_000, UTC)
    since, until = at - timedelta(minutes=1), at + timedelta(minutes=1)
    return ["--since", since.isoformat(), "--until", until.isoformat()]


@pytest.mark.parametrize("code", WITH_A_ROW)
async def test_a_chat_and_a_time_tell_what_became_of_a_message(
    lived: tuple[Program, Past], code: str
) -> None:
    program, past = lived
    case = past.cases[BecameCode(code)]

    ran = await program("chats", "history", case.workspace, case.chat_id, *around(case))

    told = [row[2] for row in ran.rows if row[1] == case.message_id]
    assert what_of(BecameCode(code)) in told
    assert "deliveries are known since" in ran.err


@pytest.mark.parametrize("code", ["delivered", "discarded", "duplicate"])
async def test_a_phone_stands_for_its_chats(lived: tuple[Program, Past], code: str) -> None:
    program, past = lived
    case = past.cases[BecameCode(code)]

    asked = ("chats", "history", case.workspace, "--phone", case.phone, *around(case))
    ran = await program(*asked)
    document = (await program(*asked, "--json")).document

    assert [case.chat_id, case.message_id, what_of(BecameCode(code))] in [
        row[1:4] for row in ran.rows
    ]
    assert code in [row["became"]["code"] for row in document]


async def test_a_message_shows_each_attempt(lived: tuple[Program, Past]) -> None:
    program, past = lived
    case = past.cases[BecameCode.REJECTED]

    asked = ("chats", "history", "acme", case.chat_id, "--message", case.message_id)
    ran = await program(*asked)
    document = (await program(*asked, "--json")).document

    facts = dict(row for row in ran.rows if len(row) == 2)
    assert facts["what"] == "dead_letter"
    assert "rejected it 3 times" in facts["detail"]
    assert facts["delivery_id"].startswith("dlv_")
    assert [row[2] for row in ran.rows if len(row) == 6] == ["status", "404", "404", "404"]
    assert document["became"]["code"] == "dead_letter.rejected"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("never_came", "It never came"),
        ("trimmed", "not kept any more"),
        ("deleted", "The chat was deleted at"),
        ("skipped.attachment", "it has an attachment"),
    ],
)
async def test_a_message_that_is_nowhere_says_why(
    lived: tuple[Program, Past], code: str, told: str
) -> None:
    program, past = lived
    case = past.cases[BecameCode(code)]

    ran = await program("chats", "history", "acme", case.chat_id, "--message", case.message_id)

    assert told in dict(row for row in ran.rows if len(row) == 2)["detail"]
    assert "skips, repeats and what filters dropped are known since" in ran.err


async def test_a_time_without_a_message_says_that_it_never_came(
    lived: tuple[Program, Past],
) -> None:
    program, past = lived
    case = past.cases[BecameCode.DELIVERED]
    before = datetime.fromtimestamp(past.since_ms / 1_000, UTC) - timedelta(hours=1)

    ran = await program("chats", "history", "acme", case.chat_id, "--until", before.isoformat())

    assert ran.code == 0
    assert "it never came" in ran.err


@pytest.mark.parametrize(
    "wrong",
    [
        ("acme",),
        ("acme", "c", "--phone", "+1"),
        ("acme", "--phone", "+1", "--message", "m"),
        ("acme", "c", "--message", "m", "--since", "-1h"),
        ("acme", "c", "--since", "yesterday"),
    ],
)
async def test_a_question_that_means_nothing_is_refused(
    lived: tuple[Program, Past], wrong: tuple[str, ...]
) -> None:
    program, _ = lived

    ran = await program("chats", "history", *wrong)

    assert ran.code == 2
    assert ran.out == ""
