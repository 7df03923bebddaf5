"""Tables on a terminal: they fit, what is shortened is marked, and ids stay whole."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from hookbundle.commands.sources.source import LISTED
from hookbundle.commands.terminal.tables import MARK, fitted, shortened

DELIVERY = "dlv_43cc8079b600000001000000000001"
COLUMNS = ("workspace", "id", "state", "chat_id", "messages", "attempts", "sealed_at", "last_error")
ROW = (
    "workspace-" + "9" * 54,
    DELIVERY,
    "dead letter",
    "972540000000-1611111111@g.us",
    "500",
    "11",
    "2026-11-28 09:09:44",
    "connect_refused: the connection was refused",
)


@pytest.mark.parametrize("width", [48, 60, 80, 100, 132, 250])
def test_no_line_is_wider_than_the_terminal_and_the_id_stays_whole(width: int) -> None:
    table = fitted(COLUMNS, [ROW, ROW], width)

    lines = [table.heading, *table.lines]
    assert max(map(cell_len, lines)) <= width
    assert any(DELIVERY in line for line in lines)


def test_at_a_hundred_columns_each_row_is_one_line_and_says_what_was_shortened() -> None:
    table = fitted(COLUMNS, [ROW], 100)

    assert len(table.lines) == 1
    assert table.shortened
    assert table.left_out == ("messages", "attempts", "sealed_at")


def test_of_one_workspace_the_time_has_room_as_it_is_what_people_ask_for() -> None:
    table = fitted(COLUMNS[1:], [ROW[1:]], 100)

    assert table.left_out == ("messages", "attempts")
    assert "2026-11-28 09:09:44" in table.lines[0]


def test_a_wide_terminal_shows_everything() -> None:
    table = fitted(COLUMNS, [ROW], 300)

    assert all(cell in table.lines[0] for cell in ROW)
    assert (table.shortened, table.left_out) == (False, ())


def test_a_narrow_terminal_gets_a_block_of_lines_for_each_row() -> None:
    table = fitted(COLUMNS, [ROW, ROW], 40)

    assert table.heading == ""
    assert [line.split()[0] for line in table.lines[: len(COLUMNS)]] == list(COLUMNS)
    assert table.lines[len(COLUMNS)] == ""


def test_a_text_goes_on_in_the_next_line() -> None:
    meaning = "time after which an idle connection is closed by the daemon " * 2

    table = fitted(("name", "meaning"), [("http.idle_timeout", meaning.strip())], 60)

    assert not table.shortened
    assert " ".join(" ".join(table.lines).split()) == f"http.idle_timeout {meaning.strip()}"


def test_no_rows_leave_the_heading() -> None:
    assert fitted(("a", "b"), [], 80).heading == "a  b"


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["C", "Z", "M"]), max_size=80), st.integers(4, 60))
def test_a_shortened_text_keeps_its_begin_and_an_id_also_its_end(text: str, size: int) -> None:
    for in_the_middle in (False, True):
        cell = shortened(text, size, in_the_middle=in_the_middle)

        assert cell_len(cell) <= size
        if cell != text:
            begin, _, end = cell.rpartition(MARK)
            assert text.startswith(begin)
            assert text.endswith(end)
            assert bool(end) <= in_the_middle


def test_sources_with_long_names_are_a_table_of_100_columns() -> None:
    times = ("2026-11-29 10:51:56", "2026-11-29 10:51:56")
    row = ("timelinesai-120", "the sales team " * 8, "yes", "1234567", "1234567", *times)

    table = fitted(LISTED, [row], 100)

    assert table.heading
    assert table.left_out == ()
    assert max(map(len, (table.heading, *table.lines))) <= 100
